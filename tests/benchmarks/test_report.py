"""That the document is what the results give, and that what is asked is told honestly."""

import re
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from tests.benchmarks.__main__ import PARTS
from tests.benchmarks.machine import Machine
from tests.benchmarks.measure import Row, Tables
from tests.benchmarks.report.asked import ASKED, list_asked
from tests.benchmarks.report.document import IMAGES, write_document
from tests.benchmarks.report.plots import draw
from tests.benchmarks.report.told import SECTIONS, Bars, Lines
from tests.benchmarks.report.write import make_report, write_report
from tests.benchmarks.results import ROOT, TOLD, Part, merge, read_results, write_results
from tests.benchmarks.sizes import SHORT, Sizes

DOCS = ROOT / "docs"
SVG = "{http://www.w3.org/2000/svg}"
MACHINE = Machine(
    system="Linux 6, x86_64",
    processor="A Processor",
    cores=2,
    memory_gb=25.3,
    versions={"Python": "3.11.7"},
)


def part(tables: Tables, *, sizes: Sizes | None = None, measured: str = "2026-01-01") -> Part:
    return Part(
        measured=measured,
        seconds=12,
        load=(0.1, 1.2),
        syncs=[1.0, 2.0, 9.0],
        sizes=sizes or Sizes(),
        machine=MACHINE,
        tables=tables,
    )


def sending(ours: list[float], theirs: list[float]) -> Tables:
    rows: dict[str, Row] = {
        "smtp-source -d": {"rate": theirs, "each": [40.0] * len(theirs)},
        "publisher": {"rate": ours, "each": [90.0] * len(ours)},
    }
    return {"sending": rows}


def judge(tables: Tables, sizes: Sizes | None = None) -> tuple[str, ...]:
    (found, *_) = list_asked({"delivery": part(tables, sizes=sizes)})
    assert found[0] == "Sending, unsigned, against `smtp-source -d`"
    return found[1:]


def test_the_document_and_its_plots_are_what_the_results_give() -> None:
    files = make_report(read_results(TOLD))
    assert {name: (DOCS / name).read_text("utf-8") for name in files} == files
    plots = {f"{IMAGES}/{path.name}" for path in (DOCS / IMAGES).iterdir()}
    assert plots == set(files) - {"performance.md"}


def test_each_part_is_told_and_each_that_is_told_can_be_measured() -> None:
    assert [section.part for section in SECTIONS] == list(PARTS)
    for section in SECTIONS:
        tables = {table.name for table in section.tables}
        assert {plot.table for plot in section.plots} <= tables | {"memory", "rates"}


def test_what_is_asked_is_told_of_parts_that_are_measured_as_told() -> None:
    results = read_results(TOLD)
    for asked in ASKED:
        if asked.place.part in results and asked.place.row in (
            rows := results[asked.place.part].tables.get(asked.place.table, {})
        ):
            assert asked.place.quantity in rows[asked.place.row], asked.words


def test_a_ratio_is_that_of_each_round() -> None:
    # Of the medians it would be 1.
    asked, measured, of_asked, held = judge(sending([100, 300, 200], [400, 200, 100]))
    assert (asked, measured, of_asked, held) == (
        "at least 1 times",
        "1.50 times (0.25 to 2.00)",
        "1.50",
        "yes",
    )


def test_what_falls_short_is_said_to() -> None:
    assert judge(sending([90], [100]))[1:] == ("0.90 times", "0.90", "**no**")


def test_a_figure_of_another_size_than_asked_holds_nothing() -> None:
    found = judge(sending([900], [100]), SHORT)
    assert found[-1] == "measured with 5,000 messages"


def test_what_was_not_measured_is_said_so() -> None:
    assert {found[2] for found in list_asked({})} == {"not measured"}
    text = write_document({})
    assert text.count("Not measured yet") == len(SECTIONS)


def test_a_section_says_what_its_figures_depend_on() -> None:
    text = write_document({"delivery": part(sending([90, 80], [100, 100]), sizes=SHORT)})
    assert '`make bench PARTS=delivery OPTIONS="--messages 5000 --rounds 1"`' in text
    assert "Load average: 0.1 before, 1.2 after" in text
    assert "A sync of the disk took 2.00 ms (1.00 to 9.00), 3 times." in text
    assert "A Processor, 2 cores, 25 GB of memory, Linux 6, x86_64; Python 3.11.7." in text
    assert "| publisher | 85 (80 to 90) |" in text
    assert "Each is the median of 2." in text


def test_two_machines_are_told_apart() -> None:
    other = msgspec.structs.replace(part({}), machine=msgspec.structs.replace(MACHINE, cores=64))
    text = write_document({"delivery": part(sending([1], [1])), "web": other})
    assert "Machine 1: A Processor, 2 cores" in text
    assert "Machine 2: A Processor, 64 cores" in text
    assert "`make bench PARTS=delivery` on machine 1" in text


BARS = Bars(file="a", title="Bars & more", table="t", quantity="wall", asked=3, others=("<other>",))
LINES = Lines(file="b", title="Lines", table="t", quantity="memory", asked=150)
TABLES: Tables = {
    "t": {
        "ours": {"wall": [1.0, 2.0, 4.0], "at": [0.2, 9.0], "memory": [60.0, 70.0]},
        "<other>": {"wall": [3.0], "at": [0.2, 5.0], "memory": [60.0, 90.0]},
    }
}


@pytest.mark.parametrize("plot", [BARS, LINES], ids=lambda plot: type(plot).__name__)
def test_a_plot_says_what_it_shows_to_who_does_not_see_it(plot: Bars | Lines) -> None:
    root = etree.fromstring(draw(plot, TABLES).encode())
    assert root.get("role") == "img"
    named = [root.find(f"{SVG}*[@id='{id_}']") for id_ in root.get("aria-labelledby", "").split()]
    title, says = [element.text if element is not None else "" for element in named]
    assert title == plot.title
    assert all(word in (says or "") for word in ("ours: ", "<other>: ", "asked: at most"))
    drawn = [element.text for element in root.iter(f"{SVG}text")]
    assert {"ours", "<other>"} <= set(drawn)


def test_bars_are_told_apart_without_colours_and_show_their_spread() -> None:
    root = etree.fromstring(draw(BARS, TABLES).encode())
    ours, other = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") != "sheet"]
    assert (ours.get("class"), other.get("class")) == ("ours", "other")
    assert "url(#hatch)" in draw(BARS, TABLES)
    assert len([path for path in root.iter(f"{SVG}path") if path.get("class") == "spread"]) == 1
    assert float(ours.get("width", 0)) == pytest.approx(float(other.get("width", 0)) * 2 / 3, 0.01)


def test_lines_are_told_apart_without_colours() -> None:
    root = etree.fromstring(draw(LINES, TABLES).encode())
    dashes = [line.get("stroke-dasharray") for line in root.iter(f"{SVG}polyline")]
    assert len(set(dashes)) == 2


def test_a_plot_takes_nothing_from_elsewhere_and_is_for_day_and_night() -> None:
    text = draw(BARS, TABLES)
    assert not re.search(r"(?:href|src|@import|url\(['\"]?http)", text)
    assert "prefers-color-scheme: dark" in text


def test_plots_that_there_are_no_more_go(tmp_path: Path) -> None:
    (tmp_path / IMAGES).mkdir(parents=True)
    (tmp_path / IMAGES / "gone.svg").write_text("")
    write_report({"delivery": part(sending([1], [1]))}, tmp_path)
    assert {path.name for path in (tmp_path / IMAGES).iterdir()} == {
        "delivery.svg",
        "delivery-cpu.svg",
    }


def test_results_are_kept_and_each_part_as_it_was_measured_last(tmp_path: Path) -> None:
    old, new = part({}, measured="2026-01-01"), part(sending([1], [2]), measured="2026-01-02")
    path = tmp_path / "results.json"
    write_results(path, {"web": old, "delivery": new})
    assert read_results(path) == {"web": old, "delivery": new}
    assert '"rate": [1]' in path.read_text()
    assert merge({"web": new}, {"web": old, "delivery": old}) == {"web": new, "delivery": old}


def test_results_of_an_older_program_are_none(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text('{"full": {"machine": "Linux"}}')
    assert read_results(path) == {}
    assert read_results(tmp_path / "missing.json") == {}
