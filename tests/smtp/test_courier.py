"""One message after the other on one connection, and the truth about each."""

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import trustme
from hypothesis import example, given, settings
from hypothesis import strategies as st

from publisher.model.delivery import Envelope, Outcome, Stage
from publisher.settings import Smtp
from publisher.smtp.courier import Courier
from tests.smtp.scripted import (
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

SENDER = "news@daily.example"
ADA = Envelope(SENDER, "ada@x.example")
BOB = Envelope(SENDER, "bob@x.example")
DATA = b"Subject: a day\r\n\r\nHello\r\n"
# More than a kernel's buffers take (the server's is small).
LONG = b"Subject: a day\r\n\r\n" + (b"x" * 76 + b"\r\n") * 300_000
STEPS = pytest.mark.parametrize("lacks", [(), ("PIPELINING",)], ids=["together", "singly"])


def open_courier(
    server: ScriptedServer, context: ssl.SSLContext | None = None, **changes: Any
) -> Courier:
    courier = Courier(relay_to(server, **changes), "us.example", context=context)
    assert courier.open() is None
    return courier


def say_of(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.kind, outcome.concern, outcome.stage


def verbs(server: ScriptedServer) -> list[str]:
    return [re.split(rb"[ :]", line)[0].decode().upper() for _, _, line in server.lines]


@STEPS
def test_many_messages_on_one_connection(lacks: tuple[str, ...]) -> None:
    with ScriptedServer(lacks=lacks) as server:
        courier = open_courier(server)
        was_fresh = courier.is_fresh
        for number in range(20):
            outcome = courier.deliver(Envelope(SENDER, f"r{number}@x.example"), DATA)
            assert say_of(outcome) == ("accepted", "recipient", "final_dot")
            assert outcome.relay_id == f"Q{number + 1}"
        assert (was_fresh, courier.is_fresh) == (True, False)
        courier.close()
    assert server.connections == 1
    assert verbs(server)[-1] == "QUIT"
    assert [message.recipients for message in server.messages] == [
        (f"r{number}@x.example",) for number in range(20)
    ]
    assert {message.data for message in server.messages} == {DATA}


def test_the_server_sees_what_smtplib_would_send() -> None:
    """The scripted server is held against a client that is not ours."""
    with ScriptedServer() as server:
        courier = open_courier(server)
        courier.deliver(ADA, b"A: b\r\n\r\n.\r\n..x\r\n")
        with smtplib.SMTP("127.0.0.1", server.port) as client:
            client.sendmail(SENDER, ["ada@x.example"], b"A: b\r\n\r\n.\r\n..x\r\n")
        courier.close()
    first, second = server.messages
    assert (first.sender, first.recipients, first.data) == (
        second.sender,
        second.recipients,
        second.data,
    )


TALK = [b"220 x\r\n", b"250-x\r\n250 PIPELINING\r\n", b"250 a\r\n250 b\r\n354 c\r\n"]
LINES = st.lists(st.sampled_from([b".", b"..", b".x", b"x.", b"", b"QUIT", b"\xc3\xa4."]))


@pytest.fixture(scope="module")
def plain_server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@settings(max_examples=60)
@given(LINES)
@example([b"."])
@example([b".", b".", b""])
def test_dots_arrive_as_they_were(plain_server: ScriptedServer, lines: list[bytes]) -> None:
    data = b"".join(line + b"\r\n" for line in lines) or b"\r\n"
    courier = open_courier(plain_server)
    assert courier.deliver(ADA, data).kind == "accepted"
    courier.close()
    assert plain_server.messages[-1].data == data


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n", b"\n\r", b"\r\r"])
@pytest.mark.parametrize("after", [b"\n", b"\r", b"\r\n"])
def test_nothing_can_be_smuggled(end: bytes, after: bytes) -> None:
    """Whatever a server takes for a line's end, no text of ours has a dot alone on a line."""
    data = b"x" + end + b"." + after + b"MAIL FROM:<evil@x.example>\r\n"
    received = bytearray()

    def listen(connected: socket.socket) -> None:
        for reply in TALK:
            connected.sendall(reply)
            received.extend(connected.recv(65_536))

    with RawServer(listen) as port:
        courier = Courier(_plain(port), "us.example")
        assert courier.open() is None
        assert courier.deliver(ADA, data).kind == "unknown"
    body = bytes(received).partition(b"DATA\r\n")[2]
    assert body.endswith(b"\r\n.\r\n")
    assert re.findall(rb"[\r\n]\.[\r\n]", body[:-4]) == []


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_ten_megabytes(authority: trustme.CA, security: str) -> None:
    data = LONG[:10_000_000].rpartition(b"\n")[0] + b"\n"
    tls = None if security == "none" else server_tls(authority)
    with ScriptedServer(tls=tls, is_implicit=security == "tls") as server:
        courier = open_courier(server, client_tls(authority))
        assert courier.deliver(ADA, data).kind == "accepted"
        assert courier.deliver(BOB, DATA).kind == "accepted"
        courier.close()
    assert [message.data for message in server.messages] == [data, DATA]


# What a relay offers and what it lacks


@pytest.mark.parametrize("lacks", [(), ("SIZE",), ("8BITMIME",), ("SMTPUTF8",), ("EHLO",)])
def test_only_what_is_offered_is_asked_for(lacks: tuple[str, ...]) -> None:
    with ScriptedServer(lacks=lacks) as server:
        courier = open_courier(server)
        assert courier.deliver(ADA, DATA).kind == "accepted"
        courier.close()
    has_size = not lacks or lacks[0] not in ("SIZE", "EHLO")
    assert server.messages[0].parameters == (f"SIZE={len(DATA)}" if has_size else "")


def test_an_international_address() -> None:
    envelope = Envelope(SENDER, "李明@例子.example", is_utf8=True)
    data = "Subject: 今日\r\n\r\nx\r\n".encode()
    with ScriptedServer() as server:
        courier = open_courier(server)
        assert courier.deliver(envelope, data).kind == "accepted"
        # A reader's address in ASCII in a mailing that needs no more.
        assert courier.deliver(ADA, DATA).kind == "accepted"
        courier.close()
    first, second = server.messages
    assert first.recipients == ("李明@例子.example",)
    assert first.parameters == f"SIZE={len(data)} BODY=8BITMIME SMTPUTF8"
    assert second.parameters == f"SIZE={len(DATA)}"


@pytest.mark.parametrize(
    ("lacks", "envelope", "data", "said"),
    [
        ("SMTPUTF8", Envelope(SENDER, "李@x.example", is_utf8=True), DATA, "SMTPUTF8"),
        ("SMTPUTF8", Envelope(SENDER, "李@x.example"), DATA, "SMTPUTF8"),
        ("SMTPUTF8", Envelope(SENDER, "ada@x.example", is_utf8=True), DATA, "SMTPUTF8"),
        ("8BITMIME", ADA, "ä\r\n".encode(), "8BITMIME"),
        ("EHLO", Envelope(SENDER, "李@x.example", is_utf8=True), DATA, "SMTPUTF8"),
    ],
)
def test_what_a_relay_cannot_take_fails_that_recipient(
    lacks: str, envelope: Envelope, data: bytes, said: str
) -> None:
    with ScriptedServer(lacks=[lacks]) as server:
        courier = open_courier(server)
        outcome = courier.deliver(envelope, data)
        assert (outcome.kind, outcome.concern) == ("permanent", "recipient")
        assert outcome.reply.code == 0
        assert said in outcome.reply.text
        assert courier.deliver(ADA, DATA).kind == "accepted"
        courier.close()
    assert len(server.messages) == 1


@pytest.mark.parametrize(
    ("offered", "is_taken"),
    [
        ("SIZE 24", False),
        (f"SIZE {len(DATA)}", True),
        ("SIZE 0", True),
        ("SIZE", True),
        ("SIZE x", True),
        ("SIZE ²", True),
        ("SIZE " + "9" * 60, True),
    ],
)
def test_a_message_longer_than_the_relay_takes_is_not_sent(offered: str, is_taken: bool) -> None:
    act = Act(f"250-x\r\n250 {offered}\r\n".encode())
    with ScriptedServer([Rule("ehlo", act)]) as server:
        courier = open_courier(server)
        outcome = courier.deliver(ADA, DATA)
        courier.close()
    if is_taken:
        assert outcome.kind == "accepted"
    else:
        assert say_of(outcome) == ("permanent", "sender", "mail")
        assert outcome.reply.text == "the message has 25 bytes, and the relay takes 24 at most"
        assert "MAIL" not in verbs(server)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a@x.example>\r\nRCPT TO:<b@x.example",
        "a@x.example\nDATA",
        "a@x.example> SIZE=1",
        "a b@x.example",
        "<a@x.example",
        "a\x00@x.example",
        "a\x7f@x.example",
        "a\u2028@x.example",
        "a\ud800@x.example",
        '"a@x.example',
        '"a\r\n"@x.example',
        '"a\\\r\n"@x.example',
    ],
)
def test_no_address_can_break_a_command(address: str) -> None:
    with ScriptedServer() as server:
        courier = open_courier(server)
        outcome = courier.deliver(Envelope(SENDER, address), DATA)
        assert say_of(outcome) == ("permanent", "recipient", "rcpt")
        if address:
            outcome = courier.deliver(Envelope(address, "ada@x.example"), DATA)
            assert say_of(outcome) == ("permanent", "sender", "mail")
        courier.close()
    assert verbs(server) == ["EHLO", "QUIT"]


@pytest.mark.parametrize("address", ['"a b"@x.example', '"a>\\"b"@x.example', "o'x+y@[IPv6:::1]"])
def test_an_odd_address_is_written_as_it_is(address: str) -> None:
    with ScriptedServer() as server:
        courier = open_courier(server)
        assert courier.deliver(Envelope("", address), DATA).kind == "accepted"
        courier.close()
    assert (server.messages[0].sender, server.messages[0].recipients) == ("", (address,))


# Refusals in the middle of a group


@STEPS
def test_after_a_refused_recipient_the_connection_is_kept(lacks: tuple[str, ...]) -> None:
    rules = [Rule("rcpt", say("550 5.1.1 nobody"), recipient="ada@x.example")]
    with ScriptedServer(rules, lacks=lacks) as server:
        courier = open_courier(server)
        for _ in range(2):
            assert say_of(courier.deliver(ADA, DATA)) == ("permanent", "recipient", "rcpt")
            assert courier.deliver(BOB, DATA).kind == "accepted"
        courier.close()
    assert server.connections == 1
    assert [message.recipients for message in server.messages] == [("bob@x.example",)] * 2
    assert verbs(server).count("RSET") == 2


def test_commands_behind_a_refusal_concern_nobody() -> None:
    rules = [
        Rule("rcpt", say("450 4.2.1 later"), times=1),
        Rule("data", say("554 5.5.1 no recipients, rate, too many"), times=1),
    ]
    with ScriptedServer(rules) as server:
        courier = open_courier(server)
        outcome = courier.deliver(ADA, DATA)
        assert say_of(outcome) == ("transient", "recipient", "rcpt")
        assert outcome.reply.enhanced == "4.2.1"
        assert courier.is_open
        courier.close()


def test_data_accepted_for_nobody_is_ended_by_a_lone_dot() -> None:
    rules = [
        Rule("rcpt", say("550 5.1.1 nobody"), times=1),
        Rule("data", say("354 well, go on"), times=1),
    ]
    with ScriptedServer(rules) as server:
        courier = open_courier(server)
        assert say_of(courier.deliver(ADA, DATA)) == ("permanent", "recipient", "rcpt")
        assert courier.is_open
        assert courier.deliver(BOB, DATA).kind == "accepted"
        courier.close()
    assert [message.recipients for message in server.messages] == [("bob@x.example",)]
    assert server.connections == 1


def test_data_accepted_though_the_sender_was_refused_ends_the_connection() -> None:
    rules = [
        Rule("mail", say("550 5.7.1 not you"), times=1),
        Rule("data", say("354 well, go on"), times=1),
    ]
    with ScriptedServer(rules) as server:
        courier = open_courier(server)
        assert say_of(courier.deliver(ADA, DATA)) == ("permanent", "sender", "mail")
        assert not courier.is_open
    assert server.messages == []


@pytest.mark.parametrize("act", [RESET, SILENCE, say("421 bye", "close"), Act(b"??\r\n")])
def test_a_refusal_stands_whatever_follows(act: Act) -> None:
    rules = [Rule("rcpt", say("550 5.1.1 nobody"), times=1), Rule("data", act, times=1)]
    with ScriptedServer(rules) as server:
        courier = open_courier(server, data=1)
        # A reset may overtake the refusal itself, and is the relay's then.
        outcome = courier.deliver(ADA, DATA)
        wanted = [("permanent", "recipient", "rcpt")]
        if act == RESET:
            wanted.append(("transient", "relay", "rcpt"))
        assert say_of(outcome) in wanted
        assert not courier.is_open
        assert courier.open() is None
        assert courier.deliver(BOB, DATA).kind == "accepted"
        courier.close()


@pytest.mark.parametrize("stage", ["mail", "rcpt", "rset", "data"])
@STEPS
def test_a_reply_that_does_not_belong_here_ends_the_connection(
    stage: Stage, lacks: tuple[str, ...]
) -> None:
    rules = [
        Rule("rcpt", say("550 5.1.1 nobody"), recipient="bob@x.example"),
        Rule(stage, say("334 what"), recipient="ada@x.example" if stage == "rcpt" else ""),
    ]
    with ScriptedServer(rules, lacks=lacks) as server:
        courier = open_courier(server)
        if stage == "rset":
            courier.deliver(BOB, DATA)
        assert say_of(courier.deliver(ADA, DATA)) == ("transient", "relay", stage)
        assert not courier.is_open
    assert server.messages == []


def test_an_answer_before_the_question_is_not_taken_for_it() -> None:
    """A 250 that comes with the 354 says nothing about a message that was not sent yet."""
    with ScriptedServer([Rule("data", Act(b"354 go\r\n250 2.0.0 queued\r\n"))]) as server:
        courier = open_courier(server)
        assert say_of(courier.deliver(ADA, DATA)) == ("transient", "relay", "data")
        assert not courier.is_open
    assert server.messages == []


def test_a_second_answer_is_not_kept_for_the_next_message() -> None:
    with ScriptedServer([Rule("final_dot", Act(b"250 ok\r\n250 ok\r\n"), times=1)]) as server:
        courier = open_courier(server)
        assert courier.deliver(ADA, DATA).kind == "accepted"
        assert not courier.is_open


def test_a_second_refusal_is_not_kept_for_the_next_message() -> None:
    act = Act(b"550 5.1.1 nobody\r\n550 5.1.1 nobody\r\n")
    with ScriptedServer([Rule("rcpt", act)], lacks=["PIPELINING"]) as server:
        courier = open_courier(server)
        assert say_of(courier.deliver(ADA, DATA)) == ("permanent", "recipient", "rcpt")
        assert not courier.is_open


# The body, and the doubt


@pytest.mark.parametrize("security", ["none", "tls"])
@pytest.mark.parametrize(
    ("act", "whom"),
    [
        (RESET, ("transient", "relay", "body")),
        (Act(delay=1), ("transient", "relay", "body")),
        (say("552 5.3.4 too big"), ("permanent", "recipient", "final_dot")),
    ],
    ids=["reset", "stands still", "552"],
)
def test_a_body_that_breaks_off_is_never_in_doubt(
    authority: trustme.CA, security: str, act: Act, whom: tuple[str, str, str]
) -> None:
    tls = None if security == "none" else server_tls(authority)
    with ScriptedServer([Rule("body", act)], tls=tls, is_implicit=True, lacks=["SIZE"]) as server:
        changes = {"block": 0.2} if act.delay else {}
        courier = open_courier(server, client_tls(authority), security=security, **changes)
        assert say_of(courier.deliver(ADA, LONG)) == whom
        courier.close()
    assert server.messages == []


def test_the_last_words_of_a_server_that_hangs_up_are_heard() -> None:
    rule = Rule("body", say("552 5.3.4 too big", "close"))
    with ScriptedServer([rule], lacks=["SIZE"]) as server:
        courier = open_courier(server)
        outcome = courier.deliver(ADA, LONG)
        assert not courier.is_open
    # What it said may be lost with the connection; a doubt there is none.
    assert say_of(outcome) in [
        ("permanent", "recipient", "body"),
        ("transient", "relay", "body"),
    ]
    assert server.messages == []


@STEPS
def test_before_body_is_asked_when_the_relay_is_ready(lacks: tuple[str, ...]) -> None:
    rules = [Rule("rcpt", say("450 4.2.1 later"), recipient="bob@x.example")]
    with ScriptedServer(rules, lacks=lacks) as server:
        courier = open_courier(server)
        asked: list[int] = []

        def ask() -> bool:
            asked.append(len(server.messages))
            return True

        assert courier.deliver(ADA, DATA, before_body=ask).kind == "accepted"
        assert courier.deliver(BOB, DATA, before_body=ask).kind == "transient"
        courier.close()
    assert asked == [0]


@STEPS
def test_before_body_can_stop_it(lacks: tuple[str, ...]) -> None:
    with ScriptedServer(lacks=lacks) as server:
        courier = open_courier(server)
        outcome = courier.deliver(ADA, DATA, before_body=lambda: False)
        assert say_of(outcome) == ("transient", "relay", "data")
        assert not courier.is_open
    assert server.messages == []


def test_a_mistake_in_before_body_sends_nothing() -> None:
    with ScriptedServer() as server:
        courier = open_courier(server)
        with pytest.raises(ZeroDivisionError):
            courier.deliver(ADA, DATA, before_body=lambda: bool(1 // 0))
        assert not courier.is_open
    assert server.messages == []


# The connection's life


@pytest.mark.parametrize("last", [b"", b"421 4.4.2 idle\r\n"])
@STEPS
def test_a_connection_that_died_in_the_meantime(lacks: tuple[str, ...], last: bytes) -> None:
    with ScriptedServer(
        [Rule("final_dot", Act(b"250 ok\r\n" + last, "close"))], lacks=lacks
    ) as server:
        courier = open_courier(server)
        assert courier.deliver(ADA, DATA).kind == "accepted"
        if courier.is_open:
            outcome = courier.deliver(BOB, DATA)
            assert say_of(outcome) == ("transient", "relay", "mail")
        assert not courier.is_open
    assert len(server.messages) == 1


def test_without_a_connection_nothing_is_sent() -> None:
    courier = Courier(Smtp(host="127.0.0.1", port=9, security="none"), "us.example")
    assert say_of(courier.deliver(ADA, DATA)) == ("transient", "relay", "connect")
    courier.close()
    assert not courier.is_open


@pytest.mark.parametrize("security", ["none", "tls"])
@pytest.mark.parametrize(("stage", "kind"), [("rcpt", "transient"), ("final_dot", "unknown")])
def test_a_silent_server_can_be_interrupted(
    authority: trustme.CA, security: str, stage: Stage, kind: str
) -> None:
    tls = None if security == "none" else server_tls(authority)
    with ScriptedServer([Rule(stage, SILENCE)], tls=tls, is_implicit=True) as server:
        courier = open_courier(server, client_tls(authority), security=security)
        timer = threading.Timer(0.3, courier.interrupt)
        timer.start()
        outcome = courier.deliver(ADA, DATA)
        timer.join()
        assert outcome.kind == kind
        assert not courier.is_open
    assert server.messages == []
    courier.interrupt()


def test_as_many_messages_on_a_connection_as_are_allowed() -> None:
    with ScriptedServer() as server:
        courier = Courier(relay_to(server), "us.example", messages_per_connection=2)
        for _ in range(5):
            if not courier.is_open:
                assert courier.open() is None
            assert courier.deliver(ADA, DATA).kind == "accepted"
        courier.close()
    assert [message.connection for message in server.messages] == [1, 1, 2, 2, 3]
    assert verbs(server).count("QUIT") == 3


# Any bytes


class RawServer:
    """Accepts one connection after the other and leaves it to a function; gives its port."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self.serve = serve

    def __enter__(self) -> int:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return int(self.listener.getsockname()[1])

    def _run(self) -> None:
        while True:
            try:
                connected, _ = self.listener.accept()
            except OSError:
                return
            with connected, suppress(OSError):
                self.serve(connected)

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(30)
        assert not self.thread.is_alive()


def _plain(port: int) -> Smtp:
    return Smtp(host="127.0.0.1", port=port, security="none")


GOOD = st.sampled_from(
    [
        b"220 x\r\n",
        b"250 x\r\n",
        b"250-x\r\n250 PIPELINING\r\n",
        b"354 go\r\n",
        b"250 a\r\n250 b\r\n354 c\r\n",
        b"550 5.1.1 nobody\r\n",
        b"450 4.2.1 later\r\n",
        b"421 bye\r\n",
        b"250-",
        b"\r\n",
    ]
)
CHUNKS = st.lists(st.one_of(GOOD, GOOD, st.binary(max_size=40)), max_size=9)


def _speak(chunks: list[bytes]) -> tuple[Outcome | None, bytes | None]:
    """Have a server say these things; what came of it, and what it heard.

    It waits for something to be said to it before it goes on, but not for long: half a reply gets
    no answer. What it heard is None where the connection was reset, which loses what was on its
    way.
    """
    heard: bytearray | None = bytearray()

    def listen(connected: socket.socket) -> bytes:
        with suppress(TimeoutError):
            return connected.recv(65_536)
        return b""

    def serve(connected: socket.socket) -> None:
        nonlocal heard
        spoken = bytearray()
        connected.settimeout(0.02)
        try:
            for chunk in chunks:
                connected.sendall(chunk)
                spoken += listen(connected)
            connected.shutdown(socket.SHUT_WR)
            connected.settimeout(60)
            while chunk := connected.recv(65_536):
                spoken += chunk
            heard = spoken
        except OSError:
            heard = None

    with RawServer(serve) as port:
        courier = Courier(_plain(port), "us.example")
        outcome = courier.open() or courier.deliver(ADA, DATA)
        courier.close()
    return outcome, None if heard is None else bytes(heard)


def _assert_sound(chunks: list[bytes]) -> None:
    outcome, heard = _speak(chunks)
    assert isinstance(outcome, Outcome)
    if outcome.kind == "accepted":
        assert re.search(rb"2[0-9][0-9](?: .*)?\n", b"".join(chunks))
    if outcome.kind in ("accepted", "unknown"):
        assert outcome.stage == "final_dot"
    if heard is not None:
        # The final dot went out if, and only if, the outcome says so.
        assert (b"Hello\r\n.\r\n" in heard) == (outcome.stage == "final_dot")


@settings(max_examples=50)
@given(CHUNKS)
@example([*TALK, b"250 ok\r\n"])
@example([*TALK, b"250 ok"])
@example([*TALK, b"\xff250 ok\r\n"])
@example([*TALK, b"250-ok\r\n"])
@example([*TALK, b"250-ok\r\n550 no\r\n"])
def test_any_replies_are_an_outcome(chunks: list[bytes]) -> None:
    _assert_sound(chunks)


@settings(max_examples=50)
@given(st.one_of(GOOD, st.binary(max_size=60)))
def test_any_reply_to_the_final_dot_is_an_outcome(reply: bytes) -> None:
    _assert_sound([*TALK, reply])


@pytest.mark.long
@settings(max_examples=3_000)
@given(CHUNKS)
def test_any_replies_are_an_outcome_at_length(chunks: list[bytes]) -> None:
    _assert_sound(chunks)
