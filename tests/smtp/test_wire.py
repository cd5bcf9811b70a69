"""Replies are read one by one, bounded in size and time; writing knows what it handed over."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.smtp.replies import MAX_LINE, MAX_LINES, ProtocolError
from publisher.smtp.wire import Wire, run
from tests.smtp.scripted import PATIENT

Pair = tuple[Wire, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Wire(ours), theirs


def test_replies_that_arrive_together_are_kept_apart(pair: Pair) -> None:
    wire, server = pair
    server.sendall(b"250 one\r\n250-two\r\n250 and a half\r\n354 three\r\n")
    assert str(run(wire.read(PATIENT))) == "250 one"
    assert str(run(wire.read(PATIENT))) == "250 two and a half"
    assert wire.has_unread
    assert str(run(wire.read(PATIENT))) == "354 three"
    assert not wire.has_unread


@given(st.lists(st.integers(1, 30), max_size=20))
def test_a_reply_may_come_in_any_pieces(sizes: list[int]) -> None:
    ours, theirs = socket.socketpair()
    data = b"250-2.1.0 one\r\n250 2.1.0 two\n550 5.1.1 three\r\n"
    with ours, theirs:
        wire = Wire(ours)
        thread = threading.Thread(target=_send_in_pieces, args=(theirs, data, sizes))
        thread.start()
        assert str(run(wire.read(PATIENT))) == "250 2.1.0 one two"
        assert str(run(wire.read(PATIENT))) == "550 5.1.1 three"
        thread.join()


def _send_in_pieces(server: socket.socket, data: bytes, sizes: list[int]) -> None:
    for size in sizes:
        server.sendall(data[:size])
        data = data[size:]
    server.sendall(data)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"250 " + b"x" * MAX_LINE + b"\r\n", "line of more than"),
        (b"x" * (3 * MAX_LINE), "line of more than"),
        (b"250-x\r\n" * (MAX_LINES + 1) + b"250 x\r\n", "more than 256 lines"),
        (b"250-x\r\n550 y\r\n", "two codes, 250 and 550"),
        (b"250-x\r\nhello\r\n", "no SMTP reply: hello"),
        (b"\r\n", "no SMTP reply"),
        (b"\x16\x03\x01\n", "no SMTP reply"),
    ],
)
def test_what_is_no_reply_is_said_so(pair: Pair, said: bytes, error: str) -> None:
    wire, server = pair
    threading.Thread(target=server.sendall, args=(said,), daemon=True).start()
    with pytest.raises(ProtocolError, match=error):
        run(wire.read(PATIENT))


def test_the_longest_line_and_the_most_lines_are_read(pair: Pair) -> None:
    wire, server = pair
    server.sendall(b"250 " + b"x" * (MAX_LINE - 5) + b"\r\n")
    assert run(wire.read(PATIENT)).code == 250
    server.sendall(b"250-\r\n" * (MAX_LINES - 1) + b"250 end\r\n")
    assert run(wire.read(PATIENT)).text == "end"


def test_an_end_in_the_middle_is_an_error(pair: Pair) -> None:
    wire, server = pair
    server.sendall(b"250-one\r\n250")
    server.close()
    with pytest.raises(ConnectionError, match="closed the connection"):
        run(wire.read(PATIENT))


@pytest.mark.parametrize("piece", [b"x", b"250-x\r\n"])
def test_a_reply_that_drips_is_given_up_in_time(pair: Pair, piece: bytes) -> None:
    wire, server = pair
    is_over = threading.Event()

    def drip() -> None:
        # Each piece well within the time that the whole has; without a deadline: 40 s.
        for _ in range(200):
            if is_over.wait(0.2):
                return
            server.sendall(piece)

    thread = threading.Thread(target=drip)
    thread.start()
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        run(wire.read(1))
    assert time.monotonic() - begin < 20
    is_over.set()
    thread.join()


@given(st.binary(max_size=300))
def test_any_bytes_are_a_reply_or_an_error(said: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(said)
        theirs.close()
        try:
            reply = run(Wire(ours).read(PATIENT))
        except OSError:
            return
        assert said.startswith(str(reply.code).zfill(3).encode())
        assert reply.text.isprintable()


def test_blocks_are_counted_exactly(pair: Pair) -> None:
    wire, server = pair
    received = bytearray()

    def take_some() -> None:
        while len(received) < 300_000:
            received.extend(server.recv(65_536))
        server.close()

    thread = threading.Thread(target=take_some)
    thread.start()
    data = bytes(5_000_000)
    sent, error = run(wire.write_blocks(data, PATIENT))
    thread.join()
    assert isinstance(error, OSError)
    assert len(received) <= sent < len(data)


def test_all_blocks_arrive(pair: Pair) -> None:
    wire, server = pair
    data = bytes(range(256)) * 4_000
    received = bytearray()

    def take() -> None:
        while len(received) < len(data):
            received.extend(server.recv(65_536))

    thread = threading.Thread(target=take)
    thread.start()
    assert run(wire.write_blocks(data, PATIENT)) == (len(data), None)
    thread.join()
    assert bytes(received) == data


def test_a_reader_that_stands_still_is_given_up(pair: Pair) -> None:
    wire, _ = pair
    sent, error = run(wire.write_blocks(bytes(5_000_000), 0.2))
    assert isinstance(error, TimeoutError)
    assert sent < 5_000_000
