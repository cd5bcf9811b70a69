"""A publication whose console is served on loopback with a real database, and who logs in there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from http.cookies import SimpleCookie
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select

from publisher.audience.address import parse_address
from publisher.model.access import Role
from publisher.model.operators import Deed
from publisher.runtime.inviting import invite
from publisher.runtime.passwords import hash_password
from publisher.settings import Settings
from publisher.store import schema as s
from publisher.store.audit import list_deeds
from publisher.store.operators import find_operator, save_operator
from publisher.web.console.serve import serve
from tests.audience.readers import Readers
from tests.web.public.site import PATIENCE, Answer, Client, free_port, make_settings

PASSWORD = "correct horse battery"
_TOKEN = re.compile(r'name="_csrf_token" value="([0-9a-f]+)"')


class Browser:
    """Somebody's browser: it keeps cookies, and sends forms as pages have them."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.cookies: dict[str, str] = {}

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        own: dict[str, str | None] = {"Cookie": cookie} if cookie else {}
        answer = self.client.ask(method, path, body, own | dict(headers or {}))
        self._keep(answer.cookies)
        return answer

    def get(self, path: str, headers: Mapping[str, str | None] | None = None) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(
        self,
        path: str,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        """Send a form, with the token that pages have now, from the console's own origin."""
        whole = {"_csrf_token": self.token} | dict(fields or {})
        own: dict[str, str | None] = {"Origin": self.client.url, "Sec-Fetch-Site": "same-origin"}
        return self.ask("POST", path, urlencode(whole).encode(), own | dict(headers or {}))

    @property
    def token(self) -> str:
        """The token of forms, which any page has."""
        match = _TOKEN.search(self.get("/account").text) or _TOKEN.search(self.get("/login").text)
        assert match, "no page has a form"
        return match[1]

    @property
    def is_inside(self) -> bool:
        return self.get("/account").status == 200

    def log_in(self, email: str, password: str = PASSWORD) -> Answer:
        return self.post("/login", {"email": email, "password": password})

    def _keep(self, lines: Sequence[str]) -> None:
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


class Clock:
    """The console's clock, which tests put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Console(Client):
    """A publication's folder, its database, and its console on a port."""

    def __init__(self, folder: Path, readers: Readers, settings: Settings, clock: Clock) -> None:
        super().__init__(settings.console.port)
        self.folder = folder
        self.readers = readers
        self.database = readers.database
        self.settings = settings
        self.clock = clock

    def browse(self) -> Browser:
        """A browser in which nobody is logged in."""
        return Browser(self)

    def add(self, email: str, role: Role = "owner", name: str = "") -> int:
        """Make an operator, whose password is PASSWORD."""
        address = parse_address(email)
        with self.database.write() as connection:
            return save_operator(
                connection,
                self.database.publication,
                email=address.email,
                key=address.key,
                name=name,
                role=role,
                password_hash=_hash(),
                now=datetime.now(UTC),
            )

    def enter(self, role: Role = "owner") -> Browser:
        """The browser of somebody with a role, who has just logged in."""
        email = f"{role}@daily.example"
        self.add(email, role)
        browser = self.browse()
        assert browser.log_in(email).status == 303
        return browser

    def invite(self, email: str = "", role: Role = "editor", name: str = "") -> str:
        """The path of an invitation's link; without an address it is the first owner's."""
        address = parse_address(email) if email else None
        with self.database.write() as connection:
            now, publication = datetime.now(UTC), self.database.publication
            return invite(connection, publication, address, name, role, now)

    def find(self, email: str) -> int:
        """The id of an operator; 0 where there is none."""
        with self.database.read() as connection:
            key, publication = parse_address(email).key, self.database.publication
            found = find_operator(connection, publication, key)
        return found.id if found else 0

    def deeds(self) -> list[Deed]:
        """The audit log, the newest line first."""
        with self.database.read() as connection:
            return list_deeds(connection, self.database.publication, limit=1_000)

    def state(self) -> list[Any]:
        """Everything that somebody could change here."""
        tables = (s.operator, s.invitation, s.api_token, s.audit, s.subscriber, s.mailing)
        with self.database.read() as connection:
            return [connection.execute(select(table)).all() for table in tables]

    def done(self) -> list[tuple[str, str, str]]:
        """Who did what about what, the newest first."""
        return [(deed.who, deed.action, deed.about) for deed in self.deeds()]


@cache
def _hash() -> str:
    return hash_password(PASSWORD)


@contextmanager
def run_console(
    folder: Path, readers: Readers | None = None, settings: Settings | None = None, **tables: Any
) -> Iterator[Console]:
    """Serve the console of a publication in `folder` until the end."""
    table = {"port": free_port()} | tables.pop("console", {})
    settings = settings or make_settings(console=table, **tables)
    own, clock = readers or Readers(folder), Clock()
    console = Console(folder, own, settings, clock)
    stop, told, ended = Event(), Event(), list[BaseException]()

    def run() -> None:
        try:
            serve(folder, settings, own.database, stop, lambda _: told.set(), clock=clock)
        except BaseException as error:
            ended.append(error)
            told.set()

    thread = Thread(target=run)
    thread.start()
    assert told.wait(PATIENCE)
    try:
        if ended:
            raise ended[0]
        yield console
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        if readers is None:
            own.database.close()
