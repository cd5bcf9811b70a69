"""Conditional requests and ranges (RFC 9110, sections 13 and 14), decided without the file."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import NamedTuple

# An opaque tag may hold a comma.
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
# A single range; of several the whole is sent, which RFC 9110, section 14.2, leaves to us.
_RANGE = re.compile(r"bytes=[ \t]*(\d*)-(\d*)[ \t]*", re.IGNORECASE | re.ASCII)
# More digits than any file's size has.
_MOST_DIGITS = 19


class Validators(NamedTuple):
    """What a file is recognised by.

    `tag` is that of what would be sent, `others` those of its other codings, all without quotes.
    """

    tag: str
    others: tuple[str, ...]
    modified: datetime


class Range(NamedTuple):
    """Bytes from `first` on; none where it lies outside the file (416)."""

    first: int
    length: int


def is_failed(headers: Mapping[str, str], known: Validators) -> bool:
    """Tell whether what the client insists on is not so (412; sections 13.1.1 and 13.1.4)."""
    if (wanted := headers.get("if-match")) is not None:
        strong = {tag for weak, tag in _TAG.findall(wanted) if not weak}
        return wanted.strip() != "*" and strong.isdisjoint((known.tag, *known.others))
    since = _read_date(headers.get("if-unmodified-since", ""))
    return since is not None and known.modified > since


def find_known(headers: Mapping[str, str], known: Validators) -> str:
    """The tag of what the client has already (304), empty where it has nothing of use.

    That of another coding is good too: the file is the same. It is then the one that is told, since
    a cache updates only what it has under that tag (RFC 9111, section 4.3.4).
    """
    if (listed := headers.get("if-none-match")) is not None:
        if listed.strip() == "*":
            return known.tag
        tags = [tag for _, tag in _TAG.findall(listed)]
        return next((tag for tag in (known.tag, *known.others) if tag in tags), "")
    since = _read_date(headers.get("if-modified-since", ""))
    return known.tag if since is not None and known.modified <= since else ""


def find_range(headers: Mapping[str, str], known: Validators, size: int) -> Range | None:
    """The part that is asked for; None where the whole is to be sent (section 14.2)."""
    match = _RANGE.fullmatch(headers.get("range", ""))
    if match is None or not _is_same(headers.get("if-range"), known):
        return None
    first, last = (_read_number(text) for text in match.groups())
    if first is None:
        if last is None:
            return None
        length = min(last, size)
        return Range(size - length, length)
    if last is not None and last < first:
        return None
    return Range(first, max(0, min(last + 1 if last is not None else size, size) - first))


def format_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def join(values: Iterable[tuple[bytes, bytes]], names: frozenset[bytes]) -> dict[str, str]:
    """Those headers that are named, what was sent in several lines in one (section 5.3)."""
    found: dict[str, str] = {}
    for name, value in values:
        if name in names:
            key, text = name.decode("latin-1"), value.decode("latin-1")
            found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _is_same(if_range: str | None, known: Validators) -> bool:
    """Section 13.1.5: the tag strongly, or the date exactly."""
    if if_range is None:
        return True
    return if_range.strip() in (f'"{known.tag}"', format_date(known.modified))


def _read_number(digits: str) -> int | None:
    short = digits.lstrip("0")
    return (
        int(short[:_MOST_DIGITS] if len(short) <= _MOST_DIGITS else "9" * 19)
        if short
        else (0 if digits else None)
    )


def _read_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment if moment.tzinfo else None
    except (ValueError, TypeError, OverflowError):
        return None
