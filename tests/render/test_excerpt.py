"""One line of plain text from blocks: whole words, whole sentences, whole characters."""

import pytest

from publisher.model import content as c
from publisher.render.excerpt import excerpt, shorten


def _p(*children: c.Inline) -> c.Paragraph:
    return c.Paragraph(children)


def test_the_first_paragraph_with_words_is_taken() -> None:
    blocks = (
        c.Heading(2, (c.Text("A heading"),), 1),
        _p(c.Picture("media/a.jpg", "not this", "", 1)),
        c.Quote((_p(c.Text("A <b> "), c.Strong((c.Text("bold"),)), c.Break(False), c.Code("x")),)),
        _p(c.Text("A second paragraph")),
    )
    assert excerpt(blocks) == "A <b> bold x"


def test_lists_are_read_and_nothing_gives_nothing() -> None:
    assert excerpt((c.List(False, 1, True, ((_p(c.Text("one")),),)),)) == "one"
    assert excerpt((c.Rule(), c.CodeBlock("x = 1", ""))) == ""


def test_a_line_break_between_chinese_characters_is_no_space() -> None:
    assert excerpt((_p(c.Text("海上"), c.Break(False), c.Text("来信")),)) == "海上来信"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 10, "short"),
        ("The ferry came in late again. Nobody minded.", 35, "The ferry came in late again."),
        ("The ferry came in, late again and cold", 20, "The ferry came in…"),
        ("We met a captain, Prof. Lin Yue of the harbour", 26, "We met a captain, Prof.…"),
        ("她说她会回来。我们都在码头上等着她", 10, "她说她会回来。"),
        ("我们都在码头上等着她回来的那一天", 8, "我们都在码头上…"),
        ("x" * 50, 10, "xxxxxxxxx…"),
        ("👨‍👩‍👧" * 4, 8, "👨‍👩‍👧…"),
        ("e\u0301" * 20, 10, "e\u0301" * 4 + "…"),
    ],
)
def test_a_cut_falls_where_a_reader_would(text: str, limit: int, expected: str) -> None:
    assert shorten(text, limit) == expected
    assert len(shorten(text, limit)) <= limit
