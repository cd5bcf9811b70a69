"""Identity: minting ids, and hashes of what readers see, independent of how it is rendered."""

import secrets
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from publisher.model import content as c
from publisher.model.issue import Highlight, Issue

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
    return _hash(
        highlight.title,
        highlight.url,
        highlight.source,
        highlight.image,
        [tag.label for tag in highlight.tags],
        highlight.language,
        _without_lines(highlight.body),
    )


def hash_issue(issue: Issue, highlights: Mapping[str, str]) -> str:
    """Hash what a reader sees of an issue.

    `highlights` are the hashes of its published highlights by id, in their order.
    """
    return _hash(
        issue.title,
        issue.number,
        issue.date.isoformat() if issue.date else "",
        issue.summary,
        issue.language,
        issue.authors,
        [tag.label for tag in issue.tags],
        _without_lines(issue.introduction),
        [[id_, hash_] for id_, hash_ in highlights.items()],
    )


def _hash(*values: Any) -> str:
    """The `v1` names this recipe: another one would move every `updated` in every archive."""
    return "v1:" + sha256(msgspec.json.encode(values)).hexdigest()[:32]


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
