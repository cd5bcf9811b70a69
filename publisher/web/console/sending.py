"""Sending an issue: a last look, approval, a send of that very content, a minute to take back."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from sqlalchemy import Connection

from publisher.audience.address import AddressError, parse_address
from publisher.errors import PublisherError, SettingsError
from publisher.model.choices import Audience
from publisher.model.delivery import Mailing
from publisher.model.issue import Issue
from publisher.model.plan import GRACE, Plan
from publisher.model.problem import Problem
from publisher.runtime.preparing import (
    NotDue,
    Prepared,
    prepare_checked,
    read_issue_file,
    why_not_due,
)
from publisher.runtime.start import require_ready, start_test
from publisher.site.check import check
from publisher.store.approvals import Approval, approve, find_lack, list_approvals
from publisher.store.arming import find_unarmed, require_armed
from publisher.store.mailings import find_last_test, find_mailing
from publisher.store.plans import add_plan, close_plan, find_last_plan, find_plan
from publisher.store.variants import count_audience
from publisher.web.console.desk import Desk
from publisher.web.console.issues import require_path
from publisher.web.console.looks import Outline, compare, find_look, keep_look, outline
from publisher.web.console.seeing import check_patiently
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Form,
    RowId,
    actor_of,
    desk_of,
    flash,
    in_thread,
    operator_of,
    redirect,
    render,
    text_of,
)

# A plan that is due is started within this where `run` runs, a build of the site included.
_USUAL = timedelta(seconds=30)

_NOT_DUE: dict[NotDue, tuple[str, str]] = {
    "draft": ("It is a draft.", "Mark it ready; only what is ready is sent."),
    "future": ("Its date is to come.", "Wait until then, or give it another date."),
    "never": ("It says that it is never mailed.", "Take `mail: false` out of its top."),
}


class Obstacle(msgspec.Struct, frozen=True):
    """What keeps an issue from being sent now, and what to do about it; `link` leads there."""

    text: str
    remedy: str
    link: str = ""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """An issue as it would be sent now, by its NAME and id.

    `written` is what its file at `path` says, None where it cannot be read; `shown` is None where
    there is no message to be seen.
    """

    slug: str
    path: str
    issue: str
    title: str
    written: Issue | None
    prepared: Prepared
    shown: Outline | None
    audience: Audience
    obstacles: Sequence[Obstacle]
    mailing: Mailing | None
    plan: Plan | None
    test: Mailing | None
    is_tested: bool
    approvals: Sequence[Approval] = ()

    def is_approved_by(self, who: str) -> bool:
        digest = self.shown.digest if self.shown else ""
        return any((each.who, each.digest) == (who, digest) for each in self.approvals)

    @property
    def recipients(self) -> int:
        return self.audience.total

    @property
    def is_sendable(self) -> bool:
        is_waiting = self.plan is not None and self.plan.status == "waiting"
        return self.shown is not None and not (self.obstacles or self.mailing or is_waiting)


def _look(desk: Desk, who: str, slug: str, problems: tuple[Problem, ...] | None = None) -> Look:
    """An issue as an operator would send it.

    Raises NotFoundException where there is no such issue, PublisherError where all is wrong.
    """
    now = desk.clock()
    try:
        path, issue = read_issue_file(desk.folder, desk.settings, slug)
    except PublisherError as error:
        raise NotFoundException(f"There is no issue {slug}.") from error
    if problems is None:
        problems = check(desk.folder, desk.settings, now, (slug,))
    prepared = prepare_checked(desk.folder, desk.settings, now, slug, problems)
    publication = desk.database.publication
    with desk.database.read() as connection:
        variants = prepared.variants(desk.settings)
        audience = count_audience(connection, publication, variants, now)
        id = issue.id if issue is not None else ""
        mailing = find_mailing(connection, publication, id) if id else None
        plan = find_last_plan(connection, publication, id) if id else None
        test = find_last_test(connection, publication, slug)
        obstacles = list(_find_obstacles(desk, connection, issue, audience))
        approvals = list_approvals(connection, publication, id) if id else []
    shown, is_tested = _freeze(desk, prepared, test, obstacles)
    if shown is not None and mailing is None:
        obstacles += _find_lack(desk, slug, id, shown.digest, who)
    return Look(
        slug=slug,
        path=path,
        issue=id,
        title=(issue.title if issue else "") or desk.publication.title,
        written=issue,
        prepared=prepared,
        shown=shown,
        audience=audience,
        obstacles=obstacles,
        mailing=mailing,
        plan=plan,
        test=test,
        is_tested=is_tested,
        approvals=approvals,
    )


def _freeze(
    desk: Desk, prepared: Prepared, test: Mailing | None, obstacles: list[Obstacle]
) -> tuple[Outline | None, bool]:
    """What would be sent, and whether the last trial was of the same; an obstacle where none is."""
    if prepared.message is None:
        obstacles.append(Obstacle("It has errors.", "They are listed below, with what to do."))
        return None, False
    try:
        shown = outline(prepared.message, prepared.digest(desk.settings))
        same = test is not None and prepared.digest(desk.settings, is_test=True) == test.digest
    except SettingsError as error:
        obstacles.append(Obstacle("A setting is missing or wrong.", f"{error}."))
        return None, False
    return shown, same


def _find_lack(desk: Desk, slug: str, issue: str, digest: str, who: str) -> Sequence[Obstacle]:
    """What keeps this very content from being sent by this operator: a missing approval."""
    if not desk.settings.delivery.require_approval:
        return ()
    with desk.database.read() as connection:
        about = {"issue": issue, "slug": slug, "digest": digest, "by": who}
        lack = find_lack(connection, desk.database.publication, **about)
    remedy = "Another sender or owner approves it here, or sends it where you have approved it."
    return (Obstacle(f"{lack[:1].upper()}{lack[1:]}.", remedy),) if lack else ()


def _find_obstacles(
    desk: Desk, connection: Connection, issue: Issue | None, audience: Audience
) -> Sequence[Obstacle]:
    found = []
    if issue is not None and (why := why_not_due(issue, desk.clock())) is not None:
        found.append(Obstacle(*_NOT_DUE[why]))
    try:
        require_ready(desk.settings, desk.folder)
    except SettingsError as error:
        found.append(Obstacle("Nothing can be sent with these settings.", f"{error}."))
    if unarmed := find_unarmed(connection, desk.database.place):
        remedy = "When no other one sends, run `publisher arm` where publisher is installed."
        found.append(Obstacle(f"{unarmed}, so it sends nothing.", remedy))
    if not audience.total:
        found.append(_say_nobody(audience))
    return found


def _say_nobody(audience: Audience) -> Obstacle:
    if audience.others:
        return Obstacle(f"{audience.why_nobody.capitalize()}.", "Give its highlights their tags.")
    return Obstacle("Nobody is subscribed.", "Add or import readers first.")


@get("/issues/{slug:str}/send")
@in_thread
def show_send(request: AnyRequest, slug: FromPath[str]) -> Answer:
    desk = desk_of(request)
    require_path(desk, slug)
    problems = check_patiently(desk, slug)
    if problems is None:
        return render(request, "looking.html", back=f"/issues/{slug}/send")
    return _show(request, _look(desk, operator_of(request).email, slug, problems))


def _show(request: AnyRequest, look: Look, status: int = 200, **more: Any) -> Answer:
    """The page, which is a look too: the next one tells what has changed since."""
    desk = desk_of(request)
    before = find_look(request.session, look.slug)
    changes = compare(before, look.shown) if before and look.shown else []
    if look.shown is not None:
        keep_look(request.session, look.slug, look.shown)
    plan = look.plan
    seconds = max((plan.due_at - desk.clock()).total_seconds(), 0.0) if plan else 0.0
    variables: dict[str, Any] = {"problem": "", "address": operator_of(request).email} | more
    return render(
        request,
        "send.html",
        status=status,
        look=look,
        changes=changes,
        sender=desk.settings.email.from_,
        is_approval_needed=desk.settings.delivery.require_approval,
        is_mine=look.is_approved_by(operator_of(request).email),
        grace=round(GRACE.total_seconds()),
        seconds=round(seconds),
        is_late=plan is not None and desk.clock() > plan.due_at + _USUAL,
        **variables,
    )


@post("/issues/{slug:str}/send")
@in_thread
def plan_send(request: AnyRequest, slug: FromPath[str], data: Form) -> Answer:
    """Send what was shown: in a minute, unless it is taken back or has changed."""
    desk, who = desk_of(request), operator_of(request).email
    look = _look(desk, who, slug)
    seen = text_of(data, "seen")
    if look.shown is None or (look.mailing is None and look.obstacles):
        return _show(request, look, 409, problem="obstacle")
    if look.shown.digest != text_of(data, "digest"):
        return _show(request, look, 409, problem="changed")
    other = _plan(request, desk, look, look.shown.digest, seen)
    if not other:
        return redirect(f"/issues/{slug}/send")
    look = _look(desk, who, slug)
    return _show(request, look, 409, problem="other", other=other)


@post("/issues/{slug:str}/approve")
@in_thread
def take_approval(request: AnyRequest, slug: FromPath[str], data: Form) -> Answer:
    """Approve what was shown, and nothing else, so that another operator may send it."""
    desk, operator = desk_of(request), operator_of(request)
    look = _look(desk, operator.email, slug)
    if look.shown is None or (look.written is not None and look.written.status == "draft"):
        return _show(request, look, 409, problem="obstacle")
    if look.shown.digest != text_of(data, "digest"):
        return _show(request, look, 409, problem="changed")
    digest = look.shown.digest
    with desk.database.write() as connection:
        is_new = approve(
            connection,
            desk.database.publication,
            operator,
            desk.clock(),
            issue=look.issue,
            slug=slug,
            digest=digest,
        )
        if is_new:
            actor = actor_of(request)
            desk.note(connection, actor, "issue approved", slug, f"digest {digest[:12]}")
    flash(request, "Approved, as it is now. Any change of it needs a new approval.")
    return redirect(f"/issues/{slug}/send")


def _plan(request: AnyRequest, desk: Desk, look: Look, digest: str, seen: str) -> str:
    """Plan it; or say what another operator, a command or a schedule did since the look."""
    publication, issue = desk.database.publication, look.issue
    actor = actor_of(request)
    with desk.database.write() as connection:
        if find_mailing(connection, publication, issue) is not None:
            return "It was sent in the meantime, by a command, a schedule or somebody else."
        last = find_last_plan(connection, publication, issue)
        if last is not None and last.status == "waiting":
            return f"{last.who} has pressed Send already: it is sent once."
        if last is not None and str(last.id) != seen:
            did = f"{last.closed_by} took it back" if last.closed_by else "it was not sent"
            return f"While you were looking, {last.who} pressed Send, and {did}."
        plan = add_plan(
            connection,
            publication,
            issue=issue,
            slug=look.slug,
            digest=digest,
            who=actor.who,
            client=actor.client,
            now=desk.clock(),
        )
        desk.note(connection, actor, "send planned", look.slug, f"digest {plan.digest[:12]}")
    return ""


@get("/plans/{plan:int}/state")
@in_thread
def show_state(request: AnyRequest, plan: RowId) -> Answer:
    """How a plan stands, for the script that counts down."""
    desk = desk_of(request)
    found = _require_plan(desk, plan)
    path = f"/mailings/{found.mailing}" if found.mailing else f"/issues/{found.slug}/send"
    document = {
        "status": found.status,
        "seconds": max((found.due_at - desk.clock()).total_seconds(), 0.0),
        "location": desk.root + path,
    }
    return Answer(msgspec.json.encode(document), media_type="application/json")


@post("/plans/{plan:int}/take-back")
@in_thread
def take_back(request: AnyRequest, plan: RowId) -> Answer:
    """Take a planned send back, whoever planned it; it can be until its mailing has started."""
    desk = desk_of(request)
    actor = actor_of(request)
    with desk.database.write() as connection:
        publication = desk.database.publication
        is_done = close_plan(
            connection, publication, plan, "taken_back", desk.clock(), by=actor.who
        )
        if is_done:
            found = find_plan(connection, publication, plan)
            desk.note(connection, actor, "send taken back", found.slug if found else "")
    found = _require_plan(desk, plan)
    if is_done:
        flash(request, "Taken back: nothing was sent.")
    elif found.mailing:
        flash(
            request, "It was too late: the sending has started. It can be paused here.", "problem"
        )
        return redirect(f"/mailings/{found.mailing}")
    else:
        flash(request, "It does not wait any more.", "problem")
    return redirect(f"/issues/{found.slug}/send")


def _require_plan(desk: Desk, plan: int) -> Plan:
    with desk.database.read() as connection:
        found = find_plan(connection, desk.database.publication, plan)
    if found is None:
        raise NotFoundException("There is no such planned send.")
    return found


@post("/issues/{slug:str}/test")
@in_thread
def send_test(request: AnyRequest, slug: FromPath[str], data: Form) -> Answer:
    """Send the issue to one address, a draft too; the readers' mailing is not touched."""
    desk = desk_of(request)
    typed = text_of(data, "address")
    look = _look(desk, operator_of(request).email, slug)
    try:
        address = parse_address(typed).email
    except AddressError as error:
        text = str(error)
        problems = {"address": f"{text[:1].upper()}{text[1:]}."}
        return _show(request, look, 422, problems=problems, address=typed)
    if look.shown is None:
        return _show(request, look, 409, problem="obstacle", address=typed)
    require_ready(desk.settings, desk.folder)
    with desk.database.read() as connection:
        require_armed(connection, desk.database.place)
    content = look.prepared.freeze(desk.settings, is_test=True)
    mailing = start_test(desk.database, desk.settings, content, slug, address)
    with desk.database.write() as connection:
        desk.note(connection, actor_of(request), "test sent", about=slug)
    flash(request, f"A test message to {address} is on its way.")
    return redirect(f"/mailings/{mailing.ref}")


handlers = [show_send, plan_send, take_approval, show_state, take_back, send_test]
