"""Moments and spans of time as reports say them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def say_moment(moment: datetime, zone: ZoneInfo) -> str:
    """`Tue 2025-12-16 06:30`, by the publication's clock."""
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M}"


def say_span(span: timedelta) -> str:
    """`40 s`, `25 min`, `3 h 20 min`, `2 d 4 h`."""
    seconds = round(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 2 * 1440:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, rest = divmod(round(minutes / 60), 24)
    return f"{days} d {rest} h" if rest else f"{days} d"
