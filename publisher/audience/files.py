"""The files of an export: CSVs by themselves, or the zip archive in which they come."""

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import PurePosixPath
from tempfile import TemporaryFile
from typing import BinaryIO, cast
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError  # noqa: N812 - an exception, which has a class's name here

import msgspec

from publisher.audience.columns import find_columns
from publisher.audience.records import Source, as_source, open_file, require_encoding
from publisher.audience.tally import ImportedFile
from publisher.errors import PublisherError

_ZIP = b"PK\x03\x04"
_ENDINGS = (".csv", ".tsv", ".txt")
# Ten million readers with all that Mailchimp knows of each: what is more is no list of readers.
_MOST_BYTES = 4_000_000_000
_MOST_FILES = 10_000


class Opened(msgspec.Struct, frozen=True):
    """Files to import, and those that were left alone, each with the reason for it."""

    sources: tuple[Source, ...]
    left_alone: tuple[ImportedFile, ...] = ()


def open_files(
    stack: ExitStack, names: Sequence[str], encoding: str, stdin: BinaryIO | None
) -> Opened:
    """Open files, also those in archives; the stack closes them. `-` is `stdin`.

    Raises PublisherError where one is not there, or no archive or CSV of readers.
    """
    require_encoding(encoding)
    opened = []
    for name in names:
        file, shown = stack.enter_context(open_file(name, stdin))
        opened.append(open_one(stack, file, shown, encoding))
    return join(opened)


def open_one(stack: ExitStack, file: BinaryIO, name: str, encoding: str) -> Opened:
    """Open a file that can be rewound, or what is in it where it is an archive."""
    file.seek(0)
    if file.read(len(_ZIP)) != _ZIP:
        return Opened((as_source(file, name, encoding),))
    try:
        with ZipFile(file) as archive:
            members = _choose(archive, name)
            return _unpack(stack, archive, members, name, encoding)
    except (BadZipFile, ZlibError, EOFError, NotImplementedError, RuntimeError) as error:
        if getattr(error, "args", None) and "password" in str(error):
            raise PublisherError(f"{name} has a password; unpack it, and import its CSVs") from None
        raise PublisherError(f"{name} is no text, and no whole zip archive either") from None


def join(opened: Sequence[Opened]) -> Opened:
    """All files of some."""
    sources = tuple(source for each in opened for source in each.sources)
    return Opened(sources, tuple(file for each in opened for file in each.left_alone))


def _choose(archive: ZipFile, name: str) -> list[ZipInfo]:
    members = archive.infolist()
    if any(member.filename == "[Content_Types].xml" for member in members):
        raise PublisherError(
            f"{name} is a spreadsheet program's own file, no text; save it as “CSV UTF-8”"
        )
    if len(members) > _MOST_FILES:
        raise PublisherError(f"{name} has more than {_MOST_FILES:,} files; unpack it")
    texts = [member for member in members if _is_text(member)]
    if sum(member.file_size for member in texts) > _MOST_BYTES:
        raise PublisherError(f"{name} has more than {_MOST_BYTES:,} bytes of text; unpack it")
    return texts


def _is_text(member: ZipInfo) -> bool:
    path = PurePosixPath(member.filename)
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not member.is_dir() and not is_hidden and path.suffix.lower() in _ENDINGS


def _unpack(
    stack: ExitStack, archive: ZipFile, members: list[ZipInfo], name: str, encoding: str
) -> Opened:
    """Take the lists of readers out of an archive, which may hold all of an account.

    They are those of a known system's columns, or else the only one with addresses in it.
    """
    known: list[Source] = []
    others: list[Source] = []
    left: list[ImportedFile] = []
    for member in members:
        shown = _show(member)
        source = as_source(_copy(archive, member), shown, encoding)
        try:
            _, columns, _ = find_columns(source)
        except PublisherError as error:
            source.file.close()
            why = str(error).removeprefix(f"{shown}: ")
            left.append(ImportedFile(name=shown, note=f"left alone: {why}"))
            continue
        stack.callback(source.file.close)
        is_known = columns.system.name or columns.everybody
        (known if is_known else others).append(source)
    if not known and len(others) != 1:
        listed = ", ".join(source.name for source in others)
        found = f"it has several ({listed}); unpack it, and name one" if listed else "it has none"
        raise PublisherError(f"{name} is an archive without one list of readers: {found}")
    if not known:
        return Opened((others[0],), tuple(left))
    note = "left alone: it is no list of readers that is known"
    left += [ImportedFile(name=source.name, note=note) for source in others]
    return Opened(tuple(known), tuple(left))


def _show(member: ZipInfo) -> str:
    name = PurePosixPath(member.filename).name
    return "".join(each if each.isprintable() else "\ufffd" for each in name)


def _copy(archive: ZipFile, member: ZipInfo) -> BinaryIO:
    """Copy a member to an unnamed file: an archive's own cannot be rewound quickly."""
    aside = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - its user closes it
    with archive.open(member) as packed:
        # No more than is said, which was looked at; zipfile checks the sum at the end.
        shutil.copyfileobj(packed, aside)
    aside.seek(0)
    return aside
