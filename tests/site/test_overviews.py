"""The pages of all years, of all tags and about the feeds, as issues come and go."""

from pathlib import Path

from lxml import html as lxml_html

from publisher.site.withdraw import withdraw
from tests.site.world import World


def links(world: World, path: str) -> list[str]:
    tree = lxml_html.document_fromstring(world.read(path))
    prefix = "https://daily.example/"
    return [str(href).removeprefix(prefix) for href in tree.xpath("//main//a/@href")]


def words(world: World, path: str) -> str:
    tree = lxml_html.document_fromstring(world.read(path))
    return " ".join(tree.xpath("//main")[0].text_content().split())


def test_an_empty_publication_has_an_archive_and_feeds_but_no_tags(world: World) -> None:
    world.build()
    assert "No issue" in words(world, "archive/index.html")
    assert "feed.atom" in links(world, "feeds/index.html")
    assert not (world.public / "tags").exists()


def test_all_years_and_their_months_are_listed_and_lead_to_them(world: World) -> None:
    for day in ("2024-12-30", "2025-01-02", "2025-01-05", "2025-03-01"):
        world.issue(day)
    world.build()
    assert links(world, "archive/index.html") == [
        "archive/2025/",
        "archive/2025/#month_01",
        "archive/2025/#month_03",
        "archive/2024/",
        "archive/2024/#month_12",
    ]
    listed = words(world, "archive/index.html")
    assert listed.startswith("Archive 2025 3 January 2 March 1 2024 1 December 1 Subscribe ")
    assert 'id="month_03"' in world.read("archive/2025/index.html")


def test_all_tags_are_listed_with_their_numbers(world: World) -> None:
    body = '## A {#a .film tags="电影"}\n\nText.\n\n## B {#b .film}\n\nText.\n'
    world.issue("2026-01-05", body)
    world.build()
    assert "film 2" in words(world, "tags/index.html")
    assert "电影 1" in words(world, "tags/index.html")
    tag = next(link for link in links(world, "tags/index.html") if "film" not in link)
    assert (world.public / tag / "index.html").exists()
    assert f"{tag}feed.atom" in links(world, "feeds/index.html")
    assert "tags/" in links(world, "archive/index.html")


def test_lists_follow_what_comes_and_goes(world: World, tmp_path: Path) -> None:
    world.issue("2026-01-05", "## A {#a .film}\n\nText.\n")
    world.build()
    world.issue("2026-01-06", "## B {#b .stage}\n\nText.\n")
    world.build()
    assert "tags/stage/feed.atom" in links(world, "feeds/index.html")
    for id_ in ("a", "b"):
        withdraw(world.folder, world.settings, id_, "a mistake", world.now)
    world.build()
    assert not (world.public / "tags").exists()
    assert "tags/" not in links(world, "archive/index.html")
    copy = world.committed_copy(tmp_path / "copy")
    copy.build()
    assert copy.files() == world.files()


def test_another_number_alone_leaves_the_page_about_feeds(world: World) -> None:
    world.issue("2026-01-05", "## A {#a .film}\n\nText.\n")
    world.build()
    before = (world.public / "feeds/index.html").stat().st_ino
    world.issue("2026-01-06", "## B {#b .film}\n\nText.\n")
    world.build()
    assert "film 2" in words(world, "tags/index.html")
    assert (world.public / "feeds/index.html").stat().st_ino == before
