"""run, serve, schedule: what goes on by itself."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Annotated

import typer

from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    open_publication,
    print_json,
    say,
    show,
)
from publisher.cli.send import DONE, stopping
from publisher.cli.store import open_store
from publisher.errors import PublisherError, SettingsError
from publisher.runtime.inviting import console_url, welcome_first_owner
from publisher.runtime.log import LogFormat, tell_as
from publisher.runtime.scheduler import describe_schedule
from publisher.runtime.start import require_ready
from publisher.settings import Settings, SeveralPublications
from publisher.store.arming import find_unarmed
from publisher.store.database import Database


def run_command(
    once: Annotated[
        bool, typer.Option("--once", help="Do what is due, send it, and stop; for cron.")
    ] = False,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            "--log-format", metavar="FORMAT", help="text, for people, or json, an object a line."
        ),
    ] = "text",
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Serve the public site and the console, let the schedules fire, and deliver, until stopped.

    Each is a process of its own under this one, which starts again what dies. At
    SIGTERM what is in flight ends and is recorded. With --once no port is opened:
    it builds what is due, fires what is due, sends, and returns like `send`.

    \b
    Examples:
      publisher run
      publisher run --log-format json
      publisher run --once
    """
    try:
        folder, settings = open_publication(config)
    except SeveralPublications as error:
        from publisher.cli import running_several

        if once:
            return running_several.run_once(error.path, json)
        return running_several.run(error.path, log_format, json)
    if once:
        from publisher.cli.run_once import run_once

        return run_once(folder, settings, json)
    from publisher.runtime.supervisor import Role, child_command, supervise
    from publisher.runtime.webhooks import follow_webhooks

    # Made or brought up to date before the children need it.
    with open_store(folder, settings) as database:
        welcome = welcome_first_owner(database, settings, datetime.now(UTC))
        follow_webhooks(folder, settings, database)
    tell, path = tell_as("run", log_format), config.resolve()
    names = ["console", *list_roles(folder, settings, tell)]
    roles = [Role(name, child_command(name, path, log_format)) for name in names]
    with stopping() as stop:
        url = f"http://{settings.web.host}:{settings.web.port}/"
        _announce(url, settings, welcome, json)
        return supervise(roles, stop, tell)


def _announce(url: str, settings: Settings, welcome: str, is_json: bool) -> None:
    """Say where everything is, as soon as it is known: nothing else is printed.

    `welcome` is the link by which the first owner comes in; empty where there is an operator.
    """
    console = f"{console_url(settings)}/"
    if is_json:
        print_json({"url": url, "console": console, "welcome": welcome or None})
        return
    show(f"Public site: {url}")
    show(f"Console: {console}")
    if welcome:
        show(f"There is no operator yet. Become the first owner within a day: {welcome}")


def list_roles(folder: Path, settings: Settings, tell: Callable[[str], None]) -> list[str]:
    """The processes of a publication, but for the console.

    Without what sending takes, the site is served and brought up to date all the same.

    A hub and webhooks are told by processes of their own: a build forks, which no other thread
    should be beside.
    """
    always = ["web", "scheduler", *(["hub"] if settings.feeds.hub else [])]
    always += ["webhooks"] if settings.webhook else []
    try:
        require_ready(settings, folder)
    except SettingsError as error:
        tell(f"{error}; until then nothing is sent.")
        return always
    return [*always, "delivery"]


def serve_command(config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Serve the public site, and the console where operators work.

    Nothing is sent: what is started, and confirmations, wait for `publisher run`.

    \b
    Examples:
      publisher serve
    """
    try:
        folder, settings = open_publication(config)
    except SeveralPublications as error:
        from publisher.cli import running_several

        return running_several.run(error.path, "text", json, is_served_only=True)
    with open_store(folder, settings) as database, stopping() as stop:
        welcome = welcome_first_owner(database, settings, datetime.now(UTC))
        _serve_both(
            folder, settings, database, stop, lambda url: _announce(url, settings, welcome, json)
        )
    return DONE


def _serve_both(
    folder: Path, settings: Settings, database: Database, stop: Event, tell: Callable[[str], None]
) -> None:
    """Serve until `stop` is set, the console in a thread. Raises PublisherError for either.

    The public site's URL is told when both are up.
    """
    from publisher.web.console.serve import serve as serve_console
    from publisher.web.public.serve import serve

    is_known, faults = Event(), list[PublisherError]()

    def work() -> None:
        try:
            serve_console(folder, settings, database, stop, lambda url: is_known.set())
        except PublisherError as error:
            faults.append(error)
        finally:
            stop.set()
            is_known.set()

    thread = Thread(target=work, name="console")
    thread.start()
    is_known.wait()
    try:
        if not faults:
            serve(folder, settings, database, stop, tell)
    finally:
        stop.set()
        thread.join()
    if faults:
        raise faults[0]


def schedule_command(config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Show the schedules, when they fire next, and what came of their last firing.

    \b
    Examples:
      publisher schedule
    """
    folder, settings = open_publication(config)
    now = datetime.now(UTC)
    with open_store(folder, settings) as database:
        shown = [
            describe_schedule(database, settings, schedule, now) for schedule in settings.schedules
        ]
        with database.read() as connection:
            why = find_unarmed(connection, database.place)
    if why:
        say(f"{why}; schedules are off until `publisher arm`.")
    if json:
        print_json({"schedules": shown})
        return DONE
    for each in shown:
        show(f"{each['name']} ({each['cron']}): next {each['next'] or 'never'}")
        if last := each["last"]:
            issue = f" {last['issue']}" if last["issue"] else ""
            show(f"  last due {last['due']}: {last['outcome']}{issue}; {last['reason']}")
    if not shown:
        show("There is no schedule: publisher.toml has no [[schedule]].")
    return DONE


def main_child(role: str, config: Path, form: LogFormat) -> int:
    """Be one of `run`'s processes."""
    from publisher.runtime.supervisor import stop_with_parent

    tell = tell_as(role, form)
    try:
        folder, settings = open_publication(config)
    except SeveralPublications as error:
        if role != "console":
            raise
        from publisher.cli.running_several import serve_console_of_all

        return serve_console_of_all(error.path, form)
    if role.startswith("once"):
        from publisher.cli.run_once import run_once

        return run_once(folder, settings, role == "once-json")
    with open_store(folder, settings) as database, stopping() as stop:
        stop_with_parent(stop)
        if role == "web":
            from publisher.web.public.serve import serve

            serve(folder, settings, database, stop, lambda url: None, form)
        elif role == "console":
            from publisher.web.console.serve import serve as serve_console

            serve_console(folder, settings, database, stop, lambda url: None, form=form)
        elif role == "scheduler":
            from publisher.runtime.roles import Ticking, tick_always

            tick_always(Ticking(database, settings, folder, tell), stop)
        elif role == "hub":
            from publisher.runtime.websub import telling

            with telling(folder, settings, tell):
                stop.wait()
        elif role == "webhooks":
            _tell_webhooks(folder, settings, database, stop, tell)
        else:
            from publisher.runtime.roles import deliver_always
            from publisher.runtime.sending import Delivering

            require_ready(settings, folder)
            delivering = Delivering(database=database, settings=settings, folder=folder, stop=stop)
            deliver_always(delivering, tell)
    return DONE


def _tell_webhooks(
    folder: Path,
    settings: Settings,
    database: Database,
    stop: Event,
    tell: Callable[[str], None],
) -> None:
    from publisher.runtime.alerts import Alerts
    from publisher.runtime.webhooks import open_tellings, tell_always

    alerts = Alerts(database, settings, tell)
    tell_always(open_tellings(folder, settings, database, tell, alerts.warn_of_webhook), stop)
