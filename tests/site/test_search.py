"""What is public can be found, on the server and without it, and nothing else can."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from publisher.render.query import parse_query
from publisher.site.job import search_path
from publisher.site.search_index import SearchError, find
from publisher.site.withdraw import withdraw
from tests.site.searching import everything, found, indexed, search
from tests.site.world import SETTINGS, World

LANGUAGES = """\
## A ferry across the strait {#ferry .film source="Harbour Post"}

The *Morning Star* has a screen on deck; see [the programme](https://harbour.example).

| Day | Film |
|---|---|
| Friday | The Salt Road |

## 短剧《渡口》在海口开机 {#dukou source="影视周刊" language="zh"}

该剧讲述一家三代摆渡人与一条河的故事。

## المُدَرِّسَة والاقتصاد {#madrasa source="بريد الميناء" language="ar"}

تقوم العبّارة برحلتها المسائية.
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "news")


def publish_languages(folder: Path) -> World:
    world = World(folder)
    world.issue("2026-01-05", LANGUAGES, tags="[sea]")
    world.issue("2025-12-30", summary="A year of rain.")
    world.build()
    return world


@pytest.fixture
def languages(tmp_path: Path) -> World:
    return publish_languages(tmp_path / "languages")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same, which nobody changes."""
    return publish_languages(tmp_path_factory.mktemp("shown"))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("ferry", ["ferry"]),
        ("MORNING programme", ["ferry"]),
        ("harb", ["ferry"]),
        ("salt road friday", ["ferry"]),
        ('"road salt"', []),
        ("film", ["ferry"]),
        ("渡口", ["dukou"]),
        ("海口 故事", ["dukou"]),
        ("口海", []),
        ("影视", ["dukou"]),
        ("مدرسة", ["madrasa"]),
        ("اقتصاد", ["madrasa"]),
        ("العباره", ["madrasa"]),
        ("rain", ["2025-12-30/"]),
        ("ferry -programme", []),
        ("elsewhere", []),
    ],
)
def test_words_of_any_script_find_what_has_them(shown: World, text: str, ids: list[str]) -> None:
    assert found(shown, text) == ids


def test_an_issues_tags_hold_for_all_that_stands_in_it(shown: World) -> None:
    assert sorted(found(shown, "sea")) == ["2026-01-05/", "dukou", "ferry", "madrasa"]


def test_a_title_goes_before_a_tag_and_that_before_the_text(world: World) -> None:
    body = (
        "## Rain {#text}\n\nThe lantern. It was lit.\n\n## Snow {#tag .lantern}\n\nIt was cold.\n\n"
        "## Lantern {#title}\n\nIt was dark in there.\n"
    )
    world.issue("2026-01-05", body)
    world.build()
    assert found(world, "lantern") == ["title", "tag", "text"]


def test_the_newest_goes_first_among_equals(world: World) -> None:
    for name in ("2026-01-05", "2025-01-05", "2026-02-05", "2024-01-05"):
        world.issue(name, f"## Lantern {{#h{name}}}\n\nThe same.\n", title="An issue")
    world.build()
    assert found(world, "lantern") == ["h2026-02-05", "h2026-01-05", "h2025-01-05", "h2024-01-05"]


def test_what_is_found_is_turned_page_by_page(world: World) -> None:
    body = "".join(f"## Lantern {n} {{#h{n}}}\n\nText.\n\n" for n in range(23))
    world.issue("2026-01-05", body, title="An issue")
    world.build()
    pages = [search(world, "lantern", page) for page in (1, 2, 3)]
    assert [len(page.hits) for page in pages] == [10, 10, 3]
    assert len({hit.row.id for page in pages for hit in page.hits}) == 23
    assert {(page.total, page.pages) for page in pages} == {(23, 3)}
    assert search(world, "lantern", 9).page == 3


def test_drafts_and_what_is_still_to_come_are_nowhere(world: World) -> None:
    world.issue("2026-01-05", "## Lantern {#out}\n\nText.\n")
    world.issue("2026-01-06", "## Lantern {#draft}\n\nText.\n", status="draft")
    world.issue("2026-12-06", "## Lantern {#future}\n\nText.\n")
    world.build()
    assert found(world, "lantern") == ["out"]
    assert indexed(world) == {2026: ["2026-01-05/", "out"]}
    world.now = world.now.replace(month=12, day=7)
    world.build()
    assert found(world, "lantern") == ["future", "out"]


def test_what_was_withdrawn_is_found_no_more(languages: World) -> None:
    for id_ in ("ferry", "i2025-12-30"):
        withdraw(languages.folder, languages.settings, id_, "", languages.now)
    languages.build()
    assert found(languages, "ferry") == found(languages, "rain") == []
    assert indexed(languages) == {2026: ["2026-01-05/", "dukou", "madrasa"]}
    assert not (languages.public / "search/2025.json").exists()


def test_a_corrected_or_renamed_issue_is_found_as_it_is_now(languages: World) -> None:
    languages.replace("issues/2026-01-05.md", "Morning Star", "Evening Star")
    languages.build()
    assert found(languages, "morning") == []
    assert found(languages, "evening") == ["ferry"]
    (languages.folder / "issues/2026-01-05.md").rename(languages.folder / "issues/2026-01-04.md")
    languages.build()
    [hit] = search(languages, "evening").hits
    assert (hit.slug, hit.row.id) == ("2026-01-04", "ferry")


def test_one_issue_more_writes_its_own_year_only(languages: World) -> None:
    before = languages.files()
    languages.issue("2026-02-05")
    languages.build()
    after = languages.files()
    changed = {path for path in after if before.get(path) != after[path]}
    assert {path for path in changed if path.startswith("search/")} == {"search/2026.json"}


def lose(path: Path) -> None:
    path.unlink()


def damage(path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to be looked at")


def damage_inside(path: Path) -> None:
    """Take the pages away in which the terms are."""
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\0" * (path.stat().st_size - 4096))


def make_older(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()


def go_back(path: Path) -> None:
    """What a backup of this file alone would bring back."""
    with sqlite3.connect(path) as db:
        db.execute("UPDATE stamp SET value = '0'")
        db.execute("DELETE FROM entry")
    db.close()


@pytest.mark.parametrize("harm", [lose, damage, make_older, go_back])
def test_the_next_build_mends_what_the_server_searches(
    languages: World, harm: Callable[[Path], None]
) -> None:
    before = everything(languages)
    harm(search_path(languages.folder, languages.public))
    report = languages.build()
    assert report.written == 0
    assert everything(languages) == before


def test_damage_further_inside_is_mended_when_it_is_met(languages: World) -> None:
    path = search_path(languages.folder, languages.public)
    damage_inside(path)
    with pytest.raises(SearchError):
        find(path, parse_query("ferry"), 1, 10)
    languages.issue("2026-02-05")
    languages.build()
    assert found(languages, "ferry") == ["ferry"]


def test_a_preview_makes_only_what_needs_no_server(languages: World, tmp_path: Path) -> None:
    before = everything(languages)
    languages.issue("2026-01-06", "## Lantern {#draft}\n\nText.\n", status="draft")
    languages.preview(tmp_path / "preview")
    assert "draft" in (tmp_path / "preview/search/2026.json").read_text()
    assert everything(languages) == before
    assert not search_path(languages.folder, tmp_path / "preview").exists()


def test_another_output_folder_has_an_index_of_its_own(languages: World, tmp_path: Path) -> None:
    output = tmp_path / "elsewhere"
    languages.build(output)
    path = search_path(languages.folder, output)
    assert path != search_path(languages.folder, languages.public)
    assert find(path, parse_query("ferry"), 1, 10).total == 1


def test_the_static_index_says_what_its_reader_needs(shown: World) -> None:
    year = json.loads(shown.read("search/2026.json"))
    [issue] = year["issues"]
    assert (issue["name"], issue["day"]) == ("2026-01-05", "2026-01-05")
    assert (issue["language"], issue["direction"]) == ("en", "ltr")
    own, ferry, dukou, madrasa = issue["rows"]
    assert own[:2] == ["", "Issue 2026-01-05"]
    assert ferry[:4] == ["ferry", "A ferry across the strait", "Harbour Post", "film, sea"]
    assert ferry[4].startswith("The Morning Star has a screen on deck; see the programme.")
    assert (dukou[5:], madrasa[5:]) == (["zh", "ltr"], ["ar", "rtl"])


@pytest.mark.parametrize("words", ["word " * 200, "字" * 500, "كلمة " * 200, "😀" * 200])
def test_a_long_text_is_cut_between_characters(world: World, words: str) -> None:
    world.issue("2026-01-05", f"## A title {{#long}}\n\n{words}\n", title="An issue")
    world.build()
    text = json.loads(world.read("search/2026.json"))["issues"][0]["rows"][1][4]
    assert len(text.encode()) <= 243
    assert text.endswith("…")
    assert words.strip().startswith(text.removesuffix("…"))


def test_a_publication_without_issues_has_a_page_and_no_years(world: World) -> None:
    world.build()
    assert indexed(world) == {}
    assert "<form" in world.read("search/index.html")


def test_browsers_are_told_how_to_search(tmp_path: Path) -> None:
    from lxml import etree

    settings = SETTINGS.replace('title = "The Test', 'title = "Bread & <Roses>')
    world = World(tmp_path / "news", settings)
    world.issue("2026-01-05")
    world.build()
    document = etree.fromstring(world.read("opensearch.xml").encode())
    space = {"o": "http://a9.com/-/spec/opensearch/1.1/"}
    name = document.findtext("o:ShortName", namespaces=space)
    assert name is not None
    assert len(name) <= 16
    [html] = [url for url in document.findall("o:Url", space) if url.get("type") == "text/html"]
    assert html.get("template") == "https://daily.example/search/?q={searchTerms}"
    assert 'href="https://daily.example/opensearch.xml"' in world.read("index.html")


def test_only_the_search_page_has_a_script(shown: World) -> None:
    pages = {p: data for p, data in shown.files().items() if p.endswith(".html")}
    scripts = [path for path, data in pages.items() if b"<script src" in data]
    assert scripts == ["search/index.html"]
    [script] = [path for path in shown.files() if path.endswith(".js")]
    assert f'src="../{script}"' in shown.read("search/index.html")
