"""Replacing a file as a whole: other programs see the old one or the new one."""

import os
from pathlib import Path, PurePosixPath
from threading import get_ident

from publisher.errors import PublisherError
from publisher.site.lines import sync_folder


def write_file(folder: Path, path: str, data: bytes) -> None:
    """Write a file aside, durably, and rename it; a file that was there keeps its mode."""
    target = _find_target(folder, path)
    aside = _write_aside(target, data)
    try:
        if target.exists():
            aside.chmod(target.stat().st_mode)
        aside.replace(target)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def write_new_file(folder: Path, path: str, data: bytes) -> None:
    """Write a file that is not there yet; raises FileExistsError where one has come meanwhile."""
    target = _find_target(folder, path)
    aside = _write_aside(target, data)
    try:
        os.link(aside, target)  # a rename would replace whatever stands there
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(target.parent)


def _find_target(folder: Path, path: str) -> Path:
    """Where to write; raises PublisherError where that leads through a link, out of the folder."""
    for above in PurePosixPath(path).parents:
        if above.name and (folder / above).is_symlink():
            raise PublisherError(f"{above} is a link; only real folders are written to")
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _write_aside(target: Path, data: bytes) -> Path:
    """Write beside the target, under a name that no other writer has at the same time."""
    aside = target.with_name(f".{target.name}.{os.getpid()}-{get_ident():x}.new")
    aside.unlink(missing_ok=True)
    try:
        with aside.open("xb") as file:  # through no link
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    return aside
