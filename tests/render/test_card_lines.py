"""Where the lines of a card break, and how large its letters are."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from publisher.render.card_lines import Size, fit, split_units

SIZES = (Size(80, 2), Size(60, 3), Size(40, 4))


def measure(text: str) -> float:
    """Half a square for a letter, a whole one for an ideograph, nothing for a mark."""
    return sum(
        0 if unicodedata.combining(c) else 1 if unicodedata.east_asian_width(c) in "WF" else 0.5
        for c in text
    )


def lines(text: str, room: int = 800) -> tuple[str, ...]:
    return fit(text, room, SIZES, measure).lines


def test_a_short_title_is_large_and_stands_on_one_line() -> None:
    fitted = fit("A ferry", 800, SIZES, measure)
    assert (fitted.pixels, fitted.lines) == (80, ("A ferry",))


def test_lines_are_about_as_long_as_each_other() -> None:
    assert lines("The restored ferry cinema opens") == ("The restored ferry", "cinema opens")


def test_a_longer_title_has_smaller_letters() -> None:
    fitted = fit("word " * 14, 800, SIZES, measure)
    assert fitted.pixels == 60
    assert " ".join(fitted.lines).split() == ["word"] * 14


def test_what_fits_no_size_ends_with_an_ellipsis() -> None:
    fitted = fit("word " * 90, 800, SIZES, measure)
    assert (fitted.pixels, len(fitted.lines)) == (40, 4)
    assert fitted.lines[-1].endswith("word…")


def test_chinese_breaks_between_characters_but_not_before_a_stop() -> None:
    text = "上海国际电影节，六月开幕。四百部影片《含三十部首映》参展：评委会名单公布"
    broken = lines(text, 480)
    assert "".join(broken) == text
    assert len(broken) > 2
    assert not any(line[0] in "，。》：" for line in broken)
    assert not any(line[-1] in "《" for line in broken)


def test_a_word_wider_than_a_line_is_broken() -> None:
    broken = lines("W" * 50, 400)
    assert "".join(broken) == "W" * 50
    assert all(measure(line) * 40 <= 400 for line in broken)


def test_a_space_behind_wide_letters_is_not_taken_for_one_of_them() -> None:
    fitted = fit("aaaa。。。《。 a。。。", 400, SIZES, measure)
    assert all(measure(line) * fitted.pixels <= 400 for line in fitted.lines)


@given(st.text(alphabet="ab 中，。《》-—e\u0301", min_size=1).filter(str.strip))
def test_units_are_the_whole_text_and_no_line_is_too_wide(text: str) -> None:
    assert "".join(split_units(text, measure, 10)) == text
    fitted = fit(text, 400, SIZES, measure)
    assert len(fitted.lines) <= 4
    for line in fitted.lines:
        assert measure(line) * fitted.pixels <= 400
    assert not any(unicodedata.combining(line[0]) for line in fitted.lines[1:] if line)
