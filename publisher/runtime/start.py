"""A message -> a mailing: its content frozen, and the mailing that it is to be of."""

import hashlib
import secrets
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path

from publisher.errors import SettingsError
from publisher.message.addresses import ascii_domain
from publisher.message.freeze import Draft, digest, freeze
from publisher.model.delivery import OF_ISSUES, Mailing, Purpose
from publisher.render.email import UNSUBSCRIBE_SLOT, RenderedMessage
from publisher.runtime.composer import Keys, envelope_sender, load_signers, require_verp
from publisher.settings import Settings
from publisher.site.message import IssueMessage
from publisher.store.database import Database
from publisher.store.keys import require_key
from publisher.store.starting import NewMailing, start_single_mailing

_REF_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def make_ref(length: int = 16) -> str:
    """A random name in lower-case letters and digits: 82 bits where it has 16."""
    return "".join(secrets.choice(_REF_CHARACTERS) for _ in range(length))


def freeze_issue(
    message: IssueMessage,
    settings: Settings,
    *,
    rendered: RenderedMessage | None = None,
    subject_prefix: str = "",
    purpose: Purpose = "issue",
) -> bytes:
    """Freeze an issue's message as bytes; raises SettingsError where a setting keeps it from that.

    Content never does: what has no place in a header was dropped where the issue was read. It is
    the whole of it, or another that is `rendered`.
    """
    rendered = rendered or message.rendered
    return freeze_list_message(
        settings,
        subject=f"{subject_prefix}{rendered.subject}",
        bodies=(rendered.html, rendered.text),
        language=message.language,
        about=f"{message.issue.id}:{purpose}",
    )


def freeze_list_message(
    settings: Settings,
    *,
    subject: str,
    bodies: tuple[str, str],
    language: str,
    about: str,
    is_answer: bool = False,
) -> bytes:
    """Freeze a message to subscribers, with the headers of a list and a slot to unsubscribe.

    `bodies` are HTML and text; `about` begins the Feedback-ID. Raises SettingsError.
    """
    sender = settings.email.from_
    local, _, domain = parseaddr(sender)[1].rpartition("@")
    draft = Draft(
        sender=sender,
        reply_to=settings.email.reply_to,
        subject=subject,
        html=bodies[0],
        text=bodies[1],
        language=language,
        list_id=settings.email.list_id or f"{settings.publication.title} <{local}.{domain}>",
        list_unsubscribe_mailto=envelope_sender(settings),
        feedback_id=f"{about}:{ascii_domain(domain)}",
        domain=domain,
        slots={UNSUBSCRIBE_SLOT: "unsubscribe_url"},
        is_answer=is_answer,
    )
    return freeze_draft(draft)


def freeze_draft(draft: Draft) -> bytes:
    try:
        return freeze(draft)
    except ValueError as error:
        raise SettingsError(f"no message can be made with these settings: {error}") from None


def require_sendable(settings: Settings) -> None:
    """Raise SettingsError where a setting is missing that every message needs."""
    missing = [
        key
        for key, value in (
            ("email.from", settings.email.from_),
            ("email.postal_address", settings.email.postal_address.strip()),
            ("smtp.host", settings.smtp[0].host if settings.smtp else ""),
        )
        if not value
    ]
    if missing:
        keys = ", ".join(missing)
        raise SettingsError(f"publisher.toml: {keys} must be set before anything can be sent")


def require_ready(settings: Settings, folder: Path) -> None:
    """Raise SettingsError where a setting or a key keeps all messages to readers from being made.

    It is asked before a mailing starts, which would otherwise stand there frozen.
    """
    require_sendable(settings)
    require_verp(settings)
    load_signers(settings, folder)


def new_mailing(
    content: bytes,
    settings: Settings,
    issue: str,
    slug: str,
    purpose: Purpose = "issue",
    version: str = "",
) -> NewMailing:
    """A mailing of frozen content; `version` is that of the issue's text, where it has one."""
    table = settings.delivery
    return NewMailing(
        canary=table.canary if purpose in OF_ISSUES else 0,
        seeds=table.seeds if purpose in OF_ISSUES else (),
        needs_approval=table.require_approval and purpose == "issue",
        ref=make_ref(),
        issue=issue,
        slug=slug,
        purpose=purpose,
        digest=digest(content),
        content=content,
        version=version,
        domain=parseaddr(settings.email.from_)[1].rpartition("@")[2],
    )


def start_test(
    database: Database, settings: Settings, content: bytes, slug: str, address: str
) -> Mailing:
    """Start the mailing of a trial message to one address, which need not be a subscriber's."""
    new = new_mailing(content, settings, f"test-{make_ref()}", slug, "test")
    with database.write() as connection:
        return start_single_mailing(
            connection, database.publication, new, datetime.now(UTC), address=address
        )


def load_keys(database: Database, settings: Settings) -> Keys:
    """The secrets that messages are made with, made where there are none yet.

    Those of `web.secret_keys` go before the database's own, with which links were signed before.
    """
    with database.write() as connection:
        links = require_key(connection, "link-key", secrets.token_bytes)
        messages = require_key(connection, "message-key", secrets.token_bytes)
    configured = [hashlib.sha256(key.encode()).digest() for key in settings.web.secret_keys]
    return Keys((*configured, links), messages)
