"""A command line in a folder of its own: in this process, which is quick, or as people run it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from publisher.cli.run import run

PROGRAM = Path(sys.executable).with_name("publisher")
SETTINGS = """\
[publication]
id = "tag:daily.example,2025:test"
title = "The Test Daily"
url = "https://daily.example"
time_zone = "Europe/Berlin"
author = "The Desk"
description = "What tests need to know."

[email]
from = "The Test Daily <daily@daily.example>"
postal_address = "1 Test Street"
"""
DIGEST = """\
Today's Finds:
1. A lamp for "the old pier"
2. 电影周在海口开幕

A lamp for "the old pier"
The town council has bought a lamp.
It will burn from dusk to dawn.

电影周在海口开幕
来自二十个国家的影片参加了展映。
"""


class Outcome:
    """What a command printed and how it ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    @property
    def both(self) -> str:
        return self.out + self.err

    def __repr__(self) -> str:
        return f"exit {self.status}\n--- out\n{self.out}\n--- err\n{self.err}"


class CommandLine:
    """Runs commands in `folder`, in this process."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.capfd = capfd

    def __call__(self, *words: str | Path, stdin: bytes = b"") -> Outcome:
        self.monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin)))
        self.monkeypatch.chdir(self.folder)
        self.capfd.readouterr()
        status = run([str(word) for word in words])
        return Outcome(status, *self.capfd.readouterr())

    def write(self, path: str, text: str | bytes) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)
        return target

    def read(self, path: str) -> str:
        return (self.folder / path).read_text("utf-8")

    def issue(self, name: str, body: str = "", **fields: object) -> Path:
        """Write a ready issue; `fields` replace or add to its front matter."""
        front = {"id": f"i{name}", "title": f"Issue {name}", "status": "ready"} | fields
        lines = "".join(f"{key}: {value}\n" for key, value in front.items())
        body = body or f"## Only {{#h{name}}}\n\nText of {name}.\n"
        return self.write(f"issues/{name}.md", f"---\n{lines}---\n\n{body}")

    def files(self) -> dict[str, bytes]:
        """Every file but the cache, by path."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and ".publisher" not in path.parts
        }


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class Process:
    """Runs commands as people do, in a process of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def environment(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PUBLISHER_")}
        if url := os.environ.get("PUBLISHER_DATABASE__URL"):
            kept["PUBLISHER_DATABASE__URL"] = url
        # Servers of several tests at once would want the same port for their consoles.
        own = {"PYTHONDEVMODE": "", "PUBLISHER_CONSOLE__PORT": str(_free_port())}
        merged = {**kept, **own, **changes}
        return {key: value for key, value in merged.items() if value is not None}

    def command(self, *words: str) -> list[str]:
        return [str(PROGRAM), *words]

    def __call__(
        self, *words: str, env: Mapping[str, str | None] | None = None, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.environment(env or {}),
            input=stdin,
            capture_output=True,
            check=False,
        )

    def shell(
        self, line: str, env: Mapping[str, str | None] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a shell's line, in which $publisher is the program."""
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=self.folder,
            env=self.environment({"publisher": str(PROGRAM), **(env or {})}),
            capture_output=True,
            check=False,
        )
