"""A console over a publication with issues, and what an editor does in it."""

import html
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.web.console.site import Browser, Console, run_console
from tests.web.public.site import Answer

DRAFT = """\
---
id: kd7m3xq2vt
title: "Monday's highlights"
date: 2026-01-05T07:00:00+01:00
status: draft
---

What happened in the harbour.

## [The first ship](https://wire.example/ship) {#wq4n8ztb6k .harbour}

It came in at dawn, with oranges.

## The second ship {#hx2c9mrd4p}

It came in at noon.

## The third ship {#mf5v7jwc2h}

It came in at night.
"""
DIGEST = """\
Monday's Highlights:
1. The first ship came in
2. The second ship came in

The first ship came in
It came in at dawn, with oranges.
Everybody was there.

The second ship came in
It came in at noon.
"""
_VERSION = re.compile(r'name="version" value="([0-9a-f]*)"')
_TEXTAREA = re.compile(r'<textarea id="text"[^>]*>\n(.*?)</textarea>', re.DOTALL)


@contextmanager
def run_desk(folder: Path, **tables: Any) -> Iterator[Console]:
    """A console over a folder with one draft, 2026-01-05."""
    (folder / "issues").mkdir()
    (folder / "media").mkdir()
    (folder / "issues" / "2026-01-05.md").write_text(DRAFT)
    with run_console(folder, **tables) as console:
        yield console


def tidy(console: Console) -> None:
    """Have the folder as it was, for the next test."""
    for name in ("issues", "media"):
        for path in (console.folder / name).iterdir():
            path.unlink()
    (console.folder / "issues" / "2026-01-05.md").write_text(DRAFT)
    console.clock.ahead = timedelta()


def text_in(answer: Answer) -> str:
    """What stands in an editor's field."""
    match = _TEXTAREA.search(answer.text)
    assert match, answer.title
    return html.unescape(match[1])


def version_in(answer: Answer) -> str:
    match = _VERSION.search(answer.text)
    assert match, answer.title
    return match[1]


def save(
    browser: Browser, text: str, *, act: str = "save", version: str = "", name: str = "2026-01-05"
) -> Answer:
    """Press a button under an issue's text, as the page has it now or had it then."""
    path = f"/issues/{name}/edit"
    version = version or version_in(browser.get(path))
    sent = text.replace("\n", "\r\n")  # as browsers do
    return browser.post(path, {"text": sent, "version": version, "act": act})


def upload(
    browser: Browser,
    path: str,
    fields: Mapping[str, str],
    file: tuple[str, bytes] | None = None,
) -> Answer:
    """Send a form with a file, as a browser does (RFC 7578)."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in {"_csrf_token": browser.token, **fields}.items()
    ]
    name, data = file or ("", b"")
    head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    parts += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", data, b"\r\n"]
    body = b"".join([*parts, b"--edge--\r\n"])
    headers = {"Content-Type": "multipart/form-data; boundary=edge", "Origin": browser.client.url}
    return browser.ask("POST", path, body, headers)
