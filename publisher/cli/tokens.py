"""tokens create, list, revoke: what programs are let into the API by."""

from datetime import UTC, datetime
from typing import Annotated, Any

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
from publisher.model.access import SCOPES, Scope
from publisher.model.operators import ApiToken
from publisher.settings import Duration

_A_NAME = typer.Argument(metavar="NAME", help="What it is for, such as newsroom-import.")


def create_command(
    name: Annotated[str, _A_NAME],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="What it may do, such as issues:read; once for each. Left out: all reading.",
        ),
    ] = None,
    expires: Annotated[
        str,
        typer.Option(
            "--expires",
            metavar="DURATION",
            help="After how long it is worth nothing, such as 90d; left out: never.",
        ),
    ] = "",
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Make a token for a program that uses the API. Its secret is shown only now.

    The scopes are issues:read, issues:write, mailings:read, mailings:write,
    subscribers:read, subscribers:write, schedules:read and metrics:read.

    \b
    Examples:
      publisher tokens create dashboard
      publisher tokens create newsroom --scope issues:write --expires 90d
    """
    from sqlalchemy.exc import IntegrityError

    from publisher.cli.store import open_store
    from publisher.runtime.inviting import ON_COMMAND_LINE, make_token, parse_token_name

    folder, settings = open_publication(config)
    name, scopes, now = parse_token_name(name), _read_scopes(scope or []), datetime.now(UTC)
    expires_at = now + _read_duration(expires) if expires else None
    with open_store(folder, settings) as database:
        try:
            with database.write() as connection:
                secret = make_token(
                    connection,
                    database.publication,
                    name=name,
                    scopes=scopes,
                    operator=None,
                    actor=ON_COMMAND_LINE,
                    now=now,
                    expires_at=expires_at,
                )
        except IntegrityError:
            raise PublisherError(
                f"there is a token {name} already; name this one otherwise, or revoke that one"
                f" with `publisher tokens revoke {name}`"
            ) from None
    if json:
        ends = expires_at.isoformat() if expires_at else None
        print_json({"name": name, "scopes": scopes, "expires": ends, "secret": secret})
    else:
        say(f"{name} may: {', '.join(scopes)}. Keep this, it is not shown again:")
        show(secret)
    return 0


def list_command(config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Show the API tokens, each with the beginning of its secret and when it was used last.

    \b
    Examples:
      publisher tokens list
    """
    from publisher.cli.store import open_store
    from publisher.store.tokens import list_tokens

    folder, settings = open_publication(config)
    with open_store(folder, settings) as database, database.read() as connection:
        found = list_tokens(connection, database.publication)
    if json:
        print_json({"tokens": [_shape(each) for each in found]})
        return 0
    now = datetime.now(UTC)
    for each in found:
        show(_row(each, now))
    say(f"{count(len(found), 'token')}." if found else "There is no token.")
    return 0


def revoke_command(
    name: Annotated[str, _A_NAME], config: Config = DEFAULT_CONFIG, json: Json = False
) -> int:
    """Let a token be worth nothing any more, at once.

    \b
    Examples:
      publisher tokens revoke dashboard
    """
    from publisher.cli.store import open_store
    from publisher.runtime.inviting import ON_COMMAND_LINE
    from publisher.store.audit import note
    from publisher.store.tokens import revoke_token

    folder, settings = open_publication(config)
    now = datetime.now(UTC)
    with open_store(folder, settings) as database, database.write() as connection:
        publication = database.publication
        if not revoke_token(connection, publication, name, now):
            raise PublisherError(f"there is no token {name!r}; see `publisher tokens list`")
        note(connection, publication, ON_COMMAND_LINE, "token revoked", now, about=name)
    if json:
        print_json({"name": name, "revoked": True})
    else:
        show(f"{name}: revoked")
    return 0


def _read_scopes(texts: list[str]) -> list[Scope]:
    for text in texts:
        if text not in SCOPES:
            raise PublisherError(f"there is no scope {text!r}; there are {', '.join(SCOPES)}")
    return [scope for scope in SCOPES if scope in texts or (not texts and scope.endswith(":read"))]


def _read_duration(text: str) -> Duration:
    try:
        duration = Duration.parse(text)
    except ValueError as error:
        raise PublisherError(f"--expires {text!r} is no duration; write {error}") from None
    if not duration:
        raise PublisherError("--expires 0 makes a token that is worth nothing")
    return duration


def _shape(token: ApiToken) -> dict[str, Any]:
    return {
        "name": token.name,
        "prefix": token.prefix,
        "scopes": token.scopes,
        "made_by": token.made_by or None,
        "created": token.created_at.isoformat(),
        "expires": token.expires_at.isoformat() if token.expires_at else None,
        "last_used": token.last_used_at.isoformat() if token.last_used_at else None,
    }


def _row(token: ApiToken, now: datetime) -> str:
    used = f"last used {token.last_used_at:%Y-%m-%d %H:%M} UTC" if token.last_used_at else "unused"
    ends = ""
    if token.expires_at:
        over = "expired" if token.expires_at <= now else "expires"
        ends = f", {over} {token.expires_at:%Y-%m-%d %H:%M} UTC"
    return f"{token.name} ({token.prefix}…): {', '.join(token.scopes)}; {used}{ends}"
