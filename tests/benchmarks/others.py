"""The same content for Pelican and Hugo: a page for each story, issue and tag, and feeds.

Their themes, in pelican/ and hugo/, are written for this: the same parts of a page as ours (what
stands in the head, a masthead, sources and tags, a footer) and nothing else, which is far less
than what their own themes do. Neither makes messages, JSON feeds or archive documents; what each
made is counted and shown.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from tests.benchmarks.archive import Story, issue_date, issue_stories
from tests.benchmarks.measure import say

HERE = Path(__file__).parent
PACKAGES = {"pelican": "pelican[markdown]", "hugo": "hugo"}


def write_pelican(folder: Path, count: int) -> None:
    """Stories are articles, and an issue is their category."""
    shutil.copytree(HERE / "pelican", folder)
    (folder / "theme" / "static").mkdir()
    (folder / "content").mkdir()
    for issue, place, story in _stories(count):
        date = (issue_date(issue) + timedelta(seconds=place)).isoformat()
        front = (
            f"Title: {story.title}\nDate: {date}\nSlug: {story.id}\nTags: {story.tag}\n"
            f"Category: Highlights no. {issue}\nSource: {story.url}\n\n"
        )
        (folder / "content" / f"{story.id}.md").write_text(front + _body(story))


def write_hugo(folder: Path, count: int) -> None:
    """Stories are pages, and an issue is the section that they are in."""
    shutil.copytree(HERE / "hugo", folder)
    for issue, place, story in _stories(count):
        below = folder / "content" / "issues" / f"{issue_date(issue):%Y-%m-%d}"
        if place == 0:
            below.mkdir(parents=True)
            (below / "_index.md").write_text(f"---\ntitle: Highlights no. {issue}\n---\n")
        front = {
            "title": story.title,
            "date": (issue_date(issue) + timedelta(seconds=place)).isoformat(),
            "slug": story.id,
            "tags": [story.tag],
            "source": story.url,
            "weight": place + 1,
        }
        (below / f"{story.id}.md").write_text(f"{json.dumps(front)}\n\n{_body(story)}")


def _stories(count: int) -> Iterator[tuple[int, int, Story]]:
    """Each story with its issue's number and its place there, from 0."""
    for issue in range(1, count + 1):
        for place, story in enumerate(issue_stories(issue)):
            yield issue, place, story


def _body(story: Story) -> str:
    return "\n\n".join(story.paragraphs) + "\n"


# How to write a site, and the options of the command that builds it.
OTHERS: dict[str, tuple[Callable[[Path, int], None], tuple[str, ...]]] = {
    "pelican": (write_pelican, ("--settings", "pelicanconf.py", "--quiet")),
    "hugo": (write_hugo, ("--quiet",)),
}


def install(folder: Path) -> dict[str, str]:
    """Install the others into an environment of their own; give the commands that there are."""
    scripts = folder / "bin"
    if not scripts.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    commands = {}
    for name, package in PACKAGES.items():
        command = scripts / name
        if not command.exists():
            say(f"installing {name} to compare with")
            pip = [str(scripts / "python"), "-m", "pip", "install", "--quiet", package]
            subprocess.run(pip, check=False)
        if command.exists():
            commands[name] = str(command)
        else:
            say(f"{name} is not to be had here; it is left out")
    return commands
