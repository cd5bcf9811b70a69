"""Who may do what in the console: one table, in which every route stands, and the guard at it.

To add a route, add its line here: (method, path as Litestar writes it without types) -> the least
role that may ask for it. What is not in the table is refused, and a test holds it against every
route that there is. Unsafe methods need a form's token and an Origin of ours besides, and nothing
has to be done for that but to put `{{ shell.csrf }}` into the form. What is below API is an
application of its own, with a table of its own (`publisher.web.api`).
"""

from collections.abc import Mapping
from typing import Literal

from litestar.enums import ScopeType
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from publisher.model.access import Role, is_at_least
from publisher.model.operators import Operator
from publisher.web.public.visit import Visit

Least = Role | Literal["anybody"]

API = "/api/v1"
# The option of a handler that knows no session and no form.
COOKIELESS = {"is_cookieless": True}
COOKIELESS_KEY = next(iter(COOKIELESS))

ACCESS: Mapping[tuple[str, str], Least] = {
    # what needs nobody to be logged in
    ("GET", "/healthz"): "anybody",
    ("GET", "/assets/{name}"): "anybody",
    ("GET", "/login"): "anybody",
    ("POST", "/login"): "anybody",
    ("GET", "/welcome/{token}"): "anybody",
    ("POST", "/welcome/{token}"): "anybody",
    # programs, which have tokens, secrets or signatures of their own
    ("GET", "/metrics"): "anybody",
    ("POST", "/hooks/ses"): "anybody",
    ("POST", "/hooks/postmark"): "anybody",
    ("POST", "/hooks/generic"): "anybody",
    # one's own account
    ("POST", "/logout"): "viewer",
    ("GET", "/account"): "viewer",
    ("POST", "/account/name"): "viewer",
    ("POST", "/account/password"): "viewer",
    ("POST", "/account/sessions"): "viewer",
    # home, and what is not there
    ("GET", "/"): "viewer",
    ("GET", "/{path}"): "viewer",
    # what frames show: by a key, for they have no cookies
    ("GET", "/frames/{key}/{path}"): "anybody",
    # seeing issues and images; writing them
    ("GET", "/issues"): "viewer",
    ("GET", "/issues/{slug}"): "viewer",
    ("GET", "/issues/{slug}/frame/{view}"): "viewer",
    ("GET", "/media"): "viewer",
    ("GET", "/media/{path}"): "viewer",
    ("POST", "/media"): "editor",
    ("GET", "/new-issue"): "editor",
    ("POST", "/new-issue"): "editor",
    ("GET", "/paste"): "editor",
    ("POST", "/paste"): "editor",
    ("GET", "/draft"): "editor",
    ("POST", "/draft"): "editor",
    ("GET", "/issues/{slug}/edit"): "editor",
    ("POST", "/issues/{slug}/edit"): "editor",
    ("POST", "/issues/{slug}/preview"): "editor",
    ("GET", "/issues/{slug}/live/{name}"): "editor",
    ("GET", "/issues/{slug}/delete"): "editor",
    ("POST", "/issues/{slug}/delete"): "editor",
    # sending
    ("GET", "/issues/{slug}/send"): "sender",
    ("POST", "/issues/{slug}/send"): "sender",
    ("POST", "/issues/{slug}/approve"): "sender",
    ("POST", "/issues/{slug}/test"): "editor",
    ("GET", "/issues/{slug}/correct"): "sender",
    ("POST", "/issues/{slug}/correct"): "sender",
    ("GET", "/plans/{plan}/state"): "sender",
    ("POST", "/plans/{plan}/take-back"): "sender",
    # mailings; with readers' addresses only for who keeps the readers
    ("GET", "/mailings"): "viewer",
    ("GET", "/mailings/{ref}"): "viewer",
    ("GET", "/mailings/{ref}/progress"): "viewer",
    ("POST", "/mailings/{ref}/pause"): "sender",
    ("POST", "/mailings/{ref}/resume"): "sender",
    ("GET", "/mailings/{ref}/cancel"): "sender",
    ("POST", "/mailings/{ref}/cancel"): "sender",
    ("POST", "/mailings/{ref}/retry"): "sender",
    ("POST", "/mailings/{ref}/resolve"): "sender",
    ("GET", "/mailings/{ref}/deliveries"): "sender",
    ("GET", "/deliveries/{delivery}"): "sender",
    ("POST", "/deliveries/{delivery}/retry"): "sender",
    ("POST", "/deliveries/{delivery}/resolve"): "sender",
    ("GET", "/readers/{ref}/history"): "sender",
    # readers, and whom nothing is sent
    ("GET", "/readers"): "sender",
    ("POST", "/readers"): "sender",
    ("GET", "/readers/new"): "sender",
    ("GET", "/readers/{ref}"): "sender",
    ("POST", "/readers/{ref}/name"): "sender",
    ("POST", "/readers/{ref}/choices"): "sender",
    ("POST", "/readers/{ref}/unsubscribe"): "sender",
    ("POST", "/readers/{ref}/suppress"): "sender",
    ("POST", "/readers/{ref}/lift"): "sender",
    ("POST", "/readers/{ref}/link"): "sender",
    ("POST", "/readers/{ref}/confirmation"): "sender",
    ("GET", "/readers/{ref}/erase"): "sender",
    ("POST", "/readers/{ref}/erase"): "sender",
    ("GET", "/readers/import"): "sender",
    ("POST", "/readers/import"): "sender",
    ("POST", "/readers/import/{token}/start"): "sender",
    ("POST", "/readers/import/{token}/cancel"): "sender",
    ("GET", "/readers/imports/{run}"): "sender",
    ("GET", "/readers/imports/{run}/rejected"): "sender",
    ("POST", "/readers/export"): "sender",
    ("GET", "/suppressions"): "sender",
    ("POST", "/suppressions"): "sender",
    ("POST", "/suppressions/{suppression}/lift"): "sender",
    ("GET", "/returned"): "sender",
    # schedules
    ("GET", "/schedules"): "viewer",
    # operators, programs, audit
    ("GET", "/operators"): "owner",
    ("POST", "/operators"): "owner",
    ("POST", "/operators/{operator}/role"): "owner",
    ("POST", "/operators/{operator}/link"): "owner",
    ("POST", "/operators/{operator}/remove"): "owner",
    ("POST", "/invitations/{invitation}/withdraw"): "owner",
    ("GET", "/webhooks"): "viewer",
    ("POST", "/webhooks/retry"): "owner",
    ("POST", "/webhooks/{event}/retry"): "owner",
    ("GET", "/tokens"): "owner",
    ("POST", "/tokens"): "owner",
    ("POST", "/tokens/{token}/revoke"): "owner",
    ("GET", "/audit"): "owner",
}

_SAFE = ("GET", "HEAD", "OPTIONS")
# A browser's word for a request of our own pages, or one that somebody typed.
_OWN_SITES = ("same-origin", "none")


class ForeignRequest(PermissionDeniedException):
    """A change that a page of another site asks for."""


class Guard:
    """Middleware that lets through who may, before anything of a request's body is read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            _admit(scope)
        await self.app(scope, receive, send)


def _admit(scope: HTTPScope) -> None:
    """Raise an HTTPException where somebody may not do what they ask for."""
    if scope["method"] not in _SAFE and not is_own(scope):
        raise ForeignRequest("A page of another site has sent this; nothing was done.")
    least = ACCESS.get((scope["method"], scope["path_template"]))
    operator: Operator | None = scope.get("user")
    if least == "anybody":
        return
    if operator is None:
        raise NotAuthorizedException("You are not logged in.")
    if least is None or not is_at_least(operator.role, least):
        raise PermissionDeniedException(f"This takes the role of {_article(least)}.")


def _article(least: Least | None) -> str:
    return f"an {least}" if least in ("editor", "owner") else f"a {least}" if least else "nobody"


def is_own(scope: HTTPScope) -> bool:
    """Tell whether one of our own pages asks, or a program, which has no cookies of a browser's."""
    visit: Visit = scope["state"]["visit"]
    sites = [value.decode("latin-1") for key, value in scope["headers"] if key == b"sec-fetch-site"]
    return visit.is_own and all(site in _OWN_SITES for site in sites)
