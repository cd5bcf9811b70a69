"""Results -> docs/performance.md."""

from collections.abc import Iterator, Sequence

import msgspec

from tests.benchmarks.machine import Machine
from tests.benchmarks.report.asked import list_asked
from tests.benchmarks.report.figures import (
    QUANTITIES,
    TIMES,
    Place,
    Quantity,
    count,
    find_in,
    write,
)
from tests.benchmarks.report.plots import say_plot
from tests.benchmarks.report.told import SECTIONS, Section, Table
from tests.benchmarks.results import Part, Results
from tests.benchmarks.sizes import Sizes, written

# Where plots are, as seen from the document.
IMAGES = "images/performance"

_BEGINNING = """\
# Performance

What a user waits for, what a mailing takes, and what a large archive costs. This page is written \
by a program (`make figures`) from the results in [performance.json](performance.json), which has \
every value of every figure. Anybody can measure the same:

    make bench                                            # everything
    make bench PARTS="unchanged delivery"                 # some parts
    make bench PARTS=million OPTIONS="--readers 100000"   # smaller: see --help
    make bench OPTIONS=--short                            # little of everything, in a few minutes

It prints what it measures and keeps it in `.bench/results.json`; `make figures` then writes this \
page and its plots anew. Whole processes are measured, with the operating system's own counts of \
time, CPU and memory; files are written beside the checkout, on a real disk. The content is the \
same on every machine. A figure is the median of several, with the least and the most of them in \
brackets. Memory is counted in millions of bytes."""


def write_document(results: Results) -> str:
    pieces = [_BEGINNING, "## What is asked, and what was measured", _write_asked(results)]
    pieces += _write_machines(results)
    for section in SECTIONS:
        pieces.append(f"## {section.title}")
        if part := results.get(section.part):
            pieces += _write_section(section, part, results)
        else:
            pieces.append(f"Not measured yet: `make bench PARTS={section.part}`.")
    return "\n\n".join(pieces) + "\n"


def _write_asked(results: Results) -> str:
    head = ("figure", "asked", "measured", "of what is asked", "held")
    return _write_table(head, list_asked(results))


def _write_machines(results: Results) -> Iterator[str]:
    yield "## The machine"
    machines = _list_machines(results)
    for number, machine in enumerate(machines, 1):
        name = f"Machine {number}: " if len(machines) > 1 else ""
        versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
        yield (
            f"{name}{machine.processor}, {machine.cores} cores, {machine.memory_gb:.0f} GB of"
            f" memory, {machine.system}; {versions}."
        )
    yield (
        "Each part says what else the machine was doing: the load average is how many processes"
        " waited for a core on average, where more than the number of cores means that others took"
        " time from what was measured; and how long the disk took to have 4 KB more of a file for"
        " certain, just before."
    )


def _list_machines(results: Results) -> list[Machine]:
    found: list[Machine] = []
    for part in results.values():
        if part.machine not in found:
            found.append(part.machine)
    return found


def _write_section(section: Section, part: Part, results: Results) -> Iterator[str]:
    yield section.what.format(**_name_sizes(part.sizes))
    for plot in section.plots:
        if part.tables.get(plot.table):
            yield f"![{plot.title}. {say_plot(plot, part.tables)}]({IMAGES}/{plot.file}.svg)"
    for table in section.tables:
        if rows := part.tables.get(table.name):
            if table.title:
                yield table.title
            yield _write_rows(table, part)
            counts = sorted({count(row) for row in rows.values()})
            if counts != [1]:
                yield f"Each is the median of {' to '.join(map(str, counts))}."
    yield _write_conditions(section, part, _list_machines(results))
    yield "It depends\n\n" + ";\n".join(f"- {text}" for text in section.depends) + "."


def _name_sizes(sizes: Sizes) -> dict[str, str]:
    named = msgspec.structs.asdict(sizes)
    return {
        name: " and ".join(f"{number:,}" for number in value)
        if isinstance(value, tuple)
        else f"{value:,}"
        for name, value in named.items()
    }


def _write_rows(table: Table, part: Part) -> str:
    rows = part.tables[table.name]
    shown = [q for q in table.quantities if any(q in row for row in rows.values())]
    head = [table.first.format(**_name_sizes(part.sizes)), *(_head(table, q) for q in shown)]
    is_compared = bool(table.beside) and table.beside in rows
    if is_compared:
        head.append(f"{_head(table, table.compared)}, against {table.beside}")
    body = []
    for name, row in rows.items():
        cells = [write(row.get(q, []), QUANTITIES[q]) for q in shown]
        if is_compared:
            place = Place("", table.name, name, table.compared, table.beside)
            cells.append(write(find_in(part.tables, place), TIMES))
        body.append((name, *cells))
    return _write_table(head, body)


def _head(table: Table, quantity: str) -> str:
    return table.heads.get(quantity, QUANTITIES[quantity].head)


def _write_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown whose first column stands left and whose others stand right."""
    lines = [head, ["---", *("--:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _write_conditions(section: Section, part: Part, machines: Sequence[Machine]) -> str:
    where = f" on machine {machines.index(part.machine) + 1}" if len(machines) > 1 else ""
    syncs = write(part.syncs, Quantity("", "ms"))
    when = f"{part.measured[:16].replace('T', ' ')} UTC"
    return (
        f"Measured by `{_write_command(section.part, part.sizes)}`{where}, {when}, in"
        f" {part.seconds:,} s. Load average: {part.load[0]} before, {part.load[1]} after. A sync of"
        f" the disk took {syncs}, {len(part.syncs)} times."
    )


def _write_command(part: str, sizes: Sizes) -> str:
    usual = msgspec.structs.asdict(Sizes())
    options = " ".join(
        f"--{name} {written(name, value)}"
        for name, value in msgspec.structs.asdict(sizes).items()
        if value != usual[name] and name in _USED.get(part, ())
    )
    return f"make bench PARTS={part}" + (f' OPTIONS="{options}"' if options else "")


# Which sizes change a part.
_USED = {
    "full": ("issues", "rounds"),
    "stages": ("issues",),
    "growth": ("archives",),
    "delivery": ("messages", "rounds"),
    "million": ("readers",),
    "workers": ("batched", "rounds"),
    "model": ("batched", "rounds"),
}
