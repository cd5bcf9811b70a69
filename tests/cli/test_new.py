"""new: a draft, empty or like another issue."""

from datetime import datetime
from pathlib import Path

import pytest

from publisher.intake.read import read_issue
from publisher.model.issue import Issue
from publisher.site.issue_files import new_issue
from tests.cli.command_line import CommandLine


def _read(cli: CommandLine, path: str) -> Issue:
    from zoneinfo import ZoneInfo

    data = (cli.folder / path).read_bytes()
    issue, problems = read_issue(data, path, ZoneInfo("Europe/Berlin"))
    assert issue is not None, problems
    assert [p for p in problems if p.level == "error"] == []
    return issue


def test_a_draft_of_today(cli: CommandLine) -> None:
    done = cli("new", "--json")
    assert done.status == 0
    assert done.json["path"] == f"issues/{done.json['issue']}.md"
    issue = _read(cli, done.json["path"])
    assert issue.status == "draft"
    assert issue.date is not None
    assert issue.date.date().isoformat() == done.json["issue"]
    assert issue.title == "The Test Daily"


@pytest.mark.parametrize(
    ("written", "name", "date"),
    [
        ("2025-12-24", "2025-12-24", "2025-12-24T00:00:00+01:00"),
        ("2025-07-01", "2025-07-01", "2025-07-01T00:00:00+02:00"),
        ("2025-12-24T07:30:00+08:00", "2025-12-24", "2025-12-24T07:30:00+08:00"),
        ("2025-12-24T23:30:00Z", "2025-12-24", "2025-12-24T23:30:00+00:00"),
        ("2025-12-24 07:30", "2025-12-24", "2025-12-24T07:30:00+01:00"),
    ],
)
def test_a_date(cli: CommandLine, written: str, name: str, date: str) -> None:
    done = cli("new", "--date", written, "--json")
    assert done.json == {"issue": name, "path": f"issues/{name}.md"}
    assert f"\ndate: {date}\n" in cli.read(f"issues/{name}.md")


@pytest.mark.parametrize("written", ["tomorrow", "2025-13-01", "24.12.2025", "", "2025-02-30"])
def test_no_date(cli: CommandLine, written: str) -> None:
    done = cli("new", f"--date={written}")
    if not written:  # as if it were left out
        assert done.status == 0
        return
    assert done.status == 2
    assert "is no date; write a day (2025-12-15)" in done.err


def test_today_is_the_publications(cli: CommandLine, tmp_path: Path) -> None:
    from datetime import UTC

    from publisher.settings import load_settings

    publication = load_settings(cli.folder / "publisher.toml", {}).as_publication()
    late = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    assert new_issue(cli.folder, publication, late) == "issues/2026-01-01.md"


def test_what_is_to_be_written_is_noticed(cli: CommandLine) -> None:
    cli("new", "--date", "2025-12-24")
    found = cli("check", "2025-12-24", "--json").json["problems"]
    assert "placeholder-left" in {problem["rule"] for problem in found}


def test_a_draft_that_is_made_ready_is_published(cli: CommandLine) -> None:
    cli("new", "--date", "2025-12-24")
    path = cli.folder / "issues/2025-12-24.md"
    path.write_text(path.read_text().replace("status: draft", "status: ready"))
    assert cli("build", "--json").json["issues"] == 1


def test_never_over_an_issue(cli: CommandLine) -> None:
    cli.write("issues/2025-12-24.yaml", "title: mine\n")
    done = cli("new", "--date", "2025-12-24")
    assert done.status == 2
    assert "issues/2025-12-24.yaml exists already" in done.err
    assert [path.name for path in (cli.folder / "issues").iterdir()] == ["2025-12-24.yaml"]


MARKDOWN = (
    "\ufeff---\r\n# our own words\r\nid: abc\r\ntitle: 'Like this'  # always\r\nnumber: 7\r\n"
    "date: 2025-12-15T07:00:00+08:00\r\nstatus: ready\r\ntags: [a, b]\r\nguid: urn:x\r\n---\r\n\r\n"
    'Words.\r\n\r\n## One {#one .tag guid="urn:y"}\r\n\r\ndate: not me\r\n\r\n'
    "## Two ##\r\n\r\nText."
)
YAML = """\
# our own words
title: Like this  # always
date: 2025-12-15
highlights:
  - title: One
    body: |
      status: not me
  - {title: Two, id: two, body: "Text."}
"""
JSON = """{
    "title": "Like this", "status": "ready",
    "highlights": [
        {"title": "One", "body": "date: not me"}, {"id": "two", "title": "Two", "body": "Text."}
    ]
}
"""


@pytest.mark.parametrize(("suffix", "text"), [("md", MARKDOWN), ("yaml", YAML), ("json", JSON)])
@pytest.mark.parametrize("name", ["2025-12-15", "issues/2025-12-15.{}", "2025-12-15.{}"])
def test_a_copy(cli: CommandLine, suffix: str, text: str, name: str) -> None:
    cli.write(f"issues/2025-12-15.{suffix}", text)
    done = cli("new", "--from", name.format(suffix), "--date", "2025-12-16", "--json")
    assert done.status == 0, done
    assert done.json == {"issue": "2025-12-16", "path": f"issues/2025-12-16.{suffix}"}
    copy = _read(cli, done.json["path"])
    assert copy.status == "draft"
    assert copy.date is not None
    assert copy.date.isoformat() == "2025-12-16T00:00:00+01:00"
    assert copy.guid == ""
    assert [highlight.guid for highlight in copy.highlights] == ["", ""]
    assert [highlight.title for highlight in copy.highlights] == ["One", "Two"]
    ids = {copy.id, *(highlight.id for highlight in copy.highlights)}
    assert len(ids) == 3
    assert not ids & {"", "abc", "one", "two"}


def test_a_copy_keeps_all_else(cli: CommandLine) -> None:
    cli.write("issues/2025-12-15.md", MARKDOWN)
    cli("new", "--from", "2025-12-15", "--date", "2025-12-16")
    copy = (cli.folder / "issues/2025-12-16.md").read_bytes().decode()
    issue = _read(cli, "issues/2025-12-16.md")
    one, two = (highlight.id for highlight in issue.highlights)
    expected = MARKDOWN.replace("id: abc", f"id: {issue.id}").replace("#one", f"#{one}")
    expected = expected.replace("2025-12-15T07:00:00+08:00", "2025-12-16T00:00:00+01:00")
    expected = expected.replace("status: ready", "status: draft").replace("urn:x", '""')
    expected = expected.replace('"urn:y"', '""').replace("## Two ##", f"## Two {{#{two}}} ##")
    assert copy == expected


@pytest.mark.parametrize("name", ["2025-12-51", "nothing", "../publisher", "", "/etc/passwd"])
def test_no_issue_to_copy(cli: CommandLine, name: str) -> None:
    cli.issue("2025-12-15")
    done = cli("new", f"--from={name}", "--date", "2025-12-16")
    if not name:
        assert done.status == 0
        return
    assert done.status == 2
    assert f"there is no issue {name!r}" in done.err
    assert "2025-12-15" in done.err, "what there is should be said"


def test_what_cannot_be_read_is_not_copied(cli: CommandLine) -> None:
    cli.write("issues/2025-12-15.yaml", "title: [open\n")
    done = cli("new", "--from", "2025-12-15", "--date", "2025-12-16")
    assert done.status == 2
    assert "issues/2025-12-15.yaml, line " in done.err
    assert not (cli.folder / "issues/2025-12-16.yaml").exists()
