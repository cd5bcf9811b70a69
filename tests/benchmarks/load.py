"""Ask a server for one thing over several connections: how many answers a second, and how late.

`python -m tests.benchmarks.load PORT PATH STATUS CONNECTIONS RATE SECONDS [HEADER…]` prints JSON.
RATE 0 asks as fast as answers come, one request at a time on each connection. With a rate the waits
are counted from when a request was due, so that a server that stands still is seen to.

It reads lengths instead of HTTP, the answers being alike, or it would measure itself.
"""

import json
import re
import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

PATIENCE = 10.0


class Load(NamedTuple):
    port: int
    path: str
    status: int
    connections: int
    rate: float
    seconds: float
    headers: Sequence[str]


def main(words: Sequence[str]) -> None:
    port, path, status, connections, rate, seconds, *headers = words
    load = Load(
        int(port), path, int(status), int(connections), float(rate), float(seconds), headers
    )
    print(json.dumps(measure(load)))


def measure(load: Load) -> dict[str, float]:
    """Answers a second, and waits in milliseconds."""
    lines = [f"GET {load.path} HTTP/1.1", "Host: bench.example", *load.headers, "", ""]
    request = "\r\n".join(lines).encode()
    length = _read_length(load, request)
    waits = _run(load, request, length)
    if not waits:
        raise SystemExit("nothing was answered")
    waits.sort()
    return {
        "answers": len(waits),
        "rate": round(len(waits) / load.seconds, 1),
        "p50": round(waits[len(waits) // 2] * 1000, 2),
        "p99": round(waits[len(waits) * 99 // 100] * 1000, 2),
        "most": round(waits[-1] * 1000, 2),
        "bytes": length,
    }


def _read_length(load: Load, request: bytes) -> int:
    """How long an answer is. Raises SystemExit where it is another one."""
    with socket.create_connection(("127.0.0.1", load.port), PATIENCE) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65_536)
        head = answer[: answer.index(b"\r\n\r\n") + 4]
        if not head.startswith(b"HTTP/1.1 %d" % load.status):
            raise SystemExit(f"not {load.status}: {head.decode()}")
        body = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        return len(head) + (int(body[1]) if body and load.status == 200 else 0)


def _run(load: Load, request: bytes, length: int) -> list[float]:
    """The waits, in seconds."""
    connections = [
        socket.create_connection(("127.0.0.1", load.port), PATIENCE)
        for _ in range(load.connections)
    ]
    free, waits = deque(connections), list[float]()
    asked: dict[socket.socket, float] = {}
    missing: dict[socket.socket, int] = {}
    selector = selectors.DefaultSelector()
    for connection in connections:
        selector.register(connection, selectors.EVENT_READ)
    begun = time.perf_counter()
    due, end = begun, begun + load.seconds
    while (now := time.perf_counter()) < end or (asked and now < end + PATIENCE):
        while free and now < end and (not load.rate or due <= now):
            connection = free.popleft()
            connection.sendall(request)
            asked[connection], missing[connection] = (due if load.rate else now), length
            due += 1 / load.rate if load.rate else 0
        for key, _ in selector.select(max(0, due - now) if load.rate and free else 0.01):
            connection = key.fileobj  # type: ignore[assignment]
            data = connection.recv(1_000_000)
            missing[connection] -= len(data)
            if not data or missing[connection] < 0:
                raise SystemExit("an answer is of another length")
            if not missing[connection]:
                waits.append(time.perf_counter() - asked.pop(connection))
                free.append(connection)
    for connection in connections:
        connection.close()
    return waits


if __name__ == "__main__":
    main(sys.argv[1:])
