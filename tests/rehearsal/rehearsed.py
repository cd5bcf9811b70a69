"""A publication to rehearse, and scenarios that are written down instead of drawn."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from publisher.rehearsal.document import Firing
from publisher.rehearsal.facts import Facts
from publisher.rehearsal.judging import make_firing
from publisher.rehearsal.rehearse import Ran, rehearse
from publisher.rehearsal.scenario import Incident, Options, Planned, Scenario, list_coming
from publisher.rehearsal.sending import Traffic
from publisher.settings import Delivery, Email, PublicationTable, Schedule, Settings, Smtp

QUICK = Traffic(seconds=0.2, deferred=0, refused=0, assumed=())
IN_TIME = timedelta(minutes=-10)


def make_settings(
    zone: str, *schedules: Schedule, delivery: dict[str, Any] | None = None
) -> Settings:
    return Settings(
        publication=PublicationTable(
            id="tag:daily.example,2025:x", title="D", url="https://d.example", time_zone=zone
        ),
        email=Email(from_="D <d@daily.example>", postal_address="1 Street"),
        smtp=(Smtp(host="relay.example"),),
        schedule=schedules,
        delivery=Delivery(**(delivery or {})),
    )


def days_from(begin: str, zone: str, days: int = 1) -> Options:
    """Whole days from a midnight by the wall clock on."""
    start = datetime.fromisoformat(begin).replace(tzinfo=ZoneInfo(zone))
    end = start + timedelta(days=days)
    return Options(begin=start.astimezone(UTC), end=end.astimezone(UTC))


def plan(
    settings: Settings,
    options: Options,
    delays: Sequence[timedelta | None] = (),
    incidents: Sequence[Incident] = (),
) -> Scenario:
    """Editors as late as it says, firing by firing, and else in time."""
    firings = []
    for number, (name, due) in enumerate(list_coming(settings, options)):
        delay = delays[number] if number < len(delays) else IN_TIME
        ready = None if delay is None else due.instant + delay
        firings.append(Planned(schedule=name, due=due, ready=ready))
    return Scenario(firings=tuple(firings), incidents=tuple(incidents), assumed=())


def live(
    settings: Settings,
    options: Options,
    delays: Sequence[timedelta | None] = (),
    incidents: Sequence[Incident] = (),
    *,
    facts: Facts | None = None,
    traffic: Traffic = QUICK,
    most: int | None = None,
    readers: int = 40,
) -> list[Firing]:
    """What came of each firing."""
    facts = facts or Facts(domains={"a.example": readers})
    scenario = plan(settings, options, delays, incidents)
    ran: Ran = rehearse(settings, facts, scenario, traffic, options, most)
    return [make_firing(each, ran, scenario, settings) for each in ran.occurred]


def incident(kind: Any, begin: datetime, minutes: float, domain: str = "") -> Incident:
    end = begin + timedelta(minutes=minutes)
    return Incident(kind=kind, begin=begin, end=end, domain=domain)


def with_delivery(settings: Settings, **changes: Any) -> Settings:
    delivery = msgspec.structs.replace(settings.delivery, **changes)
    return msgspec.structs.replace(settings, delivery=delivery)
