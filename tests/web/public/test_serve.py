"""The server as a whole: its port, its end, who is slow, and what it says to whom."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from publisher.errors import PublisherError
from publisher.web import serving
from publisher.web.public import handling, protocol
from publisher.web.public.pages import Pages
from publisher.web.serving import open_port
from tests.web.public.site import ONE_CLICK, PATIENCE, Site, free_port, make_settings, run_site

_COMMAND = "from publisher.cli import main; main()"
_SETTINGS = """\
[publication]
id = "tag:daily.example,2025:test"
title = "The Daily"
url = "https://daily.example"
time_zone = "Europe/Oslo"

[email]
from = "The Daily <news@daily.example>"
postal_address = "1 Quay, Oslo"

[web]
port = {port}
host = "{host}"

[console]
port = {console}
"""


@contextmanager
def _serving(folder: Path, port: int, host: str = "127.0.0.1") -> Iterator["subprocess.Popen[str]"]:
    """`publisher serve` in a process of its own."""
    (folder / "publisher.toml").write_text(
        _SETTINGS.format(port=port, host=host, console=free_port())
    )
    with subprocess.Popen(
        [sys.executable, "-c", _COMMAND, "serve"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _exchange(port: int, data: bytes, wait: float = PATIENCE) -> bytes:
    """Send bytes and read until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", port), wait) as connection:
        connection.sendall(data)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


def _trickle(connection: socket.socket) -> float:
    """Send a byte now and then; gives how many seconds the server bears it, at most 5."""
    started = time.monotonic()
    with suppress(OSError):
        while time.monotonic() - started < 5:
            connection.sendall(b"G")
            time.sleep(0.05)
    return time.monotonic() - started


def _drain(connection: socket.socket) -> int:
    """Read what there is; gives its length."""
    received = 0
    with suppress(OSError):
        while part := connection.recv(65536):
            received += len(part)
    return received


class TestPort:
    def test_one_that_is_taken_is_said_in_one_line(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with _serving(tmp_path, port) as process:
                out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 2
        assert out == ""
        assert "Traceback" not in err
        assert re.search(rf"port {port} of 127\.0\.0\.1 cannot be used: .*web\.port", err)

    @pytest.mark.parametrize("host", ["192.0.2.1", "nothing.invalid"])
    def test_a_host_that_is_not_ours(self, host: str) -> None:
        with pytest.raises(PublisherError, match="cannot be used"):
            open_port(host, free_port(), "web.port")

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "::1", "::"])
    def test_hosts_of_both_kinds(self, host: str) -> None:
        if ":" in host and not socket.has_dualstack_ipv6():
            pytest.skip("there is no IPv6 here")
        with open_port(host, free_port(), "web.port") as port:
            reached = "::1" if host == "::1" else "127.0.0.1"
            socket.create_connection((reached, port.getsockname()[1]), 5).close()


class TestEnd:
    def test_it_tells_its_url_serves_and_ends_at_once_when_asked(self, tmp_path: Path) -> None:
        port = free_port()
        (tmp_path / "public").mkdir()
        (tmp_path / "public" / "index.html").write_text("home")
        with _serving(tmp_path, port) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline() == f"Public site: http://127.0.0.1:{port}/\n"
            request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            assert _exchange(port, request).endswith(b"home")
            with socket.create_connection(("127.0.0.1", port)) as idle:
                idle.sendall(b"GET / HT")
                process.send_signal(signal.SIGTERM)
                started = time.monotonic()
                assert process.wait(PATIENCE) == 0
                assert time.monotonic() - started < 8
            assert process.stderr.read() == ""

    def test_nothing_personal_is_said(self, tmp_path: Path) -> None:
        port = free_port()
        with _serving(tmp_path, port) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            body = b"email=anna%40daily.example&name=Anna"
            head = (
                b"POST /subscribe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                b"X-Forwarded-For: 203.0.113.7\r\n"
                b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
            )
            for _ in range(2):
                assert b"200 OK" in _exchange(port, head % len(body) + body)
            get = b"GET /unsubscribe/TOKEN HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            assert b"404" in _exchange(port, get)
            assert b"400" in _exchange(port, b"nonsense\r\n\r\n")
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
            said = process.stderr.read() + process.stdout.read()
        assert not re.search(r"anna|Anna|TOKEN|203\.0\.113\.7|daily\.example", said)
        # The proxy is named once, since everybody is counted as one.
        assert said.count("web.trusted_proxies") == 1

    def test_what_is_being_answered_is_ended(self, tmp_path: Path) -> None:
        with run_site(tmp_path) as site:
            site.write("media/large.pdf", os.urandom(20_000_000))
            slow = socket.create_connection(("127.0.0.1", site.port))
            slow.sendall(b"GET /media/large.pdf HTTP/1.1\r\nHost: a\r\n\r\n")
            slow.recv(1000)
            started = time.monotonic()
        assert time.monotonic() - started < 10  # who does not read is not waited for
        slow.close()


class TestSlow:
    @pytest.fixture(autouse=True)
    def _hasten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.5)
        monkeypatch.setattr(protocol, "DRAIN_SECONDS", 0.5)
        monkeypatch.setattr(handling, "_BODY_SECONDS", 0.5)

    def test_who_sends_nothing_is_let_go(self, site: Site) -> None:
        started = time.monotonic()
        assert _exchange(site.port, b"") == b""
        assert 0.4 < time.monotonic() - started < 5

    def test_who_trickles_a_head_is_let_go(self, site: Site) -> None:
        with socket.create_connection(("127.0.0.1", site.port), PATIENCE) as connection:
            assert _trickle(connection) < 5

    def test_who_trickles_a_second_head_is_let_go(self, site: Site) -> None:
        site.write("index.html")
        with socket.create_connection(("127.0.0.1", site.port), PATIENCE) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"200 OK" in connection.recv(65536)
            time.sleep(1)  # a pause between requests is fine
            assert _trickle(connection) < 5

    def test_who_keeps_a_form_back_is_told(self, site: Site) -> None:
        head = (
            b"POST /subscribe HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\nemail="
        )
        assert _exchange(site.port, head).startswith(b"HTTP/1.1 408 ")

    def test_who_leaves_is_not_asked_for_the_rest(self, site: Site) -> None:
        site.add("anna@daily.example")
        link = site.link("unsubscribe", "anna@daily.example").encode()
        head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nList" % link
        with socket.create_connection(("127.0.0.1", site.port), PATIENCE) as connection:
            connection.sendall(head)
            assert b"200 OK" in connection.recv(65536)
        assert site.readers.get("anna@daily.example").status == "unsubscribed"

    def test_who_does_not_read_is_let_go(self, site: Site) -> None:
        site.write("media/large.pdf", os.urandom(30_000_000))
        with socket.create_connection(("127.0.0.1", site.port), PATIENCE) as connection:
            connection.sendall(b"GET /media/large.pdf HTTP/1.1\r\nHost: a\r\n\r\n")
            time.sleep(2)
            assert _drain(connection) < 30_000_000

    def test_a_hundred_who_are_slow_keep_nobody_waiting(self, site: Site) -> None:
        site.write("index.html")
        slow = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(100)]
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\n")
        started = time.monotonic()
        assert site.get("/").status == 200
        assert time.monotonic() - started < 2
        for connection in slow:
            connection.close()


def test_who_comes_when_there_is_no_room_is_told_when_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_MOST_CONNECTIONS", 1)
    with run_site(tmp_path) as site:
        for answer in (site.get("/"), site.subscribe("anna@daily.example")):
            assert (answer.status, answer.text) == (503, "Too many people are here just now.\n")
            assert answer.headers["retry-after"] == "60"
            assert answer.headers["cache-control"] == "no-store"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["date"]


class TestNonsense:
    @pytest.mark.parametrize(
        "data",
        [
            b"nonsense\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 40_000,
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        ],
    )
    def test_it_is_answered_as_such_and_no_more(self, data: bytes, site: Site) -> None:
        answer = _exchange(site.port, data)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"content-security-policy" in answer.lower()
        assert b"nosniff" in answer
        assert b"referrer-policy" in answer
        assert site.get("/healthz").status == 200

    def test_a_body_behind_an_early_answer_is_no_request(self, site: Site) -> None:
        """What is left of a body that was too long must not be read as the next request."""
        site.add("anna@daily.example")
        link = site.link("unsubscribe", "anna@daily.example").encode()
        smuggled = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" % link
        body = b"a" * 100_000 + smuggled
        head = (
            b"POST /subscribe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
        )
        answer = _exchange(site.port, head % len(body) + body)
        assert answer.count(b"HTTP/1.1") == 1
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert site.readers.get("anna@daily.example").status == "confirmed"


def test_changed_templates_are_seen_without_a_restart(tmp_path: Path) -> None:
    told: list[str] = []
    pages = Pages(tmp_path, make_settings(), told.append)
    before = pages.render("trial")
    assert not pages.refresh()
    templates = tmp_path / "templates" / "pages"
    templates.mkdir(parents=True)
    (templates / "consent.html").write_text("<p>{{ notice.title }}{{ 1 / 0 }}")
    assert pages.refresh()
    assert b"<h1>" in pages.render("trial").html
    assert len(told) == 1
    assert "ZeroDivisionError" in told[0]
    (templates / "consent.html").write_text("<p>{{ notice.title }}</p>")
    assert pages.refresh()
    assert pages.render("trial").html == b"<p>This was a trial message</p>"
    (templates / "consent.html").unlink()
    assert pages.refresh()
    assert pages.render("trial") == before


def test_a_database_that_fails_is_said_to_the_log_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with run_site(tmp_path) as site:
        site.add("anna@daily.example")
        link = site.link("unsubscribe", "anna@daily.example")
        with site.readers.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE subscriber RENAME TO gone")
        for method, path in (("GET", link), ("POST", link)):
            answer = site.ask(method, path, ONE_CLICK if method == "POST" else None)
            assert (answer.status, answer.title) == (503, "This does not work just now")
            assert "subscriber" not in answer.text.split("<main")[1]
        with site.readers.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO subscriber")
        assert site.get(link).status == 200
    said = capfd.readouterr().err
    assert "no such table" in said
    assert "Traceback" not in said
