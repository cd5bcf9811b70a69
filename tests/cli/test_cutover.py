"""import --feed, cutover: feed readers that come from elsewhere see nothing new."""

import json
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from publisher.intake.read import read_issue
from publisher.preflight.cutover import foresee_cutover
from publisher.preflight.feed_readers import READERS
from publisher.site.register import PATH as REGISTER
from tests.cli.command_line import DIGEST, CommandLine
from tests.cli.test_moving_in import issue_of
from tests.intake.moving.samples import (
    PLAIN,
    SUBSTACK_COLUMNS,
    WORDPRESS_HEAD,
    WORDPRESS_TAIL,
    substack_row,
    table,
    wordpress_item,
    zipped,
)

POSTS = 6
Entry = dict[str, str]


def rss(*entries: Entry) -> str:
    items = "".join(
        f"<item>{''.join(f'<{tag}>{text}</{tag}>' for tag, text in each.items() if text)}</item>"
        for each in entries
    )
    items = items.replace("<guid>", '<guid isPermaLink="false">')
    return f'<rss version="2.0"><channel><title>Old</title>{items}</channel></rss>'


def wordpress_entry(number: int, **changes: str) -> Entry:
    return {
        "title": f"Post {number}",
        "link": f"https://pier.example/2024/04/post-{number}/",
        "guid": f"https://pier.example/?p={number}",
        "pubDate": f"{number:02} Apr 2024 10:00:00 +0000",
        "description": "Text",
    } | changes


@pytest.fixture
def moved(cli: CommandLine) -> CommandLine:
    """A WordPress that was imported, and not built."""
    items = [wordpress_item(n, f"Post {n}", PLAIN) for n in range(1, POSTS + 1)]
    cli.write("wp.xml", WORDPRESS_HEAD + "".join(items) + WORDPRESS_TAIL)
    assert cli("import", "wp.xml").status == 0
    return cli


def cutover(cli: CommandLine, feed: str) -> dict[str, Any]:
    done = cli("cutover", feed, "--json")
    assert done.status == 0, done
    return {each["feed"]: each for each in done.json["feeds"]}


def test_from_wordpress_nothing_is_new(moved: CommandLine) -> None:
    """The export has the guids of the feed, so that the feed is not even needed."""
    moved.write("feed.xml", rss(*map(wordpress_entry, range(POSTS, 0, -1))))
    before = moved.files()
    found = cutover(moved, "feed.xml")
    assert found["issues.rss"]["new"] == 0
    assert found["issues.rss"]["entries"] == POSTS
    assert found["issues.rss"]["surprises"] == []
    assert {reader["reader"] for reader in found["issues.rss"]["readers"]} == {
        kind.__name__ for kind in READERS
    }
    assert moved.files() == before  # nothing was built or published


def test_the_highlights_feed_is_another_one(moved: CommandLine) -> None:
    moved.write("feed.xml", rss(*map(wordpress_entry, range(POSTS, 0, -1))))
    found = cutover(moved, "feed.xml")["feed.rss"]
    assert found["new"] == POSTS
    assert {surprise["why"] for surprise in found["surprises"]} == {"identity"}
    assert "https://pier.example/?p=1" in json.dumps(found)


def test_what_a_short_feed_no_longer_holds_would_look_new(moved: CommandLine) -> None:
    moved.write("feed.xml", rss(*map(wordpress_entry, range(POSTS, 2, -1))))
    found = cutover(moved, "feed.xml")["issues.rss"]
    assert [(each["title"], each["why"]) for each in found["surprises"]] == [
        ("Post 2", "earlier"),
        ("Post 1", "earlier"),
    ]


def test_an_issue_that_is_newer_is_new(moved: CommandLine) -> None:
    moved.issue("2024-04-20", date="2024-04-20T10:00:00Z")
    moved.write("feed.xml", rss(*map(wordpress_entry, range(POSTS, 0, -1))))
    (surprise,) = cutover(moved, "feed.xml")["issues.rss"]["surprises"]
    assert surprise["why"] == "later"


def test_a_cutover_in_words(moved: CommandLine) -> None:
    moved.write("feed.xml", rss(*map(wordpress_entry, range(POSTS, 0, -1))))
    done = moved("cutover", "feed.xml")
    lines = done.out.splitlines()
    assert lines[0] == f"issues.rss: 0 of {POSTS} entries would look new"
    assert all(line.startswith("  ") for line in lines[1:-1])
    assert lines[-1] == f"feed.rss: {POSTS} of {POSTS} entries would look new"
    assert "The old feed goes on as issues.rss: only its figures count.\n" in done.err


# Guids that only the feed knows


@pytest.fixture
def letters(cli: CommandLine) -> CommandLine:
    """A Substack that was exported: it says neither guids nor where it was."""
    rows = [
        substack_row(f"{n}.letter-{n}", f"2024-04-{n:02}T08:00:00.000Z", f"Letter {n}")
        for n in range(1, POSTS + 1)
    ]
    pages = {f"posts/{n}.letter-{n}.html": f"<p>Text {n}.</p>" for n in range(1, POSTS + 1)}
    cli.write("export.zip", zipped({"posts.csv": table(SUBSTACK_COLUMNS, *rows), **pages}))
    return cli


def letter(number: int, **changes: str) -> Entry:
    url = f"https://pier.substack.com/p/letter-{number}"
    moment = datetime.fromisoformat(f"2024-04-{number:02}T08:00:05+00:00")
    return {
        "title": f"Letter {number}",
        "link": url,
        "guid": url,
        "pubDate": format_datetime(moment),
    } | changes


def test_a_feed_is_adopted_with_its_export(letters: CommandLine) -> None:
    letters.write("feed.xml", rss(*map(letter, range(POSTS, 0, -1))))
    done = letters("import", "export.zip", "--feed", "feed.xml", "--json")
    assert done.status == 0
    adopted = done.json["adopted"]
    assert adopted["entries"] == POSTS
    assert {each["by"] for each in adopted["adopted"]} == {"link"}
    assert adopted["problems"] == []
    first = issue_of(letters, "letter-1")
    assert first.guid == "https://pier.substack.com/p/letter-1"
    assert first.date is not None
    assert first.date.isoformat() == "2024-04-01T08:00:05+00:00"
    assert cutover(letters, "feed.xml")["issues.rss"]["new"] == 0
    # After the first build too: what it recorded is what was foreseen.
    assert letters("build").status == 0
    assert cutover(letters, "feed.xml")["issues.rss"]["new"] == 0
    assert "https://pier.substack.com/p/letter-1" in letters.read(REGISTER)


def test_without_the_feed_all_would_look_new(letters: CommandLine) -> None:
    letters("import", "export.zip")
    letters.write("feed.xml", rss(*map(letter, range(POSTS, 0, -1))))
    assert cutover(letters, "feed.xml")["issues.rss"]["new"] == POSTS


def test_a_feed_is_adopted_afterwards_and_once(letters: CommandLine) -> None:
    letters("import", "export.zip")
    letters.write("feed.xml", rss(*map(letter, range(POSTS, 0, -1))))
    assert letters("import", "--feed", "feed.xml").status == 0
    before = letters.files()
    again = letters("import", "--feed", "feed.xml", "--json").json["adopted"]
    assert letters.files() == before
    assert {(each["by"], each["is_new"]) for each in again["adopted"]} == {("guid", False)}
    # To import the export again does not take the guids away.
    letters("import", "export.zip", "--force")
    assert issue_of(letters, "letter-1").guid == "https://pier.substack.com/p/letter-1"


def test_a_feed_without_guids(letters: CommandLine) -> None:
    """Readers know such entries by their links, and some by the dates with them."""
    letters.write("feed.xml", rss(*(letter(n, guid="") for n in range(POSTS, 0, -1))))
    letters("import", "export.zip", "--feed", "feed.xml")
    assert issue_of(letters, "letter-1").guid == "https://pier.substack.com/p/letter-1"
    found = cutover(letters, "feed.xml")["issues.rss"]
    news = {reader["reader"]: reader["new"] for reader in found["readers"]}
    assert news["Miniflux"] == news["LemonReader"] == news["Feedly"] == 0
    # Its ids are hashes of links and dates then, and links are other ones here.
    assert news["FreshRSS"] == POSTS
    assert {surprise["why"] for surprise in found["surprises"]} == {"reader"}


def test_atom_and_json_feeds(letters: CommandLine) -> None:
    entries = "".join(
        f"<entry><id>urn:letter:{n}</id><title>Letter {n}</title><updated>2024-04-{n:02}T10:00:00"
        f"+02:00</updated><link href='https://a.example/x/{n}'/></entry>"
        for n in range(POSTS, 0, -1)
    )
    letters.write("feed.atom", f"<feed xmlns='http://www.w3.org/2005/Atom'>{entries}</feed>")
    done = letters("import", "export.zip", "--feed", "feed.atom", "--json").json
    assert {each["by"] for each in done["adopted"]["adopted"]} == {"title"}
    first = issue_of(letters, "letter-1")
    assert first.guid == "urn:letter:1"
    assert cutover(letters, "feed.atom")["issues.atom"]["new"] == 0
    items = [
        {"id": f"urn:letter:{n}", "title": f"Letter {n}", "content_text": "x"}
        for n in range(POSTS, 0, -1)
    ]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "Old", "items": items}
    letters.write("feed.json", json.dumps(feed))
    assert cutover(letters, "feed.json")["issues.json"]["new"] == 0


def test_a_feed_of_highlights(cli: CommandLine) -> None:
    """Whose entries were single stories, as those of a pasted digest are."""
    cli.write("today.txt", DIGEST)
    cli("import", "today.txt", "--date", "2025-12-15", "--ready")
    titles = ["A lamp for &quot;the old pier&quot;", "电影周在海口开幕"]
    entries = [
        {"title": title, "guid": f"story {n}", "pubDate": f"15 Dec 2025 0{n}:00:00 +0100"}
        for n, title in enumerate(titles)
    ]
    cli.write("feed.xml", rss(*entries))
    adopted = cli("import", "--feed", "feed.xml", "--json").json["adopted"]
    assert [(each["issue"], each["guid"]) for each in adopted["adopted"]] == [
        ("2025-12-15", "story 0"),
        ("2025-12-15", "story 1"),
    ]
    assert [h.guid for h in issue_of(cli, "2025-12-15").highlights] == ["story 0", "story 1"]
    assert cutover(cli, "feed.xml")["feed.rss"]["new"] == 0


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_guids_in_structured_issues(cli: CommandLine, suffix: str) -> None:
    issue = {
        "id": "i1",
        "title": "One",
        "date": "2024-04-01T00:00:00+02:00",
        "status": "ready",
        "highlights": [{"id": "h1", "title": "Two", "body": "Text."}],
    }
    cli.write(f"issues/one.{suffix}", json.dumps(issue, indent=1))
    entries = [{"title": name, "guid": f'a "{name}"', "pubDate": "1 Apr 2024"} for name in "xy"]
    entries[0]["title"], entries[1]["title"] = "One", "Two"
    cli.write("feed.xml", rss(*entries))
    assert cli("import", "--feed", "feed.xml").status == 0
    path = f"issues/one.{suffix}"
    found, problems = read_issue((cli.folder / path).read_bytes(), path, ZoneInfo("UTC"))
    assert found is not None, problems
    assert [found.guid, *(highlight.guid for highlight in found.highlights)] == ['a "x"', 'a "y"']


def test_what_nobody_knows_is_said(letters: CommandLine) -> None:
    letters.write(
        "feed.xml", rss(letter(1), letter(2, title="Else", link="https://e.example/else"))
    )
    done = letters("import", "export.zip", "--feed", "feed.xml", "--json").json
    (problem,) = done["adopted"]["problems"]
    assert (problem["rule"], problem["file"]) == ("feed-unmatched", "feed.xml")
    assert "Else" in problem["message"]


def test_what_is_published_keeps_its_identity(letters: CommandLine) -> None:
    letters("import", "export.zip")
    letters("build")
    before = letters.files()
    letters.write("feed.xml", rss(letter(1)))
    done = letters("import", "--feed", "feed.xml", "--json").json
    assert [problem["rule"] for problem in done["adopted"]["problems"]] == ["feed-published"]
    assert done["adopted"]["adopted"] == []
    assert {**before, "feed.xml": b""} == {**letters.files(), "feed.xml": b""}


def test_two_of_one_title_are_not_guessed_at(cli: CommandLine) -> None:
    for day in ("2024-04-01", "2024-04-02"):
        cli.issue(day, title="The same")
    cli.write("feed.xml", rss({"title": "The same", "guid": "g", "pubDate": "1 Apr 2024"}))
    done = cli("import", "--feed", "feed.xml", "--json").json
    assert [problem["rule"] for problem in done["adopted"]["problems"]] == ["feed-unmatched"]


@pytest.mark.parametrize(
    ("feed", "why"),
    [
        ("nothing.xml", "there is no file"),
        ("page.html", "is no feed"),
        (".", "a folder or an archive"),
        ("http://127.0.0.1:1/feed", "private network"),
        ("https://user:secret@news.example/feed", "password"),
    ],
)
@pytest.mark.parametrize("command", [["cutover"], ["import", "--feed"]])
def test_no_feed(cli: CommandLine, command: list[str], feed: str, why: str) -> None:
    cli.write("page.html", "<html><body>Not a feed</body></html>")
    done = cli(*command, feed)
    assert done.status == 2
    assert why in done.err


def test_issues_with_errors_have_no_feed_to_foresee(moved: CommandLine) -> None:
    moved.write("feed.xml", rss(wordpress_entry(1)))
    moved.write("issues/2024-05-01.md", "---\ntitle: x\nstatus: ready\n---\n\n## No id\n\nText.\n")
    done = moved("cutover", "feed.xml")
    assert done.status == 2
    assert "publisher check" in done.err


def test_a_draft_is_not_foreseen(moved: CommandLine) -> None:
    moved.issue("2024-04-20", status="draft")
    moved.write("feed.xml", rss(*map(wordpress_entry, range(POSTS, 0, -1))))
    assert cutover(moved, "feed.xml")["issues.rss"]["entries"] == POSTS


def test_a_feed_that_is_not_well_formed_is_read_as_readers_do() -> None:
    old = rss(wordpress_entry(1)).replace("Text", "Text & more &nbsp;").encode()
    new = rss(wordpress_entry(1, description="Text")).encode()
    now = datetime.fromisoformat("2024-05-01T00:00:00+00:00") + timedelta(days=1)
    (found,) = foresee_cutover(old, {"issues.rss": new}, "https://pier.example/feed", now)
    assert found.new == 0
