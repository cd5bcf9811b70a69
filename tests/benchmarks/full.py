"""A full build of 1,000 issues, beside other compilers of sites on the same content."""

from collections import Counter
from pathlib import Path

from tests.benchmarks.archive import write_archive
from tests.benchmarks.measure import PUBLISHER, Result, once, run, say, seconds
from tests.benchmarks.others import OTHERS, install

ISSUES = 1_000
RUNS = 3


def measure_full(folder: Path, others: Path) -> Result:
    """Build everything from nothing, several times in turn; the medians by wall time."""
    commands = {"publisher": [PUBLISHER, "build"]}
    write_archive(folder / "publisher", ISSUES)
    for name, program in install(others).items():
        write, options = OTHERS[name]
        write(folder / name, ISSUES)
        commands[name] = [program, *options]
    results = {name: _measure(command, folder / name) for name, command in commands.items()}
    for name, result in results.items():
        made = ", ".join(f"{count:,} {kind}" for kind, count in result["made"].items())
        say(f"full build of {ISSUES:,} issues, {name}: {seconds(result)}; {made}")
    return results


def _measure(command: list[str], folder: Path) -> Result:
    usages = []
    for _ in range(RUNS):
        for path in ("public", ".publisher", "issues/register.jsonl", "resources"):
            _remove(folder / path)
        usages.append(run(command, folder))
    result = once(sorted(usages)[RUNS // 2])
    return result | {"walls": [round(u.wall, 2) for u in usages], "made": _made(folder / "public")}


def _remove(path: Path) -> None:
    if path.is_dir():
        for child in path.iterdir():
            _remove(child)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def _made(public: Path) -> dict[str, int]:
    """Count the files by kind, and their size."""
    kinds = Counter[str]()
    size = 0
    for path in public.rglob("*"):
        if path.is_file():
            size += path.stat().st_size
            kinds[_kind(path.relative_to(public))] += 1
    return dict(sorted(kinds.items())) | {"megabytes": round(size / 1e6)}


def _kind(path: Path) -> str:
    if path.name.startswith("email."):
        return "message bodies"
    if path.suffix == ".html":
        return "pages"
    if path.suffix in (".atom", ".rss", ".json") or path.name == "feed.xml":
        return "archive documents" if path.parts[0] == "archive" else "feeds"
    return "other files"
