"""Bytes -> a report, from whoever wrote them."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.inbound.mime import decode_words, read_message
from publisher.inbound.odd import read_odd
from publisher.inbound.read import read_report
from tests.inbound.samples import DEAD, postfix, qmail, yahoo_complaint

ADA = "ada@reader.example"
HEADER = (
    "Received: from desk by mx.daily.example (Postfix) with ESMTP id 4bF7Qz1xYlz9rxW\r\n"
    "\tfor <ada@reader.example>; Mon, 15 Dec 2025 07:00:06 +0000 (UTC)\r\n"
    "From: The Daily <daily@daily.example>\r\n"
    f"To: {ADA}\r\n"
    "Subject: Today\r\n"
    "Message-ID: <ref1.17.abcdefghijklmnop@daily.example>\r\n"
    "List-Unsubscribe: <https://daily.example/unsubscribe/AV5z>"
)
TO = "bounces+17-abcdefghijklmnop@daily.example"
# Long enough for a busy machine, and far less than what grows with the square of the size.
SECONDS = 5


@pytest.mark.parametrize("name", [name for name in DEAD if name != "qmail"])
def test_a_report_in_each_servers_shape(name: str) -> None:
    report = read_report(DEAD[name](TO, ADA, HEADER))
    assert report.kind == "bounce"
    assert [failure.verdict for failure in report.failures] == ["dead"]
    assert ADA in report.failures[0].recipients
    assert TO in report.names.addresses
    assert "<ref1.17.abcdefghijklmnop@daily.example>" in report.names.message_ids
    assert report.names.links == "<https://daily.example/unsubscribe/AV5z>"
    assert "4bF7Qz1xYlz9rxW" in report.names.relay_ids


@pytest.mark.parametrize("name", DEAD)
def test_line_ends_do_not_matter(name: str) -> None:
    message = DEAD[name](TO, ADA, HEADER)
    plain = read_report(message.replace(b"\r\n", b"\n"))
    assert (plain.kind, plain.names, plain.failures) == (
        (it := read_report(message)).kind,
        it.names,
        it.failures,
    )


def test_qmails_own_form() -> None:
    message = qmail(TO, ADA, HEADER)
    report = read_report(message)
    assert report.kind == "unclear"
    assert "<ref1.17.abcdefghijklmnop@daily.example>" in report.names.message_ids
    (failure,) = read_odd(message)
    assert (failure.recipients, failure.verdict) == ((ADA,), "dead")


def test_exims_form_of_old() -> None:
    message = (
        b"From: Mail Delivery System <Mailer-Daemon@mail.reader.example>\r\n"
        b"X-Failed-Recipients: ada@reader.example\r\n"
        b"Auto-Submitted: auto-replied\r\n"
        b"Subject: Mail delivery failed: returning message to sender\r\n\r\n"
        b"This message was created automatically by mail delivery software.\r\n\r\n"
        b"  ada@reader.example\r\n    unknown user\r\n\r\n"
        b"------ This is a copy of the message, including all the headers. ------\r\n\r\n"
        b"Subject: my quota is full\r\n"
    )
    assert read_report(message).kind == "unclear"
    (failure,) = read_odd(message)
    assert (failure.recipients, failure.verdict) == ((ADA,), "dead")


def test_a_complaint() -> None:
    report = read_report(yahoo_complaint(TO, ADA, HEADER))
    assert (report.kind, report.recipients[0]) == ("complaint", ADA)
    assert TO in report.names.addresses


def test_addresses_beyond_ascii() -> None:
    message = postfix(TO, ADA, HEADER).replace(
        f"rfc822; {ADA}".encode(), rb"utf-8; \x{00FC}n\x{0069}@x.example\x{D800}\x{110000}"
    )
    message = message.replace(b"message/delivery-status", b"message/global-delivery-status")
    assert read_report(message).failures[0].recipients[0] == "üni@x.example"


def test_a_report_in_base64() -> None:
    from base64 import encodebytes

    head, mark, rest = postfix(TO, ADA, HEADER).partition(b"message/delivery-status\r\n\r\n")
    status, boundary, after = rest.partition(b"\r\n--")
    encoded = b"Content-Transfer-Encoding: BASE64\r\n\r\n" + encodebytes(status)
    message = head + mark[:-2] + encoded + boundary + after
    assert read_report(message).failures[0].recipients == (ADA, ADA)


def test_what_was_said_has_no_controls() -> None:
    message = postfix(TO, ADA, HEADER, diagnostic="smtp; 550 5.1.1 \x1b[2J\x00\u202eunknown")
    assert read_report(message).failures[0].said == "5.1.1 550 5.1.1 [2Junknown"


def test_the_same_message_by_another_way_is_the_same() -> None:
    message = postfix(TO, ADA, HEADER)
    other = b"Received: by elsewhere.example\r\nDelivered-To: x@y.example\r\n" + message
    assert read_report(message).identity == read_report(other).identity
    assert read_report(b"a").identity != read_report(b"b").identity


def _nested(kind: str, depth: int) -> bytes:
    opening = "".join(f'Content-Type: {kind}; boundary="b{n}"\n\n--b{n}\n' for n in range(depth))
    return f"From: MAILER-DAEMON\n{opening}\nuser unknown\n".encode()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "nul": lambda: b"\x00" * 1_000_000,
    "no header": lambda: b"\n" * 1_000_000,
    "header only": lambda: b"Subject: " + b"x" * 4_000_000,
    "many headers": lambda: b"Received: a\n" * 300_000,
    "many folds": lambda: b"Subject: a" + b"\n b" * 500_000,
    "no colon": lambda: b"x" * 4_000_000,
    "nested": lambda: _nested("multipart/mixed", 5_000),
    "nested reports": lambda: _nested("multipart/report", 5_000),
    "nested messages": lambda: (
        b"From: MAILER-DAEMON\n" + b"Content-Type: message/rfc822\n\n" * 20_000
    ),
    "many parts": lambda: b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 500_000,
    "the same boundary": lambda: (
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        + b"--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 20_000
    ),
    "an odd boundary": lambda: (
        'Content-Type: multipart/mixed; boundary="(.*+\\ü"\n\n--(.*+'.encode()
    ),
    "many parameters": lambda: b"Content-Type: multipart/mixed" + b"; a=b" * 500_000,
    "an open quotation": lambda: b'Content-Type: multipart/mixed; a="' + b'";' * 500_000,
    "bad base64": lambda: (
        b"Content-Type: message/delivery-status\n"
        b"Content-Transfer-Encoding: base64\n\n" + b"=A" * 400_000
    ),
    "bad quoted-printable": lambda: (
        b"Content-Type: message/delivery-status\n"
        b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=" * 800_000
    ),
    "many recipients": lambda: (
        b"Content-Type: message/delivery-status\n\n"
        + b"Final-Recipient: rfc822; a@x.example\nAction: failed\nStatus: 5.1.1\n\n" * 50_000
    ),
    "a bad charset": lambda: (
        b"From: MAILER-DAEMON\nContent-Type: text/plain; charset=undefined\n"
        b"Subject: =?undefined?q?unsubscribe?= =?utf-8?b?=?=\n\nuser unknown <a@x.example>"
    ),
    "an encoded subject": lambda: b"Subject: " + b"=?utf-8?q?a?= " * 100_000,
    "a long address": lambda: b"From: MAILER-DAEMON\nTo: " + b"a" * 2_000_000 + b"@\n\n",
    "a long line": lambda: (
        b"From: MAILER-DAEMON\n\nYour message could not be delivered to\n" + b"a" * 2_000_000
    ),
    "long lines": lambda: (
        b"From: MAILER-DAEMON\n\nThis is the deliver program at\n" + (b"a" * 900 + b"\n") * 2_000
    ),
    "all the bytes": lambda: bytes(range(256)) * 4_000,
    "no utf-8": lambda: b"From: \xff\xfe\nSubject: \x80\x81\nTo: \xc3\x28@x.example\n\n\xff",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_message_is_read_in_time(name: str) -> None:
    data = HOSTILE[name]()
    start = time.perf_counter()
    report = read_report(data)
    assert report.kind in ("none", "unclear", "bounce")
    read_odd(data)
    assert time.perf_counter() - start < SECONDS


@given(st.binary(max_size=400))
def test_no_bytes_are_an_exception(data: bytes) -> None:
    read_report(data)
    read_odd(data)


@given(st.sampled_from(sorted(DEAD)), st.data())
def test_no_damaged_report_is_an_exception(name: str, data: st.DataObject) -> None:
    message = bytearray(DEAD[name](TO, ADA, HEADER))
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(message) - 1))
        cut = data.draw(st.integers(0, 60))
        message[place : place + cut] = data.draw(st.binary(max_size=12))
        if not message:
            return
    read_report(bytes(message))
    read_odd(bytes(message))


def test_what_a_returned_message_holds_is_not_looked_into() -> None:
    inner = postfix(TO, ADA, HEADER)
    outer = b"Content-Type: message/rfc822\r\n\r\n" + inner
    assert read_report(outer).kind == "none"
    assert [part.kind for part in read_message(outer).walk()] == ["message/rfc822"]


def test_encoded_words() -> None:
    assert decode_words("=?utf-8?q?uns?= =?iso-8859-1?q?ubscribe_a?=") == "unsubscribe a"
    assert decode_words("=?x?y?z") == "=?x?y?z"
