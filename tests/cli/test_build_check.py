"""build and check: shapes, exit statuses, and what is said to a person."""

from pathlib import Path

import pytest

from tests.cli.command_line import SETTINGS, CommandLine

BUILD_KEYS = ["issues", "highlights", "written", "unchanged", "removed", "problems"]
PROBLEM_KEYS = ["rule", "level", "file", "line", "message", "fix"]
LINK = "## Only {#only}\n\nSee [this](javascript:alert(1)).\n"


def test_the_shape_of_build(cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    cli.issue("2025-12-14")
    first = cli("build", "--json")
    assert first.status == 0
    assert list(first.json) == BUILD_KEYS
    assert first.json["issues"] == 2
    assert first.json["highlights"] == 2
    files = [path for path in (cli.folder / "public").rglob("*") if path.is_file()]
    assert first.json["written"] == len(files)
    assert first.json["unchanged"] == 0
    second = cli("build", "--json")
    assert second.status == 0
    assert (second.json["written"], second.json["unchanged"]) == (0, len(files))


def test_what_is_gone_is_counted(cli: CommandLine) -> None:
    cli.issue("2025-12-15", tags="[one]")
    cli("build")
    cli.issue("2025-12-15", tags="[two]")
    done = cli("build", "--json")
    assert done.json["removed"] == 4
    assert not (cli.folder / "public/tags/one").exists()


def test_errors_leave_the_site_as_it_was(cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    cli("build")
    before = {k: v for k, v in cli.files().items() if k.startswith("public/")}
    cli.issue("2025-12-16", date="when it suits")
    done = cli("build", "--json")
    assert done.status == 1
    assert list(done.json) == BUILD_KEYS
    assert (done.json["written"], done.json["removed"]) == (0, 0)
    assert done.json["issues"] == 1
    (problem,) = [p for p in done.json["problems"] if p["level"] == "error"]
    assert list(problem) == PROBLEM_KEYS
    assert problem["rule"] == "date-unreadable"
    assert problem["file"] == "issues/2025-12-16.md"
    assert {k: v for k, v in cli.files().items() if k.startswith("public/")} == before
    words = cli("build")
    assert words.out == ""
    assert "Nothing was built" in words.err
    assert "issues/2025-12-16.md:5: error: the date 'when it suits' cannot be read" in words.err


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["draft"], "1 draft is left out: it lacks `status: ready` at the top."),
        (["draft", "draft"], "2 drafts are left out: they lack `status: ready` at the top."),
        (["later"], "1 issue is ready and waits for the date at the top to come."),
        (["later", "later"], "2 issues are ready and wait for the date at the top to come."),
        ([], "There is no issue yet: `publisher new` begins one"),
    ],
)
def test_what_is_not_published_is_said(
    cli: CommandLine, statuses: list[str], expected: str
) -> None:
    for day, status in enumerate(statuses, 1):
        if status == "later":
            cli.issue(f"2199-01-0{day}")
        else:
            cli.issue(f"2025-12-0{day}", status=status)
    done = cli("build")
    assert done.status == 0
    assert expected in done.err
    assert done.out.startswith("0 issues with 0 highlights in public: ")


def test_one_is_one(cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    assert cli("build").out.startswith("1 issue with 1 highlight in public: ")


def test_an_output_folder(cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    assert cli("build", "--output", "elsewhere/site").status == 0
    assert (cli.folder / "elsewhere/site/index.html").exists()
    assert not (cli.folder / "public").exists()


def test_settings_elsewhere(cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    folder = cli.folder
    cli.folder = folder / "elsewhere"
    cli.folder.mkdir()
    assert cli("build", "--config", "../publisher.toml").status == 0
    assert (folder / "public/index.html").exists()
    assert cli("check", "--config", folder / "publisher.toml").status == 0


@pytest.mark.parametrize(
    "output", [".", "..", "issues", "issues/public", "media", "templates", ".publisher/x", "/"]
)
def test_the_publication_itself_is_no_output_folder(cli: CommandLine, output: str) -> None:
    """A build removes from `issues` and `media` in it whatever it did not make."""
    cli.folder /= "daily"
    cli.write("publisher.toml", SETTINGS)
    cli.issue("2025-12-15")
    cli.write("media/a.txt", "mine")
    before = cli.files()
    done = cli("build", "--output", output, "--json")
    assert done.status == 2
    assert "the publication itself is there" in done.json["error"]
    assert cli.files() == before


def test_files_of_others_are_not_removed(cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    cli.write("www/media/holiday.jpg", "mine")
    cli.write("www/index.html", "mine")
    before = cli.files()
    done = cli("build", "--output", "www")
    assert done.status == 2
    assert "has files that are not from here" in done.err
    assert cli.files() == before


def test_a_site_whose_cache_was_lost_is_built_again(cli: CommandLine) -> None:
    import shutil

    cli.issue("2025-12-15")
    cli("build")
    shutil.rmtree(cli.folder / ".publisher")
    cli.write("public/issues/stale/index.html", "an older name")
    assert cli("build", "--json").json["removed"] == 1


def test_after_build_fails(cli: CommandLine) -> None:
    cli.write("publisher.toml", SETTINGS + '[site]\nafter_build = "echo gone; exit 3"\n')
    cli.issue("2025-12-15")
    done = cli("build", "--json")
    assert done.status == 2
    assert "exit status 3" in done.json["error"]


# check


def test_the_shape_of_check(cli: CommandLine) -> None:
    cli.issue("2025-12-15", LINK)
    done = cli("check", "--json")
    assert done.status == 1
    assert list(done.json) == ["problems"]
    assert all(list(problem) == PROBLEM_KEYS for problem in done.json["problems"])
    (error,) = [p for p in done.json["problems"] if p["level"] == "error"]
    assert (error["file"], error["line"]) == ("issues/2025-12-15.md", 9)
    assert done.err == ""


def test_check_writes_nothing(cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    before = cli.files()
    assert cli("check").status == 0
    assert cli.files() == before


def test_check_looks_at_drafts_and_at_days_to_come(cli: CommandLine) -> None:
    cli.issue("2025-12-15", LINK, status="draft")
    cli.issue("2199-01-01", LINK.replace("only", "other"))
    done = cli("check", "--json")
    errors = [p["file"] for p in done.json["problems"] if p["level"] == "error"]
    assert errors == ["issues/2025-12-15.md", "issues/2199-01-01.md"]


def test_what_check_says_is_its_result(cli: CommandLine) -> None:
    """It can be put into a file or searched; nothing else is printed there."""
    cli.issue("2025-12-15", LINK)
    done = cli("check")
    assert done.status == 1
    assert done.err == ""
    assert "issues/2025-12-15.md:9: error: " in done.out
    assert done.out.splitlines()[-1].startswith("1 error, ")
    assert done.out.splitlines()[-1].endswith("Errors stop a build.")


def test_what_is_never_mailed_is_not_looked_at_as_a_message(cli: CommandLine) -> None:
    picture = "## One {#one}\n\n![A lamp](https://pier.example/lamp.png)\n"
    rules = {}
    for mail in ("true", "false"):
        cli.issue("2025-12-15", picture, mail=mail)
        rules[mail] = {problem["rule"] for problem in cli("check", "--json").json["problems"]}
    assert rules["true"] - rules["false"] == {"markup-width-missing"}
    assert "image-size-unknown" in rules["false"]


def test_nothing_is_wrong(cli: CommandLine) -> None:
    settings = SETTINGS + '[smtp]\nhost = "localhost"\n'
    cli.write("publisher.toml", settings)
    cli.issue("2025-12-15")
    done = cli("check")
    assert done.status == 0
    assert done.out.splitlines()[-1].startswith(("Nothing is wrong.", "0 errors, "))
    assert "None of them stops a build." in done.out or done.out == "Nothing is wrong.\n"


@pytest.mark.parametrize("name", ["2025-12-15", "issues/2025-12-15.md", "2025-12-15.md"])
def test_named_issues_alone(cli: CommandLine, name: str) -> None:
    cli.issue("2025-12-14", LINK)
    cli.issue("2025-12-15", "## Only {#here}\n\nTODO\n")
    done = cli("check", name, "--json")
    assert done.status == 0
    files = {problem["file"] for problem in done.json["problems"]}
    assert files == {"issues/2025-12-15.md"}
    both = cli("check", name, "2025-12-14", "--json")
    assert both.status == 1


def test_no_such_issue(cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    done = cli("check", "2025-12-16", "--json")
    assert done.status == 2
    assert done.json["error"].startswith("there is no issue '2025-12-16' in ")
    assert done.json["error"].endswith("did you mean 2025-12-15?")


def test_check_and_build_agree_on_errors(cli: CommandLine) -> None:
    """What stops the build is among what check says, also for what was published before."""
    cli.issue("2025-12-15")
    cli("build")
    path = cli.issue("2025-12-15", status="draft")
    for expected in (["published-draft"], ["published-vanished"] * 2):
        if expected[0] == "published-vanished":
            path.unlink()
        build = cli("build", "--json")
        check = cli("check", "--json")
        assert build.status == 1
        errors = [p["rule"] for p in build.json["problems"] if p["level"] == "error"]
        assert errors == expected
        assert check.status == 1
        assert [p["rule"] for p in check.json["problems"] if p["level"] == "error"] == errors


# correct


def test_correct(cli: CommandLine) -> None:
    body = "## One {#one}\n\nIn 1994.\n\n## Two {#two}\n\nText.\n"
    cli.issue("2025-12-15", body)
    cli("build")
    nothing = cli("correct", "2025-12-15", "--note", "In 1995.")
    assert nothing.status == 2
    assert "nothing was changed in 2025-12-15" in nothing.err
    cli.issue("2025-12-15", body.replace("1994", "1995"))
    done = cli("correct", "2025-12-15", "--note", "It was 1995.", "--highlight", "one", "--json")
    assert done.status == 0
    names = ["issue", "from", "to", "highlights", "own_words", "note", "at"]
    names += ["digest", "correction", "recipients", "problems", "unknown"]
    assert list(done.json) == names
    assert done.json["highlights"] == ["one"]
    assert done.json["own_words"] is False
    assert "It was 1995." in cli.read("public/highlights/one/index.html")
    cli.issue("2025-12-15", body.replace("1994", "1996"))
    words = cli("correct", "2025-12-15", "--note", "It was 1996.")
    assert words.out.startswith("Noted on 2025-12-15 (one): It was 1996.\n")


def test_a_correction_of_what_cannot_be_built_is_refused(cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    cli("build")
    history = cli.read("issues/history.jsonl")
    cli.issue("2025-12-15", "## Other {#h2025-12-15}\n\nOther.\n")
    cli.issue("2025-12-16", id="i2025-12-15")
    done = cli("correct", "2025-12-15", "--note", "It was wrong.")
    assert done.status == 1
    assert "Nothing was noted" in done.err
    assert cli.read("issues/history.jsonl") == history


# withdraw


def test_withdraw(cli: CommandLine) -> None:
    cli.issue("2025-12-15", "## One {#one}\n\nText.\n\n## Two {#two}\n\nText.\n")
    cli("build")
    done = cli("withdraw", "one", "--reason", "An error of ours.", "--json")
    assert done.status == 0
    assert list(done.json) == ["withdrawn", "problems"]
    assert done.json["withdrawn"] == ["one"]
    assert "An error of ours." in cli.read("public/highlights/one/index.html")
    assert "highlights/one" not in cli.read("public/feed.atom")
    words = cli("withdraw", "two")
    assert words.out == "Withdrawn: two\n"
    again = cli("withdraw", "two")
    assert again.status == 0
    assert again.out == "two was withdrawn before; nothing to do\n"
    assert cli("withdraw", "two", "--json").json["withdrawn"] == []


def test_an_issue_goes_with_its_highlights(cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    cli("build")
    done = cli("withdraw", "i2025-12-15", "--json")
    assert set(done.json["withdrawn"]) == {"i2025-12-15", "h2025-12-15"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("h2025-12-51", "did you mean h2025-12-15?"),
        ("2025-12-15", "the issue 2025-12-15 has the id i2025-12-15"),
        ("issues/2025-12-15.md", "the issue 2025-12-15 has the id i2025-12-15"),
        ("xyzzy", "take it out of its file, which is enough"),
    ],
)
def test_what_was_never_published(cli: CommandLine, written: str, expected: str) -> None:
    cli.issue("2025-12-15")
    cli("build")
    register = cli.read("issues/register.jsonl")
    done = cli("withdraw", written, "--json")
    assert done.status == 2
    assert expected in done.json["error"]
    assert cli.read("issues/register.jsonl") == register


def test_a_withdrawal_that_the_site_does_not_show_yet(cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    cli("build")
    cli.issue("2025-12-16", date="when it suits")
    done = cli("withdraw", "h2025-12-15")
    assert done.status == 1
    assert "the site still shows it" in done.err
    assert '"withdrawn"' in cli.read("issues/register.jsonl")


def test_a_site_in_another_folder_can_be_looked_for(cli: CommandLine, tmp_path: Path) -> None:
    cli.issue("2025-12-15")
    done = cli("build", "--output", tmp_path / "elsewhere")
    assert "highlight in elsewhere: " in done.out


def test_a_field_that_markdown_does_not_have_is_said(cli: CommandLine) -> None:
    cli.write(
        "issues/2025-12-15.md",
        "---\nid: a\ntitle: A\nintroduction: These words would be lost.\n---\n\n## B {#b}\n\nC.\n",
    )
    found = [p for p in cli("check", "--json").json["problems"] if p["rule"] == "field-unknown"]
    assert [(p["file"], p["line"]) for p in found] == [("issues/2025-12-15.md", 4)]
