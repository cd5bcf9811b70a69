"""What editors have written, and what each feed must then hold."""

from datetime import UTC, datetime

import msgspec

from publisher.preflight.feed_readers.documents import Format

FEEDS = ("feed", "issues", "tags/film/feed")
SUFFIXES: tuple[Format, ...] = ("atom", "rss", "json")
BASE = "https://daily.example"
MOVED = "https://news.moved.example/daily"
BEGINNING = datetime(2025, 1, 6, 6, tzinfo=UTC)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a person must be shown of one entry; `parts` by what readers notice changes of.

    `token` stands in the entry's text and nowhere else: by it an entry is known here, whatever ids
    the feeds give it.
    """

    token: str
    title: str
    marker: str
    link: str
    published: datetime
    parts: dict[str, object]


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """The site from `now` until the next scene. `live` and `whole` are entries by feed.

    `live` are those that the feed must hold in their order, `whole` the tokens of all that is
    published; `changed` says when each file got its bytes.
    """

    now: datetime
    did: str
    base: str
    bodies: dict[str, bytes]
    changed: dict[str, datetime]
    live: dict[str, tuple[Entry, ...]]
    whole: dict[str, frozenset[str]]
    withdrawn: frozenset[str]


class Story(msgspec.Struct, kw_only=True):
    number: int
    title: str
    tag: str
    guid: str = ""
    version: int = 1
    published: datetime | None = None
    is_withdrawn: bool = False

    @property
    def id(self) -> str:
        return f"h{self.number}"

    @property
    def marker(self) -> str:
        return f"story-{self.number}. Version {self.version}."

    def text(self) -> str:
        guid = f' guid="{self.guid}"' if self.guid else ""
        return f"## {self.title} {{#{self.id} .{self.tag}{guid}}}\n\nThis is {self.marker}\n"


class Draft(msgspec.Struct, kw_only=True):
    number: int
    name: str
    date: datetime
    title: str
    stories: list[Story]
    version: int = 1
    published: datetime | None = None
    is_withdrawn: bool = False

    @property
    def marker(self) -> str:
        return f"issue-{self.number}. Version {self.version}."

    @property
    def path(self) -> str:
        return f"issues/{self.name}.md"

    def text(self) -> str:
        front = (
            f"---\nid: i{self.number}\ntitle: {self.title}\n"
            f"date: {self.date.isoformat()}\nstatus: ready\n---\n"
        )
        return "\n".join((front, f"This is {self.marker}\n", *(s.text() for s in self.stories)))

    def standing(self) -> list[Story]:
        return [story for story in self.stories if not story.is_withdrawn]
