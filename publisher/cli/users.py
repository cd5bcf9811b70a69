"""users add, list, remove: who may log in to the console."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, get_args

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
from publisher.model.access import Role
from publisher.model.operators import Operator

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from publisher.audience.address import Address
    from publisher.settings import Settings
    from publisher.store.database import Database

_AN_EMAIL = typer.Argument(metavar="EMAIL", help="Their address, by which they log in.")
_USUAL: Role = "editor"


def add_command(
    email: Annotated[str, _AN_EMAIL],
    role: Annotated[
        str,
        typer.Option(
            "--role",
            metavar="ROLE",
            help="viewer, editor, sender or owner; where it is left out, an editor.",
        ),
    ] = "",
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="Their name.")] = "",
    password_stdin: Annotated[
        bool,
        typer.Option(
            "--password-stdin", help="Read their password from standard input, instead of a link."
        ),
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Let somebody into the console, by a link with which they choose a password.

    The link works once, for 24 hours; pass it on yourself. For who is an operator
    already it leads to a new password, and the role stays unless --role names one.

    \b
    Examples:
      publisher users add anna@daily.example --role owner
      publisher users add bert@daily.example --name "Bert Olsen"
      publisher users add anna@daily.example --password-stdin < password.txt
    """
    from publisher.cli.store import open_store

    folder, settings = open_publication(config)
    address, name, wanted = _read_address(email), _read_name(name), _read_role(role)
    hash = _read_password(address, settings) if password_stdin else ""
    with open_store(folder, settings) as database, database.write() as connection:
        known = _find(connection, database, address)
        chosen = wanted or (known.role if known else _USUAL)
        name = name or (known.name if known else "")
        link = _add(connection, database, settings, address, name, chosen, hash)
    if json:
        print_json({"email": address.email, "name": name, "role": chosen, "link": link or None})
    elif link:
        done = "is an operator already; a new password" if known else f"{chosen}, with a password"
        say(f"{address.email}: {done} to be chosen here, once and within 24 hours:")
        show(link)
    else:
        show(f"{address.email}: {chosen}")
    return 0


def _add(
    connection: "Connection",
    database: "Database",
    settings: "Settings",
    address: "Address",
    name: str,
    role: Role,
    password_hash: str,
) -> str:
    """Make an operator, or, without a password, the link by which they become one."""
    from publisher.runtime.inviting import console_url, enrol, invite

    now, publication = datetime.now(UTC), database.publication
    known = _find(connection, database, address)
    if known is not None and role != known.role:
        _change_role(connection, database, known, role)
    detail = "" if known else role
    if not password_hash:
        path = invite(connection, publication, address, name, role, now)
        action = "password link made" if known else "operator invited"
        _note(connection, database, action, address.email, detail)
        return console_url(settings) + path
    enrol(connection, publication, address, name, role, password_hash, now)
    action = "password changed" if known else "operator added"
    _note(connection, database, action, address.email, detail)
    return ""


def _change_role(
    connection: "Connection", database: "Database", operator: Operator, role: Role
) -> None:
    from publisher.store.operators import change_role

    if not change_role(connection, database.publication, operator.id, role):
        raise _last_owner(operator)
    detail = f"{operator.role} to {role}"
    _note(connection, database, "role changed", operator.email, detail)


def list_command(config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Show who may log in to the console, and as what.

    \b
    Examples:
      publisher users list
    """
    from publisher.cli.store import open_store
    from publisher.store.operators import list_operators

    folder, settings = open_publication(config)
    with open_store(folder, settings) as database, database.read() as connection:
        found = list_operators(connection, database.publication)
    if json:
        print_json({"users": [_shape(each) for each in found]})
        return 0
    for each in found:
        name = f" ({each.name})" if each.name else ""
        show(f"{each.email}{name}: {each.role}")
    none = "Nobody is: `publisher users add EMAIL --role owner` lets the first one in."
    say(f"{count(len(found), 'operator')}." if found else none)
    return 0


def remove_command(
    email: Annotated[str, _AN_EMAIL], config: Config = DEFAULT_CONFIG, json: Json = False
) -> int:
    """Let somebody out of the console, at once; also who was invited and never came.

    Their tokens are worth nothing from then on. The last owner stays.

    \b
    Examples:
      publisher users remove anna@daily.example
    """
    from publisher.cli.store import open_store
    from publisher.store.invitations import end_invitations
    from publisher.store.operators import remove_operator
    from publisher.store.sessions import end_sessions

    folder, settings = open_publication(config)
    address, now = _read_address(email), datetime.now(UTC)
    with open_store(folder, settings) as database, database.write() as connection:
        publication = database.publication
        known = _find(connection, database, address)
        was_invited = end_invitations(connection, publication, address.key)
        if known is None and not was_invited:
            raise PublisherError(f"{address.email} is no operator; see `publisher users list`")
        if known is not None:
            if not remove_operator(connection, publication, known.id, now):
                raise _last_owner(known)
            end_sessions(connection, publication, known.id)
        action = "operator removed" if known else "invitation withdrawn"
        _note(connection, database, action, address.email)
    if json:
        print_json({"email": address.email, "removed": True})
    else:
        show(f"{address.email}: {'removed' if known else 'not invited any more'}")
    return 0


def _find(connection: "Connection", database: "Database", address: "Address") -> Operator | None:
    from publisher.store.operators import find_operator

    return find_operator(connection, database.publication, address.key)


def _note(
    connection: "Connection", database: "Database", action: str, about: str, detail: str = ""
) -> None:
    from publisher.runtime.inviting import ON_COMMAND_LINE
    from publisher.store.audit import note

    publication, now = database.publication, datetime.now(UTC)
    note(connection, publication, ON_COMMAND_LINE, action, now, about=about, detail=detail)


def _last_owner(operator: Operator) -> PublisherError:
    return PublisherError(
        f"{operator.email} is the last owner; make somebody else one first, with `publisher users"
        " add EMAIL --role owner`"
    )


def _read_address(text: str) -> "Address":
    from publisher.audience.address import AddressError, parse_address

    try:
        return parse_address(text)
    except AddressError as error:
        raise PublisherError(f"{text!r} is no address: {error}") from None


def _read_name(text: str) -> str:
    from publisher.audience.address import AddressError, parse_name

    try:
        return parse_name(text)
    except AddressError as error:
        raise PublisherError(f"--name: {error}") from None


def _read_role(text: str) -> Role | None:
    roles: tuple[Role, ...] = get_args(Role)
    if text and text not in roles:
        raise PublisherError(f"there is no role {text!r}; it is one of {', '.join(roles)}")
    return next((role for role in roles if role == text), None)


def _read_password(address: "Address", settings: "Settings") -> str:
    """The hash of the password on standard input, without the end of its line."""
    from publisher.runtime.passwords import MOST_CHARACTERS, hash_password, require_good

    text = sys.stdin.read(MOST_CHARACTERS + 3) if sys.stdin else ""
    password = text.removesuffix("\n").removesuffix("\r")
    require_good(password, address.email, settings.publication.title)
    return hash_password(password)


def _shape(operator: Operator) -> dict[str, object]:
    last = operator.last_login_at
    return {
        "email": operator.email,
        "name": operator.name,
        "role": operator.role,
        "created": operator.created_at.isoformat(),
        "last_login": last.isoformat() if last else None,
    }
