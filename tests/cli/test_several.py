"""Commands with the file of several publications: for one that is named, or for each."""

import pytest

from publisher.cli import COMMANDS
from publisher.cli.running import main_child
from publisher.settings import SeveralPublications
from tests.cli.command_line import SETTINGS, CommandLine

BOTH = """\
[[publication]]
name = "daily"
folder = "daily"

[[publication]]
name = "weekly"
folder = "weekly"
"""


@pytest.fixture
def both(empty: CommandLine) -> CommandLine:
    empty.write("publisher.toml", BOTH)
    empty.write("daily/publisher.toml", SETTINGS)
    empty.write("weekly/publisher.toml", SETTINGS.replace(":test", ":weekly"))
    return empty


def test_one_is_named_or_gone_to(both: CommandLine) -> None:
    said = both("users", "add", "a@b.example", "--publication", "daily")
    assert said.status == 0, said
    assert "http://127.0.0.1:8001/daily/welcome/" in said.both
    assert both("subscribers", "add", "a@b.example", "--publication", "daily").status == 0
    for name, number in (("daily", 1), ("weekly", 0)):
        listed = both("subscribers", "list", "--json", "--publication", name)
        assert len(listed.json["subscribers"]) == number
    both.folder = both.folder / "weekly"
    assert "/weekly/welcome/" in both("users", "add", "a@b.example").both


def test_without_a_name_it_says_which_there_are(both: CommandLine) -> None:
    for words in (["users", "list"], ["send", "2026-01-05"], ["check", "2026-01-05"], ["config"]):
        said = both(*words)
        assert said.status == 2
        assert "daily, weekly. Say which one" in said.err
    assert "there are daily, weekly" in both("config", "--publication", "dayly").err
    said = both("config", "--config", "daily/publisher.toml", "--publication", "daily")
    assert said.status == 2
    assert "leave --publication out" in said.err
    assert both("build", "--output", "out").status == 2


@pytest.mark.parametrize("command", ["status", "schedule", "doctor", "check", "build"])
def test_some_commands_do_all(both: CommandLine, command: str) -> None:
    shown = both(command, "--json")
    found = shown.json["publications"]
    assert [each["publication"] for each in found] == ["daily", "weekly"]
    alone = both(command, "--json", "--publication", "weekly")
    assert found[1].keys() == {"publication", *alone.json}
    lines = both(command).out.splitlines()
    assert [each for each in lines if each in ("daily:", "weekly:")] == ["daily:", "weekly:"]


def test_one_in_trouble_keeps_no_other_from_its_turn(both: CommandLine) -> None:
    both.write("daily/publisher.toml", "[publication]\n")
    said = both("build", "--json")
    assert said.status == 2
    daily, weekly = said.json["publications"]
    assert "publication.id" in daily["error"]
    assert weekly["issues"] == 0
    assert "daily: publisher.toml" in both("status").err
    assert (both.folder / "weekly" / "public" / "index.html").exists()


def test_no_child_takes_itself_for_the_console(both: CommandLine) -> None:
    """Where a file names several by the time that a process of one has it."""
    with pytest.raises(SeveralPublications):
        main_child("once", both.folder / "publisher.toml", "text")


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"init", "schema", "demo", "completion"}))
def test_every_command_of_a_publication_takes_its_name(empty: CommandLine, name: str) -> None:
    assert "--publication NAME" in empty(*name.split(), "--help").out


@pytest.mark.long
def test_run_once_does_what_is_due_in_each(both: CommandLine) -> None:
    both.write(
        "weekly/publisher.toml", SETTINGS.replace(":test", ":weekly") + "\n[web]\nport = 8002\n"
    )
    said = both("run", "--once", "--json")
    assert said.status == 0, said
    assert [each["mailings"] for each in said.json["publications"]] == [[], []]
    assert (both.folder / "daily" / "public" / "index.html").exists()


def test_two_that_cannot_be_apart_do_not_begin(both: CommandLine) -> None:
    for words in (["run"], ["serve"], ["run", "--once"]):
        said = both(*words)
        assert said.status == 2
        assert "daily (daily) and weekly (weekly) have the same web.port, 8000" in said.err
