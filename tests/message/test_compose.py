"""The finished message: what receivers parse, word for word what was rendered."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.message.compose import Letter, compose

LETTER = Letter(
    sender="The Daily <daily@daily.example>",
    recipient="李明 <li@reader.example>",
    subject="今日要闻: a lamp",
    html="<!doctype html>\n<p>A lamp — 灯.</p>\n",
    text="A lamp — 灯.\n",
    date=datetime(2025, 12, 15, 7, tzinfo=UTC),
    message_id="<2025-12-15.abc@daily.example>",
    list_id="daily.example",
    unsubscribe_url="https://daily.example/unsubscribe/" + "A" * 120,
    language="en",
)


def letter(**changes: Any) -> Letter:
    return msgspec.structs.replace(LETTER, **changes)


def parse(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.strict)


def bodies(raw: bytes) -> list[str]:
    return [part.get_content().replace("\r\n", "\n") for part in parse(raw).iter_parts()]


def test_what_is_composed_is_parsed() -> None:
    message = parse(compose(LETTER))
    assert message.defects == []
    assert message["From"] == "The Daily <daily@daily.example>"
    assert message["To"].addresses[0].display_name == "李明"
    assert message["Subject"] == "今日要闻: a lamp"
    assert message["Date"].datetime == LETTER.date
    assert message["Message-ID"] == LETTER.message_id
    assert message["List-Id"] == "<daily.example>"
    assert message["Content-Language"] == "en"
    assert message["Reply-To"] is None
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content_charset() for part in message.iter_parts()] == ["utf-8"] * 2
    assert bodies(compose(LETTER)) == [LETTER.text, LETTER.html]


def test_one_click_is_on_raw_lines() -> None:
    lines = compose(LETTER).split(b"\r\n")
    assert f"List-Unsubscribe: <{LETTER.unsubscribe_url}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_answers_elsewhere() -> None:
    raw = compose(letter(reply_to="Desk <desk@daily.example>"))
    assert parse(raw)["Reply-To"] == "Desk <desk@daily.example>"


def test_the_same_letter_is_the_same_bytes() -> None:
    assert compose(LETTER) == compose(letter())
    assert compose(LETTER) != compose(letter(text="Another.\n"))


def test_no_content_can_end_a_part() -> None:
    boundary = parse(compose(LETTER)).get_boundary()
    raw = compose(letter(text=f"--{boundary}--\n\nafter\n"))
    assert bodies(raw)[0] == f"--{boundary}--\n\nafter\n"


LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=1200)
LINES = st.lists(LINE, min_size=1, max_size=6)


@settings(deadline=None)
@given(LINES, LINES)
def test_any_text_arrives_as_it_is(text: list[str], html: list[str]) -> None:
    plain, markup = ("\n".join([*lines, ""]) for lines in (text, html))
    raw = compose(letter(text=plain, html=markup))
    assert bodies(raw) == [plain, markup]
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")
    lines = raw.split(b"\r\n")
    assert max(len(line) for line in lines if not line.startswith(b"List-Unsubscribe: ")) <= 78


@pytest.mark.parametrize(
    "text", ["From here\n", ".\n", "..dot\n", "trailing \t\n", "=3D\n", "\n\n"]
)
def test_lines_that_have_a_meaning_elsewhere(text: str) -> None:
    assert bodies(compose(letter(text=text)))[0] == text


def test_the_shorter_encoding_is_used() -> None:
    encodings = [
        part["Content-Transfer-Encoding"]
        for part in parse(compose(letter(text="灯" * 500, html="lamp " * 500))).iter_parts()
    ]
    assert encodings == ["base64", "quoted-printable"]


@pytest.mark.parametrize(
    "field",
    [
        "sender",
        "recipient",
        "reply_to",
        "subject",
        "message_id",
        "list_id",
        "unsubscribe_url",
        "language",
    ],
)
@pytest.mark.parametrize("end", ["\r\nBcc: spy@x.example", "\n", "\r", "\0", "\u2028"])
def test_no_header_can_be_slipped_in(field: str, end: str) -> None:
    for value in (getattr(LETTER, field) + end, end + getattr(LETTER, field)):
        with pytest.raises(ValueError, match=r"control characters|no address"):
            compose(letter(**{field: value}))


@settings(deadline=None)
@given(
    st.sampled_from(["sender", "recipient", "subject", "list_id", "language"]), st.text(max_size=80)
)
def test_headers_stay_as_many_as_they_are(field: str, value: str) -> None:
    expected = parse(compose(LETTER)).keys()
    try:
        raw = compose(letter(**{field: value}))
    except ValueError:
        return
    assert parse(raw).keys() == expected
    assert bodies(raw) == [LETTER.text, LETTER.html]
