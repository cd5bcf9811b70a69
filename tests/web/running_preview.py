"""A publication in a folder of its own, and `publisher preview` running on it in a process."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import NamedTuple, TypeVar

from PIL import Image

Found = TypeVar("Found")

# What a busy machine may need to start Python, to build and to answer.
PATIENCE = 30.0

_COMMAND = "from publisher.cli import main; main()"

SETTINGS = """\
[publication]
id = "tag:quay.example,2025:news"
title = "The Quay"
url = "https://quay.example/news"
time_zone = "Europe/Oslo"
author = "The Quay <desk@quay.example>"

[feeds]
window = "1d"
min_issues = 1
"""
OLDER = """\
---
id: older
title: Ropes & <knots>
date: 2025-11-03T07:00:00+01:00
status: ready
---

## [A rope of hair](https://source.example/rope) {#rope .craft source="The Source"}

It holds a ship, and once held a bell.
"""
DRAFT = """\
---
id: draft
title: What the quay keeps
date: 2025-12-20T07:00:00+01:00
status: draft
---

## [The boat that came back](https://source.example/boat) {#boat image="media/boat.png" \
alt="A boat at its old mooring"}

It left in 1987. See [the ropes](issues/older/#rope), or https://quay.example/news/ in full.

## An anchor for sale {#anchor}

Nobody has asked for it yet.
"""
FUTURE = """\
---
id: future
title: What comes
date: 2099-01-01T07:00:00+01:00
status: ready
---

## A ferry of tomorrow {#ferry}

It has not been built.
"""


def make_publication(folder: Path) -> Path:
    """A publication with an issue of last month, a draft with an image, and one of the future."""
    for name, text in (("older", OLDER), ("draft", DRAFT), ("future", FUTURE)):
        path = folder / "issues" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "media").mkdir()
    Image.new("RGB", (300, 200), "#2d5d6b").save(folder / "media" / "boat.png")
    (folder / "publisher.toml").write_text(SETTINGS, "utf-8")
    return folder


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def words(self) -> str:
        """The text without tags, its spaces closed up."""
        return " ".join(re.sub(r"<[^>]+>", " ", self.text).split())


class Preview:
    """A running preview of a folder."""

    def __init__(self, folder: Path, process: "subprocess.Popen[str]", url: str) -> None:
        self.folder = folder
        self.process = process
        self.url = url
        self.port = int(url.rstrip("/").rpartition(":")[2])

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Ask for a path, which is sent as it stands here."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.putrequest("GET", path, skip_host=True)
        for name, value in ({"Host": f"127.0.0.1:{self.port}"} | (headers or {})).items():
            if value:
                connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, names, response.read())
        connection.close()
        return answer

    def wait_for(self, path: str, words: str) -> Answer:
        """Ask until the answer has these words, or its source does."""

        def look() -> Answer | None:
            answer = self.get(path)
            return answer if words in answer.words or words in answer.text else None

        return wait_until(look)

    def save(self, path: str, text: str) -> None:
        """Save a file as editors do: aside, then in place of the old one."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.new")
        aside.write_text(text, "utf-8")
        aside.replace(target)

    @contextmanager
    def listen(self) -> Iterator[Callable[[float], str | None]]:
        """Listen to the events: `heard(seconds)` gives the next version, or None in that time."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/-/events")
        response = connection.getresponse()
        versions: Queue[str] = Queue()

        def read() -> None:
            with suppress(OSError, ValueError, http.client.HTTPException):  # closed, by us or it
                while line := response.readline():
                    if line.startswith(b"data: "):
                        versions.put(line.removeprefix(b"data: ").strip().decode())

        def heard(seconds: float) -> str | None:
            with suppress(Empty):
                return versions.get(timeout=seconds)
            return None

        Thread(target=read, daemon=True).start()
        yield heard
        assert connection.sock is not None
        connection.sock.shutdown(socket.SHUT_RDWR)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and give the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def workers(self) -> list[int]:
        """The processes that it has started."""
        ask = ["pgrep", "-P", str(self.process.pid)]
        found = subprocess.run(ask, capture_output=True, text=True, check=False)
        return [int(line) for line in found.stdout.split()]


def wait_until(look: Callable[[], Found | None]) -> Found:
    """Look until there is something."""
    end = time.monotonic() + PATIENCE
    while (found := look()) is None:
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return found


@contextmanager
def run_preview(folder: Path, *options: str) -> Iterator[Preview]:
    """Run `publisher preview` on a folder, and wait for its first build."""
    command = [sys.executable, "-c", _COMMAND, "preview", "--no-open", "--json"]
    options = options or ("--port", "0")
    with subprocess.Popen(
        [*command, *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=(folder / "said").open("w"),
        text=True,
        env={name: value for name, value in os.environ.items() if name != "DISPLAY"},
    ) as process:
        try:
            assert process.stdout is not None
            document = "".join(iter(process.stdout.readline, "}\n")) + "}"
            preview = Preview(folder, process, json.loads(document)["url"])
            preview.wait_for("/", "Built")
            yield preview
        finally:
            if process.poll() is None:
                process.terminate()
