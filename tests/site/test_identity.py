"""What an entry is, and when it was updated, whatever becomes of its file, its place, its title."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.site.reading import atom_ids, entries, json_ids, rss_ids, rules
from tests.site.world import SETTINGS, World

DATE = "2026-01-05T07:00:00+01:00"
BODY = "## A {#a}\n\nText of A.\n\n## B {#b}\n\nText of B.\n\n## C {#c}\n\nText of C.\n"
FIRST = datetime(2026, 1, 5, 6, tzinfo=UTC)


@pytest.fixture
def published(world: World) -> World:
    world.issue("2026-01-05", BODY, date=DATE)
    world.issue("2026-01-06")
    world.build()
    world.now += timedelta(days=1)
    return world


def all_ids(world: World) -> dict[str, list[str]]:
    """The ids of every feed document, by path."""
    read = {".atom": atom_ids, ".rss": rss_ids, ".json": json_ids}
    return {
        path: read[suffix](data)
        for path, data in world.files().items()
        if (suffix := path[path.rfind(".") :]) in read and not path.startswith("search/")
    }


def test_an_id_is_the_publications_and_the_files(published: World) -> None:
    ids = all_ids(published)
    prefix = "tag:daily.example,2025:test/"
    assert ids["feed.atom"] == ids["feed.rss"] == ids["feed.json"]
    assert ids["feed.atom"] == [prefix + id_ for id_ in ("h2026-01-06", "a", "b", "c")]
    assert ids["issues.atom"] == [prefix + id_ for id_ in ("i2026-01-06", "i2026-01-05")]


def test_first_dates_are_the_issues_and_a_second_for_each_place(published: World) -> None:
    highlights, issues = entries(published), entries(published, "issues.atom")
    for place, id_ in enumerate("abc", 1):
        assert highlights[id_].published == highlights[id_].updated
        assert highlights[id_].updated == FIRST + timedelta(seconds=place)
    assert issues["i2026-01-05"].updated == issues["i2026-01-05"].published == FIRST


def test_first_dates_do_not_depend_on_when_it_is_built(world: World) -> None:
    world.now += timedelta(days=400, seconds=7)
    world.issue("2026-01-05", BODY, date=DATE)
    world.build()
    assert entries(world)["b"].updated == FIRST + timedelta(seconds=2)


def test_an_edit_moves_its_entry_and_its_issue_only(published: World) -> None:
    before = entries(published) | entries(published, "issues.atom")
    published.replace("issues/2026-01-05.md", "Text of B.", "More of B.")
    published.build()
    after = entries(published) | entries(published, "issues.atom")
    moved = {id_ for id_ in after if after[id_].updated != before[id_].updated}
    assert moved == {"b", "i2026-01-05"}
    assert all(after[id_].published == before[id_].published for id_ in after)
    assert {after[id_].updated for id_ in moved} == {
        published.now,
        published.now - timedelta(seconds=1),
    }


def test_an_edit_undone_is_an_edit_too(published: World) -> None:
    before = entries(published)["b"].updated
    published.replace("issues/2026-01-05.md", "Text of B.", "More of B.")
    published.build()
    published.replace("issues/2026-01-05.md", "More of B.", "Text of B.")
    published.now += timedelta(hours=1)
    published.build()
    assert entries(published)["b"].updated == published.now
    assert entries(published)["b"].updated > before


def test_a_clock_that_goes_back_never_takes_an_update_back(published: World) -> None:
    published.replace("issues/2026-01-05.md", "Text of B.", "More of B.")
    published.build()
    before = entries(published)["b"].updated
    published.now -= timedelta(days=30)
    published.replace("issues/2026-01-05.md", "More of B.", "Most of B.")
    published.build()
    assert entries(published)["b"].updated == before + timedelta(seconds=1)


def test_many_edits_at_once_are_updated_at_different_seconds(published: World) -> None:
    published.replace("issues/2026-01-05.md", "Text of", "News of")
    published.build()
    after = entries(published) | entries(published, "issues.atom")
    moments = [after[id_].updated for id_ in ("a", "b", "c", "i2026-01-05")]
    assert len(set(moments)) == 4
    assert max(moments) == published.now


def test_reordering_moves_no_highlight(published: World) -> None:
    before, issue = entries(published), entries(published, "issues.atom")["i2026-01-05"]
    parts = published.folder.joinpath("issues/2026-01-05.md").read_text().split("## ")
    published.write("issues/2026-01-05.md", "## ".join((parts[0], *parts[:0:-1])))
    published.build()
    after = entries(published)
    assert list(after) == ["h2026-01-06", "c", "b", "a"]
    assert {id_: entry.updated for id_, entry in after.items()} == {
        id_: entry.updated for id_, entry in before.items()
    }
    assert entries(published, "issues.atom")["i2026-01-05"].updated > issue.updated


def test_what_is_no_content_moves_nothing(published: World) -> None:
    """Blank lines, comments and the order of fields are the editor's own."""
    before = published.files()
    published.replace("issues/2026-01-05.md", "## B", "\n\n## B")
    published.replace("issues/2026-01-05.md", "status: ready", "# seen\nmail: false\nstatus: ready")
    register = published.register()
    published.build()
    assert published.register() == register
    assert {p for p, data in published.files().items() if before.get(p) != data} == set()


def test_renaming_a_file_changes_its_address_alone(published: World) -> None:
    before, ids = entries(published), all_ids(published)
    old = published.folder / "issues/2026-01-05.md"
    old.rename(old.with_name("another-name.md"))
    report = published.build()
    assert not report.is_refused
    assert all_ids(published) == ids
    after = entries(published)
    assert {i: (e.published, e.updated, e.link) for i, e in after.items()} == {
        i: (e.published, e.updated, e.link) for i, e in before.items()
    }
    assert "issues/another-name/index.html" in published.files()
    # What is left at the old address says where it is now.
    left = {path: data for path, data in published.files().items() if "/2026-01-05/" in path}
    assert all(b'<body class="moved-page"' in data for data in left.values())
    assert "issues/2026-01-05/index.html" in left


def test_another_date_moves_its_issue_and_no_identity(published: World) -> None:
    before = entries(published) | entries(published, "issues.atom")
    published.replace("issues/2026-01-05.md", DATE, "2026-01-20T07:00:00+01:00")
    published.build()
    assert list(entries(published)) == ["a", "b", "c", "h2026-01-06"]
    after = entries(published) | entries(published, "issues.atom")
    assert {i: e.published for i, e in after.items()} == {i: e.published for i, e in before.items()}
    assert {i for i in after if after[i].updated != before[i].updated} == {"i2026-01-05"}


def test_another_title_and_another_address_of_the_site_change_no_id(published: World) -> None:
    ids = all_ids(published)
    register = published.register()
    text = SETTINGS.replace("https://daily.example", "http://elsewhere.example/news/")
    published.write("publisher.toml", text.replace("The Test Daily", "Quite Another"))
    published.build()
    assert all_ids(published) == ids
    assert published.register() == register
    for path, data in published.files().items():
        assert b"https://daily.example" not in data, path


def test_another_form_of_the_same_issue_is_the_same_issue(published: World) -> None:
    ids, register = all_ids(published), published.register()
    (published.folder / "issues/2026-01-05.md").unlink()
    highlights = ", ".join(
        f'{{"id": "{x}", "title": "{x.upper()}", "body": "Text of {x.upper()}."}}' for x in "abc"
    )
    published.write(
        "issues/2026-01-05.json",
        f'{{"id": "i2026-01-05", "title": "Issue 2026-01-05", "date": "{DATE}",'
        f' "status": "ready", "highlights": [{highlights}]}}',
    )
    published.build()
    assert all_ids(published) == ids
    assert published.register() == register


@pytest.mark.parametrize("later", ["", ' guid="urn:other"'])
def test_an_adopted_guid_stays(world: World, later: str) -> None:
    adopted = '## A {#a guid="urn:old:1"}\n\nText.\n'
    world.issue("2026-01-05", adopted, guid="urn:old:issue")
    world.build()
    ids = all_ids(world)
    assert ids["feed.atom"] == ["urn:old:1"]
    assert ids["issues.json"] == ["urn:old:issue"]
    world.issue("2026-01-05", f"## A {{#a{later}}}\n\nText.\n")
    world.now += timedelta(days=1)
    world.build()
    assert all_ids(world) == ids


def test_a_guid_that_comes_later_is_not_adopted(published: World) -> None:
    ids = all_ids(published)
    published.replace("issues/2026-01-05.md", "{#a}", '{#a guid="urn:late"}')
    published.build()
    assert all_ids(published) == ids


def test_a_highlight_may_move_to_another_issue(published: World, tmp_path: Path) -> None:
    before = entries(published)["b"]
    published.replace("issues/2026-01-05.md", "## B {#b}\n\nText of B.\n\n", "")
    text = (published.folder / "issues/2026-01-06.md").read_text()
    published.write("issues/2026-01-06.md", f"{text}\n## B {{#b}}\n\nText of B.\n")
    assert not published.build().is_refused
    after = entries(published)["b"]
    assert (after.id, after.published, after.updated) == (
        before.id,
        before.published,
        before.updated,
    )
    clone = published.committed_copy(tmp_path / "clone")
    clone.build()
    assert clone.register() == published.register()


def refused(world: World) -> list[tuple[str | None, int | None, str]]:
    """Where ids are said to be repeated; nothing is changed then."""
    before, register = world.files(), world.register()
    report = world.build()
    assert report.is_refused
    assert rules(report) == {"id-repeated"}
    assert world.files() == before
    assert world.register() == register
    return [(p.file, p.line, p.message) for p in report.problems]


def test_a_copied_file_is_refused_naming_both_places(published: World) -> None:
    text = (published.folder / "issues/2026-01-05.md").read_text()
    published.write("issues/2026-01-09.md", text)
    found = refused(published)
    assert [(file, line) for file, line, _ in found] == [
        ("issues/2026-01-09.md", line) for line in (1, 8, 12, 16)
    ]
    assert "'a'" in found[1][2]
    assert "issues/2026-01-05.md, line 8" in found[1][2]
    published.replace("issues/2026-01-09.md", "status: ready", "status: draft")
    assert len(refused(published)) == 4


@pytest.mark.parametrize(
    ("body", "other"),
    [
        ("## X {#x}\n\nText.\n\n## Y {#x}\n\nText.\n", "issues/2026-01-09.md, line 7"),
        ("## X {#i2026-01-09}\n\nText.\n", "issues/2026-01-09.md, line 1"),
        ("## X {#i2026-01-05}\n\nText.\n", "issues/2026-01-05.md, line 1"),
        ("## X {#h2026-01-06}\n\nText.\n", "issues/2026-01-06.md, line 7"),
    ],
)
def test_equal_ids_anywhere_are_refused(published: World, body: str, other: str) -> None:
    published.issue("2026-01-09", body)
    [(file, _, message)] = refused(published)
    assert file == "issues/2026-01-09.md"
    assert other in message


@pytest.mark.parametrize("guid", ["urn:one", "tag:daily.example,2025:test/a"])
def test_equal_guids_are_refused(world: World, guid: str) -> None:
    """A guid may also be what the id of another highlight makes."""
    world.issue("2026-01-05", '## A {#a}\n\nText.\n\n## B {#b guid="urn:one"}\n\nText.\n')
    world.issue("2026-01-06", f'## C {{#c guid="{guid}"}}\n\nText.\n')
    [(file, _, message)] = refused(world)
    assert file == "issues/2026-01-06.md"
    assert "issues/2026-01-05.md" in message


def test_a_guid_that_says_what_the_id_makes_anyway_is_fine(world: World) -> None:
    world.issue("2026-01-05", '## A {#a guid="tag:daily.example,2025:test/a"}\n\nText.\n')
    assert not world.build().is_refused
    assert all_ids(world)["feed.atom"] == ["tag:daily.example,2025:test/a"]


def test_a_guid_belongs_to_the_highlight_that_was_published_with_it(world: World) -> None:
    world.issue("2026-01-05", '## A {#a guid="urn:one"}\n\nText.\n')
    world.build()
    world.issue("2026-01-05", '## A {#a}\n\nText.\n\n## B {#b guid="urn:one"}\n\nText.\n')
    [(file, line, message)] = refused(world)
    assert (file, line) == ("issues/2026-01-05.md", 11)
    assert "line 7" in message


def test_ids_do_not_repeat_by_moving_within_one_build(published: World) -> None:
    """What one file gives up and another takes is no repetition, in whichever order they come."""
    published.replace("issues/2026-01-05.md", "{#a}", "{#swap}")
    published.replace("issues/2026-01-06.md", "{#h2026-01-06}", "{#a}")
    published.replace("issues/2026-01-05.md", "{#swap}", "{#h2026-01-06}")
    assert not published.build().is_refused
    assert set(entries(published)) == {"a", "b", "c", "h2026-01-06"}
