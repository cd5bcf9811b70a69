"""listmonk's campaigns, as its API gives them: `GET /api/campaigns?per_page=all`.

`{"data": {"results": [{"id", "uuid", "type", "name", "subject", "body", "content_type", "send_at",
"started_at", "created_at", "status", "tags", "archive", "archive_slug", …}]}}`
(listmonk.app/docs/apis/campaigns; knadh/listmonk: models/campaigns.go). Its feed has no guids:
readers know its entries by their links (cmd/archive.go, gorilla/feeds).
"""

from typing import Any

from publisher.intake.moving.post import Export, Exported, Post, count_reasons
from publisher.intake.moving.render import to_html
from publisher.intake.moving.text import place, read_moment, strings

_KEYS = {"subject", "body", "content_type"}
_SENT = ("finished", "running", "paused", "cancelled")


def find_campaigns(document: Any) -> list[Any] | None:
    """The campaigns of a document; None where it has none."""
    data = document.get("data", document) if isinstance(document, dict) else document
    found = data.get("results") if isinstance(data, dict) and "results" in data else data
    found = [found] if isinstance(found, dict) else found
    first = found[0] if isinstance(found, list) and found else None
    return found if isinstance(first, dict) and first.keys() >= _KEYS else None


def read_listmonk(export: Export, campaigns: list[Any]) -> Exported:
    posts, reasons = [], []
    for record in campaigns:
        if not isinstance(record, dict):
            reasons.append("no object")
        elif record.get("type") == "optin":
            reasons.append("a request to confirm, not a post")
        else:
            posts.append(_post(export, record))
    return Exported(entries=len(campaigns), posts=tuple(posts), left_out=count_reasons(reasons))


def _post(export: Export, record: dict[str, Any]) -> Post:
    def word(name: str) -> str:
        return str(record.get(name) or "")

    slug = word("archive_slug")
    at = slug or word("uuid")
    written = word("send_at") or word("started_at") or word("created_at")
    return Post(
        file=place(export, slug or word("name")),
        slug=slug,
        title=word("subject") or word("name"),
        date=read_moment(written),
        written_date=written,
        is_published=word("status") in _SENT and bool(record.get("started_at")),
        html=_html(word("body"), word("content_type")),
        tags=strings(record.get("tags")),
        # Campaigns that are in no public archive had no address.
        url=f"/archive/{at}" if record.get("archive") and at else "",
    )


def _html(body: str, content_type: str) -> str:
    return to_html(body) if content_type in ("markdown", "plain") else body
