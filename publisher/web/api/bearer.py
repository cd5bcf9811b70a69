"""Who asks: `Authorization: Bearer`, and what the token may do."""

from publisher.model.access import SCOPES, Scope, is_at_least
from publisher.model.operators import Actor
from publisher.runtime.inviting import hash_secret
from publisher.store.tokens import Bearer, find_token, is_use_due, note_use
from publisher.web.api.problems import ApiError
from publisher.web.console.desk import Desk
from publisher.web.console.throttle import Limit, Throttle

_REALM = 'Bearer realm="publisher"'
# A program with an old token asks over and over; whoever tries tokens gets no further either way.
_PER_TOKEN = 10
_PER_CLIENT = 30
_LONGEST = 200


def authenticate(desk: Desk, throttle: Throttle, header: str | None, client: str) -> Bearer:
    """Find whose token it is; its use is noted, once a minute at most.

    Only failures are counted, so that nobody shuts out who has a good one. Raises ApiError.
    """
    if header is None:
        raise ApiError(
            "unauthenticated",
            "There is no Authorization header; send `Authorization: Bearer TOKEN`, with a token of"
            " `publisher tokens create` or of the console's page of tokens.",
            headers={"WWW-Authenticate": _REALM},
        )
    if (bearer := find_bearer(desk, header)) is None:
        raise refuse(throttle, header, client)
    return bearer


def find_bearer(desk: Desk, header: str) -> Bearer | None:
    """Whose token is in a header, where the publication knows it; its use is noted."""
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer" or len(secret) > _LONGEST:
        return None
    hash, now = hash_secret(secret.strip()), desk.clock()
    with desk.database.read() as connection:
        bearer = find_token(connection, desk.database.publication, hash, now)
    if bearer and is_use_due(bearer.token, now):
        with desk.database.write() as connection:
            note_use(connection, bearer.token.id, now)
    return bearer


def refuse(throttle: Throttle, header: str, client: str) -> ApiError:
    """Count a failure, and say what is wrong."""
    hash = hash_secret(header.partition(" ")[2].strip())
    limits = [Limit(b"token:" + hash, _PER_TOKEN), Limit(f"client:{client}".encode(), _PER_CLIENT)]
    if seconds := throttle.admit(limits):
        return ApiError(
            "throttled",
            f"Too many requests had no good token; try again in {seconds} seconds.",
            headers={"Retry-After": str(seconds)},
        )
    return ApiError(
        "unauthenticated",
        "The token is none that can be used: it was never made, was revoked, has expired, or its"
        " operator was removed. Make another one with `publisher tokens create`.",
        headers={"WWW-Authenticate": f'{_REALM}, error="invalid_token"'},
    )


def require_scope(bearer: Bearer, scope: Scope) -> None:
    """Raise ApiError where a token may not do what needs a scope, or its operator not any more."""
    least = SCOPES[scope]
    if scope not in bearer.token.scopes:
        detail = (
            f"This takes the scope {scope}, and the token has {', '.join(bearer.token.scopes)}."
            f" Make one with `publisher tokens create NAME --scope {scope}`."
        )
    elif bearer.role is not None and not is_at_least(bearer.role, least):
        detail = (
            f"The scope {scope} takes the role of {least} or more, and the token's operator is"
            f" {bearer.role} now."
        )
    else:
        return
    challenge = f'{_REALM}, error="insufficient_scope", scope="{scope}"'
    raise ApiError("forbidden", detail, headers={"WWW-Authenticate": challenge})


def actor_of(bearer: Bearer, client: str) -> Actor:
    """Who does something, for the audit log."""
    return Actor(f"token {bearer.token.name}", client)
