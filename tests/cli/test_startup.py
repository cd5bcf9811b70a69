"""What a command imports is part of what a person waits for."""

import re

import pytest

from tests.cli.command_line import CommandLine, Process

# What renders, serves or measures; nothing of it is needed where nothing changed.
HEAVY = {
    *("premailer", "cssutils", "feedgen", "lxml", "litestar", "babel", "PIL", "rich", "jinja2"),
    *("markdown_it", "linkify_it", "yaml", "nh3", "pydantic", "asyncio", "multiprocessing"),
    *("sqlalchemy", "apscheduler", "uvicorn", "watchfiles", "hypothesis"),
}


def _imported(process: Process, *words: str) -> set[str]:
    done = process(*words, env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"^import time:.*\| +(\S+)$", done.stderr.decode(), re.M))


def _packages(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def test_an_unchanged_build_imports_no_renderer(cli: CommandLine, process: Process) -> None:
    cli.issue("2025-12-15", tags="[one]")
    assert process("build").returncode == 0
    modules = _imported(process, "build")
    assert _packages(modules) & HEAVY == set()
    ours = {module for module in modules if module.startswith("publisher.")}
    assert not {module for module in ours if ".render." in module} - {"publisher.render.urls"}
    assert "publisher.site.tasks" not in ours
    assert "publisher.intake.read" not in ours


@pytest.mark.parametrize(
    "words",
    [
        *(["--help"], ["--version"], ["build", "--help"], ["config"]),
        *(["completion", "bash", "--", "send", ""], ["completion", "zsh", "--", "send", "--"]),
    ],
)
def test_small_commands_import_little(process: Process, words: list[str]) -> None:
    modules = _imported(process, *words)
    allowed = {"multiprocessing"} if words[0] == "build" else set()
    assert _packages(modules) & HEAVY - allowed == set()


def test_help_imports_no_command(process: Process) -> None:
    modules = _imported(process, "--help")
    assert not {"publisher.cli.site", "publisher.cli.issues", "publisher.site"} & modules
