"""Addresses and names: what is accepted, what is refused and why, and what is the same."""

import string
import unicodedata

import idna
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from publisher.audience.address import (
    AddressError,
    address_hash,
    limit_key,
    parse_address,
    parse_name,
    split_mailbox,
)
from publisher.message.addresses import smtp_address

_ATOMS = st.text(string.ascii_letters + string.digits + "!#$%&'*+/=?^_`{|}~-", min_size=1)
_LETTERS = st.text(
    st.characters(whitelist_categories=["Ll", "Lu", "Lo", "Nd"]), min_size=1, max_size=8
)
_LOCALS = st.lists(_ATOMS | _LETTERS, min_size=1, max_size=3).map(".".join)
_LABELS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)
_DOMAINS = st.sampled_from(
    ["daily.example", "bücher.example", "faß.example", "例え.テスト", "السعودية.example"]
) | st.lists(_LABELS, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "example"]))


@pytest.mark.parametrize(
    ("text", "email", "key"),
    [
        ("Anna@Example.ORG", "Anna@example.org", "anna@example.org"),
        ("  anna@daily.example\n", "anna@daily.example", "anna@daily.example"),
        ("anna@daily.example.", "anna@daily.example", "anna@daily.example"),
        ("a@bücher.example", "a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@XN--BCHER-KVA.example", "a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@faß.example", "a@faß.example", "a@xn--fa-hia.example"),
        ("JÜRGEN@daily.example", "JÜRGEN@daily.example", "jürgen@daily.example"),
        ("用户@例え.テスト", "用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah"),
        ('"anna.b"@daily.example', "anna.b@daily.example", "anna.b@daily.example"),
        ('"Anna B"@daily.example', '"Anna B"@daily.example', '"anna b"@daily.example'),
        ('"a\\"@b"@daily.example', '"a\\"@b"@daily.example', '"a\\"@b"@daily.example'),
        ("root@localhost", "root@localhost", "root@localhost"),
        ("-x=+@daily.example", "-x=+@daily.example", "-x=+@daily.example"),
        # No script of ours can show this domain, which there is.
        ("a@xn--i-7iq.example", "a@xn--i-7iq.example", "a@xn--i-7iq.example"),
    ],
)
def test_an_address_is_accepted(text: str, email: str, key: str) -> None:
    address = parse_address(text)
    assert (address.email, address.key) == (email, key)
    assert address.key.endswith(f"@{address.domain}")
    assert parse_address(email) == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "there is no address"),
        ("anna", "no @"),
        ("@daily.example", "nothing before the @"),
        ("anna@", "nothing behind the @"),
        ("anna@daily", "without a dot"),
        ("a@b@daily.example", "more than one @"),
        ("a b@daily.example", "a space"),
        ("a@dai ly.example", "a space"),
        ("a\u200bb@daily.example", "invisible"),
        ("a\x00@daily.example", "control"),
        ("a@daily.example\r\nBcc: b@daily.example", "control"),
        ("a\u202e@daily.example", "control"),
        ("a\ud800@daily.example", "control"),
        (".a@daily.example", "a dot"),
        ("a.@daily.example", "a dot"),
        ("a..b@daily.example", "two in a row"),
        ("a,b@daily.example", "has , before"),
        ("Anna <a@daily.example>", "angle brackets"),
        ('"a@daily.example', "quotation marks"),
        ('"a\nb"@daily.example', "control"),
        ("a@[192.0.2.1]", "IP address"),
        ("a@192.0.2.1", "IP address"),
        ("a@-daily.example", "which none can be"),
        ("a@da_ily.example", "which none can be"),
        ("a@daily..example", "which none can be"),
        ("a@i❤.example", "which none can be"),
        ("x" * 65 + "@daily.example", "more than 64"),
        ("ü" * 33 + "@daily.example", "more than 64"),
        ("a@" + "x" * 64 + ".example", "which none can be"),
        ("a" * 60 + "@" + ".".join(["x" * 62] * 3) + ".example", "longer than 254"),
        ("a" * 100_000, "longer than 254"),
        ("a@" + "ü" * 900 + ".example", "which none can be"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(AddressError, match=reason):
        parse_address(text)


@given(_LOCALS, _DOMAINS)
def test_every_spelling_has_the_same_key(local: str, domain: str) -> None:
    text = f"{local}@{domain}"
    try:
        address = parse_address(text)
    except AddressError:
        assume(False)
    assert parse_address(address.email) == address
    assert parse_address(f" {unicodedata.normalize('NFD', local)}@{domain}.").key == address.key
    loud = domain.replace("ß", "ẞ").upper()  # whose upper case is not two letters
    assert parse_address(f"{local}@{loud}").key == address.key
    ascii_ = idna.encode(domain, uts46=True).decode()
    assert parse_address(f"{local}@{ascii_.upper()}").key == address.key
    if local.isascii():
        assert parse_address(f"{local.swapcase()}@{loud}").key == address.key
    # What is accepted here can be written to, and to the very same domain.
    written = smtp_address(address.email)
    assert parse_address(written) == address


@given(st.text(max_size=80))
def test_anything_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressError:
        return
    assert parse_address(address.email) == address
    assert not any(unicodedata.category(c).startswith(("C", "Zl", "Zp")) for c in address.email)
    smtp_address(address.email)


@given(st.text(max_size=300))
def test_anything_is_a_name_or_refused(text: str) -> None:
    try:
        name = parse_name(text)
    except AddressError:
        return
    assert parse_name(name) == name
    assert len(name) <= 200
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name)
    assert "  " not in name


def test_names() -> None:
    assert parse_name("  Anna \u00a0 Berg ") == "Anna Berg"
    assert parse_name("Zoe\u0308") == "Zoë"
    assert parse_name("王 小明") == "王 小明"
    for bad in ("Anna\r\nBcc: x", "a\x00b", "a\tb", "a\u202eb", "x" * 201, "a\u2028b"):
        with pytest.raises(AddressError, match="the name"):
            parse_name(bad)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anna@daily.example", ("", "anna@daily.example")),
        ("Anna Berg <anna@daily.example>", ("Anna Berg", "anna@daily.example")),
        ('"Berg, Anna" <anna@daily.example>', ("Berg, Anna", "anna@daily.example")),
        (" <anna@daily.example> ", ("", "anna@daily.example")),
    ],
)
def test_a_mailbox_is_split(text: str, expected: tuple[str, str]) -> None:
    assert split_mailbox(text) == expected


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Anna+news@daily.example", "anna@daily.example"),
        ("a.n.n.a+x@gmail.com", "anna@gmail.com"),
        ("anna@GoogleMail.com", "anna@gmail.com"),
        ("a.n@daily.example", "a.n@daily.example"),
        ("+x@daily.example", "+x@daily.example"),
        ('"a b+c"@daily.example', '"a b+c"@daily.example'),
    ],
)
def test_limits_look_through_spellings(text: str, key: str) -> None:
    assert limit_key(parse_address(text)) == key


def test_a_hash_needs_the_secret() -> None:
    one = address_hash("anna@daily.example", b"a" * 32)
    assert len(one) == 16
    assert one == address_hash("anna@daily.example", b"a" * 32)
    assert one != address_hash("anna@daily.example", b"b" * 32)
    assert one != address_hash("anne@daily.example", b"a" * 32)
