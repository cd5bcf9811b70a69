"""A publication of any size for measurements: issues of 5 highlights of 3 KB, a day apart.

`python -m tests.benchmarks.archive FOLDER COUNT` writes one. The same count gives the same files.
"""

import random
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

WORDS = (  # noqa: SIM905 - as a list it would take 33 lines
    "harbour lantern relic choir valley market river trailer season village football kettle "
    "studio festival archive museum island theatre novel actor screen record journey bridge "
    "garden winter letter window station library painter ocean mountain"
).split()
TAGS = ("film", "stage", "travel", "sound", "relics", "sport", "ai", "food", "books", "cities")
FIRST = datetime(1999, 1, 1, 7, tzinfo=timezone(timedelta(hours=8)))

SETTINGS = """\
[publication]
id = "tag:bench.example,2025:daily"
title = "The Bench Daily"
url = "https://bench.example"
time_zone = "Asia/Shanghai"
author = "The Desk"

[email]
from = "The Bench Daily <daily@bench.example>"
postal_address = "1 Long Street, Haikou"
"""


class Story(NamedTuple):
    """A highlight's content, before any program's own form of it."""

    id: str
    title: str
    url: str
    tag: str
    paragraphs: list[str]


def sentence(rng: random.Random) -> str:
    words = [rng.choice(WORDS) for _ in range(rng.randint(8, 18))]
    return " ".join(words).capitalize() + "."


def paragraph(rng: random.Random, size: int) -> str:
    text = sentence(rng)
    while len(text) < size:
        text += " " + sentence(rng)
    return text


def issue_date(number: int) -> datetime:
    return FIRST + timedelta(days=number - 1)


def issue_stories(number: int) -> list[Story]:
    """The five stories of the issue of a number, counted from 1."""
    rng = random.Random(number)
    stories = []
    for place in range(1, 6):
        tag = rng.choice(TAGS)
        title = paragraph(rng, 50).rstrip(".")
        url = f"https://source.example/{number}/{place}"
        paragraphs = [paragraph(rng, 720) for _ in range(4)]
        stories.append(Story(f"i{number}-{place}", title, url, tag, paragraphs))
    return stories


def issue_text(number: int) -> tuple[str, str]:
    """NAME and text of the issue of a number, counted from 1."""
    date = issue_date(number)
    name = f"{date:%Y-%m-%d}"
    parts = [
        f"---\nid: i{number}\ntitle: Highlights no. {number}\nnumber: {number}\n"
        f"date: {date.isoformat()}\nstatus: ready\n---\n"
    ]
    for story in issue_stories(number):
        attributes = f'{{#{story.id} .{story.tag} source="The Wire"}}'
        parts.append(f"## [{story.title}]({story.url}) {attributes}\n")
        parts += [text + "\n" for text in story.paragraphs]
    return name, "\n".join(parts)


def write_issue(folder: Path, number: int) -> Path:
    name, text = issue_text(number)
    path = folder / "issues" / f"{name}.md"
    path.write_text(text)
    return path


def write_archive(folder: Path, count: int) -> None:
    (folder / "issues").mkdir(parents=True, exist_ok=True)
    (folder / "publisher.toml").write_text(SETTINGS)
    for number in range(1, count + 1):
        write_issue(folder, number)


if __name__ == "__main__":
    write_archive(Path(sys.argv[1]), int(sys.argv[2]))
