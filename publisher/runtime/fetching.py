"""Reading what others publish: politely, within bounds, and never out of a network of our own.

A request goes out as in `outward`: to an address that was judged, with bounds for its time and its
answer. On top of that it is conditional (RFC 9110, section 13), an answer may be packed, and
redirects are followed, each of them judged anew.
"""

import time
import zlib
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext, suppress
from urllib.parse import urlsplit

import msgspec

from publisher import __version__
from publisher.runtime.outward import Answer, Resolve, ask, resolve
from publisher.sources.addresses import absolute_url

# Feeds with the full text of a hundred articles have 2 MB; what is over this is no feed for people.
MOST_BYTES = 5_000_000
# For one document with all of its redirects.
SECONDS = 20.0
FEEDS = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9,"
    " text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
)

_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_PERMANENT = (301, 308)
_NOT_MODIFIED = 304
# A packed document may have several parts (RFC 1952, section 2.2); each costs a copy of the rest.
_MOST_MEMBERS = 16
# zlib's words for gzip's header, and for zlib's own or none.
_GZIP, _ZLIB, _RAW = 31, 15, -15


class Validators(msgspec.Struct, frozen=True, kw_only=True):
    """By what the server at `url` tells whether its document has changed."""

    url: str = ""
    etag: str = ""
    last_modified: str = ""


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What became of fetching a document; without a status there was no answer that counts.

    `url` is where it was found, `moved_to` where it says that it is for good, if it was moved.
    `body` is unpacked. `fault` says why there is none: `it answered 404`, `no answer (…)`.
    """

    url: str
    status: int = 0
    body: bytes = b""
    content_type: str = ""
    validators: Validators = Validators()
    moved_to: str = ""
    retry_after: str = ""
    fault: str = ""

    @property
    def is_unmodified(self) -> bool:
        return self.status == _NOT_MODIFIED


def name_agent(publication_url: str) -> str:
    """Who asks, and where its operator can be found."""
    return f"publisher/{__version__} (+{publication_url})"


def fetch(
    url: str,
    *,
    agent: str,
    known: Validators | None = None,
    accept: str = FEEDS,
    most: int = MOST_BYTES,
    private_hosts: Collection[str] = (),
    seconds: float = SECONDS,
    take_turn: Callable[[str], AbstractContextManager[object]] = lambda _: nullcontext(),
    resolve: Resolve = resolve,
) -> Fetched:
    """Get a document of at most `most` bytes, unpacked too; `known` makes it conditional.

    Only the `private_hosts` may be in a private network. `take_turn` is held while a host is asked.
    """
    left, at, moved_to, is_permanent = seconds, _follow("", url), "", True
    for _ in range(_MOST_REDIRECTS + 1):
        if not at:
            return Fetched(url=at, fault="it has no http(s) URL, or one with a password")
        host = urlsplit(at).hostname or ""
        with take_turn(host):
            begun = time.monotonic()
            answer = ask(
                "GET",
                at,
                headers=_headers(agent, accept, known if known and known.url == at else None),
                most=most,
                allow_private=host in private_hosts,
                resolve=resolve,
                seconds=max(left, 0.01),
            )
            left -= time.monotonic() - begun
        location = answer.headers.get("location", "")
        if answer.status not in _REDIRECTS or not location:
            return _open(answer, at, moved_to, most)
        is_permanent = is_permanent and answer.status in _PERMANENT
        at = _follow(at, location)
        moved_to = at if is_permanent else moved_to
    return Fetched(url=at, fault=f"it redirects more than {_MOST_REDIRECTS} times")


def _follow(base: str, location: str) -> str:
    """Where to ask: a URL without what stands behind a `#`; empty where it must not be asked."""
    with suppress(UnicodeError):  # Python reads Latin-1, servers write UTF-8, the RFC has neither
        location = location.encode("latin-1").decode("utf-8")
    return absolute_url(base, location).partition("#")[0]


def _headers(agent: str, accept: str, known: Validators | None) -> dict[str, str]:
    headers = {"User-Agent": agent, "Accept": accept, "Accept-Encoding": "gzip, deflate"}
    if known and known.etag:
        headers["If-None-Match"] = known.etag
    if known and known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    return headers


def _open(answer: Answer, url: str, moved_to: str, most: int) -> Fetched:
    """The document in an answer, or why there is none."""
    headers, fault, body = answer.headers, answer.fault, b""
    if answer.is_success:
        try:
            body = _unpack(answer.body, headers.get("content-encoding", ""), most)
        except ValueError as error:
            fault = str(error)
    elif answer.status and answer.status != _NOT_MODIFIED:
        fault = f"it answered {answer.status}"
    return Fetched(
        url=url,
        status=answer.status,
        body=body,
        content_type=headers.get("content-type", ""),
        validators=Validators(
            url=url,
            etag=headers.get("etag", ""),
            last_modified=headers.get("last-modified", ""),
        ),
        moved_to=moved_to,
        retry_after=answer.retry_after,
        fault=fault,
    )


def _unpack(body: bytes, coding: str, most: int) -> bytes:
    """Undo an answer's content coding; raises ValueError where that fails, or gets too long."""
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return body
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise ValueError(f"its answer is packed with {coding[:20]!r}, which was not asked for")
    # RFC 9110, section 8.4.1.2: deflate has zlib's header, which some servers leave out.
    has_header = body[:1] and body[0] & 0x0F == 8
    wbits = _GZIP if coding != "deflate" else _ZLIB if has_header else _RAW
    whole = b""
    for _ in range(_MOST_MEMBERS):
        unpacker = zlib.decompressobj(wbits)
        try:
            whole += unpacker.decompress(body, most + 1 - len(whole))
        except zlib.error:
            raise ValueError("its answer is packed, and damaged") from None
        if len(whole) > most:
            raise ValueError(f"its answer is longer than {most:,} bytes when it is unpacked")
        if not unpacker.eof:
            raise ValueError("its answer is packed, and breaks off")
        body = unpacker.unused_data
        if not body.startswith(b"\x1f\x8b"):  # what else stands behind it, browsers ignore too
            return whole
    raise ValueError("its answer is packed in too many parts")
