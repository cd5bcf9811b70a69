"""Quotation marks, in the ways that languages and typists have of writing them."""

import pytest

from publisher.preflight.quotes import find_unpaired

PAIRED = [
    "He is 5'10\" tall, she 5'4\".",
    '"The 5\'10" guard scored 12."',
    'A 27" screen and a "quoted" word, 5" x 7".',
    "“Hello,” she said, “you.”",
    "„Guten Tag“, sagte er.",
    "”Hej”, sade hon.",
    "»Hej«, sagde han. »Hei», sanoi hän.",
    "« Bonjour », dit-il. « Une « nouvelle » chose »",
    "他说“你好”，然后“走了”。看《红楼梦》和《西游记》。",
    '他说"你好"然后离开',
    "「『港』という本」を読んだ",
    'צה"ל הודיע "שלום" היום',
    '"All in." — "Not me!" ("quoted")',
    "“Typed with two kinds\" of marks, and 'single' ones.",
    "rock ’n’ roll, the ’90s, the O'Neills' dog",
    'He said "she said "yes" to me" twice.',
    '"…and so on", "—and then", "A", "B" and "C"',
    "It was 40°26'46\" north, and 55” wide.",
    '" badly spaced " but closed',
]

UNPAIRED = [
    ('He said "hello and left.', '"hello'),
    ('"It shows that the "Night Boats" name holds.', '"It shows'),
    ("他说“你好，然后走了。", "“你好"),
    ("看《红楼梦。", "《红楼梦"),
    ('He said hello" and left.', 'hello"'),
    ("“Never closed", "“Never"),
    ("„Nie zu", "„Nie"),
    ("« Jamais fermé", "« Jamais"),
    ("A stray ” mark", "”"),
    ("「開いたまま", "「開いた"),
]


@pytest.mark.parametrize("text", PAIRED)
def test_paired(text: str) -> None:
    assert list(find_unpaired([text])) == []


@pytest.mark.parametrize(("text", "shown"), UNPAIRED)
def test_unpaired(text: str, shown: str) -> None:
    ((index, found),) = find_unpaired(["Before.", text, "After."])
    assert index == 1
    assert shown in found


def test_only_the_words_around_the_mark_are_shown() -> None:
    text = f"{'before ' * 50}“after{' after' * 50}"
    ((_, found),) = find_unpaired([text])
    assert found.startswith("…before")
    assert "“after after" in found
    assert found.endswith("…")
    assert len(found) < 70


@pytest.mark.parametrize(
    "paragraphs",
    [
        pytest.param(["“First.", "“Second.", "“Third.”"], id="opened-anew"),
        pytest.param(['"First.', '"Second."'], id="straight-opened-anew"),
        pytest.param(["“第一段。", "第二段。", "第三段。”"], id="closed-at-the-end"),
    ],
)
def test_quotation_over_several_paragraphs(paragraphs: list[str]) -> None:
    assert list(find_unpaired(paragraphs)) == []


def test_quotation_that_nothing_closes_is_named_where_it_opens() -> None:
    found = list(find_unpaired(["“First.", "Second.", "A “third” one."]))
    assert [index for index, _ in found] == [0]


def test_many_inch_marks_are_let_be() -> None:
    assert list(find_unpaired(['Sizes: 1", 2", 3", 4", 5" and 6".'])) == []
