"""The public site over HTTP: its files, and the pages where people subscribe, confirm and leave."""

import re
from typing import Any, cast

from litestar import HttpMethod, Litestar, Response, route
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from publisher.errors import PublisherError
from publisher.runtime.log import describe_defect
from publisher.web.public.answers import Answer, guard
from publisher.web.public.conditions import join
from publisher.web.public.consent_routes import CONSENT_ROUTES
from publisher.web.public.file_answer import FileAnswer
from publisher.web.public.fileserver import Asked as AskedFile
from publisher.web.public.form import MOST_BYTES
from publisher.web.public.handling import HEADS, AnyRequest, server_of, visit_of
from publisher.web.public.preference_routes import PREFERENCE_ROUTES
from publisher.web.public.search import read_asked
from publisher.web.public.server import PublicServer
from publisher.web.public.visit import Visit

# Whatever else is sent makes no difference to a file.
_OF_FILES = frozenset(
    name.encode()
    for name in (
        *("accept-encoding", "if-match", "if-none-match", "if-modified-since"),
        *("if-unmodified-since", "if-range", "range"),
    )
)
_AGENT = frozenset((b"user-agent",))
_PARAMETER = re.compile(r"\{[^}]*\}")


class Front:
    """Stands before Litestar: serves the files, and lets no answer go bare.

    Paths stay as they were sent, or a token and a file's name would have many spellings. `handlers`
    are Litestar's own paths, which hold no file.
    """

    def __init__(self, app: ASGIApp, handlers: re.Pattern[str], server: PublicServer) -> None:
        self.app = app
        self.handlers = handlers
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
                message["headers"] = guard(list(message["headers"]))
            await send(message)

        failure: Exception | None = None
        if scope["method"] in HEADS and not self.handlers.fullmatch(visit.path):
            try:
                answer = await self._find_file(scope, visit)
            except Exception as error:  # it is told like one of a handler's
                answer, failure = None, error
            if answer is not None:
                await answer.send(receive, send_guarded)
                return
        await self.app(_narrow(scope, visit, failure), receive, send_guarded)

    async def _find_file(self, scope: HTTPScope, visit: Visit) -> FileAnswer | None:
        """The answer to who asks for a file, who is counted if it is a feed; None without one."""
        headers = join(scope["headers"], _OF_FILES)
        query = scope["query_string"].decode("latin-1")
        is_head = scope["method"] == HttpMethod.HEAD
        answer = await self.server.files.answer(AskedFile(visit.path, query, is_head, headers))
        if answer is not None and answer.feed and not is_head:
            agent = join(scope["headers"], _AGENT).get("user-agent", "")
            self.server.counting.note(answer.feed, visit.client, agent)
        return answer


def _narrow(scope: HTTPScope, visit: Visit, failure: Exception | None) -> Scope:
    """What Litestar is to see. It refuses some Hosts, and any is served here."""
    narrowed: dict[str, Any] = {
        **scope,
        "path": visit.path,
        "raw_path": visit.path.encode("latin-1"),
        "headers": [(name, value) for name, value in scope["headers"] if name != b"host"],
        "state": {**scope.get("state", {}), "visit": visit, "failure": failure},
    }
    return cast(Scope, narrowed)


@route(["/", "/{path:path}"], http_method=HEADS)
async def show_missing(request: AnyRequest) -> Answer:
    """What is said where there is no file."""
    if failure := request.scope["state"]["failure"]:
        raise failure
    is_unbuilt = visit_of(request).path == "/"  # nothing was built yet
    return server_of(request).show("unavailable" if is_unbuilt else "not_found")


@route("/healthz", http_method=HEADS)
async def show_health(request: AnyRequest) -> Answer:
    """Say that the site is served and the database answers."""
    server = server_of(request)
    await server.require_database()
    return server.answers.say("ok\n")


@route("/search", http_method=HEADS)
async def search(request: AnyRequest) -> Answer:
    """What a query finds; the page's own links begin at its address with a slash."""
    server, query = server_of(request), request.scope["query_string"]
    if not visit_of(request).path.endswith("/"):
        return server.answers.send_on(f"./search/?{query.decode('latin-1')}")
    return await server.show_found(read_asked(query))


def _show_error(request: AnyRequest, error: Exception) -> Response[bytes]:
    server = server_of(request)
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
    server.tell(describe_defect(error))
    return server.show("unavailable", status=500)


def make_app(server: PublicServer) -> Front:
    """The ASGI application of one publication's public site."""
    app = Litestar(
        [show_missing, show_health, search, *CONSENT_ROUTES, *PREFERENCE_ROUTES],
        state=State({"server": server}),
        exception_handlers={Exception: _show_error},
        request_max_body_size=MOST_BYTES,
        logging_config=None,
        openapi_config=None,
    )
    return Front(app, _match_handlers(app), server)


def _match_handlers(app: Litestar) -> re.Pattern[str]:
    """The paths that have a handler of their own, as Litestar reads them."""
    paths = [each.path for each in app.routes if each.path not in ("/", "/{path:path}")]
    patterns = ["[^/]+".join(map(re.escape, _PARAMETER.split(path))) for path in paths]
    return re.compile(f"(?:{'|'.join(patterns)})/?")
