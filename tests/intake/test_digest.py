"""The plain-text digest: what newsrooms paste is read, and what is unclear is refused."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.intake.blocks import plain_text
from publisher.intake.digest import Digest, read_digest
from publisher.intake.digest_lines import title_key
from publisher.intake.markdown import read_markdown
from publisher.intake.text import decode
from publisher.intake.write import HighlightText, IssueText, write_markdown_issue
from publisher.model import content as c
from publisher.model.problem import Problem

FILE = "monday.txt"
REAL = Path(__file__).parents[2].parent / "shared" / "digests" / "todays-highlights.txt"

FERRY = "Night Ferry Museum Opens Its Doors"
CHOIR = 'Village Choir "Low Tide" Tours the Coast'
KITES = "Kite-Makers' Guild Wins a Prize"
SAMPLE = f"""\
Today's Highlights:
1. {FERRY}
2. {CHOIR}
3. {KITES}
{FERRY}
The museum of night ferries opened on Monday. Admission is free.
12 boats are on show, the oldest from 1901.
{CHOIR}
The choir sings in nine harbours, "from dusk to low tide.
{KITES}
The guild has 40 members.
It was founded in 1950.
Its kites fly in 12 countries.
"""
PARAGRAPHS = (
    (
        "The museum of night ferries opened on Monday. Admission is free.",
        "12 boats are on show, the oldest from 1901.",
    ),
    ('The choir sings in nine harbours, "from dusk to low tide.',),
    (
        "The guild has 40 members.",
        "It was founded in 1950.",
        "Its kites fly in 12 countries.",
    ),
)


def read(text: str | bytes) -> tuple[Digest | None, tuple[Problem, ...]]:
    data = text.encode() if isinstance(text, str) else text
    decoded, problems = decode(data, FILE)
    assert decoded is not None, problems
    digest, found = read_digest(decoded, FILE)
    return digest, (*problems, *found)


def accept(text: str | bytes, *rules: str) -> Digest:
    """Read a digest that has problems of exactly these rules, none of which refuses it."""
    digest, problems = read(text)
    assert sorted(problem.rule for problem in problems) == sorted(rules)
    assert all(problem.level != "error" for problem in problems)
    assert digest
    return digest


def refuse(text: str, *places: tuple[str, int]) -> tuple[Problem, ...]:
    """Read a digest that is refused, with errors of these rules on these lines."""
    digest, problems = read(text)
    errors = [problem for problem in problems if problem.level == "error"]
    assert digest is None
    assert [(problem.rule, problem.line) for problem in errors] == list(places)
    assert all(problem.file == FILE and problem.fix for problem in errors)
    return tuple(errors)


def is_sample(digest: Digest) -> bool:
    return (
        [highlight.title for highlight in digest.highlights] == [FERRY, CHOIR, KITES]
        and tuple(highlight.paragraphs for highlight in digest.highlights) == PARAGRAPHS
        and not digest.introduction
    )


def change(old: str, new: str, count: int = 1) -> str:
    assert SAMPLE.count(old) >= count
    return SAMPLE.replace(old, new, count)


def change_section(title: str, new: str) -> str:
    """The sample with a section's title, not the list's, spelled in another way."""
    assert SAMPLE.count(f"\n{title}\n") == 1
    return SAMPLE.replace(f"\n{title}\n", f"\n{new}\n")


def test_sample() -> None:
    digest = accept(SAMPLE)
    assert digest.title == "Today's Highlights"
    assert is_sample(digest)
    assert [highlight.line for highlight in digest.highlights] == [5, 8, 10]


@pytest.mark.skipif(not REAL.exists(), reason="the shared digest is not beside this checkout")
def test_the_real_digest() -> None:
    data = REAL.read_bytes()
    lines = data.decode().splitlines()
    digest = accept(data)
    assert digest.title + ":" == lines[0]
    assert digest.introduction == ()
    assert [len(highlight.paragraphs) for highlight in digest.highlights] == [4, 3, 3, 2, 2]
    rest = [line for h in digest.highlights for line in (h.title, *h.paragraphs)]
    assert rest == lines[6:]
    numbered = [f"{number}. {h.title}" for number, h in enumerate(digest.highlights, 1)]
    assert numbered == lines[1:6]


@pytest.mark.parametrize("file", [pytest.param(None, id="sample"), pytest.param(REAL, id="real")])
def test_a_digest_becomes_an_issue_with_the_same_words(file: Path | None) -> None:
    if file and not file.exists():
        pytest.skip("the shared digest is not beside this checkout")
    digest = accept(file.read_bytes() if file else SAMPLE)
    highlights = tuple(
        HighlightText(id=f"h{number}", title=h.title, paragraphs=h.paragraphs)
        for number, h in enumerate(digest.highlights)
    )
    text = write_markdown_issue(
        IssueText(id="i1", title=digest.title, date="2025-12-15", highlights=highlights)
    )
    # Nothing in a digest like these needs an escape.
    assert "\\" not in text
    issue, problems = read_markdown(text, "2025-12-15", "x.md", ZoneInfo("UTC"))
    assert issue
    assert not problems
    assert issue.title == digest.title
    assert [
        (h.title, tuple(plain_text(b.children) for b in h.body if isinstance(b, c.Paragraph)))
        for h in issue.highlights
    ] == [(h.title, h.paragraphs) for h in digest.highlights]


def renumber(*numbers: str) -> str:
    text = SAMPLE
    for title, new in zip((FERRY, CHOIR, KITES), numbers, strict=True):
        text = re.sub(rf"\d\. {title}", f"{new}{title}", text)
    return text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SAMPLE.replace("\n", "\r\n"), id="windows"),
        pytest.param(SAMPLE.replace("\n", "\r"), id="old-mac"),
        pytest.param(SAMPLE.replace("\n", "\v"), id="vertical-tabs"),
        pytest.param(SAMPLE.replace("\n", "\f"), id="form-feeds"),
        pytest.param(SAMPLE.replace("\n", "\u2028"), id="line-separators"),
        pytest.param(SAMPLE.replace("\n", "\u2029"), id="paragraph-separators"),
        pytest.param(SAMPLE.rstrip("\n"), id="no-final-line-end"),
        pytest.param("\ufeff" + SAMPLE, id="byte-order-mark"),
        pytest.param("\n\n" + SAMPLE.replace("\n", "\n\n"), id="blank-lines"),
        pytest.param(SAMPLE.replace("\n", "\n \u3000\t\n"), id="lines-of-spaces"),
        pytest.param(SAMPLE.replace("\n", "  \n"), id="trailing-spaces"),
        pytest.param(SAMPLE.replace("\n", "\xa0\n"), id="non-breaking-spaces"),
        pytest.param(SAMPLE.replace("\n", "\u3000\n"), id="ideographic-spaces"),
        pytest.param(SAMPLE.replace("\n", "\u200b\ufeff\n"), id="zero-width-spaces"),
        pytest.param(SAMPLE.replace("\n", "\n\u3000\u3000"), id="indented-paragraphs"),
        pytest.param(renumber("  1. ", "  2. ", "  3. "), id="indented-list"),
        pytest.param(renumber("1) ", "2) ", "3) "), id="parentheses"),
        pytest.param(renumber("1、", "2、", "3、"), id="ideographic-commas"),
        pytest.param(renumber("1．", "2．", "3．"), id="full-width-dots"),
        pytest.param(renumber("(1) ", "(2) ", "(3) "), id="in-parentheses"),
        pytest.param(renumber("（1）", "（2）", "（3）"), id="in-full-width-parentheses"),
        pytest.param(renumber("１.", "２.", "３."), id="full-width-digits"),
        pytest.param(renumber("1.", "2.", "3."), id="no-space"),
        pytest.param(renumber("1.\t", "2.\t", "3.\t"), id="tabs"),
        pytest.param(renumber("1. ", "1. ", "1. "), id="markdown-ones"),
        pytest.param(renumber("①", "②", "③"), id="circled"),
        pytest.param(renumber("1️⃣ ", "2️⃣ ", "3️⃣ "), id="keycaps"),
        pytest.param(renumber("一、", "二、", "三、"), id="chinese"),
        pytest.param(renumber("（一）", "（二）", "（三）"), id="chinese-in-parentheses"),
        pytest.param(change_section(FERRY, f"1. {FERRY}"), id="section-with-its-number"),
        pytest.param(
            change_section(FERRY, f"1. {FERRY}")
            .replace(f"\n{CHOIR}\n", f"\n2) {CHOIR}\n")
            .replace(f"\n{KITES}\n", f"\n（3）{KITES}\n"),
            id="sections-with-numbers",
        ),
        pytest.param(
            renumber("1. ", "1. ", "1. ")
            .replace(f"\n{FERRY}\n", f"\n1. {FERRY}\n")
            .replace(f"\n{CHOIR}\n", f"\n1. {CHOIR}\n"),
            id="sections-with-markdown-ones",
        ),
        pytest.param(change_section(FERRY, FERRY.upper()), id="section-in-capitals"),
        pytest.param(change_section(FERRY, FERRY.replace(" ", "  ")), id="section-spaced"),
        pytest.param(change_section(FERRY, FERRY.replace(" ", "\xa0")), id="section-unbroken"),
        pytest.param(
            change_section(CHOIR, CHOIR.replace('"Low Tide"', "“Low Tide”")), id="section-quotes"
        ),
        pytest.param(
            change_section(CHOIR, CHOIR.replace('"Low Tide"', "「Low Tide」")),
            id="section-corner-quotes",
        ),
        pytest.param(change_section(KITES, KITES.replace("'", "’")), id="section-apostrophe"),
        pytest.param(change_section(KITES, KITES.replace("-", "–")), id="section-dash"),
        pytest.param(change_section(KITES, KITES.replace("-", "--")), id="section-two-hyphens"),
        pytest.param(change_section(FERRY, f"{FERRY}:"), id="section-colon"),
        pytest.param(change_section(FERRY, f"{FERRY}："), id="section-full-width-colon"),
        pytest.param(change_section(FERRY, f"{FERRY}."), id="section-period"),
        pytest.param(
            change_section(FERRY, "Night Ferry Museum\nOpens Its Doors"), id="section-wrap"
        ),
        pytest.param(
            change_section(FERRY, "1. Night Ferry\nMuseum\nOpens Its Doors"),
            id="section-wraps-twice",
        ),
        pytest.param(
            change(f"1. {FERRY}", "1. Night Ferry Museum\n   Opens Its Doors"), id="list-wrapped"
        ),
        pytest.param(
            change(f"3. {KITES}", "3. Kite-Makers' Guild\n   Wins a Prize"), id="list-end-wrapped"
        ),
        pytest.param(
            change(f"3. {KITES}", "3. Kite-\nMakers' Guild\nWins a Prize"), id="list-at-a-hyphen"
        ),
        pytest.param(
            change(f"2. {CHOIR}", '2. Village Choir "Low\nTide" Tours the\nCoast').replace(
                f"\n{CHOIR}\n", '\nVillage Choir "Low Tide"\nTours the Coast\n'
            ),
            id="both-wrapped",
        ),
        pytest.param(change(f"2. {CHOIR}", f"2.\n{CHOIR}"), id="number-on-its-own-line"),
    ],
)
def test_tolerates(text: str) -> None:
    assert is_sample(accept(text))


@pytest.mark.parametrize(
    ("line", "title"),
    [
        pytest.param("Today's Highlights:", "Today's Highlights", id="colon"),
        pytest.param("今日要闻：", "今日要闻", id="chinese"),
        pytest.param("À la une :", "À la une", id="space-before-colon"),
        pytest.param("12.15 今日要闻：", "12.15 今日要闻", id="begins-with-a-day"),
        pytest.param("15. Dezember, Höhepunkte:", "15. Dezember, Höhepunkte", id="ordinal-day"),
        pytest.param("1. Dezember, Höhepunkte:", "1. Dezember, Höhepunkte", id="first-of-month"),
        pytest.param("1.5 million readers:", "1.5 million readers", id="fraction"),
    ],
)
def test_title_line(line: str, title: str) -> None:
    digest = accept(change("Today's Highlights:", line))
    assert digest.title == title
    assert is_sample(digest)


def test_no_title_line() -> None:
    digest = accept(change("Today's Highlights:\n", ""))
    assert digest.title == ""
    assert is_sample(digest)


def test_title_without_a_colon() -> None:
    digest = accept(change("Highlights:", "Highlights"), "digest-title-without-colon")
    assert digest.title == "Today's Highlights"
    assert is_sample(digest)


def test_text_above_the_list_is_the_introduction() -> None:
    text = f"15 December\n{SAMPLE}"
    digest = accept(text, "digest-introduction")
    assert digest.title == "Today's Highlights"
    assert digest.introduction == ("15 December",)


def test_text_below_the_list_is_the_introduction() -> None:
    added = "Good morning.\n2024 was a year of boats."
    text = change(f"3. {KITES}\n", f"3. {KITES}\n{added}\n")
    digest, problems = read(text)
    assert digest
    assert digest.introduction == tuple(added.split("\n"))
    (problem,) = problems
    assert (problem.rule, problem.line) == ("digest-introduction", 5)
    assert "'Good morning.' (lines: 2)" in problem.message
    assert [h.paragraphs for h in digest.highlights] == list(PARAGRAPHS)


def test_the_list_decides_order_and_spelling() -> None:
    text = (
        "1. One “Film”\n2. Two\n3. Three\n"
        "TWO:\nAbout two.\n"
        "3) three\nAbout three.\n"
        'one "film"\nAbout one.\n'
    )
    digest, problems = read(text)
    assert digest
    assert [(h.title, h.paragraphs, h.line) for h in digest.highlights] == [
        ("One “Film”", ("About one.",), 8),
        ("Two", ("About two.",), 4),
        ("Three", ("About three.",), 6),
    ]
    assert [(p.rule, p.line) for p in problems] == [("digest-order", 8)]


def test_wrapped_titles_are_mended() -> None:
    text = (
        "1. 深夜渡轮博物馆\n正式开放\n2. Kite-\nMakers win\n"
        "深夜渡轮博物馆正式开放\n一。\nkite-makers win\nTwo.\n"
    )
    digest = accept(text)
    assert [h.title for h in digest.highlights] == ["深夜渡轮博物馆正式开放", "Kite-Makers win"]


@pytest.mark.parametrize(
    "paragraph",
    [
        pytest.param("3. Something is numbered.", id="number-of-a-title"),
        pytest.param("1. The list begins again?", id="one"),
        pytest.param("4. The list goes on?", id="next-number"),
        pytest.param("2、第二点。", id="chinese"),
        pytest.param("12 people came.", id="bare-number"),
        pytest.param("1.5 million people came.", id="fraction"),
        pytest.param("（一）第一点。", id="chinese-number"),
        pytest.param("2025. aasta oli hea.", id="year"),
        pytest.param("“An unclosed quote", id="unclosed-quote"),
        pytest.param("A\xa0non-breaking\u3000and  wide\u200b space.", id="inner-spaces"),
        pytest.param("Soft\xadhyphens and ‘quotes’ stay – all of them…", id="typography"),
        pytest.param("كتاب جديد عن السفن.", id="arabic"),
        pytest.param("今日要闻：", id="colon"),
        pytest.param("# **Not** _Markdown_ <b>either</b> &amp; {{ x }}", id="markup"),
        pytest.param("-----", id="dashes"),
    ],
)
@pytest.mark.parametrize("at", [0, 1])
def test_paragraphs_are_not_touched(paragraph: str, at: int) -> None:
    first = PARAGRAPHS[0][0]
    both = [paragraph, first] if at == 0 else [first, paragraph]
    digest = accept(change(first, "\n".join(both)))
    assert digest.highlights[0].paragraphs == (*both, PARAGRAPHS[0][1])


def test_titles_that_begin_with_numbers() -> None:
    titles = ["1.5 million came", "12 Boats", "2024 Again"]
    lines = [f"{number}. {title}" for number, title in enumerate(titles, 1)]
    lines += [line for title in titles for line in (title, "Text.")]
    assert [h.title for h in accept("\n".join(lines)).highlights] == titles


def test_number_without_a_space_before_digits() -> None:
    text = "要闻：\n1.2025年度电影\n2.12艘船\n2025年度电影\n一。\n12艘船\n二。\n"
    digest = accept(text)
    assert [h.title for h in digest.highlights] == ["2025年度电影", "12艘船"]


def test_a_single_highlight() -> None:
    digest = accept("1. One\n1. One\nText.\n")
    assert [(h.title, h.paragraphs) for h in digest.highlights] == [("One", ("Text.",))]


def test_more_than_nine_highlights() -> None:
    titles = [f"Title {letter}" for letter in "abcdefghijkl"]
    chinese = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"]
    lines = [f"{n}、{t}" for n, t in zip(chinese, titles, strict=True)]
    lines += [line for title in titles for line in (title, f"About {title}.")]
    assert [h.title for h in accept("\n".join(lines)).highlights] == titles


def test_a_wrong_number_one_in_the_list_is_only_said() -> None:
    text = renumber("1. ", "2. ", "1. ")
    digest, problems = read(text)
    assert digest
    assert is_sample(digest)
    assert [(p.rule, p.line) for p in problems] == [("digest-numbers", 2)]
    assert "1, 2, 1" in problems[0].message


@pytest.mark.parametrize(
    "numbers", [("1. ", "2. ", "4. "), ("1. ", "1. ", "2. "), ("2. ", "3. ", "4. ")]
)
def test_numbers_that_do_not_count_are_said(numbers: tuple[str, str, str]) -> None:
    digest = accept(renumber(*numbers), "digest-numbers")
    assert is_sample(digest)


WRAPPED = """\
1. One
2. Two
One
The museum of night ferries opened on Monday with a ceremony at the old
pier, where the harbour master and a small band had been waiting since
dawn. Admission is free.
Two
Nothing is broken here.
"""
CHINESE_WRAPPED = """\
一、甲
甲
海事博物馆于周一在旧码头正式开放，港务长和一支小乐队从清晨起
一直在那里等候，许多市民带着孩子前来参观，馆内展出的十二艘船
中最古老的一艘造于一九零一年，由一个家族保存至今，馆方表示将
在明年春天增设新的展厅。
"""


@pytest.mark.parametrize(
    ("text", "line", "count", "paragraphs"),
    [
        pytest.param(WRAPPED, 4, 2, 3, id="english"),
        pytest.param(CHINESE_WRAPPED, 3, 3, 4, id="chinese"),
    ],
)
def test_hard_wrapped_paste_is_said(text: str, line: int, count: int, paragraphs: int) -> None:
    digest, problems = read(text)
    assert digest
    (problem,) = problems
    assert (problem.rule, problem.level, problem.line) == ("digest-hard-wrapped", "warning", line)
    assert problem.message.startswith(f"{count} lines")
    # Each line stays a paragraph.
    assert len(digest.highlights[0].paragraphs) == paragraphs


@pytest.mark.parametrize(
    "paragraphs",
    [
        pytest.param(
            "A sentence of some sixty columns, which comes to its own end.\nanother", id="ends"
        ),
        pytest.param("Short lines\nof a song\nthat go on\nand on", id="song"),
        pytest.param(
            "A line of some sixty columns that has no stop at its end at all\nAnother", id="one"
        ),
        pytest.param(
            "A line of some sixty columns that has no stop at its end at all\n\nand so", id="apart"
        ),
        pytest.param(f"{'A long paragraph ' * 12}\nand so", id="long"),
    ],
)
def test_what_is_not_hard_wrapped(paragraphs: str) -> None:
    accept(f"1. One\nOne\n{paragraphs}\n")


# What is refused


@pytest.mark.parametrize("text", ["", "\n\n", " \u3000\n\xa0\n", "\ufeff", "\u200b"])
def test_refuses_an_empty_file(text: str) -> None:
    refuse(text, ("digest-empty", 1))


def test_refuses_a_text_without_a_list() -> None:
    (problem,) = refuse("\nGood morning.\n- One\n- Two\n", ("digest-list-missing", 2))
    assert "'Good morning.'" in problem.message


@pytest.mark.parametrize("title", ["", "Today:\n"])
def test_refuses_a_list_alone(title: str) -> None:
    line = 1 + title.count("\n")
    (problem,) = refuse(f"{title}1. One\n2. Two\n", ("digest-list-alone", line))
    assert "titles: 2" in problem.message


def test_refuses_a_title_without_a_section() -> None:
    text = change_section(CHOIR, "Village Chior Low Tide Tours Coast")
    (problem,) = refuse(text, ("digest-section-missing", 3))
    assert CHOIR in problem.message
    assert "line 8 comes near: 'Village Chior Low Tide Tours Coast'" in problem.message


def test_refuses_a_first_section_whose_title_is_misspelt() -> None:
    text = change_section(FERRY, "1. Night Fery Museum Opens Doors")
    (problem,) = refuse(text, ("digest-section-missing", 2))
    assert "line 5 comes near: '1. Night Fery Museum Opens Doors'" in problem.message


def test_names_no_nearest_line_where_none_is_near() -> None:
    (problem,) = refuse(
        "1. One thing\n2. Quite different\nOne thing\nText.\n", ("digest-section-missing", 2)
    )
    assert problem.message.endswith("has no section")


def test_refuses_a_section_without_a_body() -> None:
    text = change(PARAGRAPHS[1][0] + "\n", "\n")
    (problem,) = refuse(text, ("digest-body-missing", 8))
    assert CHOIR in problem.message


def test_refuses_a_last_section_without_a_body() -> None:
    refuse("1. One\n2. Two\nOne\nText.\nTwo\n", ("digest-body-missing", 5))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1. One\n2. Two\n3. ONE.\nOne\nText.\nTwo\nText.\n", id="one-section"),
        pytest.param("1. One\n2. Two\n3. One\nTwo\nText.\nOne\nText.\n", id="other-order"),
        pytest.param("1. One\n1. Two\n1. One\nOne\nText.\nTwo\nText.\n", id="markdown-ones"),
    ],
)
def test_refuses_a_title_that_is_listed_twice(text: str) -> None:
    (problem,) = refuse(text, ("digest-title-repeated", 3))
    assert "line 1" in problem.message


def test_refuses_a_listed_title_with_two_sections() -> None:
    text = "1. One\n2. Two\n3. One\nOne\nText.\nTwo\nText.\nOne\nMore.\n"
    refuse(text, ("digest-title-repeated", 3), ("digest-section-repeated", 8))


def test_refuses_a_section_that_is_repeated() -> None:
    text = "1. One\n2. Two\nOne\nText.\nTwo\nText.\n1. one:\nMore.\n"
    (problem,) = refuse(text, ("digest-section-repeated", 7))
    assert "line 3" in problem.message


def test_refuses_a_number_without_a_title() -> None:
    refuse("1. One\n2.\n3. Two\nOne\nText.\nTwo\nText.\n", ("digest-title-empty", 2))


def test_refuses_a_title_listed_without_its_number() -> None:
    text = "1. One\n2. Two\nThree\nOne\nText.\nTwo\nText.\nThree\nText.\n"
    (problem,) = refuse(text, ("digest-title-unnumbered", 3))
    assert "line 8" in problem.message


def test_refuses_a_first_title_listed_without_its_number() -> None:
    text = "Today:\nOne\n2. Two\nOne\nAbout one.\nTwo\nAbout two.\n"
    (problem,) = refuse(text, ("digest-title-unnumbered", 2))
    assert "line 4" in problem.message


def test_finds_all_problems_at_once() -> None:
    text = (
        "Today\n1. One\n2. Two\n3. Three\n4. two\n5. Four\n\nWelcome.\n\n"
        "One\nTwo\nText.\nFour\nText.\nFour\nText.\nThrees\nText.\n"
    )
    digest, problems = read(text)
    assert digest is None
    assert [(p.rule, p.line) for p in problems] == [
        ("digest-title-without-colon", 1),
        ("digest-section-missing", 4),
        ("digest-title-repeated", 5),
        ("digest-introduction", 8),
        ("digest-body-missing", 10),
        ("digest-section-repeated", 15),
    ]
    assert "line 17 comes near: 'Threes'" in problems[1].message


def test_long_lines_are_quoted_in_short() -> None:
    (problem,) = refuse(f"{'A very long line ' * 100}\n", ("digest-list-missing", 1))
    assert len(problem.message) < 200


def test_a_megabyte_is_read_in_a_moment() -> None:
    titles = [f"The title number {n} of many words" for n in range(500)]
    listed = "".join(f"{n}. {title}\n" for n, title in enumerate(titles, 1))
    lines = "A line of a hard-wrapped text that goes on and on for a while and\n" * 30
    text = listed + "".join(f"{title}\n{lines}" for title in titles)
    assert len(text) > 1_000_000
    start = time.perf_counter()
    assert accept(text, "digest-hard-wrapped")
    # Not one section is found, so that the nearest lines are looked for among 15,000.
    refused, problems = read(listed + text.removeprefix(listed).replace("The title", "Title"))
    assert refused is None
    assert len(problems) > 500
    # Both take 0.6 s; what is quadratic would take minutes.
    assert time.perf_counter() - start < 20


# Any digest that is written in any of these ways is read back the same.

_NUMBERINGS = ["{}. ", "{}.", "{}) ", "{}、", "{}．", "({}) ", "（{}）", "{}.\t"]
_LINE_ENDS = ["\n", "\r\n", "\r", "\v", "\f", "\u2028", "\u2029"]
_SPELLINGS: list[Callable[[str, int], str]] = [
    lambda title, n: title,
    lambda title, n: f"{n}. {title}",
    lambda title, n: f"（{n}）{title}",
    lambda title, n: title.upper(),
    lambda title, n: title.replace(" ", "\xa0 "),
    lambda title, n: f"{title}：",
    lambda title, n: f"{title}.",
    lambda title, n: title.replace('"', "“").replace("'", "’").replace("-", "—"),
]
_TEXT = st.text(
    st.one_of(
        st.sampled_from("""abc XYZ 123 .,:;-'"“”()!? 中文，。\xa0é"""),
        st.characters(categories=["L", "N", "P", "S", "Mn", "Zs"]),
    ),
    min_size=1,
    max_size=60,
)
_PARAGRAPHS = st.lists(_TEXT.map(str.strip).filter(bool), min_size=1, max_size=4)
# A title is words: one that looks like a number, or like a title line, could be either.
_TITLES = (
    st.lists(st.text("abcdeXYZ'\"-中文é", min_size=1, max_size=9), min_size=2, max_size=8)
    .map(lambda words: f"T{' '.join(words)}x")
    .filter(lambda title: not title.endswith(":"))
)


class Written(NamedTuple):
    """A digest as it was pasted, and what it says."""

    text: str
    title: str
    sections: list[tuple[str, tuple[str, ...]]]


@st.composite
def _digests(draw: st.DrawFn) -> Written:
    titles = draw(st.lists(_TITLES, min_size=1, max_size=6, unique_by=title_key))
    keys = [title_key(title) for title in titles]
    sections = []
    for title in titles:
        body = [p for p in draw(_PARAGRAPHS) if not any(key in title_key(p) for key in keys)]
        sections.append((title, tuple(body or ["Text."])))
    heading = draw(st.sampled_from(["", "Today's Highlights", "今日要闻"]))
    lines = [heading + draw(st.sampled_from([":", "："]))] if heading else []
    numbering, is_ones = draw(st.sampled_from(_NUMBERINGS)), draw(st.booleans())
    indent = draw(st.sampled_from(["", "  ", "\t", "\u3000"]))
    lines += [
        indent + numbering.format(1 if is_ones else number) + title
        for number, title in enumerate(titles, 1)
    ]
    for number, (title, paragraphs) in enumerate(sections, 1):
        lines += [draw(st.sampled_from(_SPELLINGS))(title, number), *paragraphs]
    return Written(_paste(draw, lines), heading, sections)


def _paste(draw: st.DrawFn, lines: list[str]) -> str:
    """Put lines together as one newsroom or another would."""
    end = draw(st.sampled_from(_LINE_ENDS))
    blanks = draw(st.lists(st.integers(0, 2), min_size=len(lines), max_size=len(lines)))
    trail = draw(st.sampled_from(["", " ", "\xa0", "\u3000", "\u200b"]))
    text = "".join(line + trail + end * (1 + n) for line, n in zip(lines, blanks, strict=True))
    return draw(st.sampled_from(["", "\ufeff"])) + (
        text.rstrip(end) if draw(st.booleans()) else text
    )


@settings(deadline=None, max_examples=400)
@given(_digests())
def test_any_digest_comes_back(written: Written) -> None:
    digest, problems = read(written.text)
    assert digest, problems
    assert digest.title == written.title
    assert digest.introduction == ()
    assert [(h.title, h.paragraphs) for h in digest.highlights] == written.sections
    assert {problem.rule for problem in problems} <= {"digest-hard-wrapped"}


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("1２.)、（） aAb:：\n-“\u200b三"), max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    digest, problems = read_digest(text, FILE)
    is_refused = any(problem.level == "error" for problem in problems)
    assert (digest is None) == is_refused
    if digest:
        assert all(highlight.title and highlight.paragraphs for highlight in digest.highlights)
        assert digest.highlights
