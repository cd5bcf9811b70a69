"""The console over HTTP: the areas' routes, and what stands around them all.

To add an area, see `shell.py`; its module's `handlers` are put into AREAS here. From the outside in
a request meets: `Front` (a HEAD is a GET, bodies that do not come, headers of every answer), the
session, the guard (`access.py`), the form's token, the handler.
"""

import asyncio
from collections.abc import Mapping
from types import ModuleType
from typing import Any, cast

from litestar import Litestar, Response, get
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import Cookie, State
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from publisher.errors import PublisherError
from publisher.runtime.log import describe_defect
from publisher.store.ticks import find_last_tick
from publisher.web import metrics
from publisher.web.api.app import make_api
from publisher.web.console import (
    accounts,
    adding,
    audit,
    choosing,
    correcting,
    deliveries,
    drafts,
    home,
    imports,
    issues,
    mailings,
    media,
    operators,
    paste,
    readers,
    schedules,
    seeing,
    sending,
    suppressions,
    tokens,
    webhooks,
    welcome,
    writing,
)
from publisher.web.console.access import API, COOKIELESS, COOKIELESS_KEY, Guard
from publisher.web.console.desk import Asset, Desk
from publisher.web.console.sessions import SessionConfig
from publisher.web.console.shell import Answer, AnyRequest, desk_of, in_thread, redirect, render
from publisher.web.console.throttle import Throttle
from publisher.web.hooks import app as hooks
from publisher.web.hooks.app import open_hooks
from publisher.web.hooks.sns import Fetch, fetch_aws

AREAS: tuple[ModuleType, ...] = (
    *(issues, paste, drafts, writing, seeing, media),
    *(home, accounts, welcome, sending, correcting, mailings, deliveries),
    *(readers, choosing, adding, imports, suppressions, schedules),
    *(operators, webhooks, tokens, audit),
    *(metrics, hooks),
)

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    # A stricter one would send `Origin: null` along with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# A form; what takes files allows more for itself.
_MOST_BYTES = 2_000_000
# The next part of a body comes within this, and all of it within that.
_PART_SECONDS = 10.0
_BODY_SECONDS = 300.0


class Front:
    """Stands before Litestar: lets no answer go bare, and waits for no body for ever."""

    def __init__(self, app: ASGIApp, api: ASGIApp, desk: Desk) -> None:
        self.app = app
        self.api = api
        self.desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return

        narrowed = self._narrow(scope)
        path = narrowed["path"]
        is_api = path == API or path.startswith(f"{API}/")

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                headers = headers if is_api else _point(headers, self.desk.root)
                message["headers"] = guard_headers(headers)
            await send(message)

        app = self.api if is_api else self.app
        await app(narrowed, make_impatient(receive), send_guarded)

    def _narrow(self, scope: HTTPScope) -> HTTPScope:
        """What Litestar is to see: paths without our root.

        It refuses some Hosts; which is ours has been looked at.
        """
        narrowed: dict[str, Any] = {
            **scope,
            "path": scope["path"].removeprefix(self.desk.root),
            "method": "GET" if scope["method"] == "HEAD" else scope["method"],
            "headers": [(name, value) for name, value in scope["headers"] if name != b"host"],
            "state": {**scope.get("state", {}), "visit": self.desk.doorway.read(scope)},
        }
        return cast(HTTPScope, narrowed)


def _point(headers: list[tuple[bytes, bytes]], root: str) -> list[tuple[bytes, bytes]]:
    """Let a redirect to a path of the publication's lead to where the publication is."""
    return [
        (
            name,
            root.encode() + value if name.lower() == b"location" and value[:1] == b"/" else value,
        )
        for name, value in headers
    ]


def make_impatient(receive: Receive) -> Receive:
    """Wait for no body for ever."""
    ends: list[float] = []
    is_whole = False

    async def wait() -> Any:
        nonlocal is_whole
        if is_whole:  # who streams an answer waits here for its client to go away
            return await receive()
        now = asyncio.get_running_loop().time()
        ends[:] = ends or [now + _BODY_SECONDS]
        try:
            async with asyncio.timeout_at(min(now + _PART_SECONDS, ends[0])):
                message = await receive()
        except TimeoutError:
            raise HTTPException(
                "What was sent did not come to its end.",
                status_code=408,
                headers={"Connection": "close"},
            ) from None
        is_whole = not message.get("more_body")
        return message

    return wait


def guard_headers(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Add what every answer has, unless it has another one of its own."""
    names = {name.lower() for name, _ in headers}
    added = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
    return [*headers, *(each for each in added if each[0] not in names)]


@get("/healthz", opt=COOKIELESS)
@in_thread
def show_health(request: AnyRequest) -> Answer:
    """Say that the console is served, the database answers, and when the scheduler ticked."""
    text = "".join(f"{line}\n" for line in ("ok", *say_health(desk_of(request))))
    return Response(text.encode(), media_type="text/plain")


def say_health(desk: Desk) -> list[str]:
    """When the scheduler ticked last. Raises StoreError where the database does not answer."""
    with desk.database.read() as connection:
        tick = find_last_tick(connection, desk.database.publication)
    if tick is None:
        return []
    seconds = max(0, (desk.clock() - tick).total_seconds())
    return [f"scheduler: last tick {seconds:.0f} s ago"]


@get("/assets/{name:str}", sync_to_thread=False, opt=COOKIELESS)
def show_asset(request: AnyRequest, name: FromPath[str]) -> Answer:
    """A stylesheet or a script, for good: its name changes with its content."""
    return answer_asset(desk_of(request).assets, name)


def answer_asset(assets: Mapping[str, Asset], name: str) -> Answer:
    for asset in assets.values():
        if asset.name == name:
            headers = {"Cache-Control": "public, max-age=31536000, immutable"}
            return Response(asset.content, media_type=asset.media_type, headers=headers)
    raise NotFoundException("There is no such file.")


@get("/{path:path}", sync_to_thread=False)
def show_missing(path: FromPath[str]) -> Answer:
    """What is said to operators where there is no page; others are asked to log in."""
    raise NotFoundException(f"There is no page {path}.")


def _show_error(request: AnyRequest, error: Exception) -> Answer:
    desk = desk_of(request)
    if isinstance(error, HTTPException) and error.status_code < 500:
        return _show_refusal(request, error)
    if isinstance(error, PublisherError):
        desk.tell(str(error))
        return render(request, "error.html", status=503, title="Not now", text=f"{error}.")
    desk.tell(describe_defect(error))
    text = "This is a defect of publisher. What was asked for may not have been done."
    return render(request, "error.html", status=500, title="Something went wrong", text=text)


STALE = (
    "The page with this form is too old, or this browser keeps no cookies. Go back, load the page"
    " again and send the form once more."
)
TITLES = {
    400: "This cannot be understood",
    401: "You are not logged in any more",
    403: "You may not do this",
    404: "Not here",
    405: "This cannot be done here",
    408: "It took too long",
    413: "This is too large",
}


def _show_refusal(request: AnyRequest, error: HTTPException) -> Answer:
    if error.status_code == 401 and request.method == "GET":
        return redirect(accounts.login_path(request))
    text, headers = error.detail, dict(error.headers or {})
    is_stale = "CSRF" in text
    if error.status_code == 400:
        text = "Something in the address or the form is not what belongs there."
    elif is_stale:
        text = STALE
    elif error.status_code == 401:
        text = (
            "Nothing was done. Log in in another tab, then come back to this one, go one page back"
            " and send the form again: what you wrote should still be there."
        )
    title = TITLES.get(error.status_code, "This was refused")
    answer = render(
        request, "error.html", status=error.status_code, headers=headers, title=title, text=text
    )
    if is_stale:  # a new one is made with the next page, whatever was wrong with this one
        answer.set_cookie(Cookie(key=f"{desk_of(request).cookie}-form", max_age=0, value=""))
    return answer


def make_app(desk: Desk, fetch: Fetch = fetch_aws) -> Front:
    """The ASGI application of one publication's console; `fetch` asks AWS."""
    return Front(make_litestar(desk, fetch), make_api(desk), desk)


def make_litestar(desk: Desk, fetch: Fetch = fetch_aws) -> Litestar:
    """What is behind the front: tests look at its routes."""
    areas = [handler for area in AREAS for handler in area.handlers]
    return Litestar(
        [show_health, show_asset, show_missing, *areas],
        middleware=[SessionConfig(desk).middleware, Guard],
        csrf_config=CSRFConfig(
            secret=desk.secret.hex(),
            cookie_name=f"{desk.cookie}-form",
            cookie_secure=desk.is_https,
            cookie_httponly=True,
            exclude_from_csrf_key=COOKIELESS_KEY,
        ),
        state=State({"desk": desk, "hooks": open_hooks(desk, fetch), "metrics": Throttle()}),
        exception_handlers={Exception: _show_error},
        request_max_body_size=_MOST_BYTES,
        logging_config=None,
        openapi_config=None,
    )
