"""Suppressions, whom nothing is sent; and what came back: bounces, complaints, mails to leave."""

from typing import Any, get_args
from urllib.parse import urlencode

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery

from publisher.audience.address import AddressError, address_hash, parse_address
from publisher.audience.subscribing import WHY_SUPPRESSED
from publisher.model.audience import SuppressionReason
from publisher.store import bounces, suppressions
from publisher.store.bounces import BounceEvent
from publisher.store.keys import load_address_key
from publisher.web.console.desk import Desk
from publisher.web.console.readers import as_sentence
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Before,
    Form,
    RowId,
    actor_of,
    desk_of,
    flash,
    in_thread,
    redirect,
    render,
    text_of,
)

_PAGE = 50
_REASONS: tuple[SuppressionReason, ...] = get_args(SuppressionReason)
_EVENTS: dict[BounceEvent, str] = {
    "bounced": "Bounced for good",
    "soft_bounced": "Bounced for now",
    "complained": "Complained of spam",
    "left": "Left by mail",
}


@get("/suppressions")
@in_thread
def show_suppressions(
    request: AnyRequest,
    q: FromQuery[str] = "",
    reason: FromQuery[str] = "",
    before: Before = 0,
) -> Answer:
    desk = desk_of(request)
    return _show(request, desk, q=q.strip(), reason=reason, before=before)


def _show(
    request: AnyRequest,
    desk: Desk,
    *,
    q: str = "",
    reason: str = "",
    before: int = 0,
    status: int = 200,
    **more: Any,
) -> Answer:
    chosen = next((each for each in _REASONS if each == reason), None)
    fault, hash = "", None
    if q:
        try:
            hash = address_hash(parse_address(q).key, load_address_key(desk.database))
        except AddressError as error:
            fault = f"{as_sentence(error)} Only whole addresses can be looked for: of those that"
            fault += " were erased no more is kept than a hash."
    with desk.database.read() as connection:
        page = suppressions.list_newest(
            connection,
            desk.database.publication,
            reason=chosen,
            hash=hash,
            before=before,
            limit=_PAGE + 1,
        )
    kept = {key: value for key, value in (("q", q), ("reason", chosen or "")) if value}
    older = {"before": str(page[_PAGE - 1].id)} if len(page) > _PAGE else {}
    variables: dict[str, Any] = {"typed": ""} | more
    return render(
        request,
        "suppressions.html",
        status=status,
        suppressions=[] if fault else page[:_PAGE],
        why=WHY_SUPPRESSED,
        reasons=_REASONS,
        q=q,
        fault=fault,
        reason=chosen or "",
        older=f"/suppressions?{urlencode(kept | older)}" if older and not fault else "",
        newest=f"/suppressions?{urlencode(kept)}" if before else "",
        **variables,
    )


@post("/suppressions")
@in_thread
def add_suppression(request: AnyRequest, data: Form) -> Answer:
    desk = desk_of(request)
    typed = text_of(data, "email")
    try:
        address = parse_address(typed)
    except AddressError as error:
        problems = {"email": as_sentence(error)}
        return _show(request, desk, status=422, typed=typed, problems=problems)
    hash = address_hash(address.key, load_address_key(desk.database))
    publication = desk.database.publication
    with desk.database.write() as connection:
        is_new = suppressions.suppress(connection, publication, hash, "operator", desk.clock())
        found = suppressions.find(connection, publication, hash)
        if is_new and found:
            desk.note(connection, actor_of(request), "address suppressed", about=_about(found.id))
    said = "Nothing is sent to this address from now on."
    flash(request, said if is_new else "This was so before; the first reason stays.")
    return redirect(f"/suppressions?{urlencode({'q': address.email})}")


@post("/suppressions/{suppression:int}/lift")
@in_thread
def lift_suppression(request: AnyRequest, suppression: RowId) -> Answer:
    desk = desk_of(request)
    publication = desk.database.publication
    with desk.database.write() as connection:
        found = suppressions.get(connection, publication, suppression)
        if found is None:
            raise NotFoundException("There is no such suppression, or not any more.")
        suppressions.lift(connection, publication, found.address_hash)
        actor, why = actor_of(request), found.reason
        desk.note(connection, actor, "suppression lifted", about=_about(found.id), detail=why)
    flash(request, "Mail may be sent to this address again; nobody was subscribed by that.")
    return redirect("/suppressions")


def _about(suppression: int) -> str:
    """A suppression as the audit log names it: without the address, which may be erased."""
    return f"suppression {suppression}"


@get("/returned")
@in_thread
def show_returned(request: AnyRequest, event: FromQuery[str] = "", before: Before = 0) -> Answer:
    """Bounces, complaints and mails to leave, with what was said in each."""
    desk = desk_of(request)
    chosen = next((each for each in _EVENTS if each == event), None)
    with desk.database.read() as connection:
        page = bounces.list_returned(
            connection, desk.database.publication, event=chosen, before=before, limit=_PAGE + 1
        )
    kept = {"event": chosen} if chosen else {}
    older = {"before": str(page[_PAGE - 1].id)} if len(page) > _PAGE else {}
    return render(
        request,
        "returned.html",
        returned=page[:_PAGE],
        events=_EVENTS,
        event=chosen or "",
        older=f"/returned?{urlencode(kept | older)}" if older else "",
        newest=f"/returned?{urlencode(kept)}" if before else "",
    )


handlers = [show_suppressions, add_suppression, lift_suppression, show_returned]
