"""Asking somebody to confirm a subscription: a message of its own, ahead of any mailing.

What a stranger typed into the form stands nowhere in it, or the form would send anybody's text to
anybody in our name.
"""

import secrets
from datetime import datetime, timedelta
from email.utils import parseaddr
from pathlib import Path

from jinja2 import Environment
from sqlalchemy import Connection

from publisher.audience.address import address_hash, limit_key, parse_address
from publisher.errors import PublisherError
from publisher.message.freeze import Draft
from publisher.model.audience import Subscriber
from publisher.model.delivery import Mailing
from publisher.model.language import direction
from publisher.render.inline import inline_css
from publisher.render.templates import make_templates
from publisher.render.text import underline
from publisher.render.words import Catalogues, Words
from publisher.render.wrap import WIDTH, wrap
from publisher.runtime.start import freeze_draft, make_ref, new_mailing
from publisher.settings import Settings
from publisher.site.scan import read_templates
from publisher.store import requests
from publisher.store.keys import require_key
from publisher.store.mailings import start_single_mailing

# A week's holiday and a mail server's day of trying are shorter; what lies in an old mailbox for
# longer is no fresh wish any more.
CONFIRM_WITHIN = timedelta(days=10)
# As email.UNSUBSCRIBE_SLOT: URL-safe, and nobody's.
_SLOT = "https://slot.invalid/confirm"


def freeze_confirmation(folder: Path, settings: Settings) -> bytes:
    """Render and freeze the message that asks to confirm, the same for everybody.

    Raises PublisherError where a template or a setting is wrong.
    """
    sources = read_templates(folder)
    publication = settings.as_publication()
    words = Catalogues(sources).words(publication.language)
    subject = words.confirm_subject.format(title=publication.title)

    def render(name: str) -> str:
        return _render(make_templates(sources), name, subject, words, settings)

    return freeze_draft(
        Draft(
            sender=settings.email.from_,
            reply_to=settings.email.reply_to,
            subject=subject,
            html=inline_css(render("email/confirmation.html")),
            text=render("email/confirmation.txt"),
            language=publication.language,
            domain=parseaddr(settings.email.from_)[1].rpartition("@")[2],
            slots={_SLOT: "confirm_url"},
            auto_submitted="auto-generated",
        )
    )


def start_confirmation(
    connection: Connection,
    publication: int,
    settings: Settings,
    content: bytes,
    subscriber: Subscriber,
    now: datetime,
) -> Mailing:
    """Start the mailing of a confirmation, in the transaction in which it was asked for.

    `content` is what `freeze_confirmation` made. The connection writes.
    """
    hash = _limit_hash(connection, subscriber.email)
    requests.record(connection, publication, "confirmation", hash, now)
    issue = f"confirm-{make_ref()}"
    new = new_mailing(content, settings, issue, "confirm", "confirmation")
    return start_single_mailing(connection, publication, new, now, subscriber=subscriber.id)


def was_asked(connection: Connection, publication: int, email: str, now: datetime) -> bool:
    """Tell whether an address was asked to confirm within 24 hours, in whatever spelling.

    The connection writes.
    """
    return requests.has_any(connection, publication, _limit_hash(connection, email), now)


def _limit_hash(connection: Connection, email: str) -> bytes:
    secret = require_key(connection, "address-key", secrets.token_bytes)
    return address_hash(limit_key(parse_address(email)), secret)


def _render(
    templates: Environment, name: str, subject: str, words: Words, settings: Settings
) -> str:
    publication = settings.as_publication()
    try:
        return templates.get_template(name).render(
            publication=publication,
            subject=subject,
            language=publication.language,
            direction=direction(publication.language),
            words=words,
            days=CONFIRM_WITHIN.days,
            confirm_url=_SLOT,
            site_url=f"{publication.url}/",
            postal_address=settings.email.postal_address,
            wrap=wrap,
            underline=underline,
            width=WIDTH,
        )
    except Exception as error:  # a template may also divide by nothing
        raise PublisherError(f"templates/{name}: {error}") from None
