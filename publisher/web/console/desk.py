"""`Desk`: all that the handlers of the console need, put together once."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import Environment
from sqlalchemy import Connection

from publisher.model.operators import Actor
from publisher.model.publication import Publication
from publisher.render.templates import make_templates
from publisher.runtime.inviting import console_url
from publisher.settings import Settings
from publisher.site.scan import packaged
from publisher.store import audit
from publisher.store.database import Database
from publisher.store.keys import require_key
from publisher.web.console.figures import Kept
from publisher.web.console.gathering import Gatherings
from publisher.web.console.throttle import Throttle
from publisher.web.console.uploads import Uploads
from publisher.web.public.visit import Doorway

Tell = Callable[[str], None]
Clock = Callable[[], datetime]
P = ParamSpec("P")
T = TypeVar("T")

# What waits for the database or files at once. One publication's that is locked keeps none of
# another's waiting: each has its own.
_THREADS = 16
# What pages ask for besides themselves, by the suffix of a file in templates/console/.
_ASSETS = {".css": "text/css", ".js": "text/javascript"}


class Asset(msgspec.Struct, frozen=True):
    """A file that pages ask for, by a name that changes with it."""

    name: str
    content: bytes
    media_type: str


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What handlers work with; `assets` by their names in templates/console/.

    `url` is the console's, with a path where there are several publications; `cookie` is what its
    cookies' names begin with, `secret` signs its forms.
    """

    folder: Path
    settings: Settings
    database: Database
    publication: Publication
    zone: ZoneInfo
    url: str
    cookie: str
    secret: bytes
    clock: Clock
    tell: Tell
    templates: Environment
    assets: dict[str, Asset]
    doorway: Doorway
    throttle: Throttle
    uploads: Uploads
    gatherings: Gatherings
    figures: Kept
    threads: ThreadPoolExecutor

    @property
    def root(self) -> str:
        """What the console's paths begin with: its place among several; empty where it is alone."""
        return urlsplit(self.url).path

    @property
    def is_https(self) -> bool:
        """Tell whether browsers reach the console by https alone."""
        return self.url.startswith("https:")

    def asset(self, name: str) -> str:
        """The address of a stylesheet or a script."""
        return f"{self.root}/assets/{self.assets[name].name}"

    async def work(self, function: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Do what waits for the database or files in a thread, so that nothing blocks the loop."""
        act = partial(copy_context().run, function, *args, **named)
        return await asyncio.get_running_loop().run_in_executor(self.threads, act)

    def close(self) -> None:
        """Let nothing begin any more: the server has ended."""
        self.uploads.close()
        self.gatherings.close()
        self.threads.shutdown(cancel_futures=True)

    def note(
        self, connection: Connection, actor: Actor, action: str, about: str = "", detail: str = ""
    ) -> None:
        """Note in the audit log what somebody does, in the transaction that does it.

        `action` is a noun and a verb, such as `operator invited`. The connection writes.
        """
        audit.note(
            connection,
            self.database.publication,
            actor,
            action,
            self.clock(),
            about=about,
            detail=detail,
        )


def now_utc() -> datetime:
    return datetime.now(UTC)


def open_desk(
    folder: Path,
    settings: Settings,
    database: Database,
    tell: Tell,
    clock: Clock,
    throttle: Throttle | None = None,
) -> Desk:
    """Put together what the console of the publication in `folder` needs.

    `throttle` counts tries to log in, where that is over several publications.
    """
    with database.write() as connection:
        secret = require_key(connection, "console-key", secrets.token_bytes)
    url = console_url(settings)
    return Desk(
        folder=folder,
        settings=settings,
        database=database,
        publication=settings.as_publication(),
        zone=ZoneInfo(settings.publication.time_zone),
        url=url,
        cookie=_name_cookie(settings, is_https=url.startswith("https:")),
        secret=secret,
        clock=clock,
        tell=tell,
        templates=read_templates(),
        assets=read_assets(),
        doorway=Doorway([url], settings.web.trusted_proxies),
        throttle=throttle or Throttle(),
        uploads=Uploads(database, clock),
        gatherings=Gatherings(),
        figures=Kept(),
        threads=ThreadPoolExecutor(_THREADS, "console"),
    )


def _name_cookie(settings: Settings, *, is_https: bool) -> str:
    """A beginning of its own: on one machine, all ports share a browser's cookies.

    RFC 6265bis, section 4.1.3.2: one whose name begins with __Host- was set by this host, by https.
    """
    own = hashlib.sha256(settings.publication.id.encode()).hexdigest()[:8]
    return f"{'__Host-' if is_https else ''}console-{own}"


def read_templates() -> Environment:
    """The console's own templates, which a publication's do not replace."""
    folder = packaged("templates") / "console"
    return make_templates(
        {f"console/{path.name}": path.read_text("utf-8") for path in folder.glob("*.html")}
    )


def read_assets() -> dict[str, Asset]:
    """What pages ask for besides themselves."""
    assets = {}
    for path in sorted((packaged("templates") / "console").iterdir()):
        if media_type := _ASSETS.get(path.suffix):
            content = path.read_bytes()
            name = f"{path.stem}-{hashlib.sha256(content).hexdigest()[:10]}{path.suffix}"
            assets[path.name] = Asset(name, content, media_type)
    return assets
