"""An issue and what a reader chose of it -> what they get, and the message of that."""

import msgspec

from publisher.model.choices import Choices, Definition
from publisher.model.issue import Issue
from publisher.render.chosen import render_chosen
from publisher.render.email import RenderedMessage
from publisher.site.message import IssueMessage
from publisher.site.order import effective_tags


def choose(issue: Issue, choices: Choices) -> Definition | None:
    """What of an issue somebody gets; None where no highlight has a tag that they chose.

    A highlight has the tags that the site shows it under, its issue's among them.
    """
    wanted = set(choices.tags)
    if not wanted:
        return Definition(form=choices.content)
    chosen = tuple(
        each.id
        for each in issue.highlights
        if wanted.intersection(tag.slug for tag in effective_tags(each, issue))
    )
    if not chosen:
        return None
    is_all = len(chosen) == len(issue.highlights)
    return Definition(form=choices.content, highlights=() if is_all else chosen)


def render_variant(message: IssueMessage, definition: Definition) -> RenderedMessage:
    """Render what a definition says of an issue; the subject is that of the whole."""
    issue, ids = message.issue, set(definition.highlights)
    kept = tuple(each for each in issue.highlights if not ids or each.id in ids)
    return render_chosen(
        msgspec.structs.replace(issue, highlights=kept),
        definition.form,
        len(issue.highlights),
        message.rendered.subject,
        message.setting,
        message.templates,
    )
