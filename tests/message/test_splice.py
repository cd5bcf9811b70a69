"""The finished message: each recipient's own values, and otherwise what was frozen."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.message.freeze import freeze, thaw
from publisher.message.splice import splice
from publisher.model.delivery import Envelope
from tests.message.samples import (
    ANSWER,
    ANSWERING,
    DRAFT,
    HEADERS,
    NAME_SLOT,
    NOW,
    RECIPIENT,
    SLOTS,
    URL,
    URL_SLOT,
    assert_wire_form,
    draft,
    make,
    parse,
    read_bodies,
    recipient,
)


def test_what_is_spliced_is_parsed() -> None:
    made = make()
    assert_wire_form(made.data)
    message = parse(made.data)
    assert message.keys() == HEADERS
    assert message["From"] == "The Daily <daily@daily.example>"
    assert message["To"] == "Ada Byron <ada@reader.example>"
    assert message["Reply-To"] == "Desk <desk@daily.example>"
    assert message["Subject"] == "今日要闻: a lamp"
    assert message["Date"].datetime == NOW.replace(microsecond=0)
    assert message["Message-ID"] == RECIPIENT.message_id
    assert message["List-Id"] == "The Daily <daily.example>"
    assert message["Feedback-ID"] == "42:daily:issue:publisher"
    assert message["Content-Language"] == "en"
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert [part.get_content_charset() for part in parts] == ["utf-8", "utf-8"]
    assert read_bodies(made.data) == [
        body.replace(URL_SLOT, URL).replace(NAME_SLOT, "Ada Byron")
        for body in (DRAFT.text, DRAFT.html)
    ]
    assert made.envelope == Envelope("bounces@daily.example", "ada@reader.example")


def test_leaving_is_on_raw_lines() -> None:
    lines = make().data.split(b"\r\n")
    start = lines.index(f"List-Unsubscribe: <{URL}>,".encode())
    mailto = b" <mailto:leave@daily.example?subject=unsubscribe%20AV5zMRr-wEeSqoUT>"
    assert lines[start + 1] == mailto
    assert lines[start + 2] == b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"


def test_leaving_by_a_long_url_alone() -> None:
    url = "https://daily.example/unsubscribe/" + "A" * 800
    values = {"unsubscribe_url": url}
    made = make(draft(list_unsubscribe_mailto=""), recipient(values=values))
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in made.data
    assert parse(made.data)["List-Unsubscribe"] == f"<{url}>"
    with pytest.raises(ValueError, match="longer than a line may be"):
        make(recipient=recipient(values={"unsubscribe_url": url + "A" * 200}))


def test_an_address_in_a_mailto_is_escaped() -> None:
    made = make(draft(list_unsubscribe_mailto="a&b?c%d+e@日报.example"))
    assert b"<mailto:a%26b%3Fc%25d+e@xn--4ru45e.example?subject=" in made.data


def test_the_date_is_of_the_same_instant_in_utc() -> None:
    template = thaw(freeze(DRAFT))
    there = NOW.astimezone(timezone(timedelta(hours=8)))
    assert splice(template, RECIPIENT, there) == splice(template, RECIPIENT, NOW)
    assert b"\r\nDate: Mon, 15 Dec 2025 07:00:05 +0000\r\n" in make().data
    with pytest.raises(ValueError, match="time zone"):
        splice(template, RECIPIENT, NOW.replace(tzinfo=None))
    other = splice(template, RECIPIENT, datetime(2025, 12, 15, 7, 0, 6, tzinfo=UTC))
    assert b"07:00:06" in other.data


@pytest.mark.parametrize(
    "url",
    [
        *("", "daily.example/u", "https://", "https://x.example/a b", "https://x.example/<a>"),
        *(
            "https://x.example/日报",
            "https://x.example/=?utf-8?q?a?=",
            "https://x.example/\r\nA: b",
        ),
    ],
)
def test_no_url_to_leave_by(url: str) -> None:
    with pytest.raises(ValueError, match=r"no URL to unsubscribe|control characters"):
        make(recipient=recipient(values={"unsubscribe_url": url}))


@pytest.mark.parametrize("name", ["name", "unsubscribe_url", "unsubscribe_token"])
def test_a_missing_value_is_named(name: str) -> None:
    values = {key: value for key, value in RECIPIENT.values.items() if key != name}
    with pytest.raises(ValueError, match=r"no value for name|no URL to unsub|no token to unsub"):
        make(recipient=msgspec.structs.replace(RECIPIENT, values=values))


def test_values_are_escaped_in_html_alone() -> None:
    name = """<script>"&'</script>"""
    text, html = read_bodies(make(recipient=recipient(values={"name": name})).data)
    assert f"Dear {name}," in text
    assert "Dear &lt;script&gt;&quot;&amp;&#x27;&lt;/script&gt;," in html


@pytest.mark.parametrize(
    ("email", "return_path", "envelope"),
    [
        (
            "li@日报.example",
            "b@bücher.example",
            Envelope("b@xn--bcher-kva.example", "li@xn--4ru45e.example"),
        ),
        (
            "用户@xn--4ru45e.example",
            "b@daily.example",
            Envelope("b@daily.example", "用户@日报.example", is_utf8=True),
        ),
        ("ada@x.example", "ü@d.example", Envelope("ü@d.example", "ada@x.example", is_utf8=True)),
        ("ada@x.example", "", Envelope("", "ada@x.example")),
    ],
)
def test_smtputf8_is_only_where_an_address_needs_it(
    email: str, return_path: str, envelope: Envelope
) -> None:
    made = make(recipient=recipient(email=email, name="李明", return_path=return_path))
    assert made.envelope == envelope
    assert_wire_form(made.data)
    message = parse(made.data)
    (address,) = message["To"].addresses
    assert (address.display_name, address.addr_spec) == ("李明", envelope.recipient)
    assert made.data.isascii() == envelope.recipient.isascii()


def test_a_sender_may_need_smtputf8_too() -> None:
    made = make(draft(sender="编辑 <编辑@日报.example>"))
    assert made.envelope.is_utf8
    assert parse(made.data)["From"].addresses[0].addr_spec == "编辑@日报.example"


LETTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029")
VALUE = st.text(LETTERS, max_size=200)
PIECE = st.one_of(
    st.sampled_from(
        [URL_SLOT, NAME_SLOT, "\n", "\n\n", " ", "\t", ".", "From ", "=", "--=_", ". \n"]
    ),
    st.text(
        st.one_of(
            LETTERS, st.sampled_from("\n\t"), st.characters(max_codepoint=126, min_codepoint=32)
        ),
        max_size=120,
    ),
    st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=60),
)
BODY = st.lists(PIECE, max_size=12).map("".join)


def fill(body: str, name: str, url: str) -> str:
    pieces = [piece.split(NAME_SLOT) for piece in body.split(URL_SLOT)]
    return url.join(name.join(piece) for piece in pieces)


@settings(deadline=None, max_examples=300)
@given(BODY, BODY, VALUE, VALUE)
def test_any_text_with_any_values_arrives_as_it_is(
    text: str, html: str, name: str, url: str
) -> None:
    made = make(
        draft(text=text, html=html, list_id="", slots=SLOTS),
        recipient(values={"name": name, "unsubscribe_url": url}),
    )
    assert_wire_form(made.data)
    bodies = read_bodies(made.data)
    assert bodies[0] == fill(text, name, url)
    if html:
        assert bodies[1] == fill(html, _escape(name), _escape(url))


def _escape(value: str) -> str:
    for character, entity in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
        ("'", "&#x27;"),
    ):
        value = value.replace(character, entity)
    return value


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text(st.sampled_from("灯明x\n"), max_size=9), min_size=1, max_size=7), VALUE)
def test_base64_of_any_alignment(pieces: list[str], value: str) -> None:
    text = "灯" * 200 + NAME_SLOT.join(pieces)
    made = make(draft(text=text, html=""), recipient(values={"name": value}))
    (part,) = parse(made.data).iter_parts()
    assert part["Content-Transfer-Encoding"] == "base64"
    assert_wire_form(made.data)
    assert read_bodies(made.data) == ["灯" * 200 + value.join(pieces)]


def test_the_shorter_encoding_is_used() -> None:
    parts = parse(make(draft(text="灯" * 500, html="lamp " * 500)).data).iter_parts()
    assert [part["Content-Transfer-Encoding"] for part in parts] == ["base64", "quoted-printable"]


@pytest.mark.parametrize("text", ["a\r\nb\r\n", "a\nb\n"])
def test_line_ends_of_both_kinds(text: str) -> None:
    assert read_bodies(make(draft(text=text, html="")).data) == ["a\nb\n"]


def test_a_boundary_is_of_the_content() -> None:
    boundaries = {parse(make(draft(text=text)).data).get_boundary() for text in ("a", "b", "a")}
    assert len(boundaries) == 2


def test_an_answer_names_the_message_of_that_very_reader() -> None:
    made = make(ANSWER, ANSWERING)
    assert_wire_form(made.data)
    message = parse(made.data)
    assert message["In-Reply-To"] == message["References"] == "<m0.5.xyz@daily.example>"
    assert message["Subject"] == "Re: 今日要闻: a lamp"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "In-Reply-To" not in parse(make().data)


@pytest.mark.parametrize("id", ["", "no id", "<a@b>\r\nBcc: <c@d>"])
def test_an_answer_to_no_message_is_refused(id: str) -> None:
    with pytest.raises(ValueError, match="no Message-ID"):
        make(ANSWER, msgspec.structs.replace(ANSWERING, in_reply_to=id))
