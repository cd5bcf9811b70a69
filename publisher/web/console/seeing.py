"""Seeing an issue: exactly what readers will get, in frames, with the preflight beside it."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from zoneinfo import ZoneInfo

from litestar import get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from lxml import etree

from publisher.model.issue import Issue
from publisher.model.language import direction
from publisher.model.problem import Problem
from publisher.render.urls import Urls
from publisher.render.views import language_of
from publisher.site.check import check
from publisher.site.looking import Look, look_at_saved
from publisher.site.scan import list_media, read_file
from publisher.store.mailings import find_mailing_by_slug
from publisher.web.console.access import COOKIELESS
from publisher.web.console.desk import Desk
from publisher.web.console.frames import (
    VIEWS,
    View,
    file_of,
    frame_answer,
    frame_document,
    is_key,
    point_media,
)
from publisher.web.console.issues import PATIENCE_SECONDS, has_read, require_path
from publisher.web.console.media import answer_file
from publisher.web.console.shell import Answer, AnyRequest, desk_of, in_thread, render
from publisher.web.preview.entries import read_entries
from publisher.web.preview.rewrite import title_of
from publisher.web.preview.views import FeedShown

LEVELS = ("error", "warning", "info")
# What no feed's address begins with, so that entries keep the addresses that readers get.
_NOWHERE = "nowhere:"

_checker = ThreadPoolExecutor(1, thread_name_prefix="check")
_checks: dict[tuple[Path, str], Future[tuple[Problem, ...]]] = {}


@get("/issues/{slug:str}")
@in_thread
def show_issue(
    request: AnyRequest, slug: FromPath[str], view: FromQuery[str] = VIEWS[0].name
) -> Answer:
    desk = desk_of(request)
    chosen = _require_view(desk, view)
    path = require_path(desk, slug)
    problems = check_patiently(desk, slug)
    if problems is None:
        return render(request, "looking.html", back=f"/issues/{slug}")
    look = _look(desk, slug, chosen)
    message = look.text(f"issues/{slug}/email.html")
    seen = look.files.get(file_of(chosen, slug))
    with desk.database.read() as connection:
        mailing = find_mailing_by_slug(connection, desk.database.publication, slug)
    language = language_of(look.issue, desk.publication) if look.issue else "en"
    return render(
        request,
        "see.html",
        slug=slug,
        path=path,
        issue=look.issue,
        mailing=mailing,
        title=(look.issue.title or desk.publication.title) if look.issue else slug,
        language=language,
        direction=direction(language),
        view=chosen,
        views=_views(desk),
        groups=group(problems),
        subject=title_of(message) if message else "",
        size=len(seen or b""),
        is_there=seen is not None or chosen.name == "feeds",
    )


def group(problems: tuple[Problem, ...]) -> list[tuple[str, list[Problem]]]:
    """Problems by their level, the worst first; levels without any are left out."""
    groups = [(level, [p for p in problems if p.level == level]) for level in LEVELS]
    return [(level, found) for level, found in groups if found]


def check_patiently(desk: Desk, slug: str) -> tuple[Problem, ...] | None:
    """Everything that `check` says of an issue; None where that takes long, and goes on."""
    key = (desk.folder, slug)
    if (before := _checks.get(key)) and not before.done():
        return None
    # What took long may be old by now; from here on a check is quick.
    _checks.pop(key, None)
    running = _checker.submit(check, desk.folder, desk.settings, desk.clock(), (slug,))
    try:
        return running.result(PATIENCE_SECONDS)
    except TimeoutError:
        _checks[key] = running
        return None


def _look(desk: Desk, slug: str, view: View) -> Look:
    tasks = {"issue", view.task}
    return look_at_saved(desk.folder, desk.settings, desk.clock(), slug, *sorted(tasks))


def _views(desk: Desk) -> list[View]:
    """The ways to see it, but for what readers are not offered."""
    has_headlines = desk.settings.choices.headlines
    return [view for view in VIEWS if has_headlines or view.name != "headlines"]


def _require_view(desk: Desk, name: str) -> View:
    found = next((view for view in _views(desk) if view.name == name), None)
    if found is None:
        raise NotFoundException("There is no such view.")
    return found


@get("/issues/{slug:str}/frame/{view:str}")
@in_thread
def show_frame(request: AnyRequest, slug: FromPath[str], view: FromPath[str]) -> Answer:
    desk = desk_of(request)
    chosen = _require_view(desk, view)
    require_path(desk, slug)
    if not has_read(desk):
        return frame_answer("<!doctype html><title>Not yet</title><p>The issues are being read.")
    look = _look(desk, slug, chosen)
    if look.issue is None:
        raise NotFoundException("There is nothing to show.")
    if chosen.name == "feeds":
        feeds = _read_feeds(look, look.issue, desk)
        return _frame(request, desk, "frame_feeds.html", look.issue, feeds=feeds)
    if chosen.name == "text":
        text = look.text(file_of(chosen, slug)) or ""
        return _frame(request, desk, "frame_text.html", look.issue, text=text)
    document = frame_document(desk, look, chosen, slug)
    if document is None:
        raise NotFoundException("There is nothing to show.")
    return frame_answer(document, has_images=chosen.name != "images-off")


def _frame(
    request: AnyRequest, desk: Desk, template: str, issue: Issue, **variables: object
) -> Answer:
    language = language_of(issue, desk.publication)
    page = desk.templates.get_template(f"console/{template}")
    style = desk.assets["frames.css"].content.decode()
    document = page.render(
        issue=issue, language=language, direction=direction(language), style=style, **variables
    )
    return frame_answer(point_media(document, desk))


def _read_feeds(look: Look, issue: Issue, desk: Desk) -> list[FeedShown]:
    """The entries of an issue in the feed of highlights, and its own in the feed of issues."""
    urls = Urls(desk.publication.url)
    highlights = {urls.highlight(highlight.id) for highlight in issue.highlights}
    return [
        _read_feed(look, issue, desk, "Highlights", "feed.atom", highlights),
        _read_feed(look, issue, desk, "Issues", "issues.atom", {urls.issue(issue.slug)}),
    ]


def _read_feed(
    look: Look, issue: Issue, desk: Desk, label: str, name: str, wanted: set[str]
) -> FeedShown:
    """Read the live feed, or else the archive document of the issue's month (RFC 5005)."""
    assert issue.date is not None  # noqa: S101 - one was made up where the file has none
    month = f"{issue.date.astimezone(ZoneInfo(desk.publication.time_zone)):%Y-%m}"
    for path in (name, f"archive/{month}/{name}"):
        document = look.files.get(path)
        try:
            entries = read_entries(document, wanted, _NOWHERE) if document else []
        except etree.XMLSyntaxError as error:
            return FeedShown(label, path, [], f"{path} is not well-formed XML: {error}")
        if entries:
            return FeedShown(label, path, entries)
    return FeedShown(label, name, [])


@get("/frames/{key:str}/{path:path}", opt=COOKIELESS)
@in_thread
def show_framed_file(request: AnyRequest, key: FromPath[str], path: FromPath[Path]) -> Answer:
    """An image in a frame, for whoever has a key; see frames.py."""
    desk = desk_of(request)
    wanted = path.as_posix().removeprefix("/")
    if not is_key(desk, key) or all(
        file.path != wanted or file.problem for file in list_media(desk.folder)
    ):
        raise NotFoundException("There is no such file.")
    answer = answer_file(wanted, read_file(desk.folder, wanted))
    # The frame that asks has an origin of its own, which is not ours.
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


handlers = [show_issue, show_frame, show_framed_file]
