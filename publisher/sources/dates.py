"""Dates as feeds write them: RFC 822 and its many spellings, and RFC 3339 and its."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Zones that RFC 822 does not name and feeds do, in hours; those that mean two things are left out.
_ZONES = {"CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "HKT": 8, "JST": 9, "KST": 9}
_NAMED_ZONE = re.compile(rf" ({'|'.join(_ZONES)})$")
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ].*)?")
_MOST_CHARACTERS = 64


def read_date(text: str) -> datetime | None:
    """Read a date; one without an offset is UTC's. None where nobody can tell what is meant."""
    text = " ".join(text[: 2 * _MOST_CHARACTERS].split())
    if not text or len(text) > _MOST_CHARACTERS:
        return None
    try:
        if _ISO.fullmatch(text):
            date = datetime.fromisoformat(text.replace(" ", "T", 1).replace(" ", ""))
        else:
            date = parsedate_to_datetime(_NAMED_ZONE.sub(_write_offset, text))
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        # Years in which no feed was written are a clock that was never set.
        return date.astimezone(UTC) if 1990 <= date.year <= 9000 else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _write_offset(match: re.Match[str]) -> str:
    return f" +{_ZONES[match[1]]:02d}00"
