"""The message that corrects an issue: what it says, in every language, and nothing else."""

from datetime import UTC, datetime

import pytest
from jinja2 import Environment
from lxml import html as lxml_html

from publisher.model.issue import Issue
from publisher.render.correction import CorrectionNote, render_correction
from publisher.render.email import LIMIT, RenderedMessage, fill_slots
from publisher.render.views import Setting

from ..conftest import Golden

NOTE = "The ferry leaves at nine, not at eight.\n\nWe are <sorry>."
CHANGES = "https://daily.example/issues/2025-12-15/changes/"
LEAVE = "https://daily.example/#leave"


def _render(
    issue: Issue, setting: Setting, templates: Environment, *, first: int, last: int
) -> RenderedMessage:
    note = CorrectionNote(
        issue=issue,
        note=NOTE,
        at=datetime(2025, 12, 16, 18, tzinfo=UTC),  # the 17th in Shanghai
        changed=issue.highlights[first:last],
        has_own_words=first == last,
        changes_url=CHANGES,
    )
    return render_correction(note, "Lanterns over the harbour", setting, templates)


@pytest.mark.parametrize("language", ["english", "chinese", "arabic"])
def test_golden(
    language: str,
    request: pytest.FixtureRequest,
    setting: Setting,
    templates: Environment,
    golden: Golden,
) -> None:
    issue = request.getfixturevalue(language)
    message = _render(issue, setting, templates, first=0, last=1)
    golden(f"email/correction-{language}.html", fill_slots(message.html, LEAVE))
    golden(f"email/correction-{language}.txt", fill_slots(message.text, LEAVE))


def test_it_answers_the_message_and_has_what_was_changed_alone(
    english: Issue, setting: Setting, templates: Environment
) -> None:
    message = _render(english, setting, templates, first=1, last=2)
    assert message.subject == "Re: Lanterns over the harbour"
    body = lxml_html.document_fromstring(message.html).find("body")
    assert body is not None
    said = body.text_content()
    for text in (said, message.text):
        assert "Correction, December 17, 2025" in text
        assert "The ferry leaves at nine, not at eight." in text
        assert "We are <sorry>." in text
        assert english.highlights[1].title in " ".join(text.split())
        assert english.highlights[0].title not in text
        assert "Good morning" not in text
        assert "In this issue" not in text
    links = {link.get("href") for link in body.iter("a")}
    assert f"{CHANGES}?utm_source=mail" in links
    assert "https://slot.invalid/unsubscribe" in links


def test_of_no_highlight_it_shows_the_issues_own_words(
    english: Issue, setting: Setting, templates: Environment
) -> None:
    message = _render(english, setting, templates, first=0, last=0)
    for text in (message.html, message.text):
        assert "Good morning" in text
        assert english.highlights[0].title not in text


def test_what_is_too_long_for_a_message_is_cut(
    english: Issue, setting: Setting, templates: Environment
) -> None:
    from msgspec.structs import replace

    long = replace(english.highlights[0], body=english.highlights[0].body * 400)
    issue = replace(english, highlights=(long,))
    message = _render(issue, setting, templates, first=0, last=1)
    assert len(message.html.encode()) <= LIMIT
    assert message.cuts
