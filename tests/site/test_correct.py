"""Corrections: one update of one entry, a note wherever it is read, and what it said before."""

import json
import re
from datetime import timedelta

import pytest
from lxml import etree
from lxml import html as lxml_html

from publisher.errors import PublisherError
from publisher.site.check import check
from publisher.site.correct import MAX_NOTE, plan_correction
from publisher.site.history import read_history
from publisher.site.withdraw import withdraw
from tests.site.reading import entries, rules
from tests.site.world import SETTINGS, World

ISSUE = "issues/2026-01-05.md"
CHANGES = "issues/2026-01-05/changes/index.html"
BODY = (
    "Hello.\n\n## A {#a .film}\n\nIt took 12 million.\n\n## B {#b .stage}\n\nIt opened in 1994.\n"
)
NOTE = "It took 13 million & not 12."
DELETED = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"
COMMENT = "{http://purl.org/atompub/tombstones/1.0}comment"


@pytest.fixture
def published(world: World) -> World:
    world.issue("2026-01-05", BODY, date="2026-01-05T07:00:00Z")
    world.issue("2026-01-06")
    world.build()
    world.now += timedelta(days=1)
    return world


def mend(world: World) -> None:
    world.replace(ISSUE, "12 million", "13 million")


def test_a_correction_is_one_update_of_one_entry(published: World) -> None:
    before = entries(published) | entries(published, "issues.atom")
    mend(published)
    corrected = published.correct("2026-01-05", NOTE)
    assert (corrected.highlights, corrected.has_own_words) == (("a",), False)
    after = entries(published) | entries(published, "issues.atom")
    changed = {id_ for id_ in after if after[id_].updated != before[id_].updated}
    assert changed == {"a", "i2026-01-05"}
    lines = published.register().splitlines()
    published.now += timedelta(hours=1)
    assert published.build().written == 0
    assert published.register().splitlines() == lines
    assert sum(b'"id":"a"' in line for line in lines) == 2


def test_the_note_stands_wherever_the_highlight_does(published: World) -> None:
    mend(published)
    published.correct("2026-01-05", NOTE)
    label, note = "Correction, March 2, 2026:", "It took 13 million &amp; not 12."
    for path in ("issues/2026-01-05/index.html", "highlights/a/index.html", CHANGES):
        page = published.read(path)
        assert f"{label}</time></strong>" in page
        assert note in page
    for stem in ("feed", "issues", "tags/film/feed"):
        items = json.loads(published.read(f"{stem}.json"))["items"]
        assert any(f"<strong>{label}</strong>" in each["content_html"] for each in items)
        for suffix in ("atom", "rss"):
            assert label in published.read(f"{stem}.{suffix}")
    assert "Correction" not in published.read("highlights/b/index.html")
    assert "Correction" not in published.read("tags/stage/feed.atom")
    assert f"{label} {NOTE}" in published.read("issues/2026-01-05/email.txt")
    assert note in published.read("issues/2026-01-05/email.html")
    (data,) = lxml_html.fromstring(published.read("highlights/a/index.html")).xpath(
        "//script[@type='application/ld+json']/text()"
    )
    (comment,) = json.loads(data)["@graph"][0]["correction"]
    assert comment["@type"] == "CorrectionComment"
    assert comment["text"] == NOTE


def test_feeds_of_summaries_say_it_too(world: World) -> None:
    world.write("publisher.toml", f"{SETTINGS}\n[feeds]\nfull_content = false\n")
    world.issue("2026-01-05", BODY)
    world.build()
    mend(world)
    world.correct("2026-01-05", NOTE)
    item = json.loads(world.read("feed.json"))["items"][0]
    assert item["summary"].startswith(f"Correction, March 1, 2026: {NOTE} ")


def test_the_issues_own_words_have_their_note_on_the_issue(published: World) -> None:
    published.replace(ISSUE, "Hello.", "Good day.")
    before = entries(published)
    corrected = published.correct("2026-01-05", "We were rude.")
    assert (corrected.highlights, corrected.has_own_words) == ((), True)
    assert entries(published) == before
    assert "We were rude." in entries(published, "issues.atom")["i2026-01-05"].content
    page = lxml_html.fromstring(published.read("issues/2026-01-05/index.html"))
    (note,) = page.xpath("//article[contains(@class, 'issue')]/div[@class='corrections']")
    assert "We were rude." in note.text_content()


def test_mail_leads_to_what_it_carried(published: World) -> None:
    link = re.compile(r'href="(https://daily\.example/issues/2026-01-05/)#(v-[0-9a-f]{12})"')
    (_, sent), *_ = link.findall(published.read("issues/2026-01-05/email.html"))
    page = lxml_html.fromstring(published.read("issues/2026-01-05/index.html"))
    assert page.get_element_by_id(sent).tag == "article"
    assert not page.xpath("//*[@class='received' or @class='changed']")
    mend(published)
    published.correct("2026-01-05", NOTE)
    page = lxml_html.fromstring(published.read("issues/2026-01-05/index.html"))
    notice = page.get_element_by_id(sent)
    assert notice.get("class") == "received"
    assert NOTE in notice.text_content()
    (_, new), *_ = link.findall(published.read("issues/2026-01-05/email.html"))
    assert page.get_element_by_id(new).tag == "article"
    (url,) = notice.xpath(".//a/@href")
    assert url == f"https://daily.example/issues/2026-01-05/changes/#{new}"
    changes = lxml_html.fromstring(published.read(CHANGES))
    shown = changes.get_element_by_id(new)
    assert [each.text_content() for each in shown.xpath(".//del")] == ["Removed: 12 (end)"]
    assert [each.text_content() for each in shown.xpath(".//ins")] == ["Added: 13 (end)"]
    (whole,) = changes.get_element_by_id(sent).xpath("./details")
    assert "It took 12 million." in whole.text_content()
    assert changes.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert "changes/" not in published.read("sitemap.xml")


def test_an_edit_is_noticed_until_a_note_covers_it(published: World) -> None:
    mend(published)
    published.replace(ISSUE, "1994", "1995")
    found = check(published.folder, published.settings, published.now, ("2026-01-05",))
    (problem,) = [p for p in found if p.rule == "published-changed"]
    assert (problem.level, problem.line) == ("info", 10)
    assert "“A”, “B”" in problem.message
    assert "published-changed" in rules(published.build())
    published.correct("2026-01-05", NOTE, "a")
    found = check(published.folder, published.settings, published.now)
    (problem,) = [p for p in found if p.rule == "published-changed"]
    assert "“B”" in problem.message
    assert "“A”" not in problem.message
    published.correct("2026-01-05", "It opened in 1995.")
    found = check(published.folder, published.settings, published.now)
    assert not [p for p in found if p.rule == "published-changed"]
    corrections = read_history(published.folder)[0].corrections
    assert [each.highlights for each in corrections] == [("a",), ("b",)]


def plan(world: World, note: str = NOTE, *highlights: str) -> None:
    plan_correction(world.folder, world.settings, world.now, "2026-01-05", note, highlights)


@pytest.mark.parametrize(
    ("note", "highlights", "expected"),
    [
        (NOTE, ("b",), "'b' of 2026-01-05 was not changed; these were: a"),
        (" \n", (), "--note says nothing"),
        ("x" * (MAX_NOTE + 1), (), "1,001 characters"),
    ],
)
def test_what_cannot_be_noted(
    published: World, note: str, highlights: tuple[str, ...], expected: str
) -> None:
    mend(published)
    with pytest.raises(PublisherError, match=re.escape(expected)):
        plan(published, note, *highlights)


def test_nothing_changed_and_not_published(published: World) -> None:
    with pytest.raises(PublisherError, match="nothing was changed in 2026-01-05"):
        plan(published)
    published.issue("2026-01-07", status="draft")
    with pytest.raises(PublisherError, match="2026-01-07 is not published"):
        plan_correction(published.folder, published.settings, published.now, "2026-01-07", NOTE)


def test_a_refused_build_notes_nothing(published: World) -> None:
    mend(published)
    corrected = plan_correction(
        published.folder, published.settings, published.now, "2026-01-05", NOTE
    )
    files, history = published.files(), published.history()
    published.issue("2026-01-07", id="i2026-01-06")
    assert published.build(corrected=corrected).is_refused
    assert (published.files(), published.history()) == (files, history)
    (published.folder / "issues/2026-01-07.md").unlink()
    published.build()
    assert "It took 13 million." in published.read("highlights/a/index.html")
    assert "Correction" not in published.read("issues/2026-01-05/index.html")


def test_a_note_goes_with_its_highlight(published: World) -> None:
    mend(published)
    published.correct("2026-01-05", NOTE)
    published.replace(ISSUE, "## A {#a .film}\n\nIt took 13 million.\n\n", "")
    published.issue("2026-01-06", "## A {#a .film}\n\nIt took 13 million.\n")
    withdraw(published.folder, published.settings, "h2026-01-06", "", published.now)
    published.now += timedelta(hours=1)
    assert not published.build().is_refused
    assert "It took 13 million &amp;" in published.read("issues/2026-01-06/index.html")
    assert "stands in this issue no more" in published.read(CHANGES)


def test_nothing_of_what_was_withdrawn_is_shown_again(published: World) -> None:
    published.replace(ISSUE, "1994", "1995")
    published.correct("2026-01-05", "It was 1995.")
    withdraw(published.folder, published.settings, "b", "It never opened.", published.now)
    published.now += timedelta(hours=1)
    report = published.build()
    assert "published-changed" not in rules(report)
    page = published.read(CHANGES)
    assert "It opened" not in page
    assert "1994" not in page
    assert "It never opened." in page
    assert "What changed here was withdrawn since." in page


def test_a_renamed_issue_takes_its_changes_along(published: World) -> None:
    mend(published)
    published.correct("2026-01-05", NOTE)
    (published.folder / ISSUE).rename(published.folder / "issues/renamed.md")
    text = (published.folder / "issues/renamed.md").read_text()
    assert "date: 2026-01-05T07:00:00Z" in text
    published.build()
    assert "13" in published.read("issues/renamed/changes/index.html")
    assert "https://daily.example/issues/renamed/changes/" in published.read(CHANGES)


def deleted(world: World, path: str) -> dict[str, str]:
    root = etree.fromstring((world.public / path).read_bytes())
    return {
        each.get("ref").rpartition("/")[2]: each.findtext(COMMENT) or ""
        for each in root.iter(DELETED)
    }


def test_atom_says_what_was_withdrawn(published: World) -> None:
    withdraw(published.folder, published.settings, "a", "It was <b>false</b>.", published.now)
    withdraw(published.folder, published.settings, "i2026-01-06", "", published.now)
    published.build()
    both = {"a": "It was <b>false</b>.", "h2026-01-06": ""}
    assert deleted(published, "feed.atom") == both
    assert deleted(published, "issues.atom") == {"i2026-01-06": ""}
    assert "tombstones" not in published.read("feed.rss")
    (first, *_) = etree.fromstring((published.public / "feed.atom").read_bytes()).iter(DELETED)
    assert first.get("when") == "2026-03-02T13:00:00+01:00"


def test_withdrawals_leave_live_feeds_with_their_issues_and_stay_in_the_archive(
    published: World,
) -> None:
    published.replace(ISSUE, "## B {#b .stage}", "## C {#c .film}\n\nThird.\n\n## B {#b .stage}")
    published.build()
    withdraw(published.folder, published.settings, "a", "False.", published.now)
    published.build()
    assert deleted(published, "tags/film/feed.atom") == {"a": "False."}
    assert deleted(published, "tags/stage/feed.atom") == {}
    published.now += timedelta(days=60)
    for day in range(1, 8):
        published.issue(f"2026-04-{day:02d}")
    published.build()
    assert deleted(published, "feed.atom") == {}
    assert deleted(published, "archive/2026-01/feed.atom") == {"a": "False."}
    assert deleted(published, "archive/2026-01/tags/film/feed.atom") == {"a": "False."}
    assert deleted(published, "archive/2026-01/issues.atom") == {}
