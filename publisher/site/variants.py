"""An issue and what a reader chose of it -> what they get, and the message of that."""

import msgspec
from jinja2 import Environment

from publisher.model.choices import Choices, Definition
from publisher.model.issue import Issue
from publisher.render.chosen import render_chosen
from publisher.render.email import RenderedMessage, fill_slots
from publisher.render.views import Setting, title_of
from publisher.site.archive import Archive
from publisher.site.order import effective_tags
from publisher.site.result import Result
from publisher.site.write import Output


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


def render_variant(
    issue: Issue, definition: Definition, subject: str, setting: Setting, templates: Environment
) -> RenderedMessage:
    """Render what a definition says of an issue; `subject` is that of the whole."""
    ids = set(definition.highlights)
    kept = tuple(each for each in issue.highlights if not ids or each.id in ids)
    shown = msgspec.structs.replace(issue, highlights=kept)
    total = len(issue.highlights)
    return render_chosen(shown, definition.form, total, subject, setting, templates)


def make_headlines(archive: Archive, slug: str) -> Result:
    """An issue's message as those see it who chose the headlines; no file of the site's own."""
    issue = archive.issue(slug)
    if issue is None:
        return Result(())
    setting, templates = archive.setting, archive.context.templates
    message = render_variant(
        issue,
        Definition(form="headlines"),
        title_of(issue, setting.publication),
        setting,
        templates,
    )
    html = fill_slots(message.html, f"{setting.urls.home()}#leave")
    return Result((Output(f"issues/{slug}/headlines.html", html.encode()),))
