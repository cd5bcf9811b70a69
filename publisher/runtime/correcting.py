"""A correction of what was mailed: what is left is sent corrected, and who was sent it is told."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from publisher.message.freeze import digest, read_subject
from publisher.model.delivery import Mailing
from publisher.runtime.issue_mailing import IssueVariants
from publisher.runtime.start import freeze_issue, freeze_list_message, new_mailing, require_ready
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
from publisher.store.variants import NewContent, define_anew


class MailedCorrection(msgspec.Struct, frozen=True):
    """What became of a correction: the issue's mailing as it is revised, and the correction's own.

    None where the issue is not mailed, or already with this text; where nobody was sent another.
    """

    revised: Mailing | None
    mailing: Mailing | None


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
    with database.read() as connection:
        mailing = find_mailing(connection, database.publication, corrected.issue)
        subject = read_subject(load_frozen(connection, mailing.id).content) if mailing else ""
    if mailing is None:
        return MailedCorrection(None, None)
    message = render_published(folder, settings, now, corrected.slug)
    content = freeze_issue(message, settings)
    own = NewContent(version=message.issue.version, digest=digest(content), content=content)
    new = None
    if is_mailed:
        require_ready(settings, folder)
        new = _freeze(settings, folder, corrected, message, subject, now)
    variants = IssueVariants(message, settings)
    with database.read() as connection:
        defined = define_anew(connection, mailing.id, variants)
    for definition in defined.values():
        if definition is not None:
            variants.make(definition)  # before others wait for the transaction
    with database.write() as connection:
        if is_mailed:
            require_armed(connection, database.path)
        if settings.delivery.require_approval:
            _require_approved(connection, database.publication, corrected, own.digest, by)
        revised = revise_mailing(connection, database.publication, mailing.id, own, now, variants)
        started = None
        if new is not None:
            started = start_correction_mailing(connection, database.publication, new, now)
        mailed = MailedCorrection(revised, started)
        and_note(connection, mailed)
    return mailed


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
