"""Deliveries: to whom a mailing goes and what came of it, each with its ledger; a reader's own."""

from urllib.parse import urlencode

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from sqlalchemy import Connection

from publisher.audience.address import AddressError, address_hash, parse_address
from publisher.message.ids import message_id
from publisher.model.delivery import DELIVERY_STATUSES, DeliveryStatus
from publisher.runtime import steering
from publisher.store.histories import (
    Recorded,
    Sought,
    find_delivery,
    list_deliveries,
    list_deliveries_of_reader,
    list_lines,
)
from publisher.store.keys import find_key
from publisher.store.mailings import count_deliveries, get_domain
from publisher.store.subscribers import find_by_hash, find_by_ref, read_consents
from publisher.store.suppressions import find_reasons
from publisher.web.console.desk import Desk
from publisher.web.console.mailings import (
    MEANINGS,
    read_answer,
    require_mailing,
    say_queued,
    steer,
)
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Before,
    Form,
    RowId,
    desk_of,
    flash,
    in_thread,
    redirect,
    render,
    text_of,
)

_PAGE = 100
# The ledger's events, as who is no postmaster reads them.
_EVENTS = {
    "accepted": "the server took it",
    "deferred": "put off by the server",
    "failed": "refused by the server",
    "expired": "given up: it was put off for too long",
    "released": "put back: the mail relay could not be used",
    "resent": "in doubt, and sent once more",
    "doubted": "in doubt, and held",
    "broken": "put back: it could not be made",
    "parked": "given up: it could not be made",
    "suppressed": "not sent: the reader had left",
    "emptied": "not sent: a correction left nothing of what they chose",
    "cancelled": "cancelled with its mailing",
    "retried": "queued again by an operator",
    "requeued": "queued again by an operator",
    "marked": "taken for sent by an operator",
    "bounced": "came back for good",
    "soft_bounced": "came back for now",
    "complained": "complained of as spam",
    "left": "unsubscribed by mail",
}
# What was being said to the server.
_STAGES = {
    "connect": "connecting",
    "greeting": "greeting",
    "ehlo": "greeting",
    "starttls": "encryption",
    "auth": "logging in",
    "mail": "the sender",
    "rcpt": "the recipient",
    "data": "the message",
    "body": "the message",
    "final_dot": "the message's end",
}


@get("/mailings/{ref:str}/deliveries")
@in_thread
def show_deliveries(
    request: AnyRequest,
    ref: FromPath[str],
    status: FromQuery[str] = "",
    search: FromQuery[str] = "",
    after: FromQuery[str] = "",
) -> Answer:
    desk = desk_of(request)
    wanted = next((each for each in DELIVERY_STATUSES if each == status), None)
    with desk.database.read() as connection:
        mailing = require_mailing(desk, connection, ref)
        counts = count_deliveries(connection, mailing)
        sought = _read_search(desk, connection, search.strip(), wanted)
        rows, more = list_deliveries(connection, mailing.id, sought, after=after, limit=_PAGE)
    asked = {"status": wanted or "", "search": search.strip()}
    chosen = {name: value for name, value in asked.items() if value}
    path = f"/mailings/{ref}/deliveries"
    return render(
        request,
        "deliveries.html",
        mailing=mailing,
        counts=counts,
        statuses=DELIVERY_STATUSES,
        rows=rows,
        wanted=wanted or "",
        search=search.strip(),
        further=f"{path}?{urlencode(chosen | {'after': more})}" if more else "",
        first=f"{path}?{urlencode(chosen)}" if after else "",
    )


def _read_search(
    desk: Desk, connection: Connection, text: str, status: DeliveryStatus | None
) -> Sought:
    """A whole address is looked up, whatever its spelling; a part of one is searched for."""
    try:
        address = parse_address(text)
    except AddressError:
        return Sought(status=status, part=text)
    secret = find_key(connection, "address-key")
    hashed = address_hash(address.key, secret) if secret else b""
    reader = find_by_hash(connection, desk.database.publication, hashed)
    id = reader.id if reader is not None else None
    return Sought(status=status, subscriber=id, address=address.email)


def _require_delivery(desk: Desk, connection: Connection, delivery: int) -> Recorded:
    found = find_delivery(connection, desk.database.publication, delivery)
    if found is None:
        raise NotFoundException("There is no such delivery.")
    return found


@get("/deliveries/{delivery:int}")
@in_thread
def show_delivery(request: AnyRequest, delivery: RowId) -> Answer:
    desk = desk_of(request)
    with desk.database.read() as connection:
        found = _require_delivery(desk, connection, delivery)
        lines = list_lines(connection, delivery)
        key = find_key(connection, "message-key")
        domain = get_domain(connection, found.mailing)
    named = message_id(found.mailing_ref, found.id, key, domain) if key else ""
    last = lines[-1].event if lines else ""
    return render(
        request,
        "delivery.html",
        delivery=found,
        lines=lines,
        message_id=named,
        meaning=_EVENTS[last] if last in ("marked", "emptied") else MEANINGS[found.status],
        events=_EVENTS,
        stages=_STAGES,
        has_relays=any(each.relay for each in lines),
    )


@post("/deliveries/{delivery:int}/retry")
@in_thread
def retry_one(request: AnyRequest, delivery: RowId) -> Answer:
    desk = desk_of(request)
    with desk.database.read() as connection:
        found = _require_delivery(desk, connection, delivery)
    done = steer(
        request,
        found.mailing_ref,
        "deliveries retried",
        lambda connection, publication, mailing: steering.retry(
            connection, publication, mailing, desk.clock(), delivery=delivery
        ),
        detail=f"delivery {delivery}",
    )
    say_queued(request, done, "It is not failed any more.")
    return redirect(f"/deliveries/{delivery}")


@post("/deliveries/{delivery:int}/resolve")
@in_thread
def resolve_one(request: AnyRequest, delivery: RowId, data: Form) -> Answer:
    desk = desk_of(request)
    with desk.database.read() as connection:
        found = _require_delivery(desk, connection, delivery)
    if (answer := read_answer(text_of(data, "answer"))) is None:
        flash(request, "Say whether it is sent again or taken for sent.", "problem")
        return redirect(f"/deliveries/{delivery}")
    done = steer(
        request,
        found.mailing_ref,
        "doubts settled",
        lambda connection, publication, mailing: steering.resolve(
            connection, publication, mailing, desk.clock(), answer, delivery=delivery
        ),
        detail=f"delivery {delivery}: {answer}",
    )
    if done and done.changed and answer == "sent":
        flash(request, "Taken for sent.")
    else:
        say_queued(request, done, "It is not in doubt any more.")
    return redirect(f"/deliveries/{delivery}")


@get("/readers/{ref:str}/history")
@in_thread
def show_history(request: AnyRequest, ref: FromPath[str], before: Before = 0) -> Answer:
    """All that is on record of a reader: consents, suppression, and every delivery."""
    desk = desk_of(request)
    publication = desk.database.publication
    with desk.database.read() as connection:
        reader = find_by_ref(connection, publication, ref)
        if reader is None:
            raise NotFoundException("There is no such reader, or they were erased.")
        consents = read_consents(connection, publication, [reader.id]).get(reader.id, [])
        reason = find_reasons(connection, publication, [reader.id]).get(reader.id, "")
        rows = list_deliveries_of_reader(
            connection, publication, reader.id, before=before, limit=_PAGE + 1
        )
    path = f"/readers/{ref}/history"
    return render(
        request,
        "history.html",
        reader=reader,
        consents=consents,
        reason=reason,
        rows=rows[:_PAGE],
        older=f"{path}?before={rows[_PAGE - 1].id}" if len(rows) > _PAGE else "",
        newest=path if before else "",
    )


handlers = [show_deliveries, show_delivery, retry_one, resolve_one, show_history]
