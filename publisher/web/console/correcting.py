"""Correcting what was published: what was changed, a note on it, and mail to who has it wrong."""

from typing import Any

from litestar import get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from publisher.errors import PublisherError
from publisher.runtime.correcting import (
    MailedCorrection,
    count_corrected,
    count_not_corrected,
    start_correction,
)
from publisher.runtime.newsroom import Folder
from publisher.runtime.start import require_ready
from publisher.site.comparing import compare_published
from publisher.site.correct import (
    MAX_NOTE,
    Corrected,
    UnchangedError,
    plan_correction,
    recall_correction,
)
from publisher.site.history import PATH as HISTORY
from publisher.site.register import PATH as REGISTER
from publisher.store.arming import require_armed
from publisher.store.corrections import key_of
from publisher.store.mailings import find_mailing
from publisher.web.console.desk import Desk
from publisher.web.console.issues import has_read, note_change, require_path
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Form,
    actor_of,
    desk_of,
    flash,
    in_thread,
    redirect,
    render,
    text_of,
)


@get("/issues/{slug:str}/correct")
@in_thread
def show_correct(request: AnyRequest, slug: FromPath[str]) -> Answer:
    require_path(desk_of(request), slug)
    return _show(request, slug)


def _show(request: AnyRequest, slug: str, status: int = 200, **more: Any) -> Answer:
    desk, now = desk_of(request), desk_of(request).clock()
    if not has_read(desk):
        return render(request, "looking.html", back=f"/issues/{slug}/correct")
    compared = compare_published(desk.folder, desk.settings, now, slug)
    about = (desk.database, compared.issue, compared.version, now)
    holders, last = count_corrected(*about, compared.concerned), None
    if holders and not compared.parts and not _is_mailed(desk, compared.issue, compared.version):
        last = recall_correction(desk.folder, desk.settings, now, slug)
        holders = count_corrected(*about, last.concerned) if last else holders
    variables: dict[str, Any] = {"note": "", "is_mailed": False} | more
    return render(
        request,
        "correct.html",
        status=status,
        slug=slug,
        compared=compared,
        holders=holders,
        unknown=count_not_corrected(desk.database, compared.issue, compared.version),
        last=last,
        most=MAX_NOTE,
        **variables,
    )


def _is_mailed(desk: Desk, issue: str, version: str) -> bool:
    key = key_of(issue, version)
    with desk.database.read() as connection:
        return find_mailing(connection, desk.database.publication, key, "correction") is not None


@post("/issues/{slug:str}/correct")
@in_thread
def correct(request: AnyRequest, slug: FromPath[str], data: Form) -> Answer:
    """Note what was shown, build, and mail it where that is wanted."""
    desk = desk_of(request)
    require_path(desk, slug)
    note, is_mailed = text_of(data, "note"), text_of(data, "mail") == "yes"
    typed = {"note": note, "is_mailed": is_mailed}
    if not note.strip() or len(note) > MAX_NOTE:
        text = f"Say what was wrong and what is right, in {MAX_NOTE:,} characters at most."
        return _show(request, slug, 422, problems={"note": text}, **typed)
    try:
        corrected, is_new = _plan(desk, slug, note, is_mailed=is_mailed)
    except PublisherError as error:
        return _show(request, slug, 422, problems={"note": _say(error)}, **typed)
    if corrected.after != text_of(data, "version"):
        text = "It was changed while you were looking; this is how it differs now."
        return _show(request, slug, 409, problems={"": text}, **typed)
    try:
        mailed = _correct(request, desk, corrected, is_new=is_new, is_mailed=is_mailed)
    except PublisherError as error:
        return _show(request, slug, 409, problems={"": _say(error)}, **typed)
    if mailed.mailing is None:
        flash(request, "Noted: it stands on the pages and in the feeds now.")
        return redirect(f"/issues/{slug}")
    count = mailed.mailing.recipients
    flash(request, f"Noted, and on its way to {count:,} reader{'s' if count != 1 else ''}.")
    return redirect(f"/mailings/{mailed.mailing.ref}")


def _plan(desk: Desk, slug: str, note: str, *, is_mailed: bool) -> tuple[Corrected, bool]:
    """The correction, and whether it is new: one that was noted before can still be mailed."""
    now = desk.clock()
    try:
        return plan_correction(desk.folder, desk.settings, now, slug, note), True
    except UnchangedError:
        last = recall_correction(desk.folder, desk.settings, now, slug) if is_mailed else None
        if last is None:
            raise
        return last, False


def _correct(
    request: AnyRequest, desk: Desk, corrected: Corrected, *, is_new: bool, is_mailed: bool
) -> MailedCorrection:
    if is_mailed:  # before anything is noted
        require_ready(desk.settings, desk.folder)
        with desk.database.read() as connection:
            require_armed(connection, desk.database.place)
    Folder(desk.folder, desk.settings).publish(desk.clock(), corrected if is_new else None)
    if is_new:
        note_change(request, "issue corrected", corrected.slug, HISTORY, REGISTER)
    actor = actor_of(request)

    def note_mail(connection: Connection, mailed: MailedCorrection) -> None:
        if mailed.mailing is not None:
            detail = f"to {mailed.mailing.recipients:,}"
            desk.note(connection, actor, "correction mailed", corrected.slug, detail)

    return start_correction(
        desk.database,
        desk.settings,
        desk.folder,
        corrected,
        desk.clock(),
        is_mailed=is_mailed,
        by=actor.who,
        and_note=note_mail,
    )


def _say(error: PublisherError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


handlers = [show_correct, correct]
