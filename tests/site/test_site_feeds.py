"""The feeds of real sites: what the live ones hold, and that the archive leads to all the rest."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from publisher.preflight.feed import MAX_BYTES
from publisher.site.withdraw import withdraw
from tests.site.reading import atom_ids, follow_archive, json_ids, link_of, rss_ids
from tests.site.world import SETTINGS, World

PREFIX = "tag:daily.example,2025:test/"
STEMS = ("feed", "issues", "tags/film/feed")


def fill(world: World, first: str, days: list[int], words: int = 1) -> None:
    """Issues of two highlights, the first of them about film."""
    for day in days:
        name = (date.fromisoformat(first) + timedelta(days=day)).isoformat()
        text = "word " * words
        body = f"## A {{#a-{name} .film}}\n\n{text}\n\n## B {{#b-{name}}}\n\n{text}\n"
        world.issue(name, body)


def names(world: World, stem: str = "issues") -> list[str]:
    """The NAMEs of the issues whose entries a live feed holds, each once."""
    ids = atom_ids(world.files()[f"{stem}.atom"])
    return list(dict.fromkeys(re.sub(r"^.*/(i|a-|b-)", "", id_) for id_ in ids))


def settings(**feeds: object) -> str:
    return (
        SETTINGS + "\n[feeds]\n" + "".join(f"{key} = {value!r}\n" for key, value in feeds.items())
    )


def formats_agree(world: World) -> None:
    files = world.files()
    for stem in STEMS:
        ids = atom_ids(files[f"{stem}.atom"])
        assert ids == rss_ids(files[f"{stem}.rss"]) == json_ids(files[f"{stem}.json"])
        assert len(ids) == len(set(ids))
        assert max(len(files[f"{stem}.{s}"]) for s in ("atom", "rss", "json")) <= MAX_BYTES


@pytest.mark.parametrize(
    ("days", "window", "least", "expected"),
    [
        (range(6), "3d", 1, 4),
        (range(12), "3d", 9, 9),
        (range(17), "14d", 5, 15),
        (range(3), "14d", 5, 3),
        ((0, 30, 60, 90, 120, 150), "14d", 5, 5),
        ((0, 1, 2, 59, 60), "1s", 1, 1),
    ],
)
def test_a_live_feed_holds_the_window_and_at_least_so_many(
    tmp_path: Path, days: range, window: str, least: int, expected: int
) -> None:
    world = World(tmp_path / "news", settings(window=window, min_issues=least))
    fill(world, "2025-06-01", list(days))
    world.build()
    newest = sorted((path.stem for path in (world.folder / "issues").glob("*.md")), reverse=True)
    for stem in STEMS:
        assert names(world, stem) == newest[:expected]
    formats_agree(world)


def test_entries_are_newest_issue_first_and_in_its_order(world: World) -> None:
    fill(world, "2026-01-01", [0, 1])
    world.build()
    assert [id_.removeprefix(PREFIX) for id_ in atom_ids(world.files()["feed.atom"])] == [
        *("a-2026-01-02", "b-2026-01-02", "a-2026-01-01", "b-2026-01-01"),
    ]


def test_whole_oldest_issues_are_dropped_above_the_limit_and_no_more(world: World) -> None:
    fill(world, "2026-01-01", list(range(12)), words=3_000)
    world.build()
    formats_agree(world)
    kept = names(world, "feed")
    assert kept == sorted(kept, reverse=True)
    assert kept[0] == "2026-01-12"
    ids = atom_ids(world.files()["feed.atom"])
    assert len(ids) == 2 * len(kept), "half an issue"
    # One more would not have fitted.
    largest = max(len(world.files()[f"feed.{s}"]) for s in ("atom", "rss", "json"))
    assert largest + largest // len(kept) > MAX_BYTES


def test_small_old_issues_stay_beside_a_large_new_one(world: World) -> None:
    """No issue is dropped because another one is large."""
    world.write("publisher.toml", settings(window="400d"))
    fill(world, "2025-08-01", list(range(70)), words=250)
    fill(world, "2026-01-10", [0], words=20_000)
    world.build()
    formats_agree(world)
    kept = names(world, "feed")
    assert kept[0] == "2026-01-10"
    largest = max(len(world.files()[f"feed.{s}"]) for s in ("atom", "rss", "json"))
    assert MAX_BYTES - 5_000 < largest <= MAX_BYTES


def test_the_newest_issue_stays_however_large(world: World) -> None:
    fill(world, "2026-01-01", [0, 1])
    fill(world, "2026-01-03", [0], words=40_000)
    report = world.build()
    assert names(world, "feed") == ["2026-01-03"]
    assert not report.is_refused
    assert "feed-too-large" in {p.rule for p in report.problems}


def assert_complete(world: World) -> None:
    """Each feed leads to each of its entries, from its live document back through its archive."""
    files = world.files()
    issues = (world.folder / "issues").glob("*.md")
    texts = {path.stem: path.read_text() for path in issues}
    expected = {
        "issues": {f"i{name}" for name in texts},
        "feed": {id_ for text in texts.values() for id_ in re.findall(r"\{#(\S+?)[ }]", text)},
        "tags/film/feed": {
            id_ for text in texts.values() for id_ in re.findall(r"\{#(\S+) \.film\}", text)
        },
    }
    for stem, ids in expected.items():
        documents = follow_archive(files, f"{stem}.atom")
        found = {id_.removeprefix(PREFIX) for path in documents for id_ in atom_ids(files[path])}
        assert found == ids, stem
        for older in documents[1:]:
            assert link_of(files[older], "current") == f"{stem}.atom"
            assert link_of(files[older], "self") == older
            assert b"archive" in files[older]
        archived = [id_ for path in documents[1:] for id_ in atom_ids(files[path])]
        assert len(archived) == len(set(archived)), "an entry in two documents of the archive"


@pytest.mark.parametrize(
    ("days", "feeds"),
    [
        (range(0, 70, 3), {}),
        (range(0, 70, 5), {"window": "1d", "min_issues": 1}),
        ((0, 1, 2, 3, 200, 201), {"window": "2d", "min_issues": 1}),
        ((0,), {}),
        (range(28), {"window": "5d", "min_issues": 2}),
        (range(0, 300, 29), {"min_issues": 3}),
    ],
)
def test_the_archive_leads_to_every_entry(
    tmp_path: Path, days: range, feeds: dict[str, object]
) -> None:
    world = World(tmp_path / "news", settings(**feeds))
    fill(world, "2025-05-01", list(days))
    world.build()
    assert_complete(world)


def test_the_archive_leads_to_what_the_limit_dropped(world: World) -> None:
    fill(world, "2026-01-20", list(range(8)), words=8_000)
    world.build()
    assert len(names(world, "feed")) < 8
    assert_complete(world)


def test_the_archive_is_complete_after_every_new_issue(world: World) -> None:
    world.write("publisher.toml", settings(window="6d", min_issues=2))
    past: dict[str, bytes] = {}
    for day in range(0, 75, 4):
        fill(world, "2025-12-01", [day])
        world.build()
        assert_complete(world)
        files = world.files()
        newest = (date(2025, 12, 1) + timedelta(days=day)).isoformat()[:7]
        # Documents of past months are what they were; those of the newest one grow.
        for path, data in past.items():
            assert files[path] == data, path
        past = {p: d for p, d in files.items() if re.match(r"archive/\d{4}-\d\d/", p)}
        past = {path: data for path, data in past.items() if path.split("/")[1] < newest}
    assert len(past) == 6


def test_an_edit_rewrites_its_own_document_alone(world: World) -> None:
    fill(world, "2025-10-01", list(range(0, 120, 7)))
    world.build()
    before = world.files()
    world.replace("issues/2025-11-05.md", "## B", "## Better")
    world.build()
    changed = {path for path, data in world.files().items() if before.get(path) != data}
    assert {path for path in changed if path.startswith("archive/") and "-" in path} == {
        "archive/2025-11/feed.atom",
        "archive/2025-11/issues.atom",
    }


def test_a_month_that_loses_all_its_highlights_breaks_no_chain(world: World) -> None:
    for name in ("2025-10-01", "2025-11-01", "2025-12-01", "2026-01-01"):
        fill(world, name, [0])
    world.build()
    for id_ in ("a-2025-11-01", "b-2025-11-01"):
        withdraw(world.folder, world.settings, id_, "", world.now)
    world.build()
    files = world.files()
    documents = follow_archive(files, "feed.atom")
    assert documents[-1] == "archive/2025-10/feed.atom"
    assert atom_ids(files["archive/2025-10/feed.atom"]) == [
        f"{PREFIX}a-2025-10-01",
        f"{PREFIX}b-2025-10-01",
    ]


def test_a_tag_that_is_used_no_more_has_no_archive(world: World) -> None:
    fill(world, "2025-10-01", [0, 40, 80])
    world.build()
    for path in list((world.folder / "issues").glob("*.md")):
        world.replace(f"issues/{path.name}", " .film", "")
    world.build()
    assert not [path for path in world.files() if "film" in path]


def test_an_empty_publication_has_its_feeds(world: World) -> None:
    world.build()
    for stem in ("feed", "issues"):
        files = world.files()
        assert atom_ids(files[f"{stem}.atom"]) == []
        assert rss_ids(files[f"{stem}.rss"]) == []
        assert json_ids(files[f"{stem}.json"]) == []
        assert b"2025-01-01T" in files[f"{stem}.atom"]


@pytest.mark.parametrize("day", ["2025-13", "2025-02-30", "2025-00", "0000", "2025"])
def test_a_publications_id_may_have_an_odd_date(tmp_path: Path, day: str) -> None:
    world = World(tmp_path / "news", SETTINGS.replace("2025:test", f"{day}:test"))
    assert not world.build().is_refused


def test_summaries_alone_are_no_longer_whole_texts(world: World) -> None:
    world.write("publisher.toml", settings(full_content=False).replace("False", "false"))
    fill(world, "2026-01-01", [0], words=900)
    world.build()
    assert len(world.read("feed.atom")) < 5_000
    assert "<content" not in world.read("feed.atom")
    formats_agree(world)
