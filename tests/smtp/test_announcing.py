"""The next envelope behind a body: nothing is lost, sent twice or taken for what it is not."""

import re
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import pytest
import trustme
from hypothesis import example, given, settings
from hypothesis import strategies as st

from publisher.model.delivery import Envelope, Outcome
from publisher.settings import Smtp
from publisher.smtp.courier import Courier
from publisher.smtp.letter import Letter, stuff
from publisher.smtp.wire import Steps, Wire, run
from tests.smtp.scripted import (
    CLOSE,
    RESET,
    SILENCE,
    Act,
    Rule,
    ScriptedServer,
    client_tls,
    relay_to,
    say,
    server_tls,
)
from tests.smtp.test_courier import CHUNKS, TALK, RawServer, open_courier, say_of, verbs

NAMES = ("ada", "bob", "eve")


def letter(name: str, text: bytes = b"") -> Letter:
    envelope = Envelope("news@daily.example", f"{name}@x.example")
    return stuff(envelope, b"Subject: a day\r\n\r\nHello %b\r\n%b" % (name.encode(), text))


def send(courier: Courier, letters: Sequence[Letter]) -> list[Outcome]:
    """Send them one after the other, each announced with the one before, as a pool does."""
    outcomes: list[Outcome] = []
    for each, later in zip(letters, (*letters[1:], None), strict=True):
        if not courier.is_open and (refused := courier.open()) is not None:
            return [*outcomes, refused]
        outcome = run(courier.transact(each, following=partial(_give, later)))
        # As a line of the pool does: it is the connection's.
        if outcome.kind == "transient" and outcome.stage in ("mail", "rset"):
            courier.close()
            assert courier.open() is None
            outcome = run(courier.transact(each, following=partial(_give, later)))
        outcomes.append(outcome)
    return outcomes


def _give(letter: Letter | None) -> Letter | None:
    return letter


def kinds(outcomes: Sequence[Outcome]) -> list[str]:
    return [each.kind for each in outcomes]


def came(server: ScriptedServer) -> list[tuple[str, int]]:
    """Who got a message, and over which connection."""
    return [(each.recipients[0].split("@")[0], each.connection) for each in server.messages]


def _greet(connected: socket.socket) -> None:
    """As a server that offers PIPELINING."""
    connected.sendall(b"220 x\r\n")
    connected.recv(1000)
    connected.sendall(b"250-x\r\n250 PIPELINING\r\n")


def heard_before_an_answer() -> bytes:
    """What goes out behind a body before anything is said to that."""
    heard = b""

    def serve(connected: socket.socket) -> None:
        nonlocal heard
        _greet(connected)
        connected.recv(1000)
        connected.sendall(b"250 a\r\n250 b\r\n354 c\r\n")
        while not heard.endswith(b"DATA\r\n"):
            heard += connected.recv(65_536)
        connected.sendall(b"250 queued\r\n250 a\r\n250 b\r\n354 c\r\n")
        connected.recv(65_536)
        connected.sendall(b"250 queued\r\n")
        connected.recv(1000)

    with RawServer(serve) as port:
        courier = Courier(Smtp(host="127.0.0.1", port=port, security="none"), "us.example")
        assert kinds(send(courier, [letter("ada"), letter("bob")])) == ["accepted"] * 2
        courier.close()
    return heard


def test_the_next_envelope_does_not_wait_for_an_answer() -> None:
    body, _, behind = heard_before_an_answer().partition(b"\r\n.\r\n")
    assert body.endswith(b"Hello ada")
    assert behind.split(b"\r\n")[:2] == [
        b"MAIL FROM:<news@daily.example>",
        b"RCPT TO:<bob@x.example>",
    ]


@pytest.mark.parametrize("security", ["none", "starttls"])
def test_all_arrive_once_and_in_order(authority: trustme.CA, security: str) -> None:
    tls = None if security == "none" else server_tls(authority)
    names = [f"reader{number}" for number in range(30)]
    long = b"." + b"x" * 70 + b"\r\n"
    with ScriptedServer(tls=tls) as server:
        courier = open_courier(server, client_tls(authority), security=security)
        outcomes = send(courier, [letter(name, long * 3_000) for name in names])
        courier.close()
    assert {say_of(each) for each in outcomes} == {("accepted", "recipient", "final_dot")}
    assert [each.relay_id for each in outcomes] == [f"Q{number + 1}" for number in range(30)]
    assert came(server) == [(name, 1) for name in names]
    assert all(each.data.endswith(long) for each in server.messages)
    assert verbs(server)[-1] == "QUIT"


def test_a_server_without_pipelining_is_announced_nothing() -> None:
    with ScriptedServer(lacks=["PIPELINING"]) as server:
        courier = open_courier(server)
        assert kinds(send(courier, [letter(name) for name in NAMES])) == ["accepted"] * 3
        courier.close()
    assert came(server) == [(name, 1) for name in NAMES]


def test_a_refused_recipient_who_was_announced_is_theirs_alone() -> None:
    with ScriptedServer([Rule("rcpt", say("550 5.1.1 no"), recipient="bob@x.example")]) as server:
        courier = open_courier(server)
        outcomes = send(courier, [letter(name) for name in NAMES])
        courier.close()
    assert kinds(outcomes) == ["accepted", "permanent", "accepted"]
    assert say_of(outcomes[1]) == ("permanent", "recipient", "rcpt")
    assert came(server) == [("ada", 1), ("eve", 1)]


@pytest.mark.parametrize("answer", ["550 5.7.1 no", "451 4.3.0 later", "421 4.3.2 closing"])
def test_behind_a_refused_body_the_next_one_goes_over_another_connection(answer: str) -> None:
    """Some servers want RSET then, and would refuse the sender of the next one."""
    rule = Rule("final_dot", say(answer), recipient="ada@x.example")
    with ScriptedServer([rule]) as server:
        courier = open_courier(server)
        outcomes = send(courier, [letter(name) for name in NAMES])
        courier.close()
    assert kinds(outcomes)[1:] == ["accepted"] * 2
    assert outcomes[0].stage == "final_dot"
    assert came(server) == [("bob", 2), ("eve", 2)]


@pytest.mark.parametrize("act", [CLOSE, RESET, Act(b"??\r\n"), Act(b"250-half", "close")])
def test_a_doubt_is_of_the_body_alone(act: Act) -> None:
    rule = Rule("final_dot", act, recipient="ada@x.example", is_accepted=True)
    with ScriptedServer([rule]) as server:
        courier = open_courier(server)
        outcomes = send(courier, [letter(name) for name in NAMES])
        courier.close()
    assert kinds(outcomes) == ["unknown", "accepted", "accepted"]
    assert came(server) == [("ada", 1), ("bob", 2), ("eve", 2)]


@pytest.mark.parametrize("more", [b"250 ok\r\n", b"550 no\r\n", b"354 go\r\n", b"421 bye\r\n"])
def test_an_answer_too_many_is_nobody_s(more: bytes) -> None:
    """It moves all that follow: no body goes out behind it, and it is held against nobody."""
    rule = Rule("final_dot", Act(b"250 ok\r\n" + more), recipient="ada@x.example", is_accepted=True)
    with ScriptedServer([rule]) as server:
        courier = open_courier(server)
        outcomes = send(courier, [letter(name) for name in NAMES])
        courier.close()
    assert outcomes[0].kind == "accepted"
    # It is the connection's alone: over another one it goes.
    assert kinds(outcomes)[1:] == ["accepted"] * 2
    assert [name for name, _ in came(server)] == ["ada", "bob", "eve"]


def test_what_was_withdrawn_never_comes_and_ends_the_connection() -> None:
    announced: list[str] = []

    def follow() -> Letter:
        announced.append("bob")
        return letter("bob")

    with ScriptedServer() as server:
        courier = open_courier(server)
        steps = courier.transact(letter("ada"), following=follow)
        while not announced:
            next(steps)
        courier.withdraw()
        assert run(steps).kind == "accepted"
        assert not courier.is_open
        assert kinds(send(courier, [letter("eve")])) == ["accepted"]
        courier.close()
    assert came(server) == [("ada", 1), ("eve", 2)]


def test_another_one_than_was_announced_is_a_mistake() -> None:
    with ScriptedServer() as server:
        courier = open_courier(server)
        assert run(courier.transact(letter("ada"), following=lambda: letter("bob"))).reply.code
        with pytest.raises(ValueError, match="another message was announced"):
            run(courier.transact(letter("eve")))
        assert not courier.is_open
    assert came(server) == [("ada", 1)]


def test_nothing_is_announced_on_a_connection_that_is_used_up() -> None:
    with ScriptedServer() as server:
        courier = Courier(relay_to(server), "us.example", messages_per_connection=2)
        outcomes = send(courier, [letter(name) for name in (*NAMES, "una", "zoe")])
        courier.close()
    assert kinds(outcomes) == ["accepted"] * 5
    assert [connection for _, connection in came(server)] == [1, 1, 2, 2, 3]
    assert verbs(server).count("RCPT") == 5


def test_what_no_relay_could_take_is_not_announced() -> None:
    odd = letter("bob")._replace(envelope=Envelope("news@daily.example", "bob >@x.example"))
    with ScriptedServer() as server:
        courier = open_courier(server)
        outcomes = send(courier, [letter("ada"), odd, letter("eve")])
        courier.close()
    assert kinds(outcomes) == ["accepted", "permanent", "accepted"]
    assert came(server) == [("ada", 1), ("eve", 1)]
    assert verbs(server).count("RCPT") == 2


def test_a_server_that_overlooks_what_was_announced_is_announced_nothing_more() -> None:
    """It throws away what had come before it answered."""
    talks = 0

    def serve(connected: socket.socket) -> None:
        nonlocal talks
        talks += 1
        _greet(connected)
        while b"MAIL" in connected.recv(1000):
            connected.sendall(b"250 a\r\n250 b\r\n354 c\r\n")
            heard = b""
            while b"\r\n.\r\n" not in heard:
                heard += connected.recv(65_536)
            connected.sendall(b"250 queued\r\n")
        with suppress(OSError):
            connected.recv(1000)

    with RawServer(serve) as port:
        relay = relay_to(_At(port), command=0.5)
        courier = Courier(relay, "us.example")
        outcomes = send(courier, [letter(name) for name in (*NAMES, "una")])
        courier.close()
    assert kinds(outcomes) == ["accepted"] * 4
    assert talks == 2


def test_half_of_the_replies_is_never_taken_for_all_of_them() -> None:
    """They come in two pieces, and the first one of them looks as it did when all went well."""
    bodies: list[bytes] = []

    def serve(connected: socket.socket) -> None:
        _greet(connected)
        connected.recv(1000)
        connected.sendall(b"250 a\r\n250 b\r\n354 c\r\n")
        for answers in (b"250 b\r\n354 c\r\n", b"550 nobody\r\n554 none\r\n"):
            bodies.append(connected.recv(65_536))
            connected.sendall(b"250 queued\r\n250 a\r\n")
            time.sleep(0.2)
            connected.sendall(answers)
        bodies.append(connected.recv(65_536))

    with RawServer(serve) as port:
        courier = Courier(Smtp(host="127.0.0.1", port=port, security="none"), "us.example")
        outcomes = send(courier, [letter(name) for name in NAMES])
        courier.close()
    assert kinds(outcomes) == ["accepted", "accepted", "permanent"]
    assert b"Hello eve" not in b"".join(bodies)


def test_a_server_that_overlooks_a_dot_is_announced_nothing_more() -> None:
    """It sees the end only where nothing stands behind it."""

    def serve(connected: socket.socket) -> None:
        _greet(connected)
        while b"MAIL" in connected.recv(1000):
            connected.sendall(b"250 a\r\n250 b\r\n354 c\r\n")
            heard = b""
            while not heard.endswith(b"\r\n.\r\n"):
                if not (more := connected.recv(65_536)):
                    return
                heard += more
            connected.sendall(b"250 queued\r\n")

    with RawServer(serve) as port:
        courier = Courier(relay_to(_At(port), final_dot=0.5), "us.example")
        outcomes = send(courier, [letter(name) for name in (*NAMES, "una")])
        courier.close()
    assert kinds(outcomes) == ["unknown", "accepted", "accepted", "accepted"]


@pytest.mark.parametrize("answer", [b"250 queued\r\n", b"550 no\r\n", b""])
def test_what_breaks_behind_the_dot_leaves_its_answer(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def serve(connected: socket.socket) -> None:
        _greet(connected)
        connected.recv(1000)
        connected.sendall(b"250 a\r\n250 b\r\n354 c\r\n")
        heard = b""
        while b"\r\n.\r\n" not in heard:
            heard += connected.recv(65_536)
        connected.sendall(answer)
        connected.recv(1000)

    def send_up_to_the_dot(self: Wire, parts: Sequence[bytes]) -> int:
        together = b"".join(parts)
        return self.send(together[: together.index(b"\r\n.\r\n") + 5])

    def break_off(
        self: Wire, data: bytes, timeout: float, sent: int = 0
    ) -> Steps[tuple[int, OSError | None]]:
        yield from ()
        return sent, BrokenPipeError(32, "Broken pipe")

    with RawServer(serve) as port:
        courier = Courier(relay_to(_At(port)), "us.example")
        assert courier.open() is None
        monkeypatch.setattr(Wire, "send_parts", send_up_to_the_dot)
        monkeypatch.setattr(Wire, "write_blocks", break_off)
        outcome = run(courier.transact(letter("ada"), following=lambda: letter("bob")))
        assert not courier.is_open
    kind = {b"2": "accepted", b"5": "permanent", b"": "unknown"}[answer[:1]]
    assert say_of(outcome) == (kind, "recipient", "final_dot")


class _At(ScriptedServer):
    """Somebody else's port, for relay_to."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_a_silent_server_leaves_the_announced_one_unsent(stage: str) -> None:
    rule = Rule(stage, SILENCE, recipient="" if stage == "mail" else "bob@x.example", times=1)  # type: ignore[arg-type]
    with ScriptedServer() as server:
        courier = open_courier(server, command=0.5, data=0.5)
        letters = [letter("ada"), letter("bob")]
        steps = courier.transact(letters[0], following=lambda: letters[1])
        next(steps)
        while "DATA" not in verbs(server):
            time.sleep(0.001)
        server.rules.append(rule)
        assert run(steps).kind == "accepted"
        outcome = run(courier.transact(letters[1]))
        # But for the recipient's, whose refusal is theirs, it is asked once more elsewhere.
        assert say_of(outcome) == ("transient", "relay", "rcpt" if stage == "rcpt" else "mail")
        assert not courier.is_open
    assert came(server) == [("ada", 1)]


# Any bytes


def _speak(chunks: list[bytes]) -> tuple[list[Outcome], bytes | None]:
    """Have a server say these things; what came of three messages, and what it heard."""
    heard: bytearray | None = bytearray()

    def serve(connected: socket.socket) -> None:
        nonlocal heard
        spoken = bytearray()
        connected.settimeout(0.02)
        try:
            for chunk in chunks:
                connected.sendall(chunk)
                with suppress(TimeoutError):
                    spoken += connected.recv(65_536)
            connected.shutdown(socket.SHUT_WR)
            connected.settimeout(60)
            while chunk := connected.recv(65_536):
                spoken += chunk
            if heard is not None:
                heard += spoken
        except OSError:
            heard = None

    with RawServer(serve) as port:
        courier = Courier(Smtp(host="127.0.0.1", port=port, security="none"), "us.example")
        outcomes = send(courier, [letter(name) for name in NAMES])
        courier.close()
    return outcomes, None if heard is None else bytes(heard)


def _assert_sound(chunks: list[bytes]) -> None:
    outcomes, heard = _speak(chunks)
    said = b"".join(chunks)
    accepted = kinds(outcomes).count("accepted")
    # Every time the server is connected to it says the same.
    assert accepted <= 3 * len(re.findall(rb"(?m)^2[0-9][0-9](?: .*)?\n", said))
    if heard is not None:
        for name, outcome in zip(NAMES, outcomes, strict=False):
            # The final dot went out if, and only if, the outcome says so.
            dot = b"Hello %b\r\n.\r\n" % name.encode()
            assert (dot in heard) == (outcome.stage == "final_dot")


ALL = b"250 a\r\n250 b\r\n354 c\r\n"


@settings(max_examples=50)
@given(CHUNKS)
@example([*TALK, b"250 ok\r\n" + ALL, b"250 ok\r\n" + ALL, b"250 ok\r\n"])
@example([*TALK, b"250 ok\r\n", ALL, b"250 ok\r\n", ALL, b"250 ok\r\n"])
@example([*TALK, b"250 ok\r\n250 a\r\n550 b\r\n554 c\r\n", ALL, b"250 ok\r\n"])
@example([*TALK, b"250 ok\r\n250 a\r\n550 b\r\n354 c\r\n", b"554 none\r\n", ALL, b"250 ok\r\n"])
@example([*TALK, b"550 no\r\n" + ALL])
@example([*TALK, b"250 ok\r\n250 ok\r\n" + ALL])
def test_any_replies_are_outcomes(chunks: list[bytes]) -> None:
    _assert_sound(chunks)


@settings(max_examples=50)
@given(st.one_of(CHUNKS))
def test_any_replies_to_a_body_and_what_was_announced_are_outcomes(chunks: list[bytes]) -> None:
    _assert_sound([*TALK, *chunks])


@pytest.mark.long
@settings(max_examples=3_000)
@given(CHUNKS)
def test_any_replies_are_outcomes_at_length(chunks: list[bytes]) -> None:
    _assert_sound([*TALK, *chunks])
