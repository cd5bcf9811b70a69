"""Requests to others' servers: never into a network of our own, and never for long."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
import trustme

from publisher.runtime.outward import Answer, ask, is_public

PRIVATE = [
    *("127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "198.18.0.1"),
    *("192.0.0.192", "192.0.2.1", "192.88.99.1", "198.51.100.1", "203.0.113.9", "224.0.0.1"),
    *("239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1"),
    *("64:ff9b::808:808", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:db8::1", "2001:10::1"),
    *("2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254"),
    *("fe80::1", "fe80::1%eth0", "2606:4700::1%eth0", "fec0::1", "ff02::1", "localhost", ""),
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "2a00::1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_one_server_in_the_open_network_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_may_be_asked(address: str) -> None:
    assert is_public(address)


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[tuple[int, list[bytes]]]:
    """A server on loopback that does anything; gives its port and how its requests began."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    try:
                        heard.append(client.recv(65_536))
                        serve(client)
                    except OSError:
                        pass

        Thread(target=run, daemon=True).start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)


def _fine(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:7f00:1]"]
)
def test_no_spelling_of_this_machine_is_asked(host: str) -> None:
    with listening(_fine) as (port, heard):
        answer = ask("POST", f"http://{host}:{port}/", b"x")
        assert answer.status == 0
        assert answer.fault
        assert heard == []


def test_a_name_with_one_private_address_is_refused_whatever_else_it_has() -> None:
    with listening(_fine) as (port, heard):
        url = f"http://news.example:{port}/"
        answer = ask("POST", url, b"x", resolve=lambda *_: ["8.8.8.8", "127.0.0.1"])
        assert answer == Answer(fault="its host is in a private network")
        assert heard == []


def test_the_very_address_that_was_judged_is_asked_and_no_other() -> None:
    """A name that means another address a moment later is looked up once."""
    asked: list[str] = []

    def resolve(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with listening(_fine) as (port, heard):
        url = f"http://rebinding.example:{port}/a?b=c"
        answer = ask("POST", url, b"x", allow_private=True, resolve=resolve)
        assert answer.status == 200
    assert asked == ["rebinding.example"]
    assert heard[0].startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert f"Host: rebinding.example:{port}\r\n".encode() in heard[0]


def test_a_redirect_is_not_followed() -> None:
    with listening(_fine) as (inner, reached):

        def move(client: socket.socket) -> None:
            client.sendall(
                f"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:{inner}/\r\n\r\n".encode()
            )

        with listening(move) as (port, _):
            url = f"http://127.0.0.1:{port}/"
            assert ask("POST", url, b"x", allow_private=True).status == 307
        assert reached == []


def test_a_certificate_of_another_name_is_not_taken() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hooks.example").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            for _ in range(2):
                client, _ = server.accept()
                try:
                    with context.wrap_socket(client, server_side=True) as safe:
                        said = b""
                        while not said.endswith(b"\r\n\r\nx"):
                            said += safe.recv(65_536)
                        safe.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                except OSError:
                    pass

        thread = Thread(target=run)
        thread.start()
        port = server.getsockname()[1]
        found = [
            ask(
                "POST",
                f"https://{host}:{port}/",
                b"x",
                allow_private=True,
                resolve=lambda *_: ["127.0.0.1"],
                context=trusting,
            )
            for host in ("hooks.example", "other.example")
        ]
        thread.join()
    assert found[0].status == 204
    assert found[1] == Answer(fault="no answer (SSLCertVerificationError)")


def test_a_server_that_gives_a_byte_now_and_then_is_cut_off() -> None:
    def drip(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100):
            client.sendall(b"X: y\r\n")
            time.sleep(0.1)

    with listening(drip) as (port, _):
        answer = ask("POST", f"http://127.0.0.1:{port}/", b"x", allow_private=True, seconds=0.5)
        assert answer == Answer(fault="no answer (it took too long)")


def test_a_body_that_is_too_long_is_none() -> None:
    with listening(_fine) as (port, _):
        url = f"http://127.0.0.1:{port}/"
        assert ask("GET", url, most=2, allow_private=True).body == b"ok"
        assert ask("GET", url, most=1, allow_private=True).status == 0
