"""The message's budget: what is cut where an issue is too long, and that nothing else is."""

import time
from pathlib import Path

import msgspec
import pytest
from jinja2 import Environment
from lxml import html as lxml_html

from publisher.model import content as c
from publisher.model.issue import Highlight, Issue
from publisher.render.cut import cut_longest, weigh_all
from publisher.render.email import LIMIT, RenderedMessage, render_message
from publisher.render.views import Setting


def text(words: str) -> c.Paragraph:
    return c.Paragraph((c.Text(words),))


def with_body(issue: Issue, *bodies: c.Blocks) -> Issue:
    highlights = tuple(
        Highlight(id=f"h{number}", title=f"Number {number}", body=body, line=10 * number)
        for number, body in enumerate(bodies, 1)
    )
    return msgspec.structs.replace(issue, highlights=highlights)


def test_an_ordinary_issue_is_small(brief: Issue, setting: Setting, templates: Environment) -> None:
    issue = with_body(brief, *[tuple(text("word " * 150) for _ in range(4))] * 5)
    message = render_message(issue, setting, templates)
    assert len(message.html.encode()) < 35_000
    assert message.cuts == ()


def kept_words(message: RenderedMessage, prefix: str) -> tuple[int, int]:
    return message.html.count(prefix), message.text.count(prefix)


def test_the_longest_highlight_is_cut_at_a_paragraph_with_a_link_to_the_rest(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    long = tuple(text(f"Long{n} " + "word " * 200) for n in range(150))
    short = tuple(text(f"Short{n} " + "word " * 200) for n in range(5))
    message = render_message(with_body(brief, short, long, short), setting, templates)
    (cut,) = message.cuts
    assert (cut.id, cut.title, cut.total, cut.line) == ("h2", "Number 2", 150, 20)
    assert 0 < cut.kept < 150
    assert LIMIT - 3000 < len(message.html.encode()) <= LIMIT
    assert kept_words(message, "Long") == (cut.kept, cut.kept)
    assert kept_words(message, "Short") == (10, 10)
    tree = lxml_html.document_fromstring(message.html)
    page = "https://daily.example/highlights/h2/?utm_source=mail"
    assert tree.xpath("//a[text()='Continue reading: Number 2']/@href") == [page]
    assert f"Continue reading: Number 2\n{page}\n" in message.text


def test_equally_long_highlights_are_cut_equally_from_the_last(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    body = tuple(text("word " * 200) for _ in range(30))
    message = render_message(with_body(brief, *[body] * 5), setting, templates)
    kept = [cut.kept for cut in message.cuts]
    assert len(kept) == 5
    assert kept == sorted(kept, reverse=True)
    assert kept[0] - kept[-1] <= 1
    assert LIMIT - 3000 < len(message.html.encode()) <= LIMIT


def test_a_single_giant_paragraph_becomes_its_link(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    message = render_message(
        with_body(brief, (text("x" * 200_000),), (text("short"),)), setting, templates
    )
    assert [(cut.kept, cut.total) for cut in message.cuts] == [(0, 1)]
    assert "Continue reading: Number 1" in message.html
    assert "short" in message.html


def test_small_blocks_with_much_markup_are_counted_by_what_becomes_of_them(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    body = tuple(text("x") for _ in range(20_000))
    message = render_message(with_body(brief, body), setting, templates)
    assert LIMIT - 2000 < len(message.html.encode()) <= LIMIT


def test_ten_megabytes_take_seconds(brief: Issue, setting: Setting, templates: Environment) -> None:
    body = tuple(text("word " * 200) for _ in range(2000))
    began = time.perf_counter()
    message = render_message(with_body(brief, *[body] * 5), setting, templates)
    assert time.perf_counter() - began < 3
    assert len(message.html.encode()) <= LIMIT


def test_what_cannot_be_made_to_fit_is_cut_as_far_as_it_goes(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    issue = with_body(brief, *[(text("word " * 200), text("word"))] * 200)
    message = render_message(issue, setting, templates)
    assert len(message.html.encode()) > LIMIT
    assert {cut.kept for cut in message.cuts} == {0}
    assert len(message.cuts) == 200


def test_cutting_leaves_no_heading_without_text() -> None:
    body: c.Blocks = (
        text("kept"),
        c.Heading(2, (c.Text("loose"),), 1),
        c.Rule(),
        text("x" * 100),
    )
    assert cut_longest((body,), 50) == (body[:1],)


def test_cutting_nothing_changes_nothing() -> None:
    body = (text("a"), c.Heading(2, (c.Text("b"),), 1))
    assert cut_longest((body, ()), 0) == (body, ())
    assert cut_longest((), 10) == ()
    assert weigh_all(()) == 0


def test_every_paragraph_of_the_real_digest_is_in_both_bodies(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    digest = Path(__file__).parents[3] / "shared" / "digests" / "todays-highlights.txt"
    if not digest.exists():
        pytest.skip("the digest is not here")
    lines = [line.strip() for line in digest.read_text("utf-8-sig").splitlines() if line.strip()]
    message = render_message(
        with_body(brief, tuple(text(line) for line in lines)), setting, templates
    )
    assert message.cuts == ()
    paragraphs = {p.text_content() for p in lxml_html.document_fromstring(message.html).iter("p")}
    unwrapped = message.text.replace("\n", " ")
    for line in lines:
        assert line in paragraphs
        assert line in unwrapped
