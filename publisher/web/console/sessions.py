"""Litestar's sessions, kept in the database: only who is logged in has one."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ParamSpec, TypeVar

import msgspec
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.middleware.session.base import (
    BaseBackendConfig,
    BaseSessionBackend,
)
from litestar.types import Message, ScopeSession

from publisher.runtime.inviting import hash_secret
from publisher.store.sessions import (
    LONGEST,
    Session,
    add_session,
    end_session,
    find_session,
    keep_session,
)
from publisher.web.console.access import COOKIELESS_KEY
from publisher.web.console.desk import Desk

# That a session is used is noted so often: each time would be a write for each page.
_NOTED = timedelta(minutes=1)
# What a session holds of who logs in, until it begins.
_NEWCOMER = "newcomer"

P = ParamSpec("P")
T = TypeVar("T")


def log_in(session: dict[str, Any], operator: int) -> None:
    """Let a session begin with the answer, under an id that nobody knows yet."""
    session.clear()
    session[_NEWCOMER] = operator


def begin(desk: Desk, operator: int, data: str = "{}", old: Session | None = None) -> Cookie:
    """Begin a session, in place of an old one, and give the cookie that carries it."""
    secret = secrets.token_urlsafe(32)
    with desk.database.write() as connection:
        if old is not None:
            end_session(connection, old.id)
        publication, now = desk.database.publication, desk.clock()
        add_session(connection, publication, hash_secret(secret), operator, data, now)
    return cookie_of(desk, secret, int(LONGEST.total_seconds()))


def find(desk: Desk, secret: str) -> Session | None:
    """The session that a cookie carries, with who is logged in as they are now."""
    with desk.database.read() as connection:
        publication = desk.database.publication
        return find_session(connection, publication, hash_secret(secret), desk.clock())


def end(desk: Desk, session: Session) -> None:
    """End a session; its cookie is worth nothing any more."""
    with desk.database.write() as connection:
        end_session(connection, session.id)


def cookie_of(desk: Desk, value: str = "", max_age: int = 0) -> Cookie:
    """The cookie of sessions; without a value it is taken away."""
    return Cookie(
        key=desk.cookie,
        value=value,
        max_age=max_age,
        path="/",
        secure=desk.is_https,
        httponly=True,
        samesite="lax",
    )


class SessionConfig(BaseBackendConfig["Sessions"]):
    """Where sessions are kept, in Litestar's terms."""

    def __init__(self, desk: Desk) -> None:
        self._backend_class = Sessions
        self.desk = desk
        self.key = desk.cookie
        self.max_age = int(LONGEST.total_seconds())
        self.path = "/"
        self.domain = None
        self.secure = desk.is_https
        self.httponly = True
        self.samesite = "lax"
        self.exclude = None
        self.exclude_opt_key = COOKIELESS_KEY


class Sessions(BaseSessionBackend[SessionConfig]):
    """Loads and keeps sessions.

    Litestar's own takes whatever id a browser brings, gives everybody a session, and writes it at
    each request: none of which is wanted here.
    """

    def get_session_id(self, connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
        return connection.cookies.get(self.config.key)

    async def load_from_connection(
        self, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> dict[str, Any]:
        """Load a session; who is logged in, as they are now, comes by the same query."""
        found: Session | None = None
        if secret := self.get_session_id(connection):
            found = await self._work(find, self.config.desk, secret)
        connection.scope["user"] = found.operator if found else None
        connection.scope["auth"] = found
        return msgspec.json.decode(found.data, type=dict[str, Any]) if found else {}

    async def store_in_message(
        self,
        scope_session: ScopeSession,
        message: Message,
        connection: ASGIConnection[Any, Any, Any, Any],
    ) -> None:
        found: Session | None = connection.scope.get("auth")
        data = scope_session if isinstance(scope_session, dict) else None
        if data is not None and (operator := data.pop(_NEWCOMER, None)):
            desk = self.config.desk
            _set_cookie(message, await self._work(begin, desk, operator, _encode(data), found))
        elif found is not None and data is None:
            await self._work(end, self.config.desk, found)
            _set_cookie(message, cookie_of(self.config.desk))
        elif found is not None and data is not None:
            text, now = _encode(data), self.config.desk.clock()
            if text != found.data or now - found.used_at >= _NOTED:
                await self._work(self._keep, found.id, text, now)

    def _keep(self, session: int, data: str, now: datetime) -> None:
        with self.config.desk.database.write() as connection:
            keep_session(connection, session, data, now)

    async def _work(self, function: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        return await self.config.desk.work(function, *args, **named)


def _set_cookie(message: Message, cookie: Cookie) -> None:
    headers = MutableScopeHeaders.from_message(message)
    headers.add("Set-Cookie", cookie.to_header(header=""))


def _encode(data: dict[str, Any]) -> str:
    return msgspec.json.encode(data).decode()
