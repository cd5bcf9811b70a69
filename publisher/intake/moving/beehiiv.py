"""beehiiv's export of posts: a CSV whose rows hold the HTML of a mail; and its API's answers.

Columns: id, web_title, status, audience (or web_audiences), content_tags, url, web_subtitle,
email_subject_line, email_preview_text, content_html, thumbnail_url, created_at (as
TryGhost/migrate reads them: packages/mg-beehiiv). The API: GET /v2/publications/ID/posts with
`expand=free_web_content` (developers.beehiiv.com).
"""

import re
from typing import Any

from publisher.intake.moving.addresses import split_address
from publisher.intake.moving.post import Export, Exported, LeftOut, Post
from publisher.intake.moving.text import (
    Row,
    column_names,
    place,
    read_moment,
    read_rows,
    read_text,
    strings,
)

_MEDIA = "https://media.beehiiv.com/cdn-cgi/image/quality=100/"
# What is around a post in its mail: the header above it and the footer below.
_CONTENT = re.compile(r"id=['\"]content-blocks['\"]")
_PAID = re.compile(r"\b(?:premium|paid)\b", re.IGNORECASE)
_FREE = re.compile(r"\b(?:free|both|all)\b(?! (?:premium|paid))", re.IGNORECASE)


def is_beehiiv(text: str) -> bool:
    return {"content_html", "web_title"} <= set(column_names(text[:100_000]))


def read_beehiiv(export: Export) -> Exported:
    path = export.paths[0]
    text, problems = read_text(export, path)
    posts = tuple(_post(export, path, row) for row in read_rows(text))
    return Exported(entries=len(posts), posts=posts, problems=problems)


def _post(export: Export, path: str, row: Row) -> Post:
    url, image = row["url"], row["thumbnail_url"]
    written = row["published_at"] or row["publish_date"] or row["created_at"]
    moment = read_moment(written if "+" in written or "Z" in written else f"{written} UTC")
    audience = row["audience"] or row["web_audiences"]
    return Post(
        file=place(export, path),
        line=row.line,
        slug=split_address(url).path.rpartition("/p/")[2],
        title=row["web_title"] or row["email_subject_line"],
        date=moment or read_moment(written),
        written_date=written,
        is_published=row["status"].lower() in ("confirmed", "archived", "published"),
        html=_content(row["content_html"]),
        summary=row["web_subtitle"] or row["email_preview_text"],
        tags=tuple(filter(None, (tag.strip() for tag in re.split("[;,]", row["content_tags"])))),
        image=_MEDIA + image.lstrip("/") if image.lstrip("/").startswith("uploads/") else image,
        url=url,
        restricted=_restriction(audience),
        problems=row.damage(place(export, path)),
    )


def _restriction(audience: str) -> str:
    return "paying readers" if _PAID.search(audience) and not _FREE.search(audience) else ""


def _content(html: str) -> str:
    """The part of a mail that is the post, where it is marked."""
    marked = _CONTENT.search(html)
    start = html.rfind("<", 0, marked.start()) if marked else 0
    return html[start:] if start > 0 else html


def is_beehiiv_answer(document: Any) -> bool:
    posts = document.get("data") if isinstance(document, dict) else None
    first = posts[0] if isinstance(posts, list) and posts else None
    return isinstance(first, dict) and {"web_url", "subject_line"} & first.keys() != set()


def read_beehiiv_answer(export: Export, document: Any) -> Exported:
    """The API's list of posts, as one document."""
    entries = [entry for entry in document["data"] if isinstance(entry, dict)]
    left_out = len(document["data"]) - len(entries)
    posts = tuple(_answered(export, entry) for entry in entries)
    reasons = (LeftOut(left_out, "no object"),) if left_out else ()
    return Exported(entries=len(document["data"]), posts=posts, left_out=reasons)


def _answered(export: Export, entry: dict[str, Any]) -> Post:
    def word(name: str) -> str:
        return str(entry.get(name) or "")

    content = entry.get("content")
    free = content.get("free") if isinstance(content, dict) else None
    html = str(free.get("web") or free.get("email") or "") if isinstance(free, dict) else ""
    written = word("displayed_date") or word("publish_date") or word("created")
    return Post(
        file=place(export, word("slug") or word("id")),
        slug=word("slug"),
        title=word("title") or word("subject_line"),
        date=read_moment(written),
        written_date=written,
        is_published=word("status") in ("confirmed", "archived"),
        html=_content(html),
        summary=word("subtitle") or word("preview_text"),
        authors=strings(entry.get("authors")),
        tags=strings(entry.get("content_tags")),
        image=word("thumbnail_url"),
        url=word("web_url"),
        restricted=_restriction(word("audience")),
    )
