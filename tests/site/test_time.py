"""When an issue is published: at its date, with nobody touching a file."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.site.reading import entries, rules
from tests.site.world import World

DUE = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


@pytest.fixture
def waiting(world: World) -> World:
    world.issue("2026-02-20")
    world.issue("2026-03-02", date="2026-03-02T07:00:00+01:00")
    world.now = DUE - timedelta(seconds=1)
    world.build()
    return world


def test_before_its_date_an_issue_is_nowhere(waiting: World) -> None:
    for path, data in waiting.files().items():
        assert b"2026-03-02" not in data, path
    assert b"2026-03-02" not in waiting.register()


def test_at_its_date_it_is_published(waiting: World) -> None:
    waiting.now = DUE
    report = waiting.build()
    assert report.issues == 2
    assert list(entries(waiting)) == ["h2026-03-02", "h2026-02-20"]


def test_it_is_published_by_a_later_build_with_the_same_dates(waiting: World) -> None:
    waiting.now = DUE + timedelta(days=30)
    waiting.build()
    assert entries(waiting)["h2026-03-02"].published == DUE + timedelta(seconds=1)
    assert entries(waiting)["h2026-03-02"].updated == DUE + timedelta(seconds=1)


def test_the_clock_may_go_back(waiting: World) -> None:
    """What is published stays so."""
    waiting.now = DUE
    waiting.build()
    before = waiting.files()
    waiting.now = DUE - timedelta(days=300)
    assert not waiting.build().is_refused
    assert waiting.files() == before
    clone = waiting.committed_copy(waiting.folder.with_name("clone"))
    clone.build()
    assert clone.files() == before


def test_a_published_issue_that_is_put_off_stays(waiting: World) -> None:
    waiting.now = DUE
    waiting.build()
    waiting.replace("issues/2026-03-02.md", "2026-03-02T07", "2027-03-02T07")
    report = waiting.build()
    assert not report.is_refused
    assert report.issues == 2
    assert entries(waiting)["h2026-03-02"].published == DUE + timedelta(seconds=1)
    clone = waiting.committed_copy(waiting.folder.with_name("clone"))
    clone.build()
    assert clone.files() == waiting.files()


def test_errors_of_tomorrow_stop_nothing_today(waiting: World) -> None:
    waiting.replace("issues/2026-03-02.md", "id: i2026-03-02\n", "")
    assert not waiting.build().is_refused
    waiting.now = DUE
    report = waiting.build()
    assert report.is_refused
    assert rules(report) == {"id-missing"}


def test_a_draft_is_never_due(waiting: World) -> None:
    waiting.replace("issues/2026-03-02.md", "status: ready", "status: draft")
    waiting.now = DUE + timedelta(days=99)
    assert waiting.build().issues == 1


@pytest.mark.parametrize(
    ("name", "zone", "moment"),
    [
        ("2026-03-02", "Europe/Berlin", "2026-03-01T23:00:00Z"),
        ("2026-03-02", "Asia/Shanghai", "2026-03-01T16:00:00Z"),
        ("2026-03-02", "Pacific/Kiritimati", "2026-03-01T10:00:00Z"),
        # The night in which clocks go forward has no midnight here.
        ("2026-04-24", "Africa/Cairo", "2026-04-23T22:00:00Z"),
    ],
)
def test_a_day_begins_where_the_publication_is(
    world: World, name: str, zone: str, moment: str
) -> None:
    world.replace("publisher.toml", "Europe/Berlin", zone)
    world.issue(name)
    world.now = datetime.fromisoformat(moment) - timedelta(seconds=1)
    assert world.build().issues == 0
    world.now += timedelta(seconds=1)
    assert world.build().issues == 1


def test_local_mean_time_is_written_as_readers_know_it(world: World) -> None:
    """Offsets of seconds are in no feed's grammar (RFC 3339, section 5.6)."""
    world.replace("publisher.toml", "Europe/Berlin", "Asia/Shanghai")
    world.issue("1900-06-01")
    world.build()
    assert entries(world)["h1900-06-01"].updated.utcoffset() == timedelta(0)
    for path in ("feed.atom", "feed.rss", "feed.json", "issues.atom", "sitemap.xml"):
        assert ":43" not in world.read(path)
