"""What commands print: results to standard output, all else to standard error.

Nothing here fails because of who reads it: a terminal that lacks Chinese letters shows `?`, and a
reader who leaves early (`| head -1`) does not stop the work.
"""

import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from shlex import quote
from typing import Annotated, Any, TextIO

import msgspec
import typer

from publisher.errors import PublisherError, SettingsError
from publisher.model.problem import Problem
from publisher.settings import FILE_NAME, Settings
from publisher.settings_installation import load_publication

Config = Annotated[
    Path,
    typer.Option(
        "--config",
        metavar="FILE",
        show_default=False,
        help=f"The publication's settings, where they are not {FILE_NAME} in this folder.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document, for other programs to read.")
]
DEFAULT_CONFIG = Path(FILE_NAME)

_COLOURS = {"error": "31", "warning": "33", "info": "36"}
# Of more problems than these, which an archive from elsewhere has, so many of each rule are shown.
_ONE_BY_ONE = 40
_OF_A_RULE = 5
_PLAIN_SECONDS = 5.0
_BAR_SECONDS = 0.1
_BAR_WIDTH = 30


def open_publication(config: Path) -> tuple[Path, Settings]:
    """The publication's folder and its settings."""
    if config == DEFAULT_CONFIG and not config.exists() and (near := _find_near()):
        raise SettingsError(f"there is no {config} here, but in {near}: `cd {quote(near)}` first")
    settings = load_publication(config)
    return config.resolve().parent, settings


def _find_near() -> str:
    """Where a publication is that may be meant: around this folder, or the only one in it."""
    here = Path.cwd()
    around = [str(folder) for folder in here.parents if (folder / FILE_NAME).is_file()]
    inside = sorted(path.parent.name for path in here.glob(f"*/{FILE_NAME}"))
    return around[0] if around else inside[0] if len(inside) == 1 else ""


def prepare_streams() -> None:
    """Make the standard streams fit for any text, and for being closed.

    A file that is opened while one of them is closed would get its number, and with it what
    another program, such as after_build, prints.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def show(text: str) -> None:
    """Show a result: standard output."""
    _write(sys.stdout, f"{text}\n")


def print_json(document: Any) -> None:
    """Print exactly one JSON document to standard output, in UTF-8."""
    plain = msgspec.to_builtins(document, enc_hook=str, str_keys=True)
    try:
        data = msgspec.json.encode(plain)
    except UnicodeEncodeError:  # a file's name that is no UTF-8
        data = msgspec.json.encode(_printable(plain))
    text = msgspec.json.format(data, indent=2) + b"\n"
    if sys.stdout is not None:
        with _tolerant(sys.stdout):
            sys.stdout.buffer.write(text)
            sys.stdout.buffer.flush()


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {_printable(key): _printable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_printable(inner) for inner in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def say(message: str) -> None:
    """Say something to the person: standard error, so that it is never mistaken for a result."""
    with suppress(PublisherError):  # nobody listens, which is no reason to stop
        _write(sys.stderr, f"{message}\n")


def say_problems(problems: Iterable[Problem], *, is_result: bool = False) -> None:
    """Say problems one below the other, as compilers do, with what to do about each.

    On a terminal, of very many only some of each rule; errors are all said, and a file has all.
    """
    write, stream = (show, sys.stdout) if is_result else (say, sys.stderr)
    has_colours = _has_colours(stream)
    shown = list(problems)
    left: Counter[str] = Counter()
    if len(shown) > _ONE_BY_ONE and stream is not None and stream.isatty():
        shown, left = _shorten(shown)
    for problem in shown:
        place = ":".join(str(part) for part in (problem.file, problem.line) if part)
        level = _paint(problem.level, _COLOURS[problem.level]) if has_colours else problem.level
        write(f"{place + ': ' if place else ''}{level}: {problem.message} [{problem.rule}]")
        write(f"    {problem.fix}")
    if left:
        kinds = ", ".join(f"{number:,} {rule}" for rule, number in left.most_common())
        write(f"… and {left.total():,} more: {kinds}")
        write("    `publisher check NAME` says those of an issue, `publisher check | less` all")


def _shorten(problems: list[Problem]) -> tuple[list[Problem], Counter[str]]:
    """All errors and some of each other rule; and how many of which are left out."""
    seen: Counter[str] = Counter()
    left: Counter[str] = Counter()
    shown = []
    for problem in problems:
        seen[problem.rule] += 1
        if problem.level == "error" or seen[problem.rule] <= _OF_A_RULE:
            shown.append(problem)
        else:
            left[problem.rule] += 1
    return shown, left


def count(number: int, noun: str) -> str:
    """Write a number with its noun: `1 issue`, `2 issues`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _write(stream: TextIO | None, text: str) -> None:
    if stream is not None:
        with _tolerant(stream):
            stream.write(text)
            stream.flush()


@contextmanager
def _tolerant(stream: TextIO) -> Iterator[None]:
    """Let a reader leave early. Raises PublisherError where there is another fault, a full disk."""
    try:
        yield
    except OSError as error:
        _drop(stream)
        if not isinstance(error, BrokenPipeError):
            name = "standard output" if stream is sys.stdout else "standard error"
            raise PublisherError(f"{name} cannot be written: {error.strerror}") from None


def _drop(stream: TextIO) -> None:
    """Send the rest, and what Python still holds of it, nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _has_colours(stream: TextIO | None) -> bool:
    is_wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return stream is not None and stream.isatty() and is_wanted


def _paint(text: str, colour: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m"


class ProgressLine:
    """Shows how far a long step is: a bar on a terminal, now and then a plain line elsewhere."""

    def __init__(self) -> None:
        self.is_terminal = sys.stderr is not None and sys.stderr.isatty()
        self.step = ""
        self.last = time.monotonic()
        self.is_open = False

    def __call__(self, step: str, done: int, total: int, rate: str = "") -> None:
        moment = time.monotonic()
        if step != self.step:
            self.step = step
            self.last = moment
        if moment - self.last < (_BAR_SECONDS if self.is_terminal else _PLAIN_SECONDS):
            return
        self.last = moment
        if not self.is_terminal:
            say(f"{step}: {done:,} of {total:,}{rate}")
            return
        self.is_open = True
        with suppress(PublisherError):
            _write(sys.stderr, f"\r{_draw_bar(step, done, total, rate)}\x1b[K")

    def close(self) -> None:
        if self.is_open:
            with suppress(PublisherError):
                _write(sys.stderr, "\r\x1b[K")
            self.is_open = False


def _draw_bar(step: str, done: int, total: int, rate: str) -> str:
    """One line that fits the terminal: what does not is left out from its end."""
    try:
        full = "━"
        full.encode(sys.stderr.encoding)
    except (UnicodeEncodeError, LookupError):
        full = "#"
    bar = (full * round(_BAR_WIDTH * done / max(total, 1))).ljust(_BAR_WIDTH)
    columns = shutil.get_terminal_size().columns
    return f"{step} {bar} {done:,}/{total:,}{rate}"[: max(columns - 1, 1)]
