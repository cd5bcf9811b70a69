"""What several publications have in common: one form to log in by, and the list of them."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import Cookie, State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.types import HTTPScope, Scope
from markupsafe import Markup, escape

from publisher.model.operators import Actor, Operator
from publisher.model.publication import Publication
from publisher.runtime.log import describe_defect, tell_as
from publisher.store import operators
from publisher.store.sessions import Session
from publisher.web.api.bearer import refuse
from publisher.web.api.entry import describe_kind
from publisher.web.api.problems import answer
from publisher.web.console.access import API, COOKIELESS, COOKIELESS_KEY, ForeignRequest, is_own
from publisher.web.console.accounts import WRONG, Onward, local_path
from publisher.web.console.app import STALE, TITLES, answer_asset, say_health
from publisher.web.console.desk import Desk, read_assets, read_templates
from publisher.web.console.entering import key_of, known_cookie, limits_of, note_locked, recognise
from publisher.web.console.publications import Opened, Publications
from publisher.web.console.sessions import begin, cookie_of, end, find
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Form,
    Shell,
    client_of,
    csrf_field,
    redirect,
    text_of,
)
from publisher.web.console.throttle import Throttle
from publisher.web.console.waiting import list_items
from publisher.web.metrics import MEDIA_TYPE, put_together, read_together, write_metrics
from publisher.web.public.visit import Doorway, Visit

Cookies = Mapping[str, str]
Known = list[tuple[Opened, Session]]

# A form to log in by.
_MOST_BYTES = 100_000
_CLOSED = (
    "This publication cannot be opened at this moment; the log of the server says why. It is tried"
    " again by itself, and the others go on."
)


class Row(msgspec.Struct, frozen=True):
    """A publication that somebody has a role in, and what waits there first.

    `more` counts what waits besides; `kind` is that of the first, empty where it can wait.
    """

    path: str
    publication: Publication
    operator: Operator
    kind: str
    text: str
    more: int


class Lobby:
    """What the handlers work with: the publications, and what makes pages of none of them."""

    def __init__(self, publications: Publications, url: str) -> None:
        self.publications = publications
        self.url = url
        self.templates = read_templates()
        self.assets = read_assets()
        self.is_https = url.startswith("https:")
        own = hashlib.sha256(url.encode()).hexdigest()[:8]
        self.cookie = f"{'__Host-' if self.is_https else ''}console-{own}-form"
        self.tell = tell_as("console")
        self.refused = Throttle()

    def look(self, scope: HTTPScope) -> Visit:
        """From where somebody asks: a proxy that one publication trusts stands before them all."""
        tables = [each.desk.settings.web for each in self.publications]
        proxies = [proxy for table in tables for proxy in table.trusted_proxies]
        return Doorway([self.url], proxies).read(scope)

    def narrow(self, scope: HTTPScope, path: str = "") -> Scope:
        """What Litestar is to see, as a publication's front lets it.

        With a path of ours it is a page that is shown, whatever was asked for.
        """
        narrowed: dict[str, Any] = {
            **scope,
            "path": path or scope["path"],
            "method": "GET" if path or scope["method"] == "HEAD" else scope["method"],
            "headers": [(name, value) for name, value in scope["headers"] if name != b"host"],
            "state": {**scope.get("state", {}), "visit": self.look(scope)},
        }
        return cast(Scope, narrowed)

    def render(
        self, request: AnyRequest, template: str, status: int = 200, **variables: Any
    ) -> Answer:
        """Make a page of a template in templates/console/ that is of no publication."""
        shell = Shell(
            publication=Publication(id="", title="Publications", url=self.url, time_zone="UTC"),
            direction="ltr",
            path=request.scope["path"],
            operator=None,
            places=[],
            messages=[],
            csrf=csrf_field(request),
            asset=lambda name: f"/assets/{self.assets[name].name}",
            when=lambda moment: Markup(escape(moment)),  # noqa: S704 - escaped
            may=lambda least: False,
        )
        page = self.templates.get_template(f"console/{template}")
        html = page.render({"problems": {}, "root": "", "shell": shell} | variables)
        return Response(html.encode("utf-8", "replace"), media_type="text/html", status_code=status)


def lobby_of(request: AnyRequest) -> Lobby:
    lobby: Lobby = request.app.state.lobby
    return lobby


async def find_known(publications: Publications, cookies: Cookies) -> Known:
    """The publications where a browser is logged in, with who that is there."""
    answers = await publications.ask_all(lambda desk: _find(desk, cookies))
    return [(each, session) for each, session in answers if session]


def _find(desk: Desk, cookies: Cookies) -> Session | None:
    secret = cookies.get(desk.cookie, "")
    return find(desk, secret) if secret else None


async def leave(
    publications: Publications, some: Sequence[Opened], cookies: Cookies, client: str
) -> list[Cookie]:
    """Log a browser out of some publications; give what takes their cookies away."""

    def end_session(desk: Desk) -> None:
        if session := _find(desk, cookies):
            end(desk, session)
            with desk.database.write() as connection:
                actor = Actor(session.operator.email, client)
                desk.note(connection, actor, "operator logged out")

    await publications.ask_all(end_session, some)
    return [cookie_of(each.desk) for each in some if each.desk.cookie in cookies]


@get("/")
async def show_publications(request: AnyRequest) -> Answer:
    """Where somebody has a role, and what waits there."""
    lobby = lobby_of(request)
    known = await find_known(lobby.publications, request.cookies)
    if not known:
        return redirect("/login")
    who = {each.name: session.operator for each, session in known}
    waits = await lobby.publications.ask_all(list_items, [each for each, _ in known])
    found = {each.name: items for each, items in waits}
    rows = []
    for each, _ in known:
        items = found.get(each.name)
        first = items[0] if items else None
        text = " ".join((first.name, first.text)).strip() if first else "Nothing waits."
        rows.append(
            Row(
                f"{each.desk.root}/",
                each.desk.publication,
                who[each.name],
                first.kind if first else "",
                "It does not answer at this moment." if items is None else text,
                max(len(items or ()) - 1, 0),
            )
        )
    is_whole = len(list(lobby.publications)) == len(lobby.publications.names)
    return lobby.render(request, "publications.html", rows=rows, is_whole=is_whole)


@get("/login")
async def show_login(
    request: AnyRequest, onward: Onward = "", left: FromQuery[str] = "", again: FromQuery[str] = ""
) -> Answer:
    """The form; who is known where they want to go is led there."""
    lobby = lobby_of(request)
    onward = local_path(onward)
    known = await find_known(lobby.publications, request.cookies)
    wanted = onward.split("/")[1]
    is_there = wanted in [each.name for each, _ in known] or wanted not in lobby.publications.names
    if known and is_there and not again:
        return redirect(onward)
    said = "You have logged out." if left else ""
    if known and not again:
        said = "You are logged in, but not at this publication: log in as somebody it knows."
    return lobby.render(
        request, "login.html", onward=onward, email="", said=said, is_new=await _is_new(lobby)
    )


async def _is_new(lobby: Lobby) -> bool:
    def has_operators(desk: Desk) -> bool:
        with desk.database.read() as connection:
            return bool(operators.list_operators(connection, desk.database.publication))

    return not any(answer for _, answer in await lobby.publications.ask_all(has_operators))


@post("/login")
async def take_login(request: AnyRequest, data: Form) -> Answer:
    """Try an address and a password at each publication: a session begins where they are known.

    All are asked, whoever it is: how long it takes says nothing of who is known where.
    """
    lobby = lobby_of(request)
    email, password = text_of(data, "email"), text_of(data, "password")
    onward, key, client = local_path(text_of(data, "next")), key_of(email), client_of(request)
    publications, throttle = lobby.publications, lobby.publications.throttle
    limits = limits_of(request, [each.desk for each in publications], key)
    if wait := throttle.admit(limits):
        return _show_wrong(request, email, onward, wait)
    answers = await publications.ask_all(lambda desk: recognise(desk, key, password, client))
    known = [(each, operator) for each, operator in answers if operator]
    if not known:
        if throttle.is_spent(limits[0]):
            await publications.ask_all(lambda desk: note_locked(desk, key, client))
        return _show_wrong(request, email, onward)
    throttle.take_back(limits)
    cookies = await _enter(lobby, request.cookies, known, key, client)
    wanted, names = onward.split("/")[1], [each.name for each, _ in known]
    is_there = wanted in names or wanted not in publications.names
    found = redirect(onward if is_there else "/")
    for cookie in cookies:
        found.set_cookie(cookie)
    return found


async def _enter(
    lobby: Lobby, cookies: Cookies, known: list[tuple[Opened, Operator]], key: str, client: str
) -> list[Cookie]:
    """Begin the sessions; somebody else's in this browser end, one's own elsewhere go on."""
    ids = {each.desk.cookie: operator.id for each, operator in known}

    def come_in(desk: Desk) -> list[Cookie]:
        begun = begin(desk, ids[desk.cookie], old=_find(desk, cookies))
        return [begun, known_cookie(desk, key)]

    publications = lobby.publications
    strangers = [
        each
        for each, session in await find_known(publications, cookies)
        if key_of(session.operator.email) != key and each.desk.cookie not in ids
    ]
    gone = await leave(publications, strangers, cookies, client)
    begun = await publications.ask_all(come_in, [each for each, _ in known])
    return [*gone, *(cookie for _, some in begun for cookie in some)]


def _show_wrong(request: AnyRequest, email: str, onward: str, wait: int = 0) -> Answer:
    shown = lobby_of(request).render(
        request,
        "login.html",
        429 if wait else 422,
        problems={"": WRONG},
        onward=onward,
        email=email,
        said="",
        is_new=False,
    )
    if wait:
        shown.headers["Retry-After"] = str(wait)
    return shown


@post("/logout")
async def log_out(request: AnyRequest) -> Answer:
    """Log out of all publications."""
    publications = lobby_of(request).publications
    gone = await leave(publications, list(publications), request.cookies, client_of(request))
    found = redirect("/login?left=1")
    for cookie in gone:
        found.set_cookie(cookie)
    return found


@get("/healthz", opt=COOKIELESS)
async def show_health(request: AnyRequest) -> Answer:
    """Say that the console is served, and how each publication is.

    One that is in trouble makes this no failure: who watches would end the others for it. It has a
    /healthz of its own.
    """
    publications = lobby_of(request).publications
    found = {each.name: lines for each, lines in await publications.ask_all(say_health)}
    lines = [
        f"{name}: {'; '.join(['ok', *found[name]]) if name in found else 'does not answer'}"
        for name in publications.names
    ]
    return Response("\n".join(["ok", *lines, ""]).encode(), media_type="text/plain")


@get("/metrics", opt=COOKIELESS)
async def show_metrics(request: AnyRequest) -> Answer:
    """The measures of the publications whose metrics are open, or whose token it is."""
    lobby, header = lobby_of(request), request.headers.get("authorization", "")
    answers = await lobby.publications.ask_all(lambda desk: read_together(desk, header))
    measured = [metrics for _, metrics in answers if metrics is not None]
    if not measured:
        return answer(refuse(lobby.refused, header, client_of(request)), API)
    return Response(write_metrics(put_together(measured)), media_type=MEDIA_TYPE)


@get("/assets/{name:str}", sync_to_thread=False, opt=COOKIELESS)
def show_asset(request: AnyRequest, name: FromPath[str]) -> Answer:
    return answer_asset(lobby_of(request).assets, name)


@get(f"{API}/problems/{{kind:str}}", sync_to_thread=False, opt=COOKIELESS)
def show_kind(kind: FromPath[str]) -> Answer:
    """A type of problem of the API, whose name is an address that never changes."""
    if (found := describe_kind(kind)) is None:
        raise NotFoundException("There is no such type of problem.")
    return Response(msgspec.json.encode(found), media_type="application/json")


@get("/closed", sync_to_thread=False)
def show_closed(request: AnyRequest) -> Answer:
    """What is said of a publication that cannot be opened."""
    return lobby_of(request).render(request, "error.html", 503, title="Not now", text=_CLOSED)


def _require_own(request: Request[Any, Any, Any]) -> None:
    if request.method not in ("GET", "OPTIONS") and not is_own(request.scope):
        raise ForeignRequest("A page of another site has sent this; nothing was done.")


def _show_error(request: AnyRequest, error: Exception) -> Answer:
    lobby = lobby_of(request)
    if isinstance(error, HTTPException) and error.status_code < 500:
        is_stale = "CSRF" in error.detail
        title = TITLES.get(error.status_code, "This was refused")
        text = STALE if is_stale else error.detail
        shown = lobby.render(request, "error.html", error.status_code, title=title, text=text)
        if is_stale:
            shown.set_cookie(Cookie(key=lobby.cookie, max_age=0, value=""))
        return shown
    lobby.tell(describe_defect(error))
    text = "This is a defect of publisher. What was asked for may not have been done."
    return lobby.render(request, "error.html", 500, title="Something went wrong", text=text)


def make_lobby(lobby: Lobby) -> Litestar:
    """The application that stands beside the publications' own."""
    return Litestar(
        [
            *(show_publications, show_login, take_login, log_out, show_health, show_metrics),
            *(show_asset, show_kind, show_closed),
        ],
        before_request=_require_own,
        csrf_config=CSRFConfig(
            # Forms that were open before the console began anew are sent once more.
            secret=secrets.token_hex(32),
            cookie_name=lobby.cookie,
            cookie_secure=lobby.is_https,
            cookie_httponly=True,
            exclude_from_csrf_key=COOKIELESS_KEY,
        ),
        state=State({"lobby": lobby}),
        exception_handlers={Exception: _show_error},
        request_max_body_size=_MOST_BYTES,
        logging_config=None,
        openapi_config=None,
    )
