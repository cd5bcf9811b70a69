"""A connected socket: commands out, replies in, each within its time."""

import ssl
import struct
from contextlib import suppress
from socket import SHUT_RDWR, SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET, socket
from time import monotonic

from publisher.model.delivery import Reply
from publisher.smtp.replies import MAX_LINE, MAX_LINES, ProtocolError, make_reply, split_line

# What one call hands over. Over TLS that is one record (RFC 8446, section 5.1).
_BLOCK = 65_536
_RECORD = 16_384


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
        self._timeouts: dict[int, float] = {}
        # Python's own timeouts ask the system twice for each call, and hold up the other
        # connections' threads twice; the system's do not. TLS has only Python's.
        if not self._is_encrypted:
            connected.settimeout(None)

    @property
    def has_unread(self) -> bool:
        """Whether the server said more than was asked for."""
        return bool(self._buffer)

    def write(self, data: bytes, timeout: float) -> None:
        """Write all of it within the time."""
        self._set_timeout(SO_SNDTIMEO, timeout)
        try:
            self.socket.sendall(data)
        except BlockingIOError:
            raise _too_long() from None

    def write_blocks(self, data: bytes, timeout: float) -> tuple[int, OSError | None]:
        """Write block by block, each within the time; give how much was handed over, and why less.

        The number is exact: a call that fails has handed over nothing, or a part of a TLS record,
        which nobody can read.
        """
        self._set_timeout(SO_SNDTIMEO, timeout)
        view, sent = memoryview(data), 0
        try:
            while sent < len(data):
                sent += self.socket.send(view[sent : sent + self._block])
        except BlockingIOError:
            return sent, _too_long()
        except OSError as error:
            return sent, error
        return sent, None

    def read(self, timeout: float) -> Reply:
        """Read one reply, all of it within the time, however slowly it drips."""
        return make_reply(*self.read_lines(timeout))

    def read_lines(self, timeout: float) -> tuple[int, tuple[bytes, ...]]:
        """Read one reply as its code and its lines' texts."""
        deadline = monotonic() + timeout
        first, is_last, text = split_line(self._read_line(deadline, timeout))
        texts = [text]
        while not is_last:
            code, is_last, text = split_line(self._read_line(deadline, timeout))
            texts.append(text)
            if code != first:
                raise ProtocolError(f"a reply with two codes, {first} and {code}")
            if len(texts) > MAX_LINES:
                raise ProtocolError(f"a reply of more than {MAX_LINES} lines")
        return first, tuple(texts)

    def close(self) -> None:
        """Close the socket, whatever state it is in."""
        self.socket.close()

    def _read_line(self, deadline: float, timeout: float) -> bytes:
        """Take one line out of the buffer, without its end; a bare LF ends one too."""
        end = self._buffer.find(b"\n")
        while end < 0 and len(self._buffer) <= MAX_LINE:
            received = self._receive(deadline, timeout)
            end = received.find(b"\n")
            end += len(self._buffer) if end >= 0 else 0
            self._buffer += received
        if not 0 <= end <= MAX_LINE:
            raise ProtocolError(f"a reply's line of more than {MAX_LINE} bytes")
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line[:-1] if line.endswith(b"\r") else line

    def _receive(self, deadline: float, timeout: float) -> bytes:
        left = deadline - monotonic()
        if left <= 0:
            raise TimeoutError("the server took too long to answer")
        # The wait for a reply's beginning has all of the time, to a hundredth of a second: the
        # same number as the last time, and so no system call.
        self._set_timeout(SO_RCVTIMEO, timeout if timeout - left < 0.01 else left)
        try:
            received = self.socket.recv(MAX_LINE)
        except BlockingIOError:
            raise _too_long() from None
        if not received:
            raise ConnectionResetError("the server closed the connection")
        return received

    def _set_timeout(self, direction: int, timeout: float) -> None:
        """Bound the next calls in a direction, where they are not bound like this already."""
        if self._timeouts.get(direction) == timeout:
            return
        self._timeouts[direction] = timeout
        if self._is_encrypted:
            self._timeouts = {direction: timeout}  # the two share one
            self.socket.settimeout(timeout)
            return
        microseconds = max(int(timeout * 1e6), 1)  # 0 would be for ever
        value = struct.pack("@ll", *divmod(microseconds, 1_000_000))
        self.socket.setsockopt(SOL_SOCKET, direction, value)


def interrupt(connected: socket) -> None:
    """End both directions, which wakes a thread that waits for the other side."""
    with suppress(OSError):
        # Not the TLS socket's own method, which pulls the state from under that thread.
        socket.shutdown(connected, SHUT_RDWR)


def _too_long() -> TimeoutError:
    """What the system calls a call that would block is a time that is over."""
    return TimeoutError("the server took too long")
