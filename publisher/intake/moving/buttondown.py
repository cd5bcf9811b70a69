"""Buttondown's export: a zip of emails.json (or emails.csv) and emails/SLUG.md; its CLI's folder;
or the API's list of emails.

Columns: id, secondary_id, subject, publish_date, source, slug (as TryGhost/migrate reads them:
packages/mg-buttondown). A text begins with `<!-- buttondown-editor-mode: fancy -->` (HTML) or
`plaintext` (Markdown). buttondown/cli writes the API's fields as front matter: id, subject,
email_type, status, slug, publish_date, description, image, canonical_url.
"""

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from publisher.intake.moving.front import read_front
from publisher.intake.moving.post import DamagedError, Export, Exported, LeftOut, Post
from publisher.intake.moving.render import to_html
from publisher.intake.moving.text import place, read_json, read_moment, read_rows, read_text
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem

Record = dict[str, Any]
# What is listed, with its file and its line.
Rows = list[tuple[Any, str, int | None]]
_MODE = re.compile(r"<!--\s*buttondown-editor-mode:\s*(\w+)\s*-->")
_RESTRICTED = {"premium": "paying readers", "private": "subscribers", "hidden": "who had the link"}
# What is not out yet, or never was to be.
_DRAFTS = ("draft", "scheduled", "deleted", "suppressed", "paused")


def is_buttondown(export: Export) -> bool:
    return "emails.json" in export.paths or "emails.csv" in export.paths or _is_pulled(export)


def _is_pulled(export: Export) -> bool:
    """A folder that `buttondown pull` wrote."""
    has_marks = {"newsletter.json", ".buttondown-sync.json", ".buttondown.json"} & set(export.paths)
    return bool(has_marks) and any(map(_is_text, export.paths))


def _is_text(path: str) -> bool:
    return path.startswith("emails/") and path.endswith(".md")


def is_buttondown_answer(document: Any) -> bool:
    entries = document.get("results") if isinstance(document, dict) else document
    first = entries[0] if isinstance(entries, list) and entries else None
    return isinstance(first, dict) and {"subject", "publish_date"} <= first.keys()


def read_buttondown_answer(export: Export, document: Any) -> Exported:
    entries = document["results"] if isinstance(document, dict) else document
    return _exported(export, [(each, _name(export, each), None) for each in entries], {})


def _name(export: Export, record: Any) -> str:
    slug = record.get("slug") if isinstance(record, dict) else ""
    return place(export, str(slug)) if slug else export.name


def read_buttondown(export: Export) -> Exported:
    texts = {posixpath.basename(path)[:-3]: path for path in export.paths if _is_text(path)}
    rows: Rows = []
    found: tuple[Problem, ...] = ()
    if "emails.json" in export.paths:
        text, found = read_text(export, "emails.json")
        document = read_json(text)
        entries = document if isinstance(document, list) else []
        rows = [(each, place(export, "emails.json"), None) for each in entries]
    elif "emails.csv" in export.paths:
        text, found = read_text(export, "emails.csv")
        file = place(export, "emails.csv")
        rows = [(dict(row.cells), file, row.line) for row in read_rows(text)]
    return _exported(export, rows, texts, found)


def _exported(
    export: Export,
    rows: Rows,
    texts: dict[str, str],
    found: tuple[Problem, ...] = (),
) -> Exported:
    records = [row for row in rows if isinstance(row[0], dict)]
    posts = [_listed(export, *row, texts) for row in records]
    posts += _alone(export, texts)
    odd = len(rows) - len(records)
    left_out = (LeftOut(odd, "no object"),) if odd else ()
    return Exported(entries=len(posts) + odd, posts=tuple(posts), left_out=left_out, problems=found)


def _listed(
    export: Export, record: Record, file: str, line: int | None, texts: dict[str, str]
) -> Post:
    """An email of the list; `texts` loses the file that is its text."""
    path = next((texts.pop(k) for k in _keys(record) if k in texts), "")
    body = str(record.get("body") or "")
    problems: tuple[Problem, ...] = ()
    if path:
        file, line = place(export, path), None
        try:
            body, problems = read_text(export, path)
        except DamagedError as error:
            problems = (problem("import-damaged", file, found=str(error)),)
        fields, body, _ = read_front(body, file)
        record = {**record, **fields}
    return _post(record, body, file, line, posixpath.dirname(path), problems)


def _keys(record: Record) -> Iterator[str]:
    yield from (str(record.get(name) or "") for name in ("slug", "id"))


def _alone(export: Export, texts: dict[str, str]) -> Iterator[Post]:
    """Texts that are in no list: those of the CLI say all of themselves."""
    for path in texts.values():
        file = place(export, path)
        try:
            text, problems = read_text(export, path)
            fields, body, found = read_front(text, file)
        except DamagedError as error:
            fields, body, problems, found = {}, "", (), ()
            problems = (problem("import-damaged", file, found=str(error)),)
        fields = {"slug": posixpath.basename(path)[:-3], **fields}
        yield _post(fields, body, file, None, posixpath.dirname(path), (*problems, *found))


def _post(
    record: Record,
    body: str,
    file: str,
    line: int | None,
    base: str,
    problems: tuple[Problem, ...],
) -> Post:
    def word(name: str) -> str:
        return str(record.get(name) or "")

    mode = _MODE.search(body)
    text = _MODE.sub("", body).strip()
    is_html = (mode[1] if mode else word("editor_mode")) == "fancy"
    slug = word("slug")
    url = word("absolute_url") or word("canonical_url")
    kind = word("email_type").lower()
    return Post(
        file=file,
        line=line,
        slug=slug,
        title=word("subject"),
        date=read_moment(word("publish_date") or word("creation_date")),
        written_date=word("publish_date") or word("creation_date"),
        is_published=word("status").lower() not in _DRAFTS and kind != "draft",
        html=text if is_html else to_html(text),
        base=base,
        summary=word("description"),
        image=word("image"),
        url=url or (f"/archive/{slug}/" if slug else ""),
        restricted=_RESTRICTED.get(kind, ""),
        problems=problems,
    )
