"""Subscribing, confirming and leaving over HTTP, and the link to one's preferences."""

from datetime import UTC, datetime

from litestar import post, route
from litestar.exceptions import HTTPException

from publisher.audience.address import AddressError, address_hash, limit_key, parse_address
from publisher.render.frame import TRAP_FIELD
from publisher.store.wishes import NewWish
from publisher.web.public.answers import Answer
from publisher.web.public.consents import ButtonPurpose, Press
from publisher.web.public.form import Fields, FormError, is_one_click
from publisher.web.public.handling import (
    HEADS,
    AnyRequest,
    read_form,
    read_open_form,
    server_of,
    visit_of,
)
from publisher.web.public.names import clean_name

# What may be given once, and what it is where it is not given.
_ONCE = ("email", "name", "language")


@post("/subscribe", status_code=200)
async def ask(request: AnyRequest) -> Answer:
    """Take a wish to subscribe. The answer depends on what was typed, never on who is known."""
    return await _take(request, is_of_preferences=False)


@route("/preferences", http_method=HEADS)
async def show_ask_preferences(request: AnyRequest) -> Answer:
    return server_of(request).show("ask_preferences")


@post("/preferences", status_code=200)
async def ask_preferences(request: AnyRequest) -> Answer:
    """Take a wish for the link to one's preferences; the answer as above."""
    return await _take(request, is_of_preferences=True)


async def _take(request: AnyRequest, *, is_of_preferences: bool) -> Answer:
    fields = await read_open_form(request)
    if not isinstance(fields, dict):
        return fields
    server = server_of(request)
    given = {name: set(fields.get(name, [""])) for name in _ONCE}
    if any(len(values) > 1 for values in given.values()):
        return server.show("refused", status=400)
    language = server.choose_language(given["language"].pop())
    email = given["email"].pop()
    try:
        wish = _read_wish(request, email, given["name"].pop(), language, is_of_preferences)
    except AddressError:
        return server.show(
            "bad_address",
            address=email.strip(),
            language=language,
            is_of_preferences=is_of_preferences,
        )
    await server.take(None if any(fields.get(TRAP_FIELD, [])) else wish)
    kind = "preferences_mailed" if is_of_preferences else "check_mailbox"
    return server.show(kind, language=language)  # type: ignore[arg-type]


def _read_wish(
    request: AnyRequest, email: str, name: str, language: str, is_of_preferences: bool
) -> NewWish:
    """What is asked for; of preferences nothing but whose. Raises AddressError."""
    address = parse_address(email)
    hash = address_hash(limit_key(address), server_of(request).asking.secret)
    now = datetime.now(UTC)
    if is_of_preferences:
        return NewWish(kind="preferences", email=address.email, hash=hash, at=now)
    return NewWish(
        kind="subscribe",
        email=address.email,
        name=clean_name(name),
        language=language,
        client=visit_of(request).client,
        hash=hash,
        at=now,
    )


@route("/confirm/{token:str}", http_method=HEADS)
async def show_confirm(request: AnyRequest) -> Answer:
    return await _look(request, "confirm")


@post("/confirm/{token:str}", status_code=200)
async def confirm(request: AnyRequest) -> Answer:
    return await _press(request, "confirm")


@route("/address/{token:str}", http_method=HEADS)
async def show_address(request: AnyRequest) -> Answer:
    return await _look(request, "address")


@post("/address/{token:str}", status_code=200)
async def confirm_address(request: AnyRequest) -> Answer:
    return await _press(request, "address")


@route("/unsubscribe/{token:str}", http_method=HEADS)
async def show_unsubscribe(request: AnyRequest) -> Answer:
    return await _look(request, "unsubscribe")


@post("/unsubscribe/{token:str}", status_code=200)
async def unsubscribe(request: AnyRequest) -> Answer:
    return await _press(request, "unsubscribe")


async def _look(request: AnyRequest, purpose: ButtonPurpose) -> Answer:
    server = server_of(request)
    link = server.find_link(visit_of(request), purpose)
    return server.show_seen(await server.look(link)) if link else server.show("link_unusable")


async def _press(request: AnyRequest, purpose: ButtonPurpose) -> Answer:
    """Do what the token is for. It says enough: no body, whatever it is, keeps anybody in."""
    server, visit = server_of(request), visit_of(request)
    if not visit.is_own:
        return server.show("refused")
    link = server.find_link(visit, purpose)
    if link is None:
        return server.show("link_unusable")
    try:
        fields: Fields = await read_form(request)
    except (FormError, HTTPException):
        fields = {}
    is_by_program = purpose == "unsubscribe" and is_one_click(fields)
    pressed = Press(
        at=datetime.now(UTC),
        source="one-click" if is_by_program else "link",
        client=visit.client,
    )
    return server.show_seen(await server.press(link, pressed))


CONSENT_ROUTES = [
    *(ask, show_ask_preferences, ask_preferences, show_confirm, confirm),
    *(show_address, confirm_address, show_unsubscribe, unsubscribe),
]
