"""One connection to a relay, and one message after the other on it."""

import re
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple

from publisher.model.delivery import Envelope, Outcome, Reply, Stage
from publisher.settings import Smtp
from publisher.smtp.attribution import attribute, attribute_failure, refuse
from publisher.smtp.session import Session, describe, open_session, read_waits
from publisher.smtp.wire import Steps, Wire, interrupt, run

_END = b"\r\n.\r\n"
# For the reply to QUIT: politeness only. Then for a server's last words when it stops reading: they
# were said before that, and are on their way at most.
_POLITE_WAIT = 2.0
_LAST_WORDS_WAIT = 1.0

# What may stand between `<` and `>`: nothing that ends the address, the line or the command, unless
# it is quoted (RFC 5321, section 4.1.2).
_PATH = re.compile(
    r"""(?:[^\x00-\x20\x7f-\x9f"<>\u2028\u2029\ud800-\udfff]+
    | "(?:[^\x00-\x1f\x7f-\x9f"\\\u2028\u2029\ud800-\udfff]|\\[\x20-\x7e])*")*""",
    re.VERBOSE,
)

# A dot at the beginning, or behind a CR or LF. Looking for dots first, and then back, takes a fifth
# of the time that looking for line ends takes.
_LINE_DOT = re.compile(rb"\.(?<![^\r\n]\.)")

_Command = tuple[Stage, bytes, float]


class Needs(NamedTuple):
    """What a message asks of the server: so many bytes, all of them ASCII, SMTPUTF8."""

    size: int
    is_ascii: bool
    is_utf8: bool


class Offer(NamedTuple):
    """What a server offers at EHLO. It takes messages of `limit` bytes; 0 is no limit known."""

    has_pipelining: bool
    has_size: bool
    has_8bit: bool
    has_utf8: bool
    limit: int


class Courier:
    """Takes messages to a relay over one connection, which the caller opens again when it is gone.

    Whatever a server or the network does is an Outcome, never an exception. For one thread, except
    for `interrupt`.
    """

    def __init__(
        self,
        relay: Smtp,
        local_name: str,
        *,
        context: ssl.SSLContext | None = None,
        messages_per_connection: int = 0,
    ) -> None:
        self._relay = relay
        self._local_name = local_name
        self._context = context
        self._waits = read_waits(relay.timeouts)
        self._limit = messages_per_connection
        self._session: Session | None = None
        self._offer = _read_offer({})
        self._opening: socket.socket | None = None
        self._is_interrupted = False
        self._has_leftovers = False
        self._tried = 0

    @property
    def name(self) -> str:
        """The relay's name in the settings; empty where it is the only one, without one."""
        return self._relay.name

    @property
    def is_open(self) -> bool:
        """Whether a message may be tried: connected, as far as is known, and not used up."""
        return self._session is not None and not (self._limit and self._tried >= self._limit)

    @property
    def is_opening(self) -> bool:
        """Whether a connection is being opened: nothing was sent on it."""
        return self._opening is not None

    @property
    def is_fresh(self) -> bool:
        """Whether no message was tried on this connection yet."""
        return self._tried == 0

    def open(self) -> Outcome | None:
        """Connect, encrypt and log in; None when ready. An open connection is closed before."""
        self.close()
        session = open_session(self._relay, self._local_name, self._context, self._watch)
        self._opening = None
        if isinstance(session, Outcome):
            return session
        self._session, self._tried, self._has_leftovers = session, 0, False
        self._offer = _read_offer(session.features)
        return None

    def close(self) -> None:
        """Say QUIT, wait a moment for the answer, and close."""
        if self._session is None:
            return
        wait = min(_POLITE_WAIT, self._waits.command)
        try:
            run(self._session.wire.write(b"QUIT\r\n", wait))
            run(self._session.wire.read(wait))
        except OSError:
            pass
        self._drop()

    def interrupt(self) -> None:
        """Break the connection off, from another thread; `deliver` there returns what came of it.

        That is a doubt where the final dot is out, and nothing sent everywhere else. `open`
        returns, too.
        """
        self._is_interrupted = True
        session, opening = self._session, self._opening
        if opening is not None:
            interrupt(opening)
        if session is not None:
            interrupt(session.wire.socket)

    def _watch(self, connected: socket.socket) -> None:
        self._opening = connected
        if self._is_interrupted:
            raise ConnectionAbortedError("stopped before the connection was open")

    def deliver(
        self,
        envelope: Envelope,
        data: bytes,
        *,
        before_body: Callable[[], bool] | None = None,
    ) -> Outcome:
        """Send one message to one recipient, and say what came of it.

        `data` is the message with CRLF line ends, not dot-stuffed. `before_body` is called when the
        relay is ready for it; where it gives False, the connection is closed and nothing sent. The
        outcome is unknown only if the final dot was handed over and no reply to it read.
        """
        return run(self.transact(envelope, data, before_body=before_body))

    def transact(
        self,
        envelope: Envelope,
        data: bytes,
        *,
        before_body: Callable[[], bool] | None = None,
        is_stuffed: bool = False,
    ) -> Steps[Outcome]:
        """As `deliver`, for who waits for many connections at once.

        `is_stuffed` vouches that no line of `data` begins with a dot, that it ends with CRLF, and
        that all of it is ASCII unless its envelope says UTF-8.
        """
        if self._session is None:
            return attribute_failure("connect", "there is no connection to the relay")
        wire, is_utf8 = self._session.wire, _needs_utf8(envelope)
        is_ascii = (is_stuffed and not is_utf8) or data.isascii()
        needs = Needs(len(data), is_ascii, is_utf8)
        refusal = _find_refusal(envelope, needs, self._offer)
        if refusal is not None:
            return refusal
        self._tried += 1
        try:
            ask = self._ask_together if self._offer.has_pipelining else self._ask_singly
            refusal = yield from ask(wire, self._commands(envelope, needs))
            refusal = refusal or self._find_objection(wire, before_body)
            if refusal is not None:
                if wire.has_unread:
                    self._drop()
                return refusal
            body = data + _END[2:] if is_stuffed else _stuff(data)
            return (yield from self._send_body(wire, body))
        except BaseException:
            # The caller's own, or an interrupt: the transaction stands where nobody knows.
            self._drop()
            raise

    def _find_objection(self, wire: Wire, before_body: Callable[[], bool] | None) -> Outcome | None:
        """What speaks against sending the body that the server is ready for."""
        if wire.has_unread:
            # An answer to the message, before it was sent, could be taken for the real one.
            return attribute_failure("data", "the server said more than was asked for")
        if before_body is not None and not before_body():
            # Once a recipient was accepted, closing is the only way not to send (RFC 2920, 3.1).
            self._drop()
            return attribute_failure("data", "stopped before the message was sent")
        return None

    def _commands(self, envelope: Envelope, needs: Needs) -> list[_Command]:
        """What comes before the body; RSET first where the last transaction did not end well."""
        size = f" SIZE={needs.size}" if self._offer.has_size else ""
        body = " BODY=8BITMIME" if self._offer.has_8bit and not needs.is_ascii else ""
        utf8 = " SMTPUTF8" if needs.is_utf8 else ""
        mail = f"MAIL FROM:<{envelope.sender}>{size}{body}{utf8}\r\n".encode()
        rcpt = f"RCPT TO:<{envelope.recipient}>\r\n".encode()
        wait = self._waits.command
        commands: list[_Command] = [
            ("mail", mail, wait),
            ("rcpt", rcpt, wait),
            ("data", b"DATA\r\n", self._waits.data),
        ]
        return [("rset", b"RSET\r\n", wait), *commands] if self._has_leftovers else commands

    def _ask_singly(self, wire: Wire, commands: list[_Command]) -> Steps[Outcome | None]:
        """One command, one reply; stop at the first refusal."""
        stage: Stage = "mail"
        try:
            for stage, command, wait in commands:
                yield from wire.write(command, wait)
                reply = yield from wire.read(wait)
                if not _is_hoped_for(stage, reply):
                    return self._refused(stage, reply)
        except OSError as error:
            self._drop()
            return attribute_failure(stage, describe(error))
        return None

    def _ask_together(self, wire: Wire, commands: list[_Command]) -> Steps[Outcome | None]:
        """All commands in one write (RFC 2920); replies behind a refusal concern nobody."""
        refusal: Outcome | None = None
        stage, reply = commands[0][0], Reply(0)
        try:
            together = b"".join([command for _, command, _ in commands])
            if (sent := wire.send(together)) < len(together):
                yield from wire.write(together[sent:], commands[0][2])
            for stage, _, wait in commands:
                reply = wire.read_here() or (yield from wire.hear(wait)).reply
                if refusal is None:
                    if _is_hoped_for(stage, reply):
                        continue
                    refusal = self._refused(stage, reply)
                if reply.code == 421 or self._session is None:
                    self._drop()
                    return refusal
            if refusal is not None and reply.code == 354:
                yield from self._take_back(wire, refusal)
        except OSError as error:
            self._drop()
            return refusal or attribute_failure(stage, describe(error))
        return refusal

    def _take_back(self, wire: Wire, refusal: Outcome) -> Steps[None]:
        """Answer a 354 that came though the recipient was refused (RFC 2920, section 3.1).

        A lone dot is a message to nobody. Where it is not the recipient that was refused, the
        server's state is anybody's guess.
        """
        if refusal.stage != "rcpt":
            self._drop()
            return
        yield from wire.write(_END[2:], self._waits.block)
        reply = yield from wire.read(self._waits.final_dot)
        if reply.code == 421:
            self._drop()

    def _refused(self, stage: Stage, reply: Reply) -> Outcome:
        """Attribute a refusal; a 421 and what does not belong here end the connection."""
        self._has_leftovers = True
        if reply.code // 100 not in (4, 5) or reply.code == 421 or stage == "rset":
            self._drop()
        return attribute(stage, reply)

    def _send_body(self, wire: Wire, body: bytes) -> Steps[Outcome]:
        sent, error = 0, None
        try:
            sent = wire.send(body)
        except OSError as failure:
            error = failure
        if error is None and sent < len(body):
            sent, error = yield from wire.write_blocks(body, self._waits.block, sent)
        if error is not None and sent <= len(body) - len(_END):
            return (yield from self._broke_in_body(wire, error))
        try:
            if error is not None:
                raise error
            reply = (yield from wire.hear(self._waits.final_dot)).reply
            outcome = attribute("final_dot", reply)
        except OSError as failure:
            self._drop()
            return attribute_failure("final_dot", describe(failure))
        self._has_leftovers = outcome.kind != "accepted"
        is_surprise = outcome.kind == "unknown" or outcome.reply.code == 421
        if is_surprise or wire.has_unread:
            self._drop()
        return outcome

    def _broke_in_body(self, wire: Wire, error: OSError) -> Steps[Outcome]:
        """The final dot is still here: nothing is in doubt. The server may have said why."""
        try:
            reply = yield from wire.read(min(_LAST_WORDS_WAIT, self._waits.command))
        except OSError:
            reply = Reply(0)
        self._drop()
        if reply.code >= 400:
            return attribute("body", reply)
        return attribute_failure("body", describe(error))

    def _drop(self) -> None:
        """Close without a word."""
        if self._session is not None:
            self._session.wire.close()
            self._session = None


def _is_hoped_for(stage: Stage, reply: Reply) -> bool:
    return reply.code == 354 if stage == "data" else 200 <= reply.code <= 299


def _needs_utf8(envelope: Envelope) -> bool:
    return envelope.is_utf8 or not (envelope.sender.isascii() and envelope.recipient.isascii())


def _read_offer(features: dict[str, str]) -> Offer:
    limit = features.get("size", "").strip()
    return Offer(
        has_pipelining="pipelining" in features,
        has_size="size" in features,
        has_8bit="8bitmime" in features,
        has_utf8="smtputf8" in features,
        limit=int(limit[:20]) if limit.isdecimal() else 0,
    )


def _find_refusal(envelope: Envelope, needs: Needs, offer: Offer) -> Outcome | None:
    """What this relay cannot take, or nobody should: known before anything is sent."""
    if not _PATH.fullmatch(envelope.sender):
        return refuse("mail", "sender", "the sender's address cannot be written in a command")
    if not envelope.recipient or not _PATH.fullmatch(envelope.recipient):
        return refuse("rcpt", "recipient", "the address cannot be written in a command")
    if needs.is_utf8 and not offer.has_utf8:
        return refuse("rcpt", "recipient", "the relay takes no international addresses (SMTPUTF8)")
    if not needs.is_ascii and not offer.has_8bit:
        return refuse("mail", "recipient", "the relay takes no 8-bit messages (8BITMIME)")
    # RFC 1870, section 4: 0 or nothing means that no limit is known.
    if 0 < offer.limit < needs.size:
        words = f"the message has {needs.size} bytes, and the relay takes {offer.limit} at most"
        return refuse("mail", "sender", words)
    return None


def _stuff(data: bytes) -> bytes:
    """The message as it is written, with its end (RFC 5321, section 4.5.2).

    A dot behind a lone CR or LF is doubled too: to some servers that is where a line begins, and
    what follows could be taken for the end and for commands.
    """
    data = _LINE_DOT.sub(b"..", data)
    return data + (_END[2:] if data.endswith(b"\r\n") else _END)
