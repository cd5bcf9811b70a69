"""A PostgreSQL server that ends and comes back while everything runs on it."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import pytest

from tests import postgresql
from tests.cli.command_line import SETTINGS, CommandLine
from tests.delivery.post import NAME, Post
from tests.runtime.running import running, wait_until
from tests.smtp.scripted import ScriptedServer

pytestmark = [pytest.mark.long, pytest.mark.sqlite]
READERS = 150


@pytest.fixture
def cluster() -> Iterator[postgresql.Cluster]:
    """One that writes everything out, as one that is used does."""
    folder = Path(mkdtemp(prefix="publisher-restarted-"))
    cluster = postgresql.Cluster(folder)
    cluster.make()
    cluster.start()
    try:
        yield cluster
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            cluster.stop()
        shutil.rmtree(folder)


@pytest.fixture
def restarted(cluster: postgresql.Cluster, empty: CommandLine, server: ScriptedServer) -> Post:
    with psycopg.connect(cluster.url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE daily")
    empty.write("publisher.toml", SETTINGS)
    url = postgresql.url_of(cluster.url, "daily")
    empty.monkeypatch.setenv("PUBLISHER_DATABASE__URL", url)
    return Post(empty, server)


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_everything_goes_on_when_it_is_back(
    restarted: Post, cluster: postgresql.Cluster, how: str
) -> None:
    post, port = restarted, restarted.free_port()
    post.configure(f"[web]\nport = {port}", connections=4, on_in_doubt="hold")
    readers = post.subscribe(READERS)
    post.server.delay = 0.05
    with running(post, port) as run:
        run.wait_for_web()
        children = run.wait_for("web", "console", "scheduler", "delivery")
        sending = post.start("send", NAME, "--yes")
        for _ in range(3):
            before = len(post.server.messages)
            while len(post.server.messages) < before + 20:
                assert run.parent.poll() is None, run.said
                time.sleep(0.02)
            cluster.stop(how)
            cluster.start()
        wait_until(lambda: len(post.server.messages) >= READERS, f"all arrive:\n{run.said}")
        wait_until(lambda: post.counts().get("sent") == READERS, f"all are recorded:\n{run.said}")
        run.wait_for_web()
        assert run.children() == children, f"nobody had to be started again:\n{run.said}"
    sending.kill()
    sending.communicate()
    assert post.arrived() == dict.fromkeys(readers, 1)
    assert "Traceback" not in run.said
