"""Header lines: right names in any script, no line of anybody else's, no line too long."""

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.header import decode_header, make_header

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from publisher.message.headers import (
    address_header,
    list_id_header,
    mailbox_header,
    raw_header,
    text_header,
)

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=90)
ENDS = (
    "\r\nBcc: spy@x.example",
    "\nBcc: spy@x.example",
    "\r",
    "\0",
    "\x1b",
    "\x7f",
    "\x85",
    "\u2028",
)


def quoted(name: str) -> str:
    """A display name as it must be written before an address."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def assert_well_formed(header: bytes, name: str) -> str:
    """One header, in ASCII, folded; give its value, decoded as receivers do."""
    assert header.endswith(b"\r\n")
    assert header.count(b"\r") == header.count(b"\n") == header.count(b"\r\n")
    lines = header[:-2].split(b"\r\n")
    assert lines[0].startswith(name.encode() + b": ")
    assert all(line.startswith(b" ") and line.strip() for line in lines[1:])
    assert all(32 <= byte < 127 for line in lines for byte in line)
    for line in lines:
        for word in re.findall(rb"=\?[^ ]*\?=", line):
            assert len(word) <= 75
            assert len(line) <= 78
    message = message_from_bytes(header + b"\r\n")
    assert message.keys() == [name]
    return str(make_header(decode_header(message[name].replace("\r\n", ""))))


@settings(deadline=None)
@given(TEXT)
@example("=?utf-8?q?no?=")
@example("  two  spaces  ")
@example("x" * 300)
@example("海南" * 60)
@example("a " * 60)
def test_a_subject(text: str) -> None:
    assert assert_well_formed(text_header("Subject", text), "Subject") == text


@settings(deadline=None)
@given(TEXT)
@example("李明")
@example("سلمى حداد")
@example("Daily, The")
@example('The "Real" Daily')
@example("back\\slash")
@example("=?utf-8?q?no?=")
@example("ada@x.example")
@example("海南自贸港" * 12)
def test_a_name(name: str) -> None:
    header = address_header("To", f"{quoted(name)} <ada@x.example>")
    assert header.rstrip().endswith(b"<ada@x.example>")
    value = assert_well_formed(header, "To")
    shown = value.removesuffix("<ada@x.example>").removesuffix(" ")
    if shown.startswith('"') and shown.isascii():
        shown = re.sub(r"\\(.)", r"\1", shown[1:-1])
    assert shown == name


@pytest.mark.parametrize("name", ["Ada Byron", "李明", "سلمى حداد", "Zoë, Ltd.", "Ada (home)"])
def test_a_name_as_pythons_parser_has_it(name: str) -> None:
    header = address_header("To", f"{quoted(name)} <ada@x.example>")
    (address,) = message_from_bytes(header, policy=policy.default)["To"].addresses
    assert (address.display_name, address.addr_spec) == (name, "ada@x.example")


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("place", ["{}x", "x{}", "x{}y"])
def test_no_header_can_be_slipped_in(end: str, place: str) -> None:
    value = place.format(end)
    makers: list[Callable[[], bytes]] = [
        lambda: text_header("Subject", value),
        lambda: address_header("To", f"{value} <ada@x.example>"),
        lambda: address_header("To", f"Ada <ada@x.example>{value}"),
        lambda: address_header("To", f"Ada <{value}@x.example>"),
        lambda: raw_header("Message-ID", value),
        lambda: list_id_header(value),
    ]
    for make in makers:
        with pytest.raises(ValueError, match=r"control characters|no address"):
            make()


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_one_header_or_is_refused(text: str) -> None:
    makers: list[Callable[[], bytes]] = [
        lambda: text_header("X", text),
        lambda: address_header("X", text),
        lambda: raw_header("X", text),
        lambda: list_id_header(text),
    ]
    for make in makers:
        try:
            header = make()
        except ValueError:
            continue
        assert message_from_bytes(header + b"\r\nbody").keys() == [
            "X" if header[:1] == b"X" else "List-Id"
        ]
        # But for an address that is not (RFC 6532).
        assert header.isascii() or make is makers[1]


def test_an_address_alone() -> None:
    assert address_header("To", "ada@x.example") == b"To: ada@x.example\r\n"
    assert address_header("To", "<ada@x.example>") == b"To: ada@x.example\r\n"


@pytest.mark.parametrize(
    ("written", "header"),
    [
        ("daily.example", b"List-Id: <daily.example>\r\n"),
        ("<daily.example>", b"List-Id: <daily.example>\r\n"),
        ("The Daily <daily.example>", b"List-Id: The Daily <daily.example>\r\n"),
        ('"Daily, The" <daily.example>', b'List-Id: "Daily, The" <daily.example>\r\n'),
        ("日报 <daily.example>", b"List-Id: =?utf-8?b?5pel5oql?= <daily.example>\r\n"),
        ("日报.example", b"List-Id: <xn--4ru45e.example>\r\n"),
    ],
)
def test_list_ids(written: str, header: bytes) -> None:
    assert list_id_header(written) == header


def test_a_raw_line_is_never_folded() -> None:
    url = "https://x.example/" + "a" * 800
    assert raw_header("List-Unsubscribe", f"<{url}>") == f"List-Unsubscribe: <{url}>\r\n".encode()
    with pytest.raises(ValueError, match="longer than a line may be"):
        raw_header("List-Unsubscribe", "x" * 1000)
    with pytest.raises(ValueError, match="encoded word"):
        raw_header("Feedback-ID", "=?utf-8?q?no?=")
    with pytest.raises(ValueError, match="ascii"):
        raw_header("List-Unsubscribe", "<https://日报.example>")


def test_a_long_name_of_one_word_is_still_one_header() -> None:
    header = address_header("From", f"{'x' * 400} <ada@x.example>")
    assert max(map(len, header.split(b"\r\n"))) <= 998


@settings(deadline=None)
@given(TEXT, st.sampled_from(["ada@x.example", "a" * 60 + "@x.example", "用户" * 8 + "@x.example"]))
@example("x" * 70, "a" * 60 + "@x.example")
@example("Ada " * 30, "a" * 60 + "@x.example")
@example("海" * 200, "a" * 60 + "@x.example")
def test_lines_are_short_wherever_they_can_be(name: str, spec: str) -> None:
    for header in (
        text_header("Subject", name),
        mailbox_header("Reply-To", name, spec),
        mailbox_header("Reply-To", "", spec),
        list_id_header(f"{quoted(name)} <daily.example>"),
    ):
        assert max(len(line) for line in header.decode().split("\r\n")) <= 78


def test_what_has_no_room_behind_the_name_goes_below_it() -> None:
    spec = "a" * 60 + "@xx.example"
    assert mailbox_header("Reply-To", "", spec) == f"Reply-To:\r\n {spec}\r\n".encode()
    longer = "a" * 60 + "@" + "x" * 60 + ".example"
    assert mailbox_header("Reply-To", "", longer) == f"Reply-To: {longer}\r\n".encode()
