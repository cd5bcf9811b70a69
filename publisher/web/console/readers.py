"""Readers: found among many, each with what is known of them, and what operators do for one."""

from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from sqlalchemy import Connection

from publisher.audience.address import (
    AddressError,
    address_hash,
    limit_key,
    parse_address,
    parse_name,
)
from publisher.audience.choosing import make_offer
from publisher.audience.subscribing import WHY_SUPPRESSED, erase, unsubscribe
from publisher.errors import PublisherError
from publisher.model.audience import Consent, Subscriber
from publisher.runtime.confirming import make_asking, was_asked
from publisher.runtime.single import Singles
from publisher.runtime.start import require_ready
from publisher.store import bounces, preferences, subscribers, suppressions
from publisher.store.bounces import Returned
from publisher.store.erasing import scrub
from publisher.store.finding import STANDINGS, Standing, count_standings, find_newest
from publisher.store.keys import load_address_key
from publisher.store.preferences import Profile
from publisher.store.suppressions import Suppression
from publisher.store.wishes import Wish
from publisher.web.console.desk import Desk
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Before,
    Form,
    actor_of,
    desk_of,
    flash,
    in_thread,
    redirect,
    render,
    text_of,
)
from publisher.web.public.granting import Granting, grant_link

_PAGE = 50
_RETURNED = 20
# Nothing that is looked for is longer, and a longer one would be looked for in every row.
_MOST_SEARCHED = 254


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a reader."""

    reader: Subscriber
    profile: Profile
    consents: list[Consent]
    suppression: Suppression | None
    returned: list[Returned]


@get("/readers")
@in_thread
def show_readers(
    request: AnyRequest,
    q: FromQuery[str] = "",
    standing: FromQuery[str] = "",
    before: Before = 0,
) -> Answer:
    desk = desk_of(request)
    wanted = next((each for each in STANDINGS if each == standing), None)
    search = q.strip()[:_MOST_SEARCHED]
    hash = None if wanted else _hash_address(desk, search)
    with desk.database.read() as connection:
        counts = count_standings(connection, desk.database.publication, desk.clock())
        found = hash and subscribers.find_by_hash(connection, desk.database.publication, hash)
        page = (
            [found]
            if found
            else find_newest(
                connection,
                desk.database.publication,
                desk.clock(),
                standing=wanted,
                search=search,
                before=before,
                limit=_PAGE + 1,
            )
        )
    chosen = {key: value for key, value in (("q", search), ("standing", wanted or "")) if value}
    older = {"before": str(page[_PAGE - 1].id)} if len(page) > _PAGE else {}
    return render(
        request,
        "readers.html",
        readers=page[:_PAGE],
        counts=counts,
        standings=_link_standings(search, wanted),
        q=search,
        standing=wanted or "",
        older=f"/readers?{urlencode(chosen | older)}" if older else "",
        newest=f"/readers?{urlencode(chosen)}" if before else "",
        now=desk.clock(),
    )


def _link_standings(search: str, wanted: Standing | None) -> list[tuple[str, str, bool]]:
    """The tabs: how readers stand (or all), where each leads, and whether one is there."""
    tabs = []
    for each in ("", *STANDINGS):
        chosen = {key: value for key, value in (("q", search), ("standing", each)) if value}
        query = f"?{urlencode(chosen)}" if chosen else ""
        tabs.append((each, f"/readers{query}", each == (wanted or "")))
    return tabs


def _hash_address(desk: Desk, search: str) -> bytes | None:
    """The hash of a whole address, by which it is found in whatever spelling it was typed."""
    try:
        key = parse_address(search).key
    except AddressError:
        return None
    return address_hash(key, load_address_key(desk.database))


@get("/readers/{ref:str}")
@in_thread
def show_reader(request: AnyRequest, ref: FromPath[str]) -> Answer:
    desk = desk_of(request)
    return _show(request, desk, ref)


def _show(
    request: AnyRequest,
    desk: Desk,
    ref: str,
    status: int = 200,
    problems: dict[str, str] | None = None,
    name: str | None = None,
) -> Answer:
    secret = load_address_key(desk.database)
    with desk.database.read() as connection:
        known = _read_known(desk, connection, require_reader(desk, connection, ref), secret)
    return render(
        request,
        "reader.html",
        status=status,
        problems=problems or {},
        typed=known.reader.name if name is None else name,
        known=known,
        reader=known.reader,
        offer=(offer := make_offer(desk.settings)),
        topics=[(tag.slug, tag.label) for tag in offer.tags],
        why=known.suppression and WHY_SUPPRESSED[known.suppression.reason],
        now=desk.clock(),
    )


def _read_known(desk: Desk, connection: Connection, reader: Subscriber, secret: bytes) -> Known:
    publication = desk.database.publication
    hash = address_hash(parse_address(reader.email).key, secret)
    returned = bounces.list_returned(connection, publication, subscriber=reader.id, limit=_RETURNED)
    return Known(
        reader=reader,
        profile=preferences.read_profile(connection, publication, reader.id),
        consents=subscribers.read_consents(connection, publication, [reader.id])[reader.id],
        suppression=suppressions.find(connection, publication, hash),
        returned=returned,
    )


def require_reader(desk: Desk, connection: Connection, ref: str) -> Subscriber:
    found = subscribers.find_by_ref(connection, desk.database.publication, ref)
    if found is None:
        raise NotFoundException("There is no such reader, or not any more.")
    return found


@post("/readers/{ref:str}/name")
@in_thread
def rename_reader(request: AnyRequest, ref: FromPath[str], data: Form) -> Answer:
    desk = desk_of(request)
    typed = text_of(data, "name")
    try:
        name = parse_name(typed)
    except AddressError as error:
        problems = {"name": as_sentence(error)}
        return _show(request, desk, ref, 422, problems, typed)
    with desk.database.write() as connection:
        reader = require_reader(desk, connection, ref)
        if name != reader.name:
            publication, now = desk.database.publication, desk.clock()
            subscribers.rename(connection, publication, reader.id, name, now)
            desk.note(connection, actor_of(request), "reader renamed", about=about(reader))
    flash(request, "The name is kept.")
    return redirect(f"/readers/{ref}")


@post("/readers/{ref:str}/unsubscribe")
@in_thread
def unsubscribe_reader(request: AnyRequest, ref: FromPath[str]) -> Answer:
    desk = desk_of(request)
    publication = desk.database.publication
    with desk.database.write() as connection:
        reader = require_reader(desk, connection, ref)
        is_done = unsubscribe(
            connection, publication, reader.id, at=desk.clock(), source="operator"
        )
        if is_done:
            desk.note(connection, actor_of(request), "reader unsubscribed", about=about(reader))
    said = "They get no more issues." if is_done else "They had unsubscribed before."
    flash(request, said)
    return redirect(f"/readers/{ref}")


@post("/readers/{ref:str}/suppress")
@in_thread
def suppress_reader(request: AnyRequest, ref: FromPath[str]) -> Answer:
    """Send nothing to a reader's address from now on, whatever they choose."""
    desk = desk_of(request)
    secret, publication = load_address_key(desk.database), desk.database.publication
    with desk.database.write() as connection:
        reader = require_reader(desk, connection, ref)
        hash = address_hash(parse_address(reader.email).key, secret)
        if suppressions.suppress(connection, publication, hash, "operator", desk.clock()):
            desk.note(connection, actor_of(request), "address suppressed", about=about(reader))
    flash(request, "Nothing is sent to this address from now on.")
    return redirect(f"/readers/{ref}")


@post("/readers/{ref:str}/lift")
@in_thread
def lift_reader(request: AnyRequest, ref: FromPath[str]) -> Answer:
    desk = desk_of(request)
    secret, publication = load_address_key(desk.database), desk.database.publication
    with desk.database.write() as connection:
        reader = require_reader(desk, connection, ref)
        hash = address_hash(parse_address(reader.email).key, secret)
        if suppressions.lift(connection, publication, hash):
            desk.note(connection, actor_of(request), "suppression lifted", about=about(reader))
    flash(request, "Mail may be sent to this address again.")
    return redirect(f"/readers/{ref}")


@post("/readers/{ref:str}/link")
@in_thread
def send_link(request: AnyRequest, ref: FromPath[str]) -> Answer:
    """Mail a reader the link to their preferences, as if they had asked for it on the site."""
    desk = desk_of(request)
    secret = load_address_key(desk.database)
    try:
        require_ready(desk.settings, desk.folder)
        singles = Singles(desk.folder, desk.settings)
        with desk.database.write() as connection:
            reader = require_reader(desk, connection, ref)
            is_sent = _grant(desk, connection, singles, reader, secret)
            if is_sent:
                actor = actor_of(request)
                desk.note(connection, actor, "preferences link sent", about=about(reader))
    except PublisherError as error:
        flash(request, as_sentence(error), "problem")
        return redirect(f"/readers/{ref}")
    if is_sent:
        flash(request, "The link is on its way to them; it works for a day.")
    else:
        refusal = (
            "No link was sent: nothing is sent to this address, or they were written to within a"
            " day."
        )
        flash(request, refusal, "problem")
    return redirect(f"/readers/{ref}")


def _grant(
    desk: Desk, connection: Connection, singles: Singles, reader: Subscriber, secret: bytes
) -> bool:
    now = desk.clock()
    hash = address_hash(limit_key(parse_address(reader.email)), secret)
    granting = Granting(
        connection=connection,
        publication=desk.database.publication,
        singles=singles,
        secret=secret,
        now=now,
    )
    return grant_link(
        granting, Wish(id=0, kind="preferences", hash=hash, at=now, email=reader.email)
    )


@post("/readers/{ref:str}/confirmation")
@in_thread
def send_confirmation(request: AnyRequest, ref: FromPath[str]) -> Answer:
    """Ask somebody once more to confirm, unless they were asked within a day."""
    desk = desk_of(request)
    publication = desk.database.publication
    try:
        ask = make_asking(desk.folder, desk.settings, desk.database)
        with desk.database.write() as connection:
            reader = require_reader(desk, connection, ref)
            is_asked = was_asked(connection, publication, reader.email, desk.clock())
            is_due = reader.status == "unconfirmed" and not is_asked
            if is_due:
                ask(connection, reader.id)
                desk.note(connection, actor_of(request), "confirmation sent", about=about(reader))
    except PublisherError as error:
        flash(request, as_sentence(error), "problem")
        return redirect(f"/readers/{ref}")
    if is_due:
        flash(request, "A confirmation is on its way to them.")
    else:
        refusal = "They were not asked again: they were within a day, or there is nothing to ask."
        flash(request, refusal, "problem")
    return redirect(f"/readers/{ref}")


@get("/readers/{ref:str}/erase")
@in_thread
def ask_to_erase(request: AnyRequest, ref: FromPath[str]) -> Answer:
    desk = desk_of(request)
    with desk.database.read() as connection:
        reader = require_reader(desk, connection, ref)
    return render(request, "reader_erase.html", reader=reader)


@post("/readers/{ref:str}/erase")
@in_thread
def erase_reader(request: AnyRequest, ref: FromPath[str]) -> Answer:
    """Forget a reader. The audit log knows them by their random name alone, which is nobody's."""
    desk = desk_of(request)
    secret, publication = load_address_key(desk.database), desk.database.publication
    with desk.database.write() as connection:
        reader = require_reader(desk, connection, ref)
        address = parse_address(reader.email)
        erased = erase(connection, publication, address, secret=secret, at=desk.clock())
        desk.note(connection, actor_of(request), "reader erased", about=about(reader))
    emails = erased.emails if erased else ()
    flash(request, "Erased: nothing is left but a keyed hash, by which the address is refused.")
    if not scrub(desk.database, *emails):
        traces = "Another program reads the database: until it has finished, its log keeps traces."
        flash(request, traces, "problem")
    return redirect("/readers")


def about(reader: Subscriber) -> str:
    """A reader as the audit log names them: it is kept when they are erased."""
    return f"reader {reader.ref}"


def as_sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


handlers = [
    *(show_readers, show_reader, rename_reader, unsubscribe_reader, suppress_reader, lift_reader),
    *(send_link, send_confirmation, ask_to_erase, erase_reader),
]
