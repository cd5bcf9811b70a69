"""An export -> a publication's folder, as it was: nothing of it is sent until it is armed."""

import os
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from publisher.errors import PublisherError
from publisher.runtime.leaving import FILES, FOLDERS
from publisher.runtime.parcel import Parcel, opening
from publisher.settings import FILE_NAME
from publisher.site.lines import sync_folder
from publisher.store.backup import load_backup
from publisher.store.copying import is_empty
from publisher.store.database import open_database
from publisher.store.place import Place, find_place
from publisher.store.place_file import FilePlace, require_local
from publisher.store.tables import Loading, load

_DATABASE = "sqlite:///publisher.db"
# A publication that comes to another place may be given another database there.
_VARIABLE = "PUBLISHER_DATABASE__URL"
_PART = 1 << 20


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """What an export brought: of which publication, files, rows, and what it had left out."""

    id: str
    title: str
    files: int
    tables: dict[str, int]
    with_secrets: bool
    left_out: tuple[str, ...]


def make_from_export(source: Path, folder: Path) -> Arrived:
    """Make a publication's folder of an export, whole or not at all.

    Raises PublisherError where the folder has anything in it, or the export is damaged.
    """
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise PublisherError(f"{folder} is there already, and not empty; name another folder")
    aside = folder.with_name(f".{folder.resolve().name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    with opening(source) as parcel:
        parcel.check()
        try:
            aside.mkdir(mode=0o755, parents=True)
            settings = _unpack(parcel, aside)
            _load(parcel, aside, settings)
            if folder.is_dir():
                folder.rmdir()
            aside.rename(folder)
            sync_folder(folder.parent)
        except OSError as error:
            raise PublisherError(f"{folder} cannot be made: {error.strerror or error}") from None
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        manifest = parcel.manifest
        return Arrived(
            id=manifest.publication,
            title=str(settings["publication"].get("title", "")),
            files=len(manifest.files),
            tables={name: described.rows for name, described in manifest.tables.items()},
            with_secrets=manifest.with_secrets,
            left_out=manifest.left_out,
        )


def _unpack(parcel: Parcel, aside: Path) -> dict[str, Any]:
    """Write the folder's own files; gives the settings, which need not be complete."""
    for name in FOLDERS:
        (aside / name).mkdir()
    for path in parcel.manifest.files:
        if path in (FILE_NAME, *FILES) or path.startswith(tuple(f"{name}/" for name in FOLDERS)):
            target = aside / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with parcel.open(path) as file, target.open("xb") as written:
                shutil.copyfileobj(file, written, _PART)
                written.flush()
                os.fsync(written.fileno())
    try:
        settings = tomllib.loads((aside / FILE_NAME).read_text("utf-8"))
        found = settings["publication"]["id"]
    except (OSError, ValueError, KeyError, TypeError):
        raise PublisherError(
            f"{parcel.name} has no {FILE_NAME} that names its publication"
        ) from None
    if found != parcel.manifest.publication:
        raise PublisherError(f"{parcel.name} contradicts itself: its settings are of {found!r}")
    return settings


def _load(parcel: Parcel, aside: Path, settings: dict[str, Any]) -> None:
    """Make the database, where the environment or else the settings say that it is."""
    named = os.environ.get(_VARIABLE) or settings.get("database", {}).get("url", _DATABASE)
    url = str(named)
    place = find_place(url, aside)
    if isinstance(place, FilePlace):
        _load_file(parcel, place.path)
    else:
        _load_into_server(parcel, place, aside)


def _load_into_server(parcel: Parcel, place: Place, aside: Path) -> None:
    """By a file, which has the schema that the export is of before it has today's."""
    database = open_database(place.url, aside, parcel.manifest.publication)
    path = aside / "arriving.db"
    try:
        with database.read() as connection:
            if not is_empty(connection):
                raise PublisherError(
                    f"{place.name}, which the export's settings name, is not empty; make another"
                )
        _load_file(parcel, path)
        load_backup(path, aside / "arriving-copy.db", database)
    finally:
        path.unlink(missing_ok=True)
        database.close()


def _load_file(parcel: Parcel, path: Path) -> None:
    require_local(path)
    if path.exists():
        raise PublisherError(f"{path}, which the export's settings name, is there already")
    manifest = parcel.manifest
    loading = Loading(
        schema=manifest.schema,
        uri=manifest.publication,
        row=manifest.row,
        keys=manifest.keys,
        tables=manifest.tables,
    )
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        load(path, loading, {name: _lines(parcel, name) for name in manifest.tables})
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _lines(parcel: Parcel, name: str) -> Iterator[bytes]:
    path = f"data/{name}.jsonl"
    if path not in parcel.manifest.files:
        raise PublisherError(f"{parcel.name} is not whole: {path} is missing")
    with parcel.open(path) as file:
        yield from file
