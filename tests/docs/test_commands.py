"""Every command that a page names is one, with options that it has."""

from pathlib import Path
from typing import Any

import pytest
from typer import TyperException

from publisher.cli import COMMANDS, GROUPS
from publisher.cli.command import make_command
from tests.docs.blocks import PAGES, find_commands

# Not commands, but words for one.
SHOWN = {"COMMAND", "--help", "--version"}


def parse(words: list[str]) -> None:
    """Let the command itself read its words, and not do anything."""
    size = 2 if words[0] in GROUPS else 1
    name = " ".join(words[:size])
    assert name in COMMANDS, f"there is no command {name}"
    command: Any = make_command(name)
    command.make_context(name, words[size:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_can_be_said(page: Path) -> None:
    wrong = []
    for words in find_commands(page):
        if words[0] in SHOWN or "[options]" in words:
            continue
        try:
            parse(words)
        except (TyperException, AssertionError) as error:
            wrong.append(f"publisher {' '.join(words)}: {error}")
    assert wrong == []


def test_commands_are_found() -> None:
    found = {page.name: list(find_commands(page)) for page in PAGES}
    assert ["init", "daily", "--title", "The Daily", "--time-zone", "Asia/Shanghai"] in found[
        "README.md"
    ]
    assert ["run", "--once"] in found["running.md"]
    assert ["doctor"] in found["running.md"]  # behind sudo, a variable and a path
    assert sum(map(len, found.values())) > 100


@pytest.mark.parametrize(
    "words", [["biuld"], ["build", "--ouput", "x"], ["correct"], ["users", "x"]]
)
def test_what_cannot_be_said_is_noticed(words: list[str]) -> None:
    with pytest.raises((TyperException, AssertionError)):
        parse(words)
