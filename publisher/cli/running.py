"""run, serve, schedule: what goes on by itself."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

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
from publisher.errors import SettingsError
from publisher.runtime.scheduler import find_next
from publisher.runtime.start import require_ready
from publisher.settings import Schedule, Settings
from publisher.store.arming import find_unarmed
from publisher.store.database import Database
from publisher.store.occurrences import find_last_firing


def run_command(
    once: Annotated[
        bool, typer.Option("--once", help="Do what is due, send it, and stop; for cron.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Serve the public site, let the schedules fire, and deliver, until it is stopped.

    Each is a process of its own under this one, which starts again what dies. At
    SIGTERM what is in flight ends and is recorded. With --once no port is opened:
    it builds what is due, fires what is due, sends, and returns like `send`.

    \b
    Examples:
      publisher run
      publisher run --once
    """
    folder, settings = open_publication(config)
    if once:
        from publisher.cli.run_once import run_once

        return run_once(folder, settings, json)
    from publisher.runtime.supervisor import Role, child_command, supervise

    with open_store(folder, settings):  # made or brought up to date before the children need it
        pass
    roles = [Role(name, child_command(name, config.resolve())) for name in _roles(folder, settings)]
    with stopping() as stop:
        _announce(f"http://{settings.web.host}:{settings.web.port}/", json)
        return supervise(roles, stop, say)


def _announce(url: str, is_json: bool) -> None:
    """Say where the public site is, as soon as it is known: nothing else is printed."""
    if is_json:
        print_json({"url": url})
    else:
        show(f"Public site: {url}")


def _roles(folder: Path, settings: Settings) -> list[str]:
    """Without what sending takes, the site is served and brought up to date all the same."""
    try:
        require_ready(settings, folder)
    except SettingsError as error:
        say(f"{error}; until then nothing is sent.")
        return ["web", "scheduler"]
    return ["web", "scheduler", "delivery"]


def serve_command(config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Serve the public site alone: pages, feeds, subscribing and unsubscribing.

    Nothing is sent: confirmations wait for `publisher run`, or `run --once`.

    \b
    Examples:
      publisher serve
    """
    from publisher.web.public.serve import serve

    folder, settings = open_publication(config)
    with open_store(folder, settings) as database, stopping() as stop:
        serve(folder, settings, database, stop, lambda url: _announce(url, json))
    return DONE


def schedule_command(config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Show the schedules, when they fire next, and what came of their last firing.

    \b
    Examples:
      publisher schedule
    """
    folder, settings = open_publication(config)
    now = datetime.now(UTC)
    with open_store(folder, settings) as database:
        shown = [_describe(database, settings, schedule, now) for schedule in settings.schedule]
        with database.read() as connection:
            why = find_unarmed(connection, database.path)
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


def _describe(
    database: Database, settings: Settings, schedule: Schedule, now: datetime
) -> dict[str, Any]:
    zone = ZoneInfo(settings.publication.time_zone)
    with database.read() as connection:
        last = find_last_firing(connection, database.publication, schedule.name, now)
    upcoming = find_next(schedule, settings, now)
    document: dict[str, Any] = {"name": schedule.name, "cron": schedule.cron}
    document["next"] = upcoming.isoformat() if upcoming else None
    document["last"] = None
    if last is not None:
        document["last"] = {
            "due": last.due.astimezone(zone).isoformat(),
            "ran": last.ran_at.astimezone(zone).isoformat() if last.ran_at else None,
            "outcome": last.status,
            "issue": last.slug,
            "reason": last.outcome,
        }
    return document


def main_child(role: str, config: Path) -> int:
    """Be one of `run`'s processes."""
    from publisher.runtime.supervisor import stop_with_parent

    folder, settings = open_publication(config)
    with open_store(folder, settings) as database, stopping() as stop:
        stop_with_parent(stop)
        if role == "web":
            from publisher.web.public.serve import serve

            serve(folder, settings, database, stop, lambda url: None)
        elif role == "scheduler":
            from publisher.runtime.roles import Ticking, tick_always

            tick_always(Ticking(database, settings, folder, _say_as(role)), stop)
        else:
            from publisher.runtime.roles import deliver_always
            from publisher.runtime.sending import Delivering

            require_ready(settings, folder)
            delivering = Delivering(database=database, settings=settings, folder=folder, stop=stop)
            deliver_always(delivering, _say_as(role))
    return DONE


def _say_as(role: str) -> Any:
    """Lines with their time and process, for a log."""

    def line(text: str) -> None:
        say(f"{datetime.now(UTC).isoformat(timespec='seconds')} {role}: {text}")
        sys.stderr.flush()

    return line
