"""Whoever chooses what and when: each highlight comes to a reader once, and nobody is left out.

A pure oracle lives through the same history as the store: issues mailed to some and then a week's
to the others, readers who switch at any moment, mailings that fail, are retried and cancelled.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, update

from publisher.audience.choosing import merge
from publisher.audience.preferences import choose as set_choices
from publisher.mailing.settle import Settlement
from publisher.mailing.transitions import DELIVERY_TRANSITIONS
from publisher.model.audience import Consent
from publisher.model.choices import Choices, Definition
from publisher.model.delivery import Mailing
from publisher.model.issue import Highlight, Issue, Tag
from publisher.rehearsal.world import PUBLICATION, Disk
from publisher.runtime import steering
from publisher.site.variants import choose
from publisher.site.week import choose_of_week
from publisher.store import schema as s
from publisher.store.contents import load_frozen
from publisher.store.deliveries import Settled, find_queued, settle_all, take
from publisher.store.mailings import find_mailing, finish_if_done
from publisher.store.starting import NewMailing, start_issue_mailing
from publisher.store.subscribers import NewSubscriber, add_all, find_by_ref
from publisher.store.variants import NewContent
from publisher.store.weeks import (
    NewWeek,
    Wanting,
    count_week,
    find_cancelled,
    find_in_weeks,
    start_week_mailing,
)

BEGIN = datetime(2025, 12, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
TAGS = ("a", "b", "c")
READERS = 5


def write(definition: Definition, issues: Iterable[Issue]) -> NewContent:
    """A content that tells what is in it."""
    every = [each.id for issue in issues for each in issue.highlights]
    content = json.dumps([definition.form, list(definition.highlights) or every]).encode()
    return NewContent(version="v", digest=content.decode(), content=content)


@dataclass
class OfIssue:
    issue: Issue
    has_weekly: bool = True

    @property
    def issue_id(self) -> str:
        return self.issue.id

    def define(self, choices: Iterable[Choices]) -> Definition | None:
        return choose(self.issue, merge(choices))

    def make(self, definition: Definition) -> NewContent:
        return write(definition, [self.issue])


@dataclass
class OfWeek:
    issues: list[Issue]

    def define(self, wanting: Iterable[Wanting]) -> Definition | None:
        return choose_of_week(self.issues, [(each.choices, each.held) for each in wanting])

    def make(self, definition: Definition) -> NewContent:
        return write(definition, self.issues)


def new_mailing(purpose: Any, issue: str, content: NewContent, **more: Any) -> NewMailing:
    return NewMailing(
        ref=f"{purpose}-{issue}",
        issue=issue,
        slug=issue,
        purpose=purpose,
        digest=content.digest,
        content=content.content,
        domain="daily.example",
        **more,
    )


def make_issue(number: int, tags: tuple[frozenset[str], ...]) -> Issue:
    return Issue(
        slug=f"i{number}",
        path="",
        id=f"i{number}",
        highlights=tuple(
            Highlight(
                id=f"i{number}h{place}",
                title="A",
                tags=tuple(Tag(each, each) for each in sorted(its)),
            )
            for place, its in enumerate(tags)
        ),
    )


def pick(issue: Issue, choices: Choices) -> set[str]:
    """What somebody chose of an issue."""
    wanted = set(choices.tags)
    return {
        each.id
        for each in issue.highlights
        if not wanted or wanted & {tag.slug for tag in each.tags}
    }


@dataclass
class Row:
    """A delivery as the oracle knows it; `issues` are those that it decides about."""

    issues: set[str]
    highlights: set[str]
    form: str
    is_weekly: bool
    status: str = "queued"

    @property
    def is_held(self) -> bool:
        return self.status not in ("failed", "suppressed", "cancelled")


@dataclass
class Reader:
    choices: Choices = field(default_factory=Choices)
    is_here: bool = True
    was_always_here: bool = True
    weekly_until: datetime | None = None
    rows: dict[str, Row] = field(default_factory=dict)
    considered: set[str] = field(default_factory=set)

    def holds(self, issue: str, *, by_week: bool) -> bool:
        return any(
            row.is_held and issue in row.issues and row.is_weekly == by_week
            for row in self.rows.values()
        )


class World:
    """A database, and the oracle beside it."""

    def __init__(self, disk: Disk) -> None:
        disk.clear()
        self.disk = disk
        self.now = BEGIN
        self.issues: dict[str, Issue] = {}
        self.mailed: dict[str, str] = {}
        self.weeks: dict[str, list[str]] = {}
        self.last_week: datetime | None = None
        self.readers = {f"r{number}": Reader() for number in range(READERS)}
        new = [
            NewSubscriber(ref=ref, email=f"{ref}@a.example", name="", address_hash=ref.encode())
            for ref in self.readers
        ]
        consent = Consent(at=BEGIN, action="vouched", source="operator", origin="")
        with disk.writing() as connection:
            add_all(connection, PUBLICATION, new, consent)

    # What happens

    def mail(self, tags: tuple[frozenset[str], ...], *, is_mailed: bool) -> None:
        """An issue is published, and mailed or not."""
        issue = make_issue(len(self.issues), tags)
        self.issues[issue.id] = issue
        if is_mailed:
            self.start_issue(issue.id)

    def start_issue(self, id: str) -> None:
        issue = self.issues[id]
        variants = OfIssue(issue)
        new = new_mailing("issue", id, write(Definition(), [issue]), variants=variants)
        with self.disk.writing() as connection:
            start_issue_mailing(connection, PUBLICATION, new, self.now)
        self.mailed[id] = "sending"
        was_in_week = any(id in each for each in self.weeks.values())
        for reader in self.readers.values():
            is_daily = reader.choices.frequency == "daily"
            if not reader.is_here or not (is_daily or was_in_week):
                continue
            reader.considered.add(id)
            chosen = pick(issue, reader.choices)
            if chosen and not reader.holds(id, by_week=True):
                reader.rows[f"issue {id}"] = Row({id}, chosen, reader.choices.content, False)

    def start_week(self) -> None:
        ids = list(self.issues)
        with self.disk.reading() as connection:
            found = find_in_weeks(connection, PUBLICATION, ids)
            stopped = find_cancelled(connection, PUBLICATION, ids)
        taken = {each for week in self.weeks.values() for each in week}
        cancelled = {id for id, status in self.mailed.items() if status == "cancelled"}
        assert (found, stopped) == (taken, cancelled)
        issues = [self.issues[each] for each in ids if each not in found | stopped]
        if not issues:
            return
        key, waited_since = f"week{len(self.weeks)}", self.last_week or BEGIN
        week = NewWeek(
            issues={each.id: "v" for each in issues},
            variants=OfWeek(issues),
            waited_since=waited_since,
        )
        new = new_mailing("weekly", key, write(Definition(), issues))
        with self.disk.writing() as connection:
            audience = count_week(connection, PUBLICATION, week, self.now)
            mailing = start_week_mailing(connection, PUBLICATION, new, week, self.now)
            again = start_week_mailing(connection, PUBLICATION, new, week, self.now)
        assert again == mailing
        self.weeks[key] = [each.id for each in issues]
        self.last_week = self.now
        for reader in self.readers.values():
            waits = reader.weekly_until is not None and reader.weekly_until > waited_since
            if reader.is_here and (reader.choices.frequency == "weekly" or waits):
                self._expect_week(reader, key, issues)
        assert audience.total == mailing.recipients
        assert audience.total == sum(f"weekly {key}" in each.rows for each in self.readers.values())

    def _expect_week(self, reader: Reader, key: str, issues: list[Issue]) -> None:
        lacked = [each for each in issues if not reader.holds(each.id, by_week=False)]
        chosen = {id for each in lacked for id in pick(each, reader.choices)}
        reader.considered |= {each.id for each in issues}
        if chosen:
            ids = {each.id for each in issues}
            reader.rows[f"weekly {key}"] = Row(ids, chosen, reader.choices.content, True)

    def switch(self, ref: str, choices: Choices) -> None:
        reader = self.readers[ref]
        with self.disk.writing() as connection:
            found = find_by_ref(connection, PUBLICATION, ref)
            assert found is not None
            set_choices(connection, PUBLICATION, found, choices, self.now)
        if choices.frequency == "weekly":
            reader.weekly_until = None
        elif reader.choices.frequency == "weekly":
            reader.weekly_until = self.now
        reader.choices = choices

    def go(self, ref: str, *, is_here: bool) -> None:
        status = "confirmed" if is_here else "unsubscribed"
        with self.disk.writing() as connection:
            its = s.subscriber.c.ref == ref
            connection.execute(update(s.subscriber).where(its).values(status=status))
        self.readers[ref].is_here = is_here
        self.readers[ref].was_always_here &= is_here

    def deliver(self, which: int, outcomes: list[str]) -> None:
        """Some of a mailing's messages go out, and this comes of them."""
        if (name := self._name(which)) is None:
            return
        with self.disk.writing() as connection:
            mailing = self._find(connection, name)
            candidates = find_queued(connection, PUBLICATION, mailing.id, 0, len(outcomes))
            ids = [each.id for each in candidates]
            taken, unwanted = take(connection, PUBLICATION, ids, self.now)
            events = [(each, event) for each, event in zip(taken, outcomes, strict=False)]
            settled = [
                Settled(taken=each, settlement=Settlement(event=event, history=each.history))
                for each, event in events
            ]
            settle_all(connection, PUBLICATION, settled, self.now)
            finish_if_done(connection, PUBLICATION, mailing.id, self.now)
        for each, event in events:
            after = DELIVERY_TRANSITIONS[event].after
            self.readers[each.subscriber_ref].rows[name].status = after
        for each in unwanted:
            self.readers[each.subscriber_ref].rows[name].status = "suppressed"

    def retry(self, which: int) -> None:
        if (name := self._name(which)) is None:
            return
        with self.disk.writing() as connection:
            mailing = self._find(connection, name)
            if mailing.status == "cancelled":
                return
            steering.retry(connection, PUBLICATION, mailing, self.now)
        for reader in self.readers.values():
            row = reader.rows.get(name)
            if row is None or row.status != "failed":
                continue
            others = {id for one in reader.rows.values() if one.is_held for id in one.highlights}
            if not self._is_elsewhere(reader, row, others):
                row.status = "queued"

    def _is_elsewhere(self, reader: Reader, row: Row, others: set[str]) -> bool:
        """Whether it came to its reader by another mailing since."""
        if row.is_weekly:
            return bool(row.highlights & others)
        return any(reader.holds(id, by_week=True) for id in row.issues)

    def cancel(self, which: int) -> None:
        if (name := self._name(which)) is None:
            return
        with self.disk.writing() as connection:
            mailing = self._find(connection, name)
            if mailing.status not in ("sending", "paused"):
                return
            steering.cancel(connection, PUBLICATION, mailing, self.now, by="test")
        purpose, _, id = name.partition(" ")
        if purpose == "issue":
            self.mailed[id] = "cancelled"
        for reader in self.readers.values():
            if (row := reader.rows.get(name)) and row.status in ("queued", "deferred"):
                row.status = "cancelled"

    def _name(self, which: int) -> str | None:
        names = [f"issue {id}" for id in self.mailed] + [f"weekly {key}" for key in self.weeks]
        return names[which % len(names)] if names else None

    def _find(self, connection: Connection, name: str) -> Mailing:
        purpose, _, id = name.partition(" ")
        found = find_mailing(connection, PUBLICATION, id, purpose)  # type: ignore[arg-type]
        assert found is not None
        return found

    # What is true

    def check(self) -> None:
        assert self._read() == {
            (ref, name): (row.status, row.form, row.highlights)
            for ref, reader in self.readers.items()
            for name, row in reader.rows.items()
        }
        for reader in self.readers.values():
            had = [id for row in reader.rows.values() if row.is_held for id in row.highlights]
            assert len(had) == len(set(had))

    def _read(self) -> dict[tuple[str, str], tuple[str, str, set[str]]]:
        """Every delivery with what is in its message."""
        found = {}
        with self.disk.reading() as connection:
            rows = connection.execute(
                select(
                    *(s.subscriber.c.ref, s.mailing.c.purpose, s.mailing.c.issue),
                    *(s.mailing.c.id, s.delivery.c.variant, s.delivery.c.status),
                )
                .join_from(s.delivery, s.mailing, s.mailing.c.id == s.delivery.c.mailing)
                .join(s.subscriber, s.subscriber.c.id == s.delivery.c.subscriber)
            ).all()
            for ref, purpose, issue, mailing, variant, status in rows:
                frozen = load_frozen(connection, mailing, variant=variant)
                form, highlights = json.loads(frozen.content)
                found[ref, f"{purpose} {issue}"] = (status, form, set(highlights))
        return found

    def check_nobody_is_left_out(self) -> None:
        """After one more week's message whoever was there all the time had every issue's turn."""
        self.now += 24 * HOUR
        self.start_week()
        self.check()
        for reader in self.readers.values():
            if reader.was_always_here:
                mailed = {id for id, status in self.mailed.items() if status != "cancelled"}
                assert mailed <= reader.considered


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    disk = Disk(tmp_path_factory.mktemp("weeks"))
    yield disk
    disk.close()


_SOME = st.frozensets(st.sampled_from(TAGS), max_size=2)
_CHOICES = st.builds(
    Choices,
    content=st.sampled_from(("full", "headlines")),
    tags=_SOME.map(lambda each: tuple(sorted(each))),
    frequency=st.sampled_from(("daily", "weekly")),
)
_REF = st.sampled_from([f"r{number}" for number in range(READERS)])
_EVENTS = st.sampled_from(("accepted", "accepted", "failed", "doubted", "released"))
_WHICH = st.integers(0, 20)
_ISSUE = st.tuples(_SOME, _SOME, _SOME)
_STEPS = st.one_of(
    st.tuples(st.just("mail"), _ISSUE, st.sampled_from((True, True, True, False))),
    st.tuples(st.just("switch"), _REF, _CHOICES),
    st.tuples(st.just("deliver"), _WHICH, st.lists(_EVENTS, min_size=1, max_size=5)),
    st.tuples(st.just("week")),
    st.tuples(st.just("late")),
    st.tuples(st.just("retry"), _WHICH),
    st.tuples(st.just("cancel"), _WHICH),
    st.tuples(st.just("go"), _REF, st.booleans()),
)


def live(world: World, steps: list[tuple[Any, ...]]) -> None:
    for kind, *given_ in steps:
        world.now += HOUR
        match kind:
            case "mail":
                world.mail(given_[0], is_mailed=given_[1])
            case "late":
                late = [id for id in world.issues if id not in world.mailed]
                if late:
                    world.start_issue(late[0])
            case "week":
                world.start_week()
            case "go":
                world.go(given_[0], is_here=given_[1])
            case _:
                getattr(world, kind)(*given_)
        world.check()
    world.check_nobody_is_left_out()


_SETTINGS = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True, deadline=None
)


@settings(_SETTINGS, max_examples=40)
@given(st.lists(_STEPS, max_size=20))
def test_each_highlight_comes_once_and_nobody_is_left_out(
    disk: Disk, steps: list[tuple[Any, ...]]
) -> None:
    live(World(disk), steps)


@pytest.mark.long
@settings(_SETTINGS, max_examples=1500)
@given(st.lists(_STEPS, max_size=40))
def test_the_same_for_long(disk: Disk, steps: list[tuple[Any, ...]]) -> None:
    live(World(disk), steps)
