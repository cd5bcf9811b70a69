"""What a reader chose of an issue, as a message of its own."""

import msgspec
from jinja2 import Environment

from publisher.model.choices import Content
from publisher.model.issue import Issue
from publisher.render.email import RenderedMessage, render_message
from publisher.render.views import Chosen, Headlines, Setting, language_of
from publisher.render.words import Words


def render_chosen(
    issue: Issue, form: Content, total: int, subject: str, setting: Setting, templates: Environment
) -> RenderedMessage:
    """Render both bodies of the highlights that are left of `total` in an issue, in a form.

    Raises as render_message does.
    """
    words = setting.words(language_of(issue, setting.publication))
    kind = Headlines if form == "headlines" else Chosen
    opening = kind(
        subject=subject,
        lines=_say_chosen(form, len(issue.highlights), total, words),
        preferences_url=f"{setting.web_url}/preferences",
    )
    return render_message(
        bare(issue) if form == "headlines" else issue, setting, templates, opening
    )


def bare(issue: Issue) -> Issue:
    """An issue with nothing in its highlights but what their headlines link to."""
    bare = (
        msgspec.structs.replace(each, body=(), image=None, corrections=())
        for each in issue.highlights
    )
    return msgspec.structs.replace(issue, highlights=tuple(bare))


def _say_chosen(form: Content, shown: int, total: int, words: Words) -> tuple[str, ...]:
    lines = [words.chosen_headlines] if form == "headlines" else []
    if shown < total:
        lines.append(words.chosen_topics.format(shown=shown, total=total))
    return tuple(lines)
