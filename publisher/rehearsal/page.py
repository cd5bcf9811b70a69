"""A rehearsal's report as one page: a timeline that is drawn, and everything as a table."""

import os
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup

from publisher.errors import PublisherError
from publisher.rehearsal.document import Firing, Report
from publisher.rehearsal.text import say_readers, say_sending, say_setting
from publisher.rehearsal.words import say_moment
from publisher.render.templates import make_templates
from publisher.settings import Settings
from publisher.site.scan import read_templates

# Where a day's 24 hours begin and end, of a drawing that is 1,000 wide; the names stand before.
_LEFT, _WIDTH = 110.0, 880.0
_TOP, _ROW = 22, 24
# What is shorter than this is not seen.
_LEAST = 1.5
_KINDS = {"on time": "good", "late": "late", "waiting": "late"}


class Mark(msgspec.Struct, frozen=True):
    """A moment in a day's row: what kind it is of, where, and what it says."""

    kind: str
    x: float
    says: str


class Bar(msgspec.Struct, frozen=True):
    """A span in a day's row."""

    kind: str
    x: float
    width: float
    says: str


class Day(msgspec.Struct, frozen=True):
    """A row of the timeline, with how far down it is."""

    name: str
    y: int
    away: tuple[Bar, ...]
    sending: tuple[Bar, ...]
    marks: tuple[Mark, ...]


class Row(msgspec.Struct, frozen=True):
    """A firing in words; `kind` is the class of its colour."""

    due: str
    schedule: str
    kind: str
    came: str
    notes: tuple[str, ...]
    issue: str
    sending: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What the template shows besides the report itself."""

    span: str
    readers: str
    advice: tuple[tuple[str, str], ...]
    height: int
    hours: tuple[tuple[int, float], ...]
    days: tuple[Day, ...]
    rows: tuple[Row, ...]
    events: tuple[str, ...]


def save_page(report: Report, settings: Settings, folder: Path, target: Path) -> None:
    """Write the page into a file, whole or not at all. Raises PublisherError where it cannot be."""
    sources = read_templates(folder)
    text = render_page(report, settings, sources)
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        aside.write_text(text, "utf-8")
        aside.replace(target)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise PublisherError(f"{target} cannot be written: {error.strerror}") from None


def render_page(report: Report, settings: Settings, sources: dict[str, str]) -> str:
    """The page, by the publication's own template where it has one."""
    template = make_templates(sources).get_template("rehearsal/report.html")
    return template.render(
        report=report,
        page=make_page(report),
        title=settings.publication.title,
        language=settings.publication.language,
        # A style sheet is not escaped; it is a template's source, as the page itself is.
        css=Markup(sources["rehearsal/report.css"]),  # noqa: S704
    )


def make_page(report: Report) -> Page:
    """Places and words of a report."""
    zone = ZoneInfo(report.time_zone)
    days = _make_days(report, zone) if report.firings else ()
    return Page(
        span=f"{say_moment(report.begin, zone)} to {say_moment(report.end, zone)}",
        readers=say_readers(report),
        advice=tuple((say_setting(each), each.says) for each in report.advice),
        height=_TOP + _ROW * len(days),
        hours=tuple((hour, _place(hour / 24)) for hour in range(0, 25, 3)),
        days=days,
        rows=tuple(_make_row(each, zone) for each in report.firings),
        events=tuple(f"{say_moment(e.begin, zone)}: {e.says}" for e in report.events),
    )


def _place(share: float) -> float:
    return round(_LEFT + _WIDTH * share, 1)


def _make_days(report: Report, zone: ZoneInfo) -> tuple[Day, ...]:
    first = report.begin.astimezone(zone).date()
    last = (report.end - timedelta(microseconds=1)).astimezone(zone).date()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return tuple(_make_day(report, zone, each, n) for n, each in enumerate(days))


def _make_day(report: Report, zone: ZoneInfo, day: date, number: int) -> Day:
    away = [
        bar
        for each in report.events
        if each.end > each.begin
        for bar in _make_bar("away", each.begin, each.end, each.says, zone, day)
    ]
    sending = [
        bar
        for each in report.firings
        if each.sending and each.sending.first and each.sending.bulk
        for bar in _make_bar(
            "sending late" if each.came == "late" else "sending",
            each.sending.first,
            each.sending.bulk,
            f"{each.issue}: {say_sending(each.sending, zone)}",
            zone,
            day,
        )
    ]
    marks = tuple(_make_marks(report, zone, day))
    return Day(f"{day:%a %Y-%m-%d}", _TOP + _ROW * number, tuple(away), tuple(sending), marks)


def _make_bar(
    kind: str, begin: datetime, end: datetime, says: str, zone: ZoneInfo, day: date
) -> Iterator[Bar]:
    """The part of a span that is in a day, by the wall clock."""
    midnight = datetime.combine(day, time(0))
    shares = [
        (moment.astimezone(zone).replace(tzinfo=None) - midnight) / timedelta(days=1)
        for moment in (begin, end)
    ]
    start, stop = (min(max(share, 0.0), 1.0) for share in shares)
    if start < stop or start == shares[0]:
        x = _place(start)
        yield Bar(kind, x, max(_LEAST, round(_place(stop) - x, 1)), says)


def _make_marks(report: Report, zone: ZoneInfo, day: date) -> Iterator[Mark]:
    for each in report.events:
        if each.begin == each.end:
            yield from _make_mark("change", each.begin, each.says, zone, day)
    for firing in report.firings:
        due = say_moment(firing.due, zone)
        is_missed = firing.came in ("missed", "not sent")
        says = f"{firing.schedule} due {due}: {firing.came} {firing.why}".rstrip()
        yield from _make_mark("missed" if is_missed else "due", firing.due, says, zone, day)
        if firing.ready:
            says = f"{firing.issue} ready {say_moment(firing.ready, zone)}"
            yield from _make_mark("ready", firing.ready, says, zone, day)


def _make_mark(kind: str, moment: datetime, says: str, zone: ZoneInfo, day: date) -> Iterator[Mark]:
    local = moment.astimezone(zone)
    if local.date() == day:
        seconds = local.hour * 3600 + local.minute * 60 + local.second
        yield Mark(kind, _place(seconds / 86_400), says)


def _make_row(firing: Firing, zone: ZoneInfo) -> Row:
    ready = f", ready {say_moment(firing.ready, zone)}" if firing.ready else ", never ready"
    fired = f"fired {say_moment(firing.fired, zone)}" if firing.fired else ""
    is_other = firing.written is not None and firing.written != firing.issue
    other = f"{firing.written} was written for it" if is_other else ""
    return Row(
        due=say_moment(firing.due, zone),
        schedule=firing.schedule or "planned send",
        kind=_KINDS.get(firing.came, "bad"),
        came=firing.came,
        notes=tuple(
            each for each in (firing.why, firing.clock, fired, other, *firing.told) if each
        ),
        issue=f"{firing.issue}{ready}" if firing.issue else "",
        sending=say_sending(firing.sending, zone) if firing.sending else "",
    )
