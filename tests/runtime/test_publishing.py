"""When `run` publishes by itself: what has come due, and a folder that has come to rest."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from publisher.runtime.newsroom import Folder
from publisher.runtime.publishing import Publishing
from publisher.settings import load_settings
from tests.cli.command_line import CommandLine

MINUTE = timedelta(minutes=1)


class Site:
    """A folder that is published by ticks at times that a test names, in seconds from now."""

    def __init__(self, cli: CommandLine, more: str = "") -> None:
        self.cli = cli
        text = cli.read("publisher.toml")
        cli.write("publisher.toml", text + more)
        settings = load_settings(cli.folder / "publisher.toml", {})
        self.begin = datetime.now(UTC)
        self.seconds = 0.0
        self.said: list[str] = []
        self.publishing = Publishing(
            Folder(cli.folder, settings), settings, cli.folder, self.said.append, self._monotonic
        )

    def _monotonic(self) -> float:
        return self.seconds

    def tick(self, seconds: float, clock: float = 0) -> None:
        """Tick then; `clock` is what the wall clock is ahead."""
        self.seconds = seconds
        self.publishing.tick(self.begin + timedelta(seconds=seconds + clock))

    def is_public(self, name: str) -> bool:
        return (self.cli.folder / "public" / "issues" / name / "index.html").exists()

    def page(self, name: str) -> str:
        return Path(self.cli.folder / "public" / "issues" / name / "index.html").read_text("utf-8")


@pytest.fixture
def site(cli: CommandLine) -> Site:
    cli.issue("a", date="2025-01-01T00:00:00Z")
    return Site(cli)


def test_what_was_just_written_is_left_alone_for_a_minute(site: Site) -> None:
    site.tick(5)
    assert not site.is_public("a")
    site.tick(70)
    assert site.is_public("a")
    site.cli.issue("a", body="## Better {#ha}\n\nOther words.\n", date="2025-01-01T00:00:00Z")
    site.tick(75)
    site.tick(130)
    assert "Other words" not in site.page("a")
    site.tick(136)
    assert "Other words" in site.page("a")


def test_an_issue_comes_due_while_others_are_being_edited(site: Site) -> None:
    date = (site.begin + 10 * MINUTE).isoformat()
    site.cli.issue("later", date=date)
    site.tick(70)
    assert not site.is_public("later")
    for seconds in range(560, 602, 5):
        site.cli.issue("b", body=f"## B {{#hb}}\n\n{seconds}\n", status="draft")
        site.tick(seconds)
        assert site.is_public("later") == (seconds >= 600)


def test_editors_who_save_all_the_time_hold_it_back_for_ten_minutes(site: Site) -> None:
    site.tick(70)
    for seconds in range(100, 1300, 50):
        site.cli.issue("b", body=f"## B {{#hb}}\n\n{seconds}\n", date="2025-01-02T00:00:00Z")
        site.tick(seconds)
        assert site.is_public("b") == (seconds >= 700)


def test_a_clock_that_is_put_back_holds_nothing_back(site: Site) -> None:
    site.tick(5, clock=-3600)
    assert not site.is_public("a")
    site.tick(66, clock=-3600)
    assert site.is_public("a")


def test_without_a_reason_nothing_is_built(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[datetime] = []
    publish = Folder.publish

    def note(self: Folder, now: datetime) -> bool:
        built.append(now)
        return publish(self, now)

    monkeypatch.setattr(Folder, "publish", note)
    for seconds in range(70, 1000, 100):
        site.tick(seconds)
    assert len(built) == 1
    site.cli.write("templates/pages/none.html", "{# new #}")
    site.tick(1000)
    site.tick(1061)
    assert len(built) == 2


def test_what_is_wrong_is_said_once_and_built_when_it_is_mended(site: Site) -> None:
    broken = site.cli.issue("broken", body="## No id\n\nText.\n")
    for seconds in range(70, 200, 10):
        site.tick(seconds)
    assert len(site.said) == 1
    assert "issues/broken.md" in site.said[0]
    broken.unlink()
    site.tick(200)
    site.tick(261)
    assert site.said[1:] == ["the site is up to date"]


def test_an_after_build_that_fails_is_tried_again_but_not_at_every_tick(cli: CommandLine) -> None:
    cli.issue("a", date="2025-01-01T00:00:00Z")
    site = Site(cli, '\n[site]\nafter_build = "echo x >> tries; test -e fine"\n')
    for seconds in range(70, 100, 5):
        site.tick(seconds)
    assert cli.read("tries") == "x\n"
    assert len(site.said) == 1


def test_a_register_that_came_by_itself_is_published(site: Site) -> None:
    """`withdraw` elsewhere, and `git pull` here, change nothing else."""
    site.tick(70)
    register = site.cli.folder / "issues" / "register.jsonl"
    lines = register.read_text("utf-8")
    register.unlink()
    register.write_text(lines, "utf-8")
    site.tick(80)
    site.tick(145)
    site.tick(150)
    assert site.publishing._done == site.publishing._seen
