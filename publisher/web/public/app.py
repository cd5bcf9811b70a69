"""The public site over HTTP: its files, and the pages where people subscribe, confirm and leave."""

import asyncio
import traceback
from datetime import UTC, datetime
from typing import Any, cast

from litestar import HttpMethod, Litestar, Request, Response, post, route
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from publisher.audience.address import AddressError, parse_address
from publisher.errors import PublisherError
from publisher.render.frame import TRAP_FIELD
from publisher.web.public.answers import BARE_POLICY, Answer
from publisher.web.public.asking import Asked
from publisher.web.public.consents import LinkPurpose, Press
from publisher.web.public.files import Elsewhere, find_file
from publisher.web.public.form import MOST_BYTES, Fields, FormError, is_one_click, parse_form
from publisher.web.public.names import clean_name
from publisher.web.public.server import PublicServer
from publisher.web.public.visit import Visit, limit_group

# A form's body is there at once, or never.
_BODY_SECONDS = 10.0
_HEADS = [HttpMethod.GET, HttpMethod.HEAD]

AnyRequest = Request[None, None, State]


class Front:
    """Stands before Litestar: routes by the path as it was sent, and lets no answer go bare.

    What was percent-encoded stays so, or a token and a file's name would have many spellings.
    """

    def __init__(self, app: ASGIApp, server: PublicServer) -> None:
        self.app = app
        self.server = server
        self._has_told = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        visit = self.server.doorway.read(scope)
        if visit.is_forwarded and not self._has_told:
            self._has_told = True
            self.server.tell(
                f"{visit.client} passes on other clients' requests, and web.trusted_proxies does"
                " not name it: all of them are counted as one"
            )

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _guard(list(message["headers"]))
            await send(message)

        await self.app(_narrow(scope, visit), receive, send_guarded)


def _narrow(scope: HTTPScope, visit: Visit) -> Scope:
    """What Litestar is to see. It refuses some Hosts, and any is served here."""
    narrowed: dict[str, Any] = {
        **scope,
        "path": visit.path,
        "raw_path": visit.path.encode("latin-1"),
        "headers": [(name, value) for name, value in scope["headers"] if name != b"host"],
        "state": {**scope.get("state", {}), "visit": visit},
    }
    return cast(Scope, narrowed)


def _guard(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    names = {name.lower() for name, _ in headers}
    if b"content-security-policy" not in names:
        headers.append((b"content-security-policy", BARE_POLICY.encode()))
    return [*headers, (b"x-content-type-options", b"nosniff")]


def _visit(request: AnyRequest) -> Visit:
    return cast(Visit, request.scope["state"]["visit"])


def _server(request: AnyRequest) -> PublicServer:
    return cast(PublicServer, request.app.state.server)


@route(["/", "/{path:path}"], http_method=_HEADS)
async def show_file(request: AnyRequest) -> Answer:
    """A file of the site, or what is said where there is none."""
    path, is_head = _visit(request).path, request.method == HttpMethod.HEAD
    asked = [request.headers.get(name, "") for name in ("if-none-match", "if-modified-since")]
    return await asyncio.to_thread(
        _show_file, _server(request), path, is_head, (asked[0], asked[1])
    )


def _show_file(server: PublicServer, path: str, is_head: bool, asked: tuple[str, str]) -> Answer:
    found = find_file(server.public, path)
    if isinstance(found, Elsewhere):
        return server.answers.send_on(found)
    if found is None:
        is_unbuilt = path == "/"  # nothing was built yet
        return server.show("unavailable" if is_unbuilt else "not_found")
    return server.answers.show_file(found, is_head=is_head, asked=asked)


@route("/healthz", http_method=_HEADS)
async def show_health(request: AnyRequest) -> Answer:
    """Say that the site is served and the database answers."""
    server = _server(request)
    await server.require_database()
    return server.answers.say("ok\n")


@post("/subscribe", status_code=200)
async def ask(request: AnyRequest) -> Answer:
    """Take a wish to subscribe. The answer depends on what was typed, never on who is known."""
    server, visit = _server(request), _visit(request)
    if not visit.is_own:
        return server.show("refused")
    try:
        fields = await _read_form(request)
    except FormError:
        return server.show("refused", status=400)
    if not server.asking.is_ready:
        return server.show("unavailable")
    if not server.limits.admit(limit_group(visit.client)):
        return server.show("unavailable", status=429, headers={"Retry-After": "3600"})
    return _take(server, visit, fields)


def _take(server: PublicServer, visit: Visit, fields: Fields) -> Answer:
    emails, names = set(fields.get("email", [""])), set(fields.get("name", [""]))
    if len(emails) > 1 or len(names) > 1:
        return server.show("refused", status=400)
    email = emails.pop()
    try:
        address = parse_address(email)
    except AddressError:
        return server.show("bad_address", address=email.strip())
    if not any(fields.get(TRAP_FIELD, [])):
        name = clean_name(names.pop())
        now = datetime.now(UTC)
        server.asking.put(Asked(address=address, name=name, client=visit.client, at=now))
    return server.show("check_mailbox")


@route("/confirm/{token:str}", http_method=_HEADS)
async def show_confirm(request: AnyRequest) -> Answer:
    return await _look(request, "confirm")


@post("/confirm/{token:str}", status_code=200)
async def confirm(request: AnyRequest) -> Answer:
    return await _press(request, "confirm")


@route("/unsubscribe/{token:str}", http_method=_HEADS)
async def show_unsubscribe(request: AnyRequest) -> Answer:
    return await _look(request, "unsubscribe")


@post("/unsubscribe/{token:str}", status_code=200)
async def unsubscribe(request: AnyRequest) -> Answer:
    return await _press(request, "unsubscribe")


async def _look(request: AnyRequest, purpose: LinkPurpose) -> Answer:
    server = _server(request)
    link = server.find_link(_visit(request), purpose)
    return server.show(await server.look(link) if link else "link_unusable")


async def _press(request: AnyRequest, purpose: LinkPurpose) -> Answer:
    """Do what the token is for. It says enough: no body, whatever it is, keeps anybody in."""
    server, visit = _server(request), _visit(request)
    if not visit.is_own:
        return server.show("refused")
    link = server.find_link(visit, purpose)
    if link is None:
        return server.show("link_unusable")
    try:
        fields = await _read_form(request)
    except (FormError, HTTPException):
        fields = {}
    is_by_program = purpose == "unsubscribe" and is_one_click(fields)
    pressed = Press(
        at=datetime.now(UTC),
        source="one-click" if is_by_program else "link",
        client=visit.client,
    )
    return server.show(await server.press(link, pressed))


async def _read_form(request: AnyRequest) -> Fields:
    """Read the body's fields. Raises FormError, or HTTPException where it is too long or slow."""
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = b"".join([chunk async for chunk in request.stream()])
    except TimeoutError:
        raise HTTPException(status_code=408, headers={"Connection": "close"}) from None
    return parse_form(request.headers.get("content-type", ""), body)


def _show_error(request: AnyRequest, error: Exception) -> Response[bytes]:
    server = _server(request)
    if isinstance(error, HTTPException) and error.status_code < 500:
        if error.status_code == 404:
            return server.show("not_found")
        headers = dict(error.headers or {})
        if allowed := headers.pop("allow", ""):
            headers["Allow"] = ", ".join(sorted(set(allowed.split(", "))))
        return server.show("refused", status=error.status_code, headers=headers)
    if isinstance(error, PublisherError):
        server.tell(str(error))
        return server.show("unavailable")
    server.tell(_describe(error))
    return server.show("unavailable", status=500)


def _describe(error: Exception) -> str:
    """A defect without its values, which may be somebody's address."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" at {place[0].filename}:{place[0].lineno}" if place else ""
    return f"a defect of publisher: {type(error).__name__}{where}"


def make_app(server: PublicServer) -> Front:
    """The ASGI application of one publication's public site."""
    app = Litestar(
        [show_file, show_health, ask, show_confirm, confirm, show_unsubscribe, unsubscribe],
        state=State({"server": server}),
        exception_handlers={Exception: _show_error},
        request_max_body_size=MOST_BYTES,
        logging_config=None,
        openapi_config=None,
    )
    return Front(app, server)
