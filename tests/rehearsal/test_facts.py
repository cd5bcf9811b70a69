"""What a rehearsal knows: it looks at a publication, and leaves every byte as it was."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from publisher.mailing.schedule import Occurrence
from publisher.rehearsal.facts import Facts, read_facts
from publisher.rehearsal.scenario import Options, draw_scenario
from publisher.rehearsal.traffic import make_traffic
from publisher.settings import Schedule, load_settings
from publisher.store.database import Database
from publisher.store.errors import StoreError
from publisher.store.habits import PastFiring, Tried
from publisher.store.occurrences import save_occurrences
from tests.delivery.post import NAME, Post
from tests.rehearsal.rehearsed import days_from, make_settings

NOW = datetime(2025, 12, 20, 12, tzinfo=UTC)
SCHEDULE = '[[schedule]]\nname = "daily"\ncron = "30 6 * * *"\n'
DAILY = Schedule(name="daily", cron="30 6 * * *")
MONTH = days_from("2026-01-01", "Europe/Berlin", days=31)


def hash_all(folder: Path) -> dict[str, str]:
    """Every file below a folder, with when it was last written, and every folder."""
    return {
        str(path.relative_to(folder)): (
            f"{sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime_ns}"
            if path.is_file()
            else "folder"
        )
        for path in folder.rglob("*")
    }


def read(post: Post) -> Facts:
    settings = load_settings(post.folder / "publisher.toml", {})
    return read_facts(post.folder, settings, NOW)


def record(database: Database, occurrences: list[Occurrence], ran: timedelta) -> None:
    for each in occurrences:
        with database.write() as connection:
            save_occurrences(connection, database.publication, [each], each.due + ran)


def occurrence(day: int, status: str) -> Occurrence:
    due = datetime(2025, 12, day, 5, 30, tzinfo=UTC)
    wall = datetime(2025, 12, day, 6, 30)
    return Occurrence(schedule="daily", wall=wall, due=due, status=status)  # type: ignore[arg-type]


def test_readers_issues_and_the_record_are_found(post: Post) -> None:
    post.configure(SCHEDULE)
    post.subscribe(["a@x.example", "b@x.example", "c@y.example"])
    database = post.open()
    record(database, [occurrence(18, "missed")], timedelta(hours=3))
    record(database, [occurrence(19, "fired")], timedelta(minutes=50))
    record(database, [occurrence(20, "open")], timedelta(0))
    database.close()
    facts = read(post)
    assert facts.domains == {"x.example": 2, "y.example": 1}
    assert [each.slug for each in facts.files] == [NAME]
    assert facts.files[0].is_ready
    assert [each.status for each in facts.past] == ["fired", "missed"]
    assert [each.due for each in facts.open] == [occurrence(20, "open").due]
    assert facts.unarmed == ""


def test_nothing_is_touched_with_a_database_that_is_closed_or_open(post: Post) -> None:
    post.configure(SCHEDULE)
    post.subscribe(3)
    before = hash_all(post.folder)
    assert read(post).readers == 3
    assert hash_all(post.folder) == before
    database = post.open()
    with database.hold() as held:
        with held.write() as connection:
            connection.exec_driver_sql("UPDATE subscriber SET name = 'x'")
        before = hash_all(post.folder)
        assert read(post).readers == 3
        # Its shared memory notes who reads; the database and its log stay as they are.
        after = hash_all(post.folder)
        assert {name for name in after if after[name] != before.get(name)} <= {"publisher.db-shm"}
        assert after.keys() == before.keys()
    database.close()


def test_where_there_is_no_database_none_is_made(post: Post) -> None:
    assert read(post).readers == 0
    assert not (post.folder / "publisher.db").exists()


def test_a_database_of_another_age_is_refused(post: Post) -> None:
    post.subscribe(1)
    database = post.open()
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    database.close()
    with pytest.raises(StoreError, match="schema 0001"):
        read(post)


def past(*delays: int | None) -> Facts:
    """Firings that came so many minutes late, or never."""
    due = datetime(2025, 12, 1, 5, 30, tzinfo=UTC)
    firings = []
    for number, delay in enumerate(delays):
        day = due + timedelta(days=number)
        firings.append(
            PastFiring(
                schedule="daily",
                due=day,
                status="missed" if delay is None else "fired",
                slug=None if delay is None else f"i{number}",
                ran_at=None if delay is None else day + timedelta(minutes=delay),
            )
        )
    return Facts(domains={"a.example": 1}, past=tuple(firings))


def delays(facts: Facts, options: Options) -> list[timedelta | None]:
    scenario = draw_scenario(make_settings("Europe/Berlin", DAILY), facts, options)
    return [None if e.ready is None else e.ready - e.due.instant for e in scenario.firings]


def test_editors_work_as_the_record_says() -> None:
    drawn = delays(past(0, 0, 45, None, 0, 0), MONTH)
    late = {each for each in drawn if each is not None and each > timedelta(0)}
    assert late == {timedelta(minutes=45)}
    assert None in drawn
    assert sum(each is not None and each < timedelta(0) for each in drawn) > 15


def test_a_short_record_is_no_habit() -> None:
    scenario = draw_scenario(make_settings("Europe/Berlin", DAILY), past(45, 45), MONTH)
    assert "assumed, for 2 firings on record" in scenario.assumed[0]


def test_other_settings_and_schedules_meet_the_same_days() -> None:
    facts, other = past(0, 0, 45, None, 0, 0), Schedule(name="other", cron="0 9 * * *")
    longer = Schedule(name="daily", cron="30 6 * * *", catch_up=DAILY.catch_up * 2)  # type: ignore[arg-type]
    alone = draw_scenario(make_settings("Europe/Berlin", DAILY), facts, MONTH)
    both = draw_scenario(make_settings("Europe/Berlin", longer, other), facts, MONTH)
    assert [e for e in both.firings if e.schedule == "daily"] == list(alone.firings)


def test_the_relay_is_as_fast_as_it_was() -> None:
    settings = make_settings("Europe/Berlin", DAILY, delivery={"connections": 4})
    tried = Tried(messages=1000, deferred=30, failed=5, span=timedelta(seconds=100))
    traffic = make_traffic(settings, Facts(tried=tried), MONTH)
    assert (traffic.seconds, traffic.deferred, traffic.refused) == (0.4, 0.03, 0.005)
    limited = make_settings("Europe/Berlin", DAILY, delivery={"connections": 4, "rate": 10})
    assert "assumed" in make_traffic(limited, Facts(tried=tried), MONTH).assumed[0]


def test_a_real_mailing_says_how_fast_the_relay_is(post: Post) -> None:
    post.subscribe(5)
    assert post.cli("send", NAME, "--yes").status == 0
    tried = read(post).tried
    assert (tried.messages, tried.deferred, tried.failed) == (5, 0, 0)
    assert tried.span > timedelta(0)
    assert NAME in {file.slug for file in read(post).files if file.id in read(post).mailed}
