"""Reading issue files, in as many processes as help."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from publisher.intake.read import read_issue
from publisher.intake.text import MAX_BYTES
from publisher.preflight.catalogue import problem
from publisher.site.parallel import run_parallel
from publisher.site.plan import Reading
from publisher.site.scan import File, read_file

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Reading).decode


def read_all(folder: Path, files: Sequence[File], zone: ZoneInfo) -> Iterator[Reading]:
    """Read issue files, in their order."""
    # As the index keeps them: pickled from process to process, an issue takes six times as long.
    written = run_parallel(lambda file: _encode(read_one(folder, file, zone)), files)
    return map(_decode, written)


def read_one(folder: Path, file: File, zone: ZoneInfo) -> Reading:
    """Read an issue file; what cannot be read is a problem of that file."""
    found = file.problem
    data = b""
    if not found:
        try:
            data = read_file(folder, file.path, MAX_BYTES + 1)
        except OSError as error:
            found = error.strerror or str(error)
    if found:
        return Reading(file, None, (problem("file-unreadable", file.path, None, found=found),))
    issue, problems = read_issue(data, file.path, zone)
    return Reading(file, issue, problems)


def read_named(folder: Path, path: str, zone: ZoneInfo) -> Reading:
    """Read the issue file at a path relative to the publication's folder."""
    return read_one(folder, File(path, ""), zone)
