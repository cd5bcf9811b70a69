"""`publisher run` as it is used: real processes, a real relay, a real web server for alerts."""

import os
import signal
import socket
import time
from datetime import UTC, datetime, timedelta

from tests.delivery.post import NAME, Post
from tests.runtime.hook import Hook
from tests.runtime.running import LEAVE, is_alive, running, wait_until

ADA = "ada@reader.example"
EVERY_MINUTE = '[[schedule]]\nname = "daily"\ncron = "* * * * *"\nsettle = "0s"\n'
ROLES = ("web", "console", "scheduler", "delivery")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _configure(post: Post, *tables: str) -> int:
    """Have a port of its own, which the tests that run beside this one do not take."""
    port = _free_port()
    web = f'[web]\nport = {port}\nurl = "https://daily.example"\n'
    post.configure("\n".join([web, *tables]))
    return port


def make_due(post: Post) -> None:
    """As if the schedule had been seen two minutes ago, and nothing had run since."""
    database = post.open()

    def is_seen() -> bool:
        with database.write() as connection:
            sql = "UPDATE schedule SET first_seen_at = first_seen_at - 120000"
            return bool(connection.exec_driver_sql(sql).rowcount)

    wait_until(is_seen, "the schedule is seen")
    database.close()


def test_a_confirmation_leaves_within_5_s_and_sigterm_ends_all(post: Post) -> None:
    port = _configure(post)
    assert post.cli("build").status == 0
    with running(post, port) as run:
        run.wait_for_web()
        children = run.wait_for(*ROLES)
        time.sleep(1)  # the delivery process has begun
        asked = run.web.subscribe(ADA)
        assert asked.status == 200, asked
        seconds = wait_until(lambda: post.server.messages, "a confirmation arrives", 5)
        assert seconds < 5
        assert post.arrived() == {ADA: 1}
        assert "/confirm/" in post.messages()[0].as_string()
        assert run.stop() == 0
        assert not any(is_alive(pid) for pid in children.values())
        assert "Traceback" not in run.said


def test_a_killed_child_is_started_again_and_none_outlives_its_parent(post: Post) -> None:
    port = _configure(post)
    with running(post, port) as run:
        run.wait_for_web()
        before = run.wait_for(*ROLES)
        for role in ROLES:
            os.kill(before[role], signal.SIGKILL)
        wait_until(
            lambda: (
                run.children().keys() == set(ROLES)
                and not set(run.children().values()) & set(before.values())
            ),
            f"all are started again:\n{run.said}",
        )
        run.wait_for_web()
        after = run.children()
        run.parent.kill()
        run.parent.wait()
        wait_until(
            lambda: not any(is_alive(pid) for pid in after.values()), "the children end", LEAVE
        )


def test_sigterm_in_a_mailing_lets_what_is_in_flight_end(post: Post) -> None:
    port = _configure(post)
    readers = post.subscribe(200)
    post.server.delay = 0.05
    with running(post, port) as run:
        run.wait_for(*ROLES)
        sending = post.start("send", NAME, "--yes")
        wait_until(lambda: len(post.server.messages) > 8, "something is sent")
        sending.send_signal(signal.SIGTERM)
        sending.communicate()
        number = len(post.server.messages)
        wait_until(lambda: len(post.server.messages) > number + 8, "run goes on with it")
        began = time.monotonic()
        assert run.stop() == 0
        assert time.monotonic() - began < LEAVE
        counts = post.counts()
        assert counts.keys() == {"queued", "sent"}
        assert counts["sent"] == len(post.server.messages)
    post.server.delay = 0
    assert post.send().status == 0
    assert post.arrived() == dict.fromkeys(readers, 1)


def test_a_firing_alerts_once_serves_a_late_editor_and_beats(post: Post, hook: Hook) -> None:
    (post.folder / "issues" / f"{NAME}.md").unlink()
    port = _configure(post, EVERY_MINUTE, hook.settings)
    post.subscribe([ADA])
    with running(post, port) as run:
        run.wait_for(*ROLES)
        make_due(post)
        wait_until(lambda: hook.alerts, f"an alert comes:\n{run.said}", 30)
        assert hook.alerts[0]["kind"] == "nothing-ready"
        assert "there is no issue" in hook.alerts[0]["text"]
        time.sleep(6)  # another tick, at which nothing is told again
        assert hook.beats == []
        post.cli.issue(NAME, date=datetime.now(UTC).isoformat(timespec="seconds"))
        wait_until(lambda: hook.beats, f"it fires:\n{run.said}", 30)
        wait_until(lambda: post.arrived(), "the issue arrives", 30)
        assert post.arrived() == {ADA: 1}
        assert (post.folder / "public" / "issues" / NAME / "index.html").exists()
        assert run.stop() == 0
    about = [each["about"] for each in hook.alerts]
    assert len(about) == len(set(about))
    assert hook.beats == ["/beat"]
    shown = post.cli("schedule", "--json").json["schedules"][0]["last"]
    assert shown["outcome"] in ("fired", "open")  # the next minute's may be waiting
    assert "Traceback" not in run.said


def test_without_mail_the_site_is_served_and_comes_up_to_date(post: Post) -> None:
    port = _configure(post, EVERY_MINUTE)
    text = post.cli.read("publisher.toml")
    post.cli.write("publisher.toml", text.replace("from =", "# from ="))
    post.cli.issue(NAME, date=(datetime.now(UTC) - timedelta(hours=1)).isoformat())
    post.subscribe([ADA])
    with running(post, port) as run:
        run.wait_for("web", "console", "scheduler")
        run.wait_for_web()
        make_due(post)
        wait_until(lambda: "failed: " in run.said, f"it is said:\n{run.said}", 30)
        time.sleep(6)
        assert run.stop() == 0
    assert "email.from must be set" in run.said
    assert "Traceback" not in run.said
    # Once by each part and for each minute's firing, whose time the line has; not at each tick.
    told = [line.split(" ", 1)[1] for line in run.said.splitlines() if "email.from" in line]
    assert len(told) == len(set(told))
    assert post.counts() == {}


def test_a_port_that_is_taken_ends_it(post: Post) -> None:
    port = _configure(post)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with running(post, port) as run:
            assert run.parent.wait(60) == 2
            assert f"port {port}" in run.said
