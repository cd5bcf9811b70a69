"""Every rule that only the archive as a whole can break is broken here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from publisher.preflight.catalogue import RULES
from publisher.site.check import check
from publisher.site.withdraw import withdraw
from tests.preflight.test_every_rule_is_provoked import RAISED_BY_SITE
from tests.site.world import SETTINGS, World


def write_two(world: World) -> None:
    world.issue("2026-01-05", number=1)
    world.issue("2026-01-06", number=2)


def file_unreadable(world: World) -> None:
    (world.folder / "issues/2026-01-07.md").symlink_to("/etc/hostname")


def slug_repeated(world: World) -> None:
    world.write("issues/2026-01-05.json", '{"id": "other", "highlights": []}')


def id_repeated(world: World) -> None:
    world.issue("2026-01-07", id="i2026-01-05")


def number_repeated(world: World) -> None:
    world.issue("2026-01-07", number=2)


def date_out_of_order(world: World) -> None:
    world.issue("2026-01-01", number=3)


def published_vanished(world: World) -> None:
    world.build()
    (world.folder / "issues/2026-01-05.md").unlink()


def published_draft(world: World) -> None:
    world.build()
    world.replace("issues/2026-01-05.md", "status: ready", "status: draft")


def published_changed(world: World) -> None:
    world.build()
    world.replace("issues/2026-01-05.md", "Text of", "What was said of")


def withdrawn_used(world: World) -> None:
    world.build()
    withdraw(world.folder, world.settings, "h2026-01-05", "", world.now)


def register_unreadable(world: World) -> None:
    world.build()
    world.write("issues/register.jsonl", world.register() + b"=======\n")


def publication_id_changed(world: World) -> None:
    world.build()
    world.replace("publisher.toml", "2025:test", "2026:other")


def template_broken(world: World) -> None:
    world.write("templates/pages/footer.html", "{% if %}")


def media_unreadable(world: World) -> None:
    world.write("media/a.svg", "<svg/>")
    world.issue("2026-01-07", "## A {#a}\n\n![x](media/a.svg)\n")


def card_font_unusable(world: World) -> None:
    world.write("publisher.toml", f'{SETTINGS}\n[site]\ncard_font = "fonts/own.ttf"\n')
    world.write("fonts/own.ttf", b"no font")


PROVOCATIONS: dict[str, tuple[Callable[[World], None], str]] = {
    "file-unreadable": (file_unreadable, "issues/2026-01-07.md"),
    "slug-repeated": (slug_repeated, "issues/2026-01-05.md"),
    "id-repeated": (id_repeated, "issues/2026-01-07.md"),
    "number-repeated": (number_repeated, "issues/2026-01-07.md"),
    "date-out-of-order": (date_out_of_order, "issues/2026-01-01.md"),
    "published-vanished": (published_vanished, "issues/register.jsonl"),
    "published-draft": (published_draft, "issues/2026-01-05.md"),
    "published-changed": (published_changed, "issues/2026-01-05.md"),
    "withdrawn-used": (withdrawn_used, "issues/2026-01-05.md"),
    "publication-id-changed": (publication_id_changed, "publisher.toml"),
    "register-unreadable": (register_unreadable, "issues/register.jsonl"),
    "template-broken": (template_broken, "templates/pages/footer.html"),
    "media-unreadable": (media_unreadable, "media/a.svg"),
    "card-font-unusable": (card_font_unusable, "fonts/own.ttf"),
}


def test_every_rule_of_the_site_is_provoked() -> None:
    assert PROVOCATIONS.keys() == RAISED_BY_SITE


@pytest.mark.parametrize("name", PROVOCATIONS)
def test_a_build_says_it(world: World, name: str) -> None:
    provoke, file = PROVOCATIONS[name]
    write_two(world)
    provoke(world)
    before, register = world.files(), world.register()
    report = world.build()
    found = [problem for problem in report.problems if problem.rule == name]
    assert file in {problem.file for problem in found}
    for problem in found:
        assert problem.level == RULES[name].level
        assert "{" not in problem.message + problem.fix
    assert report.is_refused == (RULES[name].level == "error")
    if report.is_refused:
        assert (world.files(), world.register()) == (before, register)


@pytest.mark.parametrize("name", PROVOCATIONS)
def test_a_check_says_it_and_writes_nothing(world: World, name: str) -> None:
    provoke, file = PROVOCATIONS[name]
    write_two(world)
    provoke(world)
    before, register = world.files(), world.register()
    for _ in range(2):
        problems = check(world.folder, world.settings, world.now)
        assert (name, file) in {(problem.rule, problem.file) for problem in problems}
    assert (world.files(), world.register()) == (before, register)


def test_a_sound_archive_breaks_none(world: World, tmp_path: Path) -> None:
    write_two(world)
    world.build()
    problems = check(world.folder, world.settings, world.now)
    assert not RAISED_BY_SITE & {problem.rule for problem in problems}
