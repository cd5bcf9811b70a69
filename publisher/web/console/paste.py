"""Pasting or uploading a digest: how it is understood comes first, and then a draft of it."""

from pathlib import PurePosixPath
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body

from publisher.errors import PublisherError
from publisher.intake.fields import read_moment
from publisher.intake.ids import mint_ids
from publisher.intake.text import MAX_BYTES, SUFFIXES
from publisher.intake.tree import TreeError
from publisher.intake.understand import Understood, understand
from publisher.model.problem import Problem
from publisher.site.identity import mint_id
from publisher.site.issue_files import Importing, find_issue, import_digests
from publisher.site.replace import write_new_file
from publisher.site.saving import hold_issues
from publisher.site.scan import ISSUES
from publisher.web.console.desk import Desk
from publisher.web.console.issues import next_day, note_change
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    desk_of,
    flash,
    in_thread,
    redirect,
    render,
    text_of,
)

Upload = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]

_PASTED = "pasted"
_TAKEN = (".txt", *SUFFIXES)
# A file of the largest size, and the fields around it.
_MOST_BYTES = MAX_BYTES * 2 + 100_000
# Of a longer text only its beginning is shown line by line; all of it is read.
_MOST_LINES = 2_000


class NumberedLine(msgspec.Struct, frozen=True):
    """A line of the text, what begins on it, and what is wrong with it."""

    number: int
    text: str
    begins: str
    problems: tuple[Problem, ...]


class Typed(msgspec.Struct, frozen=True):
    """What the form has: the text, the name of the file that it came in, and the day."""

    text: str
    name: str
    date: str


@get("/paste", sync_to_thread=False)
def show_paste(request: AnyRequest) -> Answer:
    return _show(request, Typed("", "", next_day(desk_of(request))), None)


@post("/paste", request_max_body_size=_MOST_BYTES)
async def take_paste(request: AnyRequest, data: Upload) -> Answer:
    """Show how a text is understood, or make a draft of it: by the button that was pressed."""
    file = data.get("file")
    sent: bytes | None = None
    name = text_of(data, "name")
    if isinstance(file, UploadFile) and file.filename:
        sent, name = await file.read(MAX_BYTES + 1), file.filename
    return await _take(request, data, sent, name)


@in_thread
def _take(request: AnyRequest, data: dict[str, Any], sent: bytes | None, name: str) -> Answer:
    desk = desk_of(request)
    raw = sent if sent is not None else text_of(data, "text").encode("utf-8", "replace")
    name = PurePosixPath(name.replace("\\", "/")).name or _PASTED
    typed = Typed("", "" if name == _PASTED else name, _date(desk, data, name, sent))
    if name != _PASTED and not name.lower().endswith(_TAKEN):
        problem = f"Files ending in {', '.join(_TAKEN)} are taken; this one is not."
        return _show(request, typed, None, {"file": problem})
    if not raw.strip():
        return _show(request, typed, None, {"text": "There is nothing here yet: paste a digest."})
    found = understand(raw, name, desk.zone)
    typed = msgspec.structs.replace(typed, text=found.text)
    if text_of(data, "act") != "make" or sent is not None or not found.is_usable:
        return _show(request, typed, found)
    return _make(request, desk, typed, found, is_replacing=bool(text_of(data, "replace")))


def _date(desk: Desk, data: dict[str, Any], name: str, sent: bytes | None) -> str:
    """The day that a new file is named after, or else what was typed."""
    stem = PurePosixPath(name).stem
    is_day = len(stem) == len("2025-12-15") and read_moment(stem, desk.zone)
    return stem if sent is not None and is_day else text_of(data, "date") or next_day(desk)


def _make(
    request: AnyRequest, desk: Desk, typed: Typed, found: Understood, *, is_replacing: bool
) -> Answer:
    if read_moment(typed.date, desk.zone) is None:
        problems = {"date": "Choose a day, such as 2025-12-15."}
        return _show(request, typed, found, problems)
    slug = typed.date.strip()[:10]
    existing = find_issue(desk.folder, slug)
    if existing and (not is_replacing or found.kind == "issue"):
        return _show(request, typed, found, {"date": f"{existing} exists already."}, slug)
    try:
        with hold_issues(desk.folder):
            if found.kind == "digest":
                path = _import(desk, typed, is_replacing=is_replacing)
            else:
                path = _keep(desk, slug, typed)
    except FileExistsError:
        return _show(request, typed, found, {"date": "An issue of that day has just come."}, slug)
    except (PublisherError, TreeError) as error:
        return _show(request, typed, found, {"": f"{error}."}, slug if existing else "")
    paths = {path, existing or path}
    note_change(request, "issue replaced" if existing else "issue imported", slug, *paths)
    flash(request, "A draft is made of it. Nobody sees it until it is marked ready.")
    return redirect(f"/issues/{slug}/edit")


def _import(desk: Desk, typed: Typed, *, is_replacing: bool) -> str:
    importing = Importing(
        folder=desk.folder,
        publication=desk.publication,
        now=desk.clock(),
        date=typed.date,
        is_forced=is_replacing,
    )
    imported = import_digests(importing, [(typed.name or _PASTED, typed.text.encode())])
    return str(imported[0].path)


def _keep(desk: Desk, slug: str, typed: Typed) -> str:
    """Keep an issue file as it was sent, as a draft of a day, with ids where it has none."""
    path = f"{ISSUES}/{slug}{PurePosixPath(typed.name).suffix.lower()}"
    moment = read_moment(typed.date, desk.zone)
    assert moment is not None  # noqa: S101 - looked at before
    fields = {"status": "draft", "date": moment.isoformat()}
    write_new_file(
        desk.folder, path, mint_ids(typed.text.encode(), path, mint_id, fields=fields).data
    )
    return path


def _show(
    request: AnyRequest,
    typed: Typed,
    found: Understood | None,
    problems: dict[str, str] | None = None,
    existing: str = "",
) -> Answer:
    lines = list(_number(found)) if found else []
    is_wrong = bool(problems) or (found is not None and not found.is_usable)
    return render(
        request,
        "paste.html",
        status=422 if is_wrong else 200,
        problems=problems or {},
        typed=typed,
        found=found,
        lines=lines[:_MOST_LINES],
        more=max(0, len(lines) - _MOST_LINES),
        whole=[p for p in found.problems if not p.line] if found else [],
        existing=existing,
    )


def _number(found: Understood) -> list[NumberedLine]:
    begins = {part.line: f"Highlight {at}" for at, part in enumerate(found.parts, 1)}
    return [
        NumberedLine(
            number,
            text,
            begins.get(number, ""),
            tuple(p for p in found.problems if p.line == number),
        )
        for number, text in enumerate(found.text.split("\n"), 1)
    ]


handlers = [show_paste, take_paste]
