"""Entries: what of a highlight and of an issue goes into every feed."""

from typing import Any

import msgspec
import pytest

from publisher.model.issue import Highlight, Image, Issue, Person
from publisher.render.entries import authors_of, entry_id, highlight_entry, issue_entry
from publisher.render.views import Setting
from tests.render.feed_html import Content
from tests.render.feed_samples import (
    NEWER,
    OLDER,
    PUBLICATION,
    SETTING,
    dates_of,
    link,
    paragraph,
)


def _entry(highlight: Highlight, issue: Issue = NEWER, setting: Setting = SETTING) -> Any:
    return highlight_entry(highlight, 1, issue, setting, dates_of(issue, 1))


def _sample(id_: str) -> Any:
    return _entry(next(each for each in NEWER.highlights if each.id == id_))


def test_highlight_content_is_image_then_body_then_source() -> None:
    content = _sample("harbour").content
    assert content.startswith(
        '<p><img src="https://news.example/daily/media/harbour.jpg" '
        'alt="Ships, &quot;big&quot; &amp; small" width="1200" height="800"></p>\n'
        "<p>The harbour opened at dawn &amp; closed at noon; "
        "&lt;script&gt;alert('1')&lt;/script&gt; is text.</p>\n"
    )
    assert content.endswith(
        '\n<p>Source: <a href="https://source.example/a?b=1&amp;c=2#d">Harbour &amp; Sons</a></p>'
    )


def test_headings_begin_below_the_title() -> None:
    """A highlight's stand under its own title, in an issue's entry under the highlight's."""
    assert "<h2>What happened</h2>" in _sample("harbour").content
    content = issue_entry(NEWER, SETTING, dates_of(NEWER, 0)).content
    assert "<h3>What happened</h3>" in content


def test_no_url_is_relative_and_none_dangerous() -> None:
    for entry in (_sample("harbour"), issue_entry(NEWER, SETTING, dates_of(NEWER, 0))):
        urls = Content(entry.content).urls
        assert "https://news.example/daily/about/" in urls
        assert "https://news.example/daily/issues/2025-12-15/#zh" in urls
        assert "https://news.example/daily/media/map%20of%20port.png" in urls
        assert all(url.startswith("https://") for url in urls)
        assert "Never run this, nor" in entry.content


def test_foreign_highlight_is_marked_with_language_and_direction() -> None:
    arabic = _sample("ar")
    assert arabic.language == "ar"
    assert arabic.content == (
        '<div lang="ar" dir="rtl">\n<p>بدأ المهرجان اليوم بحضور «كبير».</p>\n'
        '<p>المصدر: <a href="https://www.akhbar.example/1">akhbar.example</a></p>\n</div>'
    )
    assert _sample("zh").content.startswith('<div lang="zh-Hans" dir="ltr">\n<p>记者')
    assert "来源：" in _sample("zh").content


def test_content_of_a_right_to_left_publication_says_so() -> None:
    publication = msgspec.structs.replace(PUBLICATION, language="ar")
    setting = msgspec.structs.replace(SETTING, publication=publication)
    entry = issue_entry(OLDER, setting, dates_of(OLDER, 0))
    assert entry.content.startswith('<div lang="ar" dir="rtl">\n<h2>')


def test_issue_content_is_introduction_then_linked_headings() -> None:
    entry = issue_entry(NEWER, SETTING, dates_of(NEWER, 0))
    assert entry.content.startswith(
        '<p>Good morning. <a href="https://news.example/daily/archive/2025/">The archive</a> '
        "has more.</p>\n"
        '<h2><a href="https://news.example/daily/highlights/harbour/">Why &lt;b&gt; &amp; '
        "“AT&amp;amp;T” met in &lt;i&gt;the harbour&lt;/i&gt; &amp;#8212; twice</a></h2>\n<p><img"
    )
    assert (
        '<div lang="ar" dir="rtl">\n<h2><a href="https://news.example/daily/highlights/ar/">'
        "افتتاح مهرجان السينما في شنغهاي</a></h2>\n<p>بدأ"
    ) in entry.content
    assert entry.content.count("<h2>") == len(NEWER.highlights)


def test_issue_is_named_and_dated() -> None:
    entry = issue_entry(NEWER, SETTING, dates_of(NEWER, 0))
    assert entry.id == "tag:news.example,2025:daily/i2"
    assert entry.url == "https://news.example/daily/issues/2025-12-15/"
    assert (entry.title, entry.tags) == (NEWER.title, NEWER.tags)
    assert (entry.published, entry.updated) == (NEWER.date, NEWER.date)
    assert entry.image == Image(
        "https://news.example/daily/media/harbour.jpg", 'Ships, "big" & small', 1200, 800
    )
    assert issue_entry(OLDER, SETTING, dates_of(OLDER, 0)).title == PUBLICATION.title


def test_summary_of_an_issue_is_its_own_or_its_beginning_or_its_headlines() -> None:
    def summary(issue: Issue) -> str:
        return issue_entry(issue, SETTING, dates_of(issue, 0)).summary

    assert summary(OLDER) == "A quiet Sunday: rain & tea"
    assert summary(NEWER) == "Good morning. The archive has more."
    assert summary(msgspec.structs.replace(OLDER, summary="")) == "Rain · Tea"
    assert summary(msgspec.structs.replace(OLDER, summary="", highlights=())) == PUBLICATION.title


def test_summary_is_the_first_paragraph_cut_to_length() -> None:
    long = Highlight(id="long", title="Long", body=(paragraph("word " * 100), paragraph("more")))
    summary = _entry(long).summary
    assert summary == ("word " * 100)[: len(summary) - 1] + "…"
    assert 270 < len(summary) <= 280
    assert _sample("zh").summary == "记者从组委会获悉，电影节今日开幕。"


def test_highlight_without_title_or_text_is_still_named_and_summarised() -> None:
    adopted, bare = _sample("adopted"), _sample("bare")
    assert adopted.title == "A highlight without a title is named by its own first words."
    assert bare.summary == "Nothing but a picture"
    assert bare.content == '<p><img src="https://images.example/far.png" alt=""></p>'
    nothing = _entry(Highlight(id="x", title=""))
    assert (nothing.title, nothing.summary, nothing.content) == (NEWER.title, NEWER.title, "")


def test_unnamed_highlight_has_a_heading_in_the_issue() -> None:
    issue = msgspec.structs.replace(NEWER, highlights=(Highlight(id="x", title=""),))
    content = issue_entry(issue, SETTING, dates_of(issue, 0)).content
    page = "https://news.example/daily/highlights/x/"
    assert f'<h2><a href="{page}">{page}</a></h2>' in content


def test_feeds_of_summaries_carry_no_content() -> None:
    dates = dates_of(NEWER, 1)
    entry = highlight_entry(NEWER.highlights[0], 1, NEWER, SETTING, dates, full_content=False)
    assert (entry.content, entry.summary[:11]) == ("", "The harbour")
    assert issue_entry(NEWER, SETTING, dates, full_content=False).content == ""


def test_adopted_guid_is_the_identity() -> None:
    assert _sample("adopted").id == "https://old.example/?p=42"
    assert entry_id(PUBLICATION.id, "a", "") == "tag:news.example,2025:daily/a"
    issue = msgspec.structs.replace(NEWER, guid="urn:x:1")
    assert issue_entry(issue, SETTING, dates_of(issue, 0)).id == "urn:x:1"


@pytest.mark.parametrize(
    ("own", "publications", "expected"),
    [
        ((Person("A", "a@x.example"), Person("B")), Person("P"), ("A", "B")),
        ((), Person("P", "p@x.example"), ("P",)),
        ((), None, (PUBLICATION.title,)),
        # An address given for a name stays out of feeds.
        ((), Person("p@x.example", "p@x.example"), (PUBLICATION.title,)),
        ((Person("p@x.example", "p@x.example"), Person("A")), None, ("A",)),
    ],
)
def test_authors(
    own: tuple[Person, ...], publications: Person | None, expected: tuple[str, ...]
) -> None:
    issue = msgspec.structs.replace(NEWER, authors=own)
    publication = msgspec.structs.replace(PUBLICATION, author=publications)
    authors = authors_of(issue, publication)
    assert tuple(author.name for author in authors) == expected
    assert not any(author.email for author in authors)


def test_source_without_a_page_is_a_name() -> None:
    entry = _entry(Highlight(id="x", title="X", source="The <cook>", body=(paragraph("."),)))
    assert entry.content == "<p>.</p>\n<p>Source: The &lt;cook&gt;</p>"
    dangerous = Highlight(id="x", title="X", url="javascript:alert(1)", body=(paragraph("."),))
    assert _entry(dangerous).content == "<p>.</p>"
    assert _entry(dangerous).source_url == ""
    brackets = Highlight(id="x", title="X", body=(paragraph(link("https://a.example/[1]", "a")),))
    assert _entry(brackets).content == '<p><a href="https://a.example/%5B1%5D">a</a></p>'
