"""The public site as a whole: its port, its server, and what is done behind it, until the end."""

import asyncio
import resource
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import uvicorn
from uvicorn._types import ASGIApplication

from publisher.errors import PublisherError
from publisher.settings import Settings
from publisher.store.database import Database
from publisher.web.public.app import make_app
from publisher.web.public.protocol import ImpatientProtocol
from publisher.web.public.server import PublicServer

# What is asked for by the form waits for so long; its confirmation leaves within 5 s.
_WORK_SECONDS = 0.5
# How often templates are looked at, in steps of work.
_REFRESH_STEPS = 20
# What is being answered at the end has this long.
_LEAVE_SECONDS = 5
# Connections. Above them whoever keeps us waiting longest is let go, or who comes gets 503.
_MOST_CONNECTIONS = 800
# Each has a socket and a file at most; the database, logs and threads have some too.
_FILES = 2 * _MOST_CONNECTIONS + 400
_KEEP_ALIVE_SECONDS = 30
_MOST_HEAD_BYTES = 16_384


def open_port(host: str, port: int) -> socket.socket:
    """Take the port. Raises PublisherError where that cannot be."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        is_any = host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(
            address[:2], family=family, backlog=1_024, dualstack_ipv6=is_any
        )
    except OSError as error:
        raise PublisherError(
            f"port {port} of {host} cannot be used: {error.strerror}; end what uses it, or name"
            " another one in publisher.toml: web.port"
        ) from None


def serve(
    folder: Path,
    settings: Settings,
    database: Database,
    stop: Event,
    tell_url: Callable[[str], None],
) -> None:
    """Serve the public site until `stop` is set. Raises PublisherError where the port is taken."""
    _allow_files()
    with open_port(settings.web.host, settings.web.port) as port:
        server = PublicServer(folder, settings, database, _tell)
        app: ASGIApplication = make_app(server)  # type: ignore[assignment]
        options = uvicorn.Config(
            app,
            http=ImpatientProtocol,
            ws="none",
            lifespan="off",
            proxy_headers=False,  # we have our own rule of whom to believe
            server_header=False,
            date_header=False,  # its clock is up to a second late, earlier than Last-Modified
            access_log=False,  # addresses of clients, and tokens, are nobody's business
            log_config=None,
            log_level="critical",
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_LEAVE_SECONDS,
            h11_max_incomplete_event_size=_MOST_HEAD_BYTES,
        )
        try:
            with _working(server):
                tell_url(_describe(settings.web.host, port))
                asyncio.run(_Server(options, stop).serve(sockets=[port]))
        finally:
            server.close()


class _Server(uvicorn.Server):
    """Runs until an event is set; signals are for whoever set them up."""

    def __init__(self, config: uvicorn.Config, stop: Event) -> None:
        super().__init__(config)
        self._stop = stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._stop.is_set()


@contextmanager
def _working(server: PublicServer) -> Iterator[None]:
    """Do in a thread what need not be done before an answer."""
    ended = Event()

    def work() -> None:
        steps = 0
        while not ended.wait(_WORK_SECONDS):
            steps += 1
            try:
                server.asking.work_off()
                server.files.prepare()
                server.counting.work_off()
                if steps % _REFRESH_STEPS == 0 and server.pages.refresh():
                    server.asking.prepare()
            except Exception as error:  # whatever it is, the next one is to be served
                _tell(f"a defect of publisher: {type(error).__name__}")

    thread = Thread(target=work, name="work", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _allow_files() -> None:
    """Take as many open files as are needed, as far as the system allows; the usual is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _describe(host: str, port: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port.getsockname()[1]}/"


def _tell(text: str) -> None:
    """A line for the log, with its time; never with an address of a reader or a client's."""
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    print(f"{moment} web: {text}", file=sys.stderr, flush=True)
