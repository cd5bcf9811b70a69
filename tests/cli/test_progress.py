"""Progress: a bar on a terminal, plain lines elsewhere, and nothing where it is quick."""

import os
import pty
import re
import subprocess

import pytest

from publisher.cli.output import ProgressLine
from tests.cli.command_line import Process


def _write_issues(process: Process, number: int) -> None:
    (process.folder / "issues").mkdir()
    for n in range(number):
        text = f"---\nid: a{n}\ntitle: T\nstatus: ready\n---\n\n## One {{#h{n}}}\n\nText.\n"
        (
            process.folder / f"issues/{2000 + n // 300}-{n // 25 % 12 + 1:02}-{n % 25 + 1:02}.md"
        ).write_text(text)


def _run_in_terminal(process: Process, *words: str, columns: int = 80) -> tuple[str, str, int]:
    """Standard error is a terminal, standard output a pipe."""
    master, slave = pty.openpty()
    environment = process.environment({"COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": None})
    running = subprocess.Popen(
        process.command(*words),
        cwd=process.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=slave,
    )
    os.close(slave)
    seen = b""
    while True:
        try:
            piece = os.read(master, 65_536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    out, _ = running.communicate(timeout=60)
    os.close(master)
    return out.decode(), seen.decode(), running.returncode


def test_a_bar_on_a_terminal(process: Process) -> None:
    _write_issues(process, 400)  # long enough for a bar on any machine
    out, seen, status = _run_in_terminal(process, "build", "--json")
    assert status == 0
    assert out.startswith("{")
    assert "━" in seen
    assert re.search(r"Making the site ━+ +\d+/\d+", seen)
    # It is wiped off in the end.
    assert seen.rstrip("\n").endswith("\r\x1b[K")


@pytest.mark.parametrize("columns", [1, 40])
def test_a_bar_fits_its_line(process: Process, columns: int) -> None:
    _write_issues(process, 40)
    _, seen, status = _run_in_terminal(process, "build", "--json", columns=columns)
    assert status == 0
    lines = [part.partition("\x1b[K")[0] for part in seen.split("\r")]
    assert max(map(len, lines)) <= max(columns - 1, 1)


def test_colours_on_a_terminal_alone(process: Process) -> None:
    (process.folder / "issues").mkdir()
    (process.folder / "issues/2025-12-15.md").write_text("---\nstatus: ready\n---\n")
    _, seen, status = _run_in_terminal(process, "build")
    assert status == 1
    assert "\x1b[31merror\x1b[0m" in seen
    done = process("build")
    assert b"\x1b" not in done.stderr + done.stdout


def test_plain_lines_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("publisher.cli.output._PLAIN_SECONDS", 0)
    progress = ProgressLine()
    progress("Reading issues", 50, 1000)
    progress("Reading issues", 1000, 1000)
    progress.close()
    assert capsys.readouterr().err.splitlines() == [
        "Reading issues: 50 of 1,000",
        "Reading issues: 1,000 of 1,000",
    ]


def test_what_is_quick_says_nothing(process: Process) -> None:
    _write_issues(process, 30)
    done = process("build")
    assert done.returncode == 0
    assert b" of 30" not in done.stderr


def test_of_very_many_problems_a_terminal_shows_some_of_each_rule(process: Process) -> None:
    (process.folder / "issues").mkdir()
    todos = "".join(f"TODO {n}: write it.\n\n" for n in range(60))
    text = f"---\nid: a1\ntitle: T\nstatus: ready\n---\n\n## One {{#h1}}\n\n{todos}"
    (process.folder / "issues/2025-12-15.md").write_text(text)
    _, seen, status = _run_in_terminal(process, "build")
    assert status == 0
    assert seen.count("[placeholder-left]") == 5
    assert "… and 55 more: 55 placeholder-left" in seen
    (process.folder / "issues/2025-12-15.md").write_text(text.replace("title: T", "title: U"))
    assert process("build").stderr.count(b"[placeholder-left]") == 60
