"""Ghost's export: one JSON document, `{"db": [{"meta", "data": {"posts", "tags", …}}]}`.

A post's text is its `html`, which Ghost renders from lexical or mobiledoc and exports with it; of
a draft that was never rendered, what mobiledoc or lexical holds as HTML or Markdown is taken. The
feed's guid is the post's id (TryGhost/Ghost: services/rss/generate-feed.js), and its address
/SLUG/, unless routes.yaml says otherwise. A zip may hold images, below content/images.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from html import escape
from typing import Any

from publisher.intake.moving.post import Export, Exported, Post, count_reasons
from publisher.intake.moving.render import to_html
from publisher.intake.moving.text import place, read_moment

Record = dict[str, Any]
_RESTRICTED = {"paid": "paying readers", "members": "members", "tiers": "members of some tiers"}
# What it writes in its own address's place.
_OWN_ADDRESS = re.compile("__GHOST_URL__/?")
_NO_OFFSET = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def find_data(document: Any) -> Record | None:
    """The tables of an export; None where the document is none."""
    if isinstance(document, dict) and isinstance(document.get("db"), list) and document["db"]:
        document = document["db"][0]
    data = document.get("data") if isinstance(document, dict) else None
    is_export = isinstance(data, dict) and isinstance(data.get("posts"), list)
    return data if is_export else None


def read_ghost(export: Export, data: Record) -> Exported:
    tables = _Tables(data)
    posts, reasons = [], []
    for record in data["posts"]:
        if not isinstance(record, dict):
            reasons.append("no object")
        elif record.get("type") == "page" or record.get("page") in (1, True):
            reasons.append("a page, not a post")
        else:
            posts.append(_post(export, record, tables))
    return Exported(entries=len(data["posts"]), posts=tuple(posts), left_out=count_reasons(reasons))


class _Tables:
    """The tables beside the posts: what belongs to each by its id."""

    def __init__(self, data: Record) -> None:
        self.tags = _joined(data, "posts_tags", "tag_id", "tags")
        self.authors = _joined(data, "posts_authors", "author_id", "users")
        self.users = {
            str(user.get("id")): str(user.get("name", "")) for user in _rows(data, "users")
        }
        self.metas = {str(meta.get("post_id")): meta for meta in _rows(data, "posts_meta")}


def _rows(data: Record, table: str) -> list[Record]:
    rows = data.get(table)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _order(row: Record) -> int:
    found = row.get("sort_order")
    return found if isinstance(found, int) else 0


def _joined(data: Record, between: str, key: str, table: str) -> dict[str, list[str]]:
    names = {str(row.get("id")): str(row.get("name") or "") for row in _rows(data, table)}
    found: dict[str, list[str]] = defaultdict(list)
    for row in sorted(_rows(data, between), key=_order):
        name = names.get(str(row.get(key)), "")
        if name and not name.startswith("#"):  # Ghost's internal tags
            found[str(row.get("post_id"))].append(name)
    return found


def _post(export: Export, record: Record, tables: _Tables) -> Post:
    def word(name: str) -> str:
        return str(record.get(name) or "")

    id_, slug = word("id"), word("slug")
    meta = tables.metas.get(id_, {})
    is_published = word("status") in ("published", "sent")
    written = word("published_at") or word("created_at")
    author = tables.users.get(word("author_id"), "")
    return Post(
        file=place(export, slug or id_),
        slug=slug,
        title=word("title"),
        date=read_moment(_in_utc(written)),
        written_date=written,
        is_published=is_published,
        html=_OWN_ADDRESS.sub("/", word("html") or _unrendered(record)),
        summary=word("custom_excerpt") or str(meta.get("meta_description") or ""),
        language=word("locale").replace("_", "-"),
        authors=tuple(tables.authors.get(id_) or filter(None, [author])),
        tags=tuple(tables.tags.get(id_, ())),
        image=_OWN_ADDRESS.sub("/", word("feature_image") or word("image")),
        image_alt=str(meta["feature_image_alt"]) if meta.get("feature_image_alt") else None,
        guid=id_ if is_published else "",
        url=f"/{slug}/" if slug else "",
        restricted=_RESTRICTED.get(word("visibility"), ""),
    )


def _in_utc(written: str) -> str:
    """Ghost's databases hold UTC, which older exports do not say."""
    return f"{written} UTC" if _NO_OFFSET.fullmatch(written) else written


def _unrendered(record: Record) -> str:
    """What a draft's editor documents hold: HTML and Markdown cards, and paragraphs' words."""
    if record.get("markdown"):
        return to_html(str(record["markdown"]))
    for name in ("lexical", "mobiledoc"):
        with suppress(ValueError, TypeError, RecursionError):
            document = json.loads(record.get(name) or "null")
            if isinstance(document, dict):
                return "".join(
                    _lexical(document.get("root")) if name == "lexical" else _mobiledoc(document)
                )
    return ""


def _mobiledoc(document: Record) -> Iterator[str]:
    for card in document.get("cards") or []:
        payload = card[1] if isinstance(card, list) and len(card) > 1 else {}
        if isinstance(payload, dict):
            yield str(payload.get("html") or to_html(str(payload.get("markdown") or "")))
    for section in document.get("sections") or []:
        # [1, tag, [[type, marks, closed, text], …]], and lists of those: [3, tag, [[…], …]]
        if isinstance(section, list) and section and section[0] == 1 and len(section) > 2:
            words = "".join(str(marker[3]) for marker in section[2] if len(marker) > 3)
            yield f"<{section[1]}>{escape(words)}</{section[1]}>" if words else ""
        elif isinstance(section, list) and section and section[0] == 3 and len(section) > 2:
            items = ("".join(str(m[3]) for m in item if len(m) > 3) for item in section[2])
            yield f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


_LEXICAL = {"paragraph": "p", "quote": "blockquote", "aside": "blockquote", "listitem": "li"}
_FORMATS = ((1, "strong"), (2, "em"), (4, "s"), (16, "code"))


def _lexical(node: Any) -> Iterator[str]:
    if not isinstance(node, dict):
        return
    kind = str(node.get("type", ""))
    inner = "".join(part for child in node.get("children") or () for part in _lexical(child))
    if kind in ("text", "extended-text"):
        text = escape(str(node.get("text") or ""))
        for bit, tag in _FORMATS:
            if int(node.get("format") or 0) & bit:
                text = f"<{tag}>{text}</{tag}>"
        yield text
    elif kind == "linebreak":
        yield "<br>"
    elif kind == "link":
        yield f'<a href="{escape(str(node.get("url") or ""))}">{inner}</a>'
    elif kind in ("heading", "extended-heading"):
        yield f"<{node.get('tag', 'h2')}>{inner}</{node.get('tag', 'h2')}>"
    elif kind == "list":
        tag = "ol" if node.get("listType") == "number" else "ul"
        yield f"<{tag}>{inner}</{tag}>"
    elif kind == "image":
        source, alt = (escape(str(node.get(key) or "")) for key in ("src", "alt"))
        yield f'<img src="{source}" alt="{alt}">'
    elif kind == "codeblock":
        yield f"<pre><code>{escape(str(node.get('code') or ''))}</code></pre>"
    elif kind == "horizontalrule":
        yield "<hr>"
    elif node.get("html") or node.get("markdown"):
        yield str(node.get("html") or to_html(str(node["markdown"])))
    else:
        tag = _LEXICAL.get(kind.removeprefix("extended-"), "")
        yield f"<{tag}>{inner}</{tag}>" if tag else inner
