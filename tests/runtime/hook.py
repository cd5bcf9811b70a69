"""A web server on loopback that notes what it is told: alerts and heartbeats."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self


class Hook:
    """`alerts` are the documents that were posted, `beats` the paths that were fetched."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        self.beats: list[str] = []
        self.status = 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                hook.alerts.append(json.loads(self.rfile.read(length)))
                self._answer()

            def do_GET(self) -> None:
                hook.beats.append(self.path)
                self._answer()

            def _answer(self) -> None:
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def settings(self) -> str:
        return f'[alerts]\nwebhook = "{self.url}/alert"\nheartbeat = "{self.url}/beat"\n'

    def __enter__(self) -> Self:
        Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
