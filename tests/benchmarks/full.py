"""A full build, beside other compilers of sites that make the same pages and feeds of the same."""

from collections import Counter
from pathlib import Path

from tests.benchmarks.archive import write_archive
from tests.benchmarks.measure import PUBLISHER, Row, Tables, Usage, as_row, run
from tests.benchmarks.others import OTHERS, install
from tests.benchmarks.sizes import Sizes

# In the environment of others.
_OTHERS = Path(__file__).parents[2] / ".bench" / "others"
_MADE_BEFORE = (
    "public",
    ".publisher",
    "issues/register.jsonl",
    "issues/history.jsonl",
    "resources",
)


def measure_full(folder: Path, sizes: Sizes) -> Tables:
    """Build everything from nothing, in turn; every second round the other way round."""
    commands = {"publisher": [PUBLISHER, "build"]}
    write_archive(folder / "publisher", sizes.issues)
    for name, program in install(_OTHERS).items():
        write, options = OTHERS[name]
        write(folder / name, sizes.issues)
        commands[name] = [program, *options]
    usages: dict[str, list[Usage]] = {name: [] for name in commands}
    for place in range(sizes.rounds):
        for name in sorted(commands, reverse=bool(place % 2)):
            _put_away(folder / name, folder / "former" / f"{name}-{place}")
            usages[name].append(run(commands[name], folder / name))
    return {
        "time": {name: as_row(used) for name, used in usages.items()},
        "made": {name: _count(folder / name / "public") for name in usages},
    }


def _put_away(folder: Path, away: Path) -> None:
    """Move away what was made before.

    Removed files would be in the way of whoever comes next: for minutes ext4 looks at each of them
    again before it makes another, which then takes ten times as long.
    """
    away.mkdir(parents=True)
    for number, made in enumerate(_MADE_BEFORE):
        if (folder / made).exists():
            (folder / made).rename(away / str(number))


_KINDS = ("pages", "feeds", "archives", "bodies", "cards", "others")


def _count(public: Path) -> Row:
    """Count the files by kind, and their megabytes."""
    counts = Counter[str]()
    size = 0
    for path in public.rglob("*"):
        if path.is_file():
            size += path.stat().st_size
            counts[_kind(path.relative_to(public))] += 1
    row: Row = {kind: [counts[kind]] for kind in _KINDS}
    return row | {"megabytes": [round(size / 1e6)]}


def _kind(path: Path) -> str:
    if path.name.startswith("email."):
        return "bodies"
    if path.suffix == ".html":
        return "pages"
    if path.parts[0] == "cards":
        return "cards"
    if path.suffix in (".atom", ".rss") or path.name in ("feed.json", "issues.json", "feed.xml"):
        return "archives" if path.parts[0] == "archive" else "feeds"
    return "archives" if path.parts[0] == "archive" else "others"
