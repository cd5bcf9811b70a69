"""worker: a process that delivers, one of any number, on one machine or on many."""

from typing import Annotated

import typer

from publisher.cli.output import DEFAULT_CONFIG, Config, Json, open_publication, print_json
from publisher.cli.send import DONE, stopping
from publisher.cli.store import open_store
from publisher.errors import PublisherError
from publisher.runtime.log import LogFormat, tell_as
from publisher.runtime.start import require_ready
from publisher.store.place import find_place
from publisher.store.place_server import ServerPlace


def worker_command(
    log_format: Annotated[
        LogFormat,
        typer.Option(
            "--log-format", metavar="FORMAT", help="text, for people, or json, an object a line."
        ),
    ] = "text",
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Deliver beside `run` and other workers, until stopped.

    It takes over what a worker that died has left, and the lead where that died.
    The database has to be a PostgreSQL server's, and the settings those of `run`,
    with its DKIM keys. A server that is away is waited for. At SIGTERM what is in
    flight ends and is recorded.

    \b
    Examples:
      publisher worker
      publisher worker --log-format json
    """
    from publisher.runtime.jobs import name_process
    from publisher.runtime.roles import deliver_always
    from publisher.runtime.sending import Delivering
    from publisher.runtime.waiting import wait_for_server

    folder, settings = open_publication(config)
    require_ready(settings, folder)
    tell = tell_as("worker", log_format)
    place = find_place(settings.database.url, folder)
    if not isinstance(place, ServerPlace):
        raise PublisherError(
            "workers need a PostgreSQL database (database.url); from an SQLite file one process"
            " delivers, which `publisher run` starts"
        )
    with stopping() as stop:
        if not wait_for_server(place, stop, tell):
            return DONE
        with open_store(folder, settings) as database:
            if json:
                print_json({"worker": name_process()})
            delivering = Delivering(database=database, settings=settings, folder=folder, stop=stop)
            deliver_always(delivering, tell)
    return DONE
