"""A correction, as it is mailed to those who were sent what it corrects."""

from datetime import datetime

import msgspec
from jinja2 import Environment

from publisher.model.issue import Highlight, Issue
from publisher.render.email import RenderedMessage, render_message
from publisher.render.urls import with_params
from publisher.render.views import CorrectionOpening, Setting, language_of, write_date


class CorrectionNote(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator says of a change: `note` in plain text, `at` when it was corrected.

    `issue` is as it reads now; `changed` are those of its highlights that are concerned, and
    `has_own_words` tells that its own words are. `changes_url` is the page with all its versions.
    """

    issue: Issue
    note: str
    at: datetime
    changed: tuple[Highlight, ...]
    has_own_words: bool
    changes_url: str


def render_correction(
    note: CorrectionNote, subject: str, setting: Setting, templates: Environment
) -> RenderedMessage:
    """Render both bodies of the message: what was changed and why, and how it reads now.

    `subject` is that of the message which it answers. Raises as render_message does.
    """
    language = language_of(note.issue, setting.publication)
    words = setting.words(language)
    day = write_date(note.at.astimezone(setting.zone), language)
    view = CorrectionOpening(
        subject=f"Re: {subject}",  # as programs know an answer by, in every language
        label=words.correction_label.format(day=day),
        lines=tuple(line.strip() for line in note.note.splitlines() if line.strip()),
        changes_url=with_params(note.changes_url, setting.link_params),
    )
    return render_message(_changed(note), setting, templates, view)


def _changed(note: CorrectionNote) -> Issue:
    """The issue with nothing in it but what was changed; the note stands before it, and alone."""
    bare = [msgspec.structs.replace(each, corrections=()) for each in note.changed]
    issue = msgspec.structs.replace(note.issue, highlights=tuple(bare), corrections=())
    return issue if note.has_own_words else msgspec.structs.replace(issue, introduction=())
