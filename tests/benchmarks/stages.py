"""Where the time of a full build goes: `python -m tests.benchmarks.stages FOLDER`.

In one process and under cProfile, which slows Python down but not C: read the shares as rough
ones. Prints JSON.
"""

import cProfile
import json
import os
import pstats
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.archive import write_archive
from tests.benchmarks.measure import Row, Tables
from tests.benchmarks.sizes import Sizes

# Each stage is a sum of functions with all that they call, less others with all that they call;
# `caller>function` counts the calls from there alone.
STAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "reading issues": (("reading.py:read_one",), ()),
    "index and planning": (
        ("build.py:_note_changes", "build.py:_conclude", "build.py:_mark_missing"),
        ("reading.py:read_one",),
    ),
    "issue pages": (("tasks.py:make_page",), ()),
    "highlight pages": (("tasks.py:_highlight_pages",), ()),
    "lists: home, tags, years, sitemaps": (
        (
            *("tasks.py:make_home", "tasks.py:make_tag", "tasks.py:make_tag_page"),
            *("tasks.py:make_year", "tasks.py:make_sitemap", "tasks.py:make_year_sitemap"),
            "tasks.py:make_opml",
        ),
        ("tasks.py:make_tag>feeds.py:live_outputs",),
    ),
    "feeds": (("feeds.py:live_outputs", "feeds.py:month_outputs"), ()),
    "cards": (("cards.py:draw",), ()),
    "search": (("search_update.py:update_search",), ()),
    "message: template": (
        ("email.py:render_message",),
        ("inline.py:inline_css", "text.py:render_text"),
    ),
    "message: inlining": (("inline.py:inline_css",), ()),
    "message: text": (("text.py:render_text",), ()),
    "checks": (
        (
            *("tasks.py:_check_withdrawn", "content.py:check_issue", "links.py:check_links"),
            "message.py:check_message",
        ),
        (),
    ),
    "writing": (
        (
            *("write.py:put", "write.py:sync", "write.py:publish", "write.py:close"),
            "write.py:remove",
        ),
        (),
    ),
}
# What neither Pelican nor Hugo does, with the content of `full`.
OURS_ALONE = ("checks", "cards", "search", *(name for name in STAGES if name.startswith("message")))


def measure_stages(folder: Path, sizes: Sizes) -> Tables:
    """Seconds and shares of each stage of a full build in one process."""
    write_archive(folder, sizes.issues)
    command = [sys.executable, "-m", "tests.benchmarks.stages", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    stages: dict[str, float] = json.loads(done.stdout)
    total = sum(stages.values())
    ordered = sorted(stages.items(), key=lambda stage: -stage[1])
    rows: dict[str, Row] = {
        name: {"share": [round(100 * value / total, 1)], "profiled": [value]}
        for name, value in ordered
    }
    alone = sum(row["share"][0] for name, row in rows.items() if name in OURS_ALONE)
    whose: dict[str, Row] = {
        "us alone": {"share": [round(alone, 1)]},
        "Pelican and Hugo too": {"share": [round(100 - alone, 1)]},
    }
    return {"stages": rows, "whose": whose}


def profile(folder: Path) -> dict[str, float]:
    """Seconds of each stage of a full build in one process."""
    os.cpu_count = lambda: 1  # the build then starts no other process
    profiler = cProfile.Profile()
    begin = time.perf_counter()
    profiler.runcall(_build, folder)
    total = time.perf_counter() - begin
    found = _Times(pstats.Stats(profiler))
    stages = {
        name: sum(map(found.of, plus)) - sum(map(found.of, minus))
        for name, (plus, minus) in STAGES.items()
    }
    stages["the rest, imports too"] = total - sum(stages.values())
    return {name: round(value, 2) for name, value in stages.items()}


def _build(folder: Path) -> None:
    from publisher.settings import load_settings
    from publisher.site.build import build
    from publisher.site.job import Job

    settings = load_settings(folder / "publisher.toml")
    now = datetime.now(UTC)
    report = build(Job(folder=folder, settings=settings, output=folder / "public", now=now))
    assert not report.is_refused


class _Times:
    """Cumulative seconds by `file.py:function`, of publisher's own files."""

    def __init__(self, stats: pstats.Stats) -> None:
        table: dict[Any, Any] = stats.stats  # type: ignore[attr-defined]
        self.seconds: dict[str, float] = {}
        for function, (_, _, _, cumulative, callers) in table.items():
            if (name := _name(function)) is None:
                continue
            self.seconds[name] = self.seconds.get(name, 0) + cumulative
            for caller, numbers in callers.items():
                pair = f"{_name(caller)}>{name}"
                self.seconds[pair] = self.seconds.get(pair, 0) + numbers[3]

    def of(self, name: str) -> float:
        if name not in self.seconds:
            raise SystemExit(f"no {name} was called: tests/benchmarks/stages.py is out of date")
        return self.seconds[name]


def _name(function: tuple[str, int, str]) -> str | None:
    path = Path(function[0])
    return f"{path.name}:{function[2]}" if "publisher" in path.parts else None


if __name__ == "__main__":
    print(json.dumps(profile(Path(sys.argv[1]))))
