"""Quoted-printable: read back by the standard library, and nothing in it for anybody to change."""

import quopri

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.message.quoted import quote_between, quote_line

LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=300)


@pytest.mark.parametrize(
    ("line", "quoted"),
    [
        ("", b""),
        ("a b", b"a b"),
        ("a   b", b"a =20=20b"),
        ("a ", b"a=20"),
        (" ", b"=20"),
        ("\ta\t", b"=09a=09"),
        ("1+1=2", b"1+1=3D2"),
        ("灯", b"=E7=81=AF"),
        (".", b"=2E"),
        ("..a.", b"=2E.a."),
        ("From here", b"=46rom here"),
        ("Fromage", b"Fromage"),
        ("x" * 75, b"x" * 75),
        ("x" * 76, b"x" * 75 + b"=\r\nx"),
        ("x" * 74 + "=", b"x" * 74 + b"=\r\n=3D"),
        ("x" * 73 + "=", b"x" * 73 + b"=\r\n=3D"),
        ("x" * 72 + "=", b"x" * 72 + b"=3D"),
        ("x" * 75 + ".", b"x" * 75 + b"=\r\n=2E"),
        ("x" * 75 + "From me", b"x" * 75 + b"=\r\n=46rom me"),
        ("." + "x" * 73, b"=2E" + b"x" * 72 + b"=\r\nx"),
    ],
)
def test_a_line(line: str, quoted: bytes) -> None:
    assert quote_line(line) == quoted


@settings(deadline=None)
@given(LINE)
def test_any_line_is_read_back(line: str) -> None:
    quoted = quote_line(line)
    assert quopri.decodestring(quoted).decode() == line
    for written in quoted.split(b"\r\n"):
        assert len(written) <= 76
        assert not written.startswith((b".", b"From "))
        assert not written.endswith((b" ", b"\t"))
        assert b"  " not in written


@pytest.mark.parametrize(
    ("pieces", "quoted"),
    [
        (["", ""], b"V"),
        (["a", "b"], b"a=\r\nV=\r\nb"),
        (["a\n", "\nb"], b"a\r\nV\r\nb"),
        (["", "", ""], b"V=\r\nV"),
        (["a ", " b"], b"a=20=\r\nV=\r\n b"),
        (["", "."], b"V=\r\n=2E"),
        (["", "From a"], b"V=\r\n=46rom a"),
    ],
)
def test_values_have_lines_of_their_own(pieces: list[str], quoted: bytes) -> None:
    last = len(pieces) - 1
    made = [
        quote_between(piece, is_first=i == 0, is_last=i == last) for i, piece in enumerate(pieces)
    ]
    assert b"V".join(made) == quoted
    assert quopri.decodestring(b"V".join(made)).decode().replace("\r", "") == "V".join(pieces)
