"""Substack's export: a zip of posts.csv and posts/ID.SLUG.html.

Columns: post_id, post_date, is_published, email_sent_at, inbox_sent_at, type, audience, title,
subtitle, podcast_url (as TryGhost/migrate reads them: packages/mg-substack). A row may have no
file: the newest posts sometimes have none.
"""

import posixpath

import msgspec

from publisher.intake.moving.post import DamagedError, Export, Exported, Post, count_reasons
from publisher.intake.moving.text import Row, place, read_moment, read_rows, read_text
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem

_TABLE = "posts.csv"
_RESTRICTED = {
    "only_free": "subscribers",
    "only_paid": "paying readers",
    "founding": "founding members",
}


def is_substack(export: Export) -> bool:
    return _TABLE in export.paths and any(_is_post(path) for path in export.paths)


def _is_post(path: str) -> bool:
    return path.startswith("posts/") and path.endswith(".html")


def read_substack(export: Export) -> Exported:
    text, found = read_text(export, _TABLE)
    files = {posixpath.basename(p).removesuffix(".html"): p for p in export.paths if _is_post(p)}
    posts, reasons = [], []
    for row in read_rows(text):
        if reason := _left_out(row):
            reasons.append(reason)
            files.pop(row["post_id"], None)
        else:
            posts.append(_post(export, row, files.pop(row["post_id"], "")))
    for stem, path in sorted(files.items()):
        row = Row({"post_id": stem, "is_published": "false"}, 0, is_short=False)
        post = _post(export, row, path)
        missing = "posts.csv has no row for it, so that its title and its date are not known"
        note = problem("import-damaged", post.file, found=missing)
        posts.append(msgspec.structs.replace(post, problems=(*post.problems, note)))
    return Exported(
        entries=len(posts) + len(reasons),
        posts=tuple(posts),
        left_out=count_reasons(reasons),
        problems=found,
    )


def _left_out(row: Row) -> str:
    if not row["post_id"]:
        return "a row without post_id"
    if row["type"].lower() == "page":
        return "a page, not a post"
    if row["type"].lower() == "thread":
        return "a thread, whose text is its comments"
    return ""


def _post(export: Export, row: Row, path: str) -> Post:
    number, _, slug = row["post_id"].partition(".")
    html = ""
    problems: tuple[Problem, ...] = ()
    if path:
        try:
            html, problems = read_text(export, path)
        except DamagedError as error:
            file = place(export, path)
            problems = (problem("import-damaged", file, found=str(error)),)
    podcast = row["podcast_url"]
    if podcast.startswith("http"):
        html = f'<audio src="{podcast}"></audio>{html}'
    written = row["post_date"] or row["email_sent_at"]
    post = Post(
        file=place(export, path or _TABLE),
        line=None if path else row.line,
        slug=slug or number,
        title=row["title"] or (slug or number).replace("-", " "),
        date=read_moment(written),
        written_date=written,
        is_published=row["is_published"].lower() in ("true", "1", "yes"),
        html=html,
        is_page=bool(path) and not podcast,
        summary=row["subtitle"],
        url=f"/p/{slug}" if slug else "",
        restricted=_RESTRICTED.get(row["audience"].lower(), ""),
    )
    damage = row.damage(place(export, _TABLE))
    return msgspec.structs.replace(post, problems=(*problems, *damage))
