"""A connected socket: commands out, replies in, each within its time.

Nothing here blocks. What has to wait is a generator that yields a Wait, and is resumed when the
socket is ready, or with the TimeoutError of a wait that was in vain. `run` does that for one
connection, in the caller's thread; publisher.runtime.pool does it for many in one.
"""

import select
import ssl
from collections.abc import Generator, Sequence
from contextlib import suppress
from socket import SHUT_RDWR, socket
from time import monotonic
from typing import NamedTuple, TypeVar

from publisher.model.delivery import Reply
from publisher.smtp.replies import MAX_LINE, Said, find_reply

# What one call hands over. Over TLS that is one record (RFC 8446, section 5.1).
_BLOCK = 65_536
_RECORD = 16_384
# No system takes fewer at once (POSIX has 16 as the least, Linux and macOS take 1,024).
_MOST_PARTS = 1_000

T = TypeVar("T")


class Wait(NamedTuple):
    """What is waited for: a socket's readiness to be read from or written to.

    `deadline` is in seconds of the monotonic clock.
    """

    socket: socket
    is_write: bool
    deadline: float


# What gives a T in the end, and waits on the way.
Steps = Generator[Wait, None, T]


def run(steps: Steps[T]) -> T:
    """Go through the steps, blocking at each wait."""
    try:
        wait = next(steps)
        while True:
            wait = steps.send(None) if _is_ready(wait) else steps.throw(too_long())
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def _is_ready(wait: Wait) -> bool:
    left = wait.deadline - monotonic()
    if left <= 0:
        return False
    poll = select.poll()
    poll.register(wait.socket, select.POLLOUT if wait.is_write else select.POLLIN)
    return bool(poll.poll(left * 1000))


def too_long() -> TimeoutError:
    """What a wait that was in vain ends with."""
    return TimeoutError("the server took too long")


class Wire:
    """Reads replies one by one, also where several arrive together; all times are in seconds.

    Every method raises OSError (TimeoutError, ConnectionError, ssl.SSLError, ProtocolError), and
    after that the connection is of no more use.
    """

    def __init__(self, connected: socket) -> None:
        self.socket = connected
        self._buffer = b""
        self._is_encrypted = isinstance(connected, ssl.SSLSocket)
        self._block = _RECORD if self._is_encrypted else _BLOCK
        connected.setblocking(False)

    @property
    def unread(self) -> bytes:
        """What came and was not read yet."""
        return self._buffer

    def forget_unread(self) -> None:
        """It was read."""
        self._buffer = b""

    @property
    def has_unread(self) -> bool:
        """Whether the server said more than was asked for."""
        return bool(self._buffer)

    def write(self, data: bytes, timeout: float) -> Steps[None]:
        """Write all of it, each block within the time."""
        _, error = yield from self.write_blocks(data, timeout)
        if error is not None:
            raise error

    def send(self, data: bytes) -> int:
        """Hand over what the system takes at once; what is left is for `write_blocks`."""
        try:
            return self.socket.send(data if len(data) <= self._block else data[: self._block])
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return 0

    def send_parts(self, parts: Sequence[bytes]) -> int:
        """As `send`, of parts that go one behind the other, without putting them together."""
        if self._is_encrypted or len(parts) > _MOST_PARTS:
            return self.send(b"".join(parts))
        try:
            return self.socket.sendmsg(parts)
        except BlockingIOError:
            return 0

    def write_blocks(
        self, data: bytes, timeout: float, sent: int = 0
    ) -> Steps[tuple[int, OSError | None]]:
        """Write block by block, each within the time; give how much was handed over, and why less.

        The number is exact: a call that fails has handed over nothing, or a part of a TLS record,
        which nobody can read. It begins with what was `sent` already.
        """
        view, deadline = memoryview(data), 0.0
        try:
            while sent < len(data):
                try:
                    sent += self.socket.send(view[sent : sent + self._block])
                    deadline = 0.0
                    continue
                except (BlockingIOError, ssl.SSLWantWriteError):
                    is_write = True
                except ssl.SSLWantReadError:
                    is_write = False
                deadline = deadline or monotonic() + timeout
                yield Wait(self.socket, is_write, deadline)
        except OSError as error:
            return sent, error
        return sent, None

    def read(self, timeout: float) -> Steps[Reply]:
        """Read one reply, all of it within the time, however slowly it drips."""
        return (yield from self.hear(timeout)).reply

    def hear(self, timeout: float) -> Steps[Said]:
        """As `read`, with the reply's lines."""
        deadline = monotonic() + timeout
        # Of TLS something may be here already, which no readiness tells of; else it never is.
        is_write, is_to_wait = False, not self._is_encrypted
        while (said := self._take()) is None:
            if is_to_wait:
                yield Wait(self.socket, is_write, deadline)
            if monotonic() >= deadline:
                raise too_long()  # what drips is ready again and again
            try:
                received = self.socket.recv(MAX_LINE)
            except (BlockingIOError, ssl.SSLWantReadError):
                is_write, is_to_wait = False, True
                continue
            except ssl.SSLWantWriteError:
                is_write, is_to_wait = True, True
                continue
            if not received:
                raise ConnectionResetError("the server closed the connection")
            self._buffer += received
            is_write, is_to_wait = False, not self._is_encrypted
        return said

    def read_here(self) -> Reply | None:
        """The next reply, where all of it has come already."""
        said = self._take()
        return said.reply if said else None

    def _take(self) -> Said | None:
        said = find_reply(self._buffer)
        if said is not None:
            self._buffer = self._buffer[said.length :]
        return said

    def close(self) -> None:
        """Close the socket, whatever state it is in."""
        self.socket.close()


def interrupt(connected: socket) -> None:
    """End both directions, which wakes whoever waits for the other side."""
    with suppress(OSError):
        # Not the TLS socket's own method, which pulls the state from under its user.
        socket.shutdown(connected, SHUT_RDWR)
