"""What the formats of a feed share: media types, times that they can carry, clean text."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from publisher.model.feed import Feed
from publisher.model.issue import Person

ATOM = "application/atom+xml"
RSS = "application/rss+xml"
JSON = "application/feed+json"
MEDIA_TYPES = {".atom": ATOM, ".rss": RSS, ".json": JSON}

# What XML 1.0 forbids (section 2.2): C0 controls but tab and line ends, and two noncharacters,
# here in UTF-8.
_CONTROLS = bytes(code for code in range(0x20) if code not in b"\t\n\r")
_NONCHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
# How msgspec writes the controls in JSON. A backslash of the text's own before one of these
# letters is taken for a control as well, which costs time and changes nothing.
_SUSPICIOUS = re.compile(rb"\\(?:u00|[bf])")


def drop_forbidden(feed: Feed) -> Feed:
    """Drop the characters that XML forbids, so that one of them never costs a whole feed.

    Intake drops them already; what is clean is found out fast and given back as it is.
    """
    try:
        written = msgspec.json.encode(feed)
        is_clean = not _SUSPICIOUS.search(written) and not _has_noncharacter(written)
    except UnicodeEncodeError:  # a lone surrogate
        is_clean = False
    if is_clean:
        return feed
    return msgspec.convert(_drop(msgspec.to_builtins(feed, builtin_types=(datetime,))), Feed)


def _has_noncharacter(written: bytes) -> bool:
    # Few texts have what both begin with.
    return _NONCHARACTERS[0][:1] in written and any(mark in written for mark in _NONCHARACTERS)


def _drop(value: Any) -> Any:
    if isinstance(value, str):
        kept = value.encode("utf-8", "ignore").translate(None, _CONTROLS)
        for noncharacter in _NONCHARACTERS:
            kept = kept.replace(noncharacter, b"")
        return kept.decode()
    if isinstance(value, dict):
        return {key: _drop(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_drop(item) for item in value]
    return value


def in_seconds(moment: datetime) -> datetime:
    """Give an aware time as RFC 3339 can write it: whole seconds, an offset of whole minutes.

    Offsets with seconds are those of local mean time, before time zones.
    """
    moment = moment.replace(microsecond=0)
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError(f"{moment} has no offset")
    return moment if offset % timedelta(minutes=1) == timedelta() else moment.astimezone(UTC)


def in_half_hours(moment: datetime) -> datetime:
    """Give an aware time as RSS readers know it: an offset of whole or half hours, or else UTC."""
    moment = in_seconds(moment)
    is_known = (moment.utcoffset() or timedelta()) % timedelta(minutes=30) == timedelta()
    return moment if is_known else moment.astimezone(UTC)


def named_authors(people: Iterable[Person], title: str) -> tuple[Person, ...]:
    """Give authors by name alone, since feeds carry no addresses; at least one.

    Where nobody has a name (an address given for one counts as none), the title stands for them:
    Atom needs an author (RFC 4287, sections 4.1.1 and 4.1.2).
    """
    named = tuple(Person(each.name) for each in people if each.name and each.name != each.email)
    return named or (Person(title),)


def media_type_of(url: str) -> str:
    """Give the media type of a feed document by its URL's suffix, empty where it has none."""
    return next((kind for suffix, kind in MEDIA_TYPES.items() if url.endswith(suffix)), "")


def is_foreign(language: str, feed: Feed) -> bool:
    """Tell whether an entry's language must be said, since it is not the feed's."""
    return bool(language) and language.lower() != feed.language.lower()
