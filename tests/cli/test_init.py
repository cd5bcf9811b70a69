"""init: a folder that is ready to build, whatever it is called."""

import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from publisher.settings import load_settings
from tests.cli.command_line import CommandLine


def test_what_is_made_builds_and_checks_at_once(empty: CommandLine) -> None:
    assert empty("init", "daily").status == 0
    empty.folder /= "daily"
    build = empty("build", "--json")
    assert build.status == 0
    assert build.json["issues"] == 0
    assert build.json["written"] > 0
    check = empty("check", "--json")
    assert check.status == 0
    rules = {p["rule"]: p["level"] for p in check.json["problems"]}
    assert "error" not in rules.values()
    # What it says is for its editor to do: nothing of it is about our own templates.
    assert {rule for rule, level in rules.items() if level == "warning"} == {"from-missing"}
    assert (empty.folder / "public" / "index.html").exists()


def test_an_issue_can_be_begun_at_once(empty: CommandLine) -> None:
    empty("init", "daily")
    empty.folder /= "daily"
    assert empty("new").status == 0
    assert empty("build").status == 0


def test_the_folders_of_a_publication_are_made(empty: CommandLine) -> None:
    done = empty("init", "the-daily_news", "--json")
    folder = empty.folder / "the-daily_news"
    names = {"issues", "media", "templates", "publisher.toml", ".gitignore", ".gitattributes"}
    assert {path.name for path in folder.iterdir()} == names
    settings = load_settings(folder / "publisher.toml", {})
    assert settings.publication.title == "The Daily News"
    assert done.json == {
        "folder": "the-daily_news",
        "settings": "the-daily_news/publisher.toml",
        "id": settings.publication.id,
    }


def test_what_to_do_next_is_said(empty: CommandLine) -> None:
    done = empty("init", "daily")
    for words in ("cd daily", "publisher.toml", "publisher new", "publisher build"):
        assert words in done.err


def test_the_site_s_address_is_taken(empty: CommandLine) -> None:
    done = empty("init", "daily", "--url", "https://www.müller.example/daily", "--json")
    assert done.json["id"].startswith("tag:xn--mller-kva.example,2")
    text = empty.read("daily/publisher.toml")
    assert 'url = "https://www.müller.example/daily"' in text
    assert "<daily@xn--mller-kva.example>" in text
    for wrong in ("daily.example", "ftp://daily.example", "https://a b.example"):
        done = empty("init", "other", "--url", wrong)
        assert (done.status, "is no URL" in done.err) == (2, True)
        assert not (empty.folder / "other").exists()


def test_ids_differ(empty: CommandLine) -> None:
    ids = {empty("init", name, "--json").json["id"] for name in ("a", "b")}
    assert len(ids) == 2


@pytest.mark.parametrize(
    "title",
    [
        'The "Daily"',
        "C:\\news",
        "今日要闻",
        "صحيفة",
        "A, B & C",
        "{braces} %s",
        "tab\there",
        "\x7f",
        "two\nlines",
    ],
)
def test_any_title(empty: CommandLine, title: str) -> None:
    done = empty("init", "daily", "--title", title)
    assert done.status == 0
    settings = load_settings(empty.folder / "daily" / "publisher.toml", {})
    assert settings.publication.title == title
    # The lines that are still to be switched on are right as well.
    text = empty.read("daily/publisher.toml").replace("# from =", "from =")
    if title.isprintable():
        assert "from" in tomllib.loads(text)["email"]


@pytest.mark.parametrize("title", ['The "Daily"', "今日要闻", "A, B & C", "Plain Words"])
def test_the_sender_that_is_proposed_can_be_used(empty: CommandLine, title: str) -> None:
    empty("init", "daily", "--title", title)
    path = empty.folder / "daily" / "publisher.toml"
    path.write_text(path.read_text("utf-8").replace("# from =", "from ="), "utf-8")
    assert load_settings(path, {}).email.from_.endswith("<daily@example.org>")


@pytest.mark.parametrize("name", ["今日", 'a "b"', "white space", "ünï", "-dash"])
def test_any_folder(empty: CommandLine, name: str) -> None:
    assert empty("init", "--", name).status == 0
    assert empty("build", "--config", f"{name}/publisher.toml").status == 0


def test_a_time_zone(empty: CommandLine) -> None:
    empty("init", "daily", "--time-zone", "Asia/Shanghai")
    settings = load_settings(empty.folder / "daily" / "publisher.toml", {})
    assert settings.publication.time_zone == "Asia/Shanghai"


def test_this_computers_time_zone(empty: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    empty("init", "daily")
    settings = load_settings(empty.folder / "daily" / "publisher.toml", {})
    assert settings.publication.time_zone == "America/New_York"
    monkeypatch.setenv("TZ", "EST5EDT,M3.2.0,M11.1.0")
    empty("init", "other")
    ZoneInfo(load_settings(empty.folder / "other" / "publisher.toml", {}).publication.time_zone)


def test_a_wrong_time_zone_leaves_nothing_behind(empty: CommandLine) -> None:
    done = empty("init", "daily", "--time-zone", "Peking")
    assert done.status == 2
    assert "'Peking' is unknown; write one such as Asia/Shanghai" in done.err
    assert list(empty.folder.iterdir()) == []


def test_a_blank_title_leaves_nothing_behind(empty: CommandLine) -> None:
    done = empty("init", "daily", "--title", " ")
    assert done.status == 2
    assert list(empty.folder.iterdir()) == []


def test_a_publication_is_never_overwritten(cli: CommandLine) -> None:
    before = cli.files()
    done = cli("init", ".", "--json")
    assert done.status == 2
    assert "exists already" in done.json["error"]
    assert cli.files() == before


def test_files_that_are_there_stay(empty: CommandLine) -> None:
    empty.write(".gitignore", "mine\n")
    empty.write("notes.txt", "mine\n")
    assert empty("init", ".").status == 0
    assert empty.read(".gitignore") == "mine\n"
    assert empty.read("notes.txt") == "mine\n"


def test_a_file_is_no_folder(empty: CommandLine) -> None:
    empty.write("daily", "")
    done = empty("init", "daily")
    assert done.status == 2
    assert "daily is a file; name a folder" in done.err


def test_this_folder_by_its_dot(empty: CommandLine, tmp_path: Path) -> None:
    empty.folder = tmp_path / "evening-post"
    empty.folder.mkdir()
    assert empty("init", ".").status == 0
    settings = load_settings(empty.folder / "publisher.toml", {})
    assert settings.publication.title == "Evening Post"
