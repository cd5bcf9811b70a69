"""Several publications with one console on loopback, each with a real database of its own."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest
from msgspec.structs import replace

from publisher.errors import PublisherError
from publisher.settings import Settings
from publisher.settings_installation import Entrance
from publisher.store.database import Database
from publisher.web.console import publications
from publisher.web.console.publications import Source
from publisher.web.console.serve import serve_several
from tests.audience.readers import Readers
from tests.web.console.desks import DRAFT
from tests.web.console.site import PASSWORD, Browser, Clock, Console
from tests.web.public.site import PATIENCE, Answer, Client, free_port, make_settings

_TOKEN = re.compile(r'name="_csrf_token" value="([0-9a-f]+)"')


class Guest(Browser):
    """A browser at one of several publications; without a name, at what they have in common."""

    def __init__(self, client: Client, name: str = "") -> None:
        super().__init__(client)
        self.root = f"/{name}" if name else ""

    @property
    def token(self) -> str:
        """The token of forms here; empty for who is not logged in here."""
        page = self.get(f"{self.root}/account" if self.root else "/login?again=1").text
        match = _TOKEN.search(page)
        return match[1] if match else ""

    def at(self, name: str) -> "Guest":
        """The same browser, at a publication."""
        other = Guest(self.client, name)
        other.cookies = self.cookies
        return other

    def log_in(self, email: str, password: str = PASSWORD, onward: str = "") -> Answer:
        fields = {"email": email, "password": password, "next": onward}
        return self.at("").post("/login", fields)


class Several(Client):
    """The console of all, and each publication by its name: without a server of its own."""

    def __init__(self, port: int, consoles: Mapping[str, Console]) -> None:
        super().__init__(port)
        self.consoles = consoles
        self.faults: dict[str, str] = {}

    def __getitem__(self, name: str) -> Console:
        return self.consoles[name]

    def guest(self) -> Guest:
        return Guest(self)

    @contextmanager
    def open(self, name: str) -> Iterator[tuple[Path, Settings, Database]]:
        """What the console opens; raises PublisherError while `faults` have one."""
        if fault := self.faults.get(name):
            raise PublisherError(fault)
        console = self.consoles[name]
        yield console.folder, console.settings, console.database


def _make(folder: Path, name: str, port: int) -> Console:
    folder.mkdir()
    for part in ("issues", "media"):
        (folder / part).mkdir()
    (folder / "issues" / "2026-01-05.md").write_text(DRAFT)
    id_ = f"tag:{name}.example,2025:test"
    settings = make_settings(publication={"id": id_, "title": f"The {name.title()}"})
    own = replace(settings.console, port=port, url=f"http://127.0.0.1:{port}/{name}")
    return Console(folder, Readers(folder, id_), replace(settings, console=own), Clock())


@contextmanager
def run_several(
    folder: Path,
    *names: str,
    faults: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
) -> Iterator[Several]:
    """Serve them; `patience` is how long one is waited for, which a busy machine may well take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publications, "_PATIENCE", patience)
        yield from _run_several(folder, names, faults or {})


def _run_several(
    folder: Path, names: Sequence[str], faults: Mapping[str, str]
) -> Iterator[Several]:
    port = free_port()
    several = Several(port, {name: _make(folder / name, name, port) for name in names})
    several.faults.update(faults)
    sources = [Source(name, partial(several.open, name)) for name in names]
    stop, told = Event(), Event()
    console = Entrance(port=port)
    thread = Thread(target=serve_several, args=(sources, console, stop, lambda _: told.set()))
    thread.start()
    try:
        assert told.wait(len(names) * PATIENCE)
        yield several
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        for each in several.consoles.values():
            each.database.close()
