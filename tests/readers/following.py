"""People who follow a feed: a reader, an address, a habit, and what they would complain of."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256

import msgspec

from publisher.preflight.feed_readers.documents import Format, Item, read_document
from publisher.preflight.feed_readers.feedmail import FeedMail
from publisher.preflight.feed_readers.reader import Answer, Reader, Reading, Shown
from tests.readers.scenes import BASE, MOVED, Entry, Scene

_TOKEN = re.compile(r"\b(?:story|issue)-\d+\b")
_MARKER = re.compile(r"\b(?:story|issue)-\d+\. Version \d+\.")


class Complaint(msgspec.Struct, frozen=True, kw_only=True):
    """What a person would complain of: `kind`, of which entry, and after what editors `did`."""

    kind: str
    token: str
    who: str
    at: datetime
    did: str


class Habit(msgspec.Struct, frozen=True, kw_only=True):
    """How often somebody's reader asks, from when on, and when it is away."""

    name: str
    every: timedelta
    begins: datetime
    away: tuple[tuple[datetime, datetime], ...] = ()

    def first_poll(self, start: datetime, end: datetime) -> datetime | None:
        """The first poll from `start` on and before `end`; later ones are answered with 304."""
        steps = -(-(start - self.begins) // self.every)
        poll = self.begins + max(0, steps) * self.every
        while poll < end and any(left <= poll < back for left, back in self.away):
            poll += self.every
        return poll if poll < end else None


class Server:
    """Serves the scene's files with validators (RFC 9110, sections 13.1 and 13.2.2)."""

    def __init__(self) -> None:
        self.scene: Scene | None = None

    def answer(self, path: str, headers: dict[str, str]) -> Answer:
        assert self.scene
        body = self.scene.bodies.get(path)
        if body is None:
            return Answer(status=404)
        etag = f'"{sha256(body).hexdigest()[:20]}"'
        changed = self.scene.changed[path].replace(microsecond=0)
        modified = format_datetime(changed, usegmt=True)
        if known := headers.get("If-None-Match"):
            is_known = known == etag
        else:
            since = headers.get("If-Modified-Since")
            is_known = bool(since) and parsedate_to_datetime(since or "") >= changed
        status, sent = (304, b"") if is_known else (200, body)
        return Answer(status=status, body=sent, etag=etag, last_modified=modified)

    def fetch(self, address: str) -> bytes:
        assert self.scene
        path = address.partition("?")[0].removeprefix(f"{MOVED}/").removeprefix(f"{BASE}/")
        return self.scene.bodies[path]


class Follower:
    """One person with one feed; `complaints` are what went wrong, `again` what a reader forgot.

    `shown` says of each token that was shown as new when it was first.
    """

    def __init__(self, reader: Reader, stem: str, suffix: Format, base: str, habit: Habit) -> None:
        self.reader = reader
        self.stem = stem
        self.path = f"{stem}.{suffix}"
        self.url = f"{base}/{self.path}"
        self.habit = habit
        self.shown: dict[str, datetime] = {}
        self.read: dict[str, Entry] = {}
        self.last: frozenset[str] = frozenset()
        self.complaints: list[Complaint] = []
        self.again: list[Complaint] = []
        self.format = suffix

    def poll(self, server: Server, scene: Scene, at: datetime) -> None:
        """Ask once, and judge what would be seen."""
        server.scene = scene
        answer = server.answer(self.path, self.reader.request(self.url, at))
        if answer.status == 404:  # a tag that nothing has
            return
        reading = self.reader.receive(answer, self.url, at)
        if answer.status == 304:
            live = {entry.token for entry in scene.live[self.stem]}
            for token in live - self.shown.keys() - self.passed_over(scene):
                self._complain("missed behind a 304", token, scene, at)
            return
        self._judge(reading, scene, at)

    def _judge(self, reading: Reading, scene: Scene, at: datetime) -> None:
        live = {entry.token: entry for entry in scene.live[self.stem]}
        new = [(token_of(shown), shown) for shown in reading.new]
        for token, shown in new:
            self._judge_new(token, shown, live.get(token), scene, at)
        for token in live.keys() - self.shown.keys() - self.passed_over(scene):
            self._complain("missed", token, scene, at)
        self._judge_order([token for token, _ in new if token in live], live, scene, at)
        self._judge_updates(reading, live, {token for token, _ in new}, scene, at)
        for token, entry in live.items():
            self.read[token] = entry
        self.last = frozenset(live)

    def _judge_new(
        self, token: str, shown: Shown, entry: Entry | None, scene: Scene, at: datetime
    ) -> None:
        if token in scene.withdrawn:
            self._complain("shown after its withdrawal", token, scene, at)
        elif token in self.shown:
            is_forgotten = self.reader.is_forgetful and token not in self.last
            self._complain("again" if is_forgotten else "twice", token, scene, at)
        elif token not in scene.whole[self.stem]:
            self._complain("unknown", token, scene, at)
        self.shown.setdefault(token, at)
        if entry and shown.link != entry.link:
            self._complain(f"leads to {shown.link}", token, scene, at)
        if entry and shown.date != entry.published and not self._is_dated_by_change():
            self._complain(f"dated {shown.date}", token, scene, at)

    def _judge_order(
        self, new: list[str], live: dict[str, Entry], scene: Scene, at: datetime
    ) -> None:
        promised = [token for token in live if token in new]
        if self.reader.is_by_date:
            promised.sort(key=lambda token: live[token].published, reverse=True)
        is_judged = not (new and self._is_dated_by_change())
        if new != promised and is_judged:
            self._complain("out of order", new[0], scene, at)

    def _is_dated_by_change(self) -> bool:
        """Thunderbird takes Atom's updated for the date of its message."""
        return self.path.endswith(".atom") and type(self.reader).__name__ == "Thunderbird"

    def _judge_updates(
        self,
        reading: Reading,
        live: dict[str, Entry],
        new: set[str],
        scene: Scene,
        at: datetime,
    ) -> None:
        updated = {token_of(shown) for shown in reading.updated}
        notices = self.reader.notices_of(self.format)
        for token in live.keys() & self.read.keys() - new:
            old, now = self.read[token].parts, live[token].parts
            is_due = any(old[part] != now[part] for part in notices)
            if is_due and token not in updated:
                self._complain("correction not shown", token, scene, at)
            elif token in updated and not is_due:
                self._complain("shown as changed, and is not", token, scene, at)
        if self.reader.replaces:
            kept = {token_of(each.shown): each.shown for each in self.reader.kept.values()}
            for token in live.keys() & kept.keys():
                shown, entry = kept[token], live[token]
                if (shown.title, shown.link) != (entry.title, entry.link) or (
                    entry.marker not in shown.text
                ):
                    self._complain("shown as it was", token, scene, at)

    def passed_over(self, scene: Scene) -> set[str]:
        """What FeedMail does not take for new, because of its date."""
        if not isinstance(self.reader, FeedMail):
            return set()
        items = read_document(scene.bodies[self.path]).items
        keys = {f"{self.url} {item.id}": token_of_item(item) for item in items}
        return {token for key, token in keys.items() if key in self.reader.passed_over}

    def _complain(self, kind: str, token: str, scene: Scene, at: datetime) -> None:
        who = f"{type(self.reader).__name__}, {self.path}, {self.habit.name}"
        complaint = Complaint(kind=kind, token=token, who=who, at=at, did=scene.did)
        (self.again if kind == "again" else self.complaints).append(complaint)


def token_of(shown: Shown) -> str:
    return _first_token(shown.text)


def token_of_item(item: Item) -> str:
    return _first_token(item.content or item.summary)


def _first_token(text: str) -> str:
    found = _TOKEN.search(text)
    return found[0] if found else ""


def follow(scenes: Iterable[Scene], followers: list[Follower], server: Server) -> list[Scene]:
    """Let everybody poll through a history; give its scenes."""
    seen: list[Scene] = []
    for scene in scenes:
        if seen:
            _poll_all(server, followers, seen[-1], scene.now)
        seen.append(scene)
    _poll_all(server, followers, seen[-1], seen[-1].now + timedelta(days=2))
    return seen


def _poll_all(server: Server, followers: list[Follower], scene: Scene, end: datetime) -> None:
    for follower in followers:
        if poll := follower.habit.first_poll(scene.now, end):
            follower.poll(server, scene, poll)
