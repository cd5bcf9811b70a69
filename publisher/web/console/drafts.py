"""Drafting from sources: how far back, for which day, and what came of each source."""

import msgspec
from litestar import get, post

from publisher.errors import PublisherError
from publisher.intake.fields import read_moment
from publisher.runtime.drafting import Drafting, Origin, find_origin
from publisher.settings import Duration
from publisher.site.issue_files import find_issue
from publisher.web.console.desk import Desk
from publisher.web.console.issues import next_day, record_change
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Form,
    actor_of,
    desk_of,
    in_thread,
    operator_of,
    redirect,
    render,
    sentence_of,
    text_of,
)

# More are no draft that anybody prunes.
_MOST = 1_000


class Typed(msgspec.Struct, frozen=True):
    """What the form has."""

    date: str
    since: str
    most: str


@get("/draft")
@in_thread
def show_draft(request: AnyRequest) -> Answer:
    return _show(request, _offer(desk_of(request)))


@post("/draft")
@in_thread
def make_draft(request: AnyRequest, data: Form) -> Answer:
    """Begin a draft; the page shows how far it is, and in the end what came of it."""
    desk = desk_of(request)
    typed = Typed(*(text_of(data, name).strip() for name in ("date", "since", "most")))
    problems = _find_problems(desk, typed)
    if problems:
        return _show(request, typed, problems)
    actor, operator = actor_of(request), operator_of(request)
    drafting = Drafting(
        folder=desk.folder,
        settings=desk.settings,
        now=desk.clock(),
        origin=desk.settings.sources.file,
        base=desk.folder,
        since=Duration.parse(typed.since),
        most=int(typed.most),
        date=typed.date,
    )

    def record(slug: str, path: str) -> str:
        return record_change(desk, operator, actor, "issue drafted from sources", slug, path)

    if not desk.gatherings.start(drafting, operator.email, record):
        return _show(request, typed, {"": "Another draft is being made. Wait until it is there."})
    return redirect("/draft")


def _offer(desk: Desk) -> Typed:
    sources = desk.settings.sources
    return Typed(next_day(desk), str(sources.since), str(sources.max))


def _find_problems(desk: Desk, typed: Typed) -> dict[str, str]:
    problems = {}
    slug = typed.date[:10]
    if read_moment(typed.date, desk.zone) is None:
        problems["date"] = "Choose a day, such as 2025-12-15."
    elif find_issue(desk.folder, slug):
        problems["date"] = f"There is an issue of {slug} already. Choose another day."
    try:
        Duration.parse(typed.since)
    except ValueError as error:
        problems["since"] = f"Write {error}."
    is_number = typed.most.isascii() and typed.most.isdigit() and len(typed.most) < 9
    if not is_number or int(typed.most) > _MOST:
        problems["most"] = f"Write a number up to {_MOST:,}; 0 is for all."
    return problems


def _show(request: AnyRequest, typed: Typed, problems: dict[str, str] | None = None) -> Answer:
    desk = desk_of(request)
    origin, fault = _look_at_list(desk)
    return render(
        request,
        "draft.html",
        status=422 if problems else 200,
        problems=problems or {},
        typed=typed,
        listed=desk.settings.sources.file,
        sources=origin.sources if origin else [],
        fault=fault,
        gathering=desk.gatherings.find(),
    )


def _look_at_list(desk: Desk) -> tuple[Origin | None, str]:
    """The list of the settings: no other file is read on an operator's word."""
    try:
        return find_origin(desk.settings.sources.file, desk.folder), ""
    except PublisherError as error:
        return None, sentence_of(error)


handlers = [show_draft, make_draft]
