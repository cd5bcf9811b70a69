"""Issues: all of them with where each stands; a new one; and what every page of one begins with."""

import unicodedata
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery

from publisher.errors import PublisherError
from publisher.intake.fields import ID, read_moment
from publisher.model.delivery import Mailing
from publisher.model.language import direction
from publisher.model.operators import Actor, Operator
from publisher.site.build import note_folder
from publisher.site.check import checking_job
from publisher.site.git import Author, GitError, commit
from publisher.site.index import Index, moment_of
from publisher.site.issue_files import find_issue, new_issue
from publisher.site.job import Job, index_path
from publisher.site.plan import Reading
from publisher.site.state import IssueState, find_readings, find_states, site_job
from publisher.store.mailings import list_issue_mailings
from publisher.web.console.desk import Desk
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Form,
    actor_of,
    desk_of,
    flash,
    in_thread,
    operator_of,
    redirect,
    render,
    text_of,
)

_PAGE = 50
# Later than any issue's date: files that cannot be read come first.
_LATEST = 2**53
# What can be asked for, as it is shown.
STATES = {
    "draft": "Drafts",
    "waiting": "Waiting for their day",
    "ready": "Ready",
    "published": "Published",
    "mailed": "Mailed",
    "broken": "With errors",
}
# Reading takes milliseconds where the archive is known, and a minute where a large one is seen for
# the first time; meanwhile a page says so, and asks again.
PATIENCE_SECONDS = 5.0
# A draft of today goes under the next day that has no issue yet; nobody has a month of them.
_DAYS_AHEAD = 31


_reader = ThreadPoolExecutor(2, thread_name_prefix="reading")
_readings: dict[Path, Future[None]] = {}


class _Titles(msgspec.Struct, frozen=True):
    """Of an issue in the index, what a list shows."""

    title: str = ""
    language: str = ""
    number: int | None = None


_decode = msgspec.msgpack.Decoder(_Titles).decode


class IssueRow(msgspec.Struct, frozen=True, kw_only=True):
    """An issue in the list; `state` is one of STATES, `mailing` the state of its mailing.

    `is_named` tells that its file has a name by which it can be opened.
    """

    slug: str
    path: str
    title: str
    language: str
    direction: str
    number: int | None
    date: datetime | None
    state: str
    mailing: str
    is_named: bool


@get("/issues")
@in_thread
def show_issues(
    request: AnyRequest,
    q: FromQuery[str] = "",
    stage: FromQuery[str] = "",
    before: FromQuery[str] = "",
) -> Answer:
    desk = desk_of(request)
    if not has_read(desk):
        return render(request, "looking.html", back="/issues")
    state = stage if stage in STATES else ""
    rows: list[tuple[IssueRow, str]] = []
    for found in _list_issues(desk, q, state, _read_place(before)):
        rows.append(found)
        if len(rows) > _PAGE:
            break
    chosen = {name: value for name, value in (("q", q), ("stage", state)) if value}
    older = ""
    if len(rows) > _PAGE:
        older = f"/issues?{urlencode(chosen | {'before': rows[_PAGE - 1][1]})}"
    return render(
        request,
        "issues.html",
        rows=[row for row, _ in rows[:_PAGE]],
        q=q,
        state=state,
        states=STATES,
        older=older,
        newest=f"/issues?{urlencode(chosen)}" if before else "",
    )


def has_read(desk: Desk, job: Job | None = None) -> bool:
    """Bring what is known of the folder up to date; False where that takes long, and goes on.

    That is what a check knows, or the build that is asked for.
    """
    job = job or checking_job(desk.folder, desk.settings, desk.clock())
    key = index_path(job)
    before = _readings.get(key)
    if before and not before.done():
        return False
    # What took long may be old by now; from here on it is quick.
    _readings.pop(key, None)
    running = _reader.submit(note_folder, job)
    try:
        running.result(PATIENCE_SECONDS)
    except TimeoutError:
        _readings[key] = running
        return False
    return True


class ReadFolder:
    """The issues as they stand now: read once, however often an answer asks for them."""

    def __init__(self, desk: Desk) -> None:
        self._job = site_job(desk.folder, desk.settings, desk.clock())
        self._is_read = has_read(desk, self._job)

    def read_states(self, now: datetime, since: datetime) -> list[IssueState]:
        """The issues dated since a moment. Raises PublisherError where a build holds them."""
        if not self._is_read:
            raise PublisherError("the site is being built; look again in a moment")
        return find_states(self._job, since)

    def find_readings(self, paths: Iterable[str]) -> dict[str, Reading]:
        """What these files say, by their paths; nothing where a build holds them."""
        return find_readings(self._job, paths) if self._is_read else {}


def _read_place(text: str) -> tuple[int, str]:
    """The place in the list behind which a page begins."""
    moment, _, slug = text.partition("~")
    digits = moment.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= 16:
        return int(moment), slug
    return _LATEST + 1, ""


def _list_issues(
    desk: Desk, q: str, state: str, place: tuple[int, str]
) -> Iterator[tuple[IssueRow, str]]:
    """Issues that are looked for, the newest first, each with its place.

    What is in them is read one by one: most are never asked for.
    """
    with desk.database.read() as connection:
        found = list_issue_mailings(connection, desk.database.publication)
    mailings = {mailing.issue: mailing for mailing in reversed(found)}
    job = checking_job(desk.folder, desk.settings, desk.clock())
    sql = (
        "SELECT path, slug, issue, COALESCE(moment, ?1) AS place, moment, state,"
        " EXISTS (SELECT 1 FROM registered AS r WHERE r.id = issue AND r.is_withdrawn = 0)"
        " FROM file WHERE (place, slug) < (?2, ?3) ORDER BY place DESC, slug DESC, path"
    )
    wanted = _fold(q)
    with closing(Index(index_path(job), is_readonly=True)) as index:
        for row in index.db.execute(sql, (_LATEST, *place)):
            issue = _row(desk, index, row, mailings)
            if state in ("", issue.state, "mailed" if issue.mailing else "") and (
                wanted in _fold(issue.title) or wanted in _fold(issue.slug)
            ):
                yield issue, f"{row[3]}~{issue.slug}"


def _row(desk: Desk, index: Index, row: Any, mailings: dict[str, Mailing]) -> IssueRow:
    path, slug, id_, _, moment, state, is_published = row
    content = index.value("SELECT content FROM file WHERE path = ?", path)
    titles = _decode(content) if content else _Titles(slug)
    language = titles.language or desk.publication.language
    mailing = mailings.get(id_)
    return IssueRow(
        slug=slug,
        path=path,
        title=titles.title or desk.publication.title,
        language=language,
        direction=direction(language),
        number=titles.number,
        date=datetime.fromtimestamp(moment, UTC) if moment is not None else None,
        state=_state(state, is_published=is_published, moment=moment, now=desk.clock()),
        mailing=mailing.status if mailing else "",
        is_named=ID.fullmatch(slug) is not None,
    )


def _state(state: str, *, is_published: bool, moment: int | None, now: datetime) -> str:
    if state in ("unreadable", "broken"):
        return "broken"
    if state == "draft":
        return "draft"
    if is_published:
        return "published"
    return "waiting" if moment and moment > moment_of(now) else "ready"


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


@get("/new-issue", sync_to_thread=False)
def show_new_issue(request: AnyRequest) -> Answer:
    return render(request, "new_issue.html", date=next_day(desk_of(request)))


@post("/new-issue")
@in_thread
def make_issue(request: AnyRequest, data: Form) -> Answer:
    desk, date = desk_of(request), text_of(data, "date").strip()
    problem, slug = "", date[:10]
    if read_moment(date, desk.zone) is None:
        problem = "Choose a day, such as 2025-12-15."
    elif find_issue(desk.folder, slug):
        problem = f"There is an issue of {slug} already. Open it, or choose another day."
    else:
        try:
            path = new_issue(desk.folder, desk.publication, desk.clock(), date)
        except PublisherError as error:  # somebody else was faster
            problem = f"{error}."
    if problem:
        return render(
            request, "new_issue.html", status=422, date=date, problems={"date": problem}, slug=slug
        )
    note_change(request, "issue created", slug, path)
    flash(request, "A draft is made. Nobody sees it until it is marked ready.")
    return redirect(f"/issues/{slug}/edit")


def next_day(desk: Desk) -> str:
    """Today, or the next day that has no issue yet."""
    today = desk.clock().astimezone(desk.zone).date()
    days = [(today + timedelta(days=ahead)).isoformat() for ahead in range(_DAYS_AHEAD)]
    return next((day for day in days if find_issue(desk.folder, day) is None), days[0])


def require_path(desk: Desk, slug: str) -> str:
    """The path of an issue's file; NotFoundException where there is none."""
    path = find_issue(desk.folder, slug) if ID.fullmatch(slug) else None
    if path is None:
        raise NotFoundException("There is no such issue, or not any more.")
    return path


def note_change(request: AnyRequest, action: str, about: str, *paths: str) -> None:
    """Note in the audit log what was done with files, and commit them where that is wanted."""
    operator, actor = operator_of(request), actor_of(request)
    if fault := record_change(desk_of(request), operator, actor, action, about, *paths):
        flash(request, f"It is saved, but git did not commit it: {fault}", "problem")


def record_change(
    desk: Desk, operator: Operator, actor: Actor, action: str, about: str, *paths: str
) -> str:
    """As note_change, apart from any request; gives why git did not commit it."""
    with desk.database.write() as connection:
        desk.note(connection, actor, action, about=about)
    if not desk.settings.console.git:
        return ""
    try:
        author = Author(operator.name, operator.email)
        commit(desk.folder, paths, author, f"{action.capitalize()}: {about}")
    except GitError as error:
        return str(error)
    return ""


handlers = [show_issues, show_new_issue, make_issue]
