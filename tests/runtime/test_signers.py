"""Processes of their own sign messages as they would be signed here; none is lost with one."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from selectors import EVENT_READ, DefaultSelector
from socket import socketpair

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.message.dkim import Signer, make_signer
from publisher.message.splice import Unfinished
from publisher.model.delivery import Envelope
from publisher.runtime import signers as under_test
from publisher.runtime.signer_process import find_group, pack
from publisher.runtime.signers import Signers
from tests.message.test_dkim import pems

NOW = datetime(2025, 12, 15, 7, tzinfo=UTC)
PATIENT = 30.0


class Waiting:
    """Signers whose processes are waited for as the pool does it."""

    def __init__(self, keys: list[Signer], cores: int = 2) -> None:
        self.keys = keys
        self.signers = Signers(keys, cores)
        self.selector = DefaultSelector()
        self.signers.watch = lambda socket, read: self.selector.register(socket, EVENT_READ, read)
        self.signers.unwatch = self.selector.unregister
        self.signed: dict[int, bytes] = {}

    def message(self, number: int) -> Unfinished:
        canonical = {
            "from": b"from:desk@x.example\r\n",
            "to": b"to:reader%d@x.example\r\n" % number,
        }
        unsigned = tuple(key.prepare(canonical, bytes(32), NOW) for key in self.keys)
        return Unfinished(unsigned, (b"Text.\r\n",), Envelope("a@x.example", "b@x.example"))

    def ask(self, numbers: range) -> None:
        for number in numbers:
            self.signers.sign(self.message(number), self.heard(number))
        self.signers.flush()

    def heard(self, number: int) -> Callable[..., None]:
        def hear(signatures: list[bytes]) -> None:
            self.signed[number] = self.message(number).finish(signatures).data

        return hear

    def wait_for(self, count: int) -> None:
        while len(self.signed) < count:
            ready = self.selector.select(PATIENT)
            assert ready, "no more is signed"
            for key, _ in ready:
                key.data()

    def expect(self, numbers: range) -> None:
        assert self.signed == {number: self.message(number).sign().data for number in numbers}


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiting]:
    monkeypatch.setattr(under_test, "_WORTH", 3)
    keys = [make_signer("daily.example", each, pems()[each]) for each in ("r", "e")]
    waiting = Waiting(keys)
    yield waiting
    waiting.signers.close()


def test_all_are_signed_as_they_would_be_here(waiting: Waiting) -> None:
    waiting.ask(range(40))
    assert 2 <= len(waiting.signed) < 40  # the first ones at once
    waiting.wait_for(40)
    waiting.expect(range(40))


def test_what_a_process_had_to_do_when_it_died_is_signed_here(waiting: Waiting) -> None:
    waiting.ask(range(3))
    waiting.wait_for(3)
    [first, second] = waiting.signers._processes
    first.process.send_signal(signal.SIGSTOP)
    waiting.ask(range(3, 20))
    first.process.kill()
    waiting.wait_for(20)
    waiting.expect(range(20))
    assert waiting.signers._processes == [second]
    second.process.kill()
    second.process.wait()
    waiting.ask(range(20, 25))
    waiting.wait_for(25)
    waiting.expect(range(25))


def test_with_one_core_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "_WORTH", 1)
    waiting = Waiting([make_signer("daily.example", "e", pems()["e"])], cores=1)
    waiting.ask(range(5))
    waiting.expect(range(5))
    assert not waiting.signers._processes


def test_a_process_outlives_its_signals_and_not_who_asks() -> None:
    ours, theirs = socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "publisher.runtime.signer_process"], stdin=theirs.fileno()
        )
    ours.sendall(pack([pems()["e"]]) + pack([b"text"]))
    ours.settimeout(PATIENT)
    assert ours.recv(1) == b"\1"
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    ours.sendall(pack([b"text"]))
    received = b""
    while len(received) < 4 + 64 + 1 + 4 + 64:
        received += ours.recv(1000)
    ours.close()
    assert process.wait(PATIENT) == 0


@given(st.lists(st.lists(st.binary(max_size=40), max_size=3), max_size=4), st.integers(0, 200))
def test_groups_come_in_any_pieces(groups: list[list[bytes]], cut: int) -> None:
    data, found, buffer = b"".join(map(pack, groups)), [], b""
    for piece in (data[:cut], data[cut:]):
        buffer += piece
        while buffer and (group := find_group(buffer)) is not None:
            found.append(group[0])
            buffer = buffer[group[1] :]
    assert (found, buffer) == (groups, b"")
