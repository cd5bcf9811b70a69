"""rehearse: the coming days in simulated time."""

import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer

from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    ProgressLine,
    open_publication,
    print_json,
    say,
    show,
)
from publisher.errors import PublisherError
from publisher.rehearsal.document import to_document
from publisher.rehearsal.facts import read_facts
from publisher.rehearsal.report import make_report
from publisher.rehearsal.scenario import DAYS_APART, Options
from publisher.rehearsal.text import write_text

_MOST_DAYS = 400
_MOST_READERS = 100_000_000
_MOST_TIMES = 1000


def rehearse_command(
    span: Annotated[
        str, typer.Argument(metavar="DAYS", help="How long, such as 30d; 30d if not given.")
    ] = "30d",
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="Begin on this day, or at this time."),
    ] = None,
    seed: Annotated[
        str, typer.Option("--seed", metavar="N", help="Draw other chances; 0 if not given.")
    ] = "0",
    calm: Annotated[bool, typer.Option("--calm", help="Let nothing go wrong.")] = False,
    late: Annotated[
        str | None,
        typer.Option("--late", metavar="PERCENT", help="So many of the issues are late."),
    ] = None,
    outages: Annotated[
        str | None,
        typer.Option("--outages", metavar="N", help="So often the relay is away, or slow."),
    ] = None,
    crashes: Annotated[
        str | None,
        typer.Option("--crashes", metavar="N", help="So often everything is killed."),
    ] = None,
    readers: Annotated[
        str | None,
        typer.Option("--readers", metavar="N", help="As if there were so many readers."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write the report as a page, too."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Show what the schedules would do in the coming days, and what would be missed.

    The settings, issues and numbers of readers are your own; time, relay and
    editors are simulated, and late editors, outages and crashes drawn by chance.
    Nothing is sent, and nothing of the publication is touched.

    \b
    Examples:
      publisher rehearse 30d
      publisher rehearse 3d --from 2026-03-28 --calm
      publisher rehearse 90d --seed 7 --late 25 --html rehearsal.html
    """
    folder, settings = open_publication(config)
    now = datetime.now(UTC).replace(microsecond=0)
    days = _read_days(span)
    often = 0 if calm else -(-days // DAYS_APART)
    zone = ZoneInfo(settings.publication.time_zone)
    percent = None if late is None else _read_number("--late", late, 100)
    start = now if begin is None else _read_begin(begin, zone)
    options = Options(
        begin=start,
        # The same time of day, whatever the clock does meanwhile.
        end=(start.astimezone(zone) + timedelta(days=days)).astimezone(UTC),
        seed=_read_number("--seed", seed, 2**63),
        late=None if percent is None else percent / 100,
        outages=often if outages is None else _read_number("--outages", outages, _MOST_TIMES),
        crashes=often if crashes is None else _read_number("--crashes", crashes, _MOST_TIMES),
        is_calm=calm,
        readers=None if readers is None else _read_number("--readers", readers, _MOST_READERS),
    )
    if calm and any(each is not None for each in (late, outages, crashes)):
        raise PublisherError("--calm lets nothing go wrong: leave --late, --outages, --crashes out")
    facts = read_facts(folder, settings, now)
    if begin is not None:  # what is open now is so then no more
        facts = msgspec.structs.replace(facts, open=(), plans=())
    progress = ProgressLine()
    try:
        report = make_report(settings, facts, options, progress)
    finally:
        progress.close()
    if html is not None:
        from publisher.rehearsal.page import save_page

        save_page(report, settings, folder, html)
    if json:
        print_json(to_document(report))
        return 0
    for line in write_text(report):
        show(line)
    if html is not None:
        say(f"The report is in {html}.")
    return 0


def _read_days(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,4})(d|w)", text.strip())
    days = int(match[1]) * (7 if match[2] == "w" else 1) if match else 0
    if not 1 <= days <= _MOST_DAYS:
        raise PublisherError(f"DAYS is {text!r}; days such as 30d or 4w are right, up to 400d")
    return days


def _read_number(option: str, text: str, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", text.strip()) or int(text) > most:
        raise PublisherError(f"{option} is {text!r}; a whole number from 0 to {most:,} is right")
    return int(text)


def _read_begin(text: str, zone: ZoneInfo) -> datetime:
    """A day, at its midnight in the publication's zone, or an RFC 3339 time."""
    wrong = PublisherError(
        f"--from is {text!r}; a day such as 2026-03-28, or a time such as"
        " 2026-03-28T00:00:00+01:00, of the years 1970 to 2200 is right"
    )
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise wrong from None
    is_day = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text.strip())
    if is_day:
        moment = datetime.combine(moment.date(), time(0), zone)
    if moment.tzinfo is None or not 1970 <= moment.year <= 2200:
        raise wrong
    return moment.astimezone(UTC).replace(microsecond=0)
