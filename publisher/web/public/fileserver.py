"""Files of public/ as answers: found, in the coding that is wanted, a part of them, or nothing new.

What was sent before comes from memory, without a thread; the disk is asked only whether it is still
the same.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from publisher.settings import Settings
from publisher.web.public.addresses import Addresses, InPlace
from publisher.web.public.answers import FileHeaders
from publisher.web.public.codings import AS_IT_IS, BEST, ENDINGS, FAST, choose, encode, end_tag
from publisher.web.public.conditions import (
    Range,
    Validators,
    find_known,
    find_range,
    is_failed,
)
from publisher.web.public.file_answer import FileAnswer, Part
from publisher.web.public.files import (
    ChangedError,
    Elsewhere,
    Found,
    find_file,
    find_state,
    look_at,
    name_file,
    open_found,
    read_path,
    read_whole,
    refer,
)
from publisher.web.public.shelf import Shelf

# What is larger is read while it is sent.
_AT_ONCE = 262_144
# Texts up to this are encoded: a search index, a sitemap of 50,000 pages.
_MOST_TEXT = 8_000_000
# More than a disk and two cores do at once.
_THREADS = 4
# A file that changes under our hands as often is being written to all the time.
_TRIES = 5
# What everybody asks for is encoded as well as can be before they do.
_FEEDS = tuple(f"{stem}.{end}" for stem in ("feed", "issues") for end in ("atom", "rss", "json"))
_AHEAD = (*_FEEDS, "index.html", "feeds.opml")

T = TypeVar("T")


class Asked(NamedTuple):
    """A GET or HEAD: its path as it was sent, its query, and those headers that matter here."""

    path: str
    query: str
    is_head: bool
    headers: dict[str, str]


class FileServer:
    """Answers for the files of one site."""

    def __init__(self, public: Path, settings: Settings) -> None:
        self._public = public
        self._headers = FileHeaders(settings)
        self._addresses = Addresses(settings)
        self._site = settings.as_publication().url
        self._shelf = Shelf()
        self._threads = ThreadPoolExecutor(_THREADS, "file")
        self._making: dict[tuple[Found, str], asyncio.Future[bytes]] = {}

    async def answer(self, asked: Asked) -> FileAnswer | None:
        """The answer; None where there is no such file. Raises OSError where the disk fails."""
        for _ in range(_TRIES):
            try:
                found = await self._find(asked)
                if isinstance(found, Elsewhere):
                    return FileAnswer(status=301, headers=self._headers.send_on(found))
                return await self._show(found, asked) if found else None
            except ChangedError:
                continue
        raise OSError("a file of the site changes all the time")

    def prepare(self) -> None:
        """Encode the next of what everybody asks for, if one is not ready. May take a second."""
        for path in dict.fromkeys((*_AHEAD, *self._shelf.list_feeds())):
            found = self._recall(path) or look_at(self._public, path)
            if found is None or found.size > _MOST_TEXT:
                continue
            for coding in ("br", "gzip"):
                if self._shelf.find_body(found, BEST[coding]) is None:
                    self._make(found, BEST[coding])
                    return

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    async def _find(self, asked: Asked) -> Found | Elsewhere | None:
        """A query of a former system's goes before the site's files, which go before its paths."""
        named = self._addresses.find(asked.path, asked.query) if asked.query else None
        found = await self._enter(named) if named else await self._find_file(asked.path)
        if found is None and (named := self._addresses.find(asked.path, "")):
            found = await self._enter(named)
        if isinstance(found, Found) and found.kind == "moved":
            return self._follow(asked.path, found) or found
        return found

    async def _find_file(self, sent: str) -> Found | Elsewhere | None:
        path = read_path(sent)
        if path is None:
            return None
        return self._recall(name_file(path)) or await self._keep(find_file, sent)

    async def _enter(self, named: InPlace | Elsewhere) -> Found | Elsewhere | None:
        if isinstance(named, Elsewhere):
            return named
        return self._recall(named.path) or await self._keep(look_at, named.path)

    def _recall(self, path: str) -> Found | None:
        """A file that is known and has not changed. It takes some microseconds of the disk."""
        found = self._shelf.find(path)
        return found if found and find_state(self._public, path) == found.state else None

    async def _keep(
        self, look: Callable[[Path, str], Found | Elsewhere | None], path: str
    ) -> Found | Elsewhere | None:
        found = await self._run(lambda: look(self._public, path))
        if isinstance(found, Found):
            self._shelf.keep(found)
        return found

    def _follow(self, sent: str, found: Found) -> Elsewhere | None:
        """Where a page moved to; None where that is no other place of this site."""
        target = found.canonical.removeprefix(self._site)
        path = read_path(target) if target != found.canonical else None
        if path is None or name_file(path) == found.path or {"?", "#"} & set(target):
            return None
        return Elsewhere(refer(sent, target))

    async def _show(self, found: Found, asked: Asked) -> FileAnswer:
        """RFC 9110, section 13.2.2, has the order."""
        is_text = found.is_text and found.size <= _MOST_TEXT
        coding = choose(asked.headers.get("accept-encoding"), found.size, is_text=is_text)
        if not coding:
            return FileAnswer(status=406, headers=self._headers.refuse(found))
        variant = self._choose_variant(found, coding)
        headers = self._headers.describe(found, coding)
        if found.kind == "withdrawn":
            return await self._send(found, variant, FileAnswer(status=410, headers=headers), asked)
        known = _validators(found, variant)
        if is_failed(asked.headers, known):
            return FileAnswer(status=412, headers=self._headers.refuse(found))
        tag = find_known(asked.headers, known)
        headers |= self._headers.validate(found, tag or known.tag)
        feed = found.path if found.is_feed else ""
        answer = FileAnswer(status=304 if tag else 200, headers=headers, feed=feed)
        if tag:
            return answer
        has_ranges = not found.is_text and not asked.is_head
        part = find_range(asked.headers, known, found.size) if has_ranges else None
        return await self._send(found, variant, answer, asked, part)

    def _choose_variant(self, found: Found, coding: str) -> str:
        """The best that is there already, or else what is fast to make."""
        best = BEST[coding]
        return best if self._shelf.find_body(found, best) is not None else FAST[coding]

    async def _send(
        self,
        found: Found,
        variant: str,
        answer: FileAnswer,
        asked: Asked,
        part: Range | None = None,
    ) -> FileAnswer:
        """The answer with its body, and what is said of that."""
        if part and not part.length:
            headers = self._headers.refuse(found) | {"Content-Range": f"bytes */{found.size}"}
            return FileAnswer(status=416, headers=headers)
        status, first, length = answer.status, 0, found.size
        headers = dict(answer.headers)
        if part:
            status, (first, length) = 206, part
            headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{found.size}"
        body: bytes | Part = b""
        if variant != AS_IT_IS:
            body = await self._load(found, variant)
            length = len(body)
        elif found.size <= _AT_ONCE:
            body = (await self._load(found, variant))[first : first + length]
        elif not asked.is_head:
            body = Part(await self._run(lambda: open_found(self._public, found)), first, length)
        headers["Content-Length"] = str(length)
        body = b"" if asked.is_head else body
        return FileAnswer(status=status, headers=headers, body=body, feed=answer.feed)

    async def _load(self, found: Found, variant: str) -> bytes:
        """A file's bytes in a variant. Whoever else wants them meanwhile waits for the same."""
        body = self._shelf.find_body(found, variant)
        if body is not None:
            return body
        key = (found, variant)
        if key not in self._making:
            making = asyncio.ensure_future(self._run(lambda: self._make(found, variant)))
            making.add_done_callback(lambda _: self._making.pop(key))
            self._making[key] = making
        return await asyncio.shield(self._making[key])

    def _make(self, found: Found, variant: str) -> bytes:
        """Read a file, encode it, and keep what came of it."""
        data = self._shelf.find_body(found, AS_IT_IS)
        if data is None:
            data = read_whole(self._public, found)
        body = data if variant == AS_IT_IS else encode(data, variant)
        self._shelf.keep(found, variant, body)
        return body

    async def _run(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, act)


def _validators(found: Found, variant: str) -> Validators:
    tag = f"{found.stem}{end_tag(variant)}"
    others = tuple(f"{found.stem}{ending}" for ending in ENDINGS)
    return Validators(tag, others, found.modified)
