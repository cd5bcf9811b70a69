"""Random faults during one mailing with three workers: nobody is lost, and nobody gets it twice."""

import random
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import pytest

from publisher.store import batches
from tests import postgresql
from tests.cli.command_line import SETTINGS, CommandLine
from tests.delivery.cables import Cable
from tests.delivery.post import Post
from tests.delivery.workers import LEASE, Worker, add_readers, begin_mailing, wait_for, working
from tests.smtp.scripted import Accepted, ScriptedServer

pytestmark = pytest.mark.long
CONNECTIONS = 3
FAULTS = 50
NAME = "daily"


class Scene:
    """Three workers, each with a cable to the database and one to the relay; and what befalls them.

    `doubts` is how many deliveries may be in doubt for what was done.
    """

    def __init__(
        self, post: Post, cluster: postgresql.Cluster, seed: int, stack: ExitStack
    ) -> None:
        self.cluster = cluster
        self.chance = random.Random(seed)
        self.doubts = 0
        self.done: list[str] = []
        self.databases = [
            stack.enter_context(Cable(f"{cluster.folder}/.s.PGSQL.5432")) for _ in range(3)
        ]
        self.relays = [stack.enter_context(Cable(post.server.port)) for _ in range(3)]
        self.workers = stack.enter_context(
            working(
                Worker(
                    post,
                    f"w{number}",
                    url=f"postgresql://postgres@127.0.0.1:{database.port}/{NAME}",
                    port=relay.port,
                ).start()
                for number, (database, relay) in enumerate(
                    zip(self.databases, self.relays, strict=True)
                )
            )
        )

    def befall(self) -> None:
        """One fault, of one worker or of all."""
        for each in self.workers:
            each.start_again()
        number = self.chance.randrange(3)
        fault = self.chance.choice(
            ("kill", "stop", "no database", "cut database", "no relay", "cut relay", "restart")
        )
        self.done.append(f"{fault} {number}")
        self.doubts += CONNECTIONS * (3 if fault == "restart" else 1)
        getattr(self, "_" + fault.replace(" ", "_"))(number)

    def _kill(self, number: int) -> None:
        self.workers[number].kill()
        self._wait(0, LEASE)
        self.workers[number].start()

    def _stop(self, number: int) -> None:
        self.workers[number].signal(signal.SIGSTOP)
        self._wait(LEASE, 2 * LEASE)
        self.workers[number].signal(signal.SIGCONT)

    def _no_database(self, number: int) -> None:
        self.databases[number].hold()
        self._wait(0, 2 * LEASE)
        self.databases[number].mend()

    def _cut_database(self, number: int) -> None:
        self.databases[number].cut()
        self._wait(0, 2 * LEASE)
        self.databases[number].mend()

    def _no_relay(self, number: int) -> None:
        self.relays[number].hold()
        self._wait(0, 2 * LEASE)
        self.relays[number].mend()

    def _cut_relay(self, number: int) -> None:
        self.relays[number].cut()
        self._wait(0, 1)
        self.relays[number].mend()

    def _restart(self, number: int) -> None:
        self.cluster.stop(self.chance.choice(("fast", "immediate")))
        self._wait(0, 1)
        self.cluster.start()

    def _wait(self, least: float, most: float) -> None:
        time.sleep(self.chance.uniform(least, most))


@pytest.fixture
def cluster() -> Iterator[postgresql.Cluster]:
    """One that writes everything out, as one that is used does."""
    folder = Path(mkdtemp(prefix="publisher-faults-"))
    cluster = postgresql.Cluster(folder, max_connections="200")
    cluster.make()
    cluster.start()
    try:
        yield cluster
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            cluster.stop()
        shutil.rmtree(folder)


@pytest.fixture
def post(cluster: postgresql.Cluster, empty: CommandLine) -> Iterator[Post]:
    with psycopg.connect(cluster.url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {NAME}")
    empty.write("publisher.toml", SETTINGS)
    empty.monkeypatch.setenv("PUBLISHER_DATABASE__URL", postgresql.url_of(cluster.url, NAME))

    def answer_late(message: Accepted) -> None:
        time.sleep(0.05)  # what is accepted here is not known there yet

    with ScriptedServer(delay=0.08, on_message=answer_late) as server:
        yield Post(empty, server)


@pytest.mark.parametrize("seed", range(3))
def test_after_50_faults_nobody_is_lost_and_nobody_gets_it_twice(
    post: Post, cluster: postgresql.Cluster, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(batches, "SIZE", 50)
    post.configure(connections=CONNECTIONS, on_in_doubt="hold")
    readers = add_readers(post, 6_000)
    began = time.monotonic()
    with ExitStack() as stack:
        scene = Scene(post, cluster, seed, stack)
        begin_mailing(post)
        time.sleep(2)
        for _ in range(FAULTS):
            assert post.status()["status"] == "sending", f"over after {len(scene.done)} faults"
            scene.befall()
            scene._wait(0, 2)
        post.server.delay = 0
        for each in scene.workers:
            each.start_again()
        deadline = time.monotonic() + 240
        while post.status()["status"] != "finished":
            said = "\n".join(each.said for each in scene.workers)
            assert time.monotonic() < deadline, f"{post.counts()} after {scene.done}:\n{said}"
            time.sleep(0.2)
        time.sleep(2 * LEASE)  # what comes late has come
    counts, arrived = post.counts(), post.arrived()
    in_doubt = post.deliveries("--status", "in_doubt").keys()
    lost = set(readers) - arrived.keys() - in_doubt
    twice = {email: number for email, number in arrived.items() if number > 1}
    print(
        f"seed {seed}: {FAULTS} faults in {time.monotonic() - began:.0f} s; {counts};"
        f" doubts at most {scene.doubts}; lost {len(lost)}; twice {len(twice)}"
    )
    assert sum(counts.values()) == len(readers)
    assert counts.keys() <= {"sent", "in_doubt"}
    assert (lost, twice) == (set(), {}), scene.done
    assert counts.get("in_doubt", 0) <= scene.doubts


def test_who_lives_while_the_database_is_restarted_keeps_what_it_has(
    post: Post, cluster: postgresql.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "SIZE", 50)
    post.configure(connections=CONNECTIONS, on_in_doubt="resend")
    readers = add_readers(post, 1_000)
    with ExitStack() as stack:
        scene = Scene(post, cluster, 0, stack)
        begin_mailing(post)
        for _ in range(5):
            wait_for_more(post, 50)
            scene._restart(0)
        wait_for(lambda: post.counts() == {"sent": len(readers)}, "all are sent", 240)
    assert post.arrived() == dict.fromkeys(readers, 1)


def wait_for_more(post: Post, number: int) -> None:
    before = len(post.server.messages)
    wait_for(lambda: len(post.server.messages) >= before + number, f"{number} more")
