"""`publisher run` as it is operated: its hooks, its webhooks, its metrics, its log, and its end."""

import json
import re
import socket
import time

from publisher.model.events import EVENT_KINDS
from tests.delivery.post import NAME, Post
from tests.runtime.running import LEAVE, running, wait_until
from tests.runtime.test_webhooks import SECRET, Ear, ear
from tests.web.hooks.relays import sign
from tests.web.public.site import Client, free_port

__all__ = ["ear"]

ADA, BEN = "ada@reader.example", "ben@leser.example"
ROLES = ("web", "console", "scheduler", "webhooks", "delivery")
_CONFIRM = re.compile(r"https://daily\.example(/confirm/[\w-]+)")


def _webhook(ear: Ear) -> str:
    return (
        f'[[webhook]]\nurl = "{ear.url}"\nsecret = "{SECRET}"\nallow_private = true\n'
        f"events = {json.dumps(EVENT_KINDS)}\n"
    )


def test_run_once_tells_what_there_is(post: Post, ear: Ear) -> None:
    post.configure(_webhook(ear))
    assert post.cli("run", "--once").status == 0
    assert ear.kinds == ["issue.published"]
    assert post.cli("subscribers", "add", ADA).status == 0
    assert post.cli("run", "--once").status == 0
    assert ear.kinds == ["issue.published", "subscriber.confirmed"]


def test_a_whole_journey_is_told_and_logged_without_a_person_and_ends_in_time(
    post: Post, ear: Ear
) -> None:
    web = free_port()
    post.configure(
        f'[web]\nport = {web}\nurl = "https://daily.example"\n'
        f'[console]\nmetrics = "open"\n'
        f'[hooks]\ngeneric_secret = "{SECRET}"\n'
        f"{_webhook(ear)}"
    )
    with running(post, web, "--log-format", "json") as run:
        run.wait_for_web()
        run.wait_for(*ROLES)
        desk = Client(_find_port(run.said))
        assert run.web.subscribe(ADA).status == 200
        wait_until(lambda: post.server.messages, "a confirmation arrives")
        text = post.server.messages[0].data.decode().replace("=\r\n", "")
        found = _CONFIRM.search(text)
        assert found
        confirmed = run.web.ask("POST", found[1], b"")
        assert confirmed.status == 200
        assert post.cli("subscribers", "add", BEN).status == 0
        assert post.cli("send", NAME, "--yes").status == 0
        wait_until(lambda: "mailing.finished" in ear.kinds, f"it is told:\n{run.said}")
        assert "publisher_scheduler_tick_age_seconds" in desk.get("/metrics").text
        forged = {"Publisher-Signature": sign(b"{}", "another secret")}
        assert desk.ask("POST", "/hooks/generic", b"{}", forged).status == 401
        assert desk.get("/hooks/generic?email=" + ADA).status in (303, 404, 405)
        status, told = _report_while_stopping(desk.port, run.parent.terminate)
        began = time.monotonic()
        assert run.parent.wait(LEAVE) == 0
        assert time.monotonic() - began < LEAVE
        assert (status, told) == (200, b"bounce\n")
        said = run.said
    readers = post.cli("subscribers", "list", "--json").json["subscribers"]
    assert {each["email"]: each["suppressed"] for each in readers} == {ADA: True, BEN: False}
    assert ear.kinds[:4] == [
        *("subscriber.confirmed", "subscriber.confirmed", "issue.published", "mailing.started")
    ]
    _look_at(said)


def _find_port(said: str) -> int:
    """The console's, which the environment of tests chooses."""
    found = re.search(r"^Console: http://127\.0\.0\.1:(\d+)/$", said, re.MULTILINE)
    assert found, said
    return int(found[1])


def _report_while_stopping(port: int, stop: object) -> tuple[int, bytes]:
    """Report a bounce whose body is half sent when the end begins; give what was answered."""
    body = json.dumps({"type": "bounce", "recipient": ADA, "permanent": True}).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=LEAVE) as connection:
        head = (
            f"POST /hooks/generic HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Publisher-Signature: {sign(body, SECRET)}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        connection.sendall(head.encode() + body[:10])
        time.sleep(0.5)
        assert callable(stop)
        stop()
        time.sleep(1)
        connection.sendall(body[10:])
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    assert answer, "it was dropped"
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]


def _look_at(said: str) -> None:
    """Every line but where everything is, is an object; and none names a person or lets one in."""
    lines = [line for line in said.splitlines() if line.startswith("{")]
    others = [line for line in said.splitlines() if not line.startswith("{")]
    assert lines
    for line in lines:
        written = json.loads(line)
        assert written.keys() == {"time", "level", "role", "event", "message"}
        assert written["role"] in ("run", *ROLES)
    assert any(json.loads(line)["event"] == "hook-refused" for line in lines)
    assert [line.partition(":")[0] for line in others] == [
        *("Public site", "Console", "There is no operator yet. Become the first owner within a day")
    ]
    for secret in (ADA, BEN, "@", "/confirm/", SECRET, "key=x", "203.0.113"):
        assert secret not in "\n".join(lines), secret
