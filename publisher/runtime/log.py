"""Lines for a log: as text for people, or as JSON for programs; with nobody's address in them.

Whoever has something to say does so by a function of one text. A `Line` is a text that says what
kind of thing happened besides.
"""

import re
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import IPv6Address
from typing import Literal

import msgspec

LogFormat = Literal["text", "json"]
Level = Literal["info", "warning", "error"]

# Whatever a reason, a reply or a path quotes: addresses of people and of clients, and what is
# secret in links.
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'=]{1,64}@[^\s<>()\[\],;:\"']{1,255}")
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
_IPV6 = re.compile(r"(?<![\w:])[0-9a-f:]*:[0-9a-f]*:[0-9a-f:.]*", re.IGNORECASE)
_TOKEN = re.compile(
    r"(/(?:confirm|unsubscribe|preferences|address|welcome)/)[\w-]+"
    r"|(\b(?:Bearer|Basic) )[\w.~+/=-]+"
)
# What is listened on here is nobody's.
_OWN = ("127.0.0.1", "0.0.0.0")  # noqa: S104 - compared with, not listened on


class Line(str):
    """A text for the log, with what happened in a word, and how bad it is."""

    __slots__ = ("event", "level")

    def __new__(cls, text: str, event: str, level: Level = "info") -> "Line":
        line = super().__new__(cls, text)
        line.event = event
        line.level = level
        return line

    event: str
    level: Level


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    """A line of JSON."""

    time: str
    level: Level
    role: str
    event: str
    message: str


class _Whose:
    """Of several publications, the one that this process works for; empty where there is one."""

    name = ""


def speak_for(publication: str) -> None:
    """Let all that this process says be told as one publication's of several."""
    _Whose.name = publication


def tell_as(role: str, form: LogFormat = "text") -> Callable[[str], None]:
    """What a process says goes through this: with its time and its role, to standard error."""

    def tell(text: str) -> None:
        line = write_line(f"{_Whose.name} {role}".lstrip(), text, form, datetime.now(UTC))
        with suppress(OSError, ValueError, AttributeError):  # nobody listens: no reason to stop
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    return tell


def write_line(role: str, text: str, form: LogFormat, now: datetime) -> str:
    """A line of the log; further lines of a text are indented, so that none looks like another."""
    shown = hide(text)
    if form == "text":
        shown = shown.replace("\n", "\n  ")
        return f"{now.isoformat(timespec='seconds')} {role}: {shown}"
    written = _Written(
        time=now.isoformat(timespec="milliseconds"),
        level=text.level if isinstance(text, Line) else "info",
        role=role,
        event=text.event if isinstance(text, Line) else "notice",
        message=shown.encode("utf-8", "replace").decode(),
    )
    return msgspec.json.encode(written).decode()


def hide(text: str) -> str:
    """Leave out what names a person or lets somebody in; other controls than blanks, too."""
    text = _TOKEN.sub(lambda match: f"{match[1] or match[2]}…", text)
    text = _ADDRESS.sub("(address)", text)
    text = _IPV4.sub(lambda match: match[0] if match[0] in _OWN else "(client)", text)
    text = _IPV6.sub(lambda match: "(client)" if _is_ipv6(match[0]) else match[0], text)
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


def _is_ipv6(text: str) -> bool:
    """Tell an address from a time of day."""
    try:
        return IPv6Address(text.rstrip(".:") or text) is not None
    except ValueError:
        return False


def describe_defect(error: Exception) -> Line:
    """A defect without its values, which may be somebody's address."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" at {place[0].filename}:{place[0].lineno}" if place else ""
    return Line(f"a defect of publisher: {type(error).__name__}{where}", "defect", "error")
