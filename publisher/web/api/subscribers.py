"""Readers: listed, searched, added, renamed, unsubscribed, erased; with what they agreed to."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from publisher.audience.address import Address, AddressError, parse_address, parse_name
from publisher.audience.choosing import find_lack, make_offer, read_tags, widen
from publisher.audience.preferences import choose
from publisher.audience.subscribing import (
    erase,
    explain_refusal,
    find,
    make_refs,
    subscribe,
    unsubscribe,
)
from publisher.errors import PublisherError
from publisher.model.audience import Consent, Subscriber, SubscriptionStatus
from publisher.model.choices import Choices
from publisher.runtime.confirming import make_asking
from publisher.store import subscribers as store
from publisher.store.erasing import scrub
from publisher.store.errors import StoreError
from publisher.store.keys import load_address_key
from publisher.web.api import examples
from publisher.web.api.cursors import Pages
from publisher.web.api.operation import Call, Operation, Reply, missing
from publisher.web.api.problems import ApiError, sentence
from publisher.web.api.shapes import (
    NewSubscriberBody,
    SubscriberAnswer,
    SubscriberBody,
    Subscribers,
)


class SubscriberPages(Pages, frozen=True):
    """Which readers."""

    status: Annotated[SubscriptionStatus | None, Meta(description="Only those of this status.")] = (
        None
    )
    search: Annotated[
        str, Meta(max_length=254, description="Only those whose address or name has this in it.")
    ] = ""
    email: Annotated[
        str, Meta(max_length=1_000, description="Only whose address it is, in any spelling.")
    ] = ""


def list_subscribers(call: Call) -> Reply:
    """List or search the readers, in the order in which they came."""
    query, after = call.query, call.after_id()
    with call.desk.database.read() as connection:
        if query.email:
            rows = _find_by_email(call, connection, after)
        else:
            rows = store.list_page(
                connection,
                call.publication,
                after=after,
                limit=query.limit + 1,
                status=query.status,
                search=query.search,
            )
    reply = call.page("subscribers", rows, lambda row: str(row.id))
    shown = [_shape(row) for row in reply.body["subscribers"]]
    return msgspec.structs.replace(reply, body=reply.body | {"subscribers": shown})


def get_subscriber(call: Call) -> Reply:
    """Get a reader, with the record of what they agreed to."""
    with call.desk.database.read() as connection:
        return Reply(body=_show(call, connection, _find(call, connection)))


def add_subscriber(call: Call) -> Reply:
    """Subscribe a reader, for whom you vouch, or who is sent a confirmation.

    Who is subscribed already stays so, and gets the name where one is given: that is a 200. Who
    unsubscribed comes back with `again` only, when they have asked you for it.
    """
    body = call.body
    address, name = read_address(body.email), _read_name(body.name)
    secret = load_address_key(call.desk.database)
    asking = _make_asking(call) if body.unconfirmed else None

    def change(connection: Connection) -> Reply:
        result = subscribe(
            connection,
            call.publication,
            address,
            name,
            secret=secret,
            ref=make_refs(os.urandom, 1)[0],
            at=call.now,
            source="operator",
            action="asked" if body.unconfirmed else "vouched",
            is_returning=body.again,
            is_lifting=body.again,
        )
        if why := explain_refusal(result, address):
            raise ApiError("conflict", f"{why}; where that is settled, send `again`: true.")
        found = result.subscriber
        if found is None:  # it was added in this transaction
            raise AssertionError(result.outcome)
        if result.outcome != "unchanged":
            call.note(connection, "reader added", _about(found), result.outcome)
            if asking:
                asking(connection, found.id)
        status = 201 if result.outcome == "added" else 200
        headers = {"Location": call.at(f"/subscribers/{found.ref}")}
        return Reply(body=_show(call, connection, found), status=status, headers=headers)

    return call.commit(change)


def change_subscriber(call: Call) -> Reply:
    """Give a reader another name, or change what they get, from the next mailing on.

    What can be chosen is what the publication offers (`[choices]` of its settings).
    """
    name = None if call.body.name is None else _read_name(call.body.name)

    def change(connection: Connection) -> Reply:
        found = _find(call, connection)
        if name not in (None, found.name):
            store.rename(connection, call.publication, found.id, name, call.now)
            call.note(connection, "reader renamed", _about(found))
        choices = _read_choices(call, found.choices)
        if choices != found.choices:
            choose(connection, call.publication, found, choices, call.now)
            call.note(connection, "reader's choices changed", _about(found))
        return Reply(body=_show(call, connection, _find(call, connection)))

    return call.commit(change)


def _read_choices(call: Call, before: Choices) -> Choices:
    """What a reader is to get. Raises ApiError for what is not offered."""
    given = {name: getattr(call.body, name) for name in Choices.__struct_fields__}
    given = {name: value for name, value in given.items() if value is not None}
    if "tags" in given:
        given["tags"] = read_tags(given["tags"])
    chosen, offer = msgspec.structs.replace(before, **given), make_offer(call.desk.settings)
    if given and (lack := find_lack(chosen, offer)):
        raise ApiError("invalid", f"{lack}.")
    return widen(chosen, offer)


def unsubscribe_subscriber(call: Call) -> Reply:
    """End a subscription. That it ended is remembered, so that no import begins it again."""

    def change(connection: Connection) -> Reply:
        found = _find(call, connection)
        if unsubscribe(connection, call.publication, found.id, at=call.now, source="operator"):
            call.note(connection, "reader unsubscribed", _about(found))
        return Reply(body=_show(call, connection, _find(call, connection)))

    return call.commit(change)


def erase_subscriber(call: Call) -> Reply:
    """Forget a reader, as the law lets them ask, and never write to them again.

    Nothing is left but a keyed hash, by which the address would be recognised and refused. There
    is no way back.
    """
    database = call.desk.database
    secret = load_address_key(database)
    emails: list[str] = []

    def change(connection: Connection) -> Reply:
        found = _find(call, connection)
        address = parse_address(found.email)
        erased = erase(connection, call.publication, address, secret=secret, at=call.now)
        emails.extend(erased.emails if erased else ())
        call.note(connection, "reader erased", _about(found))
        return Reply(status=204)

    reply = call.commit(change)
    scrub(database, *emails)
    return reply


def read_address(text: str) -> Address:
    """An address as a program sends it. Raises ApiError."""
    try:
        return parse_address(text)
    except AddressError as error:
        raise ApiError("invalid", f"`email` cannot be used: {error}.") from None


def _read_name(text: str) -> str:
    try:
        return parse_name(text)
    except AddressError as error:
        raise ApiError("invalid", f"`name` cannot be used: {error}.") from None


def _make_asking(call: Call) -> Any:
    desk = call.desk
    try:
        return make_asking(desk.folder, desk.settings, desk.database)
    except StoreError:
        raise
    except PublisherError as error:
        raise ApiError("conflict", sentence(error)) from None


def _find_by_email(call: Call, connection: Connection, after: int) -> Sequence[Subscriber]:
    query = call.query
    secret = load_address_key(call.desk.database)
    found = find(connection, call.publication, read_address(query.email), secret)
    is_wanted = (
        found is not None
        and found.id > after
        and query.status in (None, found.status)
        and query.search.lower() in f"{found.email}\n{found.name}".lower()
    )
    return [found] if found and is_wanted else []


def _find(call: Call, connection: Connection) -> Subscriber:
    found = store.find_by_ref(connection, call.publication, call.path["subscriber"])
    if found is None:
        raise missing(
            f"There is no such subscriber, or not any more; GET {call.at('/subscribers')} lists"
            " them."
        )
    return found


def _about(found: Subscriber) -> str:
    """A reader as the audit log names them: it is kept when they are erased."""
    return f"reader {found.ref}"


def _show(call: Call, connection: Connection, found: Subscriber) -> dict[str, Any]:
    record = store.read_consents(connection, call.publication, [found.id])[found.id]
    return _shape(found) | {"consents": [_consent(line) for line in record]}


def _consent(line: Consent) -> dict[str, Any]:
    return msgspec.structs.asdict(line) | {"at": _time(line.at)}


def _shape(found: Subscriber) -> dict[str, Any]:
    return {
        "subscriber": found.ref,
        "email": found.email,
        "name": found.name,
        "status": found.status,
        "suppressed": found.is_suppressed,
        "language": found.language or None,
        "paused_until": _time(found.paused_until) if found.paused_until else None,
        **msgspec.to_builtins(found.choices),
    }


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


_PATH = "/subscribers/{subscriber}"

operations = [
    Operation(
        method="GET",
        path="/subscribers",
        handle=list_subscribers,
        query=SubscriberPages,
        returns=Subscribers,
        problems=("invalid",),
        example=examples.SUBSCRIBERS,
    ),
    Operation(
        method="POST",
        path="/subscribers",
        handle=add_subscriber,
        body=NewSubscriberBody,
        returns=SubscriberAnswer,
        status=201,
        others={200: "They were known; this is how they stand now."},
        problems=("conflict",),
        example=examples.NEW_SUBSCRIBER,
    ),
    Operation(
        method="GET",
        path=_PATH,
        handle=get_subscriber,
        returns=SubscriberAnswer,
        problems=("not-found",),
        example=examples.SUBSCRIBER,
    ),
    Operation(
        method="PATCH",
        path=_PATH,
        handle=change_subscriber,
        body=SubscriberBody,
        returns=SubscriberAnswer,
        problems=("not-found", "invalid"),
        example=examples.CHANGED,
    ),
    Operation(
        method="DELETE",
        path=_PATH,
        handle=erase_subscriber,
        status=204,
        problems=("not-found",),
    ),
    Operation(
        method="POST",
        path=f"{_PATH}/unsubscribe",
        handle=unsubscribe_subscriber,
        returns=SubscriberAnswer,
        problems=("not-found",),
        example=examples.UNSUBSCRIBED,
    ),
]
