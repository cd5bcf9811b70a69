"""Issue -> the message's two bodies, with a slot where each recipient's own URL belongs."""

import re
from functools import lru_cache
from typing import Any

import msgspec
from jinja2 import Environment, Template

from publisher.errors import SettingsError
from publisher.model import content as c
from publisher.model.issue import Highlight, Image, Issue
from publisher.render.cut import cut_longest, weigh_all
from publisher.render.hints import hint_tables
from publisher.render.html import Target, render_html
from publisher.render.inline import inline_css
from publisher.render.text import TEMPLATE, Targets, render_text
from publisher.render.urls import with_params
from publisher.render.views import (
    CorrectionOpening,
    HighlightView,
    IssueView,
    Opening,
    Setting,
    TagView,
    mail_target,
    view_highlight,
    view_issue,
)
from publisher.render.week_opening import WeekOpening

# Gmail shows the first 102 KB of a message's HTML and hides the rest, footer and all, behind a
# link; the room between is for personal URLs and for what a provider adds on the way.
LIMIT = 90_000

# Stands for the personal URL that ends a subscription. URL-safe ASCII, so that nothing on the way
# into the message escapes, breaks or quotes it; .invalid belongs to nobody (RFC 2606, section 2).
UNSUBSCRIBE_SLOT = "https://slot.invalid/unsubscribe"

# What templates print for the slot until content is beyond writing one of its own: a character
# that XML forbids, so that no issue can hold it.
_PLACEHOLDER = "\uffff"
_BREAK_HINT = "\u200b"

# Images as wide as the text: 600 less the card's padding of 32 on each side, in CSS pixels.
IMAGE_WIDTH = 536
# Clients show up to 140 characters behind a subject, tablets a few more.
PREHEADER_LENGTH = 200

_LINE_ENDS = re.compile(r"[ \t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")


class Cut(msgspec.Struct, frozen=True):
    """A highlight that the message shows in part: `kept` of its `total` blocks."""

    id: str
    title: str
    kept: int
    total: int
    line: int


class RenderedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message for anybody: `html` and `text` hold UNSUBSCRIBE_SLOT, to be filled for each."""

    subject: str
    html: str
    text: str
    cuts: tuple[Cut, ...]


def render_message(
    issue: Issue, setting: Setting, templates: Environment, opening: Opening | None = None
) -> RenderedMessage:
    """Render both bodies, cut so that the HTML has at most LIMIT bytes where that can be done.

    With an opening it is another message with the issue in it, such as a reader's welcome.
    Raises SettingsError where the subject's template is wrong, jinja2.TemplateError where a
    template of the publication's own is.
    """
    targets = _mail_targets(issue, setting, opening)
    bodies = tuple(highlight.body for highlight in issue.highlights)
    # Far too much is cut before the first rendering, which would take long.
    bodies = cut_longest(bodies, weigh_all(bodies) - LIMIT)
    while True:
        view = _view(issue, bodies, setting, targets, opening)
        subject = opening.subject if opening else render_subject(view, setting, templates)
        html = _render_html(view, subject, setting, templates, opening)
        size = len(html.encode())
        if size <= LIMIT or not any(bodies):
            break
        # A little less than its share, so that the next rendering is seldom much too small.
        bodies = cut_longest(bodies, (size - LIMIT) * weigh_all(bodies) // size + 1)
    text = render_text(
        view, issue.introduction, bodies, setting, targets, _PLACEHOLDER, templates, opening
    )
    return RenderedMessage(
        subject=subject, html=html, text=_open_slots(text), cuts=_cuts(issue, bodies)
    )


def fill_slots(body: str, unsubscribe_url: str) -> str:
    """Put a URL, of URL-safe ASCII without `&`, where either body has its slot."""
    return body.replace(UNSUBSCRIBE_SLOT, unsubscribe_url)


def render_subject(view: IssueView, setting: Setting, templates: Environment) -> str:
    """Render `email.subject` in one line; the issue's title where nothing comes of it."""
    try:
        return render_line(setting.subject, templates, issue=view) or view.title
    except Exception as error:  # a template may also divide by nothing
        raise SettingsError(f"publisher.toml: email.subject: {error}") from None


def render_line(source: str, templates: Environment, **values: Any) -> str:
    """Render a template of the settings in one line. Raises whatever the template does."""
    return _LINE_ENDS.sub(" ", _compile_line(source, templates).render(**values)).strip()


@lru_cache(maxsize=16)
def _compile_line(source: str, templates: Environment) -> Template:
    # Still sandboxed; but a header is not HTML, so nothing is escaped.
    return templates.overlay(autoescape=False).from_string(source)


def _render_html(
    view: IssueView,
    subject: str,
    setting: Setting,
    templates: Environment,
    opening: Opening | None,
) -> str:
    words = setting.words(view.language)
    template = opening.template if opening else TEMPLATE
    rendered = templates.get_template(f"{template}.html").render(
        **({opening.name: opening} if opening else {}),
        issue=view,
        subject=subject,
        preheader=_preheader(view, words.separator, opening),
        publication=setting.publication,
        postal_address=setting.postal_address,
        unsubscribe_url=_PLACEHOLDER,
        words=words,
        image_width=IMAGE_WIDTH,
    )
    return inline_css(_open_slots(rendered))


def _open_slots(rendered: str) -> str:
    """Turn placeholders into slots, once the content's own likeness of one is made harmless."""
    harmless = UNSUBSCRIBE_SLOT.replace("slot.", f"slot.{_BREAK_HINT}")
    return rendered.replace(UNSUBSCRIBE_SLOT, harmless).replace(_PLACEHOLDER, UNSUBSCRIBE_SLOT)


def _preheader(view: IssueView, separator: str, opening: Opening | None) -> str:
    """The first headlines, whole ones, as far as an inbox shows them; of a correction its note."""
    if isinstance(opening, CorrectionOpening):
        return " ".join(opening.lines)[:PREHEADER_LENGTH]
    shown = ""
    for highlight in view.highlights:
        longer = f"{shown}{separator}{highlight.title}" if shown else highlight.title
        if shown and len(longer) > PREHEADER_LENGTH:
            break
        shown = longer
    return shown


def _mail_targets(issue: Issue, setting: Setting, opening: Opening | None) -> Targets:
    """Where links lead: those within an issue to its page, whichever it is."""
    own = _mail_target(setting, issue.slug, 3)
    if not isinstance(opening, WeekOpening):
        return Targets(own, (own,) * len(issue.highlights))
    targets = {part.slug: _mail_target(setting, part.slug, 4) for part in opening.parts}
    slugs = [opening.find_slug(highlight.id) for highlight in issue.highlights]
    return Targets(own, tuple(targets[slug] for slug in slugs))


def _mail_target(setting: Setting, slug: str, heading: int) -> Target:
    """As for any mail, with images that do not widen Outlook's layout."""
    target = mail_target(setting, slug, heading)
    return msgspec.structs.replace(target, image=lambda src: _fit(target.image(src)))


def _fit(image: Image | None) -> Image | None:
    """Scale an image down to the width of the text; one of unknown size stays as it is."""
    if image is None or image.width <= IMAGE_WIDTH:
        return image
    height = round(image.height * IMAGE_WIDTH / image.width)
    return msgspec.structs.replace(image, width=IMAGE_WIDTH, height=height)


def _view(
    issue: Issue,
    bodies: tuple[c.Blocks, ...],
    setting: Setting,
    targets: Targets,
    opening: Opening | None,
) -> IssueView:
    parts = zip(issue.highlights, bodies, targets.highlights, strict=True)
    highlights = tuple(
        _view_highlight(highlight, number, body, issue, setting, target)
        for number, (highlight, body, target) in enumerate(parts, 1)
    )
    view = view_issue(issue, setting, targets.issue, highlights)
    # A reader who follows it much later is told what has changed in what was mailed.
    url = setting.urls.version(issue.slug, issue.version) if issue.version else view.url
    if isinstance(opening, WeekOpening):
        url = opening.url
    return msgspec.structs.replace(
        view,
        url=with_params(url, setting.link_params),
        message_url=with_params(view.message_url, setting.link_params),
        tags=_with_params(view.tags, setting),
    )


def _view_highlight(
    highlight: Highlight,
    number: int,
    body: c.Blocks,
    issue: Issue,
    setting: Setting,
    target: Target,
) -> HighlightView:
    view = view_highlight(
        highlight,
        number,
        issue,
        setting,
        target,
        url=with_params(setting.urls.highlight(highlight.id), setting.link_params),
        body=render_html(hint_tables(body), target),
        is_cut=len(body) < len(highlight.body),
    )
    return msgspec.structs.replace(
        view, image=_fit(view.image), tags=_with_params(view.tags, setting)
    )


def _with_params(tags: tuple[TagView, ...], setting: Setting) -> tuple[TagView, ...]:
    return tuple(
        msgspec.structs.replace(tag, url=with_params(tag.url, setting.link_params)) for tag in tags
    )


def _cuts(issue: Issue, bodies: tuple[c.Blocks, ...]) -> tuple[Cut, ...]:
    return tuple(
        Cut(highlight.id, highlight.title, len(body), len(highlight.body), highlight.line)
        for highlight, body in zip(issue.highlights, bodies, strict=True)
        if len(body) < len(highlight.body)
    )
