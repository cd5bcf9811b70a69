"""What the server itself says: each page in the publication's language."""

from typing import Literal, get_args

import msgspec

from publisher.model.publication import Publication
from publisher.render.words import Words

Kind = Literal[
    "check_mailbox",
    "bad_address",
    "confirm",
    "confirmed",
    "link_unusable",
    "end",
    "ended",
    "not_subscribed",
    "trial",
    "not_found",
    "refused",
    "unavailable",
]
# Each is the beginning of the names of its words in the catalogues.
KINDS: tuple[Kind, ...] = get_args(Kind)
# An address runs in its own direction in the middle of a sentence; none is longer than 254.
_ISOLATED = "\u2068{}\u2069"
_SHOWN_CHARACTERS = 254


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A page: see templates/pages/consent.html."""

    title: str
    paragraphs: tuple[str, ...]
    button: str = ""
    hint: str = ""
    has_form: bool = False


def make_notice(kind: Kind, publication: Publication, words: Words, address: str = "") -> Notice:
    """The page of a kind; `address` is what somebody typed who meant an address."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in address[:_SHOWN_CHARACTERS])
    text = words.get(f"{kind}_text").format(
        title=publication.title, address=_ISOLATED.format(shown)
    )
    return Notice(
        title=words.get(kind),
        paragraphs=(text,),
        button=words.get(f"{kind}_button"),
        hint=words.get(f"{kind}_hint"),
        has_form=kind == "bad_address",
    )
