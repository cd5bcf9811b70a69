"""Charts: their places, their scales, and that what they show stands in the table behind."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.render.templates import make_templates
from publisher.site.scan import packaged
from publisher.web.console.charts import (
    Bars,
    Day,
    Line,
    Table,
    make_bars,
    make_line,
    make_scale,
    say_span,
)

MONDAY = date(2026, 3, 2)
HUGE = 10**12


def draw(chart: Line | Bars) -> str:
    folder = packaged("templates") / "console"
    sources = {f"console/{path.name}": path.read_text("utf-8") for path in folder.glob("*.html")}
    kind = "line" if isinstance(chart, Line) else "bars"
    sources["console/one.html"] = (
        '{% import "console/charts.html" as charts %}{{ charts.' + kind + "(chart) }}"
    )
    return make_templates(sources).get_template("console/one.html").render(chart=chart)


def days(*values: int) -> list[Day]:
    return [Day(MONDAY + timedelta(days=n), value, 3, 1) for n, value in enumerate(values)]


@given(low=st.integers(0, HUGE), more=st.integers(0, HUGE), is_free=st.booleans())
def test_a_scale_has_a_few_round_lines_and_holds_its_values(
    low: int, more: int, is_free: bool
) -> None:
    high = low + more
    scale = make_scale(low, high, is_free=is_free)
    assert scale.low <= low
    assert scale.high >= high
    assert 2 <= len(scale.ticks) <= 7
    assert scale.ticks[0].value == scale.low
    assert scale.ticks[-1].value == scale.high
    assert (scale.ticks[0].place, scale.ticks[-1].place) == (100, 0)
    steps = {b.value - a.value for a, b in zip(scale.ticks, scale.ticks[1:], strict=False)}
    assert len(steps) == 1
    assert str(steps.pop()).rstrip("0") in ("1", "2", "5")
    assert 0 <= scale.place(low) <= 100
    if not is_free:
        assert scale.low == 0


def test_a_line_that_stands_still_is_not_shown_from_one_reader_to_the_next() -> None:
    line = make_line("growth", "Readers", days(3_003, 3_003))
    assert [tick.value for tick in line.scale.ticks] == [3_000, 3_050]
    first = make_line("growth", "Readers", days(0, 3_003))
    assert (first.scale.low, first.points[0]) == (0, (0.0, 100.0))


def test_a_line_that_hardly_moves_is_shown_from_near_below() -> None:
    chart = make_line("growth", "Readers", days(10_000, 10_020))
    assert chart.scale.low > 9_000
    assert f"The chart begins at {chart.scale.low:,}." in draw(chart)
    assert make_line("growth", "Readers", days(10, 10_000)).scale.low == 0


@pytest.mark.parametrize("values", [(0,), (7,), (0, 0, 0), (5, 3, 9), (HUGE, HUGE + 1), (0, HUGE)])
def test_every_line_is_drawn_within_its_box(values: tuple[int, ...]) -> None:
    chart = make_line("growth", "Readers", days(*values))
    assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in chart.points)
    for place, width, height in (*chart.came, *chart.went):
        assert 0 <= place <= place + width <= 100
        assert 0 < height <= 50
    svg = draw(chart).partition("<details")[0]
    assert "nan" not in svg.lower()
    assert f">{values[-1]:,}</text>" in svg


def test_a_line_of_one_day_is_a_line() -> None:
    chart = make_line("growth", "Readers", days(7))
    assert chart.path.endswith("H100")
    assert [mark[0] for mark in chart.marks] == ["02 Mar"]


def test_the_figures_of_a_line_are_those_of_its_table() -> None:
    chart = make_line("growth", "Readers", days(1_200, 1_234, 1_250))
    html = draw(chart)
    svg, table = html.partition("<details")[::2]
    rows = re.findall(r'<th scope="row"><bdi>([^<]+)</bdi></th>((?:<td[^>]*>[^<]*</td>)+)', table)
    last = re.findall(r">([\d,]+)</td>", rows[0][1])
    assert (rows[0][0], last) == ("04 Mar 2026", ["3", "1", "1,250"])
    assert len(rows) == 3
    assert ">1,250</text>" in svg
    assert "1,250 on 04 Mar 2026, 1,200 on 02 Mar 2026: 9 joined and 3 left" in svg
    assert svg.count('class="came"') == svg.count('class="went"') == 3


def test_the_figures_of_bars_are_those_of_their_table() -> None:
    rows = [("a", (("main", 1_000),), "1,000"), ("b", (("main", 250),), "250")]
    chart = make_bars("sent", "Sent", rows, Table(("Issue", "Sent"), (("a", 1_000), ("b", 250))))
    svg, table = draw(chart).partition("<details")[::2]
    assert re.findall(r'class="value"[^>]*>([^<]+)<', svg) == ["1,000", "250"]
    assert re.findall(r'<td class="number">([^<]+)</td>', table) == ["1,000", "250"]
    assert re.findall(r'class="main"[^>]* width="([\d.]+)%"', svg) == ["100.0", "25.0"]


def test_parts_of_a_bar_stand_behind_one_another_and_are_all_seen() -> None:
    parts = (("failed", 1), ("bounced", 100_000), ("left", 0))
    chart = make_bars("lost", "Lost", [("a", parts, "x")], Table(("", ""), ()))
    first, second = chart.bars[0].parts
    assert (first.kind, second.kind) == ("failed", "bounced")
    assert first.length >= 0.4
    assert second.start + second.length <= 100


def test_bars_of_nothing_are_drawn() -> None:
    chart = make_bars("lost", "Lost", [("a", (("failed", 0),), "none")], Table(("", ""), ()))
    assert chart.bars[0].parts == ()
    assert "none" in draw(chart)


def test_what_names_issues_is_text() -> None:
    label = "</text><script>hit(1)</script>"
    chart = make_bars("sent", label, [(label, (("main", 1),), label)], Table((label,), ((label,),)))
    assert "<script>" not in draw(chart)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (None, "–"),
        (timedelta(milliseconds=200), "under 1 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(seconds=61), "1 min 1 s"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=25, minutes=4), "25 h 4 min"),
    ],
)
def test_a_duration_is_said_in_words(span: timedelta | None, said: str) -> None:
    assert say_span(span) == said
