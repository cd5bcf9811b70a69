"""A mail server on a real socket that does what a test tells it, and knows what it accepted.

    rules = [Rule("rcpt", say("450 4.2.0 later"), recipient="ada@x.example", times=2)]
    with ScriptedServer(rules) as server:
        ...  # connect to 127.0.0.1, server.port
        assert [message.recipients for message in server.messages] == [("ada@x.example",)]

Without rules it takes everything. The first rule that fits a stage decides what is done there, in
place of the usual answer; rules may be added to `server.rules` at any time. A 2xx or 354 said by a
rule has the same effect as the server's own. At `final_dot` a rule may have the message accepted
(`is_accepted`) whatever is said then: that is how doubts come about.

`server.messages` is what was accepted, in order; `server.lines` every command's line as (number of
the connection, whether it was encrypted, line); `server.logins` each credential that arrived.
"""

import hmac
import socket
import ssl
import struct
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal, NoReturn

import trustme

from publisher.model.delivery import Stage
from publisher.settings import Duration, Smtp, Timeouts

# Long enough for a busy machine; a test that waits for a timeout sets its own.
PATIENT = 60.0

CAPABILITIES = ("PIPELINING", "SIZE 20000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")

Then = Literal["go on", "close", "reset", "silence"]


@dataclass(frozen=True)
class Act:
    """What the server does at a stage: wait, say these bytes, and then what.

    `drip` says them byte by byte, that many seconds apart.
    """

    text: bytes = b""
    then: Then = "go on"
    delay: float = 0
    drip: float = 0


def say(text: str, then: Then = "go on", delay: float = 0) -> Act:
    """One line, as it is."""
    return Act(text.encode() + b"\r\n", then, delay)


CLOSE_421 = say("421 4.3.2 closing down", "close")
CLOSE = Act(then="close")
RESET = Act(then="reset")
SILENCE = Act(then="silence")
GARBAGE = Act(b"\x00\xff<html>no mail here</html>\r\n\x80\r\n", "silence")
LONG_LINE = Act(b"250-" + b"x" * 65_536 + b"\r\n250 ok\r\n", "silence")
MANY_LINES = Act(b"250-line\r\n" * 10_000 + b"250 ok\r\n", "silence")


@dataclass
class Rule:
    """When to do something: at a stage, `times` times (always where None).

    `recipient` is the end of the envelope's recipient, e.g. a whole address or `@x.example`; it
    fits from `rcpt` on. `connection` counts from 1.
    """

    stage: Stage
    act: Act
    recipient: str = ""
    connection: int | None = None
    times: int | None = None
    is_accepted: bool = False


@dataclass(frozen=True)
class Accepted:
    """A message that the server took: its envelope, and its text without dot-stuffing."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes
    connection: int
    parameters: str


@dataclass(frozen=True)
class Login:
    mechanism: str
    user: str
    password: str
    is_encrypted: bool


class ScriptedServer:
    """Listens on loopback (or `address`) from `with` on, one thread for each connection.

    `lacks` names capabilities that are not offered, `EHLO` for all of them. `tls` is the server's
    context; with `is_implicit` TLS starts at once, else STARTTLS is offered. `logins` (user to
    password) offers AUTH with `mechanisms`. `on_message` is called with each accepted message
    before its reply is sent, and `delay` waits before each reply to a command.
    """

    def __init__(
        self,
        rules: Iterable[Rule] = (),
        *,
        lacks: Iterable[str] = (),
        tls: ssl.SSLContext | None = None,
        is_implicit: bool = False,
        logins: Mapping[str, str] | None = None,
        mechanisms: str = "PLAIN LOGIN CRAM-MD5",
        on_message: Callable[[Accepted], None] | None = None,
        delay: float = 0,
        address: str = "127.0.0.1",
    ) -> None:
        self.address = address
        self.rules = list(rules)
        self.lacks = frozenset(lacks)
        self.tls = tls
        self.is_implicit = is_implicit
        self.logins_known = dict(logins or {})
        self.mechanisms = mechanisms
        self.on_message = on_message
        self.delay = delay
        self.messages: list[Accepted] = []
        self.lines: list[tuple[int, bool, bytes]] = []
        self.logins: list[Login] = []
        self.connections = 0
        self.open_now = 0
        self.most_open = 0
        self.errors: list[BaseException] = []
        self.lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "ScriptedServer":
        self._listener = socket.create_server((self.address, 0), backlog=128)
        # Small, so that a long message cannot vanish in the kernel's buffers.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing a listener does not wake the thread in accept(); shutting it down does.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(10)
        self._listener.close()
        self.drop_all()
        for thread in self._threads:
            thread.join(10)
        assert self.errors == []

    def drop_all(self) -> None:
        """Shut every connection down, as a relay does that is restarted."""
        with self.lock:
            for each in self._sockets:
                # Not the TLS socket's own, which another thread is reading from.
                with suppress(OSError):
                    socket.socket.shutdown(each, socket.SHUT_RDWR)

    def find(self, stage: Stage, connection: int, recipient: str) -> Rule | None:
        """The rule for a stage, which counts as used."""
        with self.lock:
            for rule in self.rules:
                if rule.stage != stage or rule.times == 0:
                    continue
                if rule.connection not in (None, connection):
                    continue
                if not recipient.endswith(rule.recipient):
                    continue
                if rule.times is not None:
                    rule.times -= 1
                return rule
        return None

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open_now += 1
                self.most_open = max(self.most_open, self.open_now)
                self._sockets.add(connected)
                number = self.connections
            thread = threading.Thread(target=self._serve, args=(connected, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connected: socket.socket, number: int) -> None:
        conversation = _Conversation(self, connected, number)
        try:
            conversation.run()
        except (_Over, OSError):
            pass
        except BaseException as error:
            self.errors.append(error)
        finally:
            with self.lock:
                self.open_now -= 1
                self._sockets.discard(connected)
            conversation.close()


class _Over(Exception):
    """The connection has ended."""


@dataclass
class _Transaction:
    sender: str | None = None
    parameters: str = ""
    recipients: list[str] = field(default_factory=list)
    # Whom a rule may mean: also a recipient that was refused.
    named: str = ""


class _Conversation:
    """One connection."""

    def __init__(self, server: ScriptedServer, connected: socket.socket, number: int) -> None:
        self.server = server
        self.socket = connected
        self.number = number
        self.file: BinaryIO = connected.makefile("rb")
        self.is_encrypted = False
        self.transaction = _Transaction()

    def run(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.act("connect")
        if self.server.tls and self.server.is_implicit:
            self.encrypt(self.server.tls)
        self.answer("greeting", b"220 scripted.example ESMTP\r\n")
        while True:
            line = self.read()
            verb = line.split(b" ")[0].split(b":")[0].strip().upper()
            getattr(self, f"do_{verb.decode('latin-1').lower()}", self.do_unknown)(line)

    def close(self) -> None:
        for each in (self.file, self.socket):
            with suppress(OSError):
                each.close()

    # what it reads and writes

    def read(self) -> bytes:
        line = self.file.readline()
        if not line:
            raise _Over
        self.server.lines.append((self.number, self.is_encrypted, line.rstrip(b"\r\n")))
        return line.rstrip(b"\r\n")

    def answer(self, stage: Stage, usual: bytes) -> bytes:
        """Do what a rule says, or say the usual thing; give the code that was said."""
        if self.server.delay:
            time.sleep(self.server.delay)
        said = self.act(stage)
        if said is not None:
            return said
        self.socket.sendall(usual)
        return usual[:3]

    def act(self, stage: Stage) -> bytes | None:
        rule = self.server.find(stage, self.number, self.transaction.named)
        if rule is None:
            return None
        return self.perform(rule.act)

    def perform(self, act: Act) -> bytes:
        time.sleep(act.delay)
        if act.drip:
            for place in range(len(act.text)):
                self.socket.sendall(act.text[place : place + 1])
                time.sleep(act.drip)
        elif act.text:
            self.socket.sendall(act.text)
        if act.then == "reset":
            linger = struct.pack("ii", 1, 0)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.end()
        if act.then == "close":
            self.end()
        if act.then == "silence":
            # Until the client has had enough.
            while self.file.read1(65_536):  # type: ignore[attr-defined]
                pass
            self.end()
        return act.text[:3]

    def end(self) -> NoReturn:
        self.close()
        raise _Over

    def encrypt(self, context: ssl.SSLContext) -> None:
        inner = self.socket
        self.socket = context.wrap_socket(inner, server_side=True)
        self.file = self.socket.makefile("rb")
        self.is_encrypted = True
        with self.server.lock:
            self.server._sockets.discard(inner)
            self.server._sockets.add(self.socket)

    # the commands

    def do_unknown(self, line: bytes) -> None:
        self.socket.sendall(b"500 5.5.2 what?\r\n")

    def do_ehlo(self, line: bytes) -> None:
        if "EHLO" in self.server.lacks:
            self.answer("ehlo", b"502 5.5.1 not known here\r\n")
            return
        offered = [name for name in CAPABILITIES if name.split()[0] not in self.server.lacks]
        if self.server.tls and not self.is_encrypted and "STARTTLS" not in self.server.lacks:
            offered.append("STARTTLS")
        if self.server.logins_known and "AUTH" not in self.server.lacks:
            offered.append(f"AUTH {self.server.mechanisms}")
        lines = ["scripted.example", *offered]
        marks = ["-"] * len(offered) + [" "]
        text = "".join(f"250{mark}{line}\r\n" for mark, line in zip(marks, lines, strict=True))
        self.answer("ehlo", text.encode())

    def do_helo(self, line: bytes) -> None:
        self.socket.sendall(b"250 scripted.example\r\n")

    def do_starttls(self, line: bytes) -> None:
        said = self.answer("starttls", b"220 2.0.0 go ahead\r\n")
        if said == b"220" and self.server.tls:
            self.encrypt(self.server.tls)

    def do_auth(self, line: bytes) -> None:
        rule = self.server.find("auth", self.number, "")
        mechanism, _, initial = line.decode()[5:].partition(" ")
        if rule is not None and rule.act.text[:3] != b"235":
            self.perform(rule.act)
            return
        login = self.log_in(mechanism.upper(), initial)
        self.server.logins.append(login)
        is_right = self.server.logins_known.get(login.user) == login.password
        self.socket.sendall(
            b"235 2.7.0 welcome\r\n" if is_right else b"535 5.7.8 no such login\r\n"
        )

    def log_in(self, mechanism: str, initial: str) -> Login:
        user = password = ""
        if mechanism == "PLAIN":
            _, user, password = ((initial and _decode(initial)) or self.ask("")).split("\0")
        elif mechanism == "LOGIN":
            user = (initial and _decode(initial)) or self.ask("Username:")
            password = self.ask("Password:")
        elif mechanism == "CRAM-MD5":
            challenge = f"<{self.number}@scripted.example>"
            user, _, digest = self.ask(challenge).partition(" ")
            known = self.server.logins_known.get(user, "")
            right = hmac.new(known.encode(), challenge.encode(), "md5").hexdigest()
            password = known if digest == right else "wrong"
        return Login(mechanism, user, password, self.is_encrypted)

    def ask(self, challenge: str) -> str:
        self.socket.sendall(b"334 " + b64encode(challenge.encode()) + b"\r\n")
        return _decode(self.read().decode())

    def do_mail(self, line: bytes) -> None:
        if self.transaction.sender is not None:
            self.socket.sendall(b"503 5.5.1 nested MAIL\r\n")
            return
        sender, _, parameters = line.decode()[len("MAIL FROM:<") :].rpartition(">")
        if self.answer("mail", b"250 2.1.0 Ok\r\n")[:1] == b"2":
            self.transaction = _Transaction(sender, parameters.strip())

    def do_rcpt(self, line: bytes) -> None:
        if self.transaction.sender is None:
            self.socket.sendall(b"503 5.5.1 MAIL first\r\n")
            return
        recipient = line.decode()[len("RCPT TO:<") :].rpartition(">")[0]
        self.transaction.named = recipient
        if self.answer("rcpt", b"250 2.1.5 Ok\r\n")[:1] == b"2":
            self.transaction.recipients.append(recipient)

    def do_data(self, line: bytes) -> None:
        rule = self.server.find("data", self.number, self.transaction.named)
        if rule is not None:
            said = self.perform(rule.act)
        else:
            said = b"354" if self.transaction.recipients else b"554"
            usual = b"354 go ahead\r\n" if said == b"354" else b"554 5.5.1 no valid recipients\r\n"
            self.socket.sendall(usual)
        if said == b"354":
            self.take_body()

    def take_body(self) -> None:
        rule = self.server.find("body", self.number, self.transaction.named)
        if rule is not None:
            self.file.peek(1)  # type: ignore[attr-defined]
            self.perform(rule.act)
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                raise _Over
            lines.append(line[1:] if line.startswith(b".") else line)
        if rule is not None and rule.act.text:
            # It was refused before its end, and said so.
            self.transaction = _Transaction()
        else:
            self.finish(b"".join(lines))

    def finish(self, data: bytes) -> None:
        done = self.transaction
        rule = self.server.find("final_dot", self.number, done.named)
        self.transaction = _Transaction()
        says_yes = rule is None or rule.is_accepted or rule.act.text[:1] == b"2"
        if not done.recipients:
            self.socket.sendall(b"554 5.5.1 no valid recipients\r\n")
            return
        if rule is not None and rule.act in (LONG_LINE, MANY_LINES):
            says_yes = rule.is_accepted
        if says_yes:
            self.accept(done, data)
        if rule is not None:
            self.perform(rule.act)
        else:
            place = len(self.server.messages)
            self.socket.sendall(b"250 2.0.0 Ok: queued as Q%d\r\n" % place)

    def accept(self, done: _Transaction, data: bytes) -> None:
        accepted = Accepted(
            done.sender or "", tuple(done.recipients), data, self.number, done.parameters
        )
        with self.server.lock:
            self.server.messages.append(accepted)
        if self.server.on_message is not None:
            self.server.on_message(accepted)

    def do_rset(self, line: bytes) -> None:
        if self.answer("rset", b"250 2.0.0 Ok\r\n")[:1] == b"2":
            self.transaction = _Transaction()

    def do_noop(self, line: bytes) -> None:
        self.socket.sendall(b"250 2.0.0 Ok\r\n")

    def do_quit(self, line: bytes) -> None:
        self.answer("quit", b"221 2.0.0 bye\r\n")
        self.end()


def _decode(text: str) -> str:
    return b64decode(text).decode()


def relay_to(
    server: ScriptedServer, *, host: str = "127.0.0.1", waits: float = PATIENT, **changes: Any
) -> Smtp:
    """The settings of a relay for this server; `changes` are fields of Smtp or of Timeouts."""
    timeouts = {
        name: Duration(seconds=changes.pop(name, waits)) for name in Timeouts.__struct_fields__
    }
    has_tls = "tls" if server.is_implicit else "starttls" if server.tls else "none"
    fields = {"security": has_tls, **changes}
    return Smtp(host=host, port=server.port, timeouts=Timeouts(**timeouts), **fields)


def server_tls(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """A server's context with a certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(context)
    return context


def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A client's context that trusts this authority alone, and verifies as the default does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context
