"""The console's pages: the layout around them, what is said once, forms, and who asks.

To add an area, such as schedules:

1. `publisher/web/console/schedules.py` with its handlers, and `handlers = [...]` of all of them:

       @get("/schedules")
       @in_thread
       def show_schedules(request: AnyRequest) -> Answer:
           desk = desk_of(request)
           with desk.database.read() as connection:
               rows = ...
           return render(request, "schedules.html", rows=rows)

       @post("/schedules/{schedule:int}/fire")
       @in_thread
       def fire(request: AnyRequest, schedule: RowId, data: Form) -> Answer:
           desk = desk_of(request)
           with desk.database.write() as connection:
               ...
               desk.note(connection, actor_of(request), "schedule fired", about=name)
           flash(request, "It fires now.")
           return redirect("/schedules")

   Handlers that touch the database or files are plain functions `in_thread`, so that nothing blocks
   the loop. Parameters are `FromPath[str]`, `FromQuery[str]` of litestar.params, or
   `RowId` and `Before` for rows' ids. `data: Form` holds the fields of a form (see
   `text_of`); a file's upload takes `Body(media_type=RequestEncodingType.MULTI_PART)` and a
   `request_max_body_size` of its own. What is wrong with a form is shown in it again:
   `render(request, "x.html", status=422, problems={"email": "There is no @ in it."}, ...)`.
2. Its module's name in `AREAS` of `app.py`.
3. A line for each route in `ACCESS` of `access.py`.
4. A line in `NAVIGATION` below, if people go there.
5. `templates/console/schedules.html`, which extends `console/base.html` and imports
   `console/macros.html` as `ui`, both `with context`; `/assets/…` of a script by
   `shell.asset("schedules.js")`. Every form has `{{ shell.csrf }}` in it. Paths in a template
   begin with `{{ root }}`, the publication's place where there are several: `href="{{ root }}/x"`,
   also where a variable or a macro's argument holds the path. In JSON it is `desk.root`.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from functools import wraps
from typing import Annotated, Any, ParamSpec
from urllib.parse import quote

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter, QueryParameter
from litestar.utils.scope.state import ScopeState
from markupsafe import Markup

from publisher.model.access import Role, is_at_least
from publisher.model.language import direction
from publisher.model.operators import Actor, Operator
from publisher.model.publication import Publication
from publisher.web.console.desk import Desk
from publisher.web.public.visit import Visit, limit_group

P = ParamSpec("P")

AnyRequest = Request[Operator | None, Any, State]
Answer = Response[bytes]
Form = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
# What can be the id of a row, and what no database chokes on.
RowId = Annotated[int, PathParameter(ge=1, le=2**53)]
Before = Annotated[int, QueryParameter(ge=0, le=2**53)]

_FLASH = "flash"
# RFC 3986, section 2: what stands in a URL as it is, what is quoted already included.
_IN_URLS = "%/?#[]@:!$&'()*+,;="
_CSRF_FIELD = Markup('<input type="hidden" name="_csrf_token" value="{}">')
_TIME = Markup('<time datetime="{}" title="{}">{}</time>')


class Place(msgspec.Struct, frozen=True):
    """Where the navigation leads, and who is led there."""

    path: str
    label: str
    least: Role


NAVIGATION = (
    Place("/", "Home", "viewer"),
    Place("/issues", "Issues", "viewer"),
    Place("/media", "Images", "viewer"),
    Place("/mailings", "Mailings", "viewer"),
    Place("/schedules", "Schedules", "viewer"),
    Place("/readers", "Readers", "sender"),
    Place("/operators", "Operators", "owner"),
    Place("/tokens", "API tokens", "owner"),
    Place("/webhooks", "Webhooks", "owner"),
    Place("/audit", "Audit log", "owner"),
)


class Door(msgspec.Struct, frozen=True):
    """Where else somebody can go: another publication of the console, or the list of them."""

    path: str
    label: str
    language: str


class Shell(msgspec.Struct, frozen=True, kw_only=True):
    """What the layout shows, and what every template may ask for.

    `places` are those of the navigation, each with `page`, `true` or nothing for aria-current.
    `doors` lead to the other publications of the console, where it has several.
    `messages` are pairs of a kind (`done` or `problem`) and a text.
    """

    publication: Publication
    direction: str
    path: str
    operator: Operator | None
    places: list[tuple[Place, str]]
    messages: list[tuple[str, str]]
    csrf: Markup
    asset: Callable[[str], str]
    when: Callable[[datetime], Markup]
    may: Callable[[Role], bool]
    doors: Sequence[Door] = ()


def render(
    request: AnyRequest,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **variables: Any,
) -> Answer:
    """Make a page of a template in templates/console/.

    Templates always have `problems`: what is wrong with each field of a form that is shown again;
    and `root`, which each path in them begins with.
    """
    shell = _make_shell(request)
    variables = {"problems": {}, "root": desk_of(request).root} | variables
    page = desk_of(request).templates.get_template(f"console/{template}")
    html = page.render(shell=shell, **variables)
    return Response(
        html.encode("utf-8", "replace"),
        media_type="text/html",
        status_code=status,
        headers=dict(headers or {}),
    )


def redirect(path: str) -> Answer:
    """Send on to another page after a change: with GET, so that going back does not do it again.

    The front puts `root` before the path, as templates do; handlers need not know of it.
    A path may hold what somebody wrote, and a header holds no other letters and no line's end.
    """
    return Response(b"", status_code=303, headers={"Location": quote(path, safe=_IN_URLS)})


def flash(request: AnyRequest, text: str, kind: str = "done") -> None:
    """Say something on the next page that is shown; `kind` is `done` or `problem`."""
    request.session.setdefault(_FLASH, []).append([kind, text])


def text_of(form: Mapping[str, Any], name: str) -> str:
    """The value of a form's field; empty where it is not there, the last one of several."""
    value = form.get(name, "")
    value = value[-1] if isinstance(value, list) and value else value
    return value if isinstance(value, str) else ""


def texts_of(form: Mapping[str, Any], name: str) -> list[str]:
    """The values of a form's field that may have several, such as of boxes that are ticked."""
    value = form.get(name, [])
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]


def sentence_of(error: Exception) -> str:
    """What is wrong, as a sentence of its own beside a field."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def in_thread(handle: Callable[P, Answer]) -> Callable[P, Coroutine[Any, Any, Answer]]:
    """Let a handler that waits for the database or files do so in a thread.

    Litestar's own `sync_to_thread` wraps a handler twice where two methods share its path, and then
    gives a coroutine for an answer (2.25: it does not know its wrapper for a coroutine's).
    """

    @wraps(handle)
    async def handler(*args: P.args, **named: P.kwargs) -> Answer:
        request: Any = args[0] if args else named["request"]
        return await desk_of(request).work(handle, *args, **named)

    return handler


def desk_of(request: AnyRequest) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def operator_of(request: AnyRequest) -> Operator:
    """Who is logged in, which the guard has made sure of."""
    operator: Operator | None = request.scope.get("user")
    assert operator is not None  # noqa: S101
    return operator


def client_of(request: AnyRequest) -> str:
    """From where somebody asks, as they are counted and noted."""
    visit: Visit = request.scope["state"]["visit"]
    return limit_group(visit.client)


def actor_of(request: AnyRequest) -> Actor:
    """Who does something, for the audit log."""
    return Actor(operator_of(request).email, client_of(request))


def _make_shell(request: AnyRequest) -> Shell:
    desk = desk_of(request)
    operator: Operator | None = request.scope.get("user")
    path = request.scope["path"]
    return Shell(
        publication=desk.publication,
        direction=direction(desk.publication.language),
        path=path,
        operator=operator,
        places=[(each, _current(each, path)) for each in NAVIGATION if _may(operator, each.least)],
        messages=_take_messages(request),
        csrf=csrf_field(request),
        asset=desk.asset,
        when=lambda moment: _show_time(moment, desk),
        may=lambda least: _may(operator, least),
        doors=request.scope["state"].get("doors", ()),
    )


def csrf_field(request: AnyRequest) -> Markup:
    """The hidden field that every form has."""
    return _CSRF_FIELD.format(ScopeState.from_scope(request.scope).csrf_token or "")


def _may(operator: Operator | None, least: Role) -> bool:
    return operator is not None and is_at_least(operator.role, least)


def _current(place: Place, path: str) -> str:
    if path == place.path:
        return "page"
    return "true" if place.path != "/" and path.startswith(f"{place.path}/") else ""


def _take_messages(request: AnyRequest) -> list[tuple[str, str]]:
    session = request.scope.get("session")
    found = session.pop(_FLASH, []) if isinstance(session, dict) else []
    return [(kind, text) for kind, text in found]


def _show_time(moment: datetime, desk: Desk) -> Markup:
    """A moment in the publication's zone."""
    local = moment.astimezone(desk.zone)
    full = f"{local:%A, %d %B %Y, %H:%M:%S} {desk.zone.key}"
    return _TIME.format(local.isoformat(timespec="seconds"), full, f"{local:%d %b %Y, %H:%M}")
