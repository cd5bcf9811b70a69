"""Two issues with all that hurts feeds, and the feeds made of them."""

from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import msgspec

from publisher.model import content as c
from publisher.model.feed import Entry, Feed
from publisher.model.issue import Highlight, Image, Issue, Person, Tag
from publisher.model.publication import Publication
from publisher.render.entries import highlight_entry, issue_entry
from publisher.render.urls import Urls
from publisher.render.views import Setting
from tests.catalogues import CATALOGUES

SHANGHAI = timezone(timedelta(hours=8))

PUBLICATION = Publication(
    id="tag:news.example,2025:daily",
    title="The Daily “Digest” & Co",
    url="https://news.example/daily",
    time_zone="Asia/Shanghai",
    description="News <in brief> & views, every morning",
    author=Person("News Desk", "desk@news.example"),
    rights="© 2025 News & Co",
    logo="media/logo.png",
)
URLS = Urls(PUBLICATION.url)
SETTING = Setting(
    publication=PUBLICATION,
    urls=URLS,
    web_url=PUBLICATION.url,
    catalogues=CATALOGUES,
    media={"media/harbour.jpg": (1200, 800)},
)


def paragraph(*nodes: c.Inline | str) -> c.Paragraph:
    return c.Paragraph(tuple(c.Text(n) if isinstance(n, str) else n for n in nodes))


def link(href: str, text: str, title: str = "") -> c.Link:
    return c.Link(href, title, (c.Text(text),), 1)


_EVERYTHING = (
    paragraph("The harbour opened at dawn & closed at noon; <script>alert('1')</script> is text."),
    paragraph(
        "See ", link("about/", "about us", 'a "quoted" > title'), " and ", link("#zh", "below")
    ),
    paragraph("Never ", link("javascript:alert(1)", "run this"), ", nor &lt;this&gt; 🚢👩‍👩‍👧"),
    c.Heading(1, (c.Text("What happened"),), 5),
    c.List(
        is_ordered=True, start=3, is_tight=True, items=((paragraph("three"),), (paragraph("four"),))
    ),
    c.Quote((paragraph("“Never closed, he said"),)),
    c.CodeBlock("if a < b && c:\n    pass\n", "python"),
    c.Table(
        aligns=("left", "right"),
        header=((c.Text("Port"),), (c.Text("Ships"),)),
        rows=(((c.Text("A & B"),), (c.Code("<12>"),)),),
    ),
    paragraph(c.Picture("media/map of port.png", 'The "map"', "", 9)),
)

NEWER = Issue(
    slug="2025-12-15",
    path="issues/2025-12-15.md",
    id="i2",
    title='Today’s "Highlights" & <more>',
    date=datetime(2025, 12, 15, 7, tzinfo=SHANGHAI),
    status="ready",
    authors=(Person("Li Wei 李伟", "li@news.example"), Person("A. <Editor>")),
    tags=(Tag("briefing", "Briefing"),),
    introduction=(paragraph("Good morning. ", link("archive/2025/", "The archive"), " has more."),),
    highlights=(
        Highlight(
            id="harbour",
            title="Why <b> & “AT&amp;T” met in <i>the harbour</i> &#8212; twice",
            url="https://source.example/a?b=1&c=2#d",
            source="Harbour & Sons",
            image=Image("media/harbour.jpg", 'Ships, "big" & small'),
            tags=(Tag("trade", "Trade & <Ports>"), Tag("dian-ying", "电影")),
            body=_EVERYTHING,
        ),
        Highlight(
            id="zh",
            title="“电影节”在上海开幕 🎬",
            language="zh-Hans",
            source="新华社",
            url="https://xinhua.example/电影?q=[1]",
            tags=(Tag("dian-ying", "电影"),),
            body=(
                paragraph("记者从组委会获悉，", c.Break(False), "电影节今日开幕。"),
                paragraph("第二段。"),
            ),
        ),
        Highlight(
            id="ar",
            title="افتتاح مهرجان السينما في شنغهاي",
            language="ar",
            url="https://www.akhbar.example/1",
            body=(paragraph("بدأ المهرجان اليوم بحضور «كبير»."),),
        ),
        Highlight(
            id="adopted",
            title="",
            guid="https://old.example/?p=42",
            body=(paragraph("A highlight without a title is named by its own first words."),),
        ),
        Highlight(
            id="bare",
            title="Nothing but a picture",
            image=Image("https://images.example/far.png", None),
        ),
    ),
)

OLDER = Issue(
    slug="2025-12-14",
    path="issues/2025-12-14.md",
    id="i1",
    date=datetime(2025, 12, 14, 7, 30, tzinfo=SHANGHAI),
    status="ready",
    summary="A quiet Sunday: rain & tea",
    highlights=(
        Highlight(id="rain", title="Rain", body=(paragraph("It rained. " * 40),)),
        Highlight(id="tea", title="Tea", source="The cook", body=(paragraph("There was tea."),)),
    ),
)

# The harbour's text was corrected the next day.
_CORRECTED = {"harbour": datetime(2025, 12, 16, 9, 0, 0, tzinfo=SHANGHAI)}


class Dates(NamedTuple):
    published: datetime
    updated: datetime


def dates_of(issue: Issue, place: int, id_: str = "") -> Dates:
    assert issue.date
    published = issue.date + timedelta(seconds=place)
    return Dates(published, _CORRECTED.get(id_, published))


def highlight_entries(
    *issues: Issue, setting: Setting = SETTING, **more: bool
) -> tuple[Entry, ...]:
    return tuple(
        highlight_entry(each, place, issue, setting, dates_of(issue, place, each.id), **more)
        for issue in issues
        for place, each in enumerate(issue.highlights, 1)
    )


def make_feed(stem: str, entries: tuple[Entry, ...], **changes: Any) -> Feed:
    feed = Feed(
        id=f"{PUBLICATION.id}/{stem}",
        title=PUBLICATION.title,
        description=PUBLICATION.description,
        url=URLS.home(),
        stem=URLS.path(stem),
        language=PUBLICATION.language,
        updated=max(entry.updated for entry in entries),
        entries=entries,
        authors=(Person("News Desk", "desk@news.example"),),
        rights=PUBLICATION.rights,
        logo=URLS.path(PUBLICATION.logo),
        hub="https://hub.example/",
        tags_url=URLS.path("tags/"),
    )
    return msgspec.structs.replace(feed, **changes)


HIGHLIGHTS = make_feed("feed", highlight_entries(NEWER, OLDER))
SUMMARIES = make_feed("summaries", highlight_entries(NEWER, OLDER, full_content=False))
ISSUES = make_feed(
    "issues",
    tuple(issue_entry(issue, SETTING, dates_of(issue, 0)) for issue in (NEWER, OLDER)),
)
ARCHIVE = make_feed(
    "archive/feed-2",
    highlight_entries(OLDER),
    id=HIGHLIGHTS.id,
    hub="",
    is_archive=True,
    current=URLS.path("feed.atom"),
    previous=URLS.path("archive/feed-1.atom"),
    following=URLS.path("archive/feed-3.atom"),
)
FEEDS = {"highlights": HIGHLIGHTS, "summaries": SUMMARIES, "issues": ISSUES, "archive": ARCHIVE}
