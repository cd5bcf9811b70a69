"""What charts are drawn from: values -> places and words. Templates draw them as SVG.

Places are percentages, so that a chart is as wide as its page while its words keep their size. What
a chart shows in figures stands in the table behind it too.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from math import ceil, floor, log10
from typing import Any

import msgspec

# Steps that people count in.
_STEPS = (1, 2, 5, 10)
_TICKS = 4
# A line that hardly moves is shown from near below, so that it can be seen to move.
_MOVES = 0.5
# And over no less than this part of its height, so that a few readers are no mountain.
_STEADY = 20
# Of what is not nothing something is to be seen.
_LEAST = 0.4


class Tick(msgspec.Struct, frozen=True):
    """A line across a chart: what it stands for, and how far from the top it is, in percent."""

    value: int
    place: float


class Scale(msgspec.Struct, frozen=True):
    """From which value to which a chart goes, with lines at round values."""

    low: int
    high: int
    ticks: tuple[Tick, ...]

    def place(self, value: float) -> float:
        """How far from the top a value is, in percent."""
        return _round(100 * (self.high - value) / (self.high - self.low))


class Part(msgspec.Struct, frozen=True):
    """A part of a bar: a class for its colour, where it begins and how long it is, in percent."""

    kind: str
    value: int
    start: float
    length: float


class Bar(msgspec.Struct, frozen=True):
    """A bar: what it is about, its parts, and the figure that stands at it."""

    label: str
    parts: tuple[Part, ...]
    figure: str


class Table(msgspec.Struct, frozen=True):
    """The figures of a chart as they can be read; all cells but a row's first are numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class Bars(msgspec.Struct, frozen=True, kw_only=True):
    """Bars, one under another. `legend` explains the classes of their parts."""

    name: str
    title: str
    says: str
    bars: tuple[Bar, ...]
    table: Table
    legend: tuple[tuple[str, str], ...] = ()


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line through days, and below it how many came and went on each.

    `points` are percentages from the left and the top; `marks` are days and where they are; `came`
    and `went` are places, widths and heights, in percent, `most` the most of either on a day.
    """

    name: str
    title: str
    says: str
    scale: Scale
    points: tuple[tuple[float, float], ...]
    marks: tuple[tuple[str, float, str], ...]
    came: tuple[tuple[float, float, float], ...]
    went: tuple[tuple[float, float, float], ...]
    most: int
    last: int
    table: Table

    @property
    def path(self) -> str:
        """The line as SVG's path in a box of 100 by 100."""
        if len(self.points) == 1:
            height = self.points[0][1]
            return f"M0 {height} H100"
        return "M" + " L".join(f"{x} {y}" for x, y in self.points)

    @property
    def area(self) -> str:
        """What is below it."""
        return f"{self.path} V100 H0 Z"


class Day(msgspec.Struct, frozen=True):
    """A day of a line: the value at its end, and how many came and went on it."""

    day: date
    value: int
    came: int
    went: int


def make_scale(low: int, high: int, *, is_free: bool = False) -> Scale:
    """A scale over values from `low` to `high`, from 0 unless it `is_free` and they hardly move."""
    start = low if is_free and low > _MOVES * high else 0
    step = _find_step(max(high - start, high // _STEADY if start else 0, 1))
    first = floor(start / step) * step
    last = max(ceil(high / step) * step, first + step)
    values = range(first, last + 1, step)
    ticks = tuple(Tick(value, _round(100 * (last - value) / (last - first))) for value in values)
    return Scale(first, last, ticks)


def _find_step(span: int) -> int:
    """The smallest round step of which a span has only a few."""
    size = 10 ** max(floor(log10(span / _TICKS)), 0) if span > _TICKS else 1
    return next(step * size for step in _STEPS if step * size * _TICKS >= span)


def make_line(name: str, title: str, days: Sequence[Day]) -> Line:
    """A line through at least one day, the oldest first."""
    values = [each.value for each in days]
    scale = make_scale(min(values), max(values), is_free=True)
    width = 100 / max(len(days) - 1, 1)
    most = max(max(each.came, each.went) for each in days)
    span = 100 / len(days)
    return Line(
        name=name,
        title=title,
        says=_say_line(days),
        scale=scale,
        points=tuple((_round(n * width), scale.place(value)) for n, value in enumerate(values)),
        marks=_mark(days),
        came=tuple(_flow(n, span, each.came, most) for n, each in enumerate(days) if each.came),
        went=tuple(_flow(n, span, each.went, most) for n, each in enumerate(days) if each.went),
        most=most,
        last=values[-1],
        table=Table(
            ("Day", "Joined", "Left", "Readers"),
            tuple((f"{e.day:%d %b %Y}", e.came, e.went, e.value) for e in reversed(days)),
        ),
    )


def _flow(number: int, span: float, value: int, most: int) -> tuple[float, float, float]:
    """Where a day's bar begins, how wide it is, and how high of 50, in percent."""
    return _round(number * span), _round(span * 0.8), _round(max(50 * value / most, 1.5))


def _mark(days: Sequence[Day]) -> tuple[tuple[str, float, str], ...]:
    """The first, the middle and the last day, and how their words stand to their places."""
    last = len(days) - 1
    if not last:
        return ((f"{days[0].day:%d %b}", 0.0, "start"),)
    middle = last // 2
    marks = [(f"{days[0].day:%d %b}", 0.0, "start"), (f"{days[last].day:%d %b}", 100.0, "end")]
    if last > 1:
        marks.insert(1, (f"{days[middle].day:%d %b}", _round(100 * middle / last), "middle"))
    return tuple(marks)


def _say_line(days: Sequence[Day]) -> str:
    """What the line tells to who does not see it."""
    first, last = days[0], days[-1]
    came, went = sum(each.came for each in days), sum(each.went for each in days)
    return (
        f"{last.value:,} on {last.day:%d %b %Y}, {first.value:,} on {first.day:%d %b %Y}:"
        f" {came:,} joined and {went:,} left on these days."
    )


def make_bars(
    name: str,
    title: str,
    rows: Sequence[tuple[str, Sequence[tuple[str, int]], str]],
    table: Table,
    legend: Sequence[tuple[str, str]] = (),
) -> Bars:
    """Bars of (label, its parts as pairs of class and value, figure), all to one scale from 0."""
    most = max((sum(value for _, value in parts) for _, parts, _ in rows), default=0)
    bars = tuple(Bar(label, _lay(parts, most), figure) for label, parts, figure in rows)
    says = "; ".join(f"{bar.label}: {bar.figure}" for bar in bars)
    return Bars(name=name, title=title, says=says, bars=bars, table=table, legend=tuple(legend))


def _lay(parts: Sequence[tuple[str, int]], most: int) -> tuple[Part, ...]:
    laid, start = [], 0.0
    for kind, value in parts:
        if value:
            length = max(100 * value / most, _LEAST)
            laid.append(Part(kind, value, _round(min(start, 100 - length)), _round(length)))
            start += length
    return tuple(laid)


def say_span(span: timedelta | None) -> str:
    """A duration as people say it; a dash where there is none."""
    if span is None:
        return "–"
    seconds = round(span.total_seconds())
    if seconds < 1:
        return "under 1 s"
    for unit, size, smaller, small in (("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            rest = seconds % size // small
            return f"{seconds // size:,} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"


def _round(number: float) -> float:
    """Two digits: a tenth of a pixel, and the same bytes each time."""
    return round(number, 2)
