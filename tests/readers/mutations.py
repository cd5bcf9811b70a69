"""Faults that feeds have had elsewhere, put into ours, to see that the readers here find them.

Each is a function of a document and the scene it stands in, made of changes to its entries.
"""

import json
import re
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import msgspec
from lxml import etree

from publisher.preflight.feed_readers.documents import read_document
from tests.readers.following import token_of_item
from tests.readers.scenes import MOVED, Scene

_ATOM = "{http://www.w3.org/2005/Atom}"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"


class Editable:
    """A document whose entries can be changed alike in all three formats."""

    def __init__(self, body: bytes) -> None:
        self.is_json = body.startswith(b"{")
        self.root: Any = json.loads(body) if self.is_json else etree.fromstring(body)
        if self.is_json:
            self.entries: list[Any] = self.root["items"]
        else:
            self.entries = list(self.root.iter(f"{_ATOM}entry", "item"))
        self.tokens = [token_of_item(item) for item in read_document(body).items]

    def get(self, entry: Any, part: str) -> str:
        if self.is_json:
            return str(entry[_JSON[part]])
        node = self._node(entry, part)
        return str(node.get("href") if node.tag == f"{_ATOM}link" else node.text)

    def set(self, entry: Any, part: str, value: str) -> None:
        if self.is_json:
            entry[_JSON[part]] = value
            return
        node = self._node(entry, part)
        if node.tag == f"{_ATOM}link":
            node.set("href", value)
            return
        for child in node:  # references that stand for characters
            node.remove(child)
        node.text = value

    def set_time(self, entry: Any, part: str, moment: datetime) -> None:
        is_rss = not self.is_json and entry.tag == "item" and part == "published"
        self.set(entry, part, format_datetime(moment) if is_rss else moment.isoformat())

    def _node(self, entry: Any, part: str) -> Any:
        if entry.tag == "item":
            return entry.find(_RSS[part])
        if part == "link":
            return entry.find(f"{_ATOM}link[@rel='alternate']")
        return entry.find(f"{_ATOM}{part}")

    def replace(self, entries: list[Any]) -> None:
        """Let the document hold these entries in this order."""
        if self.is_json:
            self.root["items"] = entries
            return
        parent = self.entries[0].getparent() if self.entries else self.root
        for entry in self.entries:
            parent.remove(entry)
        for entry in entries:
            parent.append(entry)

    def written(self) -> bytes:
        return json.dumps(self.root).encode() if self.is_json else etree.tostring(self.root)


_JSON = {
    "id": "id",
    "link": "url",
    "title": "title",
    "content": "content_html",
    "updated": "date_modified",
    "published": "date_published",
}
_RSS = {
    "id": "guid",
    "link": "link",
    "title": "title",
    "content": _CONTENT,
    "updated": f"{_ATOM}updated",
    "published": "pubDate",
}

Change = Callable[[Editable, Scene], None]


def mutate(scenes: list[Scene], change: Change) -> list[Scene]:
    """The same history with a fault in every document of the feed of highlights."""
    return [
        msgspec.structs.replace(
            scene,
            bodies={
                path: _mutate(body, change, scene)
                for path, body in scene.bodies.items()
                if re.match(r"(archive/\d{4}-\d\d/)?feed\.", path)
            },
            # What differs in two scenes was written anew between them.
            changed=dict.fromkeys(scene.bodies, scene.now),
        )
        for scene in scenes
    ]


def _mutate(body: bytes, change: Change, scene: Scene) -> bytes:
    document = Editable(body)
    change(document, scene)
    return document.written()


def each(change: Callable[[Editable, Any, Scene], None]) -> Change:
    """Change every entry."""

    def change_all(document: Editable, scene: Scene) -> None:
        for entry in document.entries:
            change(document, entry, scene)

    return change_all


def take_ids_from_links(document: Editable, entry: Any, scene: Scene) -> None:
    document.set(entry, "id", document.get(entry, "link"))


def take_ids_from_titles(document: Editable, entry: Any, scene: Scene) -> None:
    document.set(entry, "id", "urn:title:" + document.get(entry, "title"))


def take_ids_from_texts(document: Editable, entry: Any, scene: Scene) -> None:
    """A hash of the content for an id: each correction is another entry."""
    document.set(entry, "id", f"urn:hash:{hash(document.get(entry, 'content')):x}")


def move_ids_with_the_site(document: Editable, entry: Any, scene: Scene) -> None:
    if scene.base == MOVED:
        document.set(
            entry, "id", document.get(entry, "id").replace("daily.example", "moved.example")
        )


def number_ids(document: Editable, scene: Scene) -> None:
    for place, entry in enumerate(document.entries):
        document.set(entry, "id", f"urn:place:{place}")


def repeat_an_id(document: Editable, scene: Scene) -> None:
    for one, other in zip(document.entries[::2], document.entries[1::2], strict=False):
        document.set(other, "id", document.get(one, "id"))


def empty_ids(document: Editable, entry: Any, scene: Scene) -> None:
    document.set(entry, "id", "")


def update_always(document: Editable, entry: Any, scene: Scene) -> None:
    document.set_time(entry, "updated", scene.now)


def update_never(document: Editable, entry: Any, scene: Scene) -> None:
    if not document.is_json:
        document.set(entry, "updated", "2025-01-01T00:00:00+00:00")


def date_by_updates(document: Editable, entry: Any, scene: Scene) -> None:
    moment = datetime.fromisoformat(document.get(entry, "updated"))
    document.set_time(entry, "published", moment)


def date_now(document: Editable, entry: Any, scene: Scene) -> None:
    document.set_time(entry, "published", scene.now)


def claim_permanent_links(document: Editable, entry: Any, scene: Scene) -> None:
    if not document.is_json and entry.tag == "item":
        entry.find("guid").set("isPermaLink", "true")


def leave_links_behind(document: Editable, entry: Any, scene: Scene) -> None:
    link = document.get(entry, "link")
    document.set(entry, "link", link.replace(MOVED, "https://daily.example"))


def escape_titles_twice(document: Editable, entry: Any, scene: Scene) -> None:
    title = document.get(entry, "title")
    document.set(entry, "title", title.replace("(", "&#40;"))


def keep_first_texts(document: Editable, entry: Any, scene: Scene) -> None:
    text = document.get(entry, "content")
    for version in range(2, 9):
        text = text.replace(f"Version {version}.", "Version 1.")
    document.set(entry, "content", text)


def stamp_texts(document: Editable, entry: Any, scene: Scene) -> None:
    """Content that is another in each build."""
    text = document.get(entry, "content")
    document.set(entry, "content", f"{text}<p>Built {scene.now:%H:%M}.</p>")


def reverse(document: Editable, scene: Scene) -> None:
    document.replace(document.entries[::-1])


def sort_by_title(document: Editable, scene: Scene) -> None:
    document.replace(sorted(document.entries, key=lambda entry: document.get(entry, "title")))


def drop_the_newest(document: Editable, scene: Scene) -> None:
    document.replace(document.entries[1:])


def drop_one_amid(document: Editable, scene: Scene) -> None:
    middle = len(document.entries) // 2
    document.replace(document.entries[:middle] + document.entries[middle + 1 :])


def keep_three(document: Editable, scene: Scene) -> None:
    document.replace(document.entries[:3])


def cut_the_archive_off(document: Editable, scene: Scene) -> None:
    if not document.is_json:
        for link in list(document.root.iter(f"{_ATOM}link")):
            if link.get("rel") == "prev-archive":
                link.getparent().remove(link)


def bring_back(document: Editable, scene: Scene) -> None:
    """Another entry in the place of what was taken back."""
    for token in sorted(scene.withdrawn)[:1]:
        for entry in document.entries[:1]:
            document.set(entry, "id", f"urn:again:{token}")
            document.set(entry, "content", f"<p>This is {token}. Version 1.</p>")


# Each with a reader that must be among those that find it.
EACH: dict[str, tuple[Change, str]] = {
    "ids from links": (each(take_ids_from_links), "Miniflux"),
    "ids from titles": (each(take_ids_from_titles), "FreshRSS"),
    "ids from texts": (each(take_ids_from_texts), "Rss2Email"),
    "ids that move with the site": (each(move_ids_with_the_site), "NetNewsWire"),
    "ids by place": (number_ids, "LemonReader"),
    "repeated ids": (repeat_an_id, "Newsboat"),
    "no ids": (each(empty_ids), "LemonReader"),
    "updated at every build": (each(update_always), "LemonReader"),
    "never updated": (each(update_never), "ArchiveFollowing"),
    "published when updated": (each(date_by_updates), "ArchiveFollowing"),
    "published at every build": (each(date_now), "NetNewsWire"),
    "guids that claim to be links": (each(claim_permanent_links), "Thunderbird"),
    "links to where the site was": (each(leave_links_behind), "Feedly"),
    "titles escaped twice": (each(escape_titles_twice), "Miniflux"),
    "texts that stay as they were": (each(keep_first_texts), "FreshRSS"),
    "texts that differ in each build": (each(stamp_texts), "Rss2Email"),
    "the order turned round": (reverse, "Rss2Email"),
    "the order of titles": (sort_by_title, "Rss2Email"),
    "without the newest": (drop_the_newest, "FeedMail"),
    "without one amid": (drop_one_amid, "Thunderbird"),
    "no more than three": (keep_three, "Miniflux"),
    "what was taken back, anew": (bring_back, "Newsboat"),
    "no archive": (cut_the_archive_off, "ArchiveFollowing"),
}
