"""Replacing a file as a whole: other programs see the old one or the new one."""

import os
from pathlib import Path

from publisher.site.register import sync_folder


def write_file(folder: Path, path: str, data: bytes) -> None:
    """Write a file aside, durably, and rename it; a file that was there keeps its mode."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.new")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            aside.chmod(target.stat().st_mode)
        aside.replace(target)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
