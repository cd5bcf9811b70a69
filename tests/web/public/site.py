"""A publication whose public site is served on loopback, with a real database."""

import http.client
import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sqlalchemy import func, select, update

from publisher.audience.address import parse_address
from publisher.audience.subscribing import make_refs, subscribe, unsubscribe
from publisher.message.links import Purpose, sign_token
from publisher.runtime.start import load_keys
from publisher.settings import Settings, parse_settings
from publisher.store import schema as s
from publisher.web.public.serve import serve
from tests.audience.readers import URI, Readers

PATIENCE = 20.0
FORM = "application/x-www-form-urlencoded"
ONE_CLICK = b"List-Unsubscribe=One-Click"
HOME = b"<!doctype html>\n<title>Home</title>\n"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def title(self) -> str:
        match = re.search(r"<h1[^>]*>(.*?)</h1>", self.text, re.DOTALL)
        return match[1] if match else ""


class Link(NamedTuple):
    """A subscriber's link, as a message to them holds it."""

    path: str
    email: str


def make_settings(**more: Any) -> Settings:
    """Settings of a publication that can send; `web={...}` and such replace whole tables."""
    raw: dict[str, Any] = {
        "publication": {
            "id": URI,
            "title": "The Daily",
            "url": "https://daily.example",
            "time_zone": "Europe/Oslo",
        },
        "email": {"from": "The Daily <news@daily.example>", "postal_address": "1 Quay, Oslo"},
    }
    for table, values in more.items():
        raw[table] = values if isinstance(values, list) else raw.get(table, {}) | values
    return parse_settings(raw)


class Client:
    """Asks a server on a port of loopback."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        """Send a request as it stands here, and read its answer. A header of None is left out."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        own: dict[str, str | None] = {"Host": f"127.0.0.1:{self.port}"}
        if body is not None:
            own |= {"Content-Type": FORM, "Content-Length": str(len(body))}
        for name, value in (own | dict(headers or {})).items():
            if value is not None:
                connection.putheader(name, value.encode("latin-1"))
        connection.endheaders(body)
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        cookies = tuple(response.headers.get_all("Set-Cookie", []))
        answer = Answer(response.status, names, response.read(), cookies)
        connection.close()
        return answer

    def get(self, path: str, **headers: str | None) -> Answer:
        return self.ask("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def subscribe(
        self, email: str, headers: Mapping[str, str | None] | None = None, **fields: str
    ) -> Answer:
        body = urlencode({"email": email, "name": "", "website": "", **fields}).encode()
        return self.ask("POST", "/subscribe", body, headers)


class Site(Client):
    """A publication's folder, its database, and its server on a port."""

    def __init__(self, folder: Path, readers: Readers, settings: Settings) -> None:
        super().__init__(settings.web.port)
        self.folder = folder
        self.public = folder / "public"
        self.readers = readers
        self.settings = settings

    def write(self, path: str, data: bytes = HOME) -> Path:
        target = self.public / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return target

    def add(self, email: str, *, is_asked: bool = False) -> None:
        with self.readers.database.write() as connection:
            subscribe(
                connection,
                self.readers.database.publication,
                parse_address(email),
                "",
                secret=self.readers.secret,
                ref=make_refs(os.urandom, 1)[0],
                at=datetime.now(UTC),
                source="form" if is_asked else "operator",
                action="asked" if is_asked else "vouched",
            )

    def leave(self, email: str) -> None:
        with self.readers.database.write() as connection:
            unsubscribe(
                connection,
                self.readers.database.publication,
                self.readers.get(email).id,
                at=datetime.now(UTC),
                source="operator",
            )

    def link(self, purpose: Purpose, email: str, delivery: int = 7) -> str:
        """The path of a subscriber's link."""
        return self.sign(purpose, f"{self.readers.get(email).ref}.{delivery}")

    def sign(self, purpose: Purpose, subject: str) -> str:
        keys = load_keys(self.readers.database, self.settings).links
        return f"/{purpose}/{sign_token(purpose, subject, keys)}"

    def confirmation(self, email: str) -> str:
        """The path of the link in the newest confirmation that a subscriber was sent."""
        return self.mailed("confirm", email)

    def mailed(self, purpose: Purpose, email: str, after: int = 0) -> str:
        """The path of the link in the newest message for it about a subscriber, when it is there.

        It is one of the deliveries with ids above `after`.
        """
        name = "confirmation" if purpose == "confirm" else purpose
        found = wait_until(lambda: max(self.deliveries(name, email, after), default=None))
        return self.link(purpose, email, found)

    def deliveries(self, purpose: str, email: str, after: int = 0) -> dict[int, str | None]:
        """The deliveries of a purpose about a subscriber: each one's own address, if it has one."""
        d, m = s.delivery.c, s.mailing.c
        with self.readers.database.read() as connection:
            chosen = (
                select(d.id, d.address)
                .join(s.mailing, m.id == d.mailing)
                .join(s.subscriber, s.subscriber.c.id == d.subscriber)
                .where(m.purpose == purpose, s.subscriber.c.email == email, d.id > after)
            )
            return dict(connection.execute(chosen).all())

    def ask_preferences(
        self, email: str, headers: Mapping[str, str | None] | None = None, **fields: str
    ) -> Answer:
        body = urlencode({"email": email, "website": "", **fields}).encode()
        return self.ask("POST", "/preferences", body, headers)

    def preferences(self, email: str, headers: Mapping[str, str | None] | None = None) -> str:
        """Ask for the link to somebody's preferences, and give its path."""
        before = max(self.deliveries("preferences", email), default=0)
        assert self.ask_preferences(email, headers).status == 200
        return self.mailed("preferences", email, before)

    def act(self, link: str, act: str, **fields: str) -> Answer:
        """Send one of the forms of the preferences."""
        return self.ask("POST", link, urlencode({"act": act, **fields}).encode())

    def confirmations(self) -> int:
        """How many confirmations were made."""
        chosen = select(func.count()).where(s.mailing.c.purpose == "confirmation")
        with self.readers.database.read() as connection:
            return int(connection.execute(chosen).scalar_one())

    def requests(self) -> int:
        with self.readers.database.read() as connection:
            return int(connection.execute(select(func.count(s.request.c.id))).scalar_one())

    def age(self, by: Any) -> None:
        """Let everything that was sent or asked for be older."""
        with self.readers.database.write() as connection:
            for table, column in (
                (s.mailing, s.mailing.c.created_at),
                (s.request, s.request.c.at),
            ):
                rows = connection.execute(select(table.c.id, column)).all()
                for id_, at in rows:
                    changed = update(table).where(table.c.id == id_)
                    connection.execute(changed.values({column.name: at - by}))

    def state(self) -> list[Any]:
        """Everything that is known of subscribers, and of what is to be sent to them."""
        tables = (s.subscriber, s.consent, s.suppression, s.request, s.wish, s.mailing, s.delivery)
        with self.readers.database.read() as connection:
            return [connection.execute(select(table)).all() for table in tables]

    def settle(self) -> None:
        """Wait until what was asked for until now was done."""
        marker = f"marker-{os.urandom(4).hex()}@settle.example"
        before = self.requests
        assert self.subscribe(marker).status == 200
        wait_until(lambda: marker in [one.email for one in self.readers.all()] or None)
        assert before() > 0


def wait_until(look: Callable[[], Any]) -> Any:
    """Look until there is something."""
    end = time.monotonic() + PATIENCE
    while (found := look()) is None:
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return found


def at_once(number: int, act: Callable[[int], Any]) -> list[Any]:
    """Do something many times at the same moment."""
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(act, range(number)))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def run_site(folder: Path, readers: Readers | None = None, **tables: Any) -> Iterator[Site]:
    """Serve a publication in `folder` until the end; `{port}` in its URL is the server's."""
    web = {"port": free_port()} | tables.pop("web", {})
    if url := tables.get("publication", {}).get("url"):
        tables["publication"] = tables["publication"] | {"url": url.format(**web)}
    settings = make_settings(web=web, **tables)
    own = readers or Readers(folder)
    stop, told, ended = Event(), Event(), list[BaseException]()

    def run() -> None:
        try:
            serve(folder, settings, own.database, stop, lambda _: told.set())
        except BaseException as error:
            ended.append(error)
            told.set()

    thread = Thread(target=run)
    thread.start()
    assert told.wait(PATIENCE)
    site = Site(folder, own, settings)
    try:
        if ended:
            raise ended[0]
        yield site
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        if readers is None:
            own.database.close()
