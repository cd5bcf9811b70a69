"""Files and pages as HTTP answers, each with a policy that lets a browser do what it must."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from litestar import Response
from litestar.response import Stream

from publisher.settings import Settings
from publisher.web.public.files import Elsewhere, Found, is_unchanged
from publisher.web.public.pages import Page

# What is smaller is sent at once.
_AT_ONCE = 262_144
_CHUNK = 65_536
# The name of the site's own stylesheet changes with its content.
_FOR_GOOD = "public, max-age=31536000, immutable"
_HTML = "text/html"  # Litestar says of all text that it is UTF-8

_FILE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MESSAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' http: https:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# What is asked of an answer that says nothing itself.
BARE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

# A stream is one too.
Answer = Response[Any]


class Answers:
    """Makes answers for one site, whose pages name its URLs as they are in public."""

    def __init__(self, settings: Settings) -> None:
        site = _origin(settings.as_publication().url)
        forms = f"form-action 'self' {_origin(settings.web_url)}"
        ending = f"base-uri 'none'; {forms}; frame-ancestors 'none'"
        self._site_policy = (
            f"default-src 'none'; style-src 'self' {site}; font-src 'self' {site}; "
            f"img-src 'self' http: https:; media-src 'self' {site}; {ending}"
        )
        self._page_policy = (
            f"default-src 'none'; style-src {{style}}; img-src 'self' http: https:; {ending}"
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

    def show_file(self, found: Found, *, is_head: bool, asked: tuple[str, str]) -> Answer:
        """A file; `asked` are If-None-Match and If-Modified-Since, empty where not sent."""
        headers = self._describe(found)
        if is_unchanged(found, *asked) and not found.is_withdrawn:
            found.file.close()
            return Response(b"", status_code=304, media_type=found.media_type, headers=headers)
        status = 410 if found.is_withdrawn else 200
        headers["Content-Length"] = str(found.size)
        if is_head or found.size <= _AT_ONCE:
            with found.file as file:
                data = b"" if is_head else file.read(found.size)
            return Response(data, status_code=status, media_type=found.media_type, headers=headers)
        return Stream(
            _read(found), status_code=status, media_type=found.media_type, headers=headers
        )

    def send_on(self, elsewhere: Elsewhere) -> Response[bytes]:
        headers = {"Location": elsewhere.location, "Cache-Control": "no-cache"}
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

    def _describe(self, found: Found) -> dict[str, str]:
        headers = {
            "Content-Security-Policy": self._policy_of(found),
            "Cache-Control": _FOR_GOOD if found.path.startswith("assets/site-") else "no-cache",
            "Referrer-Policy": "strict-origin-when-cross-origin",
        }
        if not found.is_withdrawn:
            headers |= {"ETag": found.tag, "Last-Modified": found.last_modified}
        return headers

    def _policy_of(self, found: Found) -> str:
        if found.path.endswith("/email.html"):
            return _MESSAGE_POLICY
        return self._site_policy if found.path.endswith(".html") else _FILE_POLICY


async def _read(found: Found) -> AsyncIterator[bytes]:
    with found.file as file:
        left = found.size
        while left and (data := await asyncio.to_thread(file.read, min(_CHUNK, left))):
            left -= len(data)
            yield data


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
