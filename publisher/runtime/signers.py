"""Signatures from processes of their own: Python's cryptography lets no thread run meanwhile.

An RSA signature takes longer than everything else that a message takes, and a mailing would be
made by one core while the others rest.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from socket import MSG_DONTWAIT, socket, socketpair

from publisher.message.dkim import Signer, write_key
from publisher.message.splice import Unfinished
from publisher.runtime.signer_process import find_group, pack

# Starting them costs as much as some hundred signatures, which single messages never come to.
_WORTH = 200
# More of them than this would sign more than one process can send.
_MOST = 4
# So many wait for one at most, or it would be asked more than fits into its socket.
_QUEUE = 64
_PART = 65_536
_COMMAND = (sys.executable, "-P", "-m", "publisher.runtime.signer_process")

# Is given the signatures that were asked for.
Hear = Callable[[Sequence[bytes]], None]


class SignerProcess:
    """One of them, and what it was asked for."""

    def __init__(self, keys: bytes) -> None:
        self.socket, theirs = socketpair()
        with theirs:
            self.process = subprocess.Popen(_COMMAND, stdin=theirs.fileno())  # noqa: S603 - our own
        self.socket.sendall(keys)
        self.asked: deque[tuple[Unfinished, Hear]] = deque()
        self._questions: list[bytes] = []
        self._buffer = b""

    def ask(self, message: Unfinished, hear: Hear) -> None:
        """Ask for a message's signatures, with what is asked until the next `flush`."""
        self._questions.append(pack([each.data for each in message.unsigned]))
        self.asked.append((message, hear))

    def flush(self) -> None:
        """Send what was asked. Raises OSError where the process is gone."""
        if self._questions:
            self.socket.sendall(b"".join(self._questions))
            self._questions.clear()

    def read(self) -> None:
        """Hand over what has come. Raises OSError where the process is gone."""
        data = self.socket.recv(_PART, MSG_DONTWAIT)
        if not data:
            raise ConnectionResetError("the process that signs has ended")
        self._buffer += data
        while (found := find_group(self._buffer)) is not None:
            signatures, end = found
            self._buffer = self._buffer[end:]
            _, hear = self.asked.popleft()
            hear(signatures)

    def close(self) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait()


class Signers:
    """The processes, started when they are worth it, where there is a second core.

    For one thread. `watch` is given each one's socket, with what to call when it can be read;
    `unwatch` when it is gone.
    """

    def __init__(self, signers: Sequence[Signer], cores: int | None = None) -> None:
        cores = cores or os.cpu_count() or 1
        self._keys = pack([write_key(signer.key) for signer in signers])
        self._has_keys = bool(signers)
        self._count = min(cores, _MOST) if cores > 1 and signers else 0
        self._signed = 0
        self._processes: list[SignerProcess] = []
        self.watch: Callable[[socket, Callable[[], None]], object] = lambda socket, read: None
        self.unwatch: Callable[[socket], object] = lambda socket: None

    @property
    def are_needed(self) -> bool:
        """Whether messages are signed at all."""
        return self._has_keys

    def sign(self, message: Unfinished, hear: Hear) -> None:
        """Have a message signed; `hear` is called here at once, or from its process's `read`.

        It is asked for with others, by `flush`.
        """
        self._signed += 1
        if self._count and self._signed == _WORTH:
            self._start()
        process = min(self._processes, key=lambda each: len(each.asked), default=None)
        if process is None or len(process.asked) >= _QUEUE:
            hear([each.sign() for each in message.unsigned])
            return
        process.ask(message, hear)

    def flush(self) -> None:
        """Ask for what is to be signed."""
        for process in self._processes.copy():
            try:
                process.flush()
            except OSError:
                self._lose(process)

    def close(self) -> None:
        """Let them end."""
        for process in self._processes:
            self.unwatch(process.socket)
            process.close()
        self._processes = []

    def _start(self) -> None:
        for _ in range(self._count):
            process = SignerProcess(self._keys)
            self._processes.append(process)
            self.watch(process.socket, partial(self._read, process))

    def _read(self, process: SignerProcess) -> None:
        try:
            process.read()
        except OSError:
            self._lose(process)

    def _lose(self, process: SignerProcess) -> None:
        """Do without one; what it was asked for is signed here."""
        self._processes.remove(process)
        self.unwatch(process.socket)
        process.close()
        for message, hear in process.asked:
            hear([each.sign() for each in message.unsigned])
