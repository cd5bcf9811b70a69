"""How each relay is used, and how it stands, also while another process delivers."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from publisher.mailing.rest import wait_to_try
from publisher.mailing.warming import Growth, Room, allow_on, foresee_days
from publisher.runtime.exchange import RelayRule
from publisher.settings import Settings
from publisher.store.relays import find_standings, find_use

# Unused: nothing was ever sent over it. Left alone: it failed; then one connection tries it.
# Refused: it takes nothing from us, or nothing comes of what it takes.
State = Literal["unused", "up", "left_alone", "to_be_tried", "refused"]


def make_relay_rules(settings: Settings) -> Iterator[RelayRule]:
    """How each relay is used, by `[[smtp]]` and by `[delivery]` where that says nothing."""
    for each in settings.relays:
        grows = each.warm_up
        growth = Growth(grows.first, grows.factor, grows.full) if grows.first else None
        yield RelayRule(
            name=each.name,
            weight=each.weight,
            connections=each.connections or settings.delivery.connections,
            rate=each.rate,
            growth=growth,
        )


class RelayReport(msgspec.Struct, frozen=True, kw_only=True):
    """A relay as it stands: `fault` is what it said last, where it failed.

    `day` is its day of sending while it is warmed up, on which `allowed` messages may go; both are
    None where there is no limit.
    """

    name: str
    host: str
    port: int
    weight: int
    state: State
    fault: str | None = None
    until: datetime | None = None
    sent_today: int = 0
    day: int | None = None
    allowed: int | None = None
    left: int | None = None

    @property
    def is_well(self) -> bool:
        return self.state in ("up", "unused")


def read_relays(
    connection: Connection, publication: int, settings: Settings, now: datetime
) -> list[RelayReport]:
    """How the relays of the settings stand, in their order."""
    standings = find_standings(connection, publication)
    today = now.astimezone(ZoneInfo(settings.publication.time_zone)).date()
    reports = []
    for relay, rule in zip(settings.relays, make_relay_rules(settings), strict=True):
        standing = standings.get(relay.name)
        report = RelayReport(
            name=relay.name or relay.host,
            host=relay.host,
            port=relay.port,
            weight=relay.weight,
            state="up" if standing else "unused",
        )
        if standing is not None and standing.rest.failures:
            rest, wait = standing.rest, wait_to_try(standing.rest, now)
            state: State = "left_alone" if wait else "to_be_tried"
            report = msgspec.structs.replace(
                report,
                state="refused" if rest.is_refused else state,
                fault=rest.fault,
                until=now + wait if wait else None,
            )
        use = find_use(connection, publication, relay.name, today)
        report = msgspec.structs.replace(report, sent_today=use.sent)
        allowed = allow_on(rule.growth, use.day) if rule.growth else None
        if allowed is not None:
            left = max(allowed - use.taken, 0)
            report = msgspec.structs.replace(report, day=use.day, allowed=allowed, left=left)
        reports.append(report)
    return reports


def foresee_mailing(settings: Settings, relays: Iterable[RelayReport], messages: int) -> int:
    """On how many days so many messages go, today being one, by what relays may send a day."""
    rooms = [
        Room() if each.day is None else Room(rule.growth, each.day, each.left or 0)
        for each, rule in zip(relays, make_relay_rules(settings), strict=True)
    ]
    return foresee_days(messages, rooms) if rooms else 1


def say_relay(report: RelayReport, zone: ZoneInfo) -> str:
    """One line about a relay."""
    words = {
        "unused": "nothing was sent over it yet",
        "up": "works",
        "left_alone": "failed, and is left alone",
        "to_be_tried": "failed, and is tried again by one connection",
        "refused": "takes nothing from us",
    }
    until = report.until.astimezone(zone).isoformat(timespec="seconds") if report.until else ""
    parts = [f"{words[report.state]}{f', until {until}' if until else ''}"]
    if report.fault:
        parts.append(report.fault)
    if report.allowed is not None:
        allowed = f"{report.sent_today:,} of {report.allowed:,} sent today"
        parts.append(f"day {report.day} of warming up: {allowed}")
    elif report.sent_today:
        parts.append(f"{report.sent_today:,} sent today")
    return f"relay {report.name} ({report.host}:{report.port}): {'; '.join(parts)}"
