"""The publications that browsers look at: the repository's own, and one that holds everything."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from publisher.settings import load_settings
from publisher.site.build import build
from publisher.site.correct import plan_correction
from publisher.site.history import CorrectionLine
from publisher.site.job import Job
from publisher.site.withdraw import withdraw

ROOT = Path(__file__).parents[2]
# Right to left as a whole, so that its pages have English, Chinese and Arabic side by side.
INTERNATIONAL = Path(__file__).parent / "international"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
# What was wrong at first in each issue, what is right, and what is noted on it.
CORRECTIONS = (
    ("arabic", "منذ عام 1950", "منذ عام 1952", "تسجيلات المكتبة تبدأ من عام 1952، لا 1950."),
    ("arabic", "tuned forty kettles", "tuned fourteen kettles", "There were fourteen kettles."),
    ("chinese", "海底的五百年", "海底的六百年", "器皿在海底六百年，而不是五百年。"),
    ("chinese", "三件值得知道的事", "两件值得知道的事", "本期只有两件事。"),
    ("hostile", "WORDWORD", "WORDSWORD", "<script>alert('note')</script> WORDS & more"),
)
FIRST_FILLER = datetime(2025, 10, 1, tzinfo=UTC)


class Site(NamedTuple):
    """A built publication on loopback; `url` is without a trailing slash."""

    url: str
    public: Path


Serve = Callable[[Path], str]


def publish_sample(folder: Path, serve: Serve) -> Site:
    """The repository's own publication, as `publisher demo` shows it."""
    folder.mkdir()
    shutil.copy(ROOT / "publisher.toml", folder)
    for part in ("issues", "media"):
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part)
    return _publish(folder, serve)


def publish_international(folder: Path, serve: Serve) -> Site:
    """Three languages, two directions, hostile text, every field, tag pages and tombstones."""
    shutil.copytree(INTERNATIONAL, folder)
    for number in range(27):
        (folder / "issues" / f"filler-{number}.md").write_text(_filler(number), "utf-8")
    (folder / "media").mkdir()
    for name, size in (("wide", (1600, 500)), ("square", (240, 240)), ("logo", (64, 64))):
        Image.new("RGB", size, "#7a9e9f").save(folder / "media" / f"{name}.png")
    _publish(folder, lambda _: "https://daily.example")
    settings = load_settings(folder / "publisher.toml", {})
    for id_ in ("filler-1-1", "filler-2"):
        withdraw(folder, settings, id_, "It was <b>wrong</b>.", NOW)
    for correction in CORRECTIONS:
        _correct(folder, *correction)
    (folder / "issues/filler-3.md").rename(folder / "issues/moved.md")
    return _publish(folder, serve)


def _correct(folder: Path, name: str, wrong: str, right: str, note: str) -> None:
    file = folder / "issues" / f"{name}.md"
    file.write_text(file.read_text("utf-8").replace(wrong, right), "utf-8")
    settings = load_settings(folder / "publisher.toml", {})
    corrected = plan_correction(folder, settings, NOW, name, note)
    _publish(folder, lambda _: "https://daily.example", corrected.lines)


def _filler(number: int) -> str:
    """An issue of four highlights, so that a tag has more than one page."""
    date = (FIRST_FILLER + timedelta(days=number)).isoformat()
    front = f"---\nid: filler-{number}\nlanguage: en\ndate: {date}\nstatus: ready\n"
    front += f"title: Issue {number}\nnumber: {number}\n---\n"
    titles = [f"## Story {k} {{#filler-{number}-{k} .stage}}\n\nText.\n" for k in range(4)]
    return "\n".join((front, *titles))


def _publish(folder: Path, serve: Serve, corrections: tuple[CorrectionLine, ...] = ()) -> Site:
    public = folder / "public"
    public.mkdir(exist_ok=True)
    (public / "favicon.ico").touch()  # which browsers ask for where no page names another
    url = serve(public)
    settings = load_settings(folder / "publisher.toml", {"PUBLISHER_PUBLICATION__URL": url})
    job = Job(folder=folder, settings=settings, output=public, now=NOW, corrections=corrections)
    report = build(job)
    assert [p for p in report.problems if p.level == "error"] == []
    return Site(url, public)
