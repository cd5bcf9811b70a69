"""Who may do what: the roles of operators, and the scopes of API tokens."""

from typing import Literal, get_args

# Each may do all that those before it may: look; write issues; send them, and keep the readers;
# decide who else may.
Role = Literal["viewer", "editor", "sender", "owner"]

ROLES: tuple[Role, ...] = get_args(Role)

Scope = (
    Literal["issues:read", "issues:write", "mailings:read", "mailings:write"]
    | Literal["subscribers:read", "subscribers:write", "schedules:read", "metrics:read"]
)

# What a token may do, and the least role of an operator whose token may. Deliveries and
# suppressions go with subscribers, whose addresses they have.
SCOPES: dict[Scope, Role] = {
    "issues:read": "viewer",
    "issues:write": "editor",
    "mailings:read": "viewer",
    "mailings:write": "sender",
    "subscribers:read": "sender",
    "subscribers:write": "sender",
    "schedules:read": "viewer",
    "metrics:read": "viewer",
}


def is_at_least(role: Role, least: Role) -> bool:
    """Tell whether a role may do what another one may."""
    return ROLES.index(role) >= ROLES.index(least)
