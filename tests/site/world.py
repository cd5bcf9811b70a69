"""A publication in a folder that tests change and build, as its editor would."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from publisher.cli.run import run
from publisher.settings import Settings, load_settings
from publisher.site.build import build
from publisher.site.correct import Corrected, plan_correction
from publisher.site.history import PATH as HISTORY
from publisher.site.job import CACHE, Job, Progress, Report
from publisher.site.register import PATH as REGISTER

SETTINGS = """\
[publication]
id = "tag:daily.example,2025:test"
title = "The Test Daily"
url = "https://daily.example"
time_zone = "Europe/Berlin"
author = "The Desk"

[email]
from = "The Test Daily <daily@daily.example>"
postal_address = "1 Test Street"
"""
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class World:
    """One publication; `now` is the time at which it is built."""

    def __init__(self, folder: Path, settings: str = SETTINGS) -> None:
        self.folder = folder
        self.now = NOW
        (folder / "issues").mkdir(parents=True, exist_ok=True)
        (folder / "publisher.toml").write_text(settings)

    @property
    def public(self) -> Path:
        return self.folder / "public"

    @property
    def settings(self) -> Settings:
        return load_settings(self.folder / "publisher.toml", {})

    def write(self, path: str, text: str | bytes) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)
        return target

    def issue(self, name: str, body: str = "", **fields: object) -> Path:
        """Write a ready issue; `fields` replace or add to its front matter."""
        front = {"id": f"i{name}", "title": f"Issue {name}", "status": "ready"} | fields
        lines = "".join(f"{key}: {value}\n" for key, value in front.items())
        body = body or f"## Only {{#h{name}}}\n\nText of {name}.\n"
        return self.write(f"issues/{name}.md", f"---\n{lines}---\n\n{body}")

    def build(
        self,
        output: Path | None = None,
        progress: Progress | None = None,
        corrected: Corrected | None = None,
    ) -> Report:
        job = Job(
            folder=self.folder,
            settings=self.settings,
            output=output or self.public,
            now=self.now,
            progress=progress,
            corrections=corrected.lines if corrected else (),
        )
        return build(job)

    def correct(self, name: str, note: str, *highlights: str) -> Corrected:
        """Note on an issue what was changed, as `publisher correct` does."""
        corrected = plan_correction(self.folder, self.settings, self.now, name, note, highlights)
        report = self.build(corrected=corrected)
        assert not report.is_refused, report.problems
        return corrected

    def replace(self, path: str, old: str, new: str) -> None:
        """Edit a file as a person would."""
        target = self.folder / path
        text = target.read_text()
        assert old in text
        target.write_text(text.replace(old, new))

    def command(self, *arguments: str) -> list[str]:
        """A command line that runs `publisher` on this publication, in a process of its own."""
        program = "from publisher.cli import main; main()"
        config = ("--config", str(self.folder / "publisher.toml"))
        return [sys.executable, "-c", program, *arguments, *config]

    def run_here(self, *arguments: str) -> int:
        """Run a command in this process, and give its exit status."""
        return run([*arguments, "--config", str(self.folder / "publisher.toml")])

    def run(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        before: Callable[[], None] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; `before` runs in the new process before it begins."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**os.environ, **(environment or {})},
            preexec_fn=before,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def preview(self, output: Path | None = None) -> Report:
        """Build as a preview does: drafts, future issues and what has errors too."""
        job = Job(
            folder=self.folder,
            settings=self.settings,
            output=output or self.public,
            now=self.now,
            is_preview=True,
        )
        return build(job)

    def files(self, folder: Path | None = None) -> dict[str, bytes]:
        """The whole site, by path."""
        base = folder or self.public
        return {
            path.relative_to(base).as_posix(): path.read_bytes()
            for path in sorted(base.rglob("*"))
            if path.is_file()
        }

    def read(self, path: str) -> str:
        return (self.public / path).read_text()

    def register(self) -> bytes:
        path = self.folder / REGISTER
        return path.read_bytes() if path.exists() else b""

    def history(self) -> bytes:
        path = self.folder / HISTORY
        return path.read_bytes() if path.exists() else b""

    def committed_copy(self, folder: Path) -> "World":
        """What another machine has after a clone: no cache, no site."""
        ignored = shutil.ignore_patterns("public", CACHE)
        shutil.copytree(self.folder, folder, ignore=ignored)
        copy = World(folder, (self.folder / "publisher.toml").read_text())
        copy.now = self.now
        return copy
