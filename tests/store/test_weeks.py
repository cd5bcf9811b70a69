"""Whoever chooses what and when: each highlight comes to a reader once, and nobody is left out.

A pure oracle lives through the same history as the store: issues mailed to some and then a week's
to the others, readers who switch at any moment, mailings that fail, are retried and cancelled.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
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
from publisher.store.candidates import find_queued
from publisher.store.contents import load_frozen
from publisher.store.deliveries import Settled, settle_all, take
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
READERS = 4


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
    """A delivery as the oracle knows it; `issues` are those that it decides about.

    `queued_at` is when it was made, or tried again.
    """

    issues: set[str]
    highlights: set[str]
    form: str
    is_weekly: bool
    made_at: datetime
    queued_at: datetime
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
        self.contents: dict[tuple[int, int], bytes] = {}
        self.readers = {f"r{number}": Reader() for number in range(READERS)}
        new = [
            NewSubscriber(ref=ref, email=f"{ref}@a.example", name="", address_hash=ref.encode())
            for ref in self.readers
        ]
        consent = Consent(at=BEGIN, action="vouched", source="operator", origin="")
        with disk.writing() as connection:
            add_all(connection, PUBLICATION, new, consent)

    # What happens

    def mail(self, tags: tuple[frozenset[str], ...], outcomes: list[str] | None) -> None:
        """An issue is published, and mailed or not; some of it goes out at once."""
        issue = make_issue(len(self.issues), tags)
        self.issues[issue.id] = issue
        if outcomes is not None:
            self.start_issue(issue.id)
            self.deliver_of(f"issue {issue.id}", outcomes)

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
                reader.rows[f"issue {id}"] = Row(
                    {id}, chosen, reader.choices.content, False, self.now, self.now
                )

    def start_week(self) -> str | None:
        ids = list(self.issues)
        with self.disk.reading() as connection:
            found = find_in_weeks(connection, PUBLICATION, ids)
            stopped = find_cancelled(connection, PUBLICATION, ids)
        taken = {each for week in self.weeks.values() for each in week}
        cancelled = {id for id, status in self.mailed.items() if status == "cancelled"}
        assert (found, stopped) == (taken, cancelled)
        issues = [self.issues[each] for each in ids if each not in found | stopped]
        if not issues:
            return None
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
        return key

    def _expect_week(self, reader: Reader, key: str, issues: list[Issue]) -> None:
        lacked = [each for each in issues if not reader.holds(each.id, by_week=False)]
        chosen = {id for each in lacked for id in pick(each, reader.choices)}
        reader.considered |= {each.id for each in issues}
        if chosen:
            ids = {each.id for each in issues}
            reader.rows[f"weekly {key}"] = Row(
                ids, chosen, reader.choices.content, True, self.now, self.now
            )

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
        if (name := self._name(which)) is not None:
            self.deliver_of(name, outcomes)

    def deliver_of(self, name: str, outcomes: list[str]) -> None:
        with self.disk.writing() as connection:
            mailing = self._find(connection, name)
            candidates = find_queued(connection, PUBLICATION, mailing.id, 0, len(outcomes))
            ids = [each.id for each in candidates]
            taken, unwanted = take(connection, PUBLICATION, ids, self.now, {})
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

    def retry(self) -> None:
        """What failed is tried again, of one mailing after another."""
        for which in range(len(self.mailed) + len(self.weeks)):
            self._retry(self._name(which) or "")

    def _retry(self, name: str) -> None:
        with self.disk.writing() as connection:
            mailing = self._find(connection, name)
            if mailing.status == "cancelled":
                return
            steering.retry(connection, PUBLICATION, mailing, self.now)
        for reader in self.readers.values():
            row = reader.rows.get(name)
            if row is None or row.status != "failed":
                continue
            if not self._is_elsewhere(reader, row):
                row.status, row.queued_at = "queued", self.now

    def _is_elsewhere(self, reader: Reader, row: Row) -> bool:
        """Whether any of it came to its reader by another mailing since."""
        if not row.is_weekly:
            return any(reader.holds(id, by_week=True) for id in row.issues)
        return any(
            one.is_held and not one.is_weekly and one.issues & row.issues
            for one in reader.rows.values()
            if one.queued_at >= row.made_at
        )

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
                if (mailing, variant) not in self.contents:
                    frozen = load_frozen(connection, mailing, variant=variant)
                    self.contents[mailing, variant] = frozen.content
                form, highlights = json.loads(self.contents[mailing, variant])
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


def draw_history(chance: Random, length: int) -> list[tuple[Any, ...]]:
    """What happens, one thing after another; what is usual comes often."""
    return [_draw_step(chance) for _ in range(length)]


def _draw_step(chance: Random) -> tuple[Any, ...]:
    kind = chance.choices(
        ("mail", "switch", "week", "deliver", "late", "retry", "cancel", "go"),
        (20, 40, 12, 8, 5, 8, 2, 5),
    )[0]
    ref, which = f"r{chance.randrange(READERS)}", chance.randrange(20)
    outcomes = chance.choices(
        ("accepted", "failed", "doubted", "released"), (6, 3, 1, 1), k=chance.randint(0, READERS)
    )
    match kind:
        case "mail":
            its = tuple(frozenset(chance.sample(TAGS, chance.randint(0, 2))) for _ in range(3))
            return (kind, its, outcomes if chance.random() < 0.8 else None)
        case "switch":
            tags = chance.sample(TAGS, 1) if chance.random() < 0.3 else []
            content = chance.choice(("full", "headlines"))
            frequency = chance.choice(("daily", "weekly"))
            return (kind, ref, Choices(content=content, tags=tuple(tags), frequency=frequency))  # type: ignore[arg-type]
        case "week":
            return (kind, outcomes)
        case "deliver":
            return (kind, which, outcomes)
        case "go":
            return (kind, ref, chance.random() < 0.6)
        case "cancel":
            return (kind, which)
    return (kind,)


def live(world: World, steps: list[tuple[Any, ...]]) -> None:
    for kind, *given_ in steps:
        world.now += HOUR
        match kind:
            case "mail":
                world.mail(*given_)
            case "late":
                late = [id for id in world.issues if id not in world.mailed]
                if late:
                    world.start_issue(late[0])
            case "week":
                if (key := world.start_week()) is not None:
                    world.deliver_of(f"weekly {key}", given_[0])
            case "go":
                world.go(given_[0], is_here=given_[1])
            case _:
                getattr(world, kind)(*given_)
        world.check()
    world.check_nobody_is_left_out()


@pytest.mark.parametrize("seed", range(16))
def test_each_highlight_comes_once_and_nobody_is_left_out(disk: Disk, seed: int) -> None:
    live(World(disk), draw_history(Random(seed), 40))


@pytest.mark.long
def test_the_same_for_long(disk: Disk) -> None:
    for seed in range(100, 700):
        try:
            live(World(disk), draw_history(Random(seed), 50))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
