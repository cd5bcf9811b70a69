"""Everything that a server may do, at every stage: each cell has its outcome.

The server knows what it accepted, so each cell is also held against the truth: accepted means that
the server has the message, a failure or a wait that it has not, and a doubt is possible at the
final dot only. After each cell the next message goes through.
"""

import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

import pytest
import trustme

from publisher.model.delivery import Concern, Envelope, Outcome, OutcomeKind, Stage
from publisher.smtp.courier import Courier
from tests.smtp.scripted import (
    CLOSE,
    CLOSE_421,
    GARBAGE,
    LONG_LINE,
    MANY_LINES,
    PATIENT,
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

ACTS = {
    "421": CLOSE_421,
    "4xx": say("450 4.3.0 not now"),
    "5xx": say("550 5.0.0 no"),
    "close": CLOSE,
    "reset": RESET,
    "silence": SILENCE,
    "garbage": GARBAGE,
    "long line": LONG_LINE,
    "many lines": MANY_LINES,
}
ENVELOPE = Envelope("news@daily.example", "ada@x.example")
REFUSED = Envelope("news@daily.example", "gone@x.example")
NEXT = Envelope("news@daily.example", "next@x.example")
DATA = b"Subject: a day\r\n\r\n.one\r\n..two\r\nthree\r\n"

# How long a cell waits for a silent server; nothing else in it may take that long.
SHORT = 1.0
Expected = tuple[OutcomeKind, Concern, Stage]


@dataclass(frozen=True)
class Mode:
    is_pipelined: bool
    security: str
    is_login: bool

    def __str__(self) -> str:
        steps = "together" if self.is_pipelined else "singly"
        return f"{steps}-{self.security}-{'login' if self.is_login else 'open'}"


MODES = (
    Mode(True, "none", False),
    Mode(False, "none", False),
    Mode(True, "starttls", True),
    Mode(False, "tls", True),
)
OTHER_MODES = (
    Mode(True, "tls", False),
    Mode(True, "tls", True),
    Mode(False, "starttls", False),
    Mode(False, "none", True),
)
STAGES: tuple[Stage, ...] = (
    *("connect", "greeting", "ehlo", "starttls", "auth"),
    *("mail", "rcpt", "data", "body", "final_dot", "rset", "quit"),
)


@dataclass(frozen=True)
class Cell:
    mode: Mode
    stage: Stage
    act: str
    is_accepted: bool = False

    @property
    def is_there(self) -> bool:
        """Whether this can happen at all."""
        if self.stage == "connect":
            return self.act in ("421", "close", "reset", "silence", "garbage")
        if self.stage == "starttls":
            return self.mode.security == "starttls"
        return self.stage != "auth" or self.mode.is_login


CELLS = [
    cell
    for mode, stage, act in product(MODES + OTHER_MODES, STAGES, ACTS)
    for is_accepted in ((False, True) if stage == "final_dot" else (False,))
    if (cell := Cell(mode, stage, act, is_accepted)).is_there
    # A server that says no, and took it, cannot be helped.
    and not (is_accepted and act in ("421", "4xx", "5xx"))
]


def expect(cell: Cell) -> Expected:
    """The contract's promise 4, cell by cell."""
    stage, act = cell.stage, cell.act
    is_plain = cell.mode.security != "starttls" and not cell.mode.is_login
    if stage == "quit" or (stage == "ehlo" and act == "5xx" and is_plain):
        # HELO does where nothing else is needed.
        return "accepted", "recipient", "final_dot"
    if stage == "connect":
        # Without TLS the server's first words are its greeting.
        return "transient", "relay", "connect" if cell.mode.security == "tls" else "greeting"
    if stage in ("body", "final_dot"):
        return _expect_at_the_end(act)
    if act == "5xx" and stage in ("auth", "mail", "rcpt", "data"):
        whom: Concern = {"auth": "login", "mail": "sender"}.get(stage, "recipient")  # type: ignore[assignment]
        return "permanent", whom, stage
    if act == "4xx" and stage in ("rcpt", "data"):
        return "transient", "recipient", stage
    return "transient", "relay", stage


def _expect_at_the_end(act: str) -> Expected:
    if act == "421":
        return "transient", "relay", "final_dot"
    if act == "4xx":
        return "transient", "recipient", "final_dot"
    if act == "5xx":
        return "permanent", "recipient", "final_dot"
    return "unknown", "recipient", "final_dot"


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = trustme.CA()
    return server_tls(authority), client_tls(authority)


def make_server(cell: Cell, context: ssl.SSLContext) -> ScriptedServer:
    act: Act = ACTS[cell.act]
    rules = [
        Rule("rcpt", say("550 5.1.1 nobody"), recipient="gone@x.example"),
        Rule(cell.stage, act, times=1, is_accepted=cell.is_accepted),
    ]
    return ScriptedServer(
        rules,
        lacks=() if cell.mode.is_pipelined else ("PIPELINING",),
        tls=context if cell.mode.security != "none" else None,
        is_implicit=cell.mode.security == "tls",
        logins={"news": "secret"} if cell.mode.is_login else None,
        mechanisms="PLAIN",
    )


def attempt(courier: Courier, cell: Cell) -> Outcome:
    """Go through one connection's life until the cell's stage was reached."""
    failure = courier.open()
    if failure is not None:
        assert not courier.is_open
        return failure
    if cell.stage == "rset":
        assert courier.deliver(REFUSED, DATA).reply.enhanced == "5.1.1"
        assert courier.is_open
    outcome = courier.deliver(ENVELOPE, DATA)
    if cell.stage == "quit":
        courier.close()
    return outcome


def run(cell: Cell, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    with make_server(cell, contexts[0]) as server:
        login = {"username": "news", "password": "secret"} if cell.mode.is_login else {}
        waits = SHORT if cell.act == "silence" else PATIENT
        courier = Courier(relay_to(server, waits=waits, **login), "us.example", context=contexts[1])
        outcome = attempt(courier, cell)
        wanted = {expect(cell)}
        if cell.act == "reset" and cell.stage in ("connect", "greeting"):
            # It may be there before the client knows that it is connected.
            wanted.add(("transient", "relay", "connect"))
        assert (outcome.kind, outcome.concern, outcome.stage) in wanted, outcome
        assert_true(outcome, server)
        count = len(server.messages)
        if not courier.is_open:
            assert courier.open() is None
        assert courier.deliver(NEXT, DATA).kind == "accepted"
        assert len(server.messages) == count + 1
        courier.close()


def assert_true(outcome: Outcome, server: ScriptedServer) -> None:
    """The outcome is what happened."""
    has_it = [message.recipients for message in server.messages] == [("ada@x.example",)]
    assert has_it or not server.messages
    if outcome.kind == "unknown":
        assert outcome.stage == "final_dot"
        assert outcome.reply.code // 100 not in (2, 4, 5)
    else:
        assert has_it == (outcome.kind == "accepted")
    if has_it:
        assert server.messages[0].data == DATA
    if outcome.kind != "accepted":
        assert outcome.reply.text
    assert len(outcome.reply.text) <= 500
    assert outcome.reply.text.isprintable()


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_every_stage_and_every_mishap(
    mode: Mode, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    assert run_all(mode, contexts) > 80


@pytest.mark.long
@pytest.mark.parametrize("mode", OTHER_MODES, ids=str)
def test_every_stage_and_every_mishap_otherwise(
    mode: Mode, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    assert run_all(mode, contexts) > 80


def run_all(mode: Mode, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> int:
    """Run a mode's cells side by side, since most of their time is waiting; count them."""
    cells = [cell for cell in CELLS if cell.mode == mode]
    with ThreadPoolExecutor(20) as pool:
        errors = pool.map(lambda cell: _catch(cell, contexts), cells)
        failed = {cell: error for cell, error in zip(cells, errors, strict=True) if error}
    assert failed == {}
    return len(cells)


def _catch(cell: Cell, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> str:
    try:
        run(cell, contexts)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""
