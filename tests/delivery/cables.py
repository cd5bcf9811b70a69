"""A cable that can be pulled out: what goes through it to a server waits, or is lost."""

import socket
import threading
from contextlib import suppress


class Cable:
    """Listens on loopback from `with` on, and carries what comes to a server and back.

    `target` is a port of loopback, or the path of a Unix socket.
    """

    def __init__(self, target: int | str) -> None:
        self.target = target
        self._flows = threading.Event()
        self._flows.set()
        self._is_refusing = False
        self._is_over = False
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> "Cable":
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._flows.set()

    def cut(self) -> None:
        """End every connection, and take no other one."""
        self._is_refusing = True
        with self._lock:
            for each in self._sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def hold(self) -> None:
        """Let nothing through any more, without a word: all waits."""
        self._flows.clear()

    def mend(self) -> None:
        """Let everything through again that is still wanted."""
        self._is_refusing = False
        self._flows.set()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        self._flows.wait()
        if self._is_refusing or self._is_over:
            near.close()
            return
        try:
            far = self._connect()
        except OSError:
            near.close()
            return
        with self._lock:
            self._sockets |= {near, far}
        back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
        back.start()
        self._pump(near, far)
        back.join()
        with self._lock:
            self._sockets -= {near, far}
        near.close()
        far.close()

    def _connect(self) -> socket.socket:
        if isinstance(self.target, int):
            far = socket.create_connection(("127.0.0.1", self.target))
        else:
            far = socket.socket(socket.AF_UNIX)
            far.connect(self.target)
        for each in (far,) if far.family == socket.AF_INET else ():
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return far

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self._flows.wait()
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)
