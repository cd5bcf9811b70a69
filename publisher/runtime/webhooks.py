"""Webhooks: telling other programs what happened, in its order, until they have heard it.

An event is told at least once: who gets one twice knows it by its `id`. What a webhook does not
take is tried again with growing waits for a day, and then given up. A refusal of one event (a 4xx)
puts that one off; anything else, such as a server that is down, lets all of that webhook's wait,
so that they keep their order.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import msgspec

from publisher import __version__
from publisher.errors import PublisherError
from publisher.render.urls import Urls
from publisher.runtime.events import Collecting, Published, find_issues
from publisher.runtime.log import Line, describe_defect
from publisher.runtime.outward import Answer, ask
from publisher.runtime.signing import HEADER, sign
from publisher.runtime.websub import read_retry_after
from publisher.settings import Settings, Webhook
from publisher.store import events as store
from publisher.store.database import Database

GIVE_UP = timedelta(days=1)
_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(hours=1)
# Waits differ by up to this part of them, so that not all come back at once.
_JITTER = 0.2
# Statuses that say nothing against the event itself: come later, slow down.
_LATER = (408, 425, 429)
# An event that a server has failed at so often is put off by itself: it may be what breaks it.
_POISON = 5
_LOOK_SECONDS = 1.0

Say = Callable[[str], None]
Post = Callable[[Webhook, bytes, dict[str, str]], Answer]
# What a webhook is not told any more is told to an operator: its host, why, and when.
Warn = Callable[[str, str, datetime], None]


def _now() -> datetime:
    return datetime.now(UTC)


def post_event(webhook: Webhook, body: bytes, headers: dict[str, str]) -> Answer:
    """Send an event."""
    return ask("POST", webhook.url, body, headers, allow_private=webhook.allow_private)


def name_webhook(url: str) -> str:
    """A webhook in logs and metrics: its host alone, since its URL may be all its secret."""
    return urlsplit(url).hostname or ""


def is_refusal(answer: Answer, attempts: int) -> bool:
    """Tell whether an answer concerns the event alone, which was tried so often before."""
    is_about_it = 400 <= answer.status < 500 and answer.status not in _LATER
    return is_about_it or (answer.status > 0 and attempts + 1 >= _POISON)


def find_wait(answer: Answer, failures: int, now: datetime, chance: float) -> timedelta:
    """How long to wait after a failure and so many before; `chance` is in [0, 1)."""
    asked = read_retry_after(answer.retry_after, now) if answer.retry_after else None
    if asked is not None:
        return min(max(asked, _FIRST_WAIT), GIVE_UP)
    wait = min(_FIRST_WAIT * 2.0 ** min(failures, 20), _LONGEST_WAIT)
    jittered: timedelta = wait * (1 - _JITTER + 2 * _JITTER * chance)
    return jittered


class Telling:
    """Tells one webhook what it is to be told."""

    def __init__(
        self,
        database: Database,
        webhook: Webhook,
        collecting: Collecting,
        publication: str,
        say: Say,
        warn: Warn,
        post: Post = post_event,
        clock: Callable[[], datetime] = _now,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.database = database
        self.webhook = webhook
        self.collecting = collecting
        self.publication = publication
        self.say = say
        self.warn = warn
        self.post = post
        self.clock = clock
        self.chance = chance
        self._said = ""

    def look(self, stop: Event) -> None:
        """Read what happened, and tell all that can be told now."""
        while not stop.is_set() and self.collecting.collect(self.webhook.url):
            pass
        while not stop.is_set() and self.tell_next():
            pass

    def tell_next(self) -> bool:
        """Tell the next event; False where none is to be told now."""
        now = self.clock()
        with self.database.read() as connection:
            following = store.find_following(
                connection, self.database.publication, self.webhook.url
            )
            if following is None or (following.wait_until and following.wait_until > now):
                return False
            event = store.find_outgoing(connection, following.id, now)
        if event is None:
            return False
        body = msgspec.json.encode(self._describe(event))
        answer = self.post(self.webhook, body, self._head(event, body, now))
        return self._settle(following, event, answer)

    def _describe(self, event: store.Outgoing) -> dict[str, Any]:
        data = msgspec.json.decode(event.data)
        if event.kind.startswith(("subscriber.", "delivery.")):
            data["subscriber"] = event.subscriber_ref
            if self.webhook.include_email:
                data["email"] = event.email
        return {
            "id": event.ref,
            "type": event.kind,
            "at": event.at.isoformat(timespec="milliseconds"),
            "publication": self.publication,
            "data": data,
        }

    def _head(self, event: store.Outgoing, body: bytes, now: datetime) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "User-Agent": f"publisher/{__version__}",
            "Publisher-Event": event.ref,
            HEADER: sign(self.webhook.secret, now, body),
        }

    def _settle(self, following: store.Following, event: store.Outgoing, answer: Answer) -> bool:
        """Note what came of it; False where all are to wait."""
        now = self.clock()
        fault = answer.fault or f"it answered {answer.status}"
        if answer.is_success:
            with self.database.write() as connection:
                store.note_told(connection, following.id, event.id, now)
            self._said = ""
            self.warn(name_webhook(self.webhook.url), "", now)
            return True
        is_refused = is_refusal(answer, event.attempts)
        failures = event.attempts if is_refused else following.failures
        wait = find_wait(answer, failures, now, self.chance())
        with self.database.write() as connection:
            if is_refused and now - event.queued_at >= GIVE_UP:
                given_up = 1
                store.give_up(connection, event.id, now, fault)
            else:
                store.put_off(connection, event.id, now + wait if is_refused else None, fault)
                given_up = 0
            if not is_refused:
                old = now - GIVE_UP
                given_up = store.give_up_all(connection, following.id, old, now, fault)
                store.let_wait(connection, following.id, now + wait)
        self._tell_fault(fault, given_up)
        return is_refused

    def _tell_fault(self, fault: str, given_up: int) -> None:
        host = name_webhook(self.webhook.url)
        if fault != self._said:
            self._said = fault
            said = f"the webhook at {host} was not told: {fault}; it is tried again"
            self.say(Line(said, "webhook-failed", "warning"))
        if given_up:
            self.warn(
                host,
                f"The webhook at {host} was not told of {given_up:,} that happened more than a day"
                f" ago, which is given up: {fault}.",
                self.clock(),
            )


def open_tellings(
    folder: Path, settings: Settings, database: Database, say: Say, warn: Warn
) -> list[Telling]:
    """One for each webhook of the settings; those that are new are told of what happens now."""
    follow_webhooks(folder, settings, database)
    urls = Urls(settings.as_publication().url)
    return [
        Telling(
            database,
            webhook,
            Collecting(database, Published(folder, settings), urls, webhook.events, _now),
            settings.publication.id,
            say,
            warn,
        )
        for webhook in settings.webhook
    ]


def follow_webhooks(folder: Path, settings: Settings, database: Database) -> None:
    """Follow the webhooks of the settings, and no others any more."""
    urls = [webhook.url for webhook in settings.webhook]
    issues = find_issues(folder) if urls else {}
    with database.write() as connection:
        store.follow(connection, database.publication, urls, issues.keys())


def tell_always(tellings: list[Telling], stop: Event) -> None:
    """Tell each webhook in a thread of its own, until told to stop: one that is slow stops none."""
    threads = [Thread(target=_tell_until, args=(each, stop)) for each in tellings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _tell_until(telling: Telling, stop: Event) -> None:
    said = fault = ""
    while not stop.is_set():
        try:
            telling.look(stop)
            fault = ""
        except PublisherError as error:
            fault = str(error)
        except Exception as error:  # a defect, which must not end what others are told
            fault = describe_defect(error)
        if fault and fault != said:
            telling.say(fault)
        said = fault
        stop.wait(_LOOK_SECONDS)
