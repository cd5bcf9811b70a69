"""Results -> plots as SVG that stand on their own: in daylight and at night, and without colours.

Ours are filled and the others hatched; lines differ by their dashes and bear their names.
"""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.benchmarks.measure import Tables
from tests.benchmarks.report.figures import (
    QUANTITIES,
    Quantity,
    write,
    write_limit,
    write_number,
)
from tests.benchmarks.report.told import Bars, Lines

_WIDTH = 760
_TOP = 52
_ROW = 34
# Where bars begin and how long the longest is: names stand before them, figures behind them.
_START, _LONGEST = 250, 330
_PLOT = (60, 560, 240)  # where lines begin, how wide and how high they are
_DASHES = ("", "8 4", "2 3", "12 4 2 4")
_TICKS = 5
# Names whose lines end as near as this would stand in each other, if not so high above.
_NEAR, _LETTERS = 30, 18


class Bar(msgspec.Struct, frozen=True):
    name: str
    figure: str
    y: float
    length: float
    least: float
    most: float
    is_ours: bool


class Line(msgspec.Struct, frozen=True):
    name: str
    points: str
    dashes: str
    last: tuple[float, float]
    # Where its name stands.
    height: float = 0


def draw(plot: Bars | Lines, tables: Tables) -> str:
    """An SVG document. The table must be there."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    name = "bars.svg" if isinstance(plot, Bars) else "lines.svg"
    layout = _lay_bars(plot, tables) if isinstance(plot, Bars) else _lay_lines(plot, tables)
    template = environment.get_template(name)
    return template.render(plot=plot, says=say_plot(plot, tables), width=_WIDTH, **layout)


def say_plot(plot: Bars | Lines, tables: Tables) -> str:
    """What a plot shows, in a sentence for who does not see it."""
    quantity = QUANTITIES[plot.quantity]
    rows = tables[plot.table]
    if isinstance(plot, Bars):
        said = [f"{name}: {write(row[plot.quantity], quantity)}" for name, row in rows.items()]
    else:
        said = [
            f"{name}: at most {write_number(max(row[plot.quantity]), quantity)}"
            f" in {write_number(max(row['at']), Quantity('', plot.along))}"
            for name, row in rows.items()
        ]
    if plot.asked:
        said.append(f"asked: at most {write_limit(plot.asked, quantity.unit)}")
    return "; ".join(said) + "."


def _lay_bars(plot: Bars, tables: Tables) -> dict[str, object]:
    rows = {name: row[plot.quantity] for name, row in tables[plot.table].items()}
    scale = _LONGEST / max(*(max(values) for values in rows.values()), plot.asked)
    quantity = QUANTITIES[plot.quantity]
    bars = [
        Bar(
            name,
            write_number(statistics.median(values), quantity),
            _TOP + place * _ROW,
            round(statistics.median(values) * scale, 1),
            round(min(values) * scale, 1),
            round(max(values) * scale, 1),
            name not in plot.others,
        )
        for place, (name, values) in enumerate(rows.items())
    ]
    bottom = _TOP + len(bars) * _ROW
    return {
        "bars": bars,
        "start": _START,
        "bottom": bottom,
        "height": bottom + (30 if plot.asked else 8),
        "asked": round(_START + plot.asked * scale, 1),
        "asked_words": f"asked: at most {write_limit(plot.asked, quantity.unit)}",
    }


def _lay_lines(plot: Lines, tables: Tables) -> dict[str, object]:
    left, width, height = _PLOT
    rows = tables[plot.table]
    longest = _round_up(max(max(row["at"], default=0) for row in rows.values()))
    highest = _round_up(max(plot.asked, *(max(row[plot.quantity]) for row in rows.values())))

    def place(at: float, value: float) -> tuple[float, float]:
        return (
            round(left + at / longest * width, 1),
            round(_TOP + height * (1 - value / highest), 1),
        )

    lines = []
    for dashes, (name, row) in zip(_DASHES, rows.items(), strict=False):
        points = [place(*point) for point in zip(row["at"], row[plot.quantity], strict=True)]
        lines.append(Line(name, _join(points), dashes, points[-1]))
    return {
        "lines": _space(lines),
        "left": left,
        "right": left + width,
        "bottom": _TOP + height,
        "height": _TOP + height + 34,
        "down": [(place(0, v)[1], write_limit(v, "")) for v in _ticks(highest)],
        "along": [(place(v, 0)[0], write_limit(v, plot.along)) for v in _ticks(longest)],
        "asked": place(0, plot.asked)[1],
    }


def _space(lines: Sequence[Line]) -> list[Line]:
    """Put the names of lines that end near each other one above the other."""
    spaced: list[Line] = []
    for line in sorted(lines, key=lambda line: -line.last[1]):
        near = [each for each in spaced if abs(each.last[0] - line.last[0]) < _NEAR]
        height = min([line.last[1], *(each.height - _LETTERS for each in near)])
        spaced.append(msgspec.structs.replace(line, height=round(height, 1)))
    return sorted(spaced, key=lambda line: [each.name for each in lines].index(line.name))


def _join(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


def _round_up(value: float) -> float:
    """The next number that divides into round ticks."""
    unit = 10.0 ** math.floor(math.log10(value or 1))
    return next(step * unit for step in (1, 2, 2.5, 5, 10) if step * unit >= value)


def _ticks(most: float) -> list[float]:
    return [most * step / _TICKS for step in range(_TICKS + 1)]
