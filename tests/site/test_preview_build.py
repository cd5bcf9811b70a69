"""A preview shows everything, drafts and errors too, and publishes nothing."""

from pathlib import Path

import pytest

from tests.site.reading import rules
from tests.site.world import World


@pytest.fixture
def world(world: World) -> World:
    world.issue("2026-01-05", "## A {#a .film}\n\nText of A.\n")
    return world


def test_drafts_and_issues_of_tomorrow_are_shown(world: World) -> None:
    world.issue("2026-01-06", status="draft")
    world.issue("2027-01-01")
    world.write("issues/2026-01-07.md", "## No id\n\nAnd no title.\n")
    report = world.preview()
    assert report.issues == 4
    assert "And no title." in world.read("issues/2026-01-07/index.html")
    assert "2027-01-01" in world.read("feed.atom")
    assert world.register() == b""


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("2026-01-06.md", "---\nid: i2026-01-05\n---\n## A {#a .film}\n\nText.\n", "id-repeated"),
        ("2026-01-06.md", "---\nid: b\n---\n## A {#c}\n\nx\n\n## B {#c}\n\ny\n", "id-repeated"),
        ("2026-01-05.json", '{"id": "x", "title": "T", "highlights": []}', "slug-repeated"),
        ("2026-01-06.md", "---\nid: b\ndate: soon\n---\n## B {#b1}\n\nx\n", "date-unreadable"),
        ("2026-01-06.md", "---\nid: [\n---\n", "front-matter-unreadable"),
        ("Bad Name.md", "---\nid: b\n---\n## B {#b1}\n\nx\n", "slug-invalid"),
        (f"{'a' * 64}.md", "## A\n\nx\n\n## B\n\ny\n", "id-missing"),
    ],
)
def test_what_a_build_refuses_is_shown_and_said(
    world: World, name: str, text: str, rule: str
) -> None:
    world.write(f"issues/{name}", text)
    for _ in range(2):
        assert not world.preview().is_refused
        world.replace(f"issues/{name}", text, f"{text}\n")
    assert rule in rules(world.preview())
    # Which of two issues of one name is shown does not matter.
    assert rule == "slug-repeated" or "Text of A." in world.read("issues/2026-01-05/index.html")
    assert world.register() == b""
    (world.folder / f"issues/{name}").unlink()
    world.preview()
    fresh = world.committed_copy(world.folder.with_name("fresh"))
    fresh.preview()
    assert world.files() == fresh.files()


def test_a_preview_leaves_the_site_to_the_build(world: World, tmp_path: Path) -> None:
    world.build()
    before, register = world.files(), world.register()
    world.issue("2026-01-06", status="draft")
    world.preview(tmp_path / "preview")
    assert world.register() == register
    world.build()
    assert world.files() == before
