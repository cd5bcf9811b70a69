"""Bringing the site up to date by itself: as issues come due, and as the folder comes to rest."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from publisher.errors import PublisherError
from publisher.runtime.newsroom import Newsroom, RefusedError
from publisher.settings import Settings
from publisher.site.state import Look, Waiting, look_at, read_waiting

# A folder that was written to is published once nobody has touched it for so long, in seconds:
# half of an edit is not shown to the world.
_QUIET = 60.0
# Nor is it held back for longer than this by editors who save all the time.
_LONGEST = 600.0

Say = Callable[[str], None]


class Publishing:
    """Publishes what has come due or has changed; says what is wrong, once."""

    def __init__(
        self,
        newsroom: Newsroom,
        settings: Settings,
        folder: Path,
        say: Say,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.newsroom = newsroom
        self.settings = settings
        self.folder = folder
        self.say = say
        self.monotonic = monotonic
        self._said = ""
        # The folder as it was published, or refused; as it was seen last, and since when; and
        # since when there is something to publish.
        self._done: str | None = None
        self._seen = ""
        self._seen_at = self._dirty_at = 0.0
        self._waiting: list[Waiting] = []

    def tick(self, now: datetime) -> None:
        """Publish where there is a reason to."""
        try:
            look = look_at(self.folder)
            self._note(look, now)
            is_changed = look.signature != self._done and self._is_at_rest()
            if is_changed or self._has_come_due(now):
                self._publish(look, now)
        except PublisherError as error:
            self._say_once(str(error))

    def _note(self, look: Look, now: datetime) -> None:
        """Note since when the folder is as it is: by a clock that nobody sets."""
        if look.signature == self._seen:
            return
        moment = self.monotonic()
        # At the first look only the files' own times tell how long they have been at rest.
        age = 0.0 if self._seen else max(now.timestamp() - look.newest, 0.0)
        if self._seen in ("", self._done):
            self._dirty_at = moment
        self._seen, self._seen_at = look.signature, moment - age

    def _is_at_rest(self) -> bool:
        moment = self.monotonic()
        return moment - self._seen_at >= _QUIET or moment - self._dirty_at >= _LONGEST

    def _has_come_due(self, now: datetime) -> bool:
        """Tell whether an issue's time has come whose own file is at rest, whatever others do."""
        due = [each for each in self._waiting if each.date <= now]
        rested = now.timestamp() - _QUIET
        return bool(due) and (
            self._is_at_rest() or any(each.is_unchanged_since(rested) for each in due)
        )

    def _publish(self, look: Look, now: datetime) -> None:
        try:
            if self.newsroom.publish(now):
                self.say("the site is up to date")
            self._said = ""
        except RefusedError as error:
            self._say_once(str(error))  # and so it stays until somebody edits something
        self._waiting = read_waiting(self.folder, self.settings, now)
        self._dirty_at = self.monotonic()
        # The register is what a build itself writes among the issues.
        after = look_at(self.folder)
        self._done = after.signature if after.files == look.files else None

    def _say_once(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self.say(text)
