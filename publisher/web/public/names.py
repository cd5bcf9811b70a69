"""The name and the language of somebody who uses a form -> what can be kept of them."""

import unicodedata
from collections.abc import Collection

from publisher.audience.address import NAME_CHARACTERS, AddressError, parse_name

# Controls, what turns a line's direction round, halves of pairs, and what ends a line.
_DROPPED = ("Cc", "Cf", "Cs", "Zl", "Zp")
# A name is no reason to send anybody away; joiners are letters of some scripts.
_JOINERS = "\u200c\u200d"


def clean_name(text: str) -> str:
    """A name without what has no place in one; empty where nothing is left."""
    kept = "".join(
        " " if unicodedata.category(c) in _DROPPED and c not in _JOINERS else c
        for c in text[: 10 * NAME_CHARACTERS]
    )
    try:
        return parse_name(" ".join(kept.split())[:NAME_CHARACTERS].strip())
    except AddressError:
        return ""


def choose_language(text: str, languages: Collection[str], own: str) -> str:
    """The tag of a language that there are words in; empty for the publication's own, or none.

    `languages` are those with words, as `zh`; `text` and `own` are any BCP 47 tags.
    """
    tag = _closest(text, languages)
    return "" if tag == (_closest(own, languages) or "en") else tag


def _closest(text: str, languages: Collection[str]) -> str:
    subtags = text.lower().split("-")
    tags = ("-".join(subtags[:length]) for length in range(len(subtags), 0, -1))
    return next((tag for tag in tags if tag in languages), "")
