"""Invitations: links by which somebody becomes an operator, or chooses another password."""

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from publisher.audience.address import Address, AddressError, parse_address, parse_name
from publisher.model.operators import Actor, Invitation
from publisher.runtime.inviting import enrol, hash_secret
from publisher.runtime.passwords import PasswordError, hash_password, require_good
from publisher.store import invitations, operators
from publisher.web.console.desk import Desk
from publisher.web.console.entering import enter
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Form,
    client_of,
    desk_of,
    in_thread,
    render,
    sentence_of,
    text_of,
)

_UNUSABLE = (
    "This link cannot be used: it was used before, it is older than a day, or there is a newer"
    " one. Ask an owner for a new one; the first owner's is printed when `publisher run` starts."
)


@get("/welcome/{token:str}")
@in_thread
def show_welcome(request: AnyRequest, token: FromPath[str]) -> Answer:
    desk = desk_of(request)
    invitation = _find_invitation(desk, token)
    return _show_form(request, desk, invitation, invitation.email, invitation.name)


@post("/welcome/{token:str}")
@in_thread
def take_welcome(request: AnyRequest, token: FromPath[str], data: Form) -> Answer:
    desk = desk_of(request)
    invitation = _find_invitation(desk, token)
    email = invitation.email or text_of(data, "email")
    name, password = text_of(data, "name"), text_of(data, "password")
    problems, person = _read_person(email, name)
    try:
        require_good(password, email, desk.publication.title)
    except PasswordError as error:
        problems["password"] = str(error)
    if problems or person is None:
        return _show_form(request, desk, invitation, email, name, problems)
    operator = _accept(request, desk, invitation, person, hash_password(password))
    return enter(request, desk, operator, person[0].key, "/")


def _accept(
    request: AnyRequest,
    desk: Desk,
    invitation: Invitation,
    person: tuple[Address, str],
    password_hash: str,
) -> int:
    """Make an operator of somebody who was invited, or give them their new password."""
    (address, name), publication, now = person, desk.database.publication, desk.clock()
    with desk.database.write() as connection:
        if not invitations.use_invitation(connection, invitation.id, now):
            raise NotFoundException(_UNUSABLE)
        if not invitation.email and operators.list_operators(connection, publication):
            raise NotFoundException(_UNUSABLE)  # there is a first owner meanwhile
        known = operators.find_operator(connection, publication, address.key)
        # A role that was given or taken since the link was made is the one that counts.
        role = known.role if known else invitation.role
        operator = enrol(connection, publication, address, name, role, password_hash, now)
        operators.note_login(connection, publication, operator, now)
        action = "password set by a link" if known else "invitation accepted"
        actor = Actor(address.email, client_of(request))
        desk.note(connection, actor, action, detail=role)
    return operator


def _show_form(
    request: AnyRequest,
    desk: Desk,
    invitation: Invitation,
    email: str,
    name: str,
    problems: dict[str, str] | None = None,
) -> Answer:
    return render(
        request,
        "welcome.html",
        status=422 if problems else 200,
        problems=problems or {},
        invitation=invitation,
        email=email,
        name=name,
    )


def _find_invitation(desk: Desk, token: str) -> Invitation:
    with desk.database.read() as connection:
        publication, now = desk.database.publication, desk.clock()
        found = invitations.find_invitation(connection, publication, hash_secret(token), now)
        is_late = (
            found is not None
            and not found.email
            and operators.list_operators(connection, publication)
        )
    if found is None or is_late:
        raise NotFoundException(_UNUSABLE)
    return found


def _read_person(email: str, name: str) -> tuple[dict[str, str], tuple[Address, str] | None]:
    problems = {}
    try:
        address = parse_address(email)
    except AddressError as error:
        problems["email"] = sentence_of(error)
    try:
        name = parse_name(name)
    except AddressError as error:
        problems["name"] = sentence_of(error)
    return (problems, None) if problems else ({}, (address, name))


handlers = [show_welcome, take_welcome]
