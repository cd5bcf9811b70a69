"""What comes of days that are written down: clock changes, outages, crashes, late editors."""

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import msgspec
import pytest

from publisher.rehearsal.advice import advise
from publisher.rehearsal.facts import Facts
from publisher.rehearsal.newsroom import File
from publisher.rehearsal.rehearse import Rehearsal
from publisher.rehearsal.scenario import Options
from publisher.rehearsal.world import Disk
from publisher.settings import Duration, Schedule, Smtp, WarmUp
from tests.rehearsal.rehearsed import (
    IN_TIME,
    QUICK,
    days_from,
    incident,
    live,
    make_settings,
    plan,
)

DAILY = Schedule(name="daily", cron="30 6 * * *")
BERLIN = "Europe/Berlin"
# 06:30 in Berlin on Monday.
DUE = datetime(2025, 12, 15, 5, 30, tzinfo=UTC)
MONDAY = days_from("2025-12-15", BERLIN)
ONE_DAY = make_settings(BERLIN, DAILY)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


# Nights in which the clock changes: where, the first of three days, when, and the instant in UTC
# of the firing in the night itself, by hand.
NIGHTS = [
    (BERLIN, "2026-03-28", "30 2 * * *", "2026-03-29T01:30", "leaves 02:30 out"),
    (BERLIN, "2026-10-24", "30 2 * * *", "2026-10-25T00:30", "shows 02:30 twice"),
    ("America/New_York", "2026-03-07", "30 2 * * *", "2026-03-08T07:30", "leaves 02:30 out"),
    ("America/New_York", "2026-10-31", "30 1 * * *", "2026-11-01T05:30", "shows 01:30 twice"),
    ("America/Sao_Paulo", "2018-11-03", "0 0 * * *", "2018-11-04T03:00", "leaves 00:00 out"),
    ("Africa/Cairo", "2023-04-27", "15 0 * * *", "2023-04-27T22:15", "leaves 00:15 out"),
    ("Australia/Lord_Howe", "2025-10-04", "15 2 * * *", "2025-10-04T15:45", "leaves 02:15 out"),
    ("Australia/Lord_Howe", "2026-04-04", "45 1 * * *", "2026-04-04T14:45", "shows 01:45 twice"),
]


@pytest.mark.parametrize(("zone", "begin", "cron", "instant", "says"), NIGHTS)
def test_a_night_in_which_the_clock_changes_has_one_firing(
    zone: str, begin: str, cron: str, instant: str, says: str
) -> None:
    settings = make_settings(zone, Schedule(name="nightly", cron=cron))
    firings = live(settings, days_from(begin, zone, days=3))
    assert [each.came for each in firings] == ["on time"] * 3
    night = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert [each.due for each in firings if each.clock] == [night]
    assert says in firings[1].clock
    assert {each.sending.sent for each in firings if each.sending} == {40}


def test_a_late_editor_is_served_within_catch_up() -> None:
    (firing,) = live(ONE_DAY, MONDAY, [minutes(40)])
    assert firing.came == "late"
    assert firing.why == "41 min late: the editor was 40 min late"
    assert firing.ready == DUE + minutes(40)
    assert firing.fired is not None
    assert minutes(41) <= firing.fired - DUE <= minutes(41.2)
    assert "waiting: there is no issue" in firing.told[0]


def test_an_editor_who_is_later_than_that_is_missed_and_told_of_what_would_help() -> None:
    days = days_from("2025-12-15", BERLIN, days=3)
    delays = [minutes(200), IN_TIME, minutes(290)]
    firings = live(ONE_DAY, days, delays)
    assert [each.came for each in firings] == ["missed", "on time", "missed"]
    assert firings[0].why == "2025-12-15 was ready 3 h 20 min after its time; catch_up had passed"
    scenario = plan(ONE_DAY, days, delays)
    (advice,) = advise(ONE_DAY, firings, QUICK, {"a.example": 40}, scenario)
    assert (advice.setting, advice.value) == ('schedule "daily": catch_up', "5h")
    longer = Schedule(name="daily", cron="30 6 * * *", catch_up=Duration.parse(advice.value))
    firings = live(make_settings(BERLIN, longer), days, delays)
    assert [each.came for each in firings] == ["late", "on time", "late"]


def test_nothing_that_nobody_wrote_is_blamed_on_catch_up() -> None:
    (firing,) = live(ONE_DAY, MONDAY, [None])
    assert firing.why == "no issue was written for it; catch_up had passed"
    assert advise(ONE_DAY, [firing], QUICK, {}, plan(ONE_DAY, MONDAY, [None])) == []


def test_a_relay_that_is_away_across_a_firing_makes_it_late() -> None:
    away = incident("relay down", DUE - minutes(5), 65)
    (firing,) = live(ONE_DAY, MONDAY, incidents=[away])
    assert firing.came == "late"
    assert firing.why.endswith("min late: no relay for 65 min")
    assert firing.fired == DUE
    assert firing.sending is not None
    assert firing.sending.sent == 40
    assert firing.sending.first is not None
    # The dispatcher asks once a minute at most.
    assert minutes(60) <= firing.sending.first - DUE <= minutes(61.5)


@pytest.mark.parametrize("most", [1000, 50])
@pytest.mark.parametrize("policy", ["resend", "hold"])
def test_a_crash_in_the_middle_of_a_mailing_loses_nobody(policy: str, most: int) -> None:
    settings = make_settings(BERLIN, DAILY, delivery={"on_in_doubt": policy})
    # 1,000 readers take 50 s.
    crash = incident("crash", DUE + timedelta(seconds=25), 30)
    (firing,) = live(settings, MONDAY, incidents=[crash], readers=1000, most=most)
    sent = firing.sending
    assert sent is not None
    assert sent.sent + sent.held == 1000
    assert sent.waiting == 0
    assert 0 <= sent.held + sent.resent <= 4
    assert sent.held == 0 or policy == "hold"
    assert sent.bulk is not None
    assert minutes(30) < sent.bulk - DUE < minutes(32)


def test_what_is_in_doubt_and_held_is_advised_of() -> None:
    settings = make_settings(BERLIN, DAILY, delivery={"on_in_doubt": "hold", "connections": 20})
    crash = incident("crash", DUE + timedelta(seconds=5), 1)
    (firing,) = live(settings, MONDAY, incidents=[crash], readers=2000)
    assert firing.sending is not None
    assert firing.sending.held > 0
    advice = advise(settings, [firing], QUICK, {}, plan(settings, MONDAY))
    assert [each.setting for each in advice] == ["delivery.on_in_doubt"]


def test_a_machine_that_is_down_at_the_time_catches_up_or_misses() -> None:
    days = days_from("2025-12-15", BERLIN, days=2)
    short = incident("crash", DUE - minutes(10), 60)
    long = incident("crash", DUE + timedelta(days=1) - minutes(10), 240)
    firings = live(ONE_DAY, days, incidents=[short, long])
    assert [each.came for each in firings] == ["late", "missed"]
    assert firings[0].why.endswith("nothing ran for 60 min")
    assert "nothing ran for 4 h" in firings[1].why
    scenario = plan(ONE_DAY, days, incidents=[short, long])
    (advice,) = advise(ONE_DAY, firings, QUICK, {}, scenario)
    assert (advice.setting, advice.value) == ('schedule "daily": catch_up', "4h")


def test_a_domain_that_asks_for_less_holds_up_its_own_readers_only() -> None:
    slow = incident("domain slow", DUE - minutes(5), 30, "a.example")
    facts = Facts(domains={"a.example": 20, "b.example": 20})
    (firing,) = live(ONE_DAY, MONDAY, incidents=[slow], facts=facts)
    sent = firing.sending
    assert sent is not None
    assert firing.came == "on time"
    assert sent.sent == 40
    assert 0 < sent.deferred <= 20
    assert sent.last is not None
    assert sent.last - DUE > minutes(25)


def test_two_schedules_each_take_their_own_issue() -> None:
    weekly = Schedule(name="weekly", cron="0 8 * * sun")
    settings = make_settings(BERLIN, DAILY, weekly)
    firings = live(settings, days_from("2025-12-19", BERLIN, days=3))
    assert [(each.schedule, each.came, each.issue) for each in firings] == [
        ("daily", "on time", "2025-12-19"),
        ("daily", "on time", "2025-12-20"),
        ("daily", "on time", "2025-12-21"),
        ("weekly", "on time", "2025-12-21-weekly"),
    ]


def test_two_schedules_at_once_can_take_each_others_issue() -> None:
    """What only a run of the real decisions tells: the newest issue goes, the other one never."""
    other = Schedule(name="other", cron="30 6 * * *")
    settings = make_settings(BERLIN, DAILY, other)
    firings = live(settings, MONDAY)
    assert sorted(each.came for each in firings) == ["missed", "on time"]
    (taken,) = (each for each in firings if each.fired)
    assert taken.issue == "2025-12-15-other"
    assert "2025-12-15" in {each.written for each in firings}


def test_a_max_age_that_midnight_is_too_old_for_is_found() -> None:
    evening = Schedule(name="evening", cron="0 18 * * *", max_age=Duration(hours=12))
    settings = make_settings(BERLIN, evening)
    (firing,) = live(settings, MONDAY)
    assert firing.came == "missed"
    assert firing.why == "2025-12-15 was 18 h old when due; max_age is 12h; catch_up had passed"
    (advice,) = advise(settings, [firing], QUICK, {}, plan(settings, MONDAY))
    assert (advice.setting, advice.value) == ('schedule "evening": max_age', "18h")
    better = Schedule(name="evening", cron="0 18 * * *", max_age=Duration.parse(advice.value))
    (firing,) = live(make_settings(BERLIN, better), MONDAY)
    assert firing.came == "on time"


def test_more_highlights_than_issues_have_are_found() -> None:
    strict = Schedule(name="daily", cron="30 6 * * *", min_highlights=5)
    settings = make_settings(BERLIN, strict)
    facts = Facts(domains={"a.example": 4}, highlights=3)
    (firing,) = live(settings, MONDAY, facts=facts)
    assert "it has 3 highlights; min_highlights is 5" in firing.why
    (advice,) = advise(settings, [firing], QUICK, {}, plan(settings, MONDAY))
    assert (advice.setting, advice.value) == ('schedule "daily": min_highlights', "3")


@pytest.mark.parametrize(
    ("delivery", "setting"),
    [
        ({"rate": 0.01}, "delivery.rate"),
        ({"connections": 1, "rate": 0}, "delivery.connections"),
        ({"domain_rates": {"a.example": 0.005}}, 'delivery.domain_rates."a.example"'),
    ],
)
def test_a_mailing_that_takes_too_long_is_advised_of(
    delivery: dict[str, object], setting: str
) -> None:
    settings = make_settings(BERLIN, DAILY, delivery=delivery)
    slow = 300.0 if setting == "delivery.connections" else 0.2
    traffic = type(QUICK)(seconds=slow, deferred=0, refused=0, assumed=())
    firings = live(settings, MONDAY, traffic=traffic, readers=80)
    (advice,) = advise(settings, firings, traffic, {"a.example": 80}, plan(settings, MONDAY))
    assert advice.setting == setting


def _file(slug: str, date: datetime, *, is_ready: bool) -> File:
    return File(f"id-{slug}", slug, date, date, 0, is_ready=is_ready)


def test_the_issue_of_a_day_that_is_there_is_the_one_that_goes() -> None:
    midnight = datetime(2025, 12, 14, 23, tzinfo=UTC)
    tuesday = midnight + timedelta(days=1)
    facts = Facts(
        domains={"a.example": 3},
        files=(
            _file("old", midnight - timedelta(days=1), is_ready=True),
            _file("special", midnight, is_ready=True),
            _file("draft", tuesday, is_ready=False),
        ),
        mailed=frozenset({"id-old"}),
    )
    firings = live(ONE_DAY, days_from("2025-12-15", BERLIN, days=3), [None], facts=facts)
    assert [each.issue for each in firings] == ["special", "draft", "2025-12-17"]
    assert {each.came for each in firings} == {"on time"}


def test_without_readers_nothing_is_sent_and_the_reason_is_told() -> None:
    (firing,) = live(ONE_DAY, MONDAY, facts=Facts())
    assert firing.came == "missed"
    assert "nobody is subscribed yet" in firing.told[0]


class _EveryTick(Rehearsal):
    """Ticks every five seconds, as `run` does."""

    def _ticks(self) -> set[datetime]:
        moments: set[datetime] = set()
        for number in count():
            moment = self.options.begin + timedelta(seconds=5 * number)
            if moment >= self.options.end:
                return moments
            moments.add(moment)
        return moments


def test_ticks_in_between_would_change_nothing(tmp_path: Path) -> None:
    often = Schedule(name="often", cron="2-59/8 * * * *", catch_up=Duration(minutes=4))
    settings = make_settings(BERLIN, often)
    begin = days_from("2025-12-15", BERLIN).begin
    options = Options(begin=begin, end=begin + minutes(26))
    delays = [minutes(2.3), minutes(4), minutes(-3)]
    crash = incident("crash", begin + minutes(17), 2)
    scenario = plan(settings, options, delays, [crash])
    came = []
    for kind in (Rehearsal, _EveryTick):
        disk = Disk(tmp_path)
        facts = Facts(domains={"a.example": 5})
        ran = kind(disk, settings, facts, scenario, QUICK, options, 100).run()
        came.append([(e.wall, e.status, e.outcome, e.slug, e.ran_at) for e in ran.occurred])
        disk.close()
    assert came[0] == came[1]
    assert {status for _, status, *_ in came[0]} == {"fired", "missed"}


@pytest.mark.parametrize("readers", [60, 20_000])
def test_an_address_that_is_warmed_up_takes_days(readers: int) -> None:
    """Sevenths of the readers: one on the day of the firing, twice and four times as many later."""
    grows = WarmUp(first=readers // 7 + 1, factor=2, full=1_000_000)
    relay = Smtp(host="relay.example", warm_up=grows)
    settings = msgspec.structs.replace(ONE_DAY, smtp=(relay,))
    (firing,) = live(settings, MONDAY, readers=readers)
    assert firing.sending is not None
    last = firing.sending.last
    assert last is not None
    assert DUE + timedelta(days=1, hours=12) < last < DUE + timedelta(days=2, hours=12)
