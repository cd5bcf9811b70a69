"""Welcoming who has just confirmed: with the newest issue, where it does not come to them anyway.

All who are welcomed with the same content are in one mailing, to which each is added: the database
holds that it goes to nobody twice, and its content is kept once.
"""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from publisher.errors import PublisherError
from publisher.message.freeze import digest
from publisher.model.audience import Subscriber
from publisher.model.delivery import Mailing
from publisher.model.language import direction
from publisher.render.views import Greeting
from publisher.runtime.single import Singles
from publisher.runtime.start import freeze_issue, new_mailing
from publisher.site.message import render_welcome
from publisher.store.starting import add_recipient
from publisher.store.welcomes import has_issue

# An issue is rendered anew after this, in seconds, so that a correction reaches the next ones.
_FRESH = 60.0
_DIGITS = 16


class Welcome(msgspec.Struct, frozen=True):
    """A welcome with an issue, and the version of that one's text; empty where it cannot be had."""

    content: bytes = b""
    version: str = ""


class Welcoming:
    """Makes welcomes; for one thread."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self._folder = folder
        self._tell = tell
        self._made: dict[tuple[str, str], tuple[float, Welcome]] = {}

    def render(self, singles: Singles, newest: Mailing, language: str, now: datetime) -> Welcome:
        """The content of a welcome with an issue."""
        key, moment = (newest.issue, language), time.monotonic()
        self._made = {k: v for k, v in self._made.items() if moment - v[0] < _FRESH}
        if key not in self._made:
            self._made[key] = (moment, self._render(singles, newest, language, now))
        return self._made[key][1]

    def _render(self, singles: Singles, newest: Mailing, language: str, now: datetime) -> Welcome:
        words = singles.words(language)
        greeting = Greeting(
            subject=words.welcome_subject.format(title=singles.settings.publication.title),
            language=words.language,
            direction=direction(words.language),
            lines=(words.welcome_text, words.welcome_latest),
        )
        try:
            message = render_welcome(self._folder, singles.settings, now, newest.slug, greeting)
        except Exception as error:  # it was withdrawn; or a template may divide by nothing
            why = str(error) if isinstance(error, PublisherError) else type(error).__name__
            self._tell(f"new readers are welcomed without {newest.slug}: {why}")
            return Welcome()
        if message.issue.id != newest.issue:
            return Welcome()
        content = freeze_issue(message, singles.settings, purpose="welcome")
        return Welcome(content, message.issue.version)


def start_welcome(
    connection: Connection,
    publication: int,
    singles: Singles,
    subscriber: Subscriber,
    newest: Mailing | None,
    welcome: Welcome,
    now: datetime,
) -> bool:
    """Let a welcome leave: with the newest issue where there is one and they lack it.

    False where they had the same one before. The connection writes.
    """
    issue, slug, content, version = "", "greeting", welcome.content, welcome.version
    if newest and content and not has_issue(connection, publication, subscriber.id, newest.issue):
        issue, slug = newest.issue, newest.slug
    else:
        content, version = singles.freeze("greeting", subscriber.language), ""
    name = f"{issue}:{digest(content)[:_DIGITS]}"
    new = new_mailing(content, singles.settings, name, slug, "welcome", version)
    return add_recipient(connection, publication, new, subscriber.id, now)
