"""Operators: who may log in, as what; invitations, and links to a new password."""

from typing import Any

from litestar import get, post
from litestar.exceptions import NotFoundException

from publisher.audience.address import AddressError, parse_address, parse_name
from publisher.model.access import ROLES, Role
from publisher.model.operators import Operator
from publisher.runtime.inviting import INVITATION_HOURS, invite
from publisher.store import invitations, operators
from publisher.store.sessions import end_sessions
from publisher.web.console.desk import Desk
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Form,
    RowId,
    actor_of,
    desk_of,
    flash,
    in_thread,
    redirect,
    render,
    sentence_of,
    text_of,
)

_LAST = "This is the last owner: make somebody else an owner first."
# What each role may, as it is explained where one is chosen.
_MAY = {
    "viewer": "sees everything but readers' addresses",
    "editor": "also writes and changes issues",
    "sender": "also sends them, and keeps the readers",
    "owner": "also decides who else may",
}


@get("/operators")
@in_thread
def show_operators(request: AnyRequest) -> Answer:
    desk = desk_of(request)
    return _show(request, desk)


def _show(request: AnyRequest, desk: Desk, status: int = 200, **more: Any) -> Answer:
    with desk.database.read() as connection:
        publication = desk.database.publication
        found = operators.list_operators(connection, publication)
        invited = invitations.list_invitations(connection, publication, desk.clock())
    variables: dict[str, Any] = {"typed": {"email": "", "name": "", "role": "editor"}}
    variables |= {"link": "", "invitee": "", "hours": INVITATION_HOURS, "roles": _MAY} | more
    page = "operators.html"
    return render(request, page, status=status, operators=found, invited=invited, **variables)


@post("/operators")
@in_thread
def invite_operator(request: AnyRequest, data: Form) -> Answer:
    """Invite somebody. The link is shown once, in this answer: it is kept nowhere."""
    desk = desk_of(request)
    typed = {name: text_of(data, name) for name in ("email", "name", "role")}
    problems = {}
    try:
        name = parse_name(typed["name"])
    except AddressError as error:
        problems["name"] = sentence_of(error)
    try:
        address = parse_address(typed["email"])
    except AddressError as error:
        problems["email"] = sentence_of(error)
    if (role := _read_role(typed["role"])) is None:
        problems["role"] = "Choose one of the roles."
    if problems or role is None:
        return _show(request, desk, 422, problems=problems, typed=typed)
    publication = desk.database.publication
    with desk.database.write() as connection:
        if operators.find_operator(connection, publication, address.key):
            problems["email"] = "This is an operator already; the list below has all of them."
        else:
            path = invite(connection, publication, address, name, role, desk.clock())
            actor = actor_of(request)
            desk.note(connection, actor, "operator invited", about=address.email, detail=role)
    if problems:
        return _show(request, desk, 422, problems=problems, typed=typed)
    return _show(request, desk, link=desk.url + path, invitee=address.email)


@post("/operators/{operator:int}/role")
@in_thread
def change_role(request: AnyRequest, operator: RowId, data: Form) -> Answer:
    desk = desk_of(request)
    publication, role = desk.database.publication, _read_role(text_of(data, "role"))
    with desk.database.write() as connection:
        found = _require(operators.get_operator(connection, publication, operator))
        is_done = role is not None and operators.change_role(
            connection, publication, operator, role
        )
        if is_done and role != found.role:
            detail = f"{found.role} to {role}"
            actor = actor_of(request)
            desk.note(connection, actor, "role changed", about=found.email, detail=detail)
    if is_done:
        flash(request, f"{found.called}: {role} from now on.")
    else:
        flash(request, _LAST if role else "There is no such role.", "problem")
    return redirect("/operators")


@post("/operators/{operator:int}/link")
@in_thread
def make_link(request: AnyRequest, operator: RowId) -> Answer:
    """Make a link by which somebody who forgot their password chooses another one."""
    desk = desk_of(request)
    publication = desk.database.publication
    with desk.database.write() as connection:
        found = _require(operators.get_operator(connection, publication, operator))
        address = parse_address(found.email)
        path = invite(connection, publication, address, found.name, found.role, desk.clock())
        desk.note(connection, actor_of(request), "password link made", about=found.email)
    return _show(request, desk, link=desk.url + path, invitee=found.email)


@post("/operators/{operator:int}/remove")
@in_thread
def remove_operator(request: AnyRequest, operator: RowId) -> Answer:
    """Remove somebody, whose sessions, links and tokens end with that."""
    desk = desk_of(request)
    publication = desk.database.publication
    with desk.database.write() as connection:
        found = _require(operators.get_operator(connection, publication, operator))
        is_done = operators.remove_operator(connection, publication, operator, desk.clock())
        if is_done:
            end_sessions(connection, publication, operator)
            key = parse_address(found.email).key
            invitations.end_invitations(connection, publication, key)
            desk.note(connection, actor_of(request), "operator removed", about=found.email)
    if is_done:
        flash(request, f"{found.called} is no operator any more.")
    else:
        flash(request, _LAST, "problem")
    return redirect("/operators")


@post("/invitations/{invitation:int}/withdraw")
@in_thread
def withdraw_invitation(request: AnyRequest, invitation: RowId) -> Answer:
    desk = desk_of(request)
    publication = desk.database.publication
    with desk.database.write() as connection:
        found = invitations.list_invitations(connection, publication, desk.clock())
        email = next((each.email for each in found if each.id == invitation), "")
        if email:
            invitations.end_invitations(connection, publication, parse_address(email).key)
            desk.note(connection, actor_of(request), "invitation withdrawn", about=email)
    flash(request, "The link cannot be used any more.")
    return redirect("/operators")


def _require(operator: Operator | None) -> Operator:
    if operator is None:
        raise NotFoundException("There is no such operator, or not any more.")
    return operator


def _read_role(text: str) -> Role | None:
    return next((role for role in ROLES if role == text), None)


handlers = [
    *(show_operators, invite_operator, change_role, make_link),
    *(remove_operator, withdraw_invitation),
]
