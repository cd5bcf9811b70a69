"""Clients that are slow, greedy or malicious: others are served meanwhile, and nothing is held."""

import gc
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from publisher.web import serving
from publisher.web.public import handling, protocol
from tests.web.public.site import PATIENCE, Site, run_site

TEXT = b"<p>words</p>\n" * 2_000
GET = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"
LARGE = 30_000_000


@pytest.fixture(autouse=True)
def _hasten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 1.0)
    monkeypatch.setattr(protocol, "DRAIN_SECONDS", 1.0)
    monkeypatch.setattr(handling, "_BODY_SECONDS", 1.0)


@pytest.fixture
def site(site: Site) -> Site:
    site.write("feed.atom", TEXT)
    site.write("media/large.pdf", b"")
    with (site.public / "media" / "large.pdf").open("r+b") as file:
        file.truncate(LARGE)
    return site


def _connect(site: Site) -> socket.socket:
    return socket.create_connection(("127.0.0.1", site.port), PATIENCE)


@contextmanager
def _others_are_served(site: Site) -> Iterator[None]:
    """Ask for a feed all the time; every answer must come, and be right."""
    ended, wrong, right = Event(), list[object](), list[int]()

    def ask() -> None:
        while not ended.is_set():
            try:
                answer = site.get("/feed.atom")
                (right if answer.body == TEXT else wrong).append(answer.status)
            except OSError as error:
                wrong.append(error)

    thread = Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(PATIENCE)
    assert not wrong
    assert right


def _read_to_end(connection: socket.socket) -> bytes:
    received = b""
    with suppress(OSError):
        while part := connection.recv(65_536):
            received += part
    return received


def _send_all(connection: socket.socket, data: bytes) -> None:
    """Send as long as it is taken."""
    connection.settimeout(5)
    with suppress(OSError):
        connection.sendall(data)


def test_a_million_headers_are_not_read(site: Site) -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * 1_000_000
    with _others_are_served(site), _connect(site) as connection:
        _send_all(connection, head)
        answer = _read_to_end(connection)
    assert answer[:13] in (b"HTTP/1.1 400 ", b"")  # the end may come before it was read


def test_a_head_that_comes_at_once_may_be_no_longer(site: Site) -> None:
    for length, status in ((8_000, b"200"), (100_000, b"400")):
        with _connect(site) as connection:
            pad = b"X: " + b"a" * length + b"\r\nConnection: close\r\n\r\n"
            connection.sendall(b"GET /feed.atom HTTP/1.1\r\nHost: a\r\n" + pad)
            assert _read_to_end(connection).startswith(b"HTTP/1.1 " + status)


def test_who_trickles_a_head_or_a_body_is_let_go(site: Site) -> None:
    post = b"POST /subscribe HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nemail"
    with _others_are_served(site):
        for beginning in (b"GET /feed.atom HTTP/1.1\r\nX: ", post):
            with _connect(site) as connection:
                connection.sendall(beginning)
                started = time.monotonic()
                with suppress(OSError):
                    while time.monotonic() - started < 5:
                        connection.sendall(b"a")
                        time.sleep(0.05)
                assert time.monotonic() - started < 5


@pytest.mark.parametrize("target", [b"POST /subscribe", b"GET /feed.atom", b"POST /nothing"])
def test_a_huge_body_is_not_read(target: bytes, site: Site) -> None:
    head = b"%s HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000000\r\n\r\n" % target
    sent = 0
    with _others_are_served(site), _connect(site) as connection:
        connection.settimeout(5)
        connection.sendall(head)
        with suppress(OSError):
            while sent < 200_000_000:
                sent += connection.send(b"a" * 65_536)
    assert sent < 30_000_000  # what fits into buffers of the system


def test_a_body_of_endless_chunks_is_not_read(site: Site) -> None:
    head = b"POST /subscribe HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = 0
    with _others_are_served(site), _connect(site) as connection:
        connection.settimeout(5)
        connection.sendall(head)
        with suppress(OSError):
            while sent < 200_000_000:
                sent += connection.send(b"1\r\na\r\n" * 10_000)
    assert sent < 30_000_000


def test_thousands_of_requests_in_one_piece_are_answered_one_by_one(site: Site) -> None:
    number = 3_000
    pieces = b"".join([GET % b"/feed.atom"] * (number - 1))
    last = b"GET /feed.atom HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    received = 0
    with _others_are_served(site), _connect(site) as connection:
        sender = Thread(target=_send_all, args=(connection, pieces + last))
        sender.start()
        tail = b""
        while part := connection.recv(1_000_000):
            received += (tail[-15:] + part).count(b"HTTP/1.1 200 OK")
            tail = part[-14:]
        sender.join()
    assert received == number


def test_who_asks_and_never_reads_is_let_go(site: Site) -> None:
    """However much they ask for, it does not wait in memory."""
    with _others_are_served(site):
        greedy = [_connect(site) for _ in range(30)]
        for connection in greedy:
            _send_all(connection, (GET % b"/media/large.pdf") + (GET % b"/feed.atom") * 200)
        time.sleep(3)
        for connection in greedy:
            connection.settimeout(PATIENCE)
            assert len(_read_to_end(connection)) < LARGE
            connection.close()


def test_many_parts_of_a_large_file_are_left_behind(site: Site) -> None:
    """Who asks for parts and leaves has nothing read for them any longer."""
    fds = Path("/proc/self/fd")
    with (site.public / "media" / "huge.mp4").open("wb") as file:
        file.truncate(4_000_000_000)  # no disk has that to hold
    before = len(list(fds.iterdir())) if fds.exists() else 0
    many = b"Range: bytes=" + b",".join(b"%d-" % place for place in range(1_500))
    with _others_are_served(site):
        for asked in (b"Range: bytes=0-", many):
            head = b"GET /media/huge.mp4 HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n" % asked
            for _ in range(50):
                with _connect(site) as connection:
                    connection.sendall(head)
                    assert connection.recv(12) in (b"HTTP/1.1 206", b"HTTP/1.1 200")
    if before:
        deadline = time.monotonic() + PATIENCE
        while len(list(fds.iterdir())) > before + 10:
            assert time.monotonic() < deadline, "files stay open"
            gc.collect()
            time.sleep(0.1)


def test_who_holds_all_connections_loses_them_to_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_MOST_CONNECTIONS", 60)
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 60.0)
    monkeypatch.setattr(protocol, "DRAIN_SECONDS", 60.0)
    with run_site(tmp_path) as site:
        site.write("feed.atom", TEXT)
        site.write("media/large.pdf", os.urandom(20_000_000))
        beginnings = (b"", b"GET /feed.atom HTT", GET % b"/feed.atom", GET % b"/media/large.pdf")
        held = []
        with _others_are_served(site):
            for number in range(300):
                connection = _connect(site)
                connection.sendall(beginnings[number % 4])
                held.append(connection)
                time.sleep(0.01)  # not all before the server looks
            for _ in range(5):
                assert site.get("/feed.atom").status == 200
        for connection in held:
            connection.close()
