"""A week's message: each issue's highlights under its heading, in every language, and no more."""

from datetime import date

import msgspec
import pytest
from jinja2 import Environment
from lxml import html as lxml_html

from publisher.errors import SettingsError
from publisher.model import content as c
from publisher.model.issue import Highlight, Issue
from publisher.render.email import LIMIT, RenderedMessage, fill_slots
from publisher.render.views import Setting
from publisher.render.week import render_week

from ..conftest import Golden

LEAVE = "https://daily.example/#leave"


@pytest.fixture
def week(english: Issue, chinese: Issue, arabic: Issue) -> list[Issue]:
    """Three issues, which share some of their samples: here each highlight is one's own."""
    return [
        _renamed(issue, name) for issue, name in ((english, "e"), (chinese, "c"), (arabic, "a"))
    ]


def _renamed(issue: Issue, name: str) -> Issue:
    own = [
        msgspec.structs.replace(each, id=f"{name}{place}-{each.id}")
        for place, each in enumerate(issue.highlights)
    ]
    return msgspec.structs.replace(issue, highlights=tuple(own), version=name * 64)


def _in(setting: Setting, language: str) -> Setting:
    publication = msgspec.structs.replace(setting.publication, language=language)
    return msgspec.structs.replace(setting, publication=publication)


def _body(message: RenderedMessage) -> lxml_html.HtmlElement:
    body = lxml_html.document_fromstring(message.html).find("body")
    assert body is not None
    return body


@pytest.mark.parametrize("language", ["en", "zh-Hans", "ar"])
def test_golden(
    language: str, week: list[Issue], setting: Setting, templates: Environment, golden: Golden
) -> None:
    message = render_week(week, "", _in(setting, language), templates)
    golden(f"email/week-{language}.html", fill_slots(message.html, LEAVE))
    golden(f"email/week-{language}.txt", fill_slots(message.text, LEAVE))


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "The week: December 15 – 17"),
        ("zh-Hans", "一周要闻：12月15–17日"),
        ("ar", "أسبوع 15–17 ديسمبر"),
        ("nl", "The week: December 15 – 17"),  # of whose words there are none
    ],
)
def test_its_subject_is_the_days_in_its_language(
    language: str, subject: str, week: list[Issue], setting: Setting, templates: Environment
) -> None:
    assert render_week(week, "", _in(setting, language), templates).subject == subject


def test_the_publication_words_its_subject(
    week: list[Issue], setting: Setting, templates: Environment
) -> None:
    source = "Week {{ week.last.isocalendar().week }} ({{ week.days }})\n"
    message = render_week(week, source, setting, templates)
    assert message.subject == "Week 51 (December 15 – 17)"
    assert "<h1" in message.html
    assert "The week: December 15 – 17" in message.text
    for wrong in ("{{ week.nothing.at_all }}", "{{ 1 / 0 }}", "{% if %}"):
        with pytest.raises(SettingsError, match=r"choices\.weekly_subject"):
            render_week(week, wrong, setting, templates)
    blank = render_week(week, "  {# nothing #} ", setting, templates)
    assert blank.subject == "The week: December 15 – 17"


def test_each_highlight_stands_once_under_its_issues_heading(
    week: list[Issue], setting: Setting, templates: Environment
) -> None:
    message = render_week(week, "", setting, templates)
    body = _body(message)
    found: list[str] = []
    for element in body.iter("h2", "h3"):
        link = element.find("a")
        if link is not None:
            found.append(link.get("id") or link.get("href") or "")
    wanted: list[str] = []
    for issue in week:
        url = f"https://daily.example/issues/{issue.slug}/?utm_source=mail#v-{issue.version[:12]}"
        wanted += [url, *(highlight.id for highlight in issue.highlights)]
    assert found == wanted
    numbers = [each.text for each in body.iter("span") if each.get("class") == "number"]
    assert numbers == [str(number + 1) for number in range(len(found) - len(week))]
    starts = [each.get("start") for each in body.iter("ol") if each.get("start")]
    assert starts[:3] == ["1", "6", "9"]
    for issue in week:
        for highlight in issue.highlights:
            assert " ".join(message.text.split()).count(f". {highlight.title}") >= 2
    assert "5 highlights" not in message.text
    assert "3 issues" in message.text
    assert "Good morning" not in message.html


def test_another_language_is_marked_and_so_is_an_issues_heading(
    week: list[Issue], setting: Setting, templates: Environment
) -> None:
    body = _body(render_week(week, "", setting, templates))
    marked = {link.get("id"): link.get("lang") for link in body.iter("a") if link.get("id")}
    assert marked[week[1].highlights[0].id] == "zh"
    assert marked[week[2].highlights[0].id] == "ar"
    assert marked[week[0].highlights[0].id] is None
    headings = [link for link in body.iter("a") if "/issues/" in (link.get("href") or "")]
    assert [link.get("dir") for link in headings if link.text == week[2].title] == ["rtl"]


def test_links_lead_to_the_archive_and_within_an_issue_to_its_own_page(
    setting: Setting, templates: Environment, english: Issue, chinese: Issue
) -> None:
    def pointing(issue: Issue, id: str) -> Issue:
        link = c.Link("#start", "", (c.Text("above"),), 1)
        body = (c.Paragraph((c.Text("See "), link)),)
        return msgspec.structs.replace(
            issue, highlights=(Highlight(id=id, title=id.title(), body=body),)
        )

    week = [pointing(english, "first"), pointing(chinese, "second")]
    message = render_week(week, "", setting, templates)
    for slug in ("2025-12-15", "2025-12-16"):
        assert f"https://daily.example/issues/{slug}/?utm_source=mail#start" in message.html
        assert f"https://daily.example/issues/{slug}/?utm_source=mail#start" in message.text
    assert 'href="https://daily.example/archive/?utm_source=mail"' in message.html
    assert "https://daily.example/archive/?utm_source=mail" in message.text
    assert "https://slot.invalid/unsubscribe" in message.html


@pytest.mark.parametrize("language", ["en", "zh-Hans", "ar"])
def test_golden_of_headlines(
    language: str, week: list[Issue], setting: Setting, templates: Environment, golden: Golden
) -> None:
    message = render_week(week, "", _in(setting, language), templates, form="headlines")
    golden(f"email/week-headlines-{language}.html", fill_slots(message.html, LEAVE))
    golden(f"email/week-headlines-{language}.txt", fill_slots(message.text, LEAVE))


def test_headlines_are_lists_of_links_and_nothing_else(
    week: list[Issue], setting: Setting, templates: Environment
) -> None:
    message = render_week(week, "", setting, templates, form="headlines", total=14)
    body = _body(message)
    ids = [link.get("id") for link in body.iter("a") if link.get("id")]
    assert ids == [highlight.id for issue in week for highlight in issue.highlights]
    assert [each.get("start") for each in body.iter("ol")] == ["1", "6", "9"]
    assert not body.findall(".//img")
    for said in (body.text_content(), message.text):
        assert "Bring a blanket" not in said
        assert "In this week’s message" not in said
        words = " ".join(said.split())
        assert "You get one message a week, as you chose." in words
        assert "You get the headlines only, as you chose." in words
        assert "These are 11 of the 14 highlights of this week" in words
    for highlight in week[2].highlights:
        assert f"{setting.urls.highlight(highlight.id)}?utm_source=mail" in message.text
    assert "https://mail.daily.example/preferences" in message.html
    assert "https://mail.daily.example/preferences" in message.text


def test_one_that_misses_some_issues_says_the_days_of_all(
    week: list[Issue], setting: Setting, templates: Environment
) -> None:
    days = (date(2025, 12, 15), date(2025, 12, 19))
    empty = msgspec.structs.replace(week[1], highlights=())
    message = render_week([empty, week[2]], "", setting, templates, days=days)
    assert message.subject == "The week: December 15 – 19"
    assert "1 issue" in message.text
    assert week[1].title not in message.html


def test_of_one_highlight_there_is_no_list(
    english: Issue, setting: Setting, templates: Environment
) -> None:
    alone = msgspec.structs.replace(english, highlights=english.highlights[:1])
    message = render_week([alone], "", setting, templates)
    assert message.subject == "The week: December 15"
    assert "1 highlight" in message.text
    assert "In this week’s message" not in message.html + message.text


def test_a_long_week_is_cut_as_an_issue_is(
    english: Issue, setting: Setting, templates: Environment
) -> None:
    block = c.Paragraph((c.Text("Harbour " * 400),))
    long = [
        msgspec.structs.replace(
            english,
            slug=f"2025-12-1{day}",
            highlights=tuple(
                Highlight(id=f"h{day}-{place}", title=f"H {day} {place}", body=(block,) * 6)
                for place in range(4)
            ),
        )
        for day in range(5)
    ]
    message = render_week(long, "", setting, templates)
    assert len(message.html.encode()) <= LIMIT
    assert len(message.cuts) > 10
    for issue in long:
        for highlight in issue.highlights:
            assert f'id="{highlight.id}"' in message.html
