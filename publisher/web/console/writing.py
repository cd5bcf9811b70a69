"""Writing an issue: its file as text, checked and shown while it is written, and saved whole."""

import difflib
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from publisher.errors import PublisherError
from publisher.intake.arrange import MoveError, move_highlight
from publisher.intake.fields import ID
from publisher.intake.read import read_issue
from publisher.intake.text import SUFFIXES
from publisher.model.issue import Issue, Status
from publisher.model.problem import Problem, has_errors
from publisher.site.issue_files import find_issue
from publisher.site.looking import Look, look_at_text
from publisher.site.register import read_register
from publisher.site.saving import (
    ChangedError,
    PublishedError,
    Saved,
    UnreadableError,
    mark_ready,
    read_saved,
    remove_draft,
)
from publisher.site.writing import bytes_of_text, restore_text, save_text, text_of_file
from publisher.web.console.desk import Desk
from publisher.web.console.frames import BY_NAME, Shelf, frame_answer, frame_document
from publisher.web.console.issues import has_read, note_change, require_path
from publisher.web.console.seeing import group
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Form,
    desk_of,
    flash,
    in_thread,
    operator_of,
    redirect,
    render,
    text_of,
)

# An issue of the largest size, each of its bytes written as three in a form.
_MOST_BYTES = 6_500_000
# While somebody types: what is longer is checked when they ask for it.
_MOST_LIVE = 200_000
# Beyond this, comparing takes longer than reading both.
_MOST_COMPARED = 4_000
_MOVE = re.compile(r"(up|down)-(\d{1,4})")
_PLACE = re.compile(r"[1-9]\d{0,6}")
_SAID = {
    "save": "Saved.",
    "move": "Moved, and saved.",
    "draft": "A draft again: from now on it is not published.",
}
_ACTIONS = {"save": "issue saved", "move": "issue saved"}
_ACTIONS |= {"ready": "issue marked ready", "draft": "issue made draft"}

_shelf = Shelf(64)


class Line(msgspec.Struct, frozen=True):
    """A problem with the words of the line that it is on."""

    problem: Problem
    words: str


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has in front of them: a text, and the version of the file that it came from."""

    slug: str
    path: str
    text: str
    version: str


@get("/issues/{slug:str}/edit")
@in_thread
def show_editor(request: AnyRequest, slug: FromPath[str], line: FromQuery[str] = "") -> Answer:
    desk = desk_of(request)
    require_path(desk, slug)
    saved = read_saved(desk.folder, slug)
    text = text_of_file(saved.data)
    if text is None:
        problems = read_issue(saved.data, saved.path, desk.zone)[1]
        return render(request, "not_text.html", slug=slug, path=saved.path, problems_found=problems)
    writing = Writing(slug=slug, path=saved.path, text=text, version=saved.version)
    return _show(request, writing, line=line if _PLACE.fullmatch(line) else "")


def _show(
    request: AnyRequest,
    writing: Writing,
    *,
    line: str = "",
    status: int = 200,
    is_unsaved: bool = False,
    failure: str = "",
) -> Answer:
    desk = desk_of(request)
    has_read(desk)  # the issue itself is read again in any case
    look = _look(desk, writing, "issue")
    issue = look.issue
    lines = writing.text.split("\n")
    return render(
        request,
        "edit.html",
        status=status,
        writing=writing,
        issue=issue,
        title=(issue.title or desk.publication.title) if issue else writing.slug,
        groups=[
            (level, [Line(p, _words(lines, p.line)) for p in found])
            for level, found in group(look.problems)
        ],
        is_movable=writing.path.endswith(".md"),
        is_unsaved=is_unsaved,
        failure=failure,
        line=line,
        line_words=_words(lines, int(line)) if line else "",
    )


def _look(desk: Desk, writing: Writing, *tasks: str) -> Look:
    data = bytes_of_text(writing.text, b"")
    now = desk.clock()
    return look_at_text(desk.folder, desk.settings, now, writing.path, data, *tasks)


def _words(lines: list[str], number: int | None) -> str:
    """A line's words, enough to find it by."""
    words = lines[number - 1].strip() if number and number <= len(lines) else ""
    return f"{words[:80]}…" if len(words) > 80 else words


@post("/issues/{slug:str}/edit", request_max_body_size=_MOST_BYTES)
@in_thread
def take_text(request: AnyRequest, slug: FromPath[str], data: Form) -> Answer:
    """Check, save or move: by the button that was pressed."""
    desk = desk_of(request)
    text = text_of(data, "text").replace("\r\n", "\n")
    version = text_of(data, "version").replace("*", "")  # which would stand for any
    act = text_of(data, "act") or "save"
    path = find_issue(desk.folder, slug) or text_of(data, "path")
    writing = Writing(slug=slug, path=path, text=text, version=version)
    if act == "restore":
        return _restore(request, desk, writing)
    if find_issue(desk.folder, slug) is None and version:
        return _show_gone(request, writing)
    require_path(desk, slug)
    if act == "check":
        return _show(request, writing, is_unsaved=True)
    if act == "draft" and _is_published(desk, slug):
        failure = "It was published, so it cannot be a draft again: readers would miss it. Correct"
        failure += " it and save, or take it back with `publisher withdraw`."
        return _show(request, writing, status=422, is_unsaved=True, failure=failure)
    if act in _ACTIONS:
        return _save(request, desk, writing, act)
    return _move(request, desk, writing, act)


def _is_published(desk: Desk, slug: str) -> bool:
    saved = read_saved(desk.folder, slug)
    issue = read_issue(saved.data, saved.path, desk.zone)[0]
    return issue is not None and issue.id in read_register(desk.folder)[0].records


def _save(request: AnyRequest, desk: Desk, writing: Writing, act: str) -> Answer:
    slug, zone = writing.slug, desk.zone
    status: Status | None = "draft" if act == "draft" else None
    try:
        before = read_saved(desk.folder, slug)
        saved = save_text(desk.folder, slug, writing.text, expected=writing.version, status=status)
        is_changed = saved.version != before.version
        if act == "ready":
            saved = mark_ready(desk.folder, slug, zone, expected=saved.version)
            is_changed = True
    except ChangedError:
        return _show_conflict(request, desk, writing)
    except UnreadableError as error:
        # What was written is saved; only its status is not what was wanted.
        note_change(request, "issue saved", slug, writing.path)
        now = read_saved(desk.folder, slug)
        kept = msgspec.structs.replace(
            writing, text=text_of_file(now.data) or writing.text, version=now.version
        )
        failure = f"It is saved, but not marked ready: {error}."
        return _show(request, kept, status=422, failure=failure)
    if is_changed:
        note_change(request, _ACTIONS[act], slug, saved.path)
    flash(request, *_say(saved, act, zone, desk.clock(), is_changed=is_changed))
    return redirect(f"/issues/{slug}/edit")


def _say(
    saved: Saved, act: str, zone: ZoneInfo, now: datetime, *, is_changed: bool
) -> tuple[str, str]:
    issue, problems = read_issue(saved.data, saved.path, zone)
    if not is_changed:
        return "Nothing had changed, so nothing was written.", "done"
    if has_errors(problems) and (issue is None or issue.status == "ready"):
        return "Saved, with errors: nothing new can be published until they are mended.", "problem"
    if has_errors(problems):
        return "Saved, with errors: it cannot be marked ready until they are mended.", "problem"
    if act == "ready":
        return _say_ready(issue, now), "done"
    return _SAID[act], "done"


def _say_ready(issue: Issue | None, now: datetime) -> str:
    """What comes of an issue that was marked ready."""
    if issue is not None and issue.date is not None and issue.date > now:
        return "Marked ready: it is published when its day has come."
    mail = "Mail goes out when Send is pressed, or a schedule takes it."
    rest = f" {mail}" if issue is None or issue.mail else ""
    return f"Marked ready: the site and the feeds have it in a moment.{rest}"


def _move(request: AnyRequest, desk: Desk, writing: Writing, act: str) -> Answer:
    match = _MOVE.fullmatch(act)
    if match is None:
        raise NotFoundException("There is no such button.")
    by = -1 if match[1] == "up" else 1
    try:
        moved = move_highlight(writing.text.encode("utf-8", "replace"), int(match[2]), by)
    except MoveError as error:
        failure = f"It was not moved: {error}."
        return _show(request, writing, status=422, is_unsaved=True, failure=failure)
    text = moved.decode()
    return _save(request, desk, msgspec.structs.replace(writing, text=text), "move")


def _show_conflict(request: AnyRequest, desk: Desk, writing: Writing) -> Answer:
    """Show both versions: what somebody else has saved meanwhile, and what was to be saved."""
    theirs = read_saved(desk.folder, writing.slug)
    text = text_of_file(theirs.data)
    return render(
        request,
        "conflict.html",
        status=409,
        writing=msgspec.structs.replace(writing, version=theirs.version, path=theirs.path),
        theirs=text,
        difference=_compare(text or "", writing.text),
    )


def _compare(theirs: str, mine: str) -> list[tuple[str, str]] | None:
    """Lines that differ, each with its kind; None where the texts are too long for that."""
    one, other = theirs.split("\n"), mine.split("\n")
    if len(one) + len(other) > _MOST_COMPARED:
        return None
    lines = list(difflib.unified_diff(one, other, lineterm="", n=2))[2:]
    kinds = {"+": "added", "-": "removed", "@": "place"}
    return [(kinds.get(line[:1], "same"), line) for line in lines]


def _show_gone(request: AnyRequest, writing: Writing) -> Answer:
    """Say that somebody has removed the file meanwhile; what was written is still here."""
    return render(request, "conflict.html", status=409, writing=writing, theirs=None, difference=[])


def _restore(request: AnyRequest, desk: Desk, writing: Writing) -> Answer:
    if not ID.fullmatch(writing.slug):
        raise NotFoundException("There is no such issue.")
    suffix = next((each for each in SUFFIXES if writing.path.endswith(each)), SUFFIXES[0])
    try:
        saved = restore_text(desk.folder, writing.slug, suffix, writing.text)
    except PublisherError:
        return _show_conflict(request, desk, writing)
    note_change(request, "issue saved", writing.slug, saved.path)
    flash(request, "Saved: the issue is there again.")
    return redirect(f"/issues/{writing.slug}/edit")


@post("/issues/{slug:str}/preview", request_max_body_size=_MOST_BYTES)
@in_thread
def show_live(request: AnyRequest, slug: FromPath[str], data: Form) -> Answer:
    """What is wrong with a text that is being written, and where a frame finds how it looks."""
    desk = desk_of(request)
    path = require_path(desk, slug)
    text = text_of(data, "text").replace("\r\n", "\n")
    if len(text) > _MOST_LIVE:
        return _json({"problems": None, "frame": ""})
    view = BY_NAME["page" if text_of(data, "view") == "page" else "wide"]
    writing = Writing(slug=slug, path=path, text=text, version="")
    look = _look(desk, writing, *sorted({"issue", view.task}))
    document = frame_document(desk, look, view, slug) if look.issue else None
    frame = ""
    if document is not None:
        name = _shelf.put(operator_of(request).id, document)
        frame = f"{desk.root}/issues/{slug}/live/{name}"
    return _json({"problems": look.problems, "frame": frame, "places": _places(look.issue)})


def _places(issue: Issue | None) -> list[dict[str, Any]]:
    """Where each highlight begins, so that a frame can show the one that is being written."""
    return [{"line": h.line, "id": h.id} for h in issue.highlights] if issue else []


def _json(value: Any) -> Answer:
    return Response(msgspec.json.encode(value), media_type="application/json", status_code=200)


@get("/issues/{slug:str}/live/{name:str}", sync_to_thread=False)
def show_live_frame(request: AnyRequest, slug: FromPath[str], name: FromPath[str]) -> Answer:
    document = _shelf.take(operator_of(request).id, name)
    if document is None:
        raise NotFoundException("This is over: it is made again with the next letter.")
    return frame_answer(document)


@get("/issues/{slug:str}/delete")
@in_thread
def ask_delete(request: AnyRequest, slug: FromPath[str]) -> Answer:
    desk = desk_of(request)
    require_path(desk, slug)
    saved = read_saved(desk.folder, slug)
    issue = read_issue(saved.data, saved.path, desk.zone)[0]
    return render(request, "delete_issue.html", slug=slug, saved=saved, issue=issue)


@post("/issues/{slug:str}/delete")
@in_thread
def delete(request: AnyRequest, slug: FromPath[str], data: Form) -> Answer:
    """Remove a draft that nobody has ever seen."""
    desk = desk_of(request)
    require_path(desk, slug)
    version = text_of(data, "version").replace("*", "")
    try:
        removed = remove_draft(desk.folder, slug, desk.zone, expected=version)
    except ChangedError:
        flash(request, "Somebody has changed it meanwhile: look at it first.", "problem")
        return redirect(f"/issues/{slug}/edit")
    except PublishedError as error:
        flash(request, f"Not deleted: {error}.", "problem")
        return redirect(f"/issues/{slug}/edit")
    note_change(request, "issue deleted", slug, removed.path)
    flash(request, f"{removed.path} is deleted.")
    return redirect("/issues")


handlers = [
    *(show_editor, take_text, show_live, show_live_frame),
    *(ask_delete, delete),
]
