"""Searching on the server: what was typed -> a page of what was found."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import msgspec
from markupsafe import Markup

from publisher.render.frame import PageContext
from publisher.render.query import Query, clean_query, parse_query
from publisher.render.search import Findings, make_finding, render_results_page
from publisher.render.views import Setting
from publisher.site.job import search_path
from publisher.site.search_index import Found, SearchError, find

# An address holds no more of a query than a page's field lets anybody type.
_MOST_BYTES = 4_096
_RESULTS = 10
# No answer takes longer than some seconds; the files and the forms have threads of their own.
_THREADS = 2
# Who comes when so many wait is told to come back.
_MOST_WAITING = 32

_Make = Callable[[PageContext, Markup], bytes]


class Asked(msgspec.Struct, frozen=True):
    """What was typed, and which page of what is found for it, from 1."""

    text: str
    page: int


class Search:
    """Answers queries, for one event loop. It remembers and tells none of them."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self._path = search_path(folder, folder / "public")
        self._tell = tell
        self._told = ""
        self._threads = ThreadPoolExecutor(_THREADS, "search")
        self._waiting = 0

    async def find(self, asked: Asked) -> Found | None:
        """Find what was asked for; None where that cannot be done just now."""
        if self._waiting >= _MOST_WAITING:
            return None
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._find, asked)
        finally:
            self._waiting -= 1

    def _find(self, asked: Asked) -> Found | None:
        try:
            found = find(self._path, parse_query(asked.text), asked.page, _RESULTS)
        except SearchError as error:
            self._complain(str(error))
            return None
        self._told = ""
        return found

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _complain(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._tell(f"{self._path} cannot be searched, which a build may mend: {text}")


def read_asked(query_string: bytes) -> Asked:
    """Read an address's query, whatever it holds."""
    pairs = parse_qsl(query_string[:_MOST_BYTES].decode("latin-1"), errors="replace")
    fields = dict(reversed(pairs))
    page = fields.get("page", "")
    is_number = page.isascii() and page.isdigit() and len(page) <= len(str(_MOST_BYTES))
    return Asked(clean_query(fields.get("q", "")), int(page) if is_number else 1)


def show_found(asked: Asked, found: Found | None) -> _Make:
    """How the page of what was found is made, from what all pages share and the stylesheet."""
    query = parse_query(asked.text)

    def make(context: PageContext, style: Markup) -> bytes:
        findings = None if found is None else _view(asked, found, query, context.setting)
        return render_results_page(context, style, asked.text, query, findings)

    return make


def _view(asked: Asked, found: Found, query: Query, setting: Setting) -> Findings:
    def turn(page: int) -> str:
        return "?" + urlencode({"q": asked.text, "page": page})

    return Findings(
        found=tuple(make_finding(h.row, h.slug, h.day, query, setting) for h in found.hits),
        total=found.total,
        previous_url=turn(found.page - 1) if found.page > 1 else "",
        next_url=turn(found.page + 1) if found.page < found.pages else "",
    )
