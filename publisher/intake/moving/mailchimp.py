"""Mailchimp's account export: a zip with campaigns.csv and a folder campaigns_content of HTML and
text files, one for each campaign (mailchimp.com/help/export-and-back-up-account-data); or one
campaign's HTML.

Neither the columns nor the files' names are documented. A campaign's file is found in its row by
its id or its title, however the two are joined; the columns are those of its reports' export:
title, subject, send date, unique id. What has no row has its title from the HTML itself.
"""

import html
import posixpath
import re

from publisher.intake.moving.post import DamagedError, Export, Exported, Post
from publisher.intake.moving.text import Row, place, read_moment, read_rows, read_text
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_PREVIEW = re.compile(r"mcnPreviewText[^>]*>(.*?)<", re.DOTALL)
_DAY = re.compile(r"(?<!\d)(\d{4})[-_]?(\d\d)[-_]?(\d\d)(?!\d)")
_MARKS = ("mcnTextBlock", "*|MC:", "*|ARCHIVE|*", "*|UNSUB|*", "mc:edit", "mc_wrapper", "mceText")
_DATES = ("send_date", "send_time", "sent", "date_sent", "delivery_date", "date", "create_time")


def is_mailchimp(export: Export) -> bool:
    return any("campaigns_content/" in f"{posixpath.dirname(path)}/" for path in export.paths)


def is_mailchimp_mail(text: str) -> bool:
    return "<" in text and any(mark in text for mark in _MARKS)


def read_mailchimp(export: Export) -> Exported:
    rows, problems = _read_table(export)
    paths = [path for path in export.paths if path.lower().endswith((".html", ".htm"))]
    # Templates and the pages of audiences stand in folders of their own.
    contents = [p for p in paths if "campaigns_content/" in p] or paths
    posts = tuple(_post(export, path, _row_of(path, rows)) for path in contents)
    return Exported(entries=len(posts), posts=posts, problems=tuple(problems))


def _read_table(export: Export) -> tuple[list[Row], list[Problem]]:
    tables = [p for p in export.paths if posixpath.basename(p).lower() == "campaigns.csv"]
    if not tables:
        return [], []
    try:
        text, problems = read_text(export, tables[0])
        return list(read_rows(text)), list(problems)
    except DamagedError as error:
        return [], [problem("import-damaged", place(export, tables[0]), found=str(error))]


def _row_of(path: str, rows: list[Row]) -> Row | None:
    stem = _key(posixpath.basename(path).rpartition(".")[0])
    for columns in (("unique_id", "campaign_id", "id"), ("title", "subject", "subject_line")):
        for row in rows:
            keys = [key for column in columns if len(key := _key(row[column])) > 2]
            if any(key in stem for key in keys):
                return row
    return None


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def _post(export: Export, path: str, row: Row | None) -> Post:
    file = place(export, path)
    try:
        text, problems = read_text(export, path)
    except DamagedError as error:
        text, problems = "", (problem("import-damaged", file, found=str(error)),)
    stem = posixpath.basename(path).rpartition(".")[0]
    cells = row.cells if row else {}
    written = next((cells[name] for name in _DATES if cells.get(name)), "")
    day = _DAY.search(stem)
    date = read_moment(written) if written else None
    if date is None and day:
        written, date = written or day[0], read_moment("-".join(day.groups()))
    status = cells.get("status", "sent").lower()
    subject = cells.get("subject") or cells.get("subject_line") or ""
    preview = _PREVIEW.search(text)
    return Post(
        file=file,
        slug=cells.get("title", "") or subject,
        title=subject or _title_in(text) or cells.get("title", "") or stem.replace("_", " "),
        date=date,
        written_date=written,
        is_published=status in ("sent", "complete", "sending") and date is not None,
        html=text,
        is_page=True,
        base=posixpath.dirname(path),
        summary=html.unescape(preview[1]).strip() if preview and "*|" not in preview[1] else "",
        problems=problems,
    )


def _title_in(text: str) -> str:
    found = _TITLE.search(text)
    words = html.unescape(found[1]).strip() if found else ""
    return "" if "*|" in words else words
