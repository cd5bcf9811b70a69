"""Whatever goes wrong around a command: one clear message, a status, never a traceback."""

import errno
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.command_line import DIGEST, SETTINGS, CommandLine, Process

# Commands that need a publication, with what they need besides.
COMMANDS = (
    ["new"],
    ["import", "today.txt"],
    ["ids", "2025-12-15"],
    ["withdraw", "i2025-12-15"],
    ["check"],
    ["build"],
    ["config"],
)


def _assert_one_message(done: subprocess.CompletedProcess[bytes], status: int = 2) -> str:
    err = done.stderr.decode()
    assert done.returncode == status, err
    assert "Traceback" not in err
    assert "defect" not in err
    assert err.startswith("publisher: ")
    return err


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("json_too", [False, True])
def test_without_a_publication(empty: CommandLine, words: list[str], json_too: bool) -> None:
    done = empty(*words, *(["--json"] if json_too else []))
    assert done.status == 2
    assert "there is no publisher.toml here" in done.err
    assert "publisher init DIR" in done.err
    assert "--config FILE" in done.err
    if json_too:
        assert list(done.json) == ["error"]
    else:
        assert done.out == ""
    assert list(empty.folder.iterdir()) == []


def test_a_publication_nearby_is_pointed_out(cli: CommandLine) -> None:
    folder = cli.folder
    cli.issue("2025-12-15")
    cli.folder = folder / "issues"
    assert (
        f"there is no publisher.toml here, but in {folder}: `cd {folder}` first" in cli("build").err
    )
    cli.folder = folder.parent / f"{folder.name} around"
    cli.folder.mkdir()
    (cli.folder / "the daily").mkdir()
    (cli.folder / "the daily/publisher.toml").write_text(SETTINGS)
    assert "here, but in the daily: `cd 'the daily'` first" in cli("build").err
    # Of several none is guessed.
    (cli.folder / "weekly").mkdir()
    (cli.folder / "weekly/publisher.toml").write_text(SETTINGS)
    assert "publisher init DIR" in cli("build").err


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "is a folder; name the settings in it"),
        (b"", "the table [publication] is missing; it holds at least id, title, url, time_zone"),
        (b"\xff\xfe\x00", "is no UTF-8 text"),
        (b"[publication\n", "cannot be read: line 1: "),
        (b"[publication]\ntitle = The Daily\n", "line 2: the value of title is not understood"),
        (b"[publication]\r\nid = 3\r\n", "publication.id: found 3, expected text in quotes"),
    ],
)
def test_settings_that_cannot_be_read(
    empty: CommandLine, content: bytes | None, expected: str
) -> None:
    if content is None:
        (empty.folder / "publisher.toml").mkdir()
    else:
        empty.write("publisher.toml", content)
    done = empty("build", "--json")
    assert done.status == 2
    assert expected in done.json["error"]
    assert done.err == f"publisher: {done.json['error']}\n"


def test_settings_with_a_byte_order_mark(cli: CommandLine) -> None:
    cli.write("publisher.toml", "\ufeff" + SETTINGS.replace("\n", "\r\n"))
    assert cli("build").status == 0


def _run_read_only(process: Process, words: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command where nothing can be written; root needs a read-only mount for that."""
    if os.geteuid() != 0:
        process.folder.chmod(0o555)
        try:
            return process.shell(f"$publisher {words}")
        finally:
            process.folder.chmod(0o755)
    mount = 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD"'
    if process.shell(f"unshare -m bash -c '{mount}'").returncode:
        pytest.skip("root may do anything here")
    return process.shell(f"unshare -m bash -c '{mount} && $publisher {words}'")


@pytest.mark.parametrize("words", ["build", "check", "new", "init x", "demo"])
def test_a_folder_that_cannot_be_written(process: Process, words: str) -> None:
    message = _assert_one_message(_run_read_only(process, words))
    assert "cannot be written" in message or "may not read or write" in message


def test_settings_can_be_shown_where_nothing_can_be_written(process: Process) -> None:
    assert _run_read_only(process, "config").returncode == 0


@pytest.mark.parametrize("name", [".publisher", "issues", "public"])
def test_a_file_where_a_folder_should_be(cli: CommandLine, name: str) -> None:
    cli.write(name, "mine")
    done = cli("new" if name == "issues" else "build", "--json")
    assert done.status == 2
    assert name in done.json["error"]
    assert "defect" not in done.json["error"]
    assert cli.read(name) == "mine"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "a.md cannot be written: it is on a read-only disk"),
        (errno.EACCES, "this account may not read or write a.md"),
        (errno.ENOENT, "there is no a.md"),
        (errno.EIO, "a.md: Input/output error"),
    ],
)
def test_what_the_system_refuses_is_said_in_words(code: int, expected: str) -> None:
    from publisher.cli.run import _name_fault

    assert _name_fault(OSError(code, os.strerror(code), "a.md")) == expected


def test_a_defect_is_one_message_too(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("publisher.cli.publication.open_publication", fail)
    done = cli("config", "--json")
    assert done.status == 2
    assert done.json["error"].startswith("ZeroDivisionError: division by zero (this is a defect")
    monkeypatch.setenv("PUBLISHER_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        cli("config")


# Streams


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "utf-8", "gbk", "utf-16"])
def test_any_terminal_shows_any_title(process: Process, encoding: str) -> None:
    (process.folder / "today.txt").write_text(DIGEST, "utf-8")
    environment = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = process("import", "today.txt", "--date", "2025-12-15", env=environment)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    shown = done.stdout.decode(encoding)
    assert 'A lamp for "the old pier"' in shown
    assert ("电影周" in shown) == (encoding in ("utf-8", "gbk", "utf-16"))


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1", "nonsense"])
def test_any_locale(process: Process, locale: str) -> None:
    (process.folder / "today.txt").write_text(DIGEST, "utf-8")
    for utf8 in ("0", "1"):
        environment = {"LC_ALL": locale, "LANG": locale, "PYTHONUTF8": utf8}
        done = process("import", "today.txt", "--force", "--date", "2025-12-15", env=environment)
        assert done.returncode == 0, done.stderr


def test_json_is_utf_8_whatever_the_terminal(process: Process) -> None:
    (process.folder / "today.txt").write_text(DIGEST, "utf-8")
    environment = {"PYTHONIOENCODING": "cp1252", "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = process("import", "today.txt", "--json", "--date", "2025-12-15", env=environment)
    assert json.loads(done.stdout)["highlights"][1]["title"] == "电影周在海口开幕"


def test_a_reader_who_leaves_early(process: Process) -> None:
    issues = process.folder / "issues"
    issues.mkdir()
    body = "".join(f"## TODO {n} {{#h{n}}}\n\nTODO: text {n}.\n\n" for n in range(40))
    (issues / "2025-12-15.md").write_text(f"---\nid: a\ntitle: T\nstatus: ready\n---\n\n{body}")
    done = process.shell("$publisher check | head -1")
    assert done.returncode == 0, done.stderr
    assert b"Broken" not in done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout.count(b"\n") == 1
    # The work is done all the same, with what it says going nowhere.
    done = process.shell("$publisher build 2>&1 | true")
    assert done.returncode == 0
    assert (process.folder / "public/index.html").exists()


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", ">&- 2>&-", ">&- 2>&- <&-"])
def test_closed_streams(process: Process, redirection: str) -> None:
    (process.folder / "publisher.toml").write_text(
        SETTINGS + '[site]\nafter_build = "echo said; echo more >&2"\n'
    )
    done = process.shell(f"$publisher build {redirection}")
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert (process.folder / "public/index.html").exists()
    for path in process.folder.rglob("*"):
        assert not path.is_file() or not path.read_bytes().startswith(b"said"), path
    for command in ("config --json", "--help", "nonsense", "import -", "schema"):
        done = process.shell(f"$publisher {command} {redirection}")
        assert b"Traceback" not in done.stderr
        assert b"defect" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", ["config", "config --json", "check"])
def test_output_that_cannot_be_written(process: Process, words: str) -> None:
    done = process.shell(f"$publisher {words} > /dev/full")
    assert "standard output cannot be written: No space left" in _assert_one_message(done)


def test_an_interrupt(process: Process) -> None:
    """Ctrl-C, while a digest is waited for."""
    import signal
    import time

    running = subprocess.Popen(
        process.command("import", "-"),
        cwd=process.folder,
        env=process.environment({}),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert b"Traceback" not in err


def test_a_large_paste_is_refused_quickly(process: Process) -> None:
    done = process("import", "-", "--json", stdin=b"1. word\n" * 1_300_000)
    assert done.returncode == 1
    assert json.loads(done.stdout)["problems"][0]["rule"] == "file-too-large"


def test_without_a_home(process: Process) -> None:
    environment = {"HOME": None, "USER": None, "LOGNAME": None, "XDG_CACHE_HOME": None}
    assert process("build", env=environment).returncode == 0


def test_a_current_folder_that_is_gone(process: Process) -> None:
    done = process.shell("mkdir gone && cd gone && rmdir ../gone && $publisher build")
    _assert_one_message(done)
