"""A server of feeds that behaves as it is told, path by path."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

Behave = Callable[[BaseHTTPRequestHandler], None]


def write_rss(*titles: str, language: str = "en", hours: float = 1) -> bytes:
    """A feed with an entry for each title, all of them of an hour ago."""
    date = format_datetime(datetime.now(UTC) - timedelta(hours=hours))
    items = "".join(
        f"<item><title>{title}</title><link>https://wire.example/{at}/{len(title)}</link>"
        f"<pubDate>{date}</pubDate><category>Sea</category>"
        f"<description>{title}, it is said. There is more.</description></item>"
        for at, title in enumerate(titles)
    )
    head = f"<title>The Wire</title><language>{language}</language>"
    return f'<rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


def answer(
    body: bytes = b"", status: int = 200, kind: str = "application/rss+xml", **headers: str
) -> Behave:
    """Answer always the same."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": kind, **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def answer_unless_known(body: bytes, etag: str) -> Behave:
    """Answer 304 to who knows it already."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        is_known = handler.headers.get("If-None-Match") == etag
        answer(b"" if is_known else body, 304 if is_known else 200, ETag=etag)(handler)

    return behave


class FeedServer:
    """What it does for each path, what it was asked, and how often at once."""

    def __init__(self) -> None:
        self.paths: dict[str, Behave] = {}
        self.asked: list[str] = []
        self.most_at_once = 0
        self._now = 0
        self._lock = Lock()
        self.port = 0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def opml(self, *paths: str) -> str:
        outlines = "".join(f'<outline text="{p[1:]}" xmlUrl="{self.url(p)}"/>' for p in paths)
        return f'<opml version="2.0"><body>{outlines}</body></opml>'

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self.asked.append(handler.path)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            self.paths.get(handler.path, answer(b"no", 404))(handler)
        except OSError:
            handler.close_connection = True  # it was cut off
        finally:
            with self._lock:
                self._now -= 1


@contextmanager
def serving_feeds() -> Iterator[FeedServer]:
    feeds = FeedServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            feeds.serve(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    feeds.port = server.server_port
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield feeds
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
