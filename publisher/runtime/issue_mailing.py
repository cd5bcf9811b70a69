"""An issue's message -> its mailing, with all the variants that readers may have chosen of it."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from publisher.audience.choosing import heed, make_offer, merge
from publisher.message.freeze import digest
from publisher.model.choices import WHOLE, Choices, Definition
from publisher.model.delivery import Mailing
from publisher.runtime.start import freeze_issue, new_mailing
from publisher.settings import Settings
from publisher.site.message import IssueMessage
from publisher.site.variants import choose, render_variant
from publisher.store.database import Database, Held
from publisher.store.starting import NewMailing, start_issue_mailing
from publisher.store.variants import NewContent, Variants, list_choices


class IssueVariants:
    """The variants of an issue's mailing, each of them made once; for one thread."""

    def __init__(self, message: IssueMessage, settings: Settings) -> None:
        self._message = message
        self._settings = settings
        self._offer = make_offer(settings)
        self._made: dict[Definition, NewContent] = {}

    @property
    def issue_id(self) -> str:
        return self._message.issue.id

    @property
    def has_weekly(self) -> bool:
        return self._offer.has_weekly

    def define(self, choices: Iterable[Choices]) -> Definition | None:
        """What readers get of the issue who made these choices, by what is offered now."""
        heeded = merge(heed(each, self._offer) for each in choices)
        return choose(self._message.issue, heeded)

    def make(self, definition: Definition) -> NewContent:
        """Render and freeze a variant, or give it as it was made before.

        Raises PublisherError as freezing the whole does.
        """
        if definition not in self._made:
            self._made[definition] = self._make(definition)
        return self._made[definition]

    def _make(self, definition: Definition) -> NewContent:
        whole = self._message
        subject = whole.rendered.subject
        rendered = render_variant(whole.issue, definition, subject, whole.setting, whole.templates)
        content = freeze_issue(whole, self._settings, rendered=rendered)
        version = whole.issue.version
        return NewContent(version=version, digest=digest(content), content=content)


def new_issue_mailing(content: bytes, settings: Settings, message: IssueMessage) -> NewMailing:
    """The mailing of an issue's message, frozen."""
    issue = message.issue
    new = new_mailing(content, settings, issue.id, issue.slug, version=issue.version)
    return msgspec.structs.replace(new, variants=IssueVariants(message, settings))


def start_issue(
    database: Database, settings: Settings, message: IssueMessage, content: bytes, now: datetime
) -> Mailing:
    """Start the issue's mailing, or give the one that somebody started before."""
    new = new_issue_mailing(content, settings, message)
    make_ahead(database, new.variants, now)
    with database.write() as connection:
        return start_issue_mailing(connection, database.publication, new, now)


def make_ahead(database: Database | Held, variants: Variants | None, now: datetime) -> None:
    """Make the variants that readers have chosen by now, before others wait for a transaction."""
    if variants is None:
        return
    with database.read() as connection:
        choices = list_choices(connection, database.publication, variants, now)
    for definition in {variants.define([each]) for each in choices}:
        if definition not in (None, WHOLE):
            variants.make(definition)
