"""The one console of several publications: which is asked for, and who is known in which others.

Each publication below its name is the application that it is alone, with operators, sessions and
forms of its own; what stands here leads there. That somebody may be at several is told by a cookie
of each, which the others make nothing of.
"""

import time
from typing import Any
from urllib.parse import parse_qs, quote

from litestar import Litestar, Request
from litestar.enums import ScopeType
from litestar.types import HTTPScope, Message, Receive, Scope, Send

from publisher.runtime.inviting import hash_secret
from publisher.web.console.app import guard_headers, make_impatient
from publisher.web.console.desk import Desk
from publisher.web.console.lobby import Lobby, leave, make_lobby
from publisher.web.console.publications import Opened, Publications
from publisher.web.console.sessions import find
from publisher.web.console.shell import Door
from publisher.web.public.visit import limit_group

# So long it is believed that somebody is, or is not, at another publication: it makes links alone.
_SEEN_SECONDS = 30.0
_MOST_SEEN = 10_000
# What shows no links to other publications.
_BARE = ("/assets/", "/api/", "/frames/", "/hooks/", "/metrics", "/healthz")


class Entrance:
    """The ASGI application of several publications."""

    def __init__(self, publications: Publications, url: str) -> None:
        self.publications = publications
        self.lobby = Lobby(publications, url)
        self.app: Litestar = make_lobby(self.lobby)
        self._seen: dict[tuple[str, bytes], tuple[float, bool]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        name, slash, rest = scope["path"].removeprefix("/").partition("/")
        rest = rest.rstrip("/")  # no path of the console's ends in one
        if name not in self.publications.names:
            await self.app(self.lobby.narrow(scope), make_impatient(receive), _guarded(send))
        elif not slash:
            await _redirect(_guarded(send), f"/{name}/")
        elif rest == "login":
            await _redirect(_guarded(send), _login_path(scope, name))
        elif opened := self.publications.find(name):
            await self._lead(opened, f"/{rest}", scope, receive, send)
        else:
            await self.app(self.lobby.narrow(scope, "/closed"), receive, _guarded(send))

    async def _lead(
        self, opened: Opened, path: str, scope: HTTPScope, receive: Receive, send: Send
    ) -> None:
        """Let a publication answer."""
        cookies = Request[Any, Any, Any](scope).cookies
        if path == "/logout" and scope["method"] == "POST":
            client = limit_group(self.lobby.look(scope).client)
            send = self._leaving(opened, cookies, client, send)
        doors = [] if path.startswith(_BARE) else await self._find_doors(opened, cookies)
        state = {**scope.get("state", {}), "doors": doors}
        await opened.front({**scope, "state": state}, receive, send)

    def _leaving(self, opened: Opened, cookies: dict[str, str], client: str, send: Send) -> Send:
        """Who logs out of one logs out of all."""

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 303:
                others = [each for each in self.publications if each is not opened]
                gone = await leave(self.publications, others, cookies, client)
                added = [(b"set-cookie", each.to_header(header="").encode()) for each in gone]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        return send_on

    async def _find_doors(self, here: Opened, cookies: dict[str, str]) -> list[Door]:
        """Where else somebody can go from a publication: those that know them, and all."""
        others = [each for each in self.publications if each is not here]
        known = [each for each in others if await self._is_known(each, cookies)]
        doors = [
            Door(f"{each.desk.root}/", each.desk.publication.title, each.desk.publication.language)
            for each in known
        ]
        return [Door("/", "All publications", "en"), *doors]

    async def _is_known(self, opened: Opened, cookies: dict[str, str]) -> bool:
        secret = cookies.get(opened.desk.cookie, "")
        if not secret:
            return False
        key, now = (opened.name, hash_secret(secret)), time.monotonic()
        until, is_known = self._seen.get(key, (0.0, False))
        if now >= until:

            def look(desk: Desk) -> bool:
                return find(desk, secret) is not None

            answers = await self.publications.ask_all(look, [opened])
            is_known = any(answer for _, answer in answers)
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            self._seen[key] = (now + _SEEN_SECONDS, is_known)
        return is_known


def _login_path(scope: HTTPScope, name: str) -> str:
    """The one form to log in by, from where a publication has its own when it is alone."""
    asked = parse_qs(scope["query_string"].decode("latin-1"))
    onward = asked.get("next", ["/"])[-1]
    return "/login?left=1" if "left" in asked else f"/login?next={quote(f'/{name}{onward}')}"


def _guarded(send: Send) -> Send:
    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = guard_headers(list(message["headers"]))
        await send(message)

    return send_guarded


async def _redirect(send: Send, path: str) -> None:
    headers = [(b"location", path.encode("ascii", "replace")), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
