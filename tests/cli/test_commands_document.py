"""docs/commands.md: every command and option, and nothing that does not exist."""

import re
import shlex
from pathlib import Path

import pytest

from publisher.cli import COMMANDS, GROUPS
from publisher.cli.command import make_command
from tests.cli.command_line import DIGEST, CommandLine
from tests.intake.moving.samples import HUGO, substack

TEXT = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8")
SECTIONS = {
    match[1]: match[2]
    for match in re.finditer(
        rf"^## `publisher ((?:(?:{'|'.join(GROUPS)}) )?[\w-]+)[^`]*`\n(.*?)(?=^## |\Z)",
        TEXT,
        re.M | re.S,
    )
}


def _options(name: str) -> set[str]:
    params = [p for p in make_command(name).params if p.param_type_name == "option"]
    return {option for p in params for option in (*p.opts, *p.secondary_opts)}


def test_every_command_has_a_section_in_the_order_of_help() -> None:
    assert list(SECTIONS) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_row(name: str) -> None:
    rows = re.findall(r"^\| (`--[^|]+) \|", SECTIONS[name], re.M)
    assert {option for row in rows for option in re.findall(r"--[\w-]+", row)} == _options(name)


@pytest.mark.parametrize("name", COMMANDS)
def test_options_are_named_as_help_names_them(empty: CommandLine, name: str) -> None:
    shown = empty(*name.split(), "--help").out
    for option, value in re.findall(r"^\| `(--[\w-]+)( \w+)?`", SECTIONS[name], re.M):
        assert f"{option}{value}" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_arguments_are_named_as_help_names_them(empty: CommandLine, name: str) -> None:
    (heading,) = re.findall(rf"^## `(publisher {name}[^`]*)`", TEXT, re.M)
    usage = empty(*name.split(), "--help").out.splitlines()[0]
    assert usage == f"Usage: {heading}".replace(f" {name}", f" {name} [OPTIONS]", 1)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_help_are_here_too(empty: CommandLine, name: str) -> None:
    examples = [line.strip() for line in SECTIONS[name].splitlines() if line.startswith("    ")]
    help_ = empty(*name.split(), "--help").out.partition("Examples:\n")[2].partition("\n\n")[0]
    assert {line.strip() for line in help_.splitlines()} <= set(examples)


def test_the_first_publication_works_as_it_is_written(empty: CommandLine) -> None:
    lines = re.findall(r"^    (.+?) *#", TEXT.partition("## A first publication")[2], re.M)
    for line in [line for line in lines if "preview" not in line]:
        assert empty(*shlex.split(line)[1:]).status == 0, line
        if " init " in line:
            empty.folder /= "daily"


def test_the_examples_of_import_work_as_they_are_written(cli: CommandLine) -> None:
    for name in ("today.txt", "highlights.txt", "2025-12-13.txt", "2025-12-14.txt"):
        cli.write(name, DIGEST)
    cli.write("export.zip", substack())
    for path, text in HUGO.items():
        cli.write(f"blog/{path}", text)
    examples = re.findall(r"^    publisher (import .+)$", SECTIONS["import"], re.M)
    assert len(examples) == 6
    for example in (each for each in examples if "https://" not in each):
        assert cli(*shlex.split(example)).status == 0, example
