"""Which titles tell of the same thing: measured on labelled pairs, and what the rule says."""

from pathlib import Path

import pytest

from publisher.sources.same import Stories, is_same_story, read_wording

HERE = Path(__file__).parent


def _pairs(name: str) -> list[tuple[str, str, str]]:
    lines = (HERE / name).read_text("utf-8").splitlines()
    return [(label, one, other) for label, one, other in (line.split("\t") for line in lines)]


def _measure(name: str) -> tuple[int, int, list[tuple[str, str]]]:
    """How many of the same stories are found, of how many, and what is folded wrongly."""
    pairs = _pairs(name)
    judged = [(label, _is_same(one, other), one, other) for label, one, other in pairs]
    found = sum(is_same for label, is_same, *_ in judged if label == "same")
    wrong = [(a, b) for label, is_same, a, b in judged if is_same and label == "different"]
    return found, sum(label == "same" for label, *_ in pairs), wrong


def _is_same(one: str, other: str) -> bool:
    return is_same_story(read_wording(one), read_wording(other))


def test_of_the_pairs_by_which_the_rule_was_found_none_is_folded_wrongly() -> None:
    found, count, wrong = _measure("titles.tsv")
    assert wrong == []
    assert count == 62
    assert found / count >= 0.55


def test_of_pairs_that_the_rule_was_not_made_for_hardly_any_is() -> None:
    found, count, wrong = _measure("held_out.tsv")
    assert wrong == [
        ("Prices for wheat rise in March", "Prices for wheat rise in March, fall for corn")
    ]
    assert found / count >= 0.6


def test_it_does_not_matter_which_comes_first() -> None:
    for _, one, other in _pairs("titles.tsv"):
        assert _is_same(one, other) == _is_same(other, one)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Parliament passes water law", "PARLIAMENT  passes   “water” law!", True),
        ("Parliament passes water law", "Parliament passes no water law", False),
        ("Parliament passes water law", "Parliament passes water law 12-3", True),
        ("Parliament passes water law 12-3", "Parliament passes water law 13-2", False),
        ("市议会批准新电车线路", "市议会批准新电车线路通往港口", True),
        ("市议会批准新电车线路", "市议会未批准新电车线路", False),
        ("", "", False),
    ],
)
def test_what_the_rule_says(one: str, other: str, is_same: bool) -> None:
    assert _is_same(one, other) == is_same


def test_stories_are_found_without_comparing_all_of_them() -> None:
    """The quick way finds what comparing each with each finds."""
    titles = [
        title for _, *pair in (*_pairs("titles.tsv"), *_pairs("held_out.tsv")) for title in pair
    ]
    wordings = [read_wording(title) for title in titles]
    stories = Stories(wordings)
    for at, wording in enumerate(wordings):
        slow = next((i for i in range(at) if is_same_story(wordings[i], wording)), None)
        assert stories.find(wording) == slow, titles[at]
        stories.add(wording)


def test_a_feed_made_to_be_slow_is_not() -> None:
    """Five hundred titles of the same forty words are compared, and it ends."""
    words = [f"{first}{second}x" for first in "bcdfg" for second in "bcdfghkl"]
    wordings = [read_wording(" ".join(words[n % 40 :] + words[: n % 40])) for n in range(500)]
    stories = Stories(wordings)
    first = []
    for wording in wordings:
        if stories.find(wording) is None:
            stories.add(wording)
            first.append(wording)
    assert len(first) == 1
