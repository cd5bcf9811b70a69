"""import: pasted digests into issues/, or refused with all that is wrong."""

import os
from pathlib import Path

import pytest

from publisher.intake.read import read_issue
from publisher.model.issue import Issue
from tests.cli.command_line import DIGEST, CommandLine

KEYS = ["rule", "level", "file", "line", "message", "fix"]
TITLES = ['A lamp for "the old pier"', "电影周在海口开幕"]
# The second title has no section.
BROKEN = "1. One\n2. Two\n\nOne\nText of one.\n"


def _read(cli: CommandLine, path: str) -> Issue:
    from zoneinfo import ZoneInfo

    issue, _ = read_issue((cli.folder / path).read_bytes(), path, ZoneInfo("Europe/Berlin"))
    assert issue is not None
    return issue


def test_the_shape(cli: CommandLine) -> None:
    cli.write("today.txt", DIGEST)
    done = cli("import", "today.txt", "--date", "2025-12-15", "--json")
    assert done.status == 0
    assert done.err == ""
    assert list(done.json) == ["issue", "path", "highlights", "problems"]
    assert done.json["issue"] == "2025-12-15"
    assert done.json["path"] == "issues/2025-12-15.md"
    assert [list(highlight) for highlight in done.json["highlights"]] == [["id", "title"]] * 2
    assert [highlight["title"] for highlight in done.json["highlights"]] == TITLES
    assert done.json["problems"] == []
    issue = _read(cli, "issues/2025-12-15.md")
    assert [highlight.id for highlight in issue.highlights] == [
        highlight["id"] for highlight in done.json["highlights"]
    ]
    assert issue.status == "draft"
    assert issue.title == "Today's Finds"


def test_in_words(cli: CommandLine) -> None:
    cli.write("today.txt", DIGEST)
    done = cli("import", "today.txt", "--date", "2025-12-15")
    assert done.out.splitlines() == [
        "issues/2025-12-15.md: 2 highlights",
        *(f"  {place}. {title}" for place, title in enumerate(TITLES, 1)),
    ]
    assert "It is a draft" in done.err
    done = cli("import", "today.txt", "--date", "2025-12-16", "--ready")
    assert "publisher build" in done.err


def test_what_is_imported_ready_is_published(cli: CommandLine) -> None:
    cli.write("today.txt", DIGEST)
    cli("import", "today.txt", "--date", "2025-12-15", "--ready")
    done = cli("build", "--json")
    assert (done.json["issues"], done.json["highlights"]) == (1, 2)


@pytest.mark.parametrize(
    ("date", "name", "moment"),
    [
        ("2025-12-15", "2025-12-15", "2025-12-15T00:00:00+01:00"),
        ("2025-12-15T07:00:00+08:00", "2025-12-15", "2025-12-15T07:00:00+08:00"),
        ("2025-12-15T22:00:00Z", "2025-12-15", "2025-12-15T22:00:00+00:00"),
        ("2025-12-15t07:00:00z", "2025-12-15", "2025-12-15T07:00:00+00:00"),
    ],
)
def test_a_date(cli: CommandLine, date: str, name: str, moment: str) -> None:
    cli.write("today.txt", DIGEST)
    assert cli("import", "today.txt", "--date", date, "--json").json["issue"] == name
    found = _read(cli, f"issues/{name}.md").date
    assert found is not None
    assert found.isoformat() == moment


def test_the_day_that_a_file_is_named_after(cli: CommandLine) -> None:
    cli.write("from the desk/2025-12-13.txt", DIGEST)
    done = cli("import", "from the desk/2025-12-13.txt", "--json")
    assert done.json["issue"] == "2025-12-13"


def test_a_day_that_does_not_exist(cli: CommandLine) -> None:
    cli.write("2025-02-30.txt", DIGEST)
    done = cli("import", "2025-02-30.txt")
    assert done.status == 2
    assert "2025-02-30.txt is named after a day that does not exist" in done.err


@pytest.mark.parametrize("date", ["today", "15.12.2025", "2025-12-15T25:00:00Z"])
def test_no_date(cli: CommandLine, date: str) -> None:
    cli.write("today.txt", DIGEST)
    done = cli("import", "today.txt", "--date", date, "--json")
    assert done.status == 2
    assert list(done.json) == ["error"]
    assert not (cli.folder / "issues").exists()


def test_standard_input(cli: CommandLine) -> None:
    done = cli("import", "-", "--date", "2025-12-15", "--json", stdin=DIGEST.encode())
    assert done.status == 0
    assert len(done.json["highlights"]) == 2


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "digest-empty"),
        (b" \n\t\r\n", "digest-empty"),
        (b"\xef\xbb\xbf", "digest-empty"),
        (BROKEN.encode(), "digest-section-missing"),
        (b"1. One\n2. Two\n", "digest-list-alone"),
        (bytes(range(256)) * 40, "file-not-text"),
        ("1. Ünï\n\nÜnï\nText.\n".encode("latin-1"), "file-not-text"),
        (DIGEST.encode("utf-16"), "file-not-text"),
        (b"1. x\n" * 2_000_000, "file-too-large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refused_digest(cli: CommandLine, data: bytes, rule: str) -> None:
    before = cli.files()
    done = cli("import", "-", "--date", "2025-12-15", "--json", stdin=data)
    assert done.status == 1
    assert list(done.json) == ["issue", "path", "highlights", "problems"]
    assert done.json["issue"] is None
    assert done.json["path"] is None
    assert done.json["highlights"] == []
    assert rule in {problem["rule"] for problem in done.json["problems"]}
    assert all(list(problem) == KEYS for problem in done.json["problems"])
    assert cli.files() == before
    words = cli("import", "-", "--date", "2025-12-15", stdin=data)
    assert words.status == 1
    assert words.out == ""
    assert "- was not imported, and nothing was written." in words.err
    assert f"[{rule}]" in words.err


def test_a_problem_names_the_file_as_it_was_typed(cli: CommandLine) -> None:
    path = cli.write("desk/broken.txt", BROKEN)
    for name in ("desk/broken.txt", str(path)):
        (problem, *_) = cli("import", name, "--json").json["problems"]
        assert problem["file"] == name
        assert problem["line"] == 2


@pytest.mark.parametrize("name", ["nothing.txt", "issues/nothing", ""])
def test_no_such_file(cli: CommandLine, name: str) -> None:
    done = cli("import", name, "--json")
    assert done.status == 2
    assert list(done.json) == ["error"]


def test_a_folder_without_posts(cli: CommandLine) -> None:
    done = cli("import", ".")
    assert done.status == 1
    assert "neither a digest nor an export" in done.err


def test_an_issue_that_needs_no_import(cli: CommandLine) -> None:
    cli.write("2025-12-15.md", "---\ntitle: x\n---\n\n## One\n\nText.\n")
    done = cli("import", "2025-12-15.md")
    assert done.status == 1
    assert "needs no import: put it into issues/" in done.err


def test_a_name_that_is_no_text(cli: CommandLine) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    try:
        cli.write(name, BROKEN)
    except OSError:
        pytest.skip("this file system wants text")
    done = cli("import", name, "--json")
    assert done.status == 1
    assert done.json["problems"][0]["file"] == "caf\ufffd.txt"


# Over an issue that exists


def test_never_over_an_issue(cli: CommandLine) -> None:
    cli.write("today.txt", DIGEST)
    cli.write("issues/2025-12-15.yaml", "title: mine\n")
    done = cli("import", "today.txt", "--date", "2025-12-15", "--json")
    assert done.status == 2
    assert "issues/2025-12-15.yaml exists already" in done.json["error"]
    assert "--force" in done.json["error"]
    assert cli.read("issues/2025-12-15.yaml") == "title: mine\n"
    assert not (cli.folder / "issues/2025-12-15.md").exists()


def test_force_keeps_the_ids_of_titles_that_match(cli: CommandLine) -> None:
    cli.write("today.txt", DIGEST)
    first = cli("import", "today.txt", "--date", "2025-12-15", "--json").json
    first_id = _read(cli, "issues/2025-12-15.md").id
    # The same titles in other quotes and spaces, in another order, and a new one.
    cli.write(
        "later.txt",
        "1. 电影周在海口开幕\n2. A lamp for “the old pier”\n3. A third one\n\n"
        "电影周在海口开幕\n新的一段。\n\nA  lamp for “the old pier”\nNew text.\n\n"
        "A third one\nText.\n",
    )
    second = cli("import", "later.txt", "--date", "2025-12-15", "--force", "--json").json
    lamp, film = (highlight["id"] for highlight in first["highlights"])
    assert [highlight["id"] for highlight in second["highlights"]][:2] == [film, lamp]
    assert second["highlights"][2]["id"] not in (film, lamp)
    assert second["highlights"][1]["title"] == "A lamp for “the old pier”"
    assert _read(cli, "issues/2025-12-15.md").id == first_id


def test_force_keeps_what_a_digest_does_not_say(cli: CommandLine) -> None:
    cli.write("today.txt", DIGEST)
    cli("import", "today.txt", "--date", "2025-12-15")
    path = cli.folder / "issues/2025-12-15.md"
    fields = "mail: false\nnumber: 7\nlanguage: de\nauthors: Ada <ada@desk.example>\ntags: [film]\n"
    path.write_text(path.read_text().replace("---\n", f"---\n{fields}", 1))
    before = _read(cli, "issues/2025-12-15.md")
    cli("import", "today.txt", "--date", "2025-12-15", "--force")
    after = _read(cli, "issues/2025-12-15.md")
    assert not after.mail
    assert after == before


def test_force_keeps_guids(cli: CommandLine) -> None:
    body = '## A lamp for "the old pier" {#lamp guid="urn:lamp"}\n\nText.\n'
    cli.issue("2025-12-15", body, guid="urn:issue")
    cli.write("today.txt", DIGEST)
    cli("import", "today.txt", "--date", "2025-12-15", "--force")
    issue = _read(cli, "issues/2025-12-15.md")
    assert issue.guid == "urn:issue"
    assert (issue.highlights[0].id, issue.highlights[0].guid) == ("lamp", "urn:lamp")


def test_force_over_another_form_leaves_one_file(cli: CommandLine) -> None:
    text = "id: kept\nhighlights:\n- {id: film, title: 电影周在海口开幕, body: x}\n"
    cli.write("issues/2025-12-15.yaml", text)
    cli.write("today.txt", DIGEST)
    assert cli("import", "today.txt", "--date", "2025-12-15", "--force").status == 0
    assert [path.name for path in (cli.folder / "issues").iterdir()] == ["2025-12-15.md"]
    issue = _read(cli, "issues/2025-12-15.md")
    assert (issue.id, issue.highlights[1].id) == ("kept", "film")


def test_force_never_loses_ids(cli: CommandLine) -> None:
    before = cli.write("issues/2025-12-15.md", "---\nid: [\n---\n").read_bytes()
    cli.write("today.txt", DIGEST)
    done = cli("import", "today.txt", "--date", "2025-12-15", "--force")
    assert done.status == 2
    assert "its ids would be lost" in done.err
    assert (cli.folder / "issues/2025-12-15.md").read_bytes() == before


def test_force_where_there_is_nothing(cli: CommandLine) -> None:
    cli.write("today.txt", DIGEST)
    assert cli("import", "today.txt", "--date", "2025-12-15", "--force").status == 0


def test_what_was_published_stays_one_entry(cli: CommandLine) -> None:
    cli.write("today.txt", DIGEST)
    cli("import", "today.txt", "--date", "2025-12-15", "--ready")
    cli("build")
    cli.write("today.txt", DIGEST.replace("from dusk to dawn", "all night"))
    cli("import", "today.txt", "--date", "2025-12-15", "--ready", "--force")
    assert cli("build").status == 0
    assert len(cli.read("issues/register.jsonl").splitlines()) == 1 + 3 + 2


# Several files


def test_several_files(cli: CommandLine) -> None:
    cli.write("2025-12-13.txt", DIGEST)
    cli.write("2025-12-14.txt", BROKEN)
    cli.write("2025-12-15.txt", DIGEST)
    names = [f"2025-12-{day}.txt" for day in (13, 14, 15)]
    done = cli("import", *names, "--json")
    assert done.status == 1
    assert list(done.json) == ["imported"]
    assert [each["issue"] for each in done.json["imported"]] == ["2025-12-13", None, "2025-12-15"]
    assert all(
        list(each) == ["issue", "path", "highlights", "problems"] for each in done.json["imported"]
    )
    assert sorted(path.name for path in (cli.folder / "issues").iterdir()) == [
        "2025-12-13.md",
        "2025-12-15.md",
    ]


def test_several_files_and_one_date(cli: CommandLine) -> None:
    cli.write("a.txt", DIGEST)
    cli.write("b.txt", DIGEST)
    done = cli("import", "a.txt", "b.txt", "--date", "2025-12-15")
    assert done.status == 2
    assert "--date is for one file" in done.err
    assert not (cli.folder / "issues").exists()


@pytest.mark.parametrize(
    "second", ["2025-12-13.txt", "desk/2025-12-13.txt", "missing.txt", "2025-12-14.txt"]
)
def test_several_files_are_all_looked_at_before_one_is_written(
    cli: CommandLine, second: str
) -> None:
    """The same one twice, two for the same day, one that is missing, one whose issue exists."""
    cli.write("2025-12-13.txt", DIGEST)
    cli.write("desk/2025-12-13.txt", DIGEST)
    cli.write("2025-12-14.txt", DIGEST)
    cli.issue("2025-12-14")
    before = cli.files()
    done = cli("import", "2025-12-13.txt", second, "--json")
    assert done.status == 2
    assert list(done.json) == ["error"]
    assert cli.files() == before


def test_the_real_digest(cli: CommandLine) -> None:
    real = Path(__file__).parents[3] / "shared" / "digests" / "todays-highlights.txt"
    if not real.exists():
        pytest.skip("only beside the newsroom's own files")
    done = cli("import", real, "--date", "2025-12-15", "--ready", "--json")
    assert done.status == 0
    assert len(done.json["highlights"]) == 5
    assert cli("build").status == 0
    text = cli.read("public/issues/2025-12-15/index.html")
    assert all(highlight["id"] in text for highlight in done.json["highlights"])
