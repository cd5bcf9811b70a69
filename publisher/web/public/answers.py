"""Files and pages as HTTP answers, each with a policy that lets a browser do what it must."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Response

from publisher.settings import Settings
from publisher.settings_values import to_ascii_url
from publisher.web.public.codings import AS_IT_IS
from publisher.web.public.conditions import format_date
from publisher.web.public.files import Elsewhere, Found
from publisher.web.public.pages import Page

# A file whose name changes with its content.
_HASHED = re.compile(r"assets/[^/]+-[0-9a-f]{10,64}\.[a-z0-9]+")
# A feed may be so old, in seconds: its readers ask every half hour or more rarely. Whatever else
# can be corrected is asked for anew each time.
_FOR_A_WHILE = "public, max-age=1800"
_VARY = {"Vary": "Accept-Encoding"}
_HTML = "text/html"  # Litestar says of all text that it is UTF-8

_FILE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MESSAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' http: https:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# The one page that has a script: it searches where this server does not.
_SEARCH_PAGE = "search/index.html"
# What is asked of an answer that says nothing itself.
BARE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_BARE = {
    b"content-security-policy": BARE_POLICY.encode(),
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}

Answer = Response[Any]


def guard(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """An answer's headers, and those besides that no answer goes without."""
    names = {name.lower() for name, _ in headers}
    added = [(name, value) for name, value in _BARE.items() if name not in names]
    return [*headers, *added, (b"date", format_date(datetime.now(UTC)).encode())]


class Answers:
    """Makes the answers that are no files, for one site."""

    def __init__(self, settings: Settings) -> None:
        self._page_policy = (
            "default-src 'none'; style-src {style}; img-src 'self' http: https:; "
            f"{_ending(settings)}"
        )

    def show_page(
        self, page: Page, status: int = 200, headers: dict[str, str] | None = None
    ) -> Response[bytes]:
        """A page of the server's own, which nobody keeps.

        Its address may hold a token, so it is told to nobody. It is not `no-referrer`: with that,
        browsers send `Origin: null` along with the page's own form (Fetch, section 3.2).
        """
        own = {
            "Content-Security-Policy": self._page_policy.format(style=page.style_source),
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
        return Response(
            page.html, status_code=status, media_type=_HTML, headers=own | (headers or {})
        )

    def send_on(self, location: str) -> Response[bytes]:
        """Say where something is instead: a reference relative to the path asked for."""
        headers = {"Location": location, "Cache-Control": "no-cache"}
        return Response(b"", status_code=301, media_type="text/plain", headers=headers)

    def say(self, text: str, status: int = 200) -> Response[bytes]:
        """A line for programs."""
        headers = {"Cache-Control": "no-store"}
        return Response(
            text.encode(),
            status_code=status,
            media_type="text/plain",
            headers=headers,
        )


class FileHeaders:
    """What is said of one site's files, apart from their length."""

    def __init__(self, settings: Settings) -> None:
        publication = settings.as_publication()
        self._url = publication.url
        self._hub = to_ascii_url(settings.feeds.hub)
        site = _origin(publication.url)
        self._page_policy = (
            f"default-src 'none'; style-src 'self' {site}; font-src 'self' {site}; "
            f"img-src 'self' http: https:; media-src 'self' {site}; {_ending(settings)}"
        )
        self._search_policy = f"{self._page_policy}; script-src 'self'; connect-src 'self'"

    def describe(self, found: Found, coding: str) -> dict[str, str]:
        """What holds of a file, whether it is sent or not."""
        headers = {
            "Content-Type": found.media_type,
            "Content-Security-Policy": self._policy_of(found),
            "Cache-Control": _keep_for(found),
            "Referrer-Policy": "strict-origin-when-cross-origin",
        }
        headers |= _VARY if found.is_text else {"Accept-Ranges": "bytes"}
        if coding != AS_IT_IS:
            headers["Content-Encoding"] = coding
        if found.is_feed:
            headers["Link"] = self._link(found)
        return headers

    def validate(self, found: Found, tag: str) -> dict[str, str]:
        """What tells a state of a file from another one.

        A time that is still to come (two states had to have different ones) is not told yet: RFC
        9110, section 8.8.2.1, forbids it.
        """
        headers = {"ETag": f'"{tag}"'}
        if found.modified <= datetime.now(UTC):
            headers["Last-Modified"] = format_date(found.modified)
        return headers

    def refuse(self, found: Found) -> dict[str, str]:
        """What is said where a file cannot be sent in the way that is asked for."""
        vary = _VARY if found.is_text else {}
        return {"Cache-Control": "no-store", "Content-Length": "0"} | vary

    def send_on(self, elsewhere: Elsewhere) -> dict[str, str]:
        location = {"Location": elsewhere.location}
        return location | {"Cache-Control": "no-cache", "Content-Length": "0"}

    def _link(self, found: Found) -> str:
        """WebSub, section 4: in one line, since some take only the first."""
        targets = {"self": f"{self._url}/{quote(found.path)}", "hub": self._hub}
        return ", ".join(f'<{url}>; rel="{rel}"' for rel, url in targets.items() if url)

    def _policy_of(self, found: Found) -> str:
        if found.path.endswith("/email.html"):
            return _MESSAGE_POLICY
        if found.path == _SEARCH_PAGE:
            return self._search_policy
        return self._page_policy if found.path.endswith(".html") else _FILE_POLICY


def _keep_for(found: Found) -> str:
    if _HASHED.fullmatch(found.path):
        return "public, max-age=31536000, immutable"
    return _FOR_A_WHILE if found.is_feed else "no-cache"


def _ending(settings: Settings) -> str:
    forms = f"form-action 'self' {_origin(settings.web_url)}"
    return f"base-uri 'none'; {forms}; frame-ancestors 'none'"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
