"""What a rehearsal showed, as it is printed, drawn and given to programs."""

from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from publisher.rehearsal.outcome import Sent

Came = Literal["on time", "late", "missed", "superseded", "waiting", "not sent"]


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """A firing, what came of it and why. `ready` is when its editor had its issue ready.

    `written` is the issue that was written for it, which may be another one than it took; `date`
    and `highlights` are of the one it took. `clock` says what the clock did at its time; `told` is
    what operators were told meanwhile. `schedule` is empty for a planned send.
    """

    schedule: str
    due: datetime
    came: Came
    why: str
    issue: str | None
    written: str | None
    date: datetime | None
    highlights: int
    ready: datetime | None
    fired: datetime | None
    clock: str
    sending: Sent | None
    told: tuple[str, ...] = ()


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened besides: an incident, or a change of the clock."""

    kind: str
    begin: datetime
    end: datetime
    says: str


class Advice(msgspec.Struct, frozen=True):
    """A setting, a value that would have helped, and what for."""

    setting: str
    value: str
    says: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A rehearsal as it is shown. `readers_per_delivery` is 1 where each one was simulated."""

    begin: datetime
    end: datetime
    time_zone: str
    seed: int
    readers: int
    domains: tuple[tuple[str, int], ...]
    readers_per_delivery: float
    summary: tuple[str, ...]
    firings: tuple[Firing, ...]
    events: tuple[Event, ...]
    advice: tuple[Advice, ...]
    assumed: tuple[str, ...]


def to_document(report: Report) -> dict[str, Any]:
    """A report as programs read it: times are RFC 3339, by the publication's clock."""
    zone = ZoneInfo(report.time_zone)
    document: dict[str, Any] = _localise(
        msgspec.to_builtins(report, builtin_types=(datetime,)), zone
    )
    domains = [{"domain": domain, "readers": number} for domain, number in report.domains]
    return document | {"domains": domains}


def _localise(value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(timespec="seconds")
    if isinstance(value, dict):
        return {key: _localise(each, zone) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_localise(each, zone) for each in value]
    return value
