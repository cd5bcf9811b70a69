"""import: other systems' exports, with the damage that real ones have; counts in, counts out."""

import json
import tomllib
import zipfile
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import PIL.Image
import pytest

from publisher.intake.read import read_issue
from publisher.model.issue import Issue
from publisher.settings import load_settings
from tests.cli.command_line import CommandLine
from tests.intake.moving.samples import (
    HUGO,
    JEKYLL,
    PLAIN,
    SECTIONS,
    SUBSTACK_COLUMNS,
    WORDPRESS_HEAD,
    beehiiv,
    buttondown,
    ghost,
    listmonk,
    mailchimp,
    substack,
    substack_row,
    table,
    wordpress,
    wordpress_item,
    zipped,
)


def _png() -> bytes:
    buffer = BytesIO()
    PIL.Image.new("RGB", (2, 2), "navy").save(buffer, "PNG")
    return buffer.getvalue()


def _encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


# Name, content, system, entries, written, left out.
EXPORTS = (
    ("substack.zip", substack(), "substack", 10, 8, 2),
    ("beehiiv.csv", beehiiv(), "beehiiv", 4, 4, 0),
    ("ghost.json", _encoded(ghost()), "ghost", 4, 3, 1),
    ("buttondown.zip", buttondown(), "buttondown", 2, 2, 0),
    ("listmonk.json", _encoded(listmonk()), "listmonk", 4, 3, 1),
    ("mailchimp.zip", mailchimp(), "mailchimp", 2, 2, 0),
    ("wordpress.xml", wordpress().encode(), "wordpress", 7, 5, 2),
    ("hugo.zip", zipped(HUGO), "markdown", 6, 4, 2),
    ("jekyll.zip", zipped(JEKYLL), "markdown", 2, 2, 0),
)
_IDS = [export[0] for export in EXPORTS]


def issue_of(cli: CommandLine, name: str) -> Issue:
    path = f"issues/{name}.md"
    issue, problems = read_issue((cli.folder / path).read_bytes(), path, ZoneInfo("Europe/Berlin"))
    assert issue is not None, problems
    return issue


def rules(done: Any) -> set[str]:
    issues = [problem for issue in done["imported"] for problem in issue["problems"]]
    exports = [problem for export in done["exports"] for problem in export["problems"]]
    return {problem["rule"] for problem in (*issues, *exports)}


@pytest.mark.parametrize(
    ("name", "data", "system", "entries", "written", "left_out"), EXPORTS, ids=_IDS
)
def test_counts(
    cli: CommandLine,
    name: str,
    data: bytes,
    system: str,
    entries: int,
    written: int,
    left_out: int,
) -> None:
    cli.write("from elsewhere.bin", data)  # what it is, its name does not tell
    done = cli("import", "from elsewhere.bin", "--json")
    assert done.status == 0, done
    (export,) = done.json["exports"]
    assert (export["system"], export["entries"], export["written"]) == (system, entries, written)
    assert sum(each["count"] for each in export["left_out"]) == left_out
    assert all(each["reason"] for each in export["left_out"])
    assert entries == written + left_out
    assert len(done.json["imported"]) == written
    for each in done.json["imported"]:
        issue = issue_of(cli, each["issue"])
        assert issue.mail is False
        assert issue.id
        assert [h.id for h in issue.highlights] == [h["id"] for h in each["highlights"]]
    assert [p for p in cli("check", "--json").json["problems"] if p["level"] == "error"] == []


@pytest.mark.parametrize(("name", "data"), [export[:2] for export in EXPORTS], ids=_IDS)
def test_to_import_again_changes_nothing(cli: CommandLine, name: str, data: bytes) -> None:
    cli.write(name, data)
    first = cli("import", name, "--json").json
    before = cli.files()
    (export,) = cli("import", name, "--json").json["exports"]
    assert cli.files() == before
    assert (export["written"], export["untouched"]) == (0, 0)
    assert export["unchanged"] == first["exports"][0]["written"]


def test_substack(cli: CommandLine) -> None:
    cli.write("export.zip", substack())
    done = cli("import", "export.zip", "--json").json
    ferry = issue_of(cli, "the-ferry")
    assert (ferry.title, ferry.summary, ferry.status) == ("The ferry", "Of & on", "ready")
    assert ferry.date is not None
    assert ferry.date.isoformat() == "2024-05-01T08:00:00+00:00"
    assert [(h.title, h.url) for h in ferry.highlights] == [
        ("The ferry has a new engine", "https://news.example/ferry"),
        ("Rain on Tuesday", ""),
    ]
    assert len(ferry.introduction) == 1
    assert issue_of(cli, "a-letter").title == 'A "letter", in two lines'
    assert "Café au lait." in cli.read("issues/a-letter-2.md")
    drafts = ("a-draft", "for-few", "odd-date", "no-file", "orphan")
    assert [issue_of(cli, name).status for name in drafts] == ["draft"] * 5
    assert done["redirects"] == {
        "/p/a-letter": "/issues/a-letter/",
        "/p/the-ferry": "/issues/the-ferry/",
    }
    assert rules(done) >= {
        *("import-encoding", "import-restricted", "import-date-unreadable", "import-dropped"),
        *("import-text-missing", "import-name-taken", "import-damaged"),
    }


def test_two_posts_of_one_slug_keep_their_names_whichever_comes_first(cli: CommandLine) -> None:
    rows = [
        substack_row("2.same", "2024-02-02T00:00:00Z", "Second"),
        substack_row("1.same", "2024-01-01T00:00:00Z", "First"),
    ]
    pages = {"posts/1.same.html": "<p>a</p>", "posts/2.same.html": "<p>b</p>"}
    cli.write("one.zip", zipped({"posts.csv": table(SUBSTACK_COLUMNS, *rows), **pages}))
    cli.write("two.zip", zipped({"posts.csv": table(SUBSTACK_COLUMNS, *rows[::-1]), **pages}))
    cli("import", "one.zip")
    assert issue_of(cli, "same").title == "First"
    assert cli("import", "two.zip", "--json").json["exports"][0]["unchanged"] == 2


def test_wordpress(cli: CommandLine) -> None:
    cli.write("wp.xml", wordpress())
    done = cli("import", "wp.xml", "--json").json
    classic = issue_of(cli, "post-1")
    assert classic.title == "Classic & old"
    assert classic.guid == "https://pier.example/?p=1"
    assert classic.date is not None
    assert classic.date.isoformat() == "2024-04-01T12:00:00+02:00"
    assert [tag.label for tag in classic.tags] == ["The sea", "Wind"]
    assert [person.name for person in classic.authors] == ["The Desk"]
    assert "d@example.org" not in cli.read("issues/post-1.md")
    assert "First paragraph,\\\nwith a line below." in cli.read("issues/post-1.md")
    assert "![A pier](https://pier.example/a.jpg) The pier" in cli.read("issues/post-1.md")
    assert done["redirects"]["/2024/04/post-1/"] == "/issues/post-1/"
    assert done["redirects"]["/?p=1"] == "/issues/post-1/"


def test_a_wordpress_export_that_breaks_off(cli: CommandLine) -> None:
    whole = WORDPRESS_HEAD + wordpress_item(1, "One", PLAIN) + wordpress_item(2, "Two", PLAIN)
    cli.write("wp.xml", whole[: whole.index("<title>Two") + 12])
    done = cli("import", "wp.xml", "--json").json
    assert "import-damaged" in rules(done)
    assert "post-1" in {issue["issue"] for issue in done["imported"]}


def test_ghost_with_its_images(cli: CommandLine) -> None:
    files: dict[str, str | bytes] = {
        "my-blog.ghost.json": json.dumps(ghost()),
        "content/images/2024/01/lamp.png": _png(),
        "content/images/2024/01/unused.png": _png(),
    }
    cli.write("ghost.zip", zipped(files))
    assert cli("import", "ghost.zip").status == 0
    lamp = issue_of(cli, "the-lamp")
    assert lamp.guid == "64f000000000000000000001"
    assert [person.name for person in lamp.authors] == ["The Desk"]
    assert [tag.label for tag in lamp.tags] == ["Light"]
    (image,) = (cli.folder / "media").iterdir()
    assert f"![A lamp](media/{image.name})" in cli.read("issues/the-lamp.md")
    assert image.read_bytes() == _png()
    assert "Only **begun**" in cli.read("issues/a-draft.md")


_GHOST_LINKS = '<a href="__GHOST_URL__/else/">Else</a> <a href="__GHOST_URL__">Home</a>'
_GHOST_FEED = """<rss version="2.0"><channel><title>Old</title><link>https://pier.example/</link>
<item><title>The lamp</title><guid isPermaLink="false">64f000000000000000000001</guid>
<link>https://pier.example/the-lamp/</link></item></channel></rss>"""


def test_ghost_writes_its_own_address_in_a_way_of_its_own(cli: CommandLine) -> None:
    (post,) = ghost()["db"][0]["data"]["posts"][:1]
    cli.write("g.json", _encoded(ghost([{**post, "html": post["html"] + _GHOST_LINKS}])))
    cli("import", "g.json")
    assert "[Else](/else/) [Home](/)" in cli.read("issues/the-lamp.md")
    cli.write("feed.xml", _GHOST_FEED)
    done = cli("import", "g.json", "--force", "--feed", "feed.xml", "--json").json
    assert "import-image-missing" not in rules(done)
    text = cli.read("issues/the-lamp.md")
    assert "![A lamp](https://pier.example/content/images/2024/01/lamp.png)" in text
    assert "[Else](https://pier.example/else/) [Home](https://pier.example/)" in text
    assert done["redirects"] == {"/the-lamp/": "/issues/the-lamp/"}


def test_merge_tags_of_titles_are_left_out(cli: CommandLine) -> None:
    campaign = {"id": 1, "type": "regular", "status": "finished", "name": "March", "uuid": "u-1"}
    campaign |= {"subject": "{{ .Subscriber.FirstName }}, news of March", "body": "<p>Text</p>"}
    campaign |= {"content_type": "richtext", "started_at": "2024-03-01T10:00:00+05:30"}
    cli.write("c.json", _encoded({"data": {"results": [campaign], "total": 1}}))
    done = cli("import", "c.json", "--json").json
    (issue,) = done["imported"]
    assert 'title: "news of March"' in cli.read(issue["path"])
    assert "import-dropped" in rules(done)


def test_what_is_next_is_said(cli: CommandLine) -> None:
    cli.write("g.json", _encoded(ghost()))
    done = cli("import", "g.json", "--redirects", "r.toml")
    assert "`cat r.toml >> publisher.toml`" in done.err
    assert "`publisher import --feed URL`" in done.err
    cli.write("feed.xml", _GHOST_FEED)
    done = cli("import", "g.json", "--feed", "feed.xml")
    assert "--feed URL" not in done.err
    assert "`publisher cutover`" in done.err
    # What was said to do puts them into force.
    cli.write("publisher.toml", cli.read("publisher.toml") + cli.read("r.toml"))
    assert cli("config", "--json").json["web"]["redirects"] == {
        "/the-lamp/": "/issues/the-lamp/",
    }


def test_what_calls_itself_an_image_and_is_none_stays_out(cli: CommandLine) -> None:
    files: dict[str, str | bytes] = {
        "g.json": json.dumps(ghost()),
        "content/images/2024/01/lamp.png": b"<svg onload=alert(1)>",
    }
    cli.write("ghost.zip", zipped(files))
    done = cli("import", "ghost.zip", "--json").json
    assert "import-image-missing" in rules(done)
    assert not (cli.folder / "media").exists()


def test_a_folder_of_hugo(cli: CommandLine) -> None:
    for path, text in HUGO.items():
        cli.write(f"blog/{path}", text)
    cli.write("blog/content/posts/second/boat.png", _png())
    done = cli("import", "blog", "--json").json
    first = issue_of(cli, "first")
    assert first.date is not None
    assert first.date.isoformat() == "2024-01-02T03:04:05+02:00"
    assert [tag.label for tag in first.tags] == ["one", "two, three"]
    assert [highlight.title for highlight in first.highlights] == ["One", "Two"]
    assert "```go\nx := 1\n```" in cli.read("issues/first.md")
    assert done["redirects"]["/posts/first/"] == "/issues/first/"
    assert done["redirects"]["/old/first/"] == "/issues/first/"
    assert issue_of(cli, "second").status == "draft"
    assert "![A boat](media/boat-" in cli.read("issues/second.md")
    assert issue_of(cli, "broken").status == "draft"
    (damaged,) = [
        p for issue in done["imported"] for p in issue["problems"] if p["rule"] == "import-damaged"
    ]
    assert damaged["file"] == "blog:content/posts/broken.md"
    assert damaged["line"] == 3


def test_jekyll(cli: CommandLine) -> None:
    cli.write("site.zip", zipped({f"site-main/{path}": text for path, text in JEKYLL.items()}))
    done = cli("import", "site.zip", "--json").json
    post = issue_of(cli, "my-post")
    assert [tag.label for tag in post.tags] == ["news", "sea", "a", "b"]
    assert "Some text with **raw** HTML." in cli.read("issues/my-post.md")
    assert done["redirects"] == {"/news/sea/2020/10/27/my-post.html": "/issues/my-post/"}
    assert issue_of(cli, "an-idea").status == "draft"


def test_mailchimp(cli: CommandLine) -> None:
    cli.write("account.zip", mailchimp())
    done = cli("import", "account.zip", "--json").json
    spring = issue_of(cli, "spring-letter")
    assert (spring.title, spring.summary) == ("Spring is here", "A first look")
    assert spring.date is not None
    assert spring.date.isoformat() == "2024-03-20T09:00:00+01:00"
    text = cli.read("issues/spring-letter.md")
    assert "Dear, good morning." in text
    assert "[Buy the lamp](https://shop.example/lamp)" in text
    assert not {"*|", "unsubscribe", "Copyright", "browser", "track"} & set(text.split())
    assert "*|" not in text
    assert issue_of(cli, "old-letter").status == "draft"
    assert done["redirects"] == {}


def test_beehiiv(cli: CommandLine) -> None:
    cli.write("posts.csv", beehiiv())
    done = cli("import", "posts.csv", "--json").json
    text = cli.read("issues/harbour.md")
    assert [tag.label for tag in issue_of(cli, "harbour").tags] == ["Sea", "Ferries"]
    assert "Unsubscribe" not in text
    assert "Read online" not in text
    assert issue_of(cli, "payers").status == "draft"
    assert "Hello, soon." in cli.read("issues/a-draft.md")
    assert done["redirects"] == {"/p/harbour": "/issues/harbour/"}


def test_listmonk_and_buttondown(cli: CommandLine) -> None:
    cli.write("campaigns.json", _encoded(listmonk()))
    cli.write("buttondown.zip", buttondown())
    done = cli("import", "campaigns.json", "buttondown.zip", "--json").json
    assert [export["system"] for export in done["exports"]] == ["listmonk", "buttondown"]
    assert "{{" not in cli.read("issues/subject-1.md")
    first = issue_of(cli, "subject-1")
    assert first.date is not None
    assert first.date.isoformat() == "2024-03-14T17:36:41+01:00"
    assert done["redirects"]["/archive/subject-1"] == "/issues/subject-1/"
    assert "/archive/subject-2" not in done["redirects"]
    assert [h.title for h in issue_of(cli, "plain-words").highlights] == ["One thing", "Another"]
    assert "Of **two** kinds." in cli.read("issues/fancy-words.md")


# What must not happen


def _raw_zip(*entries: tuple[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def test_paths_that_lead_out_of_an_archive(cli: CommandLine) -> None:
    row = table(SUBSTACK_COLUMNS, substack_row("1.a", "2024-01-01T00:00:00Z", "A"))
    data = _raw_zip(
        ("posts.csv", row.encode()),
        ("posts/1.a.html", b"<p>Text.</p>"),
        ("../../escaped.html", b"out"),
        ("/etc/escaped.html", b"out"),
        ("posts/../../b.html", b"out"),
    )
    before = {path.name for path in cli.folder.parent.iterdir()}
    cli.write("e.zip", data)
    done = cli("import", "e.zip", "--json")
    assert done.status == 0
    assert {path.name for path in cli.folder.parent.iterdir()} == before
    (export,) = done.json["exports"]
    assert [problem["rule"] for problem in export["problems"]] == ["import-dropped"] * 3
    assert "escaped" not in "".join(cli.files())


@pytest.mark.parametrize("is_telling", [True, False])
def test_a_zip_bomb(cli: CommandLine, monkeypatch: pytest.MonkeyPatch, is_telling: bool) -> None:
    """A file that is far larger than it says is not read to its end."""
    monkeypatch.setattr("publisher.site.exports.MOST_BYTES", 100_000)
    row = table(SUBSTACK_COLUMNS, substack_row("1.a", "2024-01-01T00:00:00Z", "A"))
    name = "posts.csv" if is_telling else "posts/1.a.html"
    files: dict[str, str | bytes] = {
        "posts.csv": row,
        "posts/1.a.html": "<p>x</p>",
        name: b"x" * 10_000_000,
    }
    cli.write("bomb.zip", zipped(files))
    done = cli("import", "bomb.zip", "--json")
    assert done.status == (1 if is_telling else 0)
    assert ("import-unknown" if is_telling else "import-damaged") in rules(done.json)


@pytest.mark.parametrize("size", [30, 200, 900])
def test_a_zip_that_breaks_off(cli: CommandLine, size: int) -> None:
    cli.write("part.zip", substack()[:size])
    before = cli.files()
    done = cli("import", "part.zip", "--json")
    assert done.status == 1
    (export,) = done.json["exports"]
    assert export["problems"][0]["rule"] == "import-unknown"
    assert "breaks off" in export["problems"][0]["message"]
    assert cli.files() == before


def test_a_damaged_file_in_a_zip_costs_no_other(cli: CommandLine) -> None:
    row = table(
        SUBSTACK_COLUMNS,
        substack_row("1.a", "2024-01-01T00:00:00Z", "A"),
        substack_row("2.b", "2024-01-02T00:00:00Z", "B"),
    )
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("posts.csv", row)
        archive.writestr("posts/1.a.html", "<p>Damage this text.</p>")
        archive.writestr("posts/2.b.html", "<p>Not this one.</p>")
    cli.write("e.zip", buffer.getvalue().replace(b"Damage this", b"Damaged th!"))
    done = cli("import", "e.zip", "--json")
    assert "import-damaged" in rules(done.json)
    assert issue_of(cli, "a").status == "draft"
    assert "Not this one." in cli.read("issues/b.md")


@pytest.mark.parametrize(
    ("data", "system"),
    [
        (b'{"data": {"results": [{"subject": "x", "bo', ""),
        (b"[[1, 2], [3", ""),
        (b"PK\x05\x06" + b"\0" * 18, ""),
        (b"post_id,title\n1,x\n", "substack"),
        (b"<rss version='2.0'><channel/></rss>", "wordpress"),
        (b'{"a": 1}', "ghost"),
    ],
)
def test_what_is_no_export_is_refused(cli: CommandLine, data: bytes, system: str) -> None:
    cli.write("odd.bin", data)
    before = cli.files()
    words = ["import", "odd.bin", "--json", *(["--as", system] if system else [])]
    done = cli(*words)
    assert done.status == 1
    assert rules(done.json) == {"import-unknown"}
    assert cli.files() == before


def test_a_digest_in_brackets_is_still_one(cli: CommandLine) -> None:
    cli.write("today.txt", "[Today]:\n1. One\n\nOne\nIts text.\n")
    assert (
        cli("import", "today.txt", "--date", "2025-12-15", "--json").json["issue"] == "2025-12-15"
    )


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["e.zip", "--date", "2025-12-15"], "--date is for digests"),
        (["e.zip", "--as", "tumblr"], "no system that is known"),
        ([], "FILE… is missing"),
        (["today.txt", "--redirects", "r.toml"], "--redirects is for exports"),
        (["e.zip", "--redirects", "today.txt"], "exists already"),
    ],
)
def test_wrong_usage(cli: CommandLine, words: list[str], why: str) -> None:
    cli.write("e.zip", substack())
    cli.write("today.txt", "1. One\n\nOne\nIts text.\n")
    before = cli.files()
    done = cli("import", *words)
    assert done.status == 2
    assert why in done.err
    assert cli.files() == before


def test_a_post_that_is_larger_than_an_issue_may_be_is_refused_alone(cli: CommandLine) -> None:
    rows = [
        substack_row("1.a", "2024-01-01T00:00:00Z", "A"),
        substack_row("2.b", "2024-01-02T00:00:00Z", "B"),
    ]
    large = f"<p>{'A line of the log. ' * 120_000}</p>"
    pages = {"posts/1.a.html": large, "posts/2.b.html": "<p>b</p>"}
    cli.write("large.zip", zipped({"posts.csv": table(SUBSTACK_COLUMNS, *rows), **pages}))
    done = cli("import", "large.zip", "--json").json
    assert "import-refused" in rules(done)
    assert [name for name in cli.files() if name.startswith("issues/")] == ["issues/b.md"]


# Over what is there


def test_what_was_worked_on_is_not_touched(cli: CommandLine) -> None:
    cli.write("ghost.json", _encoded(ghost()))
    cli("import", "ghost.json")
    edited = cli.read("issues/the-lamp.md").replace("The lamp", "The great lamp")
    cli.write("issues/the-lamp.md", edited)
    done = cli("import", "ghost.json", "--json").json
    assert cli.read("issues/the-lamp.md") == edited
    (export,) = done["exports"]
    assert (export["untouched"], export["unchanged"]) == (1, 2)
    assert "import-exists" in rules(done)


def test_force_keeps_ids(cli: CommandLine) -> None:
    cli.write("ghost.json", _encoded(ghost()))
    cli("import", "ghost.json")
    before = issue_of(cli, "the-lamp")
    document = ghost()
    document["db"][0]["data"]["posts"][0]["html"] = SECTIONS.replace("batteries", "the wind")
    cli.write("ghost.json", _encoded(document))
    assert cli("import", "ghost.json", "--force").status == 0
    after = issue_of(cli, "the-lamp")
    assert "the wind" in cli.read("issues/the-lamp.md")
    assert after.id == before.id
    assert [h.id for h in after.highlights] == [h.id for h in before.highlights]


def test_redirects_are_as_the_settings_take_them(cli: CommandLine) -> None:
    cli.write("wp.xml", wordpress())
    assert cli("import", "wp.xml", "--redirects", "old.toml").status == 0
    written = tomllib.loads(cli.read("old.toml"))
    assert written["web"]["redirects"]["/?p=1"] == "/issues/post-1/"
    cli.write("publisher.toml", cli.read("publisher.toml") + "\n" + cli.read("old.toml"))
    settings = load_settings(cli.folder / "publisher.toml", {})
    assert settings.web.redirects == written["web"]["redirects"]


def test_in_words(cli: CommandLine) -> None:
    cli.write("export.zip", substack())
    done = cli("import", "export.zip")
    assert done.out.splitlines() == [
        "export.zip (substack): 10 entries",
        "       8  imported",
        "       1  left out: a page, not a post",
        "       1  left out: a thread, whose text is its comments",
    ]
    assert "never mailed" in done.err


def test_a_thousand_posts_are_said_in_short(cli: CommandLine) -> None:
    form = "<form><input></form>"
    rows = [substack_row(f"{n}.p{n}", "2024-01-01T00:00:00Z", f"P{n}") for n in range(60)]
    pages = {f"posts/{n}.p{n}.html": f"<p>Text {n}.</p>{form}" for n in range(60)}
    cli.write("e.zip", zipped({"posts.csv": table(SUBSTACK_COLUMNS, *rows), **pages}))
    done = cli("import", "e.zip")
    assert "(and 59 more)" in done.err
    assert len(done.err.splitlines()) < 10
