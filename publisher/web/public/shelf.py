"""Files and their codings, kept in memory as long as there is room, so that they are made once."""

from collections import OrderedDict
from threading import Lock

from publisher.web.public.files import Found

# Ten thousand pages in one coding, or all feeds of a large publication in each.
_MOST_BYTES = 64_000_000
# What is known of a file without its bytes.
_OVERHEAD = 1_000


class _Kept:
    def __init__(self, found: Found) -> None:
        self.found = found
        self.bodies: dict[str, bytes] = {}
        self.size = _OVERHEAD


class Shelf:
    """What was used last stays. Threads may share it."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def find(self, path: str) -> Found | None:
        """A file as it was when it was kept."""
        with self._lock:
            kept = self._kept.get(path)
            if kept is None:
                return None
            self._kept.move_to_end(path)
            return kept.found

    def find_body(self, found: Found, coding: str) -> bytes | None:
        kept = self._kept.get(found.path)
        return kept.bodies.get(coding) if kept and kept.found.state == found.state else None

    def keep(self, found: Found, coding: str = "", body: bytes | None = None) -> None:
        """Keep a file and, where given, its bytes in a coding; what it was before goes."""
        with self._lock:
            kept = self._kept.get(found.path)
            if kept is None or kept.found.state != found.state:
                self._drop(found.path)
                kept = self._kept[found.path] = _Kept(found)
                self._size += kept.size
            if body is not None and coding not in kept.bodies:
                kept.bodies[coding] = body
                kept.size += len(body)
                self._size += len(body)
            self._kept.move_to_end(found.path)
            while self._size > self._most_bytes:
                self._drop(next(iter(self._kept)))

    def list_feeds(self) -> list[str]:
        with self._lock:
            return [path for path, kept in self._kept.items() if kept.found.is_feed]

    def _drop(self, path: str) -> None:
        if kept := self._kept.pop(path, None):
            self._size -= kept.size
