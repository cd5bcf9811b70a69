"""What an operator saw of an issue when they last looked, and how it differs now.

It is kept in their session, in a few hundred bytes: what each part was, not what was in it.
"""

import hashlib
from typing import Any

import msgspec

from publisher.model.issue import Highlight
from publisher.site.message import IssueMessage

_KEY = "looks"
# Issues that are remembered for each session.
_MOST = 8
_TITLE = 120


class Outline(msgspec.Struct, frozen=True):
    """The digest of a message, and its parts: the subject, each highlight's id, title and hash."""

    digest: str
    subject: str
    highlights: tuple[tuple[str, str, str], ...]


def outline(message: IssueMessage, digest: str) -> Outline:
    highlights = tuple(
        (each.id, each.title[:_TITLE], _hash(each)) for each in message.issue.highlights
    )
    return Outline(digest, message.rendered.subject, highlights)


def _hash(highlight: Highlight) -> str:
    """A hash of what readers see of it; on which line it stands they do not."""
    seen = msgspec.structs.replace(highlight, line=0)
    return hashlib.sha256(msgspec.json.encode(seen)).hexdigest()[:12]


def compare(before: Outline, now: Outline) -> list[str]:
    """What is different now, in sentences; none where nothing is."""
    if before.digest == now.digest:
        return []
    old = {id: (title, hash) for id, title, hash in before.highlights}
    new = {id: (title, hash) for id, title, hash in now.highlights}
    said = []
    if before.subject != now.subject:
        said.append(f"The subject was “{before.subject}”.")
    said += [f"Added: {title}" for id, (title, _) in new.items() if id not in old]
    said += [f"Taken out: {title}" for id, (title, _) in old.items() if id not in new]
    said += [
        f"Changed: {title}"
        for id, (title, hash) in new.items()
        if id in old and old[id] != (title, hash)
    ]
    if [id for id in old if id in new] != [id for id in new if id in old]:
        said.append("The highlights stand in another order.")
    return said or ["Something around the highlights: the introduction, a template or a setting."]


def find_look(session: dict[str, Any], slug: str) -> Outline | None:
    """What was seen last of an issue in this session."""
    kept = session.get(_KEY, {}).get(slug)
    return msgspec.convert(kept, Outline) if kept else None


def keep_look(session: dict[str, Any], slug: str, seen: Outline) -> None:
    """Remember what is shown now."""
    kept = session.setdefault(_KEY, {})
    kept.pop(slug, None)
    kept[slug] = msgspec.to_builtins(seen)
    while len(kept) > _MOST:
        del kept[next(iter(kept))]
