"""The public site as a whole: its port, its server, and what is done behind it, until the end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import cast

from uvicorn._types import ASGIApplication

from publisher.runtime.log import LogFormat, describe_defect, tell_as
from publisher.settings import Settings
from publisher.store.database import Database
from publisher.web.public.app import make_app
from publisher.web.public.server import PublicServer
from publisher.web.serving import describe_port, open_port, serve_app

# What is asked for by the form waits for so long; its confirmation leaves within 5 s.
_WORK_SECONDS = 0.5
# How often templates are looked at, in steps of work.
_REFRESH_STEPS = 20


def serve(
    folder: Path,
    settings: Settings,
    database: Database,
    stop: Event,
    tell_url: Callable[[str], None],
    form: LogFormat = "text",
) -> None:
    """Serve the public site until `stop` is set. Raises PublisherError where the port is taken."""
    host = settings.web.host
    with open_port(host, settings.web.port, "web.port") as port:
        server = PublicServer(folder, settings, database, tell_as("web", form))
        app = cast(ASGIApplication, make_app(server))
        try:
            with _working(server):
                tell_url(describe_port(host, port))
                # The server's own clock is up to a second late, earlier than Last-Modified.
                serve_app(app, port, stop, has_date=True)
        finally:
            server.close()


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
                server.tell(describe_defect(error))

    thread = Thread(target=work, name="work", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
