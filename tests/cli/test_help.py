"""Help and wrong usage: what somebody meets who has never seen a terminal."""

import re
from typing import Any

import pytest

from publisher import __version__
from publisher.cli import COMMANDS, GROUPS
from publisher.cli.command import make_command
from tests.cli.command_line import CommandLine, Process


def _parameters(name: str) -> list[Any]:
    return list(make_command(name).params)


def test_help_lists_every_command(empty: CommandLine) -> None:
    done = empty("--help")
    assert done.status == 0
    assert done.err == ""
    single = {name: line for name, (_, line) in COMMANDS.items() if " " not in name}
    for name, line in {**single, **GROUPS}.items():
        assert re.search(rf"^  {name} +{re.escape(line[0].upper() + line[1:])}\.$", done.out, re.M)


@pytest.mark.parametrize("word", ["-h", "--help", "help"])
def test_there_is_more_than_one_way_to_ask(empty: CommandLine, word: str) -> None:
    assert empty(word).out == empty("--help").out


def test_no_command_at_all_is_answered_with_help(empty: CommandLine) -> None:
    done = empty()
    assert done.status == 2
    assert "Commands:" in done.out


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(empty: CommandLine, name: str) -> None:
    done = empty(*name.split(), "--help")
    assert done.status == 0
    assert done.err == ""
    assert done.out.startswith(f"Usage: publisher {name} [OPTIONS]")
    assert f"publisher {name}" in done.out.partition("Examples:")[2], "an example is needed"
    assert max(map(len, done.out.splitlines())) <= 80
    # Words of programmers, not of people.
    assert not re.search(r"<\w+>|\[required\]|list\[|str\b|Show this message", done.out)
    assert empty("help", *name.split()).out == done.out


@pytest.mark.parametrize("group", GROUPS)
def test_a_first_word_lists_its_commands(empty: CommandLine, group: str) -> None:
    done = empty(group, "--help")
    assert done.status == 0
    for name, (_, line) in COMMANDS.items():
        if name.startswith(f"{group} "):
            listed = f"{re.escape(line[0].upper() + line[1:])}\\."
            assert re.search(rf"^  {name.split()[1]} +{listed}$", done.out, re.M)
    assert empty("help", group).out == done.out


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_and_argument_is_explained(name: str) -> None:
    for parameter in _parameters(name):
        assert parameter.help, f"{name}: {parameter.name} has no help"
        assert (
            parameter.is_flag
            if parameter.param_type_name == "option" and (parameter.metavar is None)
            else True
        ), f"{name}: {parameter.name} has no name for its value"


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"init", "schema", "completion", "demo"}))
def test_every_command_of_a_publication_takes_its_settings(name: str) -> None:
    assert "--config" in [option for parameter in _parameters(name) for option in parameter.opts]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_print_json(name: str) -> None:
    assert "--json" in [option for parameter in _parameters(name) for option in parameter.opts]


@pytest.mark.parametrize("columns", ["1", "20", "40", "300"])
def test_help_in_any_window(
    empty: CommandLine, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    done = empty("import", "--help")
    assert done.status == 0
    assert "publisher import today.txt" in done.out


def test_version(empty: CommandLine) -> None:
    done = empty("--version")
    assert (done.status, done.out) == (0, f"publisher {__version__}\n")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["biuld"], "there is no command 'biuld'; did you mean build?"),
        (["Check"], "did you mean check?"),
        (["xyzzy"], "`publisher --help` lists them all"),
        (["build", "--ouput", "x"], "there is no option --ouput; did you mean --output?"),
        (["build", "--xyzzy"], "there is no option --xyzzy"),
        (["build", "--config"], "--config needs a value behind it"),
        (["build", "--json=yes"], "--json takes no value"),
        (["build", "2025-12-15"], "build takes no 2025-12-15"),
        (["--json", "build"], "options stand behind the command's name"),
        (["import"], "FILE… is missing"),
        (["ids"], "NAME is missing"),
        (["withdraw"], "ID is missing"),
        (["init"], "DIR is missing"),
        (["subscribers"], "a word is missing behind `publisher subscribers`: add, list, import"),
        (["subscribers", "ad"], "there is no command 'subscribers ad'; did you mean subscribers a"),
        (["subscriber"], "there is no command 'subscriber'; did you mean subscribers?"),
        (["subscribers", "xyzzy"], "`publisher subscribers --help` lists them all"),
        (["erase"], "did you mean subscribers erase?"),
        (["subscribers", "--json", "list"], "options stand behind the command's name"),
    ],
)
def test_wrong_usage(cli: CommandLine, words: list[str], expected: str) -> None:
    done = cli(*words)
    assert done.status == 2
    assert expected in done.err
    assert done.out == "" or "--json" in words
    if words[0] in COMMANDS:  # what has two words is named by both
        assert f"See `publisher {words[0]} --help`." in done.err


def test_wrong_usage_of_a_command_of_two_words(cli: CommandLine) -> None:
    done = cli("subscribers", "add")
    assert done.status == 2
    assert done.err.startswith("publisher: ADDRESS is missing")
    assert done.err.endswith("See `publisher subscribers add --help`.\n")


def test_wrong_usage_in_json(cli: CommandLine) -> None:
    done = cli("biuld", "--json")
    assert done.status == 2
    assert done.json == {"error": "there is no command 'biuld'; did you mean build?"}


def test_shell_completion_is_no_command_of_ours(process: Process) -> None:
    """It would end with a status that means something else here."""
    done = process("--install-completion", "nosuchshell")
    assert done.returncode == 2
