"""A real hub is told of real changes by every command that publishes, whatever becomes of them."""

import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from publisher.runtime.hub import Book
from publisher.runtime.websub import HubBook, Teller, telling
from publisher.settings import load_settings
from publisher.site.build import build
from publisher.site.job import Job
from tests.cli.command_line import SETTINGS
from tests.delivery.post import NAME, Post
from tests.runtime.hub_server import Hub
from tests.runtime.running import running, wait_until
from tests.runtime.test_hub import NOW
from tests.runtime.test_run import EVERY_MINUTE, make_due

SIX = {
    f"https://daily.example/{stem}.{format_}": 1
    for stem in ("feed", "issues")
    for format_ in ("atom", "rss", "json")
}
TAG = {f"https://daily.example/tags/film/feed.{format_}": 1 for format_ in ("atom", "rss", "json")}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        yield hub


@pytest.fixture
def newsroom(post: Post, hub: Hub) -> Post:
    post.configure(hub.settings)
    return post


def _edit(post: Post, body: str = "") -> None:
    text = body or f"## Only {{#h{NAME}}}\n\nText that was edited at {time.time_ns()}.\n"
    post.cli.issue(NAME, text)


def _let_it_be_due(post: Post) -> None:
    """As if all waits were over."""
    path = post.folder / ".publisher" / "hub.json"
    book = json.loads(path.read_text())
    for topic in book["topics"].values():
        topic["next_at"] = book["wait_until"] = "2025-01-01T00:00:00Z"
    path.write_text(json.dumps(book))


def test_every_real_change_is_told_once_and_nothing_else(newsroom: Post, hub: Hub) -> None:
    assert newsroom.cli("build").status == 0
    assert hub.take_told() == SIX
    assert {tuple(sorted(form)) for form in hub.forms} == {("hub.mode", "hub.url")}
    assert {form["hub.mode"][0] for form in hub.forms} == {"publish"}
    assert newsroom.cli("build").status == 0
    (newsroom.folder / "public" / "feed.atom").unlink()  # and the build brings it back
    assert newsroom.cli("build").status == 0
    assert not hub.take_told()
    _edit(newsroom)
    assert newsroom.cli("build").status == 0
    assert hub.take_told() == SIX
    _edit(newsroom, f"## Only {{#h{NAME} .film}}\n\nText.\n")
    assert newsroom.cli("build").status == 0
    assert hub.take_told() == SIX | TAG
    _edit(newsroom, f"## Only {{#h{NAME}}}\n\nText.\n")
    assert newsroom.cli("build").status == 0
    assert hub.take_told() == SIX


def test_feeds_name_the_hub_that_is_told_and_archives_do_not(newsroom: Post, hub: Hub) -> None:
    newsroom.cli.issue("2025-10-01", date="2025-10-01T00:00:00+01:00")
    assert newsroom.cli("build").status == 0
    public = newsroom.folder / "public"
    for url in hub.take_told():
        text = (public / url.removeprefix("https://daily.example/")).read_text()
        assert hub.url in text
        assert url in text
    archived = [path.read_text() for path in (public / "archive").rglob("*.atom")]
    assert archived
    assert not any(hub.url in text for text in archived)


def test_without_a_hub_nothing_is_noted(post: Post) -> None:
    assert post.cli("build").status == 0
    assert not (post.folder / ".publisher" / "hub.json").exists()


def test_sending_and_withdrawing_tell_too(newsroom: Post, hub: Hub) -> None:
    newsroom.subscribe(["ada@reader.example"])
    assert newsroom.send().status == 0
    assert hub.take_told() == SIX
    assert newsroom.send().status == 5
    assert not hub.take_told()
    assert newsroom.cli("run", "--once").status == 0
    assert not hub.take_told()
    _edit(newsroom)
    assert newsroom.cli("run", "--once").status == 0
    assert hub.take_told() == SIX
    assert newsroom.cli("withdraw", f"h{NAME}").status == 0
    assert hub.take_told() == SIX


@pytest.mark.parametrize("status", [503, 301])
def test_a_hub_that_fails_fails_nothing_and_is_told_later(
    newsroom: Post, hub: Hub, status: int
) -> None:
    hub.status, hub.headers = status, {"Location": f"{hub.url}/elsewhere"}
    built = newsroom.cli("build", "--json")
    assert built.status == 0
    assert built.json["issues"] == 1
    assert f"it answered {status}" in built.err
    assert built.err.count("feeds.hub") == 1
    assert hub.asked == SIX
    hub.status = 204
    assert newsroom.cli("build").status == 0
    assert not hub.take_told(), "the wait is not over"
    _let_it_be_due(newsroom)
    assert newsroom.cli("build").status == 0
    assert hub.take_told() == SIX


def test_a_hub_that_is_down_is_told_when_it_is_back(newsroom: Post, hub: Hub) -> None:
    port = newsroom.free_port()
    newsroom.configure(hub.settings.replace(str(hub.port), str(port)))
    newsroom.subscribe(["ada@reader.example"])
    sent = newsroom.send()
    assert sent.status == 0
    assert sent.err.count("feeds.hub could not be told: no answer (ConnectError)") == 1
    with Hub(port) as other:
        _let_it_be_due(newsroom)
        assert newsroom.cli("build").status == 0
        assert other.take_told() == SIX


def test_a_hub_that_hangs_holds_up_no_build(newsroom: Post, hub: Hub) -> None:
    hub.is_stuck = True
    built = newsroom.cli("build")
    assert built.status == 0
    assert "feeds.hub is slow" in built.err
    assert sum(hub.asked.values()) == 1


def test_what_a_hub_refuses_is_said_once_and_let_go(newsroom: Post, hub: Hub) -> None:
    hub.status = 404
    assert newsroom.cli("build").err.count("with 404") == 6
    hub.status = 204
    assert newsroom.cli("build").status == 0
    assert not hub.take_told()


def test_it_is_told_only_of_what_after_build_brought_out(newsroom: Post, hub: Hub) -> None:
    newsroom.configure(f"{hub.settings}[site]\nafter_build = 'test ! -e fails'\n")
    newsroom.cli.write("fails", "")
    for _ in range(2):
        assert newsroom.cli("build").status == 2
        newsroom.cli("run", "--once")
        assert not hub.asked
    (newsroom.folder / "fails").unlink()
    assert newsroom.cli("build").status == 0
    assert hub.take_told() == SIX


def test_what_is_killed_before_it_tells_is_made_up_for(newsroom: Post, hub: Hub) -> None:
    newsroom.configure(f"{hub.settings}[site]\nafter_build = 'kill -9 $PPID'\n")
    assert newsroom.process("build").returncode == -signal.SIGKILL
    assert (newsroom.folder / "public" / "feed.atom").exists()
    assert not hub.asked
    newsroom.configure(hub.settings)
    assert newsroom.cli("build").status == 0
    assert hub.take_told() == SIX


def test_what_is_killed_while_it_tells_is_made_up_for(newsroom: Post, hub: Hub) -> None:
    hub.is_stuck = True
    process = newsroom.start("build")
    wait_until(lambda: hub.asked, "the hub is asked")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    hub.is_stuck = False
    assert newsroom.cli("build").status == 0
    assert hub.take_told() == SIX


def test_a_build_that_never_came_to_its_note_is_noticed(newsroom: Post, hub: Hub) -> None:
    settings = load_settings(newsroom.folder / "publisher.toml", {})
    output = newsroom.folder / "public"
    build(Job(folder=newsroom.folder, settings=settings, output=output, now=NOW))
    assert newsroom.cli("build", "--json").json["written"] == 0
    assert hub.take_told() == SIX


def test_several_processes_tell_each_change_once(newsroom: Post, hub: Hub) -> None:
    for _ in range(2):
        _edit(newsroom)
        processes = [newsroom.start("build") for _ in range(3)]
        for process in processes:
            _, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
        assert hub.take_told() == SIX


@pytest.mark.parametrize("data", [b"", b"{", b'{"topics": 7}', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_note_is_made_anew(newsroom: Post, hub: Hub, data: bytes) -> None:
    newsroom.cli.write(".publisher/hub.json", data)
    assert newsroom.cli("build").status == 0
    assert hub.take_told() == SIX


def test_run_tells_and_tries_again_by_itself(newsroom: Post, hub: Hub) -> None:
    port = newsroom.free_port()
    web = f'[web]\nport = {port}\nurl = "https://daily.example"\n'
    newsroom.configure(hub.settings + web + EVERY_MINUTE)
    newsroom.cli.issue(NAME, date=(datetime.now(UTC) - timedelta(hours=1)).isoformat())
    hub.status, hub.headers = 503, {"Retry-After": "2"}
    with running(newsroom, port) as run:
        make_due(newsroom)  # so that it publishes
        wait_until(lambda: hub.asked, f"the hub is asked:\n{run.said}")
        hub.status = 204
        wait_until(lambda: len(hub.told) == len(SIX), f"it is told:\n{run.said}")
        assert run.stop() == 0
    assert hub.told == SIX
    assert hub.asked.total() == len(SIX) + 1
    assert run.said.count("feeds.hub could not be told: it answered 503") == 1
    assert "Traceback" not in run.said


def test_what_a_build_left_is_told_by_run(newsroom: Post, hub: Hub) -> None:
    port = newsroom.free_port()
    newsroom.configure(f"{hub.settings}[web]\nport = {port}\n")
    hub.status, hub.headers = 429, {"Retry-After": "1"}
    assert newsroom.cli("build").status == 0
    assert hub.asked.total() == 1
    hub.status = 204
    with running(newsroom, port) as run:
        wait_until(lambda: len(hub.told) == len(SIX), f"it is told:\n{run.said}")
        assert run.stop() == 0
    assert hub.told == SIX


def test_what_cannot_be_noted_is_said_once(tmp_path: Path) -> None:
    """A disk that is full, or a folder that nobody may write to."""
    (tmp_path / "publisher.toml").write_text(SETTINGS + '[feeds]\nhub = "http://127.0.0.1:9/"\n')
    settings = load_settings(tmp_path / "publisher.toml", {})
    (tmp_path / ".publisher").mkdir()
    (tmp_path / ".publisher" / "hub.json").mkdir()
    said: list[str] = []
    with telling(tmp_path, settings, said.append):
        time.sleep(1.2)  # it looks twice
    assert len(said) == 1
    assert "Is a directory" in said[0]


def test_without_anything_owed_nobody_is_called(tmp_path: Path) -> None:
    teller = Teller(tmp_path, print, lambda hub, topic: pytest.fail("it was called"))
    assert teller.tell("https://hub.example/")
    assert HubBook(tmp_path).read() == Book()
