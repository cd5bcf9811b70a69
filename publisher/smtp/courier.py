"""One connection to a relay, and one message after the other on it."""

import socket
import ssl
from collections.abc import Callable, Sequence

from publisher.model.delivery import Envelope, Outcome, Reply, Stage
from publisher.settings import Smtp
from publisher.smtp.attribution import attribute, attribute_failure
from publisher.smtp.letter import (
    END,
    LONE_DOT,
    Letter,
    find_refusal,
    read_offer,
    stuff,
    write_mail,
    write_rcpt,
)
from publisher.smtp.replies import count_replies
from publisher.smtp.session import Session, describe, open_session, read_waits
from publisher.smtp.wire import Steps, Wire, interrupt, run

# For the reply to QUIT: politeness only. Then for a server's last words when it stops reading: they
# were said before that, and are on their way at most.
_POLITE_WAIT = 2.0
_LAST_WORDS_WAIT = 1.0

# A command, and how long its reply may take, in seconds.
_Asked = tuple[Stage, float]

# What goes over the same connection next; None where there is nothing.
Following = Callable[[], Letter | None]


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
        self._asked: tuple[_Asked, ...] = (
            ("mail", self._waits.command),
            ("rcpt", self._waits.command),
            ("data", self._waits.data),
        )
        self._limit = messages_per_connection
        self._session: Session | None = None
        self._offer = read_offer({})
        self._opening: socket.socket | None = None
        self._is_interrupted = False
        self._has_leftovers = False
        self._tried = 0
        # Whose envelope went out behind the last body, before it is its turn.
        self._announced: Letter | None = None
        self._is_withdrawn = False
        self._is_sending = False
        self._may_announce = True
        # The replies that the server gave last, in one piece, when it was ready for a body.
        self._usual = b""

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
        self._offer = read_offer(session.features)
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
        return run(self.transact(stuff(envelope, data), before_body))

    def transact(
        self,
        letter: Letter,
        before_body: Callable[[], bool] | None = None,
        following: Following = lambda: None,
    ) -> Steps[Outcome]:
        """As `deliver`, for who waits for many connections at once.

        `following` is asked just before the body goes; the envelope of what it gives goes in the
        same write (RFC 2920, section 3.1), and the next one that is given to `transact` on this
        connection has to be that.
        """
        if self._session is None:
            return attribute_failure("connect", "there is no connection to the relay")
        announced, self._announced = self._announced, None
        if announced is not None and announced is not letter:
            self._drop()
            raise ValueError("another message was announced to the relay")
        if announced is None and (refusal := find_refusal(letter, self._offer)) is not None:
            return refusal
        wire = self._session.wire
        self._tried += 1
        self._is_sending = True
        try:
            refusal = yield from self._ask(wire, letter, is_announced=announced is not None)
            refusal = refusal or self._find_objection(wire, before_body)
            if refusal is not None:
                if wire.has_unread:
                    self._drop()
                return refusal
            return (yield from self._send_body(wire, letter, self._announce(following)))
        except BaseException:
            # The caller's own, or an interrupt: the transaction stands where nobody knows.
            self._drop()
            raise
        finally:
            self._is_sending = False

    def withdraw(self) -> None:
        """What was announced does not come: the connection ends, with the message before it where
        that is still on its way.
        """
        if self._is_sending:
            self._is_withdrawn = self._announced is not None
        elif self._announced is not None:
            self._drop()

    def _announce(self, following: Following) -> bytes:
        """The commands of what comes next, where they may go out before it is their turn."""
        is_used_up = self._limit and self._tried >= self._limit
        if is_used_up or not (self._offer.has_pipelining and self._may_announce):
            return b""
        letter = following()
        if letter is None or find_refusal(letter, self._offer) is not None:
            return b""  # it is refused when it is its turn
        self._announced = letter
        return self._write_commands(letter)

    def _write_commands(self, letter: Letter) -> bytes:
        """What comes before the body, in one write (RFC 2920)."""
        return write_mail(letter, self._offer) + write_rcpt(letter) + b"DATA\r\n"

    def _ask(self, wire: Wire, letter: Letter, *, is_announced: bool) -> Steps[Outcome | None]:
        """Have the server ready for the body; gives why it is not."""
        if is_announced:
            return (yield from self._hear_announced(wire))
        # Where the last transaction did not end well, some servers want to hear so.
        has_leftovers, wait = self._has_leftovers, self._waits.command
        if not self._offer.has_pipelining:
            return (yield from self._ask_singly(wire, letter, has_leftovers=has_leftovers))
        asked: tuple[_Asked, ...] = (("rset", wait),) * has_leftovers + self._asked
        together = b"RSET\r\n" * has_leftovers + self._write_commands(letter)
        try:
            if (sent := wire.send(together)) < len(together):
                yield from wire.write(together[sent:], wait)
        except OSError as error:
            self._drop()
            return attribute_failure(asked[0][0], describe(error))
        return (yield from self._hear_all(wire, asked))

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

    def _ask_singly(
        self, wire: Wire, letter: Letter, *, has_leftovers: bool
    ) -> Steps[Outcome | None]:
        """One command, one reply; stop at the first refusal."""
        words = (write_mail(letter, self._offer), write_rcpt(letter), b"DATA\r\n")
        commands = [(*each, text) for each, text in zip(self._asked, words, strict=True)]
        if has_leftovers:
            commands.insert(0, ("rset", self._waits.command, b"RSET\r\n"))
        stage: Stage = "mail"
        try:
            for stage, wait, command in commands:
                yield from wire.write(command, wait)
                reply = yield from wire.read(wait)
                if not _is_hoped_for(stage, reply):
                    return self._refused(stage, reply)
        except OSError as error:
            self._drop()
            return attribute_failure(stage, describe(error))
        return None

    def _hear_announced(self, wire: Wire) -> Steps[Outcome | None]:
        """The replies to what went out behind the last body: mostly they are here already.

        Whatever is wrong may come of an answer too many to the body, but for a refusal of the
        recipient behind which nothing more is said. Over another connection it shows.
        """
        heard = wire.unread
        if heard and heard == self._usual:
            wire.forget_unread()
            return None
        refusal = yield from self._hear_all(wire, self._asked)
        if refusal is not None and (refusal.stage != "rcpt" or wire.has_unread):
            self._drop()
            return attribute_failure("mail", f"behind a body the server said {refusal.reply}")
        if refusal is None and count_replies(heard) == len(self._asked):
            self._usual = heard
        return refusal

    def _hear_all(self, wire: Wire, asked: Sequence[_Asked]) -> Steps[Outcome | None]:
        """The replies to commands that were sent together.

        Those behind a refusal concern nobody. A server that says nothing may have overlooked what
        stood behind a body, and is announced nothing any more.
        """
        refusal: Outcome | None = None
        stage, reply = asked[0][0], Reply(0)
        try:
            for stage, wait in asked:
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
            self._may_announce = self._may_announce and not isinstance(error, TimeoutError)
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
        yield from wire.write(LONE_DOT, self._waits.block)
        reply = yield from wire.read(self._waits.final_dot)
        if reply.code == 421:
            self._drop()

    def _refused(self, stage: Stage, reply: Reply) -> Outcome:
        """Attribute a refusal; a 421 and what does not belong here end the connection."""
        self._has_leftovers = True
        if reply.code // 100 not in (4, 5) or reply.code == 421 or stage == "rset":
            self._drop()
        return attribute(stage, reply)

    def _send_body(self, wire: Wire, letter: Letter, announcement: bytes) -> Steps[Outcome]:
        """Write the body, and what is announced behind it; hear what comes of the body."""
        parts = (*letter.parts, LONE_DOT + announcement)
        whole = sum(map(len, parts))
        sent, error = 0, None
        try:
            sent = wire.send_parts(parts)
        except OSError as failure:
            error = failure
        if error is None and sent < whole:
            together = b"".join(parts)
            sent, error = yield from wire.write_blocks(together, self._waits.block, sent)
        if error is not None and sent <= whole - len(announcement) - len(END):
            return (yield from self._broke_in_body(wire, error))
        wait = self._waits.final_dot
        try:
            if error is not None:
                if sent < whole - len(announcement):
                    raise error
                # It broke behind the dot: the answer to that may be here.
                wait = min(_LAST_WORDS_WAIT, wait)
            reply = wire.read_here() or (yield from wire.hear(wait)).reply
            outcome = attribute("final_dot", reply)
        except OSError as failure:
            # Some servers may not see a dot that something stands behind.
            is_overlooked = bool(announcement) and isinstance(failure, TimeoutError)
            self._may_announce = self._may_announce and not is_overlooked
            self._drop()
            return attribute_failure("final_dot", describe(error or failure))
        self._has_leftovers = outcome.kind != "accepted"
        is_surprise = error or outcome.kind == "unknown" or outcome.reply.code == 421
        # Behind a refusal a server may want a RSET first, and it is too late for that.
        is_spoilt = self._announced and (self._has_leftovers or self._is_withdrawn)
        if is_surprise or is_spoilt or (wire.has_unread and not self._announced):
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
        self._announced, self._is_withdrawn = None, False


def _is_hoped_for(stage: Stage, reply: Reply) -> bool:
    return reply.code == 354 if stage == "data" else 200 <= reply.code <= 299
