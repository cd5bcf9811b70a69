"""The week's message: which issues it has now, whether each may be mailed, and its start."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from publisher.errors import PublisherError
from publisher.mailing.cron import due_between
from publisher.mailing.schedule import Candidate, Occurrence, Rule
from publisher.mailing.week import (
    FireWeek,
    WeekDecision,
    decide_week,
    key_of,
    since,
    waited_since,
)
from publisher.model.delivery import Mailing
from publisher.runtime.newsroom import Reading, WeekNewsroom
from publisher.runtime.week_mailing import FrozenWeek
from publisher.settings import Settings
from publisher.site.state import IssueState
from publisher.store.database import Database, Held
from publisher.store.mailings import find_mailing
from publisher.store.starting import find_lack_of
from publisher.store.weeks import (
    count_week,
    find_cancelled,
    find_in_weeks,
    find_last_week,
    start_week_mailing,
)

# A month has one of a monthly rule.
_LONGEST_WAIT = timedelta(days=35)


class Nobody(PublisherError):
    """Nobody chose one message a week, or nobody has anything left of it to get."""


class Ready(msgspec.Struct, frozen=True):
    """A week's mailing that may be started, and what is left out of it, in words."""

    frozen: FrozenWeek
    left_out: str


class Weeks:
    """The week's message of a publication."""

    def __init__(
        self, database: Database | Held, settings: Settings, newsroom: WeekNewsroom
    ) -> None:
        self.database = database
        self.settings = settings
        self.newsroom = newsroom

    def find(self, wall: datetime) -> Mailing | None:
        """The mailing of a firing, where it was started."""
        with self.database.read() as connection:
            return find_mailing(connection, self.database.publication, key_of(wall), "weekly")

    def look(self, rule: Rule, occurrence: Occurrence, now: datetime) -> WeekDecision:
        """What an open firing does now. Raises PublisherError where the issues cannot be read."""
        return look_at_week(self.database, self.newsroom, rule, occurrence, now)

    def prepare(self, occurrence: Occurrence, fire: FireWeek, now: datetime, by: str = "") -> Ready:
        """Freeze what may be mailed, once it was published.

        Raises PublisherError where nothing may be; `by` is the operator who does it.
        """
        lacks = self._find_lacks(fire.candidates, now, by)
        left_out = "; ".join(f"{slug}: {lack}" for slug, lack in lacks.items())
        ids = [each.issue for each in fire.candidates if each.slug not in lacks]
        if not ids:
            raise PublisherError(left_out)
        with self.database.read() as connection:
            previous = find_last_week(connection, self.database.publication)
        waited = waited_since(occurrence.due, previous.created_at if previous else None)
        frozen = self.newsroom.freeze_week(now, key_of(occurrence.wall), ids, waited)
        return Ready(frozen, left_out)

    def _find_lacks(
        self, candidates: tuple[Candidate, ...], now: datetime, by: str
    ) -> dict[str, str]:
        """The issues that lack an approval, by their NAMEs.

        What an issue's own mailing is sent with was approved for that, and is approved for this.
        """
        if not self.settings.delivery.require_approval:
            return {}
        lacks = {}
        for each in candidates:
            new = msgspec.structs.replace(self.newsroom.freeze(now, each.slug), by=by)
            with self.database.read() as connection:
                own = find_mailing(connection, self.database.publication, each.issue)
                if own is not None and own.version == new.version:
                    continue
                if lack := find_lack_of(connection, self.database.publication, new):
                    lacks[each.slug] = lack
        return lacks

    def start(self, connection: Connection, ready: Ready, now: datetime) -> Mailing:
        """Start it, or give the one that there is; Nobody where it would go to nobody.

        The connection writes. Raises StateError where another one was just started.
        """
        publication, frozen = self.database.publication, ready.frozen
        if mailing := find_mailing(connection, publication, frozen.mailing.issue, "weekly"):
            return mailing
        if why := count_week(connection, publication, frozen.week, now).why_nobody:
            raise Nobody(why)
        return start_week_mailing(connection, publication, frozen.mailing, frozen.week, now)


def look_at_week(
    database: Database | Held, newsroom: Reading, rule: Rule, occurrence: Occurrence, now: datetime
) -> WeekDecision:
    """What a firing does, if all is as it is now at a moment."""
    publication = database.publication
    with database.read() as connection:
        previous = find_last_week(connection, publication)
    begin = since(occurrence.due, previous.created_at if previous else None)
    states = newsroom.read_states(now, begin)
    ids = [each.id for each in states]
    with database.read() as connection:
        sent = find_in_weeks(connection, publication, ids)
        cancelled = find_cancelled(connection, publication, ids)
    candidates = [_candidate(each) for each in states if each.id not in sent]
    barred = dict.fromkeys(cancelled, "its mailing was cancelled")
    return decide_week(rule, occurrence, candidates, barred, now)


def find_last_firing(rule: Rule, zone: ZoneInfo, now: datetime) -> Occurrence:
    """The firing that was due last; today, where none was for a month."""
    due = [*due_between(rule.cron, zone, now - _LONGEST_WAIT, now)]
    if due:
        return Occurrence(schedule=rule.name, wall=due[-1].wall, due=due[-1].instant)
    wall = now.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    return Occurrence(schedule=rule.name, wall=wall, due=now)


def _candidate(state: IssueState) -> Candidate:
    return Candidate(
        issue=state.id,
        slug=state.slug,
        date=state.date,
        changed_at=state.changed_at,
        highlights=state.highlights,
        status=state.status,
        mail=state.mail,
        has_errors=state.has_errors,
    )
