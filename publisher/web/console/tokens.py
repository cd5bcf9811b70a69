"""API tokens: what programs are let in by, made, shown once and revoked by owners."""

from datetime import timedelta
from typing import Any

from litestar import get, post
from litestar.exceptions import NotFoundException
from sqlalchemy.exc import IntegrityError

from publisher.errors import PublisherError
from publisher.model.access import SCOPES, Scope
from publisher.runtime.inviting import make_token, parse_token_name
from publisher.store import tokens
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
    operator_of,
    redirect,
    render,
    text_of,
    texts_of,
)

# What each scope lets a program do, as it is explained where one is chosen.
_MAY: dict[Scope, str] = {
    "issues:read": "read issues and their problems, drafts too",
    "issues:write": "make, change and remove issues",
    "mailings:read": "see where mailings stand",
    "mailings:write": "send issues; pause, cancel and settle mailings",
    "subscribers:read": "read readers' addresses, deliveries and suppressions",
    "subscribers:write": "add, change and erase readers",
    "schedules:read": "see when schedules fire, and fired",
    "metrics:read": "read /metrics",
}
# For how many days a token can be good; 0 is for ever.
_DAYS = {"30": "30 days", "90": "90 days", "365": "a year", "0": "for ever"}


@get("/tokens")
@in_thread
def show_tokens(request: AnyRequest) -> Answer:
    return _show(request, desk_of(request))


def _show(request: AnyRequest, desk: Desk, status: int = 200, **more: Any) -> Answer:
    with desk.database.read() as connection:
        found = tokens.list_tokens(connection, desk.database.publication)
    typed = {"name": "", "scopes": ["issues:read"], "days": "90"}
    variables: dict[str, Any] = {"typed": typed, "secret": "", "made": "", "now": desk.clock()}
    variables |= {"scopes": _MAY, "days": _DAYS} | more
    return render(request, "tokens.html", status=status, tokens=found, **variables)


@post("/tokens")
@in_thread
def create_token(request: AnyRequest, data: Form) -> Answer:
    """Make a token. Its secret is shown once, in this answer: it is kept nowhere."""
    desk = desk_of(request)
    chosen = texts_of(data, "scopes")
    scopes = [scope for scope in SCOPES if scope in chosen]
    days = text_of(data, "days")
    typed = {"name": text_of(data, "name"), "scopes": scopes, "days": days}
    problems = {}
    try:
        name = parse_token_name(text_of(data, "name"))
    except PublisherError:
        problems["name"] = "Write up to 100 characters that say what it is for."
    if not scopes:
        problems["scopes"] = "Choose at least one thing that it may do."
    if days not in _DAYS:
        problems["days"] = "Choose one of these."
    if problems:
        return _show(request, desk, 422, problems=problems, typed=typed)
    try:
        secret = _make(request, desk, name, scopes, int(days))
    except IntegrityError:
        problems["name"] = "There is a token of this name; revoke that one, or choose another name."
        return _show(request, desk, 422, problems=problems, typed=typed)
    return _show(request, desk, secret=secret, made=name)


def _make(request: AnyRequest, desk: Desk, name: str, scopes: list[Scope], days: int) -> str:
    now = desk.clock()
    with desk.database.write() as connection:
        return make_token(
            connection,
            desk.database.publication,
            name=name,
            scopes=scopes,
            operator=operator_of(request).id,
            actor=actor_of(request),
            now=now,
            expires_at=now + timedelta(days=days) if days else None,
        )


@post("/tokens/{token:int}/revoke")
@in_thread
def revoke_token(request: AnyRequest, token: RowId) -> Answer:
    """Let a token be worth nothing any more, at once."""
    desk = desk_of(request)
    publication = desk.database.publication
    with desk.database.write() as connection:
        found = [each for each in tokens.list_tokens(connection, publication) if each.id == token]
        if not found:
            raise NotFoundException("There is no such token, or it was revoked before.")
        name = found[0].name
        tokens.revoke_token(connection, publication, name, desk.clock())
        desk.note(connection, actor_of(request), "token revoked", about=name)
    flash(request, f"{name} is worth nothing any more.")
    return redirect("/tokens")


handlers = [show_tokens, create_token, revoke_token]
