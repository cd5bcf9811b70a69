"""Cells of an export begin no formula, and lose nothing."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.audience.cells import bare_cell, guard_cell

_STARTS = tuple("=+-@\t\r\n＝＋－＠")


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("Anna", "Anna"),
        ("O'Brien", "O'Brien"),
        ("=1+1", "'=1+1"),
        ("'=1+1", "''=1+1"),
        ("Anna;=1+1", "Anna;'=1+1"),
        ('x;"=1+1"', 'x;\'"=1+1"'),
        ("+49@daily.example", "'+49@daily.example"),
        ("＝cmd", "'＝cmd"),
        ("\tx", "'\tx"),
    ],
)
def test_formulas_are_guarded(text: str, guarded: str) -> None:
    assert guard_cell(text) == guarded
    assert bare_cell(guarded) == text


@given(st.text() | st.text("'=+-@;\" \t\rx"))
def test_nothing_is_lost_and_nothing_begins_a_formula(text: str) -> None:
    guarded = guard_cell(text)
    assert bare_cell(guarded) == text
    line = StringIO()
    csv.writer(line).writerow(["a", guarded])
    for piece in guarded.split(";"):
        assert not piece.lstrip(' "').startswith(_STARTS)
