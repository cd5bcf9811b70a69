"""Replacing a file as a whole: other programs see the old one or the new one."""

import os
from collections.abc import Mapping
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


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write many files as `write_file` does one, waiting for the disk once for all of them.

    Where it is stopped, each of them is the old one or the new one.
    """
    targets = {path: _find_target(folder, path) for path in files}
    asides = {}
    try:
        for path, data in files.items():
            asides[path] = _write_aside(targets[path], data, is_durable=False)
            if targets[path].exists():
                asides[path].chmod(targets[path].stat().st_mode)
        os.sync()
        for path, aside in asides.items():
            aside.replace(targets[path])
    except OSError:
        for aside in asides.values():
            aside.unlink(missing_ok=True)
        raise
    for parent in {target.parent for target in targets.values()}:
        sync_folder(parent)


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


def _write_aside(target: Path, data: bytes, *, is_durable: bool = True) -> Path:
    """Write beside the target, under a name that no other writer has at the same time."""
    aside = target.with_name(f".{target.name}.{os.getpid()}-{get_ident():x}.new")
    aside.unlink(missing_ok=True)
    try:
        with aside.open("xb") as file:  # through no link
            file.write(data)
            file.flush()
            if is_durable:
                os.fsync(file.fileno())
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    return aside
