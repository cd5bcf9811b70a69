"""The preview over HTTP: our own pages, the frames of their views, and the site as it was built."""

import asyncio
import mimetypes
import os
import re
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from litestar import Litestar, MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException
from litestar.response import Redirect, Stream
from litestar.response.sse import ServerSentEventMessage
from litestar.types import ASGIApp, Receive, Scope, Send

from publisher.site.scan import ISSUES
from publisher.web.preview.building import Building, Shown
from publisher.web.preview.contents import Contents
from publisher.web.preview.pages import (
    read_asset,
    render_feeds_frame,
    render_lost,
    render_overview,
    render_text_frame,
    render_workbench,
)
from publisher.web.preview.rewrite import add_script, localise
from publisher.web.preview.views import BY_NAME, VIEWS, View, file_of, frame_document

SCRIPT = "/-/preview.js"
# The names under which a browser on this machine reaches us. A page elsewhere whose name was made
# to lead here (DNS rebinding) is refused: drafts are nobody else's business.
_OWN_HOST = re.compile(rb"(?:localhost|127\.0\.0\.1)(?::\d{1,5})?")
# A browser shows these as text or as a tree, which it may not do for their own types.
_SHOWN_AS = {".atom": "application/xml", ".rss": "application/xml", ".opml": "application/xml"}
_PING_SECONDS = 15.0
_RETRY_MILLISECONDS = 500

_OWN_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_SITE_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' http: https:; script-src {origin}" + SCRIPT + " {origin}/assets/; "
    "connect-src 'self'; base-uri 'none'; form-action {origin}/search/; frame-ancestors 'none'"
)
# A sandboxed document has an origin of its own, so ours is named rather than called 'self'.
_FRAME_POLICY = (
    "default-src 'none'; style-src {origin} 'unsafe-inline'; font-src {origin}; img-src {images}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors {origin}; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_FILE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; "
    "frame-ancestors 'none'"
)

AnyRequest = Request[None, None, State]
Answer = Response[bytes]


class OwnHostOnly:
    """Refuses every request that does not name this machine's loopback as its host."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and _OWN_HOST.fullmatch(hosts[0]):
            await self.app(scope, receive, send)
            return
        # 421 Misdirected Request: RFC 9110, section 15.5.20
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": 421, "headers": headers})
        body = b"The preview answers to localhost and 127.0.0.1 only.\n"
        await send({"type": "http.response.body", "body": body, "more_body": False})


def _answer(content: str | bytes, policy: str, media_type: str = MediaType.HTML.value) -> Answer:
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return Response(data, media_type=media_type, headers=headers)


def _origin(request: AnyRequest) -> str:
    return f"http://{request.headers['host']}"


def _open(building: Building) -> tuple[Shown, Contents | None]:
    shown = building.shown
    if shown.built is None:
        return shown, None
    return shown, Contents(shown.built, building.output, datetime.now(UTC))


def _open_built(building: Building) -> tuple[Shown, Contents]:
    shown, contents = _open(building)
    if contents is None:
        raise NotFoundException("The first build is running. This page follows when it is done.")
    return shown, contents


def _find_view(name: str) -> View:
    if name not in BY_NAME:
        raise NotFoundException(f"There is no view {name!r}.")
    return BY_NAME[name]


@get("/", sync_to_thread=True)
def show_overview(building: Building, page: int = 1) -> Answer:
    shown, contents = _open(building)
    return _answer(render_overview(shown, contents, max(1, min(page, 10**6))), _OWN_POLICY)


@get("/-/issue/{name:str}", sync_to_thread=False)
def choose_view(name: str) -> Redirect:
    return Redirect(f"/-/issue/{quote(name)}/{VIEWS[0].name}")


@get("/-/issue/{name:str}/{view:str}", sync_to_thread=True)
def show_issue(building: Building, name: str, view: str) -> Answer:
    shown, contents = _open_built(building)
    found = contents.find(name)
    if found is None:
        raise NotFoundException(f"There is no issue {name!r} in {ISSUES}/.")
    return _answer(render_workbench(shown, contents, found[0], _find_view(view)), _OWN_POLICY)


@get("/-/frame/{name:str}/{view:str}", sync_to_thread=True)
def show_frame(request: AnyRequest, building: Building, name: str, view: str) -> Answer:
    shown, contents = _open_built(building)
    chosen, found = _find_view(view), contents.find(name)
    data = contents.read(file_of(chosen, name))
    if found is None or data is None:
        raise NotFoundException("There is nothing to show.")
    row, issue = found
    text = data.decode("utf-8", "replace")
    if view == "text":
        document = render_text_frame(shown, row, text)
    elif view == "feeds" and issue:
        document = render_feeds_frame(shown, contents, row, issue)
    else:
        document = frame_document(text, chosen, name, contents.built.url)
    images = "'none'" if view == "images-off" else f"{_origin(request)} http: https:"
    return _answer(document, _FRAME_POLICY.format(origin=_origin(request), images=images))


@get("/-/blank", sync_to_thread=False)
def show_blank(request: AnyRequest) -> Answer:
    """Where a frame goes to come back, which keeps its scroll position; see preview.js."""
    policy = _FRAME_POLICY.format(origin=_origin(request), images="'none'")
    return _answer("<!doctype html><title>Blank</title>", policy)


@get("/-/preview.css", sync_to_thread=True)
def show_stylesheet() -> Answer:
    return _answer(read_asset("preview.css"), _FILE_POLICY, "text/css")


@get(SCRIPT, sync_to_thread=True)
def show_script() -> Answer:
    return _answer(read_asset("preview.js"), _FILE_POLICY, "text/javascript")


@get("/-/events")
async def show_events(building: Building) -> Stream:
    """Tell the version that pages show, at once and after each build that changed something."""

    async def tell() -> AsyncIterator[bytes]:
        retry: int | None = _RETRY_MILLISECONDS
        while not building.is_closed:
            version = building.shown.version
            yield ServerSentEventMessage(version, event="built", retry=retry).encode()
            retry = None
            while not building.is_closed and building.shown.version == version:
                try:
                    await asyncio.wait_for(building.wait_beyond(version), _PING_SECONDS)
                except TimeoutError:  # a browser that left unseen is noticed when we write
                    yield ServerSentEventMessage(None, comment="still here").encode()

    return Stream(tell(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@get("/{path:path}", sync_to_thread=True)
def show_file(request: AnyRequest, building: Building) -> Answer | Redirect:
    """A file of the site, at the path that it will have in public."""
    shown, contents = _open_built(building)
    # Litestar's own path has lost its last slash, which tells a folder from a file.
    name = unquote(request.scope["raw_path"].decode("ascii")).removeprefix("/")
    wanted = f"{name}index.html" if name.endswith("/") else name
    data = contents.read(wanted)
    if data is None:
        if contents.read(f"{name}/index.html") is not None:
            return Redirect(f"/{quote(name)}/")
        raise NotFoundException(f"`{name}` is not part of the site.")
    if wanted.endswith(".html"):
        html = localise(data.decode("utf-8", "replace"), contents.built.url)
        policy = _SITE_POLICY.format(origin=_origin(request))
        return _answer(add_script(html, SCRIPT, shown.version), policy)
    if wanted.endswith(".css"):
        data = localise(data.decode("utf-8", "replace"), contents.built.url).encode()
    suffix = wanted[wanted.rfind(".") :].lower()
    media_type = _SHOWN_AS.get(suffix) or mimetypes.guess_type(wanted)[0]
    return _answer(data, _FILE_POLICY, media_type or "application/octet-stream")


def _show_error(request: AnyRequest, error: Exception) -> Answer:
    """Show what is not there, or a defect; the page follows the builds, so it mends itself."""
    shown = request.app.state.building.shown
    if isinstance(error, HTTPException):
        status, title, text = error.status_code, "Not here", error.detail
    else:
        status, title = 500, "A defect of publisher"
        text = f"{type(error).__name__}: {error}"
        if os.environ.get("PUBLISHER_DEBUG"):
            traceback.print_exception(error)
    answer = _answer(render_lost(shown, title, text), _OWN_POLICY)
    answer.status_code = status
    return answer


def make_app(building: Building) -> OwnHostOnly:
    """The ASGI application over the builds of one publication."""
    handlers = [
        *(show_overview, choose_view, show_issue, show_frame, show_blank, show_file),
        *(show_stylesheet, show_script, show_events),
    ]
    app = Litestar(
        handlers,
        dependencies={"building": Provide(lambda: building, sync_to_thread=False)},
        state=State({"building": building}),
        exception_handlers={Exception: _show_error},
        logging_config=None,
        openapi_config=None,
    )
    return OwnHostOnly(app)
