"""What a reader chose of an issue: the headlines in one list, or some highlights alone."""

import msgspec
import pytest
from jinja2 import Environment
from lxml import html as lxml_html

from publisher.model.choices import Choices, Definition
from publisher.model.issue import Issue, Tag
from publisher.render.email import RenderedMessage, fill_slots
from publisher.render.views import Setting
from publisher.site.variants import choose, render_variant

from ..conftest import Golden

LEAVE = "https://daily.example/#leave"
SUBJECT = "The subject of the whole"
HEADLINES = Definition(form="headlines")


def _render(
    issue: Issue, definition: Definition, setting: Setting, templates: Environment
) -> RenderedMessage:
    return render_variant(issue, definition, SUBJECT, setting, templates)


@pytest.mark.parametrize("language", ["english", "chinese", "arabic"])
def test_golden(
    language: str,
    request: pytest.FixtureRequest,
    setting: Setting,
    templates: Environment,
    golden: Golden,
) -> None:
    issue = request.getfixturevalue(language)
    message = _render(issue, HEADLINES, setting, templates)
    golden(f"email/headlines-{language}.html", fill_slots(message.html, LEAVE))
    golden(f"email/headlines-{language}.txt", fill_slots(message.text, LEAVE))


def test_the_headlines_are_links_with_their_sources_and_nothing_more(
    english: Issue, setting: Setting, templates: Environment
) -> None:
    message = _render(english, HEADLINES, setting, templates)
    assert message.subject == SUBJECT
    assert message.cuts == ()
    body = lxml_html.document_fromstring(message.html).find("body")
    assert body is not None
    entries = body.cssselect("li.entry")
    assert len(entries) == len(english.highlights)
    assert not body.cssselect("img")
    lines = message.text.split("\n")
    for number, (entry, highlight) in enumerate(zip(entries, english.highlights, strict=True), 1):
        (link,) = entry.cssselect("a.link")
        assert link.text_content() == highlight.title
        url = f"https://daily.example/highlights/{highlight.id}/?utm_source=mail"
        assert link.get("href") == url
        assert f"    {url}" in lines
        assert any(line.startswith(f"{number:2d}. ") for line in lines)
        if highlight.source:
            assert highlight.source in entry.text_content()
            assert f"    ({highlight.source})" in lines
    for text in (body.text_content(), message.text):
        assert "A ferry that carries a cinema" in " ".join(text.split())  # the introduction
        assert "You get the headlines only, as you chose." in text


def test_chosen_highlights_stand_alone_and_their_foot_says_why(
    english: Issue, setting: Setting, templates: Environment
) -> None:
    first, second, *others = english.highlights
    definition = Definition(highlights=(first.id, second.id))
    message = _render(english, definition, setting, templates)
    for body in (message.html, " ".join(message.text.split())):
        assert first.title in body
        assert second.title in body
        assert not any(each.title in body for each in others)
        assert f"2 of the {len(english.highlights)} highlights of this issue" in body
        assert "headlines only" not in body
        # Where a link is mailed on request, and not a token that could do more than end it.
        assert "https://mail.daily.example/preferences" in body
        assert "https://mail.daily.example/preferences/" not in body


def test_a_tag_selects_what_the_site_shows_under_it(english: Issue) -> None:
    ids = tuple(each.id for each in english.highlights)
    tags = {slug: Tag(slug, slug.upper()) for slug in ("own", "common", "none")}
    first = msgspec.structs.replace(english.highlights[0], tags=(tags["own"],))
    rest = [msgspec.structs.replace(each, tags=()) for each in english.highlights[1:]]
    issue = msgspec.structs.replace(english, highlights=(first, *rest), tags=())

    assert choose(issue, Choices()) == Definition()
    assert choose(issue, Choices(tags=("none", "own"))) == Definition(highlights=ids[:1])
    assert choose(issue, Choices(tags=("none",), content="headlines")) is None
    with_common = msgspec.structs.replace(issue, tags=(tags["common"],))
    assert choose(with_common, Choices(tags=("common",))) == Definition()
    headlines = Choices(content="headlines", tags=("own",))
    assert choose(with_common, headlines) == Definition(form="headlines", highlights=ids[:1])
    empty = msgspec.structs.replace(issue, highlights=())
    assert choose(empty, Choices(tags=("own",))) is None
    assert choose(empty, Choices(content="headlines")) == HEADLINES
