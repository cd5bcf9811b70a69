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
            found = await self._work(self._find, hash_secret(secret))
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
            secret = secrets.token_urlsafe(32)
            await self._work(self._begin, found, hash_secret(secret), operator, _encode(data))
            self._set_cookie(message, secret, self.config.max_age)
        elif found is not None and data is None:
            await self._work(self._end, found)
            self._set_cookie(message, "", 0)
        elif found is not None and data is not None:
            text, now = _encode(data), self.config.desk.clock()
            if text != found.data or now - found.used_at >= _NOTED:
                await self._work(self._keep, found.id, text, now)

    def _find(self, hash: bytes) -> Session | None:
        desk = self.config.desk
        with desk.database.read() as connection:
            return find_session(connection, desk.database.publication, hash, desk.clock())

    def _begin(self, old: Session | None, hash: bytes, operator: int, data: str) -> None:
        desk = self.config.desk
        with desk.database.write() as connection:
            if old is not None:
                end_session(connection, old.id)
            publication, now = desk.database.publication, desk.clock()
            add_session(connection, publication, hash, operator, data, now)

    def _end(self, session: Session) -> None:
        with self.config.desk.database.write() as connection:
            end_session(connection, session.id)

    def _keep(self, session: int, data: str, now: datetime) -> None:
        with self.config.desk.database.write() as connection:
            keep_session(connection, session, data, now)

    def _set_cookie(self, message: Message, value: str, max_age: int) -> None:
        cookie = Cookie(
            key=self.config.key,
            value=value,
            max_age=max_age,
            path="/",
            secure=self.config.desk.is_https,
            httponly=True,
            samesite="lax",
        )
        headers = MutableScopeHeaders.from_message(message)
        headers.add("Set-Cookie", cookie.to_header(header=""))

    async def _work(self, function: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        return await self.config.desk.work(function, *args, **named)


def _encode(data: dict[str, Any]) -> str:
    return msgspec.json.encode(data).decode()
