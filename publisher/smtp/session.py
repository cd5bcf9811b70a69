"""Connect, greet, encrypt, log in: by smtplib, with reading and waiting of our own."""

import hmac
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, cast

import idna
import msgspec

from publisher.model.delivery import Outcome, Reply, Stage
from publisher.settings import Smtp, Timeouts
from publisher.smtp.attribution import attribute, attribute_failure, refuse
from publisher.smtp.wire import Wire, run

# In the order of smtplib, except that CRAM-MD5, which protects nothing inside TLS, comes last.
_MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")


class Waits(msgspec.Struct, frozen=True):
    """The settings' timeouts, in seconds."""

    connect: float
    greeting: float
    command: float
    data: float
    block: float
    final_dot: float


class Session(msgspec.Struct, frozen=True):
    """A connection that is ready for mail. `features` are EHLO's, keys in lower case."""

    wire: Wire
    features: dict[str, str]


def read_waits(timeouts: Timeouts) -> Waits:
    return Waits(*(each.total_seconds() for each in msgspec.structs.astuple(timeouts)))


def open_session(
    relay: Smtp,
    local_name: str,
    context: ssl.SSLContext | None = None,
    watch: Callable[[socket.socket], None] = lambda connected: None,
) -> Session | Outcome:
    """Open a connection as the settings say; an Outcome says why there is none.

    `watch` is given the socket as soon as it is there, so that another thread can break it off.
    `local_name` is what we call ourselves to the server (RFC 5321, section 4.1.1.1). Certificate
    and host name are verified, by the system's authorities unless a context is given. STARTTLS is
    never given up, and a password never sent unencrypted beyond this machine.
    """
    dialogue: _Dialogue | None = None
    try:
        host = to_ascii_host(relay.host)
        secure = None
        if relay.security != "none":
            secure = context or ssl.create_default_context()
        dialogue = _Dialogue(host, local_name, read_waits(relay.timeouts), watch)
        dialogue.open(host, relay.port, secure if relay.security == "tls" else None)
        _greet(dialogue, relay)
        if relay.security == "starttls" and secure:
            _encrypt(dialogue, secure, host)
        if relay.username:
            _log_in(dialogue, relay)
        return Session(dialogue.wire, dict(dialogue.esmtp_features))
    except _Refused as refused:
        outcome = refused.outcome
    # ValueError: a host's or a server's name that cannot be one, a challenge that is no base64.
    except (OSError, ValueError) as error:
        outcome = attribute_failure(dialogue.stage if dialogue else "connect", describe(error))
    if dialogue is not None:
        dialogue.close()
    return outcome


def to_ascii_host(host: str) -> str:
    """A host as DNS has it (RFC 5891). Raises ValueError where it cannot be one."""
    if not host:
        # To the resolver that would be this machine.
        raise ValueError("smtp.host is not set")
    return host if host.isascii() else idna.encode(host, uts46=True).decode()


def describe(error: Exception) -> str:
    """What broke, in a few words and without Python's own."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}"
    if isinstance(error, TimeoutError):
        return "the server took too long"
    return (error.strerror if isinstance(error, OSError) else "") or str(error)


class _Refused(Exception):
    """Ends the opening of a session, with what came of it."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(str(outcome.reply))
        self.outcome = outcome


class _Words(str):
    """Credentials that are sent as UTF-8 (RFC 4616), though smtplib asks for ASCII."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return super().encode("utf-8", errors)


class _Dialogue(smtplib.SMTP):
    """smtplib's commands on our wire: replies bounded in size and time, the stage known."""

    wire: Wire

    def __init__(
        self, host: str, local_name: str, waits: Waits, watch: Callable[[socket.socket], None]
    ) -> None:
        super().__init__(local_hostname=local_name)
        self.waits = waits
        self.watch = watch
        self.stage: Stage = "connect"
        self.wait = waits.greeting
        self.last = Reply(0)

    def open(self, host: str, port: int, secure: ssl.SSLContext | None) -> None:
        """Connect, with TLS from the first byte where a context is given; read the greeting."""
        connected = _connect(host, port, self.waits.connect, self.watch)
        self._use(connected)
        with suppress(OSError):
            # It fails where the server is gone already, which reading will say in better words.
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure:
            connected.settimeout(self.waits.connect)
            self._use(secure.wrap_socket(connected, server_hostname=host))
        self.stage = "greeting"
        code, _ = self.getreply()
        if code != 220:
            raise _Refused(attribute(self.stage, self.last))
        self.wait = self.waits.command

    def encrypt(self, secure: ssl.SSLContext, host: str) -> None:
        """Go on in TLS, and forget what was said before (RFC 3207, section 4.2)."""
        if self.wire.has_unread:
            # Somebody on the way put it there, to have it taken for the server's own
            # once the connection is encrypted (CVE-2011-0411).
            raise ConnectionError("the server said more than was asked for before TLS began")
        plain = self.wire.socket
        plain.settimeout(self.wait)
        self._use(secure.wrap_socket(plain, server_hostname=host))

    def _use(self, connected: socket.socket) -> None:
        self.watch(connected)
        self.sock = connected
        self.wire = Wire(connected)

    def send(self, s: Any) -> None:
        run(self.wire.write(s.encode("ascii") if isinstance(s, str) else bytes(s), self.wait))

    def getreply(self) -> tuple[int, bytes]:
        said = run(self.wire.hear(self.wait))
        self.last = said.reply
        return said.reply.code, b"\n".join(said.texts)


def _connect(
    host: str, port: int, timeout: float, watch: Callable[[socket.socket], None]
) -> socket.socket:
    """As socket.create_connection, but for the watch on each try."""
    error: OSError = ConnectionError(f"{host} has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        connected = socket.socket(family, kind, protocol)
        try:
            connected.settimeout(timeout)
            watch(connected)
            connected.connect(address)
            return connected
        except OSError as failure:
            connected.close()
            error = failure
    raise error


def _greet(dialogue: _Dialogue, relay: Smtp) -> None:
    """EHLO; the HELO of before 1995 only where nothing is needed that EHLO offers."""
    dialogue.stage = "ehlo"
    code, _ = dialogue.ehlo()
    if code == 250:
        return
    if 500 <= code <= 599 and relay.security != "starttls" and not relay.username:
        code, _ = dialogue.helo()
        if code == 250:
            return
    raise _Refused(attribute("ehlo", dialogue.last))


def _encrypt(dialogue: _Dialogue, secure: ssl.SSLContext, host: str) -> None:
    dialogue.stage = "starttls"
    if not dialogue.has_extn("starttls"):
        raise ConnectionError(
            "the server does not offer STARTTLS; nothing is sent unencrypted."
            ' Set smtp.security to "tls" where the port speaks TLS from the start'
        )
    code, _ = dialogue.docmd("STARTTLS")
    if code != 220:
        raise _Refused(attribute("starttls", dialogue.last))
    dialogue.encrypt(secure, host)
    dialogue.stage = "ehlo"
    code, _ = dialogue.ehlo()
    if code != 250:
        raise _Refused(attribute("ehlo", dialogue.last))


def _log_in(dialogue: _Dialogue, relay: Smtp) -> None:
    """Log in by the first mechanism that the server takes; a 535 ends it, since it counts."""
    dialogue.stage = "auth"
    if relay.security == "none" and not _is_loopback(dialogue.wire.socket):
        words = 'no password is sent unencrypted; set smtp.security to "starttls" or "tls"'
        raise _Refused(refuse("auth", "login", words))
    offered = dialogue.esmtp_features.get("auth", "").upper().split()
    usable = [mechanism for mechanism in _MECHANISMS if mechanism in offered]
    if not usable:
        known = ", ".join(_MECHANISMS)
        raise ConnectionError(f"the server offers no login that is known here ({known})")
    for mechanism in usable:
        _try_mechanism(dialogue, mechanism, relay)
        if dialogue.last.code == 235:
            return
        if dialogue.last.code == 535 or not 500 <= dialogue.last.code <= 599:
            break
    raise _Refused(attribute("auth", dialogue.last))


def _try_mechanism(dialogue: _Dialogue, mechanism: str, relay: Smtp) -> None:
    """Have one mechanism's dialogue; the last reply says what came of it."""
    user, password = _Words(relay.username), _Words(relay.password)
    steps = iter((user, password))

    def answer(challenge: bytes | None = None) -> str | None:
        if mechanism == "PLAIN":
            return _Words(f"\0{user}\0{password}")
        if mechanism == "LOGIN":
            return None if challenge is None else next(steps, _Words(""))
        if challenge is None:
            return None
        return _Words(f"{user} {hmac.new(password.encode(), challenge, 'md5').hexdigest()}")

    with suppress(smtplib.SMTPAuthenticationError):
        # Its annotation forgets that an answer may be None: no initial response (RFC 4954).
        dialogue.auth(mechanism, cast(Any, answer))


def _is_loopback(connected: socket.socket) -> bool:
    return ip_address(connected.getpeername()[0]).is_loopback
