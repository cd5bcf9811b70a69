"""A correction of what was mailed: what is left is sent corrected, and who was sent it is told."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from publisher.message.freeze import digest, read_subject
from publisher.model.choices import WHOLE
from publisher.model.delivery import Mailing
from publisher.runtime.issue_mailing import IssueVariants
from publisher.runtime.start import freeze_issue, freeze_list_message, new_mailing, require_ready
from publisher.runtime.week_mailing import FrozenWeek, freeze_week
from publisher.settings import Settings
from publisher.site.correct import Corrected
from publisher.site.message import IssueMessage, render_mailed_correction, render_published
from publisher.store.approvals import find_lack
from publisher.store.arming import require_armed
from publisher.store.contents import load_frozen, revise_mailing
from publisher.store.corrections import count_holders, key_of, start_correction_mailing
from publisher.store.database import Database
from publisher.store.errors import StateError
from publisher.store.mailings import find_mailing
from publisher.store.starting import NewMailing
from publisher.store.totals import count_unknown
from publisher.store.variants import NewContent, define_anew
from publisher.store.weeks import define_week_anew, list_issues, list_weeks_of, revise_week


class MailedCorrection(msgspec.Struct, frozen=True):
    """What became of a correction: the issue's mailing as it is revised, and the correction's own.

    None where the issue is not mailed, or already with this text; where nobody was sent another.
    `week` is the week's mailing with the issue in it, as it is revised. `unknown` are those who
    were sent another text so long ago that nobody knows who they are any more.
    """

    revised: Mailing | None
    mailing: Mailing | None
    week: Mailing | None = None
    unknown: int = 0


# What is noted of it in its transaction.
Note = Callable[[Connection, MailedCorrection], None]


def count_corrected(
    database: Database, issue: str, version: str, now: datetime, concerned: tuple[str, ...] = ()
) -> int:
    """How many readers were sent another version of an issue, and may be told of it now.

    Where highlights are `concerned`, those alone who were sent one of them.
    """
    with database.read() as connection:
        return count_holders(connection, database.publication, issue, version, now, concerned)


def count_not_corrected(database: Database, issue: str, version: str) -> int:
    """How many were sent another version and are told of it by nobody: their deliveries are gone.

    Whatever highlights are concerned: what each of them had is not known either.
    """
    with database.read() as connection:
        return count_unknown(connection, database.publication, issue, version)


def start_correction(
    database: Database,
    settings: Settings,
    folder: Path,
    corrected: Corrected,
    now: datetime,
    *,
    is_mailed: bool,
    by: str = "",
    and_note: Note = lambda connection, mailed: None,
) -> MailedCorrection:
    """Send what is left of an issue's mailing as the issue reads now, once that was built.

    Where it `is_mailed`, all who were sent another version get a message about it. Done a second
    time, nothing more happens. Raises PublisherError where a setting or a template is wrong, and
    where it lacks an approval; `by` is the operator who does it.
    """
    carriers = _find_carriers(database, corrected.issue)
    if not carriers.subject:
        return MailedCorrection(None, None)
    message = render_published(folder, settings, now, corrected.slug)
    new = None
    if is_mailed:
        require_ready(settings, folder)
        new = _freeze(settings, folder, corrected, message, carriers.subject, now)
    remade = _remake(database, settings, folder, carriers, message, now)
    with database.write() as connection:
        if is_mailed:
            require_armed(connection, database.place)
        if settings.delivery.require_approval:
            _require_approved(connection, database.publication, corrected, remade.own.digest, by)
        revised, week = _revise(connection, database.publication, remade, now)
        started, unknown = None, 0
        if new is not None:
            started = start_correction_mailing(connection, database.publication, new, now)
            its = (corrected.issue, new.version)
            unknown = count_unknown(connection, database.publication, *its)
        mailed = MailedCorrection(revised, started, week, unknown)
        and_note(connection, mailed)
    return mailed


class _Carriers(msgspec.Struct, frozen=True):
    """The mailings that an issue is in, and the subject that they have; empty without any."""

    own: Mailing | None
    weeks: list[Mailing]
    subject: str


class _Remade(msgspec.Struct, frozen=True):
    """What they are to be sent with from now on."""

    carriers: _Carriers
    own: NewContent
    variants: IssueVariants
    weeks: list[FrozenWeek]


def _find_carriers(database: Database, issue: str) -> _Carriers:
    publication = database.publication
    with database.read() as connection:
        own = find_mailing(connection, publication, issue)
        weeks = list_weeks_of(connection, publication, issue)
        for each in [own] if own else weeks:
            content = load_frozen(connection, each.id).content
            return _Carriers(own, weeks, read_subject(content))
    return _Carriers(None, [], "")


def _remake(
    database: Database,
    settings: Settings,
    folder: Path,
    carriers: _Carriers,
    message: IssueMessage,
    now: datetime,
) -> _Remade:
    """Make all contents anew, before others wait for the transaction."""
    content, variants = freeze_issue(message, settings), IssueVariants(message, settings)
    if carriers.own is not None:
        with database.read() as connection:
            defined = define_anew(connection, carriers.own.id, variants)
        for definition in defined.values():
            if definition is not None:
                variants.make(definition)
    return _Remade(
        carriers=carriers,
        own=NewContent(version=message.issue.version, digest=digest(content), content=content),
        variants=variants,
        weeks=[_freeze_week(database, settings, folder, each, now) for each in carriers.weeks],
    )


def _revise(
    connection: Connection, publication: int, remade: _Remade, now: datetime
) -> tuple[Mailing | None, Mailing | None]:
    """The issue's mailing and the week's, where they are to be sent with anything else now."""
    own, revised, week = remade.carriers.own, None, None
    if own is not None:
        revised = revise_mailing(connection, publication, own.id, remade.own, now, remade.variants)
    for each, frozen in zip(remade.carriers.weeks, remade.weeks, strict=True):
        whole = frozen.week.variants.make(WHOLE)
        week = revise_week(connection, publication, each.id, whole, frozen.week, now)
    return revised, week


def _freeze_week(
    database: Database, settings: Settings, folder: Path, mailing: Mailing, now: datetime
) -> FrozenWeek:
    """A week's mailing as its issues read now, with all its variants."""
    with database.read() as connection:
        ids = list_issues(connection, mailing.id)
    frozen = freeze_week(folder, settings, now, mailing.slug, ids, now, is_whole=False)
    with database.read() as connection:
        defined = define_week_anew(connection, mailing.id, frozen.week.variants)
    for definition in defined.values():
        if definition is not None:
            frozen.week.variants.make(definition)
    return frozen


def _require_approved(
    connection: Connection, publication: int, corrected: Corrected, digest: str, by: str
) -> None:
    """What goes out from now on is another content than the one that was approved."""
    slug = corrected.slug
    lack = find_lack(
        connection, publication, issue=corrected.issue, slug=slug, digest=digest, by=by
    )
    if lack:
        raise StateError(
            f"{slug} is corrected on the site, and in no mail: {lack}. Approve it as it is now, and"
            " then mail the note"
        )


def _freeze(
    settings: Settings,
    folder: Path,
    corrected: Corrected,
    message: IssueMessage,
    subject: str,
    now: datetime,
) -> NewMailing:
    """The correction's mailing; it answers the message that has the subject."""
    rendered = render_mailed_correction(folder, settings, now, corrected, subject)
    issue = message.issue
    content = freeze_list_message(
        settings,
        subject=rendered.subject,
        bodies=(rendered.html, rendered.text),
        language=message.language,
        about=f"{issue.id}:correction",
        is_answer=True,
    )
    key = key_of(issue.id, issue.version)
    new = new_mailing(content, settings, key, issue.slug, "correction", issue.version)
    return msgspec.structs.replace(new, highlights=corrected.concerned)
