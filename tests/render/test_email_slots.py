"""The message's subject, and the slots that each recipient's own URL goes into."""

import re

import msgspec
import pytest
from jinja2 import Environment
from lxml import html as lxml_html

from publisher.errors import SettingsError
from publisher.model import content as c
from publisher.model.issue import Highlight, Issue, Tag
from publisher.render.email import UNSUBSCRIBE_SLOT, RenderedMessage, fill_slots, render_message
from publisher.render.views import Setting

LEAVE = "https://daily.example/#leave"


def text(words: str) -> c.Paragraph:
    return c.Paragraph((c.Text(words),))


@pytest.fixture
def message(english: Issue, setting: Setting, templates: Environment) -> RenderedMessage:
    return render_message(english, setting, templates)


def test_the_subject_is_a_template_of_the_issue_in_one_line(
    english: Issue, setting: Setting, templates: Environment
) -> None:
    own = msgspec.structs.replace(
        setting, subject="{{ issue.number }}:\r\n {{ issue.highlights[3].title }} <&>\u2028 "
    )
    assert render_message(english, own, templates).subject == "112: This week’s openings <&>"


def test_the_subject_keeps_the_titles_characters(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    issue = msgspec.structs.replace(brief, title="<b>5\u00a0km</b> & {{ 1 }} “x”")
    message = render_message(issue, setting, templates)
    assert message.subject == issue.title
    assert lxml_html.document_fromstring(message.html).findtext(".//title") == issue.title


@pytest.mark.parametrize(
    "subject", ["{{ nothing }}", "{{ issue.nothing }}", "{% if", "{{ ''.__class__.__mro__ }}"]
)
def test_a_wrong_subject_template_names_its_key(
    subject: str, english: Issue, setting: Setting, templates: Environment
) -> None:
    own = msgspec.structs.replace(setting, subject=subject)
    with pytest.raises(SettingsError, match=r"email\.subject"):
        render_message(english, own, templates)


def test_an_empty_subject_becomes_the_title(
    english: Issue, setting: Setting, templates: Environment
) -> None:
    own = msgspec.structs.replace(setting, subject="{% if false %}x{% endif %}")
    assert render_message(english, own, templates).subject == "Lanterns over the harbour"


def test_each_body_has_one_slot_and_it_can_be_filled(message: RenderedMessage) -> None:
    url = "https://mail.daily.example/unsubscribe/AbC-1_2"
    for body in (message.html, message.text):
        assert body.count(UNSUBSCRIBE_SLOT) == 1
        assert fill_slots(body, url) == body.replace(UNSUBSCRIBE_SLOT, url)
    assert re.fullmatch(r"[A-Za-z0-9:/._-]+", UNSUBSCRIBE_SLOT)
    assert f"\n{UNSUBSCRIBE_SLOT}\n" in message.text


def test_content_cannot_make_a_slot_of_its_own(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    """Else a hostile link would carry each reader's personal URL to its own server."""
    half = len(UNSUBSCRIBE_SLOT) // 2
    body = (
        text(f"see {UNSUBSCRIBE_SLOT} now"),
        c.Paragraph((c.Text(UNSUBSCRIBE_SLOT[:half]), c.Text(UNSUBSCRIBE_SLOT[half:]))),
        c.Paragraph((c.Link(f"https://evil.example/?u={UNSUBSCRIBE_SLOT}", "", (), 1),)),
        c.CodeBlock(UNSUBSCRIBE_SLOT, ""),
        c.Paragraph((c.Picture(f"{UNSUBSCRIBE_SLOT}/x.png", UNSUBSCRIBE_SLOT, "", 1),)),
    )
    highlight = Highlight(
        id="x",
        title=UNSUBSCRIBE_SLOT,
        source=UNSUBSCRIBE_SLOT,
        url=UNSUBSCRIBE_SLOT,
        tags=(Tag("x", UNSUBSCRIBE_SLOT),),
        body=body,
    )
    issue = msgspec.structs.replace(brief, title=UNSUBSCRIBE_SLOT, highlights=(highlight,))
    message = render_message(issue, setting, templates)
    for rendered in (message.html, message.text):
        assert rendered.count(UNSUBSCRIBE_SLOT) == 1
    assert fill_slots(message.html, LEAVE).count(LEAVE) == 1
