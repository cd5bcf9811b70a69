"""Tags: one slug for each meaning, pages of fifty, sitemaps split by year."""

import re

import pytest
from lxml import etree, html

from publisher.site import order
from tests.site.reading import BASE
from tests.site.world import World


def tag_slugs(world: World) -> dict[str, str]:
    """The slugs of the tags' pages, by the label in their heading."""
    return {
        re.findall("“(.*)”", html.fromstring(data).findtext(".//h1"))[0]: path.split("/")[1]
        for path, data in world.files().items()
        if re.fullmatch(r"tags/[^/]+/index\.html", path)
    }


def test_labels_that_differ_have_pages_that_differ(world: World) -> None:
    labels = ["C", "C++", "C#", "F#", "电影", "电视", "🎬", "🎭", "Ελλάδα", "Ελλάς", "!?", "…", "×"]
    world.issue("2026-01-05", tags="[" + ", ".join(f'"{label}"' for label in labels) + "]")
    world.build()
    slugs = tag_slugs(world)
    assert sorted(slugs) == sorted(labels)
    assert len(set(slugs.values())) == len(labels)
    assert slugs["C"] == "c"
    for slug in slugs.values():
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", slug)


@pytest.mark.parametrize(
    "labels",
    [
        ("Film", "film", "FILM", "  film "),
        ("Café", "cafe", "CAFÉ", "Cafe\u0301"),
        ("New York", "new-york", "New  York", "new_york"),
        ("Straße", "STRASSE"),
        ("Rock & Roll", "rock-roll", "Rock/Roll"),
        ("电影", "电影"),
    ],
)
def test_labels_of_one_meaning_share_a_page(world: World, labels: tuple[str, ...]) -> None:
    for number, label in enumerate(labels):
        body = f'## A {{#a{number} tags="{label}"}}\n\nText.\n'
        world.issue(f"2026-01-{number + 10}", body)
    world.build()
    assert list(tag_slugs(world)) == [re.sub(" +", " ", labels[0]).strip()]
    [slug] = tag_slugs(world).values()
    page = world.read(f"tags/{slug}/index.html")
    assert all(f"{BASE}highlights/a{number}/" in page for number in range(len(labels)))


def test_an_issues_tags_hold_for_all_its_highlights(world: World) -> None:
    body = "## A {#a .film}\n\nText.\n\n## B {#b .stage}\n\nText.\n"
    world.issue("2026-01-05", body, tags="[Film, News]")
    world.build()
    for slug, ids in (("film", "ab"), ("news", "ab"), ("stage", "b")):
        page = world.read(f"tags/{slug}/index.html")
        assert "".join(re.findall(r"/highlights/(\w)/\"", page)) == ids
    # The oldest highlight's label is the tag's.
    assert set(tag_slugs(world)) == {"film", "News", "stage"}


def highlights_on(world: World, path: str) -> list[str]:
    found = re.findall(rf'href="{BASE}highlights/([^/]+)/"', world.read(path))
    return list(dict.fromkeys(found))


def test_pages_of_a_tag_are_numbered_from_the_oldest(world: World) -> None:
    """A full page stays as it is, whatever comes."""
    expected: list[str] = []
    pages: dict[str, bytes] = {}
    for number in range(1, 25):
        parts = [f"## T {{#h{number}-{k} .film}}\n\nText.\n\n" for k in range(9)]
        world.issue(f"2026-01-{number:02d}", "".join(parts), mail=False)
        expected = [f"h{number}-{k}" for k in range(9)] + expected
        if number not in (5, 11, 12, 16, 17, 24):
            continue
        world.build()
        count = number * 9
        files = world.files()
        full = {p: d for p, d in files.items() if re.fullmatch(r"tags/film/\d+/index\.html", p)}
        assert len(full) == max(0, count // order.TAG_PAGE - 1)
        shown = highlights_on(world, "tags/film/index.html")
        for page in range(len(full), 0, -1):
            assert len(highlights_on(world, f"tags/film/{page}/index.html")) == order.TAG_PAGE
            shown += highlights_on(world, f"tags/film/{page}/index.html")
        assert shown == expected
        newest = f"tags/film/{len(pages)}/index.html"  # it now links to a newer one by number
        assert {p for p, d in pages.items() if files[p] != d} <= {newest}
        pages = full
    assert len(pages) == 3


def locations(data: bytes) -> list[str]:
    return [str(e.text).removeprefix(BASE) for e in etree.fromstring(data).iter("{*}loc")]


def test_a_sitemap_is_split_by_year_where_it_is_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order, "_SITEMAP_URLS", 7)
    for name in ("2024-05-01", "2025-05-01", "2026-01-01"):
        world.issue(name)
    world.build()
    pages = {
        *("", "feeds/", "archive/", "archive/2024/", "archive/2025/", "archive/2026/"),
        *(f"issues/{name}/" for name in ("2024-05-01", "2025-05-01", "2026-01-01")),
        *(f"highlights/h{name}/" for name in ("2024-05-01", "2025-05-01", "2026-01-01")),
    }
    assert set(locations(world.files()["sitemap.xml"])) == pages
    world.issue("2026-01-02")
    world.build()
    files = world.files()
    parts = locations(files["sitemap.xml"])
    assert parts == [f"sitemap-{part}.xml" for part in ("site", 2026, 2025, 2024)]
    found = {location for part in parts for location in locations(files[part])}
    assert found == pages | {"issues/2026-01-02/", "highlights/h2026-01-02/"}
    # And back again.
    world.issue("2026-01-02", status="draft")
    (world.folder / "issues/register.jsonl").unlink()
    world.build()
    assert set(locations(world.files()["sitemap.xml"])) == pages
    assert not [path for path in world.files() if path.startswith("sitemap-")]
