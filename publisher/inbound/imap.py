"""An IMAP mailbox (RFC 3501), over TLS only: what nobody has seen in it, then marked as seen."""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from publisher.errors import PublisherError
from publisher.inbound.source import MOST_OCTETS, TOO_LARGE, Arrived

SCHEMES = ("imaps", "imap")
# Each answer; a server that is alive begins it within a minute.
_SECONDS = 60
_PORTS = {"imaps": 993, "imap": 143}
_PRINTABLE = re.compile(r"[ -~]{1,1000}")


class Mailbox(msgspec.Struct, frozen=True, kw_only=True):
    """`imaps://USER@HOST[:PORT]/NAME`, read; `imap` is with STARTTLS."""

    scheme: str
    host: str
    port: int
    user: str
    name: str


def parse_mailbox(url: str) -> Mailbox:
    """Read a mailbox's URL (RFC 5092). Raises PublisherError where it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise PublisherError(_wrong(url)) from None
    name = unquote(parts.path.strip("/")) or "INBOX"
    user = unquote(parts.username or "")
    if parts.password is not None:
        raise PublisherError(
            "the mailbox's password belongs in the environment, not in its URL, which others can"
            " see: PUBLISHER_INBOUND__PASSWORD"
        )
    if not parts.hostname or not all(map(_PRINTABLE.fullmatch, (user, name))):
        raise PublisherError(_wrong(url))
    return Mailbox(scheme=parts.scheme, host=parts.hostname, port=port, user=user, name=name)


def _wrong(url: str) -> str:
    return f"{url[:200]!r} names no mailbox; it would be imaps://USER@HOST/INBOX"


def read_imap(
    mailbox: Mailbox, password: str, context: ssl.SSLContext | None = None
) -> Iterator[Arrived]:
    """The messages that nobody has seen, in their order.

    The password goes out over verified TLS alone. Raises PublisherError where the server cannot be
    reached, refuses the login or has no such mailbox.
    """
    if not password:
        raise PublisherError(
            f"the password of {mailbox.user} is missing: set PUBLISHER_INBOUND__PASSWORD"
        )
    with _explained(mailbox):
        server = _connect(mailbox, context or ssl.create_default_context())
        try:
            _log_in(server, mailbox, password)
            for uid in _find_unseen(server):
                yield _fetch(server, mailbox, uid)
        finally:
            _leave(server)


def _connect(mailbox: Mailbox, context: ssl.SSLContext) -> imaplib.IMAP4:
    if mailbox.scheme == "imaps":
        return imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=context, timeout=_SECONDS)
    server = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=_SECONDS)
    server.starttls(context)
    return server


def _log_in(server: imaplib.IMAP4, mailbox: Mailbox, password: str) -> None:
    try:
        server.login(mailbox.user, password)
    except imaplib.IMAP4.abort:
        raise
    except (imaplib.IMAP4.error, UnicodeEncodeError):
        raise PublisherError(f"{mailbox.host} refuses the login of {mailbox.user}") from None
    quoted = mailbox.name.replace("\\", r"\\").replace('"', r"\"")
    if server.select(f'"{quoted}"')[0] != "OK":
        raise PublisherError(f"{mailbox.host} has no mailbox {mailbox.name!r} for {mailbox.user}")


def _find_unseen(server: imaplib.IMAP4) -> list[str]:
    status, found = server.uid("SEARCH", "UNSEEN")
    words = b" ".join(part for part in found if isinstance(part, bytes)).split()
    return [word.decode() for word in words if status == "OK" and word.isdigit()]


def _fetch(server: imaplib.IMAP4, mailbox: Mailbox, uid: str) -> Arrived:
    """Fetch a message without marking it, and no more of it than is read."""
    name = f"message {uid}"
    status, found = server.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MOST_OCTETS + 1}>)")
    texts = [part[1] for part in found if isinstance(part, tuple)]
    if status != "OK" or not texts:
        return Arrived(name=name, fault="the server does not give it out")
    if len(texts[0]) > MOST_OCTETS:
        return Arrived(name=name, fault=TOO_LARGE)
    return Arrived(name=name, data=texts[0], finish=lambda: _mark(server, mailbox, uid))


def _mark(server: imaplib.IMAP4, mailbox: Mailbox, uid: str) -> None:
    with _explained(mailbox):
        server.uid("STORE", uid, "+FLAGS", r"(\Seen)")


def _leave(server: imaplib.IMAP4) -> None:
    try:
        server.logout()
    except (OSError, imaplib.IMAP4.error):
        server.shutdown()


@contextmanager
def _explained(mailbox: Mailbox) -> Iterator[None]:
    """Turn what the network or the server did into words."""
    where = f"{mailbox.host}, port {mailbox.port}"
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message
        raise PublisherError(f"the certificate of {where}, is not valid: {why}") from None
    except OSError as error:
        why = error.strerror or str(error)
        raise PublisherError(f"{where}, cannot be reached: {why}") from None
    except (imaplib.IMAP4.error, ValueError) as error:
        raise PublisherError(f"{where}, does not speak IMAP as it should: {_said(error)}") from None


def _said(error: Any) -> str:
    return "".join(c if c.isprintable() else "?" for c in str(error))[:200]
