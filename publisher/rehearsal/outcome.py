"""What came of a rehearsal, read from its database and counted in readers."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from publisher.model.delivery import DELIVERY_STATUSES
from publisher.rehearsal.groups import Group
from publisher.rehearsal.sending import Tally
from publisher.rehearsal.world import Disk
from publisher.runtime.scheduler import Event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WAITING = ("queued", "sending", "deferred")
# A planned send that was overtaken names the mailing that was first.
_OCCURRED = """
    SELECT schedule, wall, due_at, status, outcome, slug, ran_at, mailing FROM occurrence
    UNION ALL
    SELECT '', '', due_at, status, reason, slug, closed_at,
           CASE status WHEN 'started' THEN mailing END
    FROM planned_send
"""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A mailing, counted in readers.

    `first` and `last` are when its first and last message were taken; `bulk` is the last of those
    that no server deferred. `held` are in doubt and wait for an operator, `resent` may have come
    twice.
    """

    started: datetime
    status: str
    reason: str
    recipients: int
    sent: int
    failed: int
    waiting: int
    held: int
    deferred: int
    resent: int
    first: datetime | None
    bulk: datetime | None
    last: datetime | None


class Heard(msgspec.Struct, frozen=True):
    """What an operator is told of a firing, and when."""

    at: datetime
    event: Event
    reason: str


class Occurred(msgspec.Struct, frozen=True, kw_only=True):
    """A firing as it stands at the end; of a planned send `schedule` is empty."""

    schedule: str
    wall: str
    due: datetime
    status: str
    outcome: str
    slug: str | None
    ran_at: datetime | None
    mailing: Sent | None
    heard: tuple[Heard, ...] = ()


def read_occurred(
    disk: Disk, groups: Mapping[str, Group], tallies: Mapping[int, Tally]
) -> list[Occurred]:
    """Every firing and planned send, in the order in which they were due."""
    mailings = _read_mailings(disk, groups, tallies)
    found = [
        Occurred(
            schedule=schedule,
            wall=wall,
            due=_moment(due),
            status=status,
            outcome=outcome,
            slug=slug,
            ran_at=None if ran_at is None else _moment(ran_at),
            mailing=mailings.get(mailing),
        )
        for schedule, wall, due, status, outcome, slug, ran_at, mailing in disk.run(_OCCURRED)
    ]
    return sorted(found, key=lambda each: (each.due, each.schedule, each.wall))


def _read_mailings(
    disk: Disk, groups: Mapping[str, Group], tallies: Mapping[int, Tally]
) -> dict[int, Sent]:
    counts = _count_readers(disk, groups)
    doubts = _count_events(disk)
    found = {}
    for id, status, reason, created in disk.run(
        "SELECT id, status, reason, created_at FROM mailing"
    ):
        tally, counted = tallies.get(id, Tally()), counts.get(id, Counter())
        expired = sum(not each.is_sent for each in tally.followed)
        followed = [each.at for each in tally.followed if each.is_sent]
        last = max([*followed, *([tally.last] if tally.last else [])], default=None)
        found[id] = Sent(
            started=_moment(created),
            status=status,
            reason=reason,
            recipients=counted.total(),
            sent=counted["sent"] - tally.refused - expired - tally.held,
            failed=counted["failed"] + tally.refused + expired,
            waiting=sum(counted[each] for each in _WAITING),
            held=counted["in_doubt"] + tally.held,
            deferred=tally.deferred,
            resent=doubts[id] + tally.resent,
            first=tally.first,
            bulk=tally.bulk,
            last=last,
        )
    return found


def _count_readers(disk: Disk, groups: Mapping[str, Group]) -> dict[int, Counter[str]]:
    sql = (
        "SELECT d.mailing, d.status, s.email FROM delivery d"
        " JOIN subscriber s ON s.id = d.subscriber"
    )
    counts: dict[int, Counter[str]] = {}
    for mailing, status, email in disk.run(sql):
        assert status in DELIVERY_STATUSES  # noqa: S101 - the database holds that
        counts.setdefault(mailing, Counter())[status] += groups[email].weight
    return counts


def _count_events(disk: Disk) -> Counter[int]:
    """How many deliveries of each mailing were sent again after a doubt."""
    sql = "SELECT mailing, count(*) FROM ledger WHERE event = 'resent' GROUP BY mailing"
    return Counter(dict(disk.run(sql)))


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)
