"""The commands that the documentation names: blocks that are run, and all that is in any code."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_FENCE = re.compile(r"^```(.*)\n((?:.*\n)*?)^```$", re.M)
_INDENTED = re.compile(r"^ {4,}(.*)$", re.M)
# The program where a command may begin, in a path of its own or not, with what is said to it.
_BEGINS = r"^|&& |\| |\$\(|/bin/|[A-Z_]+=\S+ |--rm |exec publisher "
_COMMAND = re.compile(rf"(?:{_BEGINS})publisher +([^|;)]+)")


class Block(msgspec.Struct, frozen=True):
    """Code of a page with its line; its mark is `sh`, `sh until-stopped` or `sh on-a-server`."""

    page: str
    line: int
    mark: str
    text: str


def read_blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    return [
        Block(page.name, text.count("\n", 0, match.start()) + 1, match[1].strip(), match[2])
        for match in _FENCE.finditer(text)
    ]


def find_commands(page: Path) -> Iterator[list[str]]:
    """The words behind each `publisher` in the code of a page."""
    text = page.read_text("utf-8")
    outside = _FENCE.sub("", text)
    code = [block.text for block in read_blocks(page)] + _INDENTED.findall(outside)
    for line in "\n".join(code).replace("\\\n", " ").splitlines():
        filled = re.sub(r"\$\((?!publisher)[^)]*\)", "X", line)
        for said in _COMMAND.findall(filled):
            if words := _words(said):
                yield words


def _words(said: str) -> list[str]:
    """Up to where the shell takes over, or a remark begins."""
    # A quotation mark too many ends what was before the command.
    whole = said if said.count('"') % 2 == 0 else said.rpartition('"')[0]
    words = shlex.split(whole, comments=True)
    ends = [place for place, word in enumerate(words) if re.match(r"[<>&]", word)]
    return words[: ends[0]] if ends else words
