"""init, config: a publication's folder and its settings."""

import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from publisher.cli.output import DEFAULT_CONFIG, Config, Json, open_publication, print_json
from publisher.errors import PublisherError
from publisher.settings import FILE_NAME, Duration, load_settings
from publisher.settings_errors import SECRETS
from publisher.site.issue_files import new_issue, write_file

_SETTINGS = """\
# {file}: see docs/settings.md for every key. Secrets belong in the environment.

[publication]
id = "{id}"   # permanent: every entry's identity begins with it
title = "{title}"
url = "https://example.org"   # where public/ will be served
time_zone = "{zone}"
language = "en"
description = ""
author = ""

[email]
# Both are needed before anything is sent to readers.
# from = "{title} <daily@example.org>"
# postal_address = "A street, a town, a country"
"""
_IGNORED = "public/\n.publisher/\npublisher.db*\n"
_ATTRIBUTES = """\
# Two editors who publish from two branches both append here; keep the lines of both.
issues/register.jsonl merge=union
"""


def init_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new folder.")],
    title: Annotated[str, typer.Option(help="The publication's title.")] = "",
    time_zone: Annotated[str, typer.Option(metavar="ZONE", help="An IANA time zone.")] = "UTC",
    json: Json = False,
) -> int:
    settings = folder / FILE_NAME
    if settings.exists():
        raise PublisherError(f"{settings} exists: this is a publication's folder already")
    if folder.exists() and not folder.is_dir():
        raise PublisherError(f"{folder} is no folder")
    name = title or folder.resolve().name.replace("-", " ").title()
    if re.search(r'["\\\x00-\x1f]', name):
        raise PublisherError(f"the title {name!r} has characters that settings cannot hold")
    now = datetime.now(UTC)
    text = _SETTINGS.format(
        file=FILE_NAME, id=_mint_publication_id(now), title=name, zone=time_zone
    )
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("issues", "media", "templates"):
        (folder / part).mkdir(exist_ok=True)
    for path, content in ((".gitignore", _IGNORED), (".gitattributes", _ATTRIBUTES)):
        if not (folder / path).exists():
            write_file(folder, path, content.encode())
    write_file(folder, FILE_NAME, text.encode())
    publication = load_settings(settings).as_publication()
    draft = new_issue(folder, publication, now)
    if json:
        print_json({"folder": folder, "id": publication.id, "draft": draft})
    else:
        print(f"{folder} is a publication's folder. Edit {settings}, write {draft},")
        print("set its status to ready, and run `publisher build` there.")
    return 0


def _mint_publication_id(now: datetime) -> str:
    """A tag: URI (RFC 4151) of its own, whatever becomes of the site's address."""
    return f"tag:example.org,{now:%Y-%m-%d}:{secrets.token_hex(8)}"


def config_command(config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    _, settings = open_publication(config)
    shown = _masked(msgspec.to_builtins(settings, enc_hook=_encode))
    if json:
        print_json(shown)
        return 0
    for line in _lines(shown, ""):
        print(line)
    return 0


def _encode(value: Any) -> Any:
    if isinstance(value, Duration):
        return str(value)
    raise NotImplementedError(type(value))


def _masked(value: Any, key: str = "") -> Any:
    """The settings with every secret that is set shown as stars."""
    if isinstance(value, dict):
        return {name: _masked(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return ["***" for _ in value] if key in SECRETS else [_masked(v) for v in value]
    return "***" if key in SECRETS and value else value


def _lines(value: Any, prefix: str) -> list[str]:
    if isinstance(value, dict) and value:
        return [
            line
            for name, inner in value.items()
            for line in _lines(inner, f"{prefix}.{name}" if prefix else name)
        ]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [
            line
            for place, inner in enumerate(value)
            for line in _lines(inner, f"{prefix}[{place}]")
        ]
    return [f"{prefix} = {msgspec.json.encode(value).decode()}"]
