"""Who may do what by the API: one table, in which every route stands with its scope.

What is not in it is refused, and a test holds it against every route that there is. The least role
of an operator whose token may have a scope stands in `publisher.model.access.SCOPES`.
"""

from collections.abc import Mapping
from typing import Literal

from publisher.model.access import Scope

# Without a token: what says how the API is used, and nothing of the publication.
ACCESS: Mapping[tuple[str, str], Scope | Literal["anybody"]] = {
    ("GET", "/"): "anybody",
    ("GET", "/openapi.json"): "anybody",
    ("GET", "/problems/{kind}"): "anybody",
    # issues
    ("GET", "/issues"): "issues:read",
    ("POST", "/issues"): "issues:write",
    ("GET", "/issues/{issue}"): "issues:read",
    ("PUT", "/issues/{issue}"): "issues:write",
    ("DELETE", "/issues/{issue}"): "issues:write",
    ("POST", "/issues/{issue}/ready"): "issues:write",
    ("GET", "/issues/{issue}/check"): "issues:read",
    ("GET", "/issues/{issue}/dry-run"): "mailings:read",
    ("GET", "/check"): "issues:read",
    # mailings and their deliveries; addresses are read only by who keeps the readers
    ("GET", "/mailings"): "mailings:read",
    ("POST", "/mailings"): "mailings:write",
    ("GET", "/mailings/{mailing}"): "mailings:read",
    ("POST", "/mailings/{mailing}/pause"): "mailings:write",
    ("POST", "/mailings/{mailing}/resume"): "mailings:write",
    ("POST", "/mailings/{mailing}/cancel"): "mailings:write",
    ("POST", "/mailings/{mailing}/retry"): "mailings:write",
    ("POST", "/mailings/{mailing}/resolve"): "mailings:write",
    ("GET", "/mailings/{mailing}/deliveries"): "subscribers:read",
    # readers
    ("GET", "/subscribers"): "subscribers:read",
    ("POST", "/subscribers"): "subscribers:write",
    ("GET", "/subscribers/{subscriber}"): "subscribers:read",
    ("PATCH", "/subscribers/{subscriber}"): "subscribers:write",
    ("DELETE", "/subscribers/{subscriber}"): "subscribers:write",
    ("POST", "/subscribers/{subscriber}/unsubscribe"): "subscribers:write",
    ("GET", "/suppressions"): "subscribers:read",
    ("POST", "/suppressions"): "subscribers:write",
    ("DELETE", "/suppressions/{suppression}"): "subscribers:write",
    # schedules
    ("GET", "/schedules"): "schedules:read",
}
