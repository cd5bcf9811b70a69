"""draft: an issue of what sources have that is new, from real servers and files."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from publisher.intake.read import read_issue
from publisher.model.issue import Issue
from publisher.site.linked import find_linked
from tests.cli.command_line import SETTINGS, CommandLine
from tests.runtime.feed_server import (
    FeedServer,
    answer,
    answer_unless_known,
    serving_feeds,
    write_rss,
)

ALLOWED = '\n[sources]\nallow_private = ["127.0.0.1"]\n'
DAY = "2026-01-05"


@pytest.fixture
def feeds(cli: CommandLine) -> Iterator[FeedServer]:
    cli.write("publisher.toml", SETTINGS + ALLOWED)
    with serving_feeds() as feeds:
        yield feeds


def issue(cli: CommandLine, name: str = DAY) -> Issue:
    data = (cli.folder / f"issues/{name}.md").read_bytes()
    found, problems = read_issue(data, f"issues/{name}.md", ZoneInfo("Europe/Berlin"))
    assert found is not None
    assert [each for each in problems if each.level == "error"] == []
    return found


def test_a_draft_of_several_sources(cli: CommandLine, feeds: FeedServer) -> None:
    feeds.paths |= {
        "/wire": answer(write_rss("Court blocks the merger of two chains", "A ship came in")),
        "/post": answer(
            write_rss("The court blocks merger of two chains today").replace(
                b"wire.example", b"post.example"
            )
        ),
        "/zh": answer_unless_known(write_rss("市议会批准新电车线路", language="zh-Hans"), '"1"'),
        "/down": answer(b"oh", 500),
    }
    cli.write("sources.opml", feeds.opml("/wire", "/post", "/zh", "/down"))
    done = cli("draft", "--date", DAY, "--json")
    assert done.status == 0
    assert (done.json["issue"], done.json["path"]) == (DAY, f"issues/{DAY}.md")
    assert [each["status"] for each in done.json["sources"]] == ["fetched"] * 3 + ["failed"]
    assert done.json["sources"][3]["reason"] == "it answered 500"
    assert [(s["entries"], s["taken"], s["folded"]) for s in done.json["sources"]] == [
        *((2, 2, 0), (1, 0, 1), (1, 1, 0), (0, 0, 0)),
    ]
    written = issue(cli)
    assert written.status == "draft"
    assert {each["id"] for each in done.json["highlights"]} == {h.id for h in written.highlights}
    by_title = {each.title: each for each in written.highlights}
    court = by_title["Court blocks the merger of two chains"]
    assert court.source == "wire, post"
    text = cli.read(f"issues/{DAY}.md")
    assert "Court blocks the merger of two chains, it is said. There is more.\n" in text
    assert "\npost: https://post.example/0/43\n" in text
    assert by_title["市议会批准新电车线路"].language == "zh-Hans"
    assert court.language == ""
    # Nothing of it is published: it is a draft.
    assert cli("build", "--json").json["issues"] == 0


def test_what_was_told_already_is_left_out(cli: CommandLine, feeds: FeedServer) -> None:
    feeds.paths["/wire"] = answer_unless_known(write_rss("A ship", "Two ships in"), '"1"')
    cli.write("sources.opml", feeds.opml("/wire"))
    cli.issue("2026-01-04", "## [Ship](http://www.wire.example/0/6/?utm_source=x) {#h1}\n\nText.\n")
    first = cli("draft", "--date", DAY, "--json").json
    assert [each["title"] for each in first["highlights"]] == ["Two ships in"]
    assert first["known"] == [
        {"title": "A ship", "url": "https://wire.example/0/6", "issue": "2026-01-04"}
    ]
    second = cli("draft", "--date", "2026-01-06")
    assert second.status == 0
    assert "not modified: 0 of 2 entries taken; 2 in an issue already" in second.err
    assert "Nothing is new since" in second.err
    assert second.out == ""
    assert not (cli.folder / "issues/2026-01-06.md").exists()
    # Whoever deletes the draft gets it again, though nothing was sent anew.
    (cli.folder / f"issues/{DAY}.md").unlink()
    assert len(cli("draft", "--date", DAY, "--json").json["highlights"]) == 1


def test_never_over_an_existing_issue(cli: CommandLine, feeds: FeedServer) -> None:
    feeds.paths["/wire"] = answer(write_rss("A ship"))
    cli.write("sources.opml", feeds.opml("/wire"))
    cli.write(f"issues/{DAY}.yaml", "id: a\n")
    before = cli.files()
    done = cli("draft", "--date", DAY)
    assert done.status == 2
    assert f"issues/{DAY}.yaml exists already; name another day with --date" in done.err
    assert (feeds.asked, cli.files()) == ([], before)


def test_where_no_source_could_be_read(cli: CommandLine, feeds: FeedServer) -> None:
    feeds.paths |= {"/a": answer(b"", 500), "/b": answer(b"", 410)}
    cli.write("sources.opml", feeds.opml("/a", "/b"))
    before = cli.files()
    done = cli("draft")
    assert done.status == 2
    assert "a: failed: it answered 500" in done.err
    assert "b: gone: it is gone for good (410): take it out of the list" in done.err
    assert "No source could be read, and nothing was written." in done.err
    assert cli("draft", "--json").json["issue"] is None
    assert cli.files() == before


def test_one_feed_by_its_url_and_by_its_file(cli: CommandLine, feeds: FeedServer) -> None:
    feeds.paths["/wire"] = answer(write_rss("A ship", "Two ships in", "Three ships in"))
    done = cli("draft", "--from", feeds.url("/wire"), "--max", "2", "--date", DAY)
    assert done.status == 0
    assert done.out.startswith(f"issues/{DAY}.md: 2 highlights\n  1. ")
    assert "The Wire: fetched: 2 of 3 entries taken; 1 more than wanted" in done.err
    cli.write("saved/wire.xml", write_rss("Four ships in", hours=50))
    assert cli("draft", "--from", "saved/wire.xml", "--date", "2026-01-06").out == ""
    again = cli("draft", "--from", "saved/wire.xml", "--since", "3d", "--date", "2026-01-06")
    assert "1. Four ships in (The Wire)" in again.out


def test_the_settings_say_how(cli: CommandLine, feeds: FeedServer) -> None:
    feeds.paths["/wire"] = answer(write_rss("A ship", "Two ships in"))
    cli.write("lists/mine.opml", feeds.opml("/wire"))
    lines = 'file = "lists/mine.opml"\nmax = 1\nsummary = 0\ncategories = true\norder = "source"\n'
    cli.write("publisher.toml", SETTINGS + ALLOWED + lines)
    cli("draft", "--date", DAY)
    (highlight,) = issue(cli).highlights
    assert ([tag.label for tag in highlight.tags], highlight.body) == (["Sea"], ())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "there is no sources.opml: write it (OPML, as feed readers export it)"),
        (("--from", "empty.opml"), "empty.opml names no feed"),
        (("--from", "broken.opml"), "broken.opml cannot be used: it declares entities of its own"),
        (("--from", "issues"), "issues cannot be read: Is a directory"),
        (("--from", "text.txt"), "text.txt cannot be used: it is no XML"),
        (("--from", "ftp://a.example/f"), "is no http(s) URL of a feed"),
        (("--from", "https://me:pw@a.example/f"), "has a password in it"),
        (("--since", "soon"), "--since takes a duration such as 90s, 10m, 6h or 2d, not 'soon'"),
        (("--max", "many"), "--max takes a number such as 20, or 0 for all, not 'many'"),
        (("--max", "-1"), "--max takes a number"),
        (("--date", "someday"), "--date 'someday' is no date"),
    ],
)
def test_what_cannot_be_meant(cli: CommandLine, words: tuple[str, ...], said: str) -> None:
    cli.write("empty.opml", "<opml><body><outline text='a'/></body></opml>")
    cli.write("broken.opml", "<!DOCTYPE a [<!ENTITY b 'c'>]><opml>&b;</opml>")
    cli.write("text.txt", "nothing")
    (cli.folder / "issues").mkdir()
    before = cli.files()
    done = cli("draft", *words)
    assert (done.status, cli.files()) == (2, before)
    assert said in done.err


def test_lines_of_a_list_that_name_no_feed_are_said(cli: CommandLine, feeds: FeedServer) -> None:
    feeds.paths["/wire"] = answer(write_rss("A ship"))
    text = feeds.opml("/wire").replace("</body>", "\n<outline xmlUrl='gopher://x'/></body>")
    cli.write("sources.opml", text)
    assert "sources.opml, line 2: gopher://x is no http(s) URL" in cli("draft").err


@pytest.mark.parametrize(
    "written",
    [
        "## [A](https://a.example/x_(y)?b=1&amp;c=2) {#h}",
        "See (https://a.example/x_(y)?b=1&c=2).",
        "<https://www.a.example/x_(y)?c=2&b=1>",
        '{"url": "http://a.example/x_(y)?b=1&c=2&utm_source=me"}',
        "见https://a.example/x_(y)?b=1&c=2。",
        "**https://a.example/x_(y)?b=1&c=2**",
    ],
)
def test_links_are_found_wherever_they_stand(tmp_path: Path, written: str) -> None:
    (tmp_path / "issues").mkdir()
    (tmp_path / "issues" / "one.md").write_text(f"---\nnothing: [that can be read\n\n{written}\n")
    assert find_linked(tmp_path) == {"a.example/x_(y)?b=1&c=2": "one"}


def test_today_is_the_publications(cli: CommandLine, feeds: FeedServer) -> None:
    feeds.paths["/wire"] = answer(write_rss("A ship"))
    before = datetime.now(ZoneInfo("Europe/Berlin")).date()
    done = cli("draft", "--from", feeds.url("/wire"), "--json").json
    after = datetime.now(ZoneInfo("Europe/Berlin")).date()
    assert before.isoformat() <= done["issue"] <= after.isoformat()
