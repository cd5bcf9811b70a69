"""What shells complete, and that they do: their scripts are run by the shells themselves."""

import shutil
from pathlib import Path

import pytest

from publisher.cli import COMMANDS, GROUPS
from publisher.cli.words import write_words
from tests.cli.command_line import PROGRAM, CommandLine, Process

WORDS = Path(__file__).parents[2] / "publisher" / "cli" / "words.json"


@pytest.fixture
def asking(cli: CommandLine) -> CommandLine:
    for name in ("2025-12-14", "2025-12-15", "special"):
        cli.issue(name)
    cli.write("issues/register.jsonl", "")
    return cli


def ask(cli: CommandLine, line: str) -> list[str]:
    """The words that may stand at the end of a command line, whose last word may be empty."""
    done = cli("completion", "fish", "--", *line.split(" "))
    assert done.status == 0, done.err
    return [each.partition("\t")[0] for each in done.out.splitlines()]


def test_the_written_words_are_those_of_the_commands() -> None:
    assert WORDS.read_text("utf-8") == write_words(), "make words"


def test_every_command_is_completed(empty: CommandLine) -> None:
    firsts = dict.fromkeys(name.split()[0] for name in COMMANDS)
    assert ask(empty, "") == [*firsts, "--version", "--help"]
    for group in GROUPS:
        seconds = [name.split()[1] for name in COMMANDS if name.startswith(f"{group} ")]
        assert ask(empty, f"{group} ") == seconds


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("se", ["send", "serve"]),
        ("help sub", ["subscribers"]),
        ("subscribers e", ["export", "erase"]),
        ("xyzzy ", []),
        ("subscribers xyzzy ", []),
        ("send ", ["special", "2025-12-15", "2025-12-14"]),
        ("send 2025-12-14", ["2025-12-14"]),
        ("send issues/", []),
        ("send special --d", ["--dry-run"]),
        ("send --yes --test a@b.example 20", ["2025-12-15", "2025-12-14"]),
        ("check special s", ["special"]),
        ("new --from s", ["special"]),
        ("send special --config elsewhere.toml --c", []),
        ("status --config nowhere/publisher.toml ", []),
        ("deliveries x --status s", ["sending", "sent", "suppressed"]),
        ("deliveries x --status=se", ["--status=sending", "--status=sent"]),
        ("subscribers list --status ", ["unconfirmed", "confirmed", "unsubscribed"]),
        ("tokens create x --scope issues:read --scope issues:", ["issues:read", "issues:write"]),
        ("tokens create ", []),
        ("tokens create x --s", ["--scope"]),
        ("users add x --role o", ["owner"]),
        (
            "preview --",
            ["--port", "--open", "--no-open", "--config", "--publication", "--json", "--help"],
        ),
        ("backup ", []),
        ("completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_what_may_stand_there(asking: CommandLine, line: str, expected: list[str]) -> None:
    assert ask(asking, line) == expected


def test_several_publications_and_the_issues_of_one(asking: CommandLine) -> None:
    assert ask(asking, "send --publication ") == []
    asking.write("weekly/publisher.toml", "")
    asking.write("weekly/issues/2026-01-05.md", "")
    asking.write("publisher.toml", '[[publication]]\nname = "week"\nfolder = "weekly"\n')
    assert ask(asking, "send --publication ") == ["week"]
    assert ask(asking, "send --publication week ") == ["2026-01-05"]
    assert ask(asking, "send --publication=w") == ["--publication=week"]


def test_words_have_meanings(asking: CommandLine) -> None:
    assert asking("completion", "zsh", "--", "arm").out == f"arm:{COMMANDS['arm'][1]}\n"
    assert asking("completion", "fish", "--", "arm").out == f"arm\t{COMMANDS['arm'][1]}\n"
    assert asking("completion", "bash", "--", "arm").out == "arm\n"
    assert asking("completion", "fish", "--json", "--", "arm").json == {
        "words": [{"word": "arm", "meaning": COMMANDS["arm"][1]}]
    }


def test_an_unknown_shell(empty: CommandLine) -> None:
    done = empty("completion", "tcsh")
    assert (done.status, done.out) == (2, "")
    assert "there is no shell 'tcsh' here; there are bash, zsh, fish" in done.err


# Each prints what it would offer for three command lines, one line each.
_BASH = """\
eval "$("$publisher" completion bash)"
complete -p publisher >/dev/null || exit 1
try() { COMP_WORDS=("$publisher" "$@") COMP_CWORD=$#; _publisher; echo "${COMPREPLY[*]}"; }
try sen; try send ''; try tokens create x --scope issues :
"""
_ZSH = """\
autoload -Uz compinit && compinit -u -D
eval "$("$publisher" completion zsh)"
(( $+_comps[publisher] )) || exit 1
_describe() { echo ${found%%:*} }
_files() { echo files }
try() { words=("$publisher" "$@") CURRENT=$(($# + 1)); _publisher }
try sen; try send ''; try backup ''
"""
_FISH = """\
"$publisher" completion fish | source
for line in 'sen' 'send ' 'deliveries x --status se'
    complete -C "$publisher $line" | string replace -r '\\t.*' '' | string join ' '
end
"""


@pytest.mark.parametrize(
    ("shell", "script", "third"),
    [("bash", _BASH, "read write"), ("zsh", _ZSH, "files"), ("fish", _FISH, "sending sent")],
)
def test_the_shell_itself_completes(
    asking: CommandLine, process: Process, shell: str, script: str, third: str
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    asking.write("script", script)
    options = {"bash": "--norc", "zsh": "-f", "fish": "--no-config"}[shell]
    home = {"publisher": str(PROGRAM), "HOME": str(asking.folder)}
    done = process.shell(f"{shell} {options} script", env=home)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "send"
    assert set(lines[1].split()) == {"special", "2025-12-15", "2025-12-14"}
    assert lines[2] == third
