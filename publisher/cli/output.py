"""What commands print: a JSON document or plain words; all else goes to standard error."""

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from publisher.model.problem import Problem
from publisher.settings import FILE_NAME, Settings, load_settings

Config = Annotated[
    Path, typer.Option("--config", metavar="FILE", help="The publication's settings.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
DEFAULT_CONFIG = Path(FILE_NAME)

_COLOURS = {"error": "31", "warning": "33", "info": "36"}
_PLAIN_SECONDS = 5.0


def open_publication(config: Path) -> tuple[Path, Settings]:
    """The publication's folder and its settings."""
    return config.resolve().parent, load_settings(config)


def print_json(document: Any) -> None:
    """Print exactly one JSON document to standard output."""
    data = msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=2)
    sys.stdout.buffer.write(data + b"\n")
    sys.stdout.buffer.flush()


def say(message: str) -> None:
    """Say something to the person: standard error, so that it is never mistaken for a result."""
    print(message, file=sys.stderr, flush=True)


def say_problems(problems: Iterable[Problem]) -> None:
    """Say problems one below the other, as compilers do, with what to do about each."""
    for problem in problems:
        place = ":".join(str(part) for part in (problem.file, problem.line) if part)
        level = _paint(problem.level, _COLOURS[problem.level])
        say(f"{place + ': ' if place else ''}{level}: {problem.message} [{problem.rule}]")
        say(f"    {problem.fix}")


def count(number: int, noun: str) -> str:
    """Write a number with its noun: `1 issue`, `2 issues`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _paint(text: str, colour: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if sys.stderr.isatty() else text


class ProgressLine:
    """Shows how far a long step is: a bar on a terminal, now and then a plain line elsewhere."""

    def __init__(self) -> None:
        self.is_terminal = sys.stderr.isatty()
        self.step = ""
        self.last = time.monotonic()
        self.is_open = False

    def __call__(self, step: str, done: int, total: int) -> None:
        moment = time.monotonic()
        if step != self.step:
            self.step = step
            self.last = moment
        wait = 0.1 if self.is_terminal else _PLAIN_SECONDS
        if moment - self.last < wait:
            return
        self.last = moment
        if self.is_terminal:
            filled = round(30 * done / total)
            bar = "━" * filled + " " * (30 - filled)
            print(f"\r{step} {bar} {done:,}/{total:,}", end="", file=sys.stderr, flush=True)
            self.is_open = True
        else:
            say(f"{step}: {done:,} of {total:,}")

    def close(self) -> None:
        if self.is_open:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self.is_open = False
