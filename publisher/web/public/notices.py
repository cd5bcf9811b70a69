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
    "ask_preferences",
    "preferences_mailed",
    "new_address",
    "address_changed",
    "erased",
    "closed",
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


# Where the hint of a page leads.
Way = Literal["", "subscribe", "preferences"]
_WAYS: dict[Kind, Way] = {"end": "preferences", "ended": "subscribe", "closed": "preferences"}


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A page: see templates/pages/consent.html."""

    language: str
    title: str
    paragraphs: tuple[str, ...]
    button: str = ""
    hint: str = ""
    way: Way = ""
    has_form: bool = False
    asks_address: bool = False


def make_notice(
    kind: Kind,
    publication: Publication,
    words: Words,
    address: str = "",
    *,
    language: str = "",
    is_of_preferences: bool = False,
) -> Notice:
    """The page of a kind; `address` is what somebody typed who meant an address.

    Where that was for the link to their preferences, or that has ended, it is asked for again.
    """
    text = words.get(f"{kind}_text").format(title=publication.title, address=isolate(address))
    is_slip = kind == "bad_address"
    of = "closed" if is_of_preferences and kind == "link_unusable" else kind
    return Notice(
        language=language or publication.language,
        title=words.get(kind),
        paragraphs=(text,),
        button=words.get(f"{kind}_button"),
        hint=words.get(f"{of}_hint"),
        way=_WAYS.get(of, ""),
        has_form=is_slip and not is_of_preferences,
        asks_address=kind == "ask_preferences" or (is_slip and is_of_preferences),
    )


def isolate(address: str) -> str:
    """What somebody typed as an address, as it can stand in a sentence."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in address[:_SHOWN_CHARACTERS])
    return _ISOLATED.format(shown)
