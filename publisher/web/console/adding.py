"""Adding one reader: confirmed because an operator vouches for them, or asked to confirm."""

import os
from typing import Any

from litestar import get, post

from publisher.audience.address import Address, AddressError, parse_address, parse_name
from publisher.audience.subscribing import WHY_SUPPRESSED, Subscribed, make_refs, subscribe
from publisher.errors import PublisherError
from publisher.runtime.confirming import make_asking
from publisher.store.keys import load_address_key
from publisher.web.console.desk import Desk
from publisher.web.console.readers import about, as_sentence
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Form,
    actor_of,
    desk_of,
    flash,
    in_thread,
    redirect,
    render,
    text_of,
)

_FIELDS = ("email", "name", "how", "again")


@get("/readers/new")
@in_thread
def show_adding(request: AnyRequest) -> Answer:
    return _show(request, dict.fromkeys(_FIELDS, "") | {"how": "vouch"})


def _show(request: AnyRequest, typed: dict[str, str], status: int = 200, **more: Any) -> Answer:
    variables: dict[str, Any] = {"problems": {}, "is_refused": bool(typed["again"])} | more
    return render(request, "reader_new.html", status=status, typed=typed, **variables)


@post("/readers")
@in_thread
def add_reader(request: AnyRequest, data: Form) -> Answer:
    desk = desk_of(request)
    typed = {name: text_of(data, name) for name in _FIELDS}
    problems: dict[str, str] = {}
    address, name = _read_person(typed, problems)
    if typed["how"] not in ("vouch", "ask"):
        problems["how"] = "Choose one of the two."
    if problems or address is None:
        return _show(request, typed, 422, problems=problems)
    try:
        result = _add(request, desk, address, name, typed)
    except PublisherError as error:
        return _show(request, typed, 422, problems={"": as_sentence(error)})
    if result.outcome in ("unsubscribed", "suppressed"):
        problems = {"email": _explain(result)}
        return _show(request, typed, 422, problems=problems, is_refused=True)
    if result.subscriber is None:  # it was added in this transaction
        raise AssertionError(result)
    flash(request, _SAID[result.outcome])
    return redirect(f"/readers/{result.subscriber.ref}")


_SAID = {
    "added": "The reader was added.",
    "updated": "The reader was there already, and is brought up to date.",
    "unchanged": "The reader was there already; nothing was changed.",
}


def _read_person(typed: dict[str, str], problems: dict[str, str]) -> tuple[Address | None, str]:
    address, name = None, ""
    try:
        address = parse_address(typed["email"])
    except AddressError as error:
        problems["email"] = as_sentence(error)
    try:
        name = parse_name(typed["name"])
    except AddressError as error:
        problems["name"] = as_sentence(error)
    return address, name


def _add(
    request: AnyRequest, desk: Desk, address: Address, name: str, typed: dict[str, str]
) -> Subscribed:
    is_asked, is_again = typed["how"] == "ask", bool(typed["again"])
    ask = make_asking(desk.folder, desk.settings, desk.database) if is_asked else None
    secret = load_address_key(desk.database)
    with desk.database.write() as connection:
        result = subscribe(
            connection,
            desk.database.publication,
            address,
            name,
            secret=secret,
            ref=make_refs(os.urandom, 1)[0],
            at=desk.clock(),
            source="operator",
            action="asked" if is_asked else "vouched",
            is_returning=is_again,
            is_lifting=is_again,
        )
        if result.subscriber and result.outcome in ("added", "updated"):
            if ask:
                ask(connection, result.subscriber.id)
            how = "asked to confirm" if is_asked else "vouched for"
            who = about(result.subscriber)
            desk.note(connection, actor_of(request), "reader added", about=who, detail=how)
    return result


def _explain(result: Subscribed) -> str:
    """Why somebody is not brought back without being asked twice."""
    when = f"{result.since:%d %b %Y}" if result.since else "some day"
    if result.outcome == "unsubscribed":
        return f"They unsubscribed on {when}. Tick the box below if they have asked to come back."
    why = WHY_SUPPRESSED[result.suppression.reason] if result.suppression else "it is suppressed"
    return (
        f"Nothing is sent to this address since {when}: {why}. Tick the box below if that is"
        " settled."
    )


handlers = [show_adding, add_reader]
