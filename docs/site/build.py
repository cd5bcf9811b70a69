"""Pages -> files."""

import hashlib
import posixpath
import shutil
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from docs.site.contents import Page, find_pages
from docs.site.markdown import render
from docs.site.reference import files
from publisher import __version__

_HERE = Path(__file__).parent
# What pages lead to besides pages.
_COPIED = ("LICENSE", "docs/images", "docs/performance.json")


def build(root: Path, target: Path) -> int:
    """Write the site of a checkout anew; give how many pages it has."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    pages = find_pages(root)
    places = {page.source: page.path for page in pages if page.source}
    for name in _COPIED:
        _copy(root / name, target / name.removeprefix("docs/"))
        found = [root / name, *(root / name).rglob("*")]
        copied = (path.relative_to(root).as_posix() for path in found)
        places |= {path: path.removeprefix("docs/") for path in copied}
    for path, text in files().items():
        (target / path).parent.mkdir(exist_ok=True)
        (target / path).write_text(text, "utf-8")
    style = _write_style(target)
    template = Environment(loader=FileSystemLoader(_HERE), autoescape=True).get_template(
        "page.html"
    )
    for page in pages:
        file = target / page.path
        file.parent.mkdir(exist_ok=True)
        file.write_text(
            template.render(
                page=page,
                body=render(page.text, page.source or page.path, page.path, places),
                sections=_sections(pages, page),
                style=_relative(style, page),
                home=_relative("index.html", page),
                version=__version__,
            ),
            "utf-8",
        )
    return len(pages)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


def _write_style(target: Path) -> str:
    """The stylesheet, whose name changes with it."""
    style = (_HERE / "site.css").read_bytes()
    name = f"site-{hashlib.sha256(style).hexdigest()[:8]}.css"
    (target / name).write_bytes(style)
    return name


def _sections(pages: list[Page], here: Page) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """The contents as a page shows them: address, title and whether it is that page."""
    shown = sorted(pages, key=lambda page: _order(pages, page.section))
    return [
        (name, [(_relative(page.path, here), page.title, page is here) for page in group])
        for name, group in groupby(shown, key=lambda page: page.section)
        if name != "Decisions"
    ]


def _order(pages: list[Page], section: str) -> int:
    return next(place for place, page in enumerate(pages) if page.section == section)


def _relative(path: str, here: Page) -> str:
    return posixpath.relpath(path, posixpath.dirname(here.path) or ".")
