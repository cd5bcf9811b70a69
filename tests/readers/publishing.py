"""A publication as its editors work on it for a year, in simulated time, through real builds.

What each feed must hold is worked out here from what the editors did, not from what was built.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from publisher.preflight.feed_readers.reader import LINK, STAMP, TAGS, TEXT, TITLE
from publisher.site.job import CACHE
from publisher.site.withdraw import withdraw
from tests.readers.scenes import BASE, BEGINNING, FEEDS, MOVED, SUFFIXES, Draft, Entry, Scene, Story
from tests.site.world import SETTINGS, World

_TAGS = ("film", "stage", "music")
_WINDOW = timedelta(days=14)
_LEAST = 5


class Publishing:
    """One publication's history. `scenes` yields the site after each thing that was done."""

    def __init__(self, folder: Path, seed: int, *, acts: float = 0.4) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.acts = acts
        self.base = BASE
        self.world = World(folder / "machine0", SETTINGS)
        self.world.now = BEGINNING
        self.drafts: list[Draft] = []
        self.count = 0
        self.machines = 0
        self.withdrawn: set[str] = set()
        self.bodies: dict[str, bytes] = {}
        self.changed: dict[str, datetime] = {}

    def scenes(self, days: int) -> Iterator[Scene]:
        """The history of so many days; each of the rare things happens in it at least once."""
        rare = dict(zip(self._rare_days(days), self._rare(), strict=True))
        pause = self.random.randint(days // 3, days // 2)
        resume = pause + 14
        for day in range(days):
            self._wait_until(day, self.random.uniform(0, 2))
            if day == resume:
                pause = day + self.random.randint(30, 120)
            if not pause <= day < pause + 14:
                resume = pause + 14
                yield self._build(self.publish())
                if self.random.random() < 0.08:
                    yield self._build(self.publish())
            if day in rare:
                yield from rare[day](day)
            for _ in range(sum(self.random.random() < self.acts / 2 for _ in range(2))):
                self.world.now += timedelta(minutes=self.random.randint(3, 400))
                if self.drafts and (did := self._act()):
                    yield self._build(did)

    def _rare_days(self, days: int) -> list[int]:
        return sorted(self.random.sample(range(days // 5, days - 3), 7))

    def _rare(self) -> list[Callable[[int], Iterator[Scene]]]:
        rare: list[Callable[[int], Iterator[Scene]]] = [
            *(self._move, self._go_to_another_machine, self._restore, self._restore),
            *(self._withdraw_newest, self._publish_early, self._lose_files),
        ]
        self.random.shuffle(rare)
        return rare

    def _wait_until(self, day: int, hours: float) -> None:
        moment = BEGINNING + timedelta(days=day, hours=hours)
        self.world.now = max(self.world.now, moment).replace(microsecond=0) + timedelta(minutes=1)

    # What is done every day

    def publish(self, date: datetime | None = None) -> str:
        """A new issue of one to five highlights, dated now unless told otherwise."""
        date = self._free(date or self.world.now)
        self.count += 1
        number = self.count
        stories = [self._write_story() for _ in range(self.random.randint(1, 5))]
        draft = Draft(
            number=number,
            name=f"{date:%Y-%m-%d}-{number}",
            date=date,
            title=f"Issue {number}",
            stories=stories,
        )
        self.drafts.append(draft)
        self._save(draft)
        return f"published issue {number} of {date:%Y-%m-%d}"

    def _free(self, date: datetime) -> datetime:
        """No two issues within a minute, which would leave their order to their names."""
        taken = [draft.date for draft in self.drafts]
        while any(abs(date - other) < timedelta(minutes=1) for other in taken):
            date -= timedelta(minutes=1)
        return date.replace(second=0, microsecond=0)

    def _write_story(self) -> Story:
        self.count += 1
        # Some were taken over from another system, whose ids were addresses.
        guid = f"https://old.example/?p={self.count}" if self.random.random() < 0.1 else ""
        return Story(
            number=self.count,
            title=f"Story {self.count}",
            tag=self.random.choice(_TAGS),
            guid=guid,
        )

    def _act(self) -> str:
        """Something that editors do to what is there; most often to what is recent."""
        there = [draft for draft in self.drafts if not draft.is_withdrawn]
        draft = self.random.choice(there[-8:] if self.random.random() < 0.8 else there)
        acts = (
            *(self._edit, self._edit, self._correct, self._correct_issue, self._reorder),
            *(self._rename, self._retag, self._retag, self._add, self._redate),
            *(self._withdraw_story, self._withdraw_issue, self._publish_late, self._note),
        )
        weights = (9, 9, 9, 5, 6, 5, 6, 6, 4, 2, 4, 1, 4, 5)
        return self.random.choices(acts, weights)[0](draft)

    def _edit(self, draft: Draft) -> str:
        if not (stories := draft.standing()):
            return ""
        story = self.random.choice(stories)
        story.version += 1
        return self._saved(draft, f"edited story {story.number}")

    def _correct(self, draft: Draft) -> str:
        if not (stories := draft.standing()):
            return ""
        story = self.random.choice(stories)
        story.title += " (corrected)"
        return self._saved(draft, f"corrected the title of story {story.number}")

    def _correct_issue(self, draft: Draft) -> str:
        draft.title += " (corrected)"
        draft.version += 1
        return self._saved(draft, f"corrected issue {draft.number}")

    def _reorder(self, draft: Draft) -> str:
        self.random.shuffle(draft.stories)
        return self._saved(draft, f"reordered issue {draft.number}")

    def _rename(self, draft: Draft) -> str:
        (self.world.folder / draft.path).unlink()
        self.count += 1
        draft.name = f"renamed-{self.count}"
        return self._saved(draft, f"renamed issue {draft.number}")

    def _retag(self, draft: Draft) -> str:
        if not (stories := draft.standing()):
            return ""
        story = self.random.choice(stories)
        story.tag = self.random.choice(_TAGS)
        return self._saved(draft, f"tagged story {story.number} {story.tag}")

    def _add(self, draft: Draft) -> str:
        story = self._write_story()
        draft.stories.insert(self.random.randint(0, len(draft.stories)), story)
        return self._saved(draft, f"added story {story.number} to issue {draft.number}")

    def _redate(self, draft: Draft) -> str:
        date = draft.date + timedelta(hours=self.random.randint(-30, 30))
        draft.date = self._free(min(date, self.world.now))
        return self._saved(draft, f"dated issue {draft.number} {draft.date:%Y-%m-%d}")

    def _publish_late(self, draft: Draft) -> str:
        return self.publish(self.world.now - timedelta(days=self.random.randint(1, 20)))

    def _withdraw_story(self, draft: Draft) -> str:
        stories = draft.standing()
        if not stories or draft.published is None:
            return ""
        return self._withdraw(draft, self.random.choice(stories))

    def _withdraw_issue(self, draft: Draft) -> str:
        return self._withdraw(draft, None) if draft.published else ""

    def _withdraw(self, draft: Draft, story: Story | None) -> str:
        """Take back a story, or an issue with all of its own; some stay in their files."""
        id_ = story.id if story else f"i{draft.number}"
        withdraw(self.world.folder, self.world.settings, id_, "", self.world.now)
        gone = [story] if story else draft.standing()
        self.withdrawn.update(f"story-{each.number}" for each in gone)
        for each in gone:
            each.is_withdrawn = True
        if story is None:
            draft.is_withdrawn = True
            self.withdrawn.add(f"issue-{draft.number}")
            if self.random.random() < 0.5:
                (self.world.folder / draft.path).unlink()
        elif self.random.random() < 0.5:
            draft.stories.remove(story)
            self._save(draft)
        # The register knows an issue's first date only, from which the window is then counted.
        is_later = story is None and draft.published and draft.date > draft.published
        return f"dated later, then withdrew {id_}" if is_later else f"withdrew {id_}"

    def _note(self, draft: Draft) -> str:
        """Edit a story and say why: what readers get is one update with the note in it."""
        stories = draft.standing()
        if not stories or draft.published is None:
            return ""
        story = self.random.choice(stories)
        story.version += 1
        self._save(draft)
        self.world.correct(draft.name, "What it said was wrong.", story.id)
        return f"noted a correction of story {story.number}"

    def _saved(self, draft: Draft, did: str) -> str:
        self._save(draft)
        return did

    def _save(self, draft: Draft) -> None:
        self.world.write(draft.path, draft.text())

    # What is done rarely

    def _move(self, day: int) -> Iterator[Scene]:
        """The site moves; readers that know the old address are served there as before."""
        self.world.replace("publisher.toml", f'url = "{self.base}"', f'url = "{MOVED}"')
        self.base = MOVED
        yield self._build("moved the site")

    def _go_to_another_machine(self, day: int) -> Iterator[Scene]:
        self.machines += 1
        self.world = self.world.committed_copy(self.folder / f"machine{self.machines}")
        yield self._build("built on another machine")

    def _restore(self, day: int) -> Iterator[Scene]:
        """Yesterday's site and cache come back, are served for some hours, and are built upon."""
        backup = self.folder / f"backup{day}"
        for name in ("public", CACHE):
            shutil.copytree(self.world.folder / name, backup / name)
        before = self._look("")
        self._wait_until(day + 1, 1)
        yield self._build(self.publish())
        self.world.now += timedelta(hours=self.random.randint(1, 5))
        for name in ("public", CACHE):
            shutil.rmtree(self.world.folder / name)
            shutil.copytree(backup / name, self.world.folder / name)
        self._note_bodies(before.changed)
        yield msgspec.structs.replace(
            before, now=self.world.now, did="restored yesterday's backup", changed=self.changed
        )
        self.world.now += timedelta(hours=self.random.randint(1, 5))
        yield self._build("built upon the backup")

    def _withdraw_newest(self, day: int) -> Iterator[Scene]:
        draft = max(self._published(), key=lambda draft: draft.date)
        self.world.now += timedelta(hours=2)
        yield self._build(self._withdraw(draft, None))

    def _publish_early(self, day: int) -> Iterator[Scene]:
        """An issue of the day after tomorrow, which waits until then."""
        yield self._build(self.publish(self.world.now + timedelta(days=2)))

    def _lose_files(self, day: int) -> Iterator[Scene]:
        for path in ("feed.atom", "issues.rss", "index.html"):
            (self.world.public / path).unlink()
        yield self._build("made lost files anew")

    # What comes of it

    def _build(self, did: str) -> Scene:
        report = self.world.build()
        assert not report.is_refused, (did, report.problems)
        for draft in self._published():
            draft.published = draft.published or draft.date
            for place, story in enumerate(draft.stories, 1):
                story.published = story.published or draft.date + timedelta(seconds=place)
        self._note_bodies({})
        return self._look(did)

    def _note_bodies(self, restored: dict[str, datetime]) -> None:
        """Read what is served; a file has the time at which it got its bytes."""
        public = self.world.public
        live = [public / f"{stem}.{suffix}" for stem in FEEDS for suffix in SUFFIXES]
        archived = public.glob("archive/*-*/**/*.atom")
        files = {path.relative_to(public).as_posix(): path for path in (*live, *archived)}
        bodies = {name: path.read_bytes() for name, path in files.items() if path.exists()}
        times = {
            name: restored.get(name, self.world.now)
            for name, body in bodies.items()
            if self.bodies.get(name) != body
        }
        self.changed = self.changed | times
        self.bodies = bodies

    def _published(self) -> list[Draft]:
        """What is public, newest first."""
        due = [
            draft
            for draft in self.drafts
            if not draft.is_withdrawn and (draft.published or draft.date <= self.world.now)
        ]
        return sorted(due, key=lambda draft: (draft.date, draft.name), reverse=True)

    def _look(self, did: str) -> Scene:
        published = self._published()
        filmed = [d for d in published if any(s.tag == "film" for s in d.standing())]
        ever = [draft.published for draft in self.drafts if draft.is_withdrawn and draft.published]
        window = _in_window(published, max(ever, default=BEGINNING))
        return Scene(
            now=self.world.now,
            did=did,
            base=self.base,
            bodies=self.bodies,
            changed=self.changed,
            live={
                "feed": self._stories(window),
                "issues": tuple(self._issue_entry(draft) for draft in window),
                "tags/film/feed": self._stories(_in_window(filmed), "film"),
            },
            whole={
                "feed": _tokens(self._stories(published)),
                "issues": frozenset(f"issue-{draft.number}" for draft in published),
                "tags/film/feed": _tokens(self._stories(published, "film")),
            },
            withdrawn=frozenset(self.withdrawn),
        )

    def _stories(self, drafts: list[Draft], tag: str = "") -> tuple[Entry, ...]:
        return tuple(
            self._story_entry(story)
            for draft in drafts
            for story in draft.standing()
            if not tag or story.tag == tag
        )

    def _story_entry(self, story: Story) -> Entry:
        assert story.published
        link = f"{self.base}/highlights/{story.id}/"
        return Entry(
            token=f"story-{story.number}",
            title=story.title,
            marker=story.marker,
            link=link,
            published=story.published,
            parts={
                TITLE: story.title,
                TEXT: story.version,
                LINK: link,
                TAGS: story.tag,
                STAMP: (story.title, story.version, story.tag),
            },
        )

    def _issue_entry(self, draft: Draft) -> Entry:
        assert draft.published
        link = f"{self.base}/issues/{draft.name}/"
        said = [(story.number, story.title, story.version) for story in draft.standing()]
        tagged = [(story.number, story.tag) for story in draft.standing()]
        return Entry(
            token=f"issue-{draft.number}",
            title=draft.title,
            marker=draft.marker,
            link=link,
            published=draft.published,
            parts={
                TITLE: draft.title,
                # Each highlight in it is linked to its page.
                TEXT: (self.base if said else "", draft.version, said),
                LINK: link,
                TAGS: (),
                STAMP: (draft.title, draft.version, said, tagged, draft.date),
            },
        )


def _in_window(drafts: list[Draft], newest: datetime = BEGINNING) -> list[Draft]:
    """What a live feed holds: 14 days back from the newest, at least five issues.

    `newest` is the date of the newest issue that was taken back.
    """
    start = max([newest, *(draft.date for draft in drafts[:1])]) - _WINDOW
    return [draft for place, draft in enumerate(drafts) if place < _LEAST or draft.date >= start]


def _tokens(entries: tuple[Entry, ...]) -> frozenset[str]:
    return frozenset(entry.token for entry in entries)
