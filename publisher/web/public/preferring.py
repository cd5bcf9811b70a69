"""What a link to preferences opens, and what each of the page's forms does."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec
from sqlalchemy import Connection

from publisher.audience.address import (
    Address,
    AddressError,
    address_hash,
    limit_key,
    parse_address,
)
from publisher.audience.choosing import read_choices
from publisher.audience.preferences import PAUSES, export, pause, resume
from publisher.audience.preferences import choose as choose_content
from publisher.audience.subscribing import erase, unsubscribe
from publisher.model.audience import Subscriber
from publisher.model.choices import Choices, Offer
from publisher.model.publication import Publication
from publisher.store import preferences, wishes
from publisher.store.subscribers import find_by_ref
from publisher.store.wishes import NewWish
from publisher.web.public.consents import Link, find_fresh
from publisher.web.public.form import Fields
from publisher.web.public.names import choose_language, clean_name
from publisher.web.public.notices import Kind

Act = (
    Literal["save", "choose", "pause", "resume", "address", "export"]
    | Literal["ask_erase", "erase", "unsubscribe", "close"]
)
_ACTS: dict[str, Act] = {act: act for part in get_args(Act) for act in get_args(part)}
# What makes sense for those alone whom issues are sent to.
_OF_SUBSCRIBED = ("choose", "pause", "resume", "address")


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """A form of the page, sent: what it does, with what."""

    act: Act
    name: str = ""
    language: str = ""
    pause: str = ""
    choices: Choices | None = None
    address: Address | None = None
    slip: str | None = None  # what was typed that is no address


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The page, for whom, and what was just done on it; `slip` is what was no address."""

    subscriber: Subscriber
    done: Act | Literal[""] = ""
    slip: str | None = None


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """Another page instead, in a language; `erased` are addresses to be scrubbed."""

    kind: Kind
    language: str = ""
    erased: tuple[str, ...] = ()


class Handed(msgspec.Struct, frozen=True):
    """What is kept about a subscriber, as a document."""

    document: dict[str, Any]


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """One request's transaction, and what it takes."""

    connection: Connection
    publication: int
    about: Publication
    secret: bytes
    client: str
    now: datetime


def read_chosen(
    fields: Fields, languages: Collection[str], own: str, offer: Offer
) -> Chosen | None:
    """Read a form of the page; None where it is none of its forms."""
    given = {name: values[0] for name, values in fields.items() if len(set(values)) == 1}
    act, how_long = _ACTS.get(given.get("act", "")), given.get("pause", "")
    if act is None or (act == "pause" and how_long not in PAUSES):
        return None
    choices = None
    if act == "choose":
        content, frequency = given.get("content", ""), given.get("frequency", "")
        choices = read_choices(content, fields.get("tags", []), frequency, offer)
        if choices is None:
            return None
    address, slip = None, None
    if act == "address":
        typed = given.get("email", "").strip()
        try:
            address = parse_address(typed)
        except AddressError:
            slip = typed
    return Chosen(
        act=act,
        name=clean_name(given.get("name", "")),
        language=choose_language(given.get("language", ""), languages, own),
        pause=how_long,
        choices=choices,
        address=address,
        slip=slip,
    )


def open_preferences(it: Opening, link: Link) -> Subscriber | None:
    """The subscriber whose preferences a link opens now; None where it has ended."""
    found = find_by_ref(it.connection, it.publication, link.ref) if link.ref else None
    if found is None:
        return None
    is_fresh = find_fresh(it.connection, it.publication, found, link, it.now, "preferences")
    return found if is_fresh else None


def choose(it: Opening, link: Link, chosen: Chosen) -> Opened | Left | Handed:
    """Do what a form says, where the link still opens the page. The connection writes."""
    found = open_preferences(it, link)
    if found is None:
        return Left(kind="link_unusable")
    if chosen.act in _OF_SUBSCRIBED and found.status != "confirmed":
        return Opened(subscriber=found)
    if chosen.act == "export":
        return Handed(
            export(it.connection, it.publication, it.about, found, secret=it.secret, now=it.now)
        )
    if chosen.act == "erase":
        return _erase(it, found)
    if chosen.act == "close":
        preferences.change(it.connection, it.publication, found.id, it.now, links_ended_at=it.now)
        return Left(kind="closed", language=found.language)
    if chosen.slip is not None:
        return Opened(subscriber=found, slip=chosen.slip)
    if act := _DOING.get(chosen.act):
        act(it, found, chosen)
    after = find_by_ref(it.connection, it.publication, link.ref) or found
    return Opened(subscriber=after, done=chosen.act)


def _save(it: Opening, found: Subscriber, chosen: Chosen) -> None:
    values = {"name": chosen.name, "language": chosen.language}
    preferences.change(it.connection, it.publication, found.id, it.now, **values)


def _choose(it: Opening, found: Subscriber, chosen: Chosen) -> None:
    if chosen.choices is not None:
        choose_content(it.connection, it.publication, found, chosen.choices, it.now)


def _pause(it: Opening, found: Subscriber, chosen: Chosen) -> None:
    pause(it.connection, it.publication, found, chosen.pause, it.now)


def _resume(it: Opening, found: Subscriber, chosen: Chosen) -> None:
    resume(it.connection, it.publication, found, it.now)


def _ask_address(it: Opening, found: Subscriber, chosen: Chosen) -> None:
    """Decided later, as on the form: the answer tells nothing of whom the address belongs to."""
    address = chosen.address
    if address is None:
        return
    wish = NewWish(
        kind="address",
        subscriber=found.id,
        email=address.email,
        client=it.client,
        hash=address_hash(limit_key(address), it.secret),
        at=it.now,
    )
    wishes.add(it.connection, it.publication, wish)


def _unsubscribe(it: Opening, found: Subscriber, chosen: Chosen) -> None:
    unsubscribe(
        it.connection,
        it.publication,
        found.id,
        at=it.now,
        source="preferences",
        origin=it.client,
    )


def _erase(it: Opening, found: Subscriber) -> Left:
    address = parse_address(found.email)
    erased = erase(it.connection, it.publication, address, secret=it.secret, at=it.now)
    emails = erased.emails if erased else ()
    return Left(kind="erased", language=found.language, erased=emails)


_DOING: dict[Act, Callable[[Opening, Subscriber, Chosen], None]] = {
    "save": _save,
    "choose": _choose,
    "pause": _pause,
    "resume": _resume,
    "address": _ask_address,
    "unsubscribe": _unsubscribe,
}
