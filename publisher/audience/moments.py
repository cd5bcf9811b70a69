"""Times as other systems' exports write them, and the clients' addresses beside them."""

import re
from datetime import UTC, datetime
from ipaddress import ip_address

# ISO 8601 with a T or a blank, parts of a second of any length, and a zone in digits, as Go writes
# it (`2025-01-01 10:00:00.5 +0000 UTC`), or in letters; without one it is UTC, as Mailchimp has it.
_MOMENT = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?)?"
    r"\s*(?:(Z|UTC|GMT)|([+-]\d\d):?(\d\d)(?:\s+\S+)?)?"
)
# Nobody agreed to a newsletter before: an older time is a program's word for none.
_FIRST_YEAR = 1990


def read_moment(text: str) -> datetime | None:
    """A time, in UTC; None where there is none, or not in an order that can mean one day only."""
    match = _MOMENT.fullmatch(text) if text else None
    if not match or int(match[1]) < _FIRST_YEAR:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    zone = f"{match[8]}:{match[9]}" if match[8] else "+00:00"
    try:
        moment = datetime.fromisoformat(
            f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}"
        )
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_client(text: str) -> str:
    """An IP address in its one spelling; empty where it is none."""
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
