"""Exports with any damage: nothing breaks, no entry goes uncounted, no issue is unreadable."""

import copy
import json
import random
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from publisher.intake.moving.issue import Maker, make_name
from publisher.intake.moving.post import DamagedError
from publisher.intake.moving.systems import find_system
from publisher.intake.read import read_issue
from publisher.intake.write import write_markdown_issue
from publisher.model.problem import has_errors
from publisher.site.exports import as_export
from publisher.site.moving_in import old_paths
from tests.intake.moving.samples import (
    HUGO,
    JEKYLL,
    beehiiv,
    buttondown,
    ghost,
    listmonk,
    mailchimp,
    substack,
    wordpress,
    zipped,
)

NOW = datetime(2025, 12, 15, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
_ODD: tuple[Any, ...] = (
    *(None, 5, -1, 1e300, True, [], {}, [1, "x"], {"a": 1}, "x" * 80, "", "\0\x08", "2024-13-45"),
    *("é中", [None], [[1]], "https://[x"),
)


def import_all(data: bytes) -> int:
    """Import what can be imported, without a disk; give how many posts that was."""
    with suppress(DamagedError):
        export = as_export(data, "export")
        found = find_system(export)
        if found is None:
            return 0
        system, read = found
        exported = read()
        assert exported.entries == len(exported.posts) + sum(
            each.count for each in exported.left_out
        )
        ids = iter(range(1_000_000))
        maker = Maker(
            habits=system.habits,
            zone=ZONE,
            now=NOW,
            paths=frozenset(export.paths),
            mint=lambda: f"i{next(ids)}",
        )
        for post in exported.posts:
            moved = maker.make(post, make_name(post), None)
            text = write_markdown_issue(moved.issue).encode()
            issue, problems = read_issue(text, f"issues/{moved.name}.md", ZONE)
            assert issue is not None, problems
            assert not has_errors(problems), problems
            assert len(issue.highlights) == len(moved.issue.highlights)
            assert all(old.startswith("/") for old in old_paths(post))
        return len(exported.posts)
    return 0


def _mutate(document: Any, rng: random.Random) -> bytes:
    document = copy.deepcopy(document)
    for _ in range(rng.randint(1, 4)):
        node = document
        while isinstance(node, dict | list) and node:
            key = rng.choice(list(node) if isinstance(node, dict) else range(len(node)))
            if rng.random() < 0.25 or not isinstance(node[key], dict | list):
                node[key] = copy.deepcopy(rng.choice(_ODD))
                break
            node = node[key]
    return json.dumps(document).encode()


def _damage(data: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.3:
        return data[: rng.randrange(len(data))]
    if rng.random() < 0.4:
        at, other = rng.randrange(len(data)), rng.randrange(len(data))
        return data[:at] + data[other : other + 200] + data[at:]
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


def _run(seed: int, times: int) -> int:
    rng = random.Random(seed)
    documents = (ghost(), listmonk())
    files = (
        *(substack(), beehiiv(), buttondown(), mailchimp(), wordpress().encode()),
        *(zipped(HUGO), zipped(JEKYLL)),
    )
    total = 0
    for _ in range(times):
        if rng.random() < 0.3:
            total += import_all(_mutate(rng.choice(documents), rng))
        else:
            total += import_all(_damage(rng.choice(files), rng))
    return total


def test_damage() -> None:
    assert _run(1, 60) > 40


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
def test_much_damage(seed: int) -> None:
    assert _run(seed, 1_000) > 500
