"""init, config: a publication's folder and its settings."""

import json
import os
import secrets
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
import typer

from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    open_publication,
    print_json,
    say,
    show,
)
from publisher.errors import PublisherError
from publisher.settings import FILE_NAME, Duration, parse_settings
from publisher.settings_errors import mask
from publisher.settings_values import is_http_url, is_zone, to_ascii_url
from publisher.site.replace import write_file
from publisher.site.scan import ISSUES, MEDIA, TEMPLATES

_SETTINGS = """\
# The settings of this publication; docs/settings.md of publisher explains every key.
# Passwords belong into the environment, for example PUBLISHER_SMTP__PASSWORD.

[publication]
id = {id}  # never change it: feed readers know everything by it
title = {title}
url = {url}  # where the folder public/ will be served
time_zone = {zone}  # in which a day begins and ends; such as "Asia/Shanghai"
language = "en"  # such as "zh-Hans", "ar", "pt-BR"
description = ""  # one sentence about what readers will find
author = ""  # "Name <name@example.org>", or a name alone

[email]
# Both are needed before anything is sent to readers.
# from = {sender}
# postal_address = "The Publication, 1 Street, Town, Country"
"""
_IGNORED = "public/\n.publisher/\npublisher.db*\n*.pem\n"
_ATTRIBUTES = """\
# Two editors who publish from two branches both append to these; keep the lines of both.
issues/register.jsonl merge=union
issues/history.jsonl merge=union
"""


def init_command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder, which is made if need be.")
    ],
    title: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="The publication's title; where it is left out, the folder's name.",
        ),
    ] = "",
    time_zone: Annotated[
        str,
        typer.Option(
            metavar="ZONE",
            help="Its time zone, such as Asia/Shanghai; where it is left out, this computer's.",
        ),
    ] = "",
    url: Annotated[
        str,
        typer.Option(metavar="URL", help="Where its site will be, such as https://daily.example."),
    ] = "",
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="EXPORT",
            help="What `export` wrote, a folder or a zip archive, to be a publication again.",
        ),
    ] = None,
    json: Json = False,
) -> int:
    """Make a new publication's folder, ready to build.

    Nothing that is in the folder already is changed. With --from it is made of an
    export, and sends nothing until `arm`.

    \b
    Examples:
      publisher init daily
      publisher init daily --from daily-export.zip
      publisher init daily --title "The Daily" --time-zone Europe/Berlin
      publisher init daily --url https://daily.example
    """
    if source:
        return _make_from(source, folder, [title, time_zone, url], json)
    settings = folder / FILE_NAME
    if time_zone and not is_zone(time_zone):
        raise PublisherError(
            f"--time-zone {time_zone!r} is unknown; write one such as Asia/Shanghai"
        )
    if os.path.lexists(settings):
        raise PublisherError(f"{settings} exists already: {folder} is a publication's folder")
    if folder.exists() and not folder.is_dir():
        raise PublisherError(f"{folder} is a file; name a folder")
    name = title or _title_of(folder)
    # Checked before anything is made, so that what is wrong leaves nothing behind.
    host = _host_of(url) if url else "example.org"
    text = _write_settings(name, time_zone or _local_zone(), url, host, datetime.now(UTC))
    publication = parse_settings(tomllib.loads(text)).publication
    _make_folder(folder, text)
    if json:
        print_json({"folder": folder, "settings": settings, "id": publication.id})
    else:
        _say_next(folder, publication.title)
    return 0


def _make_from(source: Path, folder: Path, others: list[str], json: bool) -> int:
    from publisher.runtime.arriving import make_from_export

    if any(others):
        raise PublisherError(
            "--from takes title, time zone and URL from the export; leave them out"
        )
    arrived = make_from_export(source, folder)
    if json:
        settings = folder / FILE_NAME
        plain = msgspec.structs.asdict(arrived)
        print_json({"folder": folder, "settings": settings, **plain})
        return 0
    show(f"{folder} is the folder of {arrived.title} now, and sends nothing until `publisher arm`.")
    for each in arrived.left_out:
        say(f"Not in the export: {each}")
    say("What to do next: publisher config, publisher build, publisher doctor; and publisher arm")
    say("once nothing is sent any more from where the export was made.")
    return 0


def _make_folder(folder: Path, settings: str) -> None:
    """Make the folder and what it lacks; the settings come last, for they make it a publication."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in (ISSUES, MEDIA, TEMPLATES):
        (folder / part).mkdir(exist_ok=True)
    for path, content in ((".gitignore", _IGNORED), (".gitattributes", _ATTRIBUTES)):
        if not (folder / path).exists():
            write_file(folder, path, content.encode())
    write_file(folder, FILE_NAME, settings.encode())


def _say_next(folder: Path, title: str) -> None:
    show(f"{folder} is the folder of {title} now.")
    say("What to do next:")
    steps = (
        (f"cd {_quote(folder)}", "go there"),
        (f"edit {FILE_NAME}", "its address, its language, who writes it"),
        ("publisher new", "begin an issue and write it; or publisher import FILE"),
        ("publisher preview", "look at it in a browser while you write"),
        ("publisher build", "make the site in public/"),
    )
    for step, what in steps:
        say(f"  {step:<20} {what}")


def _quote(path: Path) -> str:
    from shlex import quote

    return quote(str(path))


def _title_of(folder: Path) -> str:
    words = folder.resolve().name.replace("-", " ").replace("_", " ").split()
    title = " ".join(word[:1].upper() + word[1:] for word in words)
    return title.encode("utf-8", "replace").decode() or "Untitled"


def _local_zone() -> str:
    """This computer's time zone, where it says so as Unix systems do; else UTC."""
    link = os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2]
    for name in (os.environ.get("TZ", "").lstrip(":"), link):
        if "/" in name and not name.startswith("Etc/") and is_zone(name):
            return name
    return "UTC"


def _host_of(url: str) -> str:
    """The domain of a site's URL. Raises PublisherError where it is none."""
    if not is_http_url(url, is_base=True):
        raise PublisherError(f"--url {url!r} is no URL; write one such as https://daily.example")
    return (urlsplit(to_ascii_url(url)).hostname or "").removeprefix("www.")


def _write_settings(title: str, zone: str, url: str, host: str, now: datetime) -> str:
    # A tag: URI (RFC 4151) of its own, whatever becomes of the site's address.
    id_ = f"tag:{host},{now:%Y-%m-%d}:{secrets.token_hex(8)}"
    values = {
        "id": id_,
        "title": title,
        "url": url or f"https://{host}",
        "zone": zone,
        "sender": f"{_phrase(title)} <daily@{host}>",
    }
    return _SETTINGS.format(**{key: _toml(value) for key, value in values.items()})


def _phrase(name: str) -> str:
    """A name as it may stand before an address (RFC 5322, section 3.2.5)."""
    plain = all(word.isalnum() for word in name.split())
    return name if plain else json.dumps(name, ensure_ascii=False)


def _toml(text: str) -> str:
    """A basic string of TOML, whose escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def config_command(config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Print the settings in force: the file's, what the environment says, and the defaults.

    Passwords, keys and other secrets are shown as ***.

    \b
    Examples:
      publisher config
      publisher config --json
    """
    _, settings = open_publication(config)
    shown = mask(msgspec.to_builtins(settings, enc_hook=_encode))
    if json:
        print_json(shown)
        return 0
    for line in _lines(shown, ""):
        show(line)
    return 0


def _encode(value: Any) -> Any:
    if isinstance(value, Duration):
        return str(value)
    raise NotImplementedError(type(value))


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
