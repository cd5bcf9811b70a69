"""Hostile strings in every place that reaches a message: it stays the message that was meant."""

import re
from collections.abc import Callable, Iterator
from email.header import decode_header, make_header
from random import Random
from typing import Any

import pytest

from publisher.message.freeze import Draft
from publisher.message.splice import Message, Recipient
from tests.message.samples import (
    DRAFT,
    HEADERS,
    RECIPIENT,
    URL,
    assert_wire_form,
    draft,
    make,
    parse,
    read_bodies,
    recipient,
)

ATOMS = [
    # what ends a line, a header, a body, a transaction
    *("\r\nBcc: spy@x.example", "\nBcc: spy@x.example\n\n", "\r", "\n", "\r\n", "\r\n.\r\n"),
    *("\n.\n", "\r\n\r\n<p>body", "\r\n.\r\nMAIL FROM:<spy@x.example>\r\n", "\0", "\x0b", "\x0c"),
    *("\x1b[31m", "\x7f", "\x80", "\x85", "\x9f", "\u2028", "\u2029", "\x1c", "\x1e"),
    # no text at all, or none that is seen
    *("\ud800", "\udfff", "\udc0a", "\ufffe", "\uffff", "\ufeff", "\u200b", "\u200d", "\u00ad"),
    # what decoders take for something
    *("=?utf-8?q?=0D=0ABcc:_spy@x.example?=", "=?utf-8?b?DQpCY2M6IHNweUB4?=", "=?", "?=", "=?x?="),
    *("=\r\n", "=0D=0A", "=3D", "=", "==", "%0d%0a", "&#13;&#10;", "&amp;", "&lt;", "\\r\\n", "%s"),
    # boundaries
    *(
        "--=_",
        "\n--=_0123456789abcdef01234567\n",
        "\n--=_0123456789abcdef01234567--\n",
        "--",
        "-- ",
    ),
    *('boundary="x"', "Content-Type: text/html", "From ", "\nFrom spy", "\n.", ".", "..", "\n..\n"),
    # the signs of an address
    *(
        '"',
        '""',
        '\\"',
        "\\",
        "'",
        ",",
        ";",
        ":",
        "<",
        ">",
        "<>",
        "@",
        "(",
        ")",
        "(comment)",
        "[",
        "]",
    ),
    *(
        "<spy@x.example>",
        ", spy@x.example",
        "spy@x.example,",
        ">,<spy@x.example",
        "a:b@c;",
        "@x:a@y",
    ),
    # scripts, and their direction
    *(
        "海南自贸港",
        "سلمى حداد",
        "\u202eevil\u202c",
        "\u2066x\u2069",
        "e\u0301" * 20,
        "ß",
        "İ",
        "ﬁ",
    ),
    *("👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "😀" * 30, "Z̴̧̢̛͓̘͓̫͔̓̆̋͜a̵l̸g̵o̶", "\U0010ffff", "\u3000", "\xa0", "\u2003"),
    # length
    *(
        "x" * 77,
        "x" * 300,
        "x" * 1200,
        "海" * 400,
        "a " * 200,
        " " * 90,
        "\t",
        "\t\t",
        "  ",
        "=" * 120,
    ),
    # what a template, a shell, a database or a page takes for something
    *("{{ 7*7 }}", "{% raw %}", "$(id)", "`id`", "'; DROP TABLE subscriber; --", "<script>", "]]>"),
    *(
        "<!--",
        "javascript:alert(1)",
        "https://slot.invalid/unsubscribe",
        "https://slot.invalid/name",
    ),
    *(
        "unsubscribe",
        "List-Unsubscribe=One-Click",
        "Ada",
        "daily.example",
        "ada@reader.example",
        "",
    ),
]

# As documented: control characters but for a body's blanks, line separators, halves of pairs.
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
FORBIDDEN_IN_TEXT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|\r(?!\n)"
)


def hostile_strings(count: int) -> Iterator[str]:
    """Each of the atoms alone, then a few of them joined, around harmless words or not."""
    chance = Random(7)
    yield from ATOMS[:count]
    for _ in range(count - len(ATOMS)):
        pieces = chance.choices(ATOMS, k=chance.randint(2, 4))
        yield chance.choice(("", " ", "a", "\n")).join(pieces)


def quote(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(local: str) -> str:
    return re.sub(r"\\(.)", r"\1", local[1:-1]) if local.startswith('"') else local


# A place: the draft and the recipient with the string there, and what must be refused there: a
# pattern, or None where more than control characters may be.
Place = tuple[Callable[[str], tuple[Draft, Recipient]], re.Pattern[str] | None]


def in_draft(**fields: Callable[[str], Any]) -> Callable[[str], tuple[Draft, Recipient]]:
    return lambda s: (draft(**{name: put(s) for name, put in fields.items()}), RECIPIENT)


def in_recipient(**fields: Callable[[str], Any]) -> Callable[[str], tuple[Draft, Recipient]]:
    return lambda s: (DRAFT, recipient(**{name: put(s) for name, put in fields.items()}))


def as_it_is(text: str) -> str:
    return text


PLACES: dict[str, Place] = {
    "subject": (in_draft(subject=as_it_is), FORBIDDEN),
    "sender's name": (
        in_draft(sender=lambda s: f"{quote(s)} <daily@daily.example>"),
        FORBIDDEN,
    ),
    "text": (in_draft(text=as_it_is, slots=lambda s: {}), FORBIDDEN_IN_TEXT),
    "html": (in_draft(html=lambda s: f"<p>{s}", slots=lambda s: {}), FORBIDDEN_IN_TEXT),
    "reader's name": (in_recipient(name=as_it_is), FORBIDDEN),
    "a value": (in_recipient(values=lambda s: {"name": s}), FORBIDDEN),
    "sender": (in_draft(sender=as_it_is), None),
    "sender's address": (in_draft(sender=lambda s: f"The Daily <{s}daily@daily.example>"), None),
    "sender's domain": (in_draft(sender=lambda s: f"<daily@daily{s}.example>"), None),
    "reply_to": (in_draft(reply_to=as_it_is), None),
    "list id": (in_draft(list_id=as_it_is), None),
    "list id's name": (in_draft(list_id=lambda s: f"{s} <daily.example>"), None),
    "feedback id": (in_draft(feedback_id=as_it_is), None),
    "language": (in_draft(language=as_it_is), None),
    "auto_submitted": (in_draft(auto_submitted=as_it_is), None),
    "domain": (in_draft(domain=as_it_is), None),
    "mailto": (in_draft(list_unsubscribe_mailto=lambda s: f"leave{s}@daily.example"), None),
    "reader's address": (in_recipient(email=as_it_is), None),
    "before the @": (in_recipient(email=lambda s: f"ada{s}@reader.example"), None),
    "quoted before the @": (in_recipient(email=lambda s: f'"ada{s}"@reader.example'), None),
    "reader's domain": (in_recipient(email=lambda s: f"ada@reader{s}.example"), None),
    "behind the address": (in_recipient(email=lambda s: f"ada@reader.example{s}"), None),
    "return path": (in_recipient(return_path=lambda s: f"b{s}@daily.example"), None),
    "message id": (in_recipient(message_id=lambda s: f"<a{s}@daily.example>"), None),
    "around a message id": (in_recipient(message_id=lambda s: f"{s}<a@daily.example>{s}"), None),
    "link": (in_recipient(values=lambda s: {"unsubscribe_url": URL + s}), None),
    "link alone": (in_recipient(values=lambda s: {"unsubscribe_url": s}), None),
    "token": (in_recipient(values=lambda s: {"unsubscribe_token": s}), None),
}


def check_places(hostile: str) -> int:
    """Put one string in every place; give in how many it was refused."""
    refused = 0
    for where, (put, forbidden) in PLACES.items():
        issue, reader = put(hostile)
        try:
            made = make(issue, reader)
        except ValueError:
            assert forbidden is None or forbidden.search(hostile), where
            refused += 1
            continue
        assert forbidden is None or not forbidden.search(hostile), where
        assert_message_is_as_meant(made, issue, reader, where)
    return refused


def assert_message_is_as_meant(made: Message, issue: Draft, reader: Recipient, where: str) -> None:
    assert_wire_form(made.data)
    message = parse(made.data)
    optional = {
        "Reply-To": issue.reply_to,
        "Feedback-ID": issue.feedback_id,
        "Content-Language": issue.language,
        "Auto-Submitted": issue.auto_submitted,
        **dict.fromkeys(("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"), issue.list_id),
    }
    names = [*HEADERS[:10], "Auto-Submitted", *HEADERS[10:]]
    assert message.keys() == [name for name in names if optional.get(name, "x")], where
    for name in ("From", "To", *(["Reply-To"] if issue.reply_to else [])):
        assert len(message[name].addresses) == 1, (where, name)
    address = message["To"].addresses[0]
    local, _, domain = made.envelope.recipient.rpartition("@")
    assert (address.username, address.domain) == (unquote(local), domain), where
    assert not set(made.envelope.sender + made.envelope.recipient) & set("<>\r\n\0"), where
    assert show(unfold(made.data, "Subject")) == issue.subject, where
    assert shown_name(made.data, "To") == reader.name, where
    if where == "sender's name":
        assert quote(shown_name(made.data, "From")) + " <daily@daily.example>" == issue.sender
    assert message.get_content_type() == "multipart/alternative"
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"], where
    assert [part.keys() for part in parts] == [["Content-Type", "Content-Transfer-Encoding"]] * 2
    assert read_bodies(made.data) == [
        fill(issue.text, issue, reader, is_html=False),
        fill(issue.html, issue, reader, is_html=True),
    ], where


def fill(body: str, issue: Draft, reader: Recipient, *, is_html: bool) -> str:
    """The body that a reader should see, with `\\n` as line ends."""
    pieces = re.split("|".join(map(re.escape, issue.slots)), body) if issue.slots else [body]
    markers = re.findall("|".join(map(re.escape, issue.slots)), body) if issue.slots else []
    filled = pieces[0]
    for marker, piece in zip(markers, pieces[1:], strict=True):
        value = reader.values[issue.slots[marker]]
        for sign, entity in zip("&<>\"'", ("amp", "lt", "gt", "quot", "#x27"), strict=True):
            value = value.replace(sign, f"&{entity};") if is_html else value
        filled += value + piece
    return filled.replace("\r\n", "\n")


def unfold(data: bytes, name: str) -> str:
    """A header's value as it is written, on one line."""
    head = data.partition(b"\r\n\r\n")[0].decode() + "\r\n"
    (value,) = re.findall(rf"(?m)^{name}: ?((?:.*\r\n)(?:[ \t].*\r\n)*)", head)
    return str(value[:-2]).replace("\r\n", "")


def show(value: str) -> str:
    """What receivers show of it (RFC 2047)."""
    return str(make_header(decode_header(value)))


def shown_name(data: bytes, name: str) -> str:
    """The display name of a header with one mailbox (RFC 5322, section 3.4)."""
    value = unfold(data, name)
    phrase = value.rpartition("<")[0].removesuffix(" ")
    if phrase.startswith('"'):
        return re.sub(r"\\(.)", r"\1", phrase[1:-1])
    return show(phrase)


def test_hostile_strings() -> None:
    refused = sum(map(check_places, list(hostile_strings(1000))[::9]))
    assert refused > 500


@pytest.mark.long
def test_a_thousand_hostile_strings() -> None:
    strings = list(hostile_strings(1000))
    assert len(strings) == 1000
    for hostile in strings:
        check_places(hostile)


def test_what_is_checked_would_be_found() -> None:
    """The checks themselves see a header slipped in, and a body that was changed."""
    made = make()
    for data in (
        made.data.replace(b"\r\nTo: ", b"\r\nBcc: spy@x.example\r\nTo: "),
        made.data.replace(b"Dear=20", b"Dead=20"),
        made.data.replace(b"\r\nTo: Ada", b"\r\nTo: Eve"),
        made.data.replace(b"<ada@reader.example>", b"<ada@reader.example>, eve@x.example"),
    ):
        assert data != made.data
        with pytest.raises(AssertionError):
            assert_message_is_as_meant(Message((data,), made.envelope), DRAFT, RECIPIENT, "")
