"""WordPress's export (WXR): RSS 2.0 with `content:encoded` and the `wp:` elements.

As wp-admin/includes/export.php of WordPress writes it, versions 1.0 to 1.2. The feed's guid is the
item's, which never changes when the address does.
"""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from publisher.intake.moving.addresses import split_address
from publisher.intake.moving.post import DamagedError, Export, Exported, Post, count_reasons
from publisher.intake.moving.text import place, read_moment, to_text, with_offset_of
from publisher.intake.text import drop_forbidden
from publisher.preflight.catalogue import problem

_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
_WP = re.compile(r"\{http://wordpress\.org/export/[\d.]+/\}(.+)")
_EXCERPT = re.compile(r"\{http://wordpress\.org/export/[\d.]+/excerpt/\}encoded")
_DECLARED = re.compile(r"^\s*<\?xml[^>]*\?>")
_BLOCK_START = re.compile(
    r"\s*</?(?:p|div|h[1-6]|ul|ol|li|table|blockquote|pre|figure|hr|iframe|section|center)\b",
    re.IGNORECASE,
)
_PRE = re.compile(r"(<pre\b.*?</pre>)", re.IGNORECASE | re.DOTALL)
_CAPTION = re.compile(r"\[caption[^\]]*\](.*?)\[/caption\]", re.DOTALL)
_EMBED = re.compile(r"\[embed[^\]]*\]\s*(\S+?)\s*\[/embed\]")
_NEVER_PUBLISHED = ("attachment", "nav_menu_item", "revision", "custom_css", "wp_global_styles")


def is_wordpress(text: str) -> bool:
    return "<rss" in text[:20_000] and "wordpress.org/export/" in text[:20_000]


def read_wordpress(export: Export) -> Exported:
    path = export.paths[0]
    file = place(export, path)
    text, problems = to_text(export.read(path), file)
    channel, found = _parse(text, file)
    items = list(channel.iterfind("item"))
    authors = dict(_authors(channel))
    images = {_wp(item)["post_id"]: _wp(item).get("attachment_url", "") for item in items}
    posts, reasons = [], []
    for item in items:
        values = _wp(item)
        if reason := _left_out(values):
            reasons.append(reason)
        else:
            posts.append(_post(file, item, values, authors, images))
    return Exported(
        entries=len(items),
        posts=tuple(posts),
        left_out=count_reasons(reasons),
        problems=(*problems, *found),
    )


def _parse(text: str, file: str) -> tuple[Any, list[Any]]:
    """The channel, also of a file that has control characters or breaks off."""
    data = drop_forbidden(_DECLARED.sub("", text)).encode("utf-8", "replace")
    safe = {"resolve_entities": False, "no_network": True, "huge_tree": True, "encoding": "utf-8"}
    problems = []
    try:
        root = etree.fromstring(data, etree.XMLParser(**safe, strip_cdata=True))
    except etree.XMLSyntaxError as error:
        root = etree.fromstring(data, etree.XMLParser(**safe, recover=True))
        problems.append(problem("import-damaged", file, error.lineno, found=error.msg))
    channel = root.find("channel") if root is not None else None
    if channel is None:
        raise DamagedError("it has no channel")
    return channel, problems


def _wp(item: Any) -> dict[str, str]:
    values = {"post_id": ""}
    for child in item:
        if isinstance(child.tag, str) and (match := _WP.fullmatch(child.tag)):
            values[match[1]] = (child.text or "").strip()
    return values


def _authors(channel: Any) -> Iterator[tuple[str, str]]:
    for child in channel:
        if isinstance(child.tag, str) and child.tag.endswith("}author"):
            values = _wp(child)
            login = values.get("author_login", "")
            yield login, values.get("author_display_name") or login


def _left_out(values: dict[str, str]) -> str:
    kind, status = values.get("post_type", "post"), values.get("status", "")
    if kind in _NEVER_PUBLISHED:
        return f"a WordPress {kind.replace('_', ' ')}, not a post"
    if kind == "page":
        return "a page, not a post"
    if kind != "post":
        return f"of the type {kind}, not a post"
    return f"in WordPress's {status}" if status in ("trash", "auto-draft", "inherit") else ""


def _post(
    file: str, item: Any, values: dict[str, str], authors: dict[str, str], images: dict[str, str]
) -> Post:
    link, status = (item.findtext("link") or "").strip(), values.get("status", "publish")
    guid = (item.findtext("guid") or "").strip()
    written = item.findtext("pubDate") or values.get("post_date", "")
    login = (item.findtext(_CREATOR) or "").strip()
    names = [c.text or "" for c in item.iterfind("category") if c.get("domain") == "author"]
    excerpt = next((c.text or "" for c in item if _is_excerpt(c)), "")
    locked = "who knew the password" if values.get("post_password") else ""
    moment = with_offset_of(values.get("post_date", ""), values.get("post_date_gmt", ""))
    is_published = status in ("publish", "private")
    return Post(
        file=file,
        line=item.sourceline,
        slug=values.get("post_name", ""),
        title=item.findtext("title") or "",
        date=moment or read_moment(written),
        written_date=written,
        is_published=is_published,
        html=_paragraphs(item.findtext(_CONTENT) or ""),
        summary=excerpt,
        authors=tuple(dict.fromkeys(names)) or tuple(filter(None, [authors.get(login, login)])),
        tags=tuple(_tags(item)),
        image=images.get(_thumbnail(item), ""),
        guid=guid if is_published else "",
        url=link if split_address(link).path.strip("/") or split_address(link).query else "",
        restricted="some" if status == "private" else locked,
    )


def _is_excerpt(child: Any) -> bool:
    return isinstance(child.tag, str) and _EXCERPT.fullmatch(child.tag) is not None


def _tags(item: Any) -> Iterator[str]:
    for child in item.iterfind("category"):
        name = (child.text or "").strip().replace("&amp;", "&")
        if child.get("domain") in ("category", "post_tag", None) and name != "Uncategorized":
            yield name


def _thumbnail(item: Any) -> str:
    for child in item:
        if isinstance(child.tag, str) and child.tag.endswith("}postmeta"):
            meta = _wp(child)
            if meta.get("meta_key") == "_thumbnail_id":
                return meta.get("meta_value", "")
    return "none"


def _paragraphs(content: str) -> str:
    """What WordPress does before it shows a post: blank lines part paragraphs (wpautop)."""
    content = _EMBED.sub(r'<p><a href="\1">\1</a></p>', _CAPTION.sub(r"<p>\1</p>", content))
    if "<!-- wp:" in content:
        return content
    parts = _PRE.split(content)
    return "".join(part if i % 2 else _split(part) for i, part in enumerate(parts))


def _split(text: str) -> str:
    chunks = [chunk for chunk in re.split(r"\n\s*\n", text) if chunk.strip()]
    return "\n".join(
        chunk if _BLOCK_START.match(chunk) else f"<p>{chunk.strip().replace(chr(10), '<br>')}</p>"
        for chunk in chunks
    )
