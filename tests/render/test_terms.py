"""A text is found by what readers type, whatever they leave out of it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.render.terms import find_terms, make_terms

# What is typed, and what it finds.
SAME = [
    ("cafe", "Café"),
    ("ANGSTROM", "Ångström"),
    ("strasse", "Straße"),
    ("lodz", "Łódź"),
    ("smorrebrod", "smørrebrød"),
    ("istanbul", "İstanbul"),
    ("Σισυφος", "ΣΊΣΥΦΟΣ"),
    ("ежик", "ёжик"),
    ("cafe", "cafe\u0301"),
    ("file", "ﬁle"),
    ("ABC 123", "ＡＢＣ１２３".replace("Ｃ", "Ｃ ")),
    ("softhyphen", "soft\u00adhyphen"),
    ("مدرسه", "المُدَرِّسَة"),
    ("اقتصاد", "والاقتصاد"),
    ("احمد", "أحمــد"),
    ("كتاب 2025", "کتاب ٢٠٢٥"),
    ("میخواهم", "می‌خواهم"),
    ("שלום", "שָׁלוֹם"),
    ("がぎぐ", "ガギグ".translate({ord(c): chr(ord(c) - 0x60) for c in "ガギグ"})),
    ("ガギ", "ｶﾞｷﾞ"),
]


@pytest.mark.parametrize(("typed", "written"), SAME)
def test_what_people_leave_out_makes_no_difference(typed: str, written: str) -> None:
    assert make_terms(typed) == make_terms(written)


DIFFERENT = [("がく", "かく"), ("हिन्दी", "हन्द"), ("والد", "د"), ("الله", "ه"), ("北京", "东京")]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_makes_another_word_does(one: str, other: str) -> None:
    assert make_terms(one) != make_terms(other)


def test_each_chinese_character_is_a_term_among_words() -> None:
    assert make_terms("在北京用GPT-4o训练") == ["在", "北", "京", "用", "gpt", "4o", "训", "练"]


def test_korean_thai_and_japanese_are_found_within_what_has_no_spaces() -> None:
    assert " ".join(make_terms("서울")) in " ".join(make_terms("서울에서"))
    assert " ".join(make_terms("ไทย")) in " ".join(make_terms("ภาษาไทยง่าย"))
    assert " ".join(make_terms("東京")) in " ".join(make_terms("東京タワー"))


@given(st.text())
def test_terms_are_what_fts5_can_take_as_they_are(text: str) -> None:
    for term in make_terms(text):
        assert term
        assert not any(c.isspace() or c == "\0" for c in term)
        assert all(c.isalnum() for c in term if c.isascii())
        assert term.encode()


@given(st.text())
def test_terms_of_terms_are_the_same(text: str) -> None:
    once = make_terms(text)
    assert [t for term in once for t in make_terms(term)] == once or has_article(once)


def has_article(terms: list[str]) -> bool:
    """Tell whether one of them begins with another article behind the first."""
    return any(make_terms(term) != [term] for term in terms if "ل" in term)


@given(st.text())
def test_places_are_where_the_terms_are(text: str) -> None:
    before = 0
    for term, start, end in find_terms(text):
        assert before <= start < end <= len(text) or text[start:end]
        assert term[0] in "".join(make_terms(text[start:end])) or is_composed(text)
        before = start


def is_composed(text: str) -> bool:
    return unicodedata.normalize("NFKC", text) != text


@given(st.text(alphabet=st.characters(codec="latin-1") | st.sampled_from("北京大学المدرسة")))
def test_what_is_marked_is_what_is_found(text: str) -> None:
    assert [term for term, _, _ in find_terms(text)] == make_terms(text)
