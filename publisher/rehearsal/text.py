"""A rehearsal's report as text: the whole in a few lines, what would help, and day by day."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from publisher.rehearsal.document import Advice, Event, Firing, Report
from publisher.rehearsal.outcome import Sent
from publisher.rehearsal.words import say_moment

_DOMAINS = 5


def write_text(report: Report) -> list[str]:
    """The lines of the report."""
    zone = ZoneInfo(report.time_zone)
    begin, end = say_moment(report.begin, zone), say_moment(report.end, zone)
    lines = [f"{begin} to {end}, {report.time_zone}, seed {report.seed}", say_readers(report)]
    lines += ["", *report.summary]
    for title, rows in (
        ("What would have helped", [f"{say_setting(each)}: {each.says}" for each in report.advice]),
        ("What is assumed", list(report.assumed)),
    ):
        if rows:
            lines += ["", title, *(f"  {row}" for row in rows)]
    return [*lines, *_write_days(report, zone)]


def say_setting(advice: Advice) -> str:
    """A setting as publisher.toml has it, behind whose it is."""
    is_number = advice.value.replace(".", "").isdigit()
    value = advice.value if is_number else f'"{advice.value}"'
    return f"{advice.setting} = {value}"


def say_readers(report: Report) -> str:
    """How many readers there are, and where most of them are."""
    count = "1 reader" if report.readers == 1 else f"{report.readers:,} readers"
    most = [f"{number:,} {domain}" for domain, number in report.domains[:_DOMAINS]]
    if others := len(report.domains) - len(most):
        most.append(f"{others:,} more domain{'' if others == 1 else 's'}")
    return f"{count}: {', '.join(most)}" if most else "Nobody is subscribed."


def _write_days(report: Report, zone: ZoneInfo) -> Iterator[str]:
    entries: list[tuple[datetime, int, list[str]]] = [
        *((each.due, 1, say_firing(each, zone)) for each in report.firings),
        *((each.begin, 0, [say_event(each)]) for each in report.events),
    ]
    for day, of_day in groupby(
        sorted(entries, key=lambda each: each[:2]), lambda each: each[0].astimezone(zone).date()
    ):
        yield ""
        yield f"{day:%a %Y-%m-%d}"
        for moment, _, lines in of_day:
            yield f"  {moment.astimezone(zone):%H:%M}  {lines[0]}"
            yield from (f"         {line}" for line in lines[1:])


def say_event(event: Event) -> str:
    return event.says


def say_firing(firing: Firing, zone: ZoneInfo) -> list[str]:
    """What came of a firing, why, when its editor was ready, and how it was sent."""
    name = firing.schedule or "planned send"
    # That it is late stands in how late it is.
    came = "" if firing.came == "late" else f"{firing.came}: " if firing.why else firing.came
    lines = [f"{name}: {came}{firing.why}"]
    lines += [firing.clock] if firing.clock else []
    steps, due = [], firing.due.astimezone(zone)
    if firing.issue:
        steps.append(f"{firing.issue} {_say_ready(firing, zone)}")
    if firing.fired:
        steps.append(f"fired {_clock(firing.fired.astimezone(zone), due)}")
    if firing.written and firing.written != firing.issue:
        steps.append(f"though {firing.written} was written for it")
    lines += [", ".join(steps)] if steps else []
    if firing.sending:
        lines.append(say_sending(firing.sending, zone))
    return [*lines, *(f"told {told}" for told in firing.told)]


def _say_ready(firing: Firing, zone: ZoneInfo) -> str:
    if firing.ready is None:
        return "never ready"
    return f"ready {_clock(firing.ready.astimezone(zone), firing.due.astimezone(zone))}"


def say_sending(sent: Sent, zone: ZoneInfo) -> str:
    """To how many it was sent, from when to when, and what came of the others."""
    text = f"sent to {sent.sent:,} of {sent.recipients:,}"
    if sent.first and sent.bulk:
        first, bulk = sent.first.astimezone(zone), sent.bulk.astimezone(zone)
        text += f" from {_clock(first)} to {_clock(bulk, first)}"
        if sent.last and sent.last > sent.bulk:
            text += f", the last at {_clock(sent.last.astimezone(zone), first)}"
    counts = (
        *((sent.deferred, "deferred for a while"), (sent.failed, "refused or given up")),
        *((sent.held, "in doubt and held"), (sent.resent, "in doubt and sent again")),
        (sent.waiting, "still waiting"),
    )
    said = [f"{number:,} {words}" for number, words in counts if number]
    return f"{text}; {', '.join(said)}" if said else text


def _clock(moment: datetime, of: datetime | None = None) -> str:
    """The time of day, and the day where it is another one."""
    is_other = of is not None and of.date() != moment.date()
    return f"{moment:%a %Y-%m-%d %H:%M:%S}" if is_other else f"{moment:%H:%M:%S}"
