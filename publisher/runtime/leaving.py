"""A publication -> an export: all of it in open formats, for another place or another program."""

import csv
import os
import stat
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from itertools import islice
from pathlib import Path

import msgspec

from publisher.audience.cells import guard_cell
from publisher.audience.exporting import export_subscribers, write_csv
from publisher.runtime.export_readme import README
from publisher.runtime.parcel import FORMAT, MANIFEST, Manifest, Packing, packing
from publisher.runtime.redacting import leave_secrets_out
from publisher.settings import FILE_NAME, Settings
from publisher.site.scan import ISSUES, MEDIA, TEMPLATES
from publisher.store import suppressions
from publisher.store.backup import copying
from publisher.store.database import Database
from publisher.store.tables import PASSING, SECRET, Described, Dump
from publisher.store.version import HEAD

# The folder's own files that travel, besides the settings.
FOLDERS = (ISSUES, MEDIA, TEMPLATES)
FILES = (".gitignore", ".gitattributes")
_FEEDS, _DATA = "feeds", "data"
_FEED_ENDINGS = (".atom", ".rss", ".opml")
_PART = 1 << 20
_PAGE = 1_000
_MADE_ANEW = (
    "public/, which `publisher build` makes of the rest",
    "settings that the environment gives",
)
_LETS_IN = (
    "the keys of links in mails that were sent, and of the ids by which bounces come back",
    "operators' passwords: `publisher users add` gives each a link to choose another",
)


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """What an export is made of: a publication's folder, settings and database, now."""

    folder: Path
    file: Path
    settings: Settings
    database: Database
    now: datetime
    with_secrets: bool


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What an export holds: files, rows of each table, and what was left out of it."""

    files: int
    size: int
    tables: dict[str, int]
    left_out: tuple[str, ...]


def export_publication(leaving: Leaving, target: Path) -> Left:
    """Write all of a publication to a folder or a zip archive; others may work on meanwhile.

    The database is copied first: no mailing in it is of an issue that came later. Raises
    PublisherError where the target is there, or a secret cannot be left out.
    """
    text, left_out = _read_settings(leaving)
    copy = copying(leaving.database, target, leaving.now)
    with packing(target) as packed, copy as copied:
        _pack_text(packed, FILE_NAME, text.encode())
        left_out += _pack_folder(packed, leaving.folder)
        tables, keys = _pack_tables(packed, copied, leaving.with_secrets)
        _pack_lists(packed, copied)
        _pack_text(packed, "README.md", README.encode())
        manifest = Manifest(
            format=FORMAT,
            schema=HEAD,
            publication=leaving.settings.publication.id,
            row=leaving.database.publication,
            made_at=leaving.now.isoformat(timespec="seconds"),
            with_secrets=leaving.with_secrets,
            tables=tables,
            keys=keys,
            left_out=(*_name_left_out(leaving), *left_out),
            files=dict(packed.files),
        )
        encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        _pack_text(packed, MANIFEST, encoded)
    size = sum(listed.bytes for listed in packed.files.values())
    rows = {name: described.rows for name, described in tables.items()}
    return Left(files=len(packed.files), size=size, tables=rows, left_out=manifest.left_out)


def _pack_text(packed: Packing, path: str, data: bytes) -> None:
    with packed.write(path) as file:
        file.write(data)


def _pack_folder(packed: Packing, folder: Path) -> list[str]:
    """Pack the publication's own files; gives those that were left alone."""
    left = []
    for name in FOLDERS:
        left += _pack_tree(packed, folder, name)
    for name in FILES:
        _pack_file(packed, folder / name, name)
    _pack_feeds(packed, folder / "public")
    return left


def _read_settings(leaving: Leaving) -> tuple[str, list[str]]:
    text = leaving.file.read_text("utf-8")
    if leaving.with_secrets:
        return text, []
    text, left = leave_secrets_out(text, FILE_NAME)
    return text, [f"{FILE_NAME}: {key}" for key in left]


def _name_left_out(leaving: Leaving) -> list[str]:
    """What does not travel, whether because it lets somebody in or because it is of a moment."""
    tables = PASSING if leaving.with_secrets else PASSING + SECRET
    names = [f"the table {name}" for name in sorted(tables)] + list(_MADE_ANEW)
    dkim = leaving.settings.dkim
    keys = [key.private_key for key in (dkim, dkim and dkim.ed25519) if key]
    names += [f"{key}, the DKIM key: copy it" for key in keys if key]
    return names if leaving.with_secrets else names + list(_LETS_IN)


def _pack_tree(packed: Packing, folder: Path, name: str) -> list[str]:
    """Pack the regular files below a folder; gives those that were left alone."""
    left = []
    for place, folders, files in os.walk(folder / name):
        folders.sort()
        for each in sorted(files):
            path = Path(place) / each
            shown = path.relative_to(folder).as_posix()
            if not _pack_file(packed, path, shown):
                left.append(f"{shown}: no regular file")
    return left


def _pack_file(packed: Packing, path: Path, shown: str) -> bool:
    """Pack a file as it is; False where it is none, or a link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    with open(descriptor, "rb") as source:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        with packed.write(shown) as file:
            while part := source.read(_PART):
                file.write(part)
    return True


def _pack_feeds(packed: Packing, public: Path) -> None:
    """Pack the feeds as they were built last, for readers of those who publish elsewhere."""
    for place, folders, files in os.walk(public):
        folders.sort()
        stems = {Path(each).stem for each in files if each.endswith(".atom")}
        for each in sorted(files):
            is_feed = each.endswith(_FEED_ENDINGS)
            if is_feed or (each.endswith(".json") and Path(each).stem in stems):
                path = Path(place) / each
                _pack_file(packed, path, f"{_FEEDS}/{path.relative_to(public).as_posix()}")


def _pack_tables(
    packed: Packing, copied: Database, with_secrets: bool
) -> tuple[dict[str, Described], dict[str, str]]:
    tables = {}
    with copied.read() as connection:
        dump = Dump(
            connection=connection, publication=copied.publication, with_secrets=with_secrets
        )
        for name in dump.list_tables():
            rows = 0
            with packed.write(f"{_DATA}/{name}.jsonl") as file:
                lines = dump.read_lines(name)
                while page := list(islice(lines, _PAGE)):
                    file.write(b"".join(page))
                    rows += len(page)
            tables[name] = dump.describe(name, rows)
        return tables, dump.read_keys()


def _pack_lists(packed: Packing, copied: Database) -> None:
    """Pack readers and suppressions as tables that every spreadsheet opens."""
    with packed.write("readers.csv") as file:
        for piece in write_csv(export_subscribers(copied)):
            file.write(piece)
    with packed.write("suppressions.csv") as file:
        for piece in _list_suppressions(copied):
            file.write(piece)


def _list_suppressions(copied: Database) -> Iterator[bytes]:
    """Suppressions, the newest first; the address is empty where it is not known any more."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(("email", "reason", "at"))
    before = 0
    while True:
        with copied.read() as connection:
            page = suppressions.list_newest(
                connection, copied.publication, before=before, limit=_PAGE
            )
        for each in page:
            at = each.at.isoformat(timespec="seconds")
            writer.writerow((guard_cell(each.email), each.reason, at))
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
        if len(page) < _PAGE:
            return
        before = page[-1].id
