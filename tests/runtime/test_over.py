"""That what an operator was told of is over when its cause is, and is not told again meanwhile."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from publisher.mailing.schedule import Occurrence, OccurrenceStatus
from publisher.model.plan import Plan, PlanStatus
from publisher.runtime.alerts import Alerts
from publisher.runtime.planned import ToldPlan
from publisher.runtime.scheduler import Event, Told
from publisher.runtime.start import new_mailing
from publisher.store.alerts import Raised, list_alerts
from publisher.store.occurrences import save_occurrences
from publisher.store.plans import add_plan, close_plan, find_plan
from publisher.store.starting import start_issue_mailing
from tests.audience.readers import Readers
from tests.web.public.site import make_settings

DUE = datetime(2025, 12, 15, 6, tzinfo=UTC)
DAILY = "daily 2025-12-15T06:00"
WEBHOOK = {
    "url": "https://ours.example/events",
    "secret": "0123456789abcdef",
    "events": ["mailing.finished"],
}


def after(hours: float) -> datetime:
    return DUE + timedelta(hours=hours)


class Desk:
    """A publication whose scheduler tells of its firing of DUE, and whose alerts are looked at."""

    def __init__(self, folder: Path) -> None:
        self.database = Readers(folder).database
        self.settings = make_settings(webhook=[WEBHOOK])
        self.said: list[str] = []
        self.alerts = Alerts(self.database, self.settings, self.said.append)

    def tell(self, event: Event, at: datetime) -> list[str]:
        """Let it tell of the firing; give what operators are told of that."""
        before = len(self.said)
        self.alerts.hear_schedule(Told(event, "daily", self.note("open"), event), at)
        return [said for said in self.said[before:] if said.startswith("alert: ")]

    def note(self, status: OccurrenceStatus) -> Occurrence:
        wall = DUE.replace(tzinfo=None)
        firing = Occurrence(schedule="daily", wall=wall, due=DUE, status=status)
        with self.database.write() as connection:
            save_occurrences(connection, self.database.publication, [firing], DUE)
        return firing

    def send(self, slug: str, at: datetime) -> None:
        """Send an issue, by hand or by a firing."""
        new = new_mailing(b"frozen", self.settings, f"i-{slug}", slug)
        with self.database.write() as connection:
            start_issue_mailing(connection, self.database.publication, new, at)

    def plan(self, at: datetime) -> Plan:
        with self.database.write() as connection:
            return add_plan(
                connection,
                self.database.publication,
                issue="i-monday",
                slug="monday",
                digest="0" * 64,
                who="ada@daily.example",
                client="127.0.0.1",
                now=at,
            )

    def end(self, plan: Plan, status: PlanStatus, at: datetime) -> None:
        """Let a planned send come to an end, and tell of it."""
        publication = self.database.publication
        with self.database.write() as connection:
            assert close_plan(connection, publication, plan.id, status, at, reason="why")
            closed = find_plan(connection, publication, plan.id)
        assert closed is not None
        self.alerts.hear_planned(ToldPlan(closed), at)

    def look(self, at: datetime) -> list[tuple[str, str]]:
        """Look round; give what is not over."""
        self.alerts.look(at)
        return [(each.kind, each.about) for each in self.find(is_open=True)]

    def find(self, *, is_open: bool) -> list[Raised]:
        with self.database.read() as connection:
            publication = self.database.publication
            return list_alerts(connection, publication, is_open=is_open, limit=99)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.database.close()


def test_a_late_issue_that_is_sent_ends_what_the_firing_lacked(desk: Desk) -> None:
    assert desk.tell("waiting", after(0)) == [f"alert: The schedule {DAILY}: waiting"]
    assert desk.look(after(1)) == [("nothing-ready", DAILY)]
    desk.send("monday", after(2))
    assert desk.look(after(2)) == []
    (over,) = desk.find(is_open=False)
    assert (over.raised_at, over.cleared_at) == (after(0), after(2))
    assert desk.said[-1] == f"alert over: nothing-ready: {DAILY}"


def test_an_issue_that_was_sent_before_ends_nothing(desk: Desk) -> None:
    desk.send("sunday", after(-24))
    desk.tell("waiting", after(0))
    assert desk.look(after(1)) == [("nothing-ready", DAILY)]


def test_a_fault_is_there_for_as_long_as_it_is_tried_again(desk: Desk) -> None:
    """Another issue that was sent by hand says nothing of why this one could not be."""
    assert desk.tell("failed", after(0)) == [f"alert: The schedule {DAILY}: failed"]
    desk.send("other", after(1))
    assert desk.look(after(1)) == [("firing-failed", DAILY)]
    desk.note("fired")
    assert desk.look(after(2)) == []


def test_a_firing_is_told_of_once_over_or_not(desk: Desk) -> None:
    """`run --once` remembers nothing, and an issue that was sent by hand leaves nothing ready."""
    desk.tell("waiting", after(0))
    desk.send("monday", after(1))
    desk.look(after(1))
    assert desk.tell("waiting", after(1.5)) == []
    assert desk.tell("missed", after(3)) == []
    assert desk.look(after(3)) == []


def test_what_was_missed_is_past_after_two_days(desk: Desk) -> None:
    assert desk.tell("missed", after(3)) == [f"alert: The schedule {DAILY}: missed"]
    desk.note("missed")
    assert desk.look(after(50)) == [("missed", DAILY)]
    assert desk.look(after(51)) == []


def test_a_firing_that_still_waits_is_not_past(desk: Desk) -> None:
    desk.tell("waiting", after(0))
    assert desk.look(after(60)) == [("nothing-ready", DAILY)]
    desk.note("missed")
    assert desk.look(after(60)) == []


def test_a_planned_send_that_was_refused_is_over_when_its_issue_is_sent(desk: Desk) -> None:
    desk.end(desk.plan(after(0)), "refused", after(1))
    about = "monday 2025-12-15T06:00:00+00:00 refused"
    assert desk.look(after(1)) == [("planned-send", about)]
    desk.send("tuesday", after(1))
    assert desk.look(after(1)) == [("planned-send", about)]
    desk.send("monday", after(2))
    assert desk.look(after(2)) == []


def test_a_planned_send_that_was_refused_is_over_when_it_is_planned_again(desk: Desk) -> None:
    desk.end(desk.plan(after(0)), "refused", after(1))
    desk.plan(after(2))
    assert desk.look(after(2)) == []


def test_a_planned_send_that_waited_is_over_when_it_does_not_wait(desk: Desk) -> None:
    plan = desk.plan(after(0))
    desk.alerts.hear_planned(ToldPlan(plan), after(1))
    assert desk.look(after(1)) == [("planned-send", "monday 2025-12-15T06:00:00+00:00 waiting")]
    with desk.database.write() as connection:
        close_plan(connection, desk.database.publication, plan.id, "taken_back", after(1))
    assert desk.look(after(1)) == []


def test_a_webhook_that_is_none_any_more_is_over(desk: Desk) -> None:
    for host in ("gone.example", "ours.example"):
        desk.alerts.warn_of_webhook(host, "The webhook was not told.", after(0))
    assert desk.look(after(1)) == [("webhook-given-up", "ours.example")]
    desk.alerts.warn_of_webhook("ours.example", "", after(2))
    assert desk.look(after(2)) == []
