"""The messages that the server writes by itself: each frozen once for each language.

What a stranger typed into a form stands nowhere in them, or the form would send anybody's text to
anybody in our name.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from publisher.errors import PublisherError
from publisher.message.freeze import Draft
from publisher.model.delivery import Mailing, Purpose
from publisher.model.language import direction
from publisher.render.email import UNSUBSCRIBE_SLOT
from publisher.render.inline import inline_css
from publisher.render.templates import make_templates
from publisher.render.text import underline
from publisher.render.words import Catalogues, Words
from publisher.render.wrap import WIDTH, wrap
from publisher.runtime.start import freeze_draft, freeze_list_message, make_ref, new_mailing
from publisher.settings import Settings
from publisher.site.scan import read_templates
from publisher.store.starting import start_single_mailing

# A week's holiday and a mail server's day of trying are shorter; what lies in an old mailbox for
# longer is no fresh wish any more.
CONFIRM_WITHIN = timedelta(days=10)
# What can be done with these is more than to subscribe, and who asks for them is waiting.
PREFERENCES_WITHIN = timedelta(hours=24)

SingleKind = Literal["confirmation", "preferences", "address", "moved", "greeting"]


class _Kind(msgspec.Struct, frozen=True):
    """What a kind of message is for, its subject, the slot of its link, and its own values."""

    purpose: Purpose
    subject: Callable[[Words], str]
    slot: str = ""
    values: Mapping[str, Any] = {}


_HOURS = {"hours": round(PREFERENCES_WITHIN / timedelta(hours=1))}
_KINDS: dict[SingleKind, _Kind] = {
    "confirmation": _Kind(
        "confirmation",
        lambda words: words.confirm_subject,
        "confirm_url",
        {"days": CONFIRM_WITHIN.days},
    ),
    "preferences": _Kind(
        "preferences", lambda words: words.preferences_subject, "preferences_url", _HOURS
    ),
    "address": _Kind("address", lambda words: words.address_subject, "address_url", _HOURS),
    "moved": _Kind("notice", lambda words: words.moved_subject),
    "greeting": _Kind("welcome", lambda words: words.welcome_subject, "unsubscribe_url"),
}
# As email.UNSUBSCRIBE_SLOT: URL-safe, and nobody's.
_SLOT = "https://slot.invalid/link"


class Singles:
    """Freezes single messages, by the templates as they are now; each when it is first needed."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Raises PublisherError where a template cannot be read."""
        sources = read_templates(folder)
        self.settings = settings
        self.catalogues = Catalogues(sources)
        self._templates = make_templates(sources)
        self._publication = settings.as_publication()
        self._frozen: dict[tuple[SingleKind, str], bytes] = {}

    def speak(self, language: str) -> str:
        """A language that a reader chose, or the publication's where there are no words in it."""
        is_known = language in self.catalogues.languages
        return language if is_known else self._publication.language

    def words(self, language: str) -> Words:
        """The words of a language that a reader chose, or of the publication's."""
        return self.catalogues.words(self.speak(language))

    def freeze(self, kind: SingleKind, language: str = "") -> bytes:
        """The content of a message in a language, or in the publication's.

        Raises PublisherError where a template or a setting is wrong.
        """
        language = self.speak(language)
        if (kind, language) not in self._frozen:
            self._frozen[kind, language] = self._freeze(kind, language)
        return self._frozen[kind, language]

    def _freeze(self, kind: SingleKind, language: str) -> bytes:
        words = self.catalogues.words(language)
        subject = _KINDS[kind].subject(words).format(title=self._publication.title)
        html, text = (
            self._render(f"email/{kind}.{suffix}", kind, subject, language, words)
            for suffix in ("html", "txt")
        )
        html = inline_css(html)
        if kind == "greeting":
            return freeze_list_message(
                self.settings,
                subject=subject,
                bodies=(html, text),
                language=language,
                about="greeting:welcome",
            )
        slot = _KINDS[kind].slot
        return freeze_draft(
            Draft(
                sender=self.settings.email.from_,
                reply_to=self.settings.email.reply_to,
                subject=subject,
                html=html,
                text=text,
                language=language,
                domain=parseaddr(self.settings.email.from_)[1].rpartition("@")[2],
                slots={_SLOT: slot} if slot else {},
                auto_submitted="auto-generated",
            )
        )

    def _render(
        self, name: str, kind: SingleKind, subject: str, language: str, words: Words
    ) -> str:
        slot = _KINDS[kind].slot
        marker = UNSUBSCRIBE_SLOT if kind == "greeting" else _SLOT
        try:
            return self._templates.get_template(name).render(
                publication=self._publication,
                subject=subject,
                language=language,
                direction=direction(language),
                words=words,
                site_url=f"{self._publication.url}/",
                postal_address=self.settings.email.postal_address,
                wrap=wrap,
                underline=underline,
                width=WIDTH,
                **_KINDS[kind].values,
                **({slot: marker} if slot else {}),
            )
        except Exception as error:  # a template may also divide by nothing
            raise PublisherError(f"templates/{name}: {error}") from None

    def start(
        self,
        connection: Connection,
        publication: int,
        kind: SingleKind,
        subscriber: int,
        now: datetime,
        *,
        language: str = "",
        address: str | None = None,
    ) -> Mailing:
        """Start the mailing of a message to a subscriber, or about them to another address.

        The connection writes: it leaves if what asked for it is kept, and only then.
        """
        content = self.freeze(kind, language)
        issue = f"{kind}-{make_ref()}"
        new = new_mailing(content, self.settings, issue, kind, _KINDS[kind].purpose)
        return start_single_mailing(
            connection, publication, new, now, subscriber=subscriber, address=address
        )
