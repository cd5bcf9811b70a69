"""The history: its lines in any order, torn or in conflict; what it keeps, and when it is read."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from publisher.intake.read import read_issue
from publisher.site import versions
from publisher.site.history import PATH, parse_history, read_history, read_text, write_text
from publisher.site.identity import version_of
from tests.conftest import Golden
from tests.site.reading import rules
from tests.site.world import World

ISSUE = "issues/2026-01-05.md"
BERLIN = ZoneInfo("Europe/Berlin")
EVERYTHING = """\
---
id: all
title: "Tout: 一切"
number: 7
date: 2026-01-05T07:00:00+08:00
status: ready
summary: Short.
language: zh-Hans
authors: [Ana <ana@daily.example>, Bo]
tags: [Film]
---

Intro with `code`, *stress*, **more**, ~~less~~ and [a link](https://a.example/ "T").

## [One](https://b.example/) {#one .film source="B" image="media/a.jpg" alt="A" language="en"}

### Inside

> Quoted

1. first
2. second

| a | b |
|---|--:|
| 1 | 2 |

---

    code

![Alt](media/b.png)
"""


def at(line: bytes) -> datetime:
    return datetime.fromisoformat(json.loads(line)["at"])


def test_all_that_readers_see_is_kept() -> None:
    issue, _ = read_issue(EVERYTHING.encode(), "issues/x.md", BERLIN)
    assert issue
    text = write_text(issue)
    again = read_text(text, issue.slug, issue.path, issue.id)
    assert version_of(again) == version_of(issue)
    assert again.authors == issue.authors
    # A moved line in the file is no other text.
    moved, _ = read_issue(EVERYTHING.replace("\n\n", "\n\n\n").encode(), "issues/x.md", BERLIN)
    assert moved
    assert write_text(moved) == text


def test_the_form_stays(golden: Golden) -> None:
    """What was written years ago must be readable; a change here is a new form beside this one."""
    issue, _ = read_issue(EVERYTHING.encode(), "issues/x.md", BERLIN)
    assert issue
    text = msgspec.json.format(write_text(issue)).decode()
    golden("history/text.json", f"{text}\n")


def test_a_version_for_the_publication_and_for_each_change(world: World) -> None:
    world.issue("2026-01-05", date="2026-01-05T07:00:00Z")
    world.build()
    world.now += timedelta(days=1)
    world.build()
    world.replace(ISSUE, "Text of", "More of")
    world.build()
    header, first, second = world.history().splitlines()
    assert json.loads(header) == {"publication": "tag:daily.example,2025:test"}
    assert at(first) == datetime(2026, 1, 5, 7, tzinfo=UTC)
    assert at(second) == world.now - timedelta(seconds=1)  # as the issue's entry was updated
    said = [json.loads(line)["text"]["highlights"][0]["body"] for line in (first, second)]
    assert "Text of" in str(said[0])
    assert "More of" in str(said[1])


def test_what_was_published_before_there_was_a_history_is_written_down(world: World) -> None:
    world.issue("2026-01-05", date="2026-01-05T07:00:00Z")
    world.issue("2026-01-06", date="2026-01-06T07:00:00Z")
    world.build()
    world.now += timedelta(days=1)
    world.replace(ISSUE, "Text of", "More of")
    world.build()
    changed = world.now
    (world.folder / PATH).unlink()
    world.now += timedelta(days=1)
    register = world.register()
    world.build()
    found = {json.loads(line)["issue"]: at(line) for line in world.history().splitlines()[1:]}
    assert found == {
        "i2026-01-05": changed - timedelta(seconds=1),
        "i2026-01-06": datetime(2026, 1, 6, 7, tzinfo=UTC),
    }
    assert world.register() == register
    assert not (world.public / "issues/2026-01-05/changes").exists()
    world.replace(ISSUE, "More of", "Most of")
    world.build()
    assert "was not kept" in world.read("issues/2026-01-05/changes/index.html")


def test_an_unchanged_build_does_not_read_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.issue("2026-01-05")
    world.build()
    world.issue("2026-01-06")

    def fail(folder: Path) -> None:
        raise AssertionError("it was read")

    with monkeypatch.context() as patch:
        patch.setattr(versions, "read_history", fail)
        assert world.build().written
        assert not world.build().written


def test_lines_in_any_order_and_twice_are_the_same_history(world: World) -> None:
    for day in ("2026-01-05", "2026-01-06"):
        world.issue(day)
    for number in range(3):
        world.build()
        world.now += timedelta(days=1)
        world.replace(ISSUE, "Text", f"Text {number}")
        world.correct("2026-01-05", f"note {number}")
    lines = world.history().splitlines()
    expected, problems = parse_history(b"\n".join(lines))
    assert (len(expected.versions), len(expected.corrections), problems) == (5, 3, ())
    chance = random.Random(5)
    for _ in range(50):
        mixed = chance.sample(lines, len(lines)) + chance.choices(lines, k=3)
        assert parse_history(b"\n".join(mixed)) == (expected, ())


def test_two_branches_merged_either_way_are_the_same_site(world: World, tmp_path: Path) -> None:
    world.issue("2026-01-05", "## A {#a}\n\nText.\n\n## B {#b}\n\nText.\n")
    world.build()
    ours, theirs = (world.committed_copy(tmp_path / name) for name in ("ours", "theirs"))
    for branch, hours, id_ in ((ours, 1, "a"), (theirs, 2, "b")):
        branch.now += timedelta(hours=hours)
        branch.replace(ISSUE, f"## {id_.upper()}", f"## {id_.upper()} mended")
        branch.correct("2026-01-05", f"{id_} was wrong", id_)
    sites = []
    for name, order in (("one", (ours, theirs)), ("other", (theirs, ours))):
        both = ours.committed_copy(tmp_path / name)
        both.replace(ISSUE, "## B", "## B mended")
        for path, old in ((PATH, world.history()), ("issues/register.jsonl", world.register())):
            added = [(each.folder / path).read_bytes().removeprefix(old) for each in order]
            both.write(path, old + b"".join(added))
        both.now += timedelta(hours=5)
        assert not both.build().is_refused
        sites.append(both.files())
    assert sites[0] == sites[1]
    page = sites[0]["issues/2026-01-05/index.html"].decode()
    assert "a was wrong" in page
    assert "b was wrong" in page


def test_what_cannot_be_read_stops_a_build_and_a_torn_line_does_not(world: World) -> None:
    world.issue("2026-01-05")
    world.build()
    whole, files = world.history(), world.files()
    world.write(PATH, whole + b"=======\n")
    report = world.build()
    assert report.is_refused
    assert [(p.file, p.line) for p in report.problems] == [(PATH, 3)]
    assert world.files() == files
    world.write(PATH, whole + b'{"kind":"version","iss')
    world.replace(ISSUE, "Text of", "More of")
    assert rules(world.build()) == {"published-changed"}
    assert world.history().startswith(whole)
    assert len(read_history(world.folder)[0].versions) == 2


def test_a_text_that_came_back_is_not_two_places_on_a_page(world: World) -> None:
    world.issue("2026-01-05")
    world.build()
    for old, new in (("Text of", "More of"), ("More of", "Text of")):
        world.now += timedelta(hours=1)
        world.replace(ISSUE, old, new)
        world.build()
    first, middle, last = (v.version[:12] for v in read_history(world.folder)[0].versions)
    assert first == last
    page = world.read("issues/2026-01-05/changes/index.html")
    assert page.count(f'id="v-{first}"') == page.count(f'id="v-{middle}"') == 1
    issue = world.read("issues/2026-01-05/index.html")
    assert issue.count(f'id="v-{first}"') == issue.count(f'id="v-{middle}"') == 1
