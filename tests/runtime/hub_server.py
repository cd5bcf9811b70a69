"""A WebSub hub on loopback, which notes what it is told and answers as a test says."""

from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Self
from urllib.parse import parse_qs


class Hub:
    """`told` counts the topics it was told of with success, `asked` all that were sent to it.

    It answers with `status` and `headers`; where `is_stuck`, it does not answer until the end.
    """

    def __init__(self, port: int = 0) -> None:
        self.status = 204
        self.headers: dict[str, str] = {}
        self.is_stuck = False
        self.told: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.forms: list[dict[str, list[str]]] = []
        self._lock, self._ended = Lock(), Event()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
                length = int(self.headers["Content-Length"])
                hub.take(parse_qs(self.rfile.read(length).decode(), strict_parsing=True))
                if hub.is_stuck:
                    hub._ended.wait(30)
                    return
                self.send_response(hub.status)
                for name, value in {"Content-Length": "0", **hub.headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hub"

    def take(self, form: dict[str, list[str]]) -> None:
        with self._lock:
            self.forms.append(form)
            (topic,) = form["hub.url"]
            self.asked[topic] += 1
            if not self.is_stuck and 200 <= self.status < 300:
                self.told[topic] += 1

    def take_told(self) -> Counter[str]:
        """What it was told since this was asked last."""
        with self._lock:
            told, self.told = self.told, Counter()
        return told

    @property
    def settings(self) -> str:
        return f'[feeds]\nhub = "{self.url}"\n'

    def __enter__(self) -> Self:
        Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.server.shutdown()
        self.server.server_close()
