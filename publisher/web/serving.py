"""What the public site and the console share: a port, a patient loop, impatient connections."""

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import uvicorn
from uvicorn._types import ASGIApplication

from publisher.errors import PublisherError
from publisher.web.public.protocol import ImpatientProtocol

# What is being answered at the end has this long.
_LEAVE_SECONDS = 5
# Connections. Above them whoever keeps us waiting longest is let go, or who comes gets 503.
_MOST_CONNECTIONS = 800
# Each has a socket and a file at most; the database, logs and threads have some too.
_FILES = 2 * _MOST_CONNECTIONS + 400
_KEEP_ALIVE_SECONDS = 30
_MOST_HEAD_BYTES = 16_384


def open_port(host: str, port: int, setting: str) -> socket.socket:
    """Take a port, which `setting` names. Raises PublisherError where that cannot be."""
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
            f" another one in publisher.toml: {setting}"
        ) from None


def serve_app(
    app: ASGIApplication, port: socket.socket, stop: Event, *, has_date: bool = False
) -> None:
    """Serve until `stop` is set, and what is being answered then is.

    `has_date` tells that the application dates its answers itself.
    """
    _allow_files()
    options = uvicorn.Config(
        app,
        http=ImpatientProtocol,
        ws="none",
        lifespan="off",
        proxy_headers=False,  # we have our own rule of whom to believe
        server_header=False,
        date_header=not has_date,
        access_log=False,  # addresses of clients, and tokens, are nobody's business
        log_config=None,
        log_level="critical",
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_LEAVE_SECONDS,
        h11_max_incomplete_event_size=_MOST_HEAD_BYTES,
    )
    asyncio.run(_Server(options, stop).serve(sockets=[port]))


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


def describe_port(host: str, port: socket.socket) -> str:
    """The URL of what is served on a port."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port.getsockname()[1]}/"


def _allow_files() -> None:
    """Take as many open files as are needed, as far as the system allows; the usual is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
