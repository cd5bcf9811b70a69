"""The preview's own pages, from templates that a publication's own do not replace."""

import re
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from jinja2 import Environment
from markupsafe import Markup, escape

from publisher.model.issue import Issue
from publisher.model.problem import Problem
from publisher.render.templates import make_templates
from publisher.site.scan import ISSUES, packaged
from publisher.web.preview.building import Shown
from publisher.web.preview.contents import Contents, IssueRow
from publisher.web.preview.rewrite import title_of
from publisher.web.preview.views import VIEWS, View, file_of, read_feeds

# More would only be scrolled past.
_MOST_PROBLEMS = 100
_LEVELS = ("error", "warning", "info")


@cache
def _templates() -> Environment:
    folder = packaged("templates") / "preview"
    sources = {f"preview/{path.name}": path.read_text("utf-8") for path in folder.glob("*.html")}
    templates = make_templates(sources)
    templates.filters |= {"code": _mark_code, "issue_name": _issue_name}
    return templates


def read_asset(name: str) -> bytes:
    """Read the stylesheet or the script of the preview's own pages."""
    return (packaged("templates") / "preview" / name).read_bytes()


def _mark_code(text: str) -> Markup:
    """Text with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704


def _issue_name(path: str) -> str:
    """The NAME of the issue that a file holds; empty for other files."""
    parts = PurePosixPath(path)
    return parts.stem if parts.parent.name == ISSUES else ""


def _render(template: str, shown: Shown, **values: Any) -> str:
    return _templates().get_template(f"preview/{template}").render(shown=shown, **values)


def render_overview(shown: Shown, contents: Contents | None, page: int) -> str:
    """The preview's home: the issues, and every problem of the last build."""
    rows, pages = contents.rows(page) if contents else ([], 1)
    problems = _worst_first(shown.built.problems if shown.built else ())
    return _render(
        "home.html",
        shown,
        rows=rows,
        page=page,
        pages=pages,
        problems=problems[:_MOST_PROBLEMS],
        more=max(0, len(problems) - _MOST_PROBLEMS),
    )


def render_workbench(shown: Shown, contents: Contents, row: IssueRow, view: View) -> str:
    """One view of an issue, with the issue's problems."""
    problems = _worst_first(contents.problems_of(row.path))
    message = contents.read(f"issues/{row.slug}/email.html")
    seen = contents.read(file_of(view, row.slug))
    return _render(
        "issue.html",
        shown,
        row=row,
        view=view,
        views=VIEWS,
        problems=problems,
        level=problems[0].level if problems else "none",
        subject=title_of(message.decode("utf-8", "replace")) if message else "",
        size=len(seen or b""),
        is_there=seen is not None,
    )


def render_text_frame(shown: Shown, row: IssueRow, text: str) -> str:
    return _render("text.html", shown, row=row, text=text)


def render_feeds_frame(shown: Shown, contents: Contents, row: IssueRow, issue: Issue) -> str:
    return _render("feeds.html", shown, row=row, feeds=list(read_feeds(contents, issue)))


def render_lost(shown: Shown, title: str, text: str) -> str:
    """A page for what is not there; it follows the builds too, since it may come back."""
    return _render("lost.html", shown, title=title, text=text)


def _worst_first(problems: tuple[Problem, ...]) -> list[Problem]:
    return sorted(problems, key=lambda problem: _LEVELS.index(problem.level))
