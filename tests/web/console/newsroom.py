"""A publication with issues, readers and a relay, its console served beside them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from publisher.model.plan import Plan
from publisher.runtime.newsroom import Folder
from publisher.runtime.planned import PlannedSends, ToldPlan
from publisher.settings import load_settings
from publisher.store.plans import find_plan
from tests.audience.readers import Readers
from tests.delivery.post import NAME, Post
from tests.web.console.site import Browser, Console, run_console
from tests.web.public.site import Answer, free_port

SEND = f"/issues/{NAME}/send"
_HIDDEN = re.compile(r'name="(digest|seen)" value="([^"]*)"')


class Newsroom:
    """The console, the relay (`post`), and the tick of `run` when a test says so."""

    def __init__(self, console: Console, post: Post) -> None:
        self.console = console
        self.post = post
        self.told: list[ToldPlan] = []

    def tick(self, seconds: float = 0) -> list[str]:
        """Let so many seconds pass, then tick once; give what became of plans."""
        self.console.clock.ahead += timedelta(seconds=seconds)
        before = len(self.told)
        newsroom = Folder(self.console.folder, self.console.settings)
        planned = PlannedSends(self.console.database, newsroom, self.told.append)
        planned.tick(self.console.clock())
        return [each.plan.status for each in self.told[before:]]

    def press_send(self, browser: Browser) -> Answer:
        """Look, and approve what was shown."""
        return browser.post(SEND, self.look(browser))

    def look(self, browser: Browser) -> dict[str, str]:
        """Look at the page, and give the fields of its form."""
        return dict(_HIDDEN.findall(browser.get(SEND).text))

    def plan(self, number: int = 1) -> Plan:
        database = self.console.database
        with database.read() as connection:
            plan = find_plan(connection, database.publication, number)
        assert plan is not None
        return plan

    def mailings(self) -> list[str]:
        return [ref for (ref,) in self.post.rows("SELECT ref FROM mailing ORDER BY id")]


@contextmanager
def run_newsroom(post: Post) -> Iterator[Newsroom]:
    port = {"PUBLISHER_CONSOLE__PORT": str(free_port())}
    settings = load_settings(post.folder / "publisher.toml", port)
    readers = Readers(post.folder)
    try:
        with run_console(post.folder, readers, settings) as console:
            yield Newsroom(console, post)
    finally:
        readers.database.close()
