"""Which pages there are, and where each stands."""

import re
from pathlib import Path

import msgspec

from docs.site import reference

# Sections and the pages in each; a page of docs/ that none names stands in the last one.
_SECTIONS = (
    ("Begin", ("README.md", "docs/tutorial.md", "docs/running.md")),
    (
        "How to",
        (
            *("docs/console.md", "docs/operations.md", "docs/upgrading.md", "docs/website.md"),
            *("docs/moving.md", "docs/api.md", "docs/releasing.md"),
        ),
    ),
    ("Why", ("docs/promises.md", "docs/delivery.md", "docs/performance.md")),
    ("Reference", ("docs/commands.md", "docs/settings.md", "docs/rules.md")),
    ("More", ("CHANGELOG.md",)),
)
_NAMES = {"README.md": "index.html", "CHANGELOG.md": "changelog.html"}


class Page(msgspec.Struct, frozen=True):
    """A page: where its text comes from, where it is written, and how the contents name it."""

    source: str
    path: str
    title: str
    text: str
    section: str


def find_pages(root: Path) -> list[Page]:
    """All pages in the order of the contents; decisions behind them, by number."""
    pages = []
    named = {path for _, paths in _SECTIONS for path in paths}
    others = sorted(f"docs/{path.name}" for path in (root / "docs").glob("*.md"))
    for section, paths in _SECTIONS:
        unnamed = [path for path in others if path not in named] if section == "More" else []
        pages += [_read(root, path, section) for path in (*paths, *unnamed)]
        if section == "Reference":
            pages += [
                Page("", f"reference/{name}.html", _title(text), text, section)
                for name, text in reference.write_all().items()
            ]
    decisions = sorted((root / "docs" / "decisions").glob("*.md"))
    records = [_read(root, f"docs/decisions/{path.name}", "Decisions") for path in decisions]
    return [*pages, _list(records), *records]


def _read(root: Path, source: str, section: str) -> Page:
    text = (root / source).read_text("utf-8")
    path = source.removeprefix("docs/").removesuffix(".md") + ".html"
    return Page(source, _NAMES.get(source, path), _title(text), text, section)


def _title(text: str) -> str:
    """The first heading, without its marks."""
    match = re.search(r"^# (.+)$", text, re.M)
    return match[1].replace("`", "") if match else "Untitled"


def _list(records: list[Page]) -> Page:
    lines = [f"- [{page.title}]({Path(page.source).name})" for page in records]
    text = "# Decisions\n\nWhat was decided for long, and why.\n\n" + "\n".join(lines)
    # It stands where a link to the folder leads.
    return Page("docs/decisions/", "decisions/index.html", "Decisions", text, "Why")
