"""A mail server on loopback that keeps what it is sent: for the demo, which mails nobody."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
_MOST_OCTETS = 10_000_000


class Arrived(msgspec.Struct, frozen=True):
    """A message that arrived, and for whom."""

    recipient: str
    data: bytes


class Mailbox:
    """What arrived, in its order. `port` is the server's."""

    def __init__(self) -> None:
        self.arrived: list[Arrived] = []
        self.port = 0

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        data = envelope.content or b""
        octets = data if isinstance(data, bytes) else data.encode()
        self.arrived += [Arrived(to, octets) for to in envelope.rcpt_tos]
        return f"250 2.0.0 Ok: kept as {len(self.arrived)}"


@contextmanager
def open_mailbox() -> Iterator[Mailbox]:
    """Run the server on a free port of loopback."""
    mailbox = Mailbox()
    mailbox.port = _find_free_port()
    controller = Controller(mailbox, hostname=HOST, port=mailbox.port, data_size_limit=_MOST_OCTETS)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
