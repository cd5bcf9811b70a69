"""How operators come in, and secrets that are shown once: their invitations, programs' tokens."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from publisher.audience.address import Address
from publisher.errors import PublisherError
from publisher.model.access import Role, Scope
from publisher.model.operators import COMMAND_LINE, Actor
from publisher.settings import Settings
from publisher.settings_values import address_of_console
from publisher.store import audit
from publisher.store.database import Database
from publisher.store.invitations import add_invitation
from publisher.store.operators import list_operators, save_operator
from publisher.store.sessions import end_sessions
from publisher.store.tokens import add_token

INVITATION_HOURS = 24
# So that one that got into a file of others' is found by those who look for such.
_SIGN = "publisher_"
_MOST_CHARACTERS = 100
_SHOWN_CHARACTERS = len(_SIGN) + 6


def hash_secret(secret: str) -> bytes:
    """What a secret of 256 bits is kept as: nobody can guess it, so one SHA-256 is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def console_url(settings: Settings) -> str:
    """Where the console is, without a trailing slash: by `console.url`, or on this machine."""
    console = settings.console
    return address_of_console(console.host, console.port, console.url)


def invite(
    connection: Connection,
    publication: int,
    address: Address | None,
    name: str,
    role: Role,
    now: datetime,
) -> str:
    """Make an invitation and give the path of its link. The connection writes.

    Without an address it is for the first owner, who has still to name it.
    """
    secret = secrets.token_urlsafe(32)
    add_invitation(
        connection,
        publication,
        hash=hash_secret(secret),
        email=address.email if address else "",
        key=address.key if address else "",
        name=name,
        role=role,
        now=now,
        expires_at=now + timedelta(hours=INVITATION_HOURS),
    )
    return f"/welcome/{secret}"


def enrol(
    connection: Connection,
    publication: int,
    address: Address,
    name: str,
    role: Role,
    password_hash: str,
    now: datetime,
) -> int:
    """Make an operator, or give one who is known another password; gives the id.

    Whatever sessions they had end with that. The connection writes.
    """
    operator = save_operator(
        connection,
        publication,
        email=address.email,
        key=address.key,
        name=name,
        role=role,
        password_hash=password_hash,
        now=now,
    )
    end_sessions(connection, publication, operator)
    return operator


def welcome_first_owner(database: Database, settings: Settings, now: datetime) -> str:
    """The link by which the first owner comes in; empty where there is an operator.

    One that was made before is worth nothing then.
    """
    with database.read() as connection:
        if list_operators(connection, database.publication):
            return ""
    with database.write() as connection:
        path = invite(connection, database.publication, None, "", "owner", now)
    return console_url(settings) + path


def parse_token_name(text: str) -> str:
    """What a token is for, in one line. Raises PublisherError."""
    name = " ".join(text.split())
    if not name or not name.isprintable() or len(name) > _MOST_CHARACTERS:
        raise PublisherError(
            f"{text[:_MOST_CHARACTERS]!r} is no name for a token: write 1 to {_MOST_CHARACTERS}"
            " characters that say what it is for"
        )
    return name


def make_token(
    connection: Connection,
    publication: int,
    *,
    name: str,
    scopes: Sequence[Scope],
    operator: int | None,
    actor: Actor,
    now: datetime,
    expires_at: datetime | None,
) -> str:
    """Make an API token and give its secret, which is kept nowhere.

    Raises IntegrityError where there is one of that name. The connection writes.
    """
    secret = _SIGN + secrets.token_urlsafe(32)
    add_token(
        connection,
        publication,
        name=name,
        hash=hash_secret(secret),
        prefix=secret[:_SHOWN_CHARACTERS],
        scopes=scopes,
        operator=operator,
        now=now,
        expires_at=expires_at,
    )
    detail = " ".join(scopes)
    audit.note(connection, publication, actor, "token created", now, about=name, detail=detail)
    return secret


ON_COMMAND_LINE = Actor(COMMAND_LINE)
