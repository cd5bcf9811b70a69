"""The publications of one console: each is opened by itself, and tried again where that fails."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import TypeVar

import msgspec

from publisher.errors import PublisherError
from publisher.runtime.log import Line, LogFormat, describe_defect, tell_as
from publisher.settings import Settings
from publisher.store.database import Database
from publisher.web.console.app import Front, make_app
from publisher.web.console.desk import Clock, Desk, now_utc, open_desk
from publisher.web.console.throttle import Throttle

# What cannot be opened may be mended meanwhile: it is tried again after this, in seconds.
_AGAIN = 10.0
# A publication that does not answer within this is done without: the others are not kept waiting.
_PATIENCE = 5.0

T = TypeVar("T")


class Source(msgspec.Struct, frozen=True):
    """How a publication is opened: its name, and what gives its folder, settings and database."""

    name: str
    open: Callable[[], AbstractContextManager[tuple[Path, Settings, Database]]]


class Opened(msgspec.Struct, frozen=True):
    """A publication that can be worked with, at its place in the console."""

    name: str
    desk: Desk
    front: Front


class Publications:
    """The publications that are open, in the order of their file; for any thread."""

    def __init__(
        self, sources: Sequence[Source], clock: Clock = now_utc, form: LogFormat = "text"
    ) -> None:
        self.names = tuple(each.name for each in sources)
        # Tries to log in are counted over all of them.
        self.throttle = Throttle()
        self._clock = clock
        self._form = form
        self._end = Event()
        self._opened: dict[str, Opened] = {}
        self._tried = [Event() for _ in sources]
        self._threads = [
            Thread(target=self._keep, args=(source, tried), name=source.name)
            for source, tried in zip(sources, self._tried, strict=True)
        ]

    def __enter__(self) -> "Publications":
        for thread in self._threads:
            thread.start()
        for tried in self._tried:
            tried.wait(_PATIENCE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def __iter__(self) -> Iterator[Opened]:
        return iter([found for name in self.names if (found := self.find(name))])

    def find(self, name: str) -> Opened | None:
        """A publication, where it is open."""
        return self._opened.get(name)

    async def ask_all(
        self, function: Callable[[Desk], T], of: Sequence[Opened] | None = None
    ) -> list[tuple[Opened, T]]:
        """Ask publications at once, all of them or some; who does not answer is left out."""
        asked = list(self if of is None else of)
        answers = await asyncio.gather(*(_ask(each, function) for each in asked))
        return [(each, answer[0]) for each, answer in zip(asked, answers, strict=True) if answer]

    def _keep(self, source: Source, tried: Event) -> None:
        """Have a publication open until the end."""
        tell = tell_as(f"{source.name} console", self._form)
        said = ""
        while not self._end.is_set():
            try:
                with source.open() as opened:
                    self._hold(source.name, *opened, tell, tried)
                    return
            except (PublisherError, OSError) as error:
                fault = str(error)
            except Exception as error:  # a defect, which is this publication's alone
                fault = describe_defect(error)
            tried.set()
            if fault != said:
                tell(Line(fault, "not-opened", "error"))
            said = fault
            self._end.wait(_AGAIN)

    def _hold(
        self,
        name: str,
        folder: Path,
        settings: Settings,
        database: Database,
        tell: Callable[[str], None],
        tried: Event,
    ) -> None:
        desk = open_desk(folder, settings, database, tell, self._clock, self.throttle)
        try:
            self._opened[name] = Opened(name, desk, make_app(desk))
            tried.set()
            self._end.wait()
        finally:
            self._opened.pop(name, None)
            desk.close()


async def _ask(opened: Opened, function: Callable[[Desk], T]) -> tuple[T] | None:
    desk = opened.desk
    try:
        async with asyncio.timeout(_PATIENCE):
            return (await desk.work(function, desk),)
    except TimeoutError:
        desk.tell(Line(f"did not answer within {_PATIENCE:g} s", "no-answer", "warning"))
    except (PublisherError, OSError) as error:
        desk.tell(str(error))
    except Exception as error:
        desk.tell(describe_defect(error))
    return None
