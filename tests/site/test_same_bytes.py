"""The same committed files give the same bytes, whoever builds them, where, when and in what order.

test_incremental.py edits at random; here is what a machine may be like.
"""

import os
import random
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from publisher.site import parallel
from publisher.site.job import CACHE
from publisher.site.withdraw import withdraw
from tests.site.world import SETTINGS, World

NAMES = ("2025-12-31", "2026-01-01", "2026-01-02", "2026-02-14")
LOGO = SETTINGS.replace("[email]", 'logo = "media/logo.png"\n[email]')


def write_issue(world: World, name: str) -> None:
    tags = f".film tags='{name[:7]}, 电影, C++'"
    body = (
        f"Hello, *reader*.\n\n## Straße “{name}” {{#a-{name} {tags}}}\n\nText — «of» {name}.\n\n"
        f"## 今日要闻 {{#b-{name} language=zh .İstanbul}}\n\n![Lights](media/a.png)\n\n- 一\n- 二\n"
    )
    world.issue(name, body, language="de", authors="Ada <ada@daily.example>, Élodie")


def fill(world: World, names: tuple[str, ...] = NAMES) -> World:
    picture = world.write("media/a.png", "")
    Image.new("RGB", (60, 40), "red").save(picture)
    for name in names:
        write_issue(world, name)
    return world


@pytest.fixture
def site(world: World) -> World:
    fill(world)
    world.build()
    return world


def assert_same(one: World, other: World) -> None:
    ours, theirs = one.files(), other.files()
    assert sorted(ours) == sorted(theirs)
    assert [path for path in ours if ours[path] != theirs[path]] == []


def test_issues_built_one_by_one_in_any_order(site: World, tmp_path: Path) -> None:
    slow = fill(World(tmp_path / "slow"), ())
    for name in random.Random(2).sample(NAMES, len(NAMES)):
        write_issue(slow, name)
        assert not slow.build().is_refused
        slow.now += timedelta(hours=1)
    assert_same(slow, site)
    assert sorted(slow.register().splitlines()) == sorted(site.register().splitlines())


def test_a_clone_elsewhere_and_later(site: World, tmp_path: Path) -> None:
    clone = site.committed_copy(tmp_path / "a" / "müße ü" / "clone")
    clone.now += timedelta(days=5000)
    clone.build()
    assert_same(clone, site)
    assert clone.register() == site.register()


def test_files_copied_in_another_order_with_other_times(site: World, tmp_path: Path) -> None:
    clone = World(tmp_path / "clone")
    clone.write("issues/register.jsonl", site.register())
    for name in reversed(NAMES):
        file = clone.write(f"issues/{name}.md", (site.folder / f"issues/{name}.md").read_bytes())
        os.utime(file, (1, 1))
    clone.write("media/a.png", (site.folder / "media/a.png").read_bytes())
    clone.build()
    assert_same(clone, site)


@pytest.mark.parametrize(
    "environment",
    [
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1", "LANG": "C"},
        {"TZ": "America/Nome", "LC_ALL": "zh_CN.GB18030", "LANGUAGE": "tr", "PYTHONUTF8": "0"},
    ],
    ids=["Kiritimati", "GB18030"],
)
def test_another_machine(site: World, tmp_path: Path, environment: dict[str, str]) -> None:
    clone = site.committed_copy(tmp_path / "clone")
    done = clone.run("build", environment=environment, before=_private)
    assert done.returncode == 0, done.stderr
    assert_same(clone, site)
    assert clone.register() == site.register()


def _private() -> None:
    os.umask(0o077)


def test_one_process_and_many(site: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_WORTHWHILE", 2)
    monkeypatch.setattr(parallel, "_CHUNK", 1)
    clone = site.committed_copy(tmp_path / "clone")
    clone.build()
    assert_same(clone, site)


def test_nothing_to_do_is_nothing_done(site: World) -> None:
    before = {path: path.stat().st_ctime_ns for path in site.public.rglob("*")}
    register = (site.folder / "issues/register.jsonl").stat().st_ctime_ns
    for _ in range(2):
        site.now += timedelta(days=9)
        report = site.build()
        assert (report.written, report.removed) == (0, 0)
        assert report.unchanged == len(site.files())
    assert {path: path.stat().st_ctime_ns for path in site.public.rglob("*")} == before
    assert (site.folder / "issues/register.jsonl").stat().st_ctime_ns == register


def test_a_touched_file_is_read_and_changes_nothing(site: World) -> None:
    (site.folder / f"issues/{NAMES[0]}.md").touch()
    report = site.build()
    assert (report.written, report.removed) == (0, 0)


def test_an_edit_of_equal_length_in_the_same_moment_is_seen(site: World) -> None:
    """An editor that keeps the time of a file cannot keep its change from being seen."""
    file = site.folder / f"issues/{NAMES[0]}.md"
    times = file.stat()
    file.write_text(file.read_text().replace("Text — ", "News — "))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    site.build()
    assert "News — " in site.read(f"highlights/a-{NAMES[0]}/index.html")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("The Test Daily", "Another Daily"),
        ("https://daily.example", "https://else.example/deep/er"),
        ("Europe/Berlin", "Asia/Shanghai"),
        ('author = "The Desk"', 'author = "Somebody"\nlanguage = "ar"'),
        ("[email]", "[feeds]\nmin_issues = 1\nwindow = '1d'\nfull_content = false\n[email]"),
    ],
)
def test_other_settings_are_as_if_they_had_always_been(
    site: World, tmp_path: Path, old: str, new: str
) -> None:
    """Also where files have come, gone and been renamed meanwhile, without a build between."""
    site.replace("publisher.toml", old, new)
    withdraw(site.folder, site.settings, "i2025-12-31", "", site.now)
    (site.folder / "issues/2025-12-31.md").unlink()
    text = (site.folder / "issues/2026-01-02.md").read_text()
    (site.folder / "issues/2026-01-02.md").unlink()
    site.write("issues/renamed.md", text.replace("status:", "date: 2026-01-02\nstatus:"))
    site.build()
    clone = site.committed_copy(tmp_path / "clone")
    clone.build()
    assert_same(clone, site)
    left = [path for path in site.files() if "2026-01-02/" in path and "highlights" not in path]
    assert all('class="moved-page"' in site.read(path) for path in left)


def test_another_template_is_as_if_it_had_always_been(site: World, tmp_path: Path) -> None:
    before = site.files()
    site.write("templates/pages/footer.html", "<footer>Mine</footer>\n")
    site.write("templates/pages/site.css", "body { color: red }\n")
    site.build()
    assert "<footer>Mine</footer>" in site.read("index.html")
    assert len([path for path in site.files() if path.startswith("assets/site-")]) == 1
    clone = site.committed_copy(tmp_path / "clone")
    clone.build()
    assert_same(clone, site)
    (site.folder / "templates/pages/footer.html").unlink()
    (site.folder / "templates/pages/site.css").unlink()
    site.build()
    assert site.files() == before


def test_another_logo_is_on_every_page(tmp_path: Path) -> None:
    site = fill(World(tmp_path / "news", LOGO))
    Image.new("RGB", (40, 20)).save(site.write("media/logo.png", ""))
    site.build()
    Image.new("RGB", (90, 20)).save(site.folder / "media/logo.png")
    site.build()
    clone = site.committed_copy(tmp_path / "clone")
    clone.build()
    assert_same(clone, site)


@pytest.mark.parametrize("loss", ["all", "database", "site"])
def test_what_is_lost_is_made_again(site: World, loss: str) -> None:
    before, register = site.files(), site.register()
    if loss in ("all", "database"):
        shutil.rmtree(site.folder / CACHE)
    if loss in ("all", "site"):
        shutil.rmtree(site.public)
    site.now += timedelta(days=77)
    report = site.build()
    assert (report.written > 0) == (loss != "database")
    assert site.files() == before
    assert site.register() == register


def test_this_process_has_no_part_in_it() -> None:
    assert sys.flags.hash_randomization, "PYTHONHASHSEED=0 would hide what these tests look for"
