"""A server's lines become a code, an enhanced code and one printable line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.smtp.replies import ProtocolError, clean, make_failure, make_reply, split_line


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b"250 2.1.0 Ok", (250, True, b"2.1.0 Ok")),
        (b"250-SIZE 1000", (250, False, b"SIZE 1000")),
        (b"250-", (250, False, b"")),
        (b"250 ", (250, True, b"")),
        (b"354", (354, True, b"")),
        (b"999 far out", (999, True, b"far out")),
    ],
)
def test_a_line(line: bytes, parts: tuple[int, bool, bytes]) -> None:
    assert split_line(line) == parts


@pytest.mark.parametrize(
    "line", [b"", b"25", b"2500", b"250_x", b" 250 x", b"-25 x", "²50 x".encode(), b"\xff\xfe\xfd"]
)
def test_what_is_no_reply(line: bytes) -> None:
    with pytest.raises(ProtocolError, match="no SMTP reply"):
        split_line(line)


@pytest.mark.parametrize(
    ("texts", "enhanced", "text"),
    [
        ((b"2.1.0 Ok",), "2.1.0", "Ok"),
        ((b"4.7.28 Slow", b"4.7.28 down"), "4.7.28", "Slow down"),
        ((b"Ok", b"", b"fine"), "", "Ok fine"),
        ((b"5.1.1",), "5.1.1", ""),
        ((b"3.1.1 no class 3",), "", "3.1.1 no class 3"),
        ((b"2.1.0.5 no code",), "", "2.1.0.5 no code"),
        (("kein Empfänger 李".encode(),), "", "kein Empfänger 李"),
        ((b"in Latin-1: \xe4",), "", "in Latin-1: \ufffd"),
        ((b"a\x00b\x1b[31m\tc\x85",), "", "a?b?[31m c\ufffd"),
        ((("rtl \u202e lines \u2028").encode(),), "", "rtl ? lines"),
    ],
)
def test_a_text(texts: tuple[bytes, ...], enhanced: str, text: str) -> None:
    reply = make_reply(250, texts)
    assert (reply.code, reply.enhanced, reply.text) == (250, enhanced, text)


@given(st.lists(st.binary(max_size=700), max_size=9))
def test_any_text_is_one_short_printable_line(lines: list[bytes]) -> None:
    text = make_reply(550, tuple(lines)).text
    assert len(text) <= 500
    assert text.isprintable()


@given(st.text(max_size=700))
def test_a_failure_has_code_0(words: str) -> None:
    reply = make_failure(words)
    assert reply.code == 0
    assert reply.text.isprintable()
    assert len(reply.text) <= 500


def test_clean_keeps_what_can_be_printed() -> None:
    assert clean("  Привет, 世界  ".encode()) == "Привет, 世界"
