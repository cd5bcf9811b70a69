"""What is asked of the figures, and whether they hold it."""

import statistics

import msgspec

from tests.benchmarks.report.figures import Place, Quantity, find, write, write_limit
from tests.benchmarks.results import Results


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A figure's median is to be at least or at most so much; without a row, that of each row.

    What is asked of a `size`, by its name, is not held by a figure of another one.
    """

    words: str
    place: Place
    least: float = 0
    most: float = 0
    unit: str = ""
    size: tuple[str, int] | None = None


_MESSAGES = ("messages", 50_000)
_READERS = ("readers", 1_000_000)

ASKED = (
    Asked(
        words="Sending, unsigned, against `smtp-source -d`",
        place=Place("delivery", "sending", "publisher", "rate", "smtp-source -d"),
        least=1.0,
        unit="times",
        size=_MESSAGES,
    ),
    Asked(
        words="Sending, signed with RSA-2048, against `smtp-source -d`",
        place=Place("delivery", "sending", "publisher, RSA-2048", "rate", "smtp-source -d"),
        least=0.5,
        unit="times",
        size=_MESSAGES,
    ),
    Asked(
        words="CPU a message, unsigned",
        place=Place("delivery", "sending", "publisher", "each"),
        most=100,
        unit="µs",
        size=_MESSAGES,
    ),
    Asked(
        words="Two workers on PostgreSQL against one, with several sinks",
        place=Place("workers", "sending", "2 workers", "rate", "1 worker"),
        least=1.6,
        unit="times",
    ),
    Asked(
        words="Importing 1,000,000 readers",
        place=Place("million", "many", "import", "wall"),
        most=60,
        unit="s",
        size=_READERS,
    ),
    Asked(
        words="Their rows in a mailing, before anything is sent",
        place=Place("million", "many", "enqueue", "wall"),
        most=30,
        unit="s",
        size=_READERS,
    ),
    Asked(
        words="Memory of each step with 1,000,000 readers",
        place=Place("million", "many", "", "peak"),
        most=150,
        unit="MB",
        size=_READERS,
    ),
    Asked(
        words="A full build of 1,000 issues against Pelican",
        place=Place("full", "time", "publisher", "wall", "pelican"),
        most=1.0,
        unit="times",
        size=("issues", 1_000),
    ),
    Asked(
        words="A build after one more issue in 10,000, against 100",
        place=Place("growth", "one more", "10,000 issues", "wall", "100 issues"),
        most=1.5,
        unit="times",
    ),
    Asked(
        words="Memory of a full build of 10,000 issues, all processes",
        place=Place("growth", "full", "10,000 issues", "together"),
        most=400,
        unit="MB",
    ),
    Asked(
        words="A build where nothing changed",
        place=Place("unchanged", "commands", "build, nothing changed", "wall"),
        most=0.5,
        unit="s",
    ),
    Asked(
        words="99 of 100 answers, steady, while a mailing is sent",
        place=Place("web", "while sending, steady", "", "p99"),
        most=50,
        unit="ms",
    ),
    Asked(
        words="Each page of the console, with 100,000 readers",
        place=Place("console", "pages", "", "page"),
        most=200,
        unit="ms",
    ),
)


def list_asked(results: Results) -> list[tuple[str, ...]]:
    """For each: its words, what is asked, what was measured, of how many times that is, and
    whether it holds."""
    return [_judge(asked, results) for asked in ASKED]


def _judge(asked: Asked, results: Results) -> tuple[str, ...]:
    limit, word = (asked.least, "at least") if asked.least else (asked.most, "at most")
    wanted = f"{word} {write_limit(limit, asked.unit)}"
    name, values = _find_worst(asked, results)
    if not values:
        return asked.words, wanted, "not measured", "", ""
    median = statistics.median(values)
    is_held = median >= limit if asked.least else median <= limit
    verdict = _find_other_size(asked, results) or ("yes" if is_held else "**no**")
    words = f"{asked.words} ({name})" if name else asked.words
    measured = write(values, Quantity("", asked.unit))
    return words, wanted, measured, f"{median / limit:.2f}", verdict


def _find_other_size(asked: Asked, results: Results) -> str:
    """Of which size the figure is, where that is not what is asked."""
    if asked.size is None:
        return ""
    name, wanted = asked.size
    size = getattr(results[asked.place.part].sizes, name)
    return "" if size == wanted else f"measured with {size:,} {name}"


def _find_worst(asked: Asked, results: Results) -> tuple[str, list[float]]:
    """The values; where the place names no row, those of the worst, and its name."""
    place = asked.place
    if place.row or place.part not in results:
        return "", find(results, place)
    rows = results[place.part].tables.get(place.table, {})
    found = [(name, row[place.quantity]) for name, row in rows.items() if place.quantity in row]
    worst = min if asked.least else max
    return worst(found, key=lambda each: statistics.median(each[1]), default=("", []))
