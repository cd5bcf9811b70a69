"""All pages of a little publication, and how tests read them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
from jinja2 import Environment
from lxml import html as lxml_html

from publisher.model.issue import Image, Issue, Tag
from publisher.model.language import direction
from publisher.render.excerpt import excerpt
from publisher.render.feeds_page import render_feeds_page
from publisher.render.frame import PageContext, site_feeds
from publisher.render.overview import render_archive_page, render_moved, render_tags_page
from publisher.render.page import (
    TagEntry,
    YearLink,
    render_highlight_page,
    render_home_page,
    render_issue_page,
    render_tag_page,
    render_tombstone,
    render_year_page,
)
from publisher.render.structured_data import Facts, Profile
from publisher.render.views import (
    HighlightLink,
    HighlightView,
    IssueLink,
    IssueView,
    Setting,
    TagView,
    language_of,
    page_target,
    title_of,
    view_highlight,
    view_issue,
    view_tags,
    write_day,
)

NAMES = (
    "issue-english",
    "issue-chinese",
    "issue-arabic",
    "issue-untitled",
    "highlight",
    "highlight-arabic",
    "home",
    "home-foreign",
    "home-empty",
    "year",
    "tag",
    "tag-older",
    "tombstone",
    "all-years",
    "all-tags",
    "about-feeds",
    "moved",
)


class Pages:
    """All pages of a little publication."""

    def __init__(self, setting: Setting, templates: Environment, *issues: Issue) -> None:
        self.setting = setting
        self.context = PageContext(
            setting=setting,
            templates=templates,
            stylesheet_url="https://daily.example/assets/site.css",
            feeds=site_feeds(setting),
            card=card("publication_card", "The Lantern Daily"),
            profile=Profile(
                ("https://social.example/@lantern",), "https://licence.example/by/4.0/"
            ),
        )
        self.english, self.chinese, self.arabic = issues
        self.links = {issue.slug: self.link(issue) for issue in issues}

    def view(self, issue: Issue) -> IssueView:
        target = page_target(self.setting, issue.slug, heading=3, is_lazy=True)
        views = tuple(
            view_highlight(each, place, issue, self.setting, target)
            for place, each in enumerate(issue.highlights, 1)
        )
        return view_issue(issue, self.setting, target, views)

    def single(self, issue: Issue, place: int) -> HighlightView:
        target = page_target(self.setting, issue.slug, heading=2)
        return view_highlight(issue.highlights[place], place + 1, issue, self.setting, target)

    def link(self, issue: Issue) -> IssueLink:
        language = language_of(issue, self.setting.publication)
        assert issue.date is not None
        return IssueLink(
            slug=issue.slug,
            title=title_of(issue, self.setting.publication),
            day=write_day(issue.date, language),
            date=issue.date,
            number=issue.number,
            url=self.setting.urls.issue(issue.slug),
            language=language,
            direction=direction(language),
            highlights=tuple(
                HighlightLink(
                    id=each.id,
                    title=each.title,
                    url=self.setting.urls.highlight(each.id),
                    summary=excerpt(each.body),
                    language=each.language or language,
                    direction=direction(each.language or language),
                )
                for each in issue.highlights
            ),
        )

    def issue(self, issue: Issue, newer: Issue | None = None, older: Issue | None = None) -> bytes:
        newer_link = self.link(newer) if newer else None
        older_link = self.link(older) if older else None
        view = self.view(issue)
        image = next((each.image for each in view.highlights if each.image), None)
        facts = self.facts(issue, image, issue.tags)
        return render_issue_page(self.context, view, newer_link, older_link, facts)

    def facts(self, issue: Issue, image: Image | None, tags: tuple[Tag, ...]) -> Facts:
        assert issue.date is not None
        author = self.setting.publication.author
        return Facts(
            published=issue.date,
            updated=issue.date + timedelta(hours=3),
            authors=issue.authors or ((author,) if author else ()),
            keywords=tuple(tag.label for tag in tags),
            image=image or card(issue.slug, issue.title),
        )

    def highlight(self, issue: Issue, place: int) -> bytes:
        links = (None, *self.link(issue).highlights, None)
        view = self.single(issue, place)
        before, after = links[place], links[place + 2]
        facts = self.facts(issue, view.image, (*issue.highlights[place].tags, *issue.tags))
        link = self.link(issue)
        return render_highlight_page(self.context, view, link, before, after, facts)

    def home(self, newest: Issue | None, *recent: Issue) -> bytes:
        view = self.view(newest) if newest else None
        years = (YearLink(2025, 349, "https://daily.example/archive/2025/"),) if newest else ()
        tags = [(tag, 3) for tag in view_tags(self.tags, self.setting.urls)] if newest else []
        links = tuple(self.link(issue) for issue in recent)
        return render_home_page(self.context, view, links, years, tuple(tags))

    @property
    def tags(self) -> tuple[Tag, ...]:
        return (Tag("film", "Film"), Tag("dian-ying", "电影"))

    def tag(self, number: int, newer: str = "", older: str = "") -> bytes:
        tag = TagView("dian-ying", "电影", "https://daily.example/tags/dian-ying/")
        entries = tuple(
            TagEntry(each, link) for link in self.links.values() for each in link.highlights
        )
        return render_tag_page(self.context, tag, entries, number, newer, older)

    def year(self) -> bytes:
        older = msgspec.structs.replace(
            self.link(self.english),
            date=datetime(2025, 11, 30, 7, tzinfo=timezone(timedelta(hours=8))),
        )
        years = (
            YearLink(2025, 0, "https://daily.example/archive/2025/"),
            YearLink(2024, 12, "https://daily.example/archive/2024/"),
        )
        links = (*reversed(self.links.values()), older)
        return render_year_page(self.context, 2025, links, years)

    def tombstone(self, reason: str = "The figures were wrong.") -> bytes:
        moment = datetime(2025, 12, 20, 20, tzinfo=UTC)
        return render_tombstone(self.context, "highlight", moment, reason, "en")

    def archive(self) -> bytes:
        urls = self.setting.urls
        years = (YearLink(2025, 349, urls.year(2025)), YearLink(2024, 12, urls.year(2024)))
        months = {2025: {12: 31, 1: 318}, 2024: {12: 12}}
        return render_archive_page(self.context, years, months, True)

    def all_tags(self) -> list[TagView]:
        return list(view_tags(self.tags, self.setting.urls))

    def all(self) -> Mapping[str, bytes]:
        en, zh, ar = self.english, self.chinese, self.arabic
        older = "https://daily.example/tags/dian-ying/1/"
        return {
            "issue-english": self.issue(en, newer=zh),
            "issue-chinese": self.issue(zh, newer=ar, older=en),
            "issue-arabic": self.issue(ar, older=zh),
            "issue-untitled": self.issue(untitled(en)),
            "highlight": self.highlight(en, 0),
            "highlight-arabic": self.highlight(ar, 0),
            "home": self.home(en, zh, ar, untitled(en)),
            "home-foreign": self.home(ar, zh),
            "home-empty": self.home(None),
            "year": self.year(),
            "tag": self.tag(0, older=older),
            "tag-older": self.tag(1, newer="https://daily.example/tags/dian-ying/"),
            "tombstone": self.tombstone(),
            "all-years": self.archive(),
            "all-tags": render_tags_page(self.context, [(tag, 3) for tag in self.all_tags()]),
            "about-feeds": render_feeds_page(self.context, self.all_tags()),
            "moved": render_moved(self.context, self.links[zh.slug].url, zh.title, "zh-Hans"),
        }


def card(slug: str, alt: str) -> Image:
    return Image(f"https://daily.example/cards/{slug}.png", alt, 1200, 630)


def untitled(issue: Issue) -> Issue:
    return msgspec.structs.replace(issue, title="", number=None, slug="2025-12-14")


def parse(page: bytes) -> lxml_html.HtmlElement:
    return lxml_html.document_fromstring(page.decode())


def only(tree: lxml_html.HtmlElement, path: str) -> Any:
    found = tree.xpath(path)
    assert len(found) == 1, (path, found)
    return found[0]


def meta(tree: lxml_html.HtmlElement, name: str) -> str:
    return str(only(tree, f"//meta[@name='{name}' or @property='{name}']/@content"))


def text(element: lxml_html.HtmlElement) -> str:
    return " ".join(element.text_content().split())
