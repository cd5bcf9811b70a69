"""The console as a whole: its port and its server, until the end."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import cast
from urllib.parse import urlsplit, urlunsplit

from uvicorn._types import ASGIApplication

from publisher.runtime.inviting import console_url
from publisher.runtime.log import LogFormat, tell_as
from publisher.settings import Settings
from publisher.settings_installation import Entrance as EntranceTable
from publisher.settings_values import address_of_console
from publisher.store.database import Database
from publisher.web.console.app import make_app
from publisher.web.console.desk import Clock, now_utc, open_desk
from publisher.web.console.entrance import Entrance
from publisher.web.console.publications import Publications, Source
from publisher.web.serving import describe_port, open_port, serve_app


def serve(
    folder: Path,
    settings: Settings,
    database: Database,
    stop: Event,
    tell_url: Callable[[str], None],
    clock: Clock = now_utc,
    form: LogFormat = "text",
) -> None:
    """Serve the console until `stop` is set. Raises PublisherError where the port is taken.

    That of one of several publications is at its place, as if the others could not be opened.
    """
    own = urlsplit(console_url(settings))
    if own.path:

        @contextmanager
        def lend() -> Iterator[tuple[Path, Settings, Database]]:
            yield folder, settings, database

        console = EntranceTable(
            host=settings.console.host,
            port=settings.console.port,
            url=urlunsplit((own.scheme, own.netloc, "", "", "")),
        )
        source = Source(own.path.removeprefix("/"), lend)
        serve_several([source], console, stop, tell_url, clock, form)
        return
    host = settings.console.host
    with open_port(host, settings.console.port, "console.port") as port:
        desk = open_desk(folder, settings, database, tell_as("console", form), clock)
        app = cast(ASGIApplication, make_app(desk))
        tell_url(describe_port(host, port))
        try:
            serve_app(app, port, stop)
        finally:
            desk.close()


def serve_several(
    sources: Sequence[Source],
    console: EntranceTable,
    stop: Event,
    tell_url: Callable[[str], None],
    clock: Clock = now_utc,
    form: LogFormat = "text",
) -> None:
    """Serve the one console of several publications until `stop` is set.

    Raises PublisherError where the port is taken.
    """
    url = address_of_console(console.host, console.port, console.url)
    with (
        open_port(console.host, console.port, "console.port") as port,
        Publications(sources, clock, form) as publications,
    ):
        app = cast(ASGIApplication, Entrance(publications, url))
        tell_url(describe_port(console.host, port))
        serve_app(app, port, stop)
