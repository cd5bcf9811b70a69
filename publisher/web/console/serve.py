"""The console as a whole: its port and its server, until the end."""

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import cast

from uvicorn._types import ASGIApplication

from publisher.runtime.log import LogFormat, tell_as
from publisher.settings import Settings
from publisher.store.database import Database
from publisher.web.console.app import make_app
from publisher.web.console.desk import Clock, now_utc, open_desk
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
    """Serve the console until `stop` is set. Raises PublisherError where the port is taken."""
    host = settings.console.host
    with open_port(host, settings.console.port, "console.port") as port:
        desk = open_desk(folder, settings, database, tell_as("console", form), clock)
        app = cast(ASGIApplication, make_app(desk))
        tell_url(describe_port(host, port))
        try:
            serve_app(app, port, stop)
        finally:
            desk.close()
