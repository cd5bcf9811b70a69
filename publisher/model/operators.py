"""Who runs a publication: operators, how they come to be, and what is noted of their deeds."""

from datetime import datetime

import msgspec

from publisher.model.access import Role, Scope

# Who acts where no operator does.
COMMAND_LINE = "command line"


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """Who may log in to the console."""

    id: int
    email: str
    name: str
    role: Role
    created_at: datetime
    password_changed_at: datetime
    last_login_at: datetime | None = None

    @property
    def called(self) -> str:
        """What to call them by: their name, or their address where they gave none."""
        return self.name or self.email


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A link that works once, by which somebody becomes an operator, or chooses a new password.

    The first owner's has no address.
    """

    id: int
    email: str
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a program is let in by; `prefix` is how its secret begins, `made_by` an address."""

    id: int
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    made_by: str
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


class Actor(msgspec.Struct, frozen=True):
    """Who does something: an operator's address, or COMMAND_LINE, or a token; and from where.

    `client` is an IP address, of which IPv6 keeps the network alone; empty at the command line.
    """

    who: str
    client: str = ""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the audit log."""

    id: int
    at: datetime
    who: str
    action: str
    about: str
    detail: str
    client: str
