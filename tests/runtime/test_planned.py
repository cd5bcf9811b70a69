"""A planned send by `run`, whose every process is killed between the approval and the start."""

import os
import signal
from datetime import UTC, datetime, timedelta

from publisher.runtime.newsroom import Folder
from publisher.settings import load_settings
from publisher.store.plans import add_plan
from tests.delivery.post import NAME, Post
from tests.runtime.running import running, wait_until
from tests.web.public.site import free_port

READERS = 40


def _plan(post: Post, seconds_left: float) -> None:
    """Plan a send of what is there, as the console does, so that it is due in a moment."""
    settings = load_settings(post.folder / "publisher.toml", {})
    newsroom, now = Folder(post.folder, settings), datetime.now(UTC)
    new = newsroom.freeze(now, NAME)
    database = post.open()
    with database.write() as connection:
        add_plan(
            connection,
            database.publication,
            issue=new.issue,
            slug=NAME,
            digest=new.digest,
            who="anna@daily.example",
            client="",
            now=now - timedelta(seconds=60 - seconds_left),
        )
    database.close()


def _statuses(post: Post) -> list[str]:
    return [status for (status,) in post.rows("SELECT status FROM planned_send")]


def test_a_kill_of_everything_between_plan_and_start_leaves_it_started_once(post: Post) -> None:
    port = free_port()
    post.configure(f'[web]\nport = {port}\nurl = "https://daily.example"\n', rate=20)
    addresses = post.subscribe(READERS)
    assert post.cli("build").status == 0
    with running(post, port) as run:
        run.wait_for("web", "console", "scheduler", "delivery")
        _plan(post, 4)
        os.killpg(run.parent.pid, signal.SIGKILL)
        run.parent.wait()
    assert _statuses(post) == ["waiting"]
    for _ in range(2):  # and once more in the middle of it
        with running(post, port) as run:
            wait_until(lambda: len(post.server.messages) >= 5, f"it is sent:\n{run.said}")
            os.killpg(run.parent.pid, signal.SIGKILL)
            run.parent.wait()
    with running(post, port) as run:
        wait_until(lambda: post.status()["status"] == "finished", f"it ends:\n{run.said}")
        assert run.stop() == 0
        assert "Traceback" not in run.said
    assert _statuses(post) == ["started"]
    assert len(post.rows("SELECT id FROM mailing")) == 1
    arrived = post.arrived()
    assert sorted(arrived) == sorted(addresses)
    # A kill leaves one doubt at most for each connection, which is sent again.
    assert sum(arrived.values()) <= READERS + 2 * 4
