"""Moving highlights: each is the text that it was, in another place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.intake.arrange import MoveError, find_blocks, move_highlight

HEAD = "---\nid: aaa\n---\n\nBefore them.\n\n"
BODIES = (
    "One.\n\nTwo.",
    "- a\n- b",
    "> said\n\n### More",
    "| a |\n|---|\n| b |",
    "```\n## no\n```",
)
SPACES = ("\n", "\n\n", "\n\n\n \n")


@st.composite
def issues(draw: st.DrawFn) -> bytes:
    """An issue whose highlights have different bodies, distances and line ends."""
    text = HEAD
    for number in range(draw(st.integers(2, 5))):
        body = draw(st.sampled_from(BODIES))
        text += f"## Title {number} {{#id{number}}}\n\n{body}{draw(st.sampled_from(SPACES))}"
    end = draw(st.sampled_from(("\n", "\r\n", "\r")))
    mark = draw(st.sampled_from((b"", b"\xef\xbb\xbf")))
    return mark + text.rstrip().replace("\n", end).encode()


@given(issues(), st.data())
def test_down_and_up_again_is_as_it_was(data: bytes, draws: st.DataObject) -> None:
    count = len(find_blocks(data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")))
    place = draws.draw(st.integers(0, count - 2))
    moved = move_highlight(data, place, 1)
    assert moved != data
    assert sorted(moved) == sorted(data)
    assert move_highlight(moved, place + 1, -1) == data


def test_over_several_places() -> None:
    data = b"## A\n\na\n\n## B\n\nb\n\n## C\n\nc"
    assert move_highlight(data, 2, -2) == b"## C\n\nc\n\n## A\n\na\n\n## B\n\nb"


@pytest.mark.parametrize(
    ("data", "place", "by"),
    [
        (b"## A\n\na\n\n## B\n\nb", 0, -1),
        (b"## A\n\na\n\n## B\n\nb", 1, 1),
        (b"## A\n\na\n\n## B\n\nb", 7, 1),
        (b"none", 0, 1),
        (b"\xff\xfe", 0, 1),
        (b"## A\n\na\n\n## B\n\n```\nopen", 1, -1),
    ],
)
def test_what_cannot_be_moved_says_so(data: bytes, place: int, by: int) -> None:
    with pytest.raises(MoveError):
        move_highlight(data, place, by)
