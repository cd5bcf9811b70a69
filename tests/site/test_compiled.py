"""That templates are compiled once, and kept where nobody else can write."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import BytecodeCache, Environment

from publisher.render.templates import make_templates
from publisher.site.compiled import keep_compiled

NAME = "pages/x.html"
SOURCE = "<p>{{ word }}</p>"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    keep_compiled.cache_clear()
    yield tmp_path
    keep_compiled.cache_clear()


def open_new() -> BytecodeCache | None:
    """As another process does."""
    keep_compiled.cache_clear()
    return keep_compiled()


def fill_in(templates: Environment) -> str:
    return templates.get_template(NAME).render(word="a & b")


def is_kept(compiled: BytecodeCache | None, source: str = SOURCE) -> bool:
    assert compiled is not None
    templates = make_templates({NAME: source}, compiled)
    return compiled.get_bucket(templates, NAME, f"templates/{NAME}", source).code is not None


def test_what_one_process_compiled_another_one_takes(place: Path) -> None:
    assert not is_kept(open_new())
    assert fill_in(make_templates({NAME: SOURCE}, keep_compiled())) == "<p>a &amp; b</p>"
    compiled = open_new()
    assert is_kept(compiled)
    assert fill_in(make_templates({NAME: SOURCE}, compiled)) == "<p>a &amp; b</p>"


def test_a_changed_source_is_compiled_again(place: Path) -> None:
    fill_in(make_templates({NAME: SOURCE}, open_new()))
    changed = "<b>{{ word }}</b>"
    assert not is_kept(open_new(), changed)
    assert fill_in(make_templates({NAME: changed}, open_new())) == "<b>a &amp; b</b>"


def test_another_program_compiled_nothing_for_this_one(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_in(make_templates({NAME: SOURCE}, open_new()))
    monkeypatch.setattr("publisher.site.compiled.sign_program", lambda: ["another"])
    assert not is_kept(open_new())


def test_what_is_damaged_is_compiled_again(place: Path) -> None:
    fill_in(make_templates({NAME: SOURCE}, open_new()))
    (kept,) = place.rglob("*.cache")
    kept.write_bytes(kept.read_bytes()[:-20])
    assert not is_kept(open_new())
    assert fill_in(make_templates({NAME: SOURCE}, open_new())) == "<p>a &amp; b</p>"


def test_it_is_this_users_alone(place: Path) -> None:
    fill_in(make_templates({NAME: SOURCE}, open_new()))
    (folder,) = place.iterdir()
    assert folder.stat().st_mode & 0o077 == 0


def test_where_it_cannot_be_kept_it_is_compiled_all_the_same(place: Path) -> None:
    compiled = open_new()
    (folder,) = place.iterdir()
    shutil.rmtree(folder)
    assert fill_in(make_templates({NAME: SOURCE}, compiled)) == "<p>a &amp; b</p>"
    folder.write_text("somebody else's")
    assert open_new() is None
