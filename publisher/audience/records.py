"""A CSV file -> its records, one by one, in memory that does not grow with the file (RFC 4180)."""

import csv
import os
import re
import shutil
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from io import SEEK_END, TextIOWrapper
from pathlib import Path, PurePath
from tempfile import TemporaryFile
from typing import BinaryIO, cast

import msgspec

from publisher.errors import PublisherError

Progress = Callable[[str, int, int], None]

DELIMITERS = (",", ";", "\t")
# What is longer is no cell but a quotation mark that nothing ends, or no CSV at all.
MOST_CHARACTERS = 2_000_000
# How often progress is told.
_RECORDS = 20_000


class Record(msgspec.Struct, frozen=True):
    """A record: the line of the file where it begins, and its cells, or what is wrong with it."""

    line: int
    cells: list[str]
    fault: str = ""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A CSV file that is read: an open file that can be rewound, and its name for messages."""

    file: BinaryIO
    name: str
    encoding: str
    delimiter: str = ","

    def measure(self) -> int:
        """The file's size in bytes."""
        return self.file.seek(0, SEEK_END)


@contextmanager
def open_file(name: str, stdin: BinaryIO | None = None) -> Iterator[tuple[BinaryIO, str]]:
    """Open a file, and give what it is called; `-` is `stdin`.

    What cannot be read twice is kept in an unnamed file. Raises PublisherError where there is none.
    """
    with ExitStack() as stack:
        file = stack.enter_context(_open(name)) if name != "-" or stdin is None else stdin
        if name == "-" or not file.seekable():
            aside = stack.enter_context(TemporaryFile())
            shutil.copyfileobj(file, aside)
            file = cast(BinaryIO, aside)
        shown = os.fsencode(PurePath(name).name).decode("utf-8", "replace")
        yield file, "standard input" if name == "-" else shown


def as_source(file: BinaryIO, name: str, encoding: str = "") -> Source:
    """A source of a file that can be rewound. Raises PublisherError for no such encoding."""
    require_encoding(encoding)
    found = encoding or find_encoding(file)
    found = "utf-8-sig" if found.lower() in ("utf-8", "utf8") else found
    return Source(file=file, name=name, encoding=found)


def _open(name: str) -> BinaryIO:
    try:
        return Path(name).open("rb")
    except FileNotFoundError:
        raise PublisherError(f"there is no file {name} (looked for in {Path.cwd()})") from None
    except IsADirectoryError:
        raise PublisherError(f"{name} is a folder; name a file in it") from None


def require_encoding(name: str) -> None:
    """Raise PublisherError where there is no encoding of that name; empty is any."""
    try:
        "".encode(name or "utf-8")
    except (LookupError, ValueError):
        raise PublisherError(
            f"there is no encoding {name!r}; cp1252 and gb18030 are some that there are"
        ) from None


def find_encoding(file: BinaryIO) -> str:
    """UTF-8, unless a byte order mark says that it is UTF-16.

    Nothing else is guessed: a name that was guessed wrong stays wrong.
    """
    file.seek(0)
    begin = file.read(2)
    return "utf-16" if begin in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"


def read_records(source: Source) -> Generator[Record, None, None]:
    """Read a file from its start. Raises PublisherError, with the line, where it is no CSV.

    A record that cannot be read has a fault; the next ones can. Lines without anything are left
    out.
    """
    csv.field_size_limit(MOST_CHARACTERS)  # for the whole process, where nothing else reads CSV
    source.file.seek(0)
    text = TextIOWrapper(source.file, source.encoding, newline="")
    lines = _Lines(source.name, text)
    reader = csv.reader(lines, delimiter=source.delimiter, strict=True)
    try:
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Record(line, [], _explain(source.name, line, reader.line_num, str(error)))
                continue
            if cells:
                yield Record(line, cells)
    except UnicodeError as error:
        raise _undecodable(source, lines.count + 1, error) from None
    finally:
        text.detach()


def check_records(source: Source, progress: Progress) -> None:
    """Read a file to its end, so that it is refused before anything of it was taken."""
    total = source.measure()
    for number, _ in enumerate(read_records(source)):
        if number % _RECORDS == 0:
            progress("Reading", source.file.tell(), total)


class _Lines:
    """A text's lines, counted; one of them may not fill the memory."""

    def __init__(self, name: str, text: TextIOWrapper) -> None:
        self.name = name
        self.text = text
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        while line := self.text.readline(MOST_CHARACTERS):
            self.count += 1
            if len(line) == MOST_CHARACTERS and line[-1] not in "\r\n":
                raise PublisherError(
                    f"{self.name}, line {self.count}: the line has more than"
                    f" {MOST_CHARACTERS:,} characters; this is no CSV of readers"
                )
            yield line


def _explain(name: str, first: int, last: int, error: str) -> str:
    """Say what is wrong with a record; one that would swallow the rest refuses the file."""
    if "unexpected end" in error or "field limit" in error:
        raise PublisherError(
            f"{name}, line {first}: a quotation mark begins a cell here, and none ends it;"
            " add it, or write the mark twice where it belongs to the cell"
        )
    lines = f" (lines {first} to {last})" if last > first else ""
    if "expected after" in error:
        return f"something stands behind a cell's closing quotation mark{lines}"
    return f"the line cannot be read as CSV{lines}: {error}"


def _undecodable(source: Source, line: int, error: UnicodeError) -> PublisherError:
    """Name the first line that is not of the file's encoding."""
    byte = ""
    if source.encoding == "utf-8-sig":
        line, byte = _find_undecodable(source.file, line)
    shown = "UTF-8" if source.encoding == "utf-8-sig" else source.encoding.upper()
    found = f" (byte {byte})" if byte else f" ({getattr(error, 'reason', error)})"
    return PublisherError(
        f"{source.name}, line {line}: this is no text in {shown}{found}; save the file as"
        " “CSV UTF-8”, or name its encoding, such as `--encoding cp1252`"
    )


def _find_undecodable(file: BinaryIO, line: int) -> tuple[int, str]:
    """The line with the first byte that is not of UTF-8, and that byte."""
    file.seek(0)
    number = 1
    while data := file.readline(MOST_CHARACTERS):
        try:
            data.decode()
        except UnicodeDecodeError as error:
            before = data[: error.start]
            return number + len(re.findall(rb"\r(?!\n)", before)), f"0x{data[error.start]:02x}"
        number += len(re.findall(rb"\r\n|\r|\n", data))
    return line, ""
