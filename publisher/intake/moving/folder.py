"""A folder (or a zip) of Markdown with front matter: Hugo, Jekyll, and what is written like them.

Addresses are those of the generators' defaults: Hugo's /SECTION/SLUG/ from the path below content/
(gohugo.io/content-management/urls), Jekyll's /CATEGORIES/YEAR/MONTH/DAY/TITLE.html
(jekyllrb.com/docs/permalinks); `url`, `permalink` and `aliases` in the front matter go before them.
"""

import posixpath
import re

from publisher.intake.moving.front import Fields, has_front, read_front
from publisher.intake.moving.post import DamagedError, Export, Exported, Post, count_reasons
from publisher.intake.moving.render import to_html
from publisher.intake.moving.text import place, read_moment, read_text
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem

_SUFFIXES = (".md", ".markdown", ".mdown", ".mkd", ".mdx")
_DATED = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})-(.+)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MORE = re.compile(r"<!--\s*more\s*-->", re.IGNORECASE)
_FIGURE = re.compile(r"\{\{<\s*figure\b([^>]*)>\}\}")
_ATTRIBUTE = re.compile(r'(\w+)\s*=\s*"([^"]*)"')
_HIGHLIGHT = re.compile(
    r"\{\{<\s*highlight\s+(\w+)[^>]*>\}\}\n?(.*?)\{\{<\s*/\s*highlight\s*>\}\}", re.DOTALL
)
_LIQUID_HIGHLIGHT = re.compile(
    r"\{%-?\s*highlight\s+(\w+)[^%]*%\}\n?(.*?)\{%-?\s*endhighlight\s*-?%\}", re.DOTALL
)
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


def is_folder(export: Export) -> bool:
    return any(path.lower().endswith(_SUFFIXES) for path in export.paths)


def read_folder(export: Export) -> Exported:
    posts: list[Post] = []
    reasons: list[str] = []
    problems: list[Problem] = []
    for path in export.paths:
        if not path.lower().endswith(_SUFFIXES):
            continue
        try:
            text, found = read_text(export, path)
        except DamagedError as error:
            problems.append(problem("import-damaged", place(export, path), found=str(error)))
            reasons.append("a file that cannot be read")
            continue
        stem = posixpath.basename(path).rpartition(".")[0]
        if stem in ("_index", "README") or not has_front(text):
            reasons.append("a file without front matter, or a section's own page")
            continue
        fields, body, unreadable = read_front(text, place(export, path))
        posts.append(_post(export, path, fields, body, (*found, *unreadable)))
    return Exported(
        entries=len(posts) + len(reasons),
        posts=tuple(posts),
        left_out=count_reasons(reasons),
        problems=tuple(problems),
    )


def _post(
    export: Export, path: str, fields: Fields, body: str, problems: tuple[Problem, ...]
) -> Post:
    stem = posixpath.basename(path).rpartition(".")[0]
    if stem == "index":  # Hugo's bundles: a folder of a post and its images
        stem = posixpath.basename(posixpath.dirname(path)) or stem
    dated = _DATED.fullmatch(stem)
    name = dated[4] if dated else stem
    written = _word(fields, "date", "publishdate", "pubdate", "published_at")
    if not written:
        written = "-".join(_day(dated)) if dated else stem if _DAY.fullmatch(stem) else ""
    date = read_moment(written)
    slug = _word(fields, "slug", "basename") or name
    url = _word(fields, "url", "permalink", "canonical_url")
    return Post(
        file=place(export, path),
        slug=slug,
        title=_word(fields, "title", "subject") or name.replace("-", " "),
        date=date,
        written_date=written,
        is_published=not _is_draft(path, fields) and not problems,
        html=_html(body),
        base=posixpath.dirname(path),
        summary=_word(fields, "summary", "description", "excerpt", "subtitle"),
        language=_word(fields, "language", "lang"),
        authors=_words(fields, "authors", "author"),
        tags=tuple(dict.fromkeys((*_labels(fields, "categor"), *_labels(fields, "tag")))),
        image=_image(fields),
        guid=_word(fields, "guid"),
        url=url if url and "/:" not in url else _address(path, slug, dated, fields),
        former=_words(fields, "aliases", "redirect_from"),
        problems=problems,
    )


def _day(dated: re.Match[str]) -> tuple[str, str, str]:
    return dated[1], dated[2].zfill(2), dated[3].zfill(2)


def _is_draft(path: str, fields: Fields) -> bool:
    is_aside = path.startswith("_drafts/") or "/_drafts/" in path
    says_so = _word(fields, "draft").lower() in _TRUE or _word(fields, "status").lower() == "draft"
    return is_aside or says_so or _word(fields, "published").lower() in _FALSE


def _address(path: str, slug: str, dated: re.Match[str] | None, fields: Fields) -> str:
    if "_posts/" in path and dated:
        categories = (label.lower().replace(" ", "-") for label in _labels(fields, "categor"))
        return "/" + "/".join((*categories, *_day(dated), f"{slug}.html"))
    parts = path.split("/")
    if "content" in parts[:-1]:
        below = parts[parts.index("content") + 1 : -1]
        below = below[:-1] if parts[-1].startswith("index.") else below
        return "/" + "/".join((*below, slug.lower(), ""))
    return ""


def _word(fields: Fields, *names: str) -> str:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            return str(value["name"]).strip()
    return ""


def _words(fields: Fields, *names: str) -> tuple[str, ...]:
    for name in names:
        value = fields.get(name)
        values = value if isinstance(value, list) else [value] if value else []
        found = [_word({"x": each}, "x") for each in values]
        if any(found):
            return tuple(filter(None, found))
    return ()


def _labels(fields: Fields, stem: str) -> tuple[str, ...]:
    """`tags` and `tag`, `categories` and `category`: a list, or words between commas or spaces."""
    many, one = ("tags", "tag") if stem == "tag" else ("categories", "category")
    value = fields.get(many)
    if value is None and isinstance(taxonomies := fields.get("taxonomies"), dict):
        value = taxonomies.get(many)
    if isinstance(value, list):
        return tuple(each.strip() for each in value if isinstance(each, str) and each.strip())
    if isinstance(value, str):
        parts = value.split(",") if "," in value else value.split()
        return tuple(part.strip() for part in parts if part.strip())
    return tuple(filter(None, [_word(fields, one)]))


def _image(fields: Fields) -> str:
    for name in ("image", "cover", "featured_image", "thumbnail", "images"):
        value = fields.get(name)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, dict):
            value = value.get("image") or value.get("src") or value.get("url")
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def _html(body: str) -> str:
    """Markdown with the shortcodes that hold content taken for what they stand for."""
    for pattern in (_HIGHLIGHT, _LIQUID_HIGHLIGHT):
        body = pattern.sub(lambda m: f"\n```{m[1]}\n{m[2].rstrip()}\n```\n", body)
    return to_html(_FIGURE.sub(_figure, _MORE.sub("", body)))


def _figure(match: re.Match[str]) -> str:
    values = dict(_ATTRIBUTE.findall(match[1]))
    image = f"![{values.get('alt', '')}]({values.get('src', '')})"
    caption = values.get("caption") or values.get("title")
    return f"\n{image}\n\n{caption}\n" if caption else image
