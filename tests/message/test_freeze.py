"""Frozen content: the same bytes for the same draft, whole or refused, and needing nothing else."""

from base64 import b64decode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from publisher.message.freeze import digest, freeze, read_subject, thaw
from publisher.message.splice import Recipient, splice
from tests.message.samples import (
    DRAFT,
    HEADERS,
    NOW,
    RECIPIENT,
    draft,
    make,
    parse,
    read_bodies,
)


def test_the_same_draft_is_the_same_bytes() -> None:
    backwards = dict(reversed([*DRAFT.slots.items()]))
    assert freeze(DRAFT) == freeze(draft()) == freeze(draft(slots=backwards))
    assert digest(freeze(DRAFT)) == sha256(freeze(DRAFT)).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"sender": "The Daily <news@daily.example>"},
        {"reply_to": ""},
        {"subject": "Another"},
        {"html": "<p>Another</p>\n"},
        {"text": "Another\n"},
        {"language": "zh"},
        {"list_id": "news.daily.example"},
        {"list_unsubscribe_mailto": "go@daily.example"},
        {"feedback_id": ""},
        {"domain": "mail.daily.example"},
        {"auto_submitted": "auto-generated"},
        {"slots": {}},
    ],
)
def test_every_change_is_another_digest(change: dict[str, Any]) -> None:
    assert digest(freeze(draft(**change))) != digest(freeze(DRAFT))


def test_the_format_is_as_it_is_documented() -> None:
    frozen = freeze(draft(html="<p>灯", text="x=1, as it is", slots={}))
    assert frozen.startswith(b"publisher-mailing/1\n")
    assert sha256(frozen[52:]).digest() == frozen[20:52]
    content = msgspec.msgpack.decode(frozen[52:])
    assert list(content) == ["headers", "mailto", "domain", "boundary", "parts"]
    headers = dict(content["headers"])
    assert list(headers) == HEADERS
    assert headers["From"] == b"From: The Daily <daily@daily.example>\r\n"
    personal = ["To", "Date", "Message-ID", "List-Unsubscribe"]
    assert [name for name, line in headers.items() if not line] == personal
    assert content["mailto"] == "mailto:leave@daily.example?subject=unsubscribe%20"
    assert content["domain"] == "daily.example"
    text, html = content["parts"]
    quoted = {"subtype": "plain", "encoding": "quoted-printable", "slots": []}
    assert text == {**quoted, "fixed": [b"x=3D1, as it is"]}
    markup = "<p>灯".encode()
    assert html == {"subtype": "html", "encoding": "base64", "fixed": [markup], "slots": []}


# Frozen by the first version of this code, of a draft with a name in both encodings.
FIRST = (
    "cHVibGlzaGVyLW1haWxpbmcvMQq6UM3DhqXxecZdCYVbz/aAyEdT5kbrc6b3MaRpKgzHc4WnaGVhZGVyc5uSpEZyb2"
    "3EI0Zyb206IFRoZSBEYWlseSA8ZEBkYWlseS5leGFtcGxlPg0KkqJUb8QAkqdTdWJqZWN0xBtTdWJqZWN0OiA9P3V0"
    "Zi04P2I/NTRHdj89DQqSpERhdGXEAJKqTWVzc2FnZS1JRMQAkqdMaXN0LUlkxBpMaXN0LUlkOiA8ZGFpbHkuZXhhbX"
    "BsZT4NCpKwTGlzdC1VbnN1YnNjcmliZcQAkrVMaXN0LVVuc3Vic2NyaWJlLVBvc3TEM0xpc3QtVW5zdWJzY3JpYmUt"
    "UG9zdDogTGlzdC1VbnN1YnNjcmliZT1PbmUtQ2xpY2sNCpKsTUlNRS1WZXJzaW9uxBNNSU1FLVZlcnNpb246IDEuMA"
    "0KkrBDb250ZW50LUxhbmd1YWdlxBZDb250ZW50LUxhbmd1YWdlOiB6aA0KkqxDb250ZW50LVR5cGXETENvbnRlbnQt"
    "VHlwZTogbXVsdGlwYXJ0L2FsdGVybmF0aXZlOyBib3VuZGFyeT0iPV9iNTZjNTNmNjQ2YTc2YjE3Zjg4OWZmMTMiDQ"
    "qmbWFpbHRv2S1tYWlsdG86bEBkYWlseS5leGFtcGxlP3N1YmplY3Q9dW5zdWJzY3JpYmUlMjCmZG9tYWlurWRhaWx5"
    "LmV4YW1wbGWoYm91bmRhcnm6PV9iNTZjNTNmNjQ2YTc2YjE3Zjg4OWZmMTOlcGFydHOShKdzdWJ0eXBlpXBsYWluqG"
    "VuY29kaW5nsHF1b3RlZC1wcmludGFibGWlZml4ZWSTxAhIaT0yMD0NCsQ2PQ0KLCBoZXJlIGlzIHRoZSBuZXdzIG9m"
    "IHRvZGF5OiB4PTNEMS4NClJlYWQgaXQsPTIwPQ0KxBU9DQosIHdoZW4geW91IGxpa2UuDQqlc2xvdHOSpG5hbWWkbm"
    "FtZYSnc3VidHlwZaRodG1sqGVuY29kaW5npmJhc2U2NKVmaXhlZJLEG+eBr+eBr+eBr+eBr+eBr+eBr+eBr+eBr+eB"
    "r8QBIaVzbG90c5GkbmFtZQ=="
)


def test_what_the_first_version_froze_is_sent_as_it_was() -> None:
    """A mailing goes on after an upgrade, and its digest is what an operator approved."""
    frozen = b64decode(FIRST)
    values = {"name": "李<", "unsubscribe_url": "https://daily.example/u", "unsubscribe_token": "t"}
    reader = Recipient(
        email="ada@x.example",
        name="Ada",
        message_id="<1@daily.example>",
        values=values,
        return_path="",
    )
    data = splice(thaw(frozen), reader, datetime(2025, 12, 15, 7, tzinfo=UTC)).data
    text = "Hi 李<, here is the news of today: x=1.\nRead it, 李<, when you like.\n"
    assert read_bodies(data) == [text, "灯" * 9 + "李&lt;!"]
    assert (
        sha256(data).hexdigest()
        == "6e36f40160ba1b911e3ec7a36ccd24c192a0f46ed426f540ec5f766a136c7d72"
    )


def test_no_bit_of_it_can_be_flipped() -> None:
    frozen = freeze(draft(text="Short.\n", html=""))
    for place in range(len(frozen)):
        damaged = bytearray(frozen)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(ValueError, match=r"damaged|version"):
            thaw(bytes(damaged))


def test_what_is_cut_short_or_of_another_version_is_refused() -> None:
    frozen = freeze(DRAFT)
    for size in (0, 10, 20, 40, 52, 100, len(frozen) - 1):
        with pytest.raises(ValueError, match=r"damaged|version"):
            thaw(frozen[:size])
    with pytest.raises(ValueError, match="damaged"):
        thaw(frozen + b"\n")
    with pytest.raises(ValueError, match="no frozen mailing of a version"):
        thaw(frozen.replace(b"mailing/1\n", b"mailing/2\n", 1))


@pytest.mark.parametrize("content", [{}, {"parts": 1}, [], 7, {"headers": [["From"]]}])
def test_a_map_that_is_not_ours_is_refused(content: object) -> None:
    packed = msgspec.msgpack.encode(content)
    with pytest.raises(ValueError, match="cannot be read"):
        thaw(b"publisher-mailing/1\n" + sha256(packed).digest() + packed)


def test_a_template_tells_what_it_needs() -> None:
    template = thaw(freeze(DRAFT))
    assert template.slots == {"unsubscribe_url", "name"}
    assert template.domain == "daily.example"
    assert thaw(freeze(draft(domain="日报.example"))).domain == "xn--4ru45e.example"


def test_one_template_is_for_many_recipients() -> None:
    template = thaw(freeze(DRAFT))
    first = splice(template, RECIPIENT, NOW)
    other = msgspec.structs.replace(RECIPIENT, email="eve@reader.example")
    assert splice(template, other, NOW) == make(recipient=other)
    assert splice(template, RECIPIENT, NOW) == first


def test_a_single_message_has_no_list_headers() -> None:
    single = draft(
        list_id="", reply_to="", feedback_id="", auto_submitted="auto-generated", slots={}
    )
    message = parse(make(single).data)
    assert message.keys() == [
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
        *("MIME-Version", "Content-Language", "Content-Type"),
    ]
    assert message["Auto-Submitted"] == "auto-generated"


def test_without_html_there_is_only_text() -> None:
    message = parse(make(draft(html="")).data)
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain"]
    assert read_bodies(make(draft(html="", text="")).data) == [""]


def test_the_longer_of_two_markers_goes_before() -> None:
    slots = {"@@": "name", "@@URL": "unsubscribe_url"}
    made = make(draft(text="@@URL @@\n", html="", slots=slots))
    values = RECIPIENT.values
    assert read_bodies(made.data) == [f"{values['unsubscribe_url']} {values['name']}\n"]


def test_an_empty_marker_is_refused() -> None:
    with pytest.raises(ValueError, match="marker is empty"):
        freeze(draft(slots={"": "name"}))


@pytest.mark.parametrize(
    "subject",
    [
        "Another",
        "今日要闻: a lamp",
        "A long one of many words that goes on and on, and is folded more than once, here too",
        "一" * 120,
        "Looks like =?utf-8?q?one?= and is none",
        "two  blanks",
    ],
)
def test_the_subject_is_read_again_as_it_was_written(subject: str) -> None:
    assert read_subject(freeze(draft(subject=subject))) == subject


def test_the_subject_of_what_is_damaged_is_not_read() -> None:
    with pytest.raises(ValueError, match="damaged"):
        read_subject(freeze(DRAFT)[:-1])
