"""Whatever is typed is a query."""

from hypothesis import given
from hypothesis import strategies as st

from publisher.render.query import MOST_CHARACTERS, Phrase, Query, clean_query, parse_query


def wanted(text: str) -> list[str]:
    return [" ".join(p.terms) + ("*" if p.is_open else "") for p in parse_query(text).wanted]


def test_words_are_wanted_all_and_the_last_may_go_on() -> None:
    assert wanted("harbour lant") == ["harbour", "lant*"]


def test_quoted_words_stand_together_and_are_whole() -> None:
    for text in ('"open sea" salt "red"', "“open sea” salt „red“", "「open sea」 salt «red»"):
        assert wanted(text) == ["open sea", "salt", "red"]


def test_an_unclosed_quote_goes_to_the_end() -> None:
    assert wanted('salt "open sea') == ["salt", "open sea"]


def test_a_minus_leaves_a_word_or_a_phrase_out() -> None:
    query = parse_query('salt -sea -"red tide" well-known')
    assert query.excluded == (Phrase(("sea",)), Phrase(("red", "tide")))
    assert [p.terms for p in query.wanted] == [("salt",), ("well", "known")]
    assert not parse_query("-sea").wanted


def test_chinese_without_spaces_is_a_phrase_and_has_no_open_end() -> None:
    assert wanted("北京大学 短剧") == ["北 京 大 学", "短 剧"]
    assert wanted("短剧ai") == ["短 剧 ai*"]


def test_one_letter_is_not_the_beginning_of_words() -> None:
    assert wanted("vitamin c") == ["vitamin", "c"]


def test_what_holds_no_word_wants_nothing() -> None:
    for text in ("", " ", '"', '""', "-", "- -", "***", "()", "\0", "😀", "—", '-"'):
        assert parse_query(text) == Query(), text


def test_what_is_long_is_cut() -> None:
    assert len(parse_query("ab " * 10_000).wanted) == 16
    assert len(parse_query("字" * 10_000).wanted[0].terms) == MOST_CHARACTERS


@given(st.text())
def test_a_query_is_never_an_error(text: str) -> None:
    query = parse_query(clean_query(text))
    for phrase in (*query.wanted, *query.excluded):
        assert phrase.terms
        assert all('"' not in term and " " not in term for term in phrase.terms)


@given(st.text())
def test_a_clean_query_stays_as_it_is(text: str) -> None:
    clean = clean_query(text)
    assert clean_query(clean) == clean
    assert len(clean) <= MOST_CHARACTERS
    clean.encode()
