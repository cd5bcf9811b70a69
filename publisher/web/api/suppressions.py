"""Suppressions: addresses that nothing is sent to; listed, added, lifted."""

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from publisher.audience.address import address_hash
from publisher.model.audience import SuppressionReason
from publisher.store import suppressions as store
from publisher.store.keys import load_address_key
from publisher.web.api import examples
from publisher.web.api.cursors import Pages
from publisher.web.api.operation import Call, Operation, Reply, missing
from publisher.web.api.problems import ApiError
from publisher.web.api.shapes import NewSuppressionBody, SuppressionAnswer, Suppressions
from publisher.web.api.subscribers import read_address

_ID = re.compile(r"[1-9][0-9]{0,15}")


class SuppressionPages(Pages, frozen=True):
    """Which suppressions."""

    reason: Annotated[SuppressionReason | None, Meta(description="Only those for this reason.")] = (
        None
    )


def list_suppressions(call: Call) -> Reply:
    """List the addresses that nothing is sent to, the newest first.

    Of most of them no more than a keyed hash is known; the address is shown where a subscriber
    has it.
    """
    with call.desk.database.read() as connection:
        rows = store.list_newest(
            connection,
            call.publication,
            reason=call.query.reason,
            before=call.after_id(),
            limit=call.query.limit + 1,
        )
    reply = call.page("suppressions", rows, lambda row: str(row.id))
    shown = [_shape(row) for row in reply.body["suppressions"]]
    return msgspec.structs.replace(reply, body=reply.body | {"suppressions": shown})


def add_suppression(call: Call) -> Reply:
    """Send nothing to an address from now on, whether or not a subscriber has it.

    Where that was so already, its first reason stays: that is a 200.
    """
    address = read_address(call.body.email)
    hash = address_hash(address.key, load_address_key(call.desk.database))

    def change(connection: Connection) -> Reply:
        is_new = store.suppress(connection, call.publication, hash, "operator", call.now)
        (row,) = store.list_newest(connection, call.publication, hash=hash, limit=1)
        if is_new:
            call.note(connection, "address suppressed", _about(row.id))
        return Reply(body=_shape(row), status=201 if is_new else 200)

    return call.commit(change)


def lift_suppression(call: Call) -> Reply:
    """Let an address be mailed again.

    Not that of a reader who was erased: they come back by subscribing, with `again`.
    """

    def change(connection: Connection) -> Reply:
        found = _find(call, connection)
        if found.reason == "erased":
            raise ApiError(
                "conflict",
                "It is that of a reader who was erased, and is lifted only when they come back:"
                f" POST {call.at('/subscribers')} with `again`: true.",
            )
        store.lift(connection, call.publication, found.address_hash)
        call.note(connection, "suppression lifted", _about(found.id), found.reason)
        return Reply(status=204)

    return call.commit(change)


def _about(suppression: int) -> str:
    """A suppression as the audit log names it: without the address, which may be erased."""
    return f"suppression {suppression}"


def _find(call: Call, connection: Connection) -> store.Suppression:
    text = call.path["suppression"]
    id = int(text) if _ID.fullmatch(text) else 0
    found = store.get(connection, call.publication, id)
    if found is None:
        raise missing(f"There is no such suppression; GET {call.at('/suppressions')} lists them.")
    return found


def _shape(row: store.Listed) -> dict[str, Any]:
    at = row.at.isoformat(timespec="seconds")
    return {"suppression": row.id, "email": row.email or None, "reason": row.reason, "at": at}


operations = [
    Operation(
        method="GET",
        path="/suppressions",
        handle=list_suppressions,
        query=SuppressionPages,
        returns=Suppressions,
        example=examples.SUPPRESSIONS,
    ),
    Operation(
        method="POST",
        path="/suppressions",
        handle=add_suppression,
        body=NewSuppressionBody,
        returns=SuppressionAnswer,
        status=201,
        others={200: "Nothing was sent there before; the first reason stays."},
        example=examples.NEW_SUPPRESSION,
    ),
    Operation(
        method="DELETE",
        path="/suppressions/{suppression}",
        handle=lift_suppression,
        status=204,
        problems=("not-found", "conflict"),
    ),
]
