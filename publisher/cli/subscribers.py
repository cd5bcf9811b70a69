"""subscribers add, list, remove, erase: the readers, one by one."""

import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from json import dumps
from typing import TYPE_CHECKING, Annotated, Any, get_args

import msgspec
import typer

from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    count,
    open_publication,
    print_json,
    say,
    show,
)
from publisher.errors import PublisherError
from publisher.model.audience import Subscriber, SubscriptionStatus

if TYPE_CHECKING:
    from publisher.audience.address import Address
    from publisher.audience.subscribing import Subscribed

_AN_ADDRESS = typer.Argument(metavar="ADDRESS", help="Their address, such as anna@daily.example.")
_PAGE = 500


def add_command(
    address: Annotated[str, _AN_ADDRESS],
    name: Annotated[
        str, typer.Option("--name", metavar="TEXT", help="Their name, for the greeting.")
    ] = "",
    unconfirmed: Annotated[
        bool,
        typer.Option("--unconfirmed", help="Send a confirmation, and nothing more until it comes."),
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Also where they unsubscribed, or nothing may be sent to them."
        ),
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Subscribe a reader, for whom you vouch.

    Who is subscribed already stays so, and gets the name where one is given. Who
    unsubscribed comes back with --again only, when they have asked you for it.

    \b
    Examples:
      publisher subscribers add anna@daily.example
      publisher subscribers add "Anna Berg <anna@daily.example>"
      publisher subscribers add anna@daily.example --unconfirmed
    """
    from publisher.audience.subscribing import make_refs, subscribe
    from publisher.cli.store import open_store
    from publisher.runtime.confirming import make_asking
    from publisher.store.keys import load_address_key

    folder, settings = open_publication(config)
    parsed, name = _read_person(address, name)
    with open_store(folder, settings) as database:
        secret = load_address_key(database)
        asking = make_asking(folder, settings, database) if unconfirmed else None
        with database.write() as connection:
            result = subscribe(
                connection,
                database.publication,
                parsed,
                name,
                secret=secret,
                ref=make_refs(os.urandom, 1)[0],
                at=datetime.now(UTC),
                source="operator",
                action="asked" if unconfirmed else "vouched",
                is_returning=again,
                is_lifting=again,
            )
            subscriber = _require_added(result, parsed)
            if asking and result.outcome != "unchanged":
                asking(connection, subscriber.id)
    if json:
        print_json(_shape(subscriber))
    else:
        done = {"added": "subscribed", "updated": "brought up to date"}
        how = done.get(result.outcome, "there already")
        show(f"{subscriber.email}: {how} ({_describe(subscriber)})")
    return 0


def list_command(
    status: Annotated[
        str,
        typer.Option(
            "--status", metavar="STATUS", help="Only unconfirmed, confirmed or unsubscribed ones."
        ),
    ] = "",
    search: Annotated[
        str,
        typer.Option("--search", metavar="TEXT", help="Only whose address or name has this in it."),
    ] = "",
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Show who reads, in the order in which they came.

    Suppressed are those whom nothing is sent, whatever their status: mail to them
    bounced, or they complained.

    \b
    Examples:
      publisher subscribers list
      publisher subscribers list --status unsubscribed
      publisher subscribers list --search daily.example
    """
    from publisher.audience.exporting import read_all
    from publisher.cli.store import open_store

    folder, settings = open_publication(config)
    wanted = _read_status(status)
    with open_store(folder, settings) as database:
        found = read_all(database, wanted, search)
        if json:
            print_list("subscribers", (_shape(subscriber) for subscriber in found))
            return 0
        number = 0
        while page := list(islice(found, _PAGE)):
            number += len(page)
            show("\n".join(_row(subscriber) for subscriber in page))
    none = "There is no such subscriber." if wanted or search else "Nobody is subscribed yet."
    say(f"{count(number, 'subscriber')}." if number else none)
    return 0


def remove_command(
    address: Annotated[str, _AN_ADDRESS], config: Config = DEFAULT_CONFIG, json: Json = False
) -> int:
    """End a subscription. That it ended is remembered, so that no import begins it again.

    `publisher subscribers erase` forgets the person altogether.

    \b
    Examples:
      publisher subscribers remove anna@daily.example
    """
    from publisher.audience.subscribing import require, unsubscribe
    from publisher.cli.store import open_store
    from publisher.store.keys import load_address_key

    folder, settings = open_publication(config)
    parsed, _ = _read_person(address, "")
    with open_store(folder, settings) as database:
        secret = load_address_key(database)
        with database.write() as connection:
            publication = database.publication
            found = require(connection, publication, parsed, secret)
            is_changed = unsubscribe(
                connection, publication, found.id, at=datetime.now(UTC), source="operator"
            )
            subscriber = require(connection, publication, parsed, secret)
    if json:
        print_json(_shape(subscriber))
    else:
        how = "unsubscribed" if is_changed else "had unsubscribed before; nothing was changed"
        show(f"{subscriber.email}: {how}")
    return 0


def erase_command(
    address: Annotated[str, _AN_ADDRESS],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; there is no way back.")] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Forget a reader, as the law lets them ask, and never write to them again.

    Nothing is left but a keyed hash, by which the address would be recognised and
    refused. Copies elsewhere, such as backups and exports, are yours to see to.

    \b
    Examples:
      publisher subscribers erase anna@daily.example
      publisher subscribers erase anna@daily.example --yes
    """
    from publisher.audience.subscribing import erase, require
    from publisher.cli.store import open_store
    from publisher.store.erasing import scrub
    from publisher.store.keys import load_address_key

    folder, settings = open_publication(config)
    parsed, _ = _read_person(address, "")
    with open_store(folder, settings) as database:
        secret, publication = load_address_key(database), database.publication
        with database.read() as connection:
            found = require(connection, publication, parsed, secret)
        if not yes:
            _require_yes(found)
        with database.write() as connection:
            erased = erase(connection, publication, parsed, secret=secret, at=datetime.now(UTC))
        is_clean = erased is not None and scrub(database, *erased.emails)
    deliveries = erased.deliveries if erased else 0
    if json:
        print_json({"erased": erased is not None, "deliveries": deliveries})
    else:
        show("Erased: nothing is left but a keyed hash, by which the address is refused.")
    if erased and not is_clean:
        say("Another program reads the database: until it has finished, its log keeps traces.")
    return 0


def _read_person(text: str, name: str) -> tuple["Address", str]:
    """An address as people type it, perhaps with a name before it."""
    from publisher.audience.address import AddressError, parse_address, parse_name, split_mailbox

    before, bare = split_mailbox(text)
    try:
        return parse_address(bare), parse_name(name or before)
    except AddressError as error:
        raise PublisherError(f"{text[:100]!r} cannot be used: {error}") from None


def _read_status(text: str) -> SubscriptionStatus | None:
    known: dict[str, SubscriptionStatus] = {word: word for word in get_args(SubscriptionStatus)}
    if text and text not in known:
        raise PublisherError(f"there is no status {text!r}; there are {', '.join(known)}")
    return known.get(text)


def _require_added(result: "Subscribed", address: "Address") -> Subscriber:
    from publisher.audience.subscribing import explain_refusal

    if why := explain_refusal(result, address):
        settled = (
            "they want to come back" if result.outcome == "unsubscribed" else "that is settled"
        )
        raise PublisherError(f"{why}; where {settled}, add --again")
    if result.subscriber is None:  # it was added in this transaction
        raise AssertionError(result)
    return result.subscriber


def _require_yes(subscriber: Subscriber) -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise PublisherError("erasing cannot be undone: add --yes, or run it in a terminal")
    if not typer.confirm(f"Erase {subscriber.email}? There is no way back.", err=True):
        raise PublisherError("nothing was erased")


def _shape(subscriber: Subscriber) -> dict[str, Any]:
    return {
        "email": subscriber.email,
        "name": subscriber.name,
        "status": subscriber.status,
        "suppressed": subscriber.is_suppressed,
        "language": subscriber.language or None,
        "paused_until": subscriber.paused_until and subscriber.paused_until.isoformat(),
        **msgspec.to_builtins(subscriber.choices),
    }


def _describe(subscriber: Subscriber) -> str:
    marks: list[str] = [subscriber.status]
    if subscriber.is_suppressed:
        marks.append("suppressed")
    if subscriber.paused_until and subscriber.is_paused(datetime.now(UTC)):
        marks.append(f"paused until {subscriber.paused_until:%Y-%m-%d}")
    return ", ".join(marks)


def _row(subscriber: Subscriber) -> str:
    return f"{subscriber.email:<40} {_describe(subscriber):<24} {subscriber.name}".rstrip()


def print_list(name: str, items: Iterable[dict[str, Any]]) -> None:
    """Print one JSON document with a list in it, which may be longer than the memory is large."""
    parting, rest = "", iter(items)
    page = list(islice(rest, _PAGE))  # a fault comes before anything is printed
    show(f'{{"{name}": [')
    while page:
        show(parting + ",\n".join(f"  {dumps(item)}" for item in page))
        parting, page = ",\n", list(islice(rest, _PAGE))
    show("]}")
