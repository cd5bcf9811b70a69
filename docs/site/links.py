"""Which links of a written site lead nowhere, and which pages nothing leads to."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Reader(HTMLParser):
    """A page's anchors and what it leads to, with lines."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[tuple[int, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.ids.add(value)
            if name in ("href", "src") and value is not None:
                self.links.append((self.getpos()[0], value))


def find_broken(folder: Path) -> list[str]:
    """Each link inside the site that leads nowhere, as `page:line: link`."""
    folder = folder.resolve()
    pages = {path: _Reader(path.read_text("utf-8")) for path in sorted(folder.rglob("*.html"))}
    return [
        f"{page.relative_to(folder)}:{line}: {link} leads nowhere"
        for page, read in pages.items()
        for line, link in read.links
        if not _leads(page, link, pages, folder)
    ]


def _leads(page: Path, link: str, pages: dict[Path, _Reader], folder: Path) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return parts.scheme in ("https", "http", "mailto")
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if target.is_dir():
        target /= "index.html"
    if not target.is_file() or not target.is_relative_to(folder):
        return False
    read = pages.get(target)
    return not parts.fragment or (read is not None and unquote(parts.fragment) in read.ids)
