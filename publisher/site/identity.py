"""Identity: minting ids, and hashes of what readers see, independent of how it is rendered."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC
from hashlib import sha256
from typing import Any

import msgspec

from publisher.model import content as c
from publisher.model.issue import Correction, Highlight, Issue

# No vowels (no words by accident) and none of 0, 1, l: 28 characters, first a letter, so that
# 10 of them hold some 48 bits.
_LETTERS = "bcdfghjkmnpqrstvwxz"
_ALPHABET = _LETTERS + "23456789"
_ID_LENGTH = 10


def mint_id(taken: Iterable[str] = ()) -> str:
    """Mint a permanent id: short, opaque, and independent of title, order and date."""
    used = set(taken)
    while True:
        tail = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH - 1))
        if (id_ := secrets.choice(_LETTERS) + tail) not in used:
            return id_


# Where a node stands in the file, and a code block's language, which no rendition shows.
_UNSEEN = frozenset({"line", "language"})


def hash_highlight(highlight: Highlight) -> str:
    """Hash what a reader sees of a highlight; lines in the file and its place do not count."""
    return _hash(*_seen(highlight), *_noted(highlight.corrections))


def hash_issue(issue: Issue, highlights: Mapping[str, str]) -> str:
    """Hash what a reader sees of an issue.

    `highlights` are the hashes of its published highlights by id, in their order.
    """
    date = issue.date.isoformat() if issue.date else ""
    parts = [[id_, hash_] for id_, hash_ in highlights.items()]
    return _hash(*_own(issue, date), parts, *_noted(issue.corrections))


def version_of(issue: Issue) -> str:
    """Name the text of an issue: SHA-256 in hex of what hash_issue hashes, but for its notes.

    Withdrawn highlights must have been left out.
    """
    parts = [[highlight.id, _hash(*_seen(highlight))] for highlight in issue.highlights]
    return _digest(*_own(issue, _moment(issue)), parts)


def hash_parts(issue: Issue) -> dict[str, str]:
    """Hash each highlight by its id, and the issue's own words (by the empty id), without notes."""
    own = _hash(*_own(issue, _moment(issue)))
    return {"": own} | {h.id: _hash(*_seen(h)) for h in issue.highlights}


def _moment(issue: Issue) -> str:
    return issue.date.astimezone(UTC).isoformat() if issue.date else ""


def _seen(highlight: Highlight) -> list[Any]:
    return [
        highlight.title,
        highlight.url,
        highlight.source,
        highlight.image,
        [tag.label for tag in highlight.tags],
        highlight.language,
        _without_lines(highlight.body),
    ]


def _own(issue: Issue, date: str) -> list[Any]:
    """An issue's own words; its date as it is to be hashed."""
    return [
        issue.title,
        issue.number,
        date,
        issue.summary,
        issue.language,
        issue.authors,
        [tag.label for tag in issue.tags],
        _without_lines(issue.introduction),
    ]


def _noted(corrections: tuple[Correction, ...]) -> list[Any]:
    """The notes, where there are any: a hash without them is what it always was."""
    notes = [[each.at.astimezone(UTC).isoformat(), each.note] for each in corrections]
    return [notes] if notes else []


def _hash(*values: Any) -> str:
    """The `v1` names this recipe: another one would move every `updated` in every archive."""
    return f"v1:{_digest(*values)[:32]}"


def _digest(*values: Any) -> str:
    return sha256(msgspec.json.encode(values)).hexdigest()


def _without_lines(value: Any) -> Any:
    """The tree as nested lists, with the numbers of lines left out."""
    if isinstance(value, tuple):
        return [_without_lines(item) for item in value]
    if not isinstance(value, c.Node):
        return value
    kept = [
        _without_lines(getattr(value, name))
        for name in value.__struct_fields__
        if name not in _UNSEEN
    ]
    return [value.__struct_config__.tag, *kept]
