"""The name that somebody typed into the form -> one that can be kept."""

import unicodedata

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
