"""A renamed issue's old address leads to the new one, on every machine, for good."""

from datetime import timedelta
from pathlib import Path

import pytest
from lxml import html as lxml_html

from publisher.site.register import parse_register
from publisher.site.withdraw import withdraw
from tests.site.world import World

OLD, NEW = "2026-01-05", "a-name"


@pytest.fixture
def published(world: World) -> World:
    world.issue(OLD, date=f"{OLD}T07:00:00Z")
    world.issue("2026-01-06", date="2026-01-06T07:00:00Z")
    world.build()
    return world


def rename(world: World, old: str, new: str) -> None:
    (world.folder / f"issues/{old}.md").rename(world.folder / f"issues/{new}.md")
    world.now += timedelta(days=1)
    assert not world.build().is_refused


def leads_to(world: World, path: str) -> str:
    """Where the page at a path goes on to, as a server and as a browser read it."""
    tree = lxml_html.document_fromstring(world.read(path))
    (canonical,) = tree.xpath("//link[@rel='canonical']/@href")
    if tree.xpath("//body/@class") != ["moved-page"]:
        return ""
    assert tree.xpath("//meta[@http-equiv='refresh']/@content") == [f"0; url={canonical}"]
    assert tree.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert canonical in tree.xpath("//main//a/@href")
    return str(canonical)


def is_like_new(world: World, folder: Path) -> bool:
    copy = world.committed_copy(folder)
    copy.build()
    return copy.files() == world.files() and copy.register() == world.register()


def test_the_old_address_leads_to_the_new_one(published: World, tmp_path: Path) -> None:
    rename(published, OLD, NEW)
    page = f"issues/{OLD}/index.html"
    assert leads_to(published, page) == f"https://daily.example/issues/{NEW}/"
    message = leads_to(published, f"issues/{OLD}/email.html")
    assert message == f"https://daily.example/issues/{NEW}/email.html"
    assert f"Issue {OLD}" in published.read(page)
    assert f"issues/{OLD}/" not in published.read("sitemap.xml")
    assert not published.build().written
    assert is_like_new(published, tmp_path / "clone")


def test_every_earlier_address_leads_to_the_last(published: World, tmp_path: Path) -> None:
    rename(published, OLD, NEW)
    rename(published, NEW, "another")
    for name in (OLD, NEW):
        expected = "https://daily.example/issues/another/"
        assert leads_to(published, f"issues/{name}/index.html") == expected
    assert is_like_new(published, tmp_path / "clone")


def test_back_at_its_old_name_an_issue_is_there_itself(published: World, tmp_path: Path) -> None:
    rename(published, OLD, NEW)
    rename(published, NEW, OLD)
    assert leads_to(published, f"issues/{OLD}/index.html") == ""
    expected = f"https://daily.example/issues/{OLD}/"
    assert leads_to(published, f"issues/{NEW}/index.html") == expected
    assert is_like_new(published, tmp_path / "clone")


def test_another_issue_of_that_name_goes_before(published: World, tmp_path: Path) -> None:
    rename(published, OLD, NEW)
    other = published.issue(
        OLD, "## Other {#story}\n\nText.\n", id="other", date=f"{OLD}T09:00:00Z"
    )
    published.build()
    assert leads_to(published, f"issues/{OLD}/index.html") == ""
    assert "highlights/story/" in published.read(f"issues/{OLD}/index.html")
    assert is_like_new(published, tmp_path / "clone")
    withdraw(published.folder, published.settings, "other", "a mistake", published.now)
    other.unlink()
    published.build()
    assert 'class="withdrawn-page"' in published.read(f"issues/{OLD}/index.html")
    assert is_like_new(published, tmp_path / "second")


def test_what_is_withdrawn_is_withdrawn_at_its_old_address_too(
    published: World, tmp_path: Path
) -> None:
    rename(published, OLD, NEW)
    withdraw(published.folder, published.settings, f"i{OLD}", "a mistake", published.now)
    published.build()
    for name in (OLD, NEW):
        assert 'class="withdrawn-page"' in published.read(f"issues/{name}/index.html")
    assert not (published.public / f"issues/{OLD}/email.html").exists()
    assert is_like_new(published, tmp_path / "clone")


def test_a_changed_title_is_changed_there_too(published: World, tmp_path: Path) -> None:
    rename(published, OLD, NEW)
    published.replace(f"issues/{NEW}.md", f"Issue {OLD}", "A better title")
    published.build()
    assert "A better title" in published.read(f"issues/{OLD}/index.html")
    assert is_like_new(published, tmp_path / "clone")


def test_two_that_had_a_name_lead_to_the_one_that_moved_last(
    published: World, tmp_path: Path
) -> None:
    rename(published, OLD, NEW)
    rename(published, "2026-01-06", OLD)
    rename(published, OLD, "second")
    assert leads_to(published, f"issues/{OLD}/index.html").endswith("/issues/second/")
    assert is_like_new(published, tmp_path / "clone")


def test_a_register_of_before_there_were_former_names_still_tells_them(
    published: World, tmp_path: Path
) -> None:
    rename(published, OLD, NEW)
    register = published.folder / "issues/register.jsonl"
    register.write_bytes(register.read_bytes().replace(b',"former":["2026-01-05"]', b""))
    assert parse_register(register.read_bytes())[0].records[f"i{OLD}"].former == (OLD,)
    clone = published.committed_copy(tmp_path / "clone")
    clone.build()
    assert leads_to(clone, f"issues/{OLD}/index.html") == f"https://daily.example/issues/{NEW}/"


def test_a_rename_that_came_by_a_pull_is_followed(published: World, tmp_path: Path) -> None:
    other = published.committed_copy(tmp_path / "other")
    other.build()
    rename(other, OLD, NEW)
    for path in ("issues/register.jsonl", f"issues/{NEW}.md"):
        published.write(path, (other.folder / path).read_bytes())
    (published.folder / f"issues/{OLD}.md").unlink()
    published.now = other.now
    published.build()
    assert published.files() == other.files()
