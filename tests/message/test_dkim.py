"""Signatures that others verify: dkimpy, and Perl's Mail::DKIM."""

import re
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.message.dkim import DEFAULT_HEADERS, Signer, dns_record, make_signer
from publisher.message.freeze import Draft
from publisher.message.splice import Recipient
from tests.message.samples import (
    ANSWER,
    ANSWERING,
    DRAFT,
    RECIPIENT,
    draft,
    make,
    parse,
    recipient,
)

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
PERL = Path(__file__).with_name("verify_dkim.pl")


def write(key: PrivateKey, encryption: KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def pems() -> dict[str, bytes]:
    """The private keys by their selectors."""
    return {"r": write(rsa_key()), "e": write(ed25519.Ed25519PrivateKey.generate())}


def signers(selectors: str = "re", headers: Sequence[str] = DEFAULT_HEADERS) -> list[Signer]:
    return [make_signer("daily.example", each, pems()[each], headers) for each in selectors]


def answer(name: bytes, timeout: int = 5) -> bytes | None:
    """What DNS would say."""
    selector, _, rest = name.decode().partition(".")
    return dns_record(pems()[selector]).encode() if rest == "_domainkey.daily.example." else None


def verify(data: bytes) -> list[bool]:
    """What dkimpy thinks of each of a message's signatures."""
    count = len(re.findall(rb"(?im)^DKIM-Signature:", data.partition(b"\r\n\r\n")[0]))
    found = []
    for index in range(count):
        try:
            found.append(dkim.DKIM(data).verify(index, dnsfunc=answer))
        except dkim.DKIMException:
            found.append(False)
    return found


LONG_NAME = "海南自贸港的编辑部和它的读者们" * 4
CASES: dict[str, tuple[Draft, Recipient]] = {
    "as it is": (DRAFT, RECIPIENT),
    "a single message": (draft(list_id="", reply_to="", feedback_id=""), RECIPIENT),
    "long headers": (
        draft(subject="A lamp, " * 40, sender=f'"{LONG_NAME}" <daily@daily.example>'),
        recipient(name=LONG_NAME, email="x" * 60 + "@" + "y" * 60 + ".example"),
    ),
    "blanks": (draft(subject="  two  spaces  "), recipient(name='  A  "B"  ')),
    "an address in another script": (DRAFT, recipient(email="用户@日报.example", name="李明")),
    "a domain in another script": (DRAFT, recipient(email="li@日报.example")),
    "a name in many places": (DRAFT, recipient(values={"name": LONG_NAME + " . "})),
    "base64": (draft(text="灯" * 900, html="灯" * 900), RECIPIENT),
    "nothing in it": (draft(text="", html=""), RECIPIENT),
    "blank lines at its end": (draft(text="a  b \n\n\n\n", html="<p>\n\n \n\t\n"), RECIPIENT),
}


@pytest.mark.parametrize("case", CASES)
def test_dkimpy_verifies(case: str) -> None:
    issue, reader = CASES[case]
    assert verify(make(issue, reader, signers()).data) == [True, True]
    assert verify(make(issue, reader, signers("r")).data) == [True]
    assert verify(make(issue, reader, signers("e")).data) == [True]


def verify_in_perl(data: bytes) -> list[str]:
    """What Mail::DKIM thinks of each signature, such as `r rsa-sha256 pass`."""
    if shutil.which("perl") is None:
        pytest.skip("there is no perl here")
    if subprocess.run(["perl", "-MMail::DKIM", "-e", "1"], capture_output=True).returncode:
        pytest.skip("Perl has no Mail::DKIM here (Debian: libmail-dkim-perl)")
    records = [f"{selector}={dns_record(pem)}" for selector, pem in pems().items()]
    run = subprocess.run(
        ["perl", str(PERL), *records], input=data, capture_output=True, check=True, timeout=60
    )
    return run.stdout.decode().splitlines()


@pytest.mark.parametrize("case", CASES)
def test_perl_verifies(case: str) -> None:
    """Ed25519 only where this Perl knows of it; beside RSA it must do no harm in any case."""
    issue, reader = CASES[case]
    answers = verify_in_perl(make(issue, reader, signers()).data)
    assert "r rsa-sha256 pass" in answers
    assert all(line == "r rsa-sha256 pass" or line.startswith("e ed25519-") for line in answers)


def test_perl_finds_a_changed_message() -> None:
    data = make(signers=signers("r")).data
    for changed in (
        data.replace(b"A lamp", b"A lump"),
        data.replace(b"\r\nTo: Ada", b"\r\nTo: Eve"),
        data.replace(b"\r\nTo: ", b"\r\nFrom: spy@x.example\r\nTo: "),
    ):
        assert changed != data
        (line,) = verify_in_perl(changed)
        assert line.startswith("r rsa-sha256 fail")


def test_a_changed_byte_of_the_body_is_found() -> None:
    data = make(signers=signers()).data
    start = data.index(b"\r\n\r\n") + 4
    for place in range(start, len(data), 41):
        changed = bytearray(data)
        changed[place] = ord("Z") if data[place] != ord("Z") else ord("Y")
        assert verify(bytes(changed)) == [False, False], place


def test_a_changed_header_is_found() -> None:
    data = make(ANSWER, ANSWERING, signers()).data
    head = data[: data.index(b"\r\n\r\n") + 2]
    names = {name.lower() for name in DEFAULT_HEADERS}
    found = set()
    for match in re.finditer(rb"(?m)^([A-Za-z-]+): (.*)\r\n", head):
        name = match[1].decode().lower()
        if name == "dkim-signature":
            continue
        place = match.end() - 3
        changed = bytearray(data)
        changed[place] ^= 1
        assert verify(bytes(changed)) == [False, False], name
        found.add(name)
    assert found == names


def test_a_second_from_is_found_and_no_other_header_is_forced_on_relays() -> None:
    data = make(signers=signers()).data
    assert verify(b"From: spy@x.example\r\n" + data) == [False, False]
    assert verify(data.replace(b"\r\nTo: ", b"\r\nFrom: spy@x.example\r\nTo: ")) == [False, False]
    assert verify(b"Received: from x\r\n" + data) == [True, True]
    single = make(draft(feedback_id="", list_id=""), signers=signers()).data
    assert verify(b"Feedback-ID: of-the-relay\r\n" + single) == [True, True]


def test_what_relaxed_allows_is_allowed() -> None:
    data = make(draft(subject="One two"), signers=signers()).data
    changed = data.replace(b"Subject: One two\r\n", b"SUBJECT:One \t\r\n   two  \r\n")
    assert changed != data
    assert verify(changed + b"\r\n\r\n") == [True, True]


def test_the_fields_of_a_signature() -> None:
    data = make(ANSWER, ANSWERING, signers("r")).data
    message = parse(data)
    assert message.keys()[0] == "DKIM-Signature"
    lines = data.partition(b"\r\nFrom: ")[0].split(b"\r\n")
    assert max(map(len, lines)) <= 78
    tags = dict(tag.strip().split("=", 1) for tag in message["DKIM-Signature"].split(";"))
    assert list(tags) == ["v", "a", "c", "d", "s", "t", "h", "bh", "b"]
    assert (tags["a"], tags["c"]) == ("rsa-sha256", "relaxed/relaxed")
    assert (tags["d"], tags["s"], tags["t"]) == ("daily.example", "r", "1765782005")
    listed = re.sub(r"\s", "", tags["h"]).split(":")
    assert listed == [name.lower() for name in DEFAULT_HEADERS]
    assert listed.count("from") == 2


def test_ones_own_list_of_headers() -> None:
    own = signers(headers=("Subject", "List-Unsubscribe", "X-Not-There"))
    data = make(signers=own).data
    listed = re.sub(r"\s", "", parse(data).get_all("DKIM-Signature", [""])[0])
    assert ";h=from:from:subject:list-unsubscribe;" in listed
    assert verify(data) == [True, True]
    rewritten = re.sub(rb"\r\n(Date|Message-ID): [^\r]*", rb"\r\n\1: of the relay", data)
    assert rewritten != data
    assert verify(rewritten) == [True, True]
    assert verify(data.replace(b"\r\nFrom: The", b"\r\nFrom: A")) == [False, False]


def test_the_same_arguments_give_the_same_signature() -> None:
    assert make(signers=signers()) == make(signers=signers())


VALUE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=80)


@settings(deadline=None, max_examples=30)
@given(VALUE, VALUE, VALUE, VALUE)
def test_anything_in_it_verifies(subject: str, text: str, name: str, value: str) -> None:
    reader = recipient(name=name, values={"name": value})
    issue = draft(subject=subject, text=f"{text}{DRAFT.text}{text}", html=DRAFT.html + text)
    assert verify(make(issue, reader, signers()).data) == [True, True]


def test_a_long_key_and_a_long_domain() -> None:
    domain = f"{'a' * 60}.{'b' * 60}.{'c' * 60}.example"
    pem = write(rsa_key(4096))
    signer = make_signer(domain, f"{'s' * 60}.{'t' * 60}", pem)
    data = make(signers=[signer]).data
    assert dkim.DKIM(data).verify(dnsfunc=lambda *_args, **_more: dns_record(pem).encode())
    assert signer.bits == 4096


def test_the_record_to_publish() -> None:
    record = dns_record(pems()["r"])
    assert record.startswith("v=DKIM1; k=rsa; p=")
    public = load_der_public_key(b64decode(record.partition("p=")[2]))
    assert public == rsa_key().public_key()
    ed = dns_record(pems()["e"])
    assert ed.startswith("v=DKIM1; k=ed25519; p=")
    assert len(b64decode(ed.partition("p=")[2])) == 32


def test_keys_that_cannot_be_used() -> None:
    secret = write(rsa_key(), BestAvailableEncryption(b"secret"))
    curve = write(ec.generate_private_key(ec.SECP256R1()))
    short = write(_short_key())
    for pem, why in (
        (b"", "no private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n", "no private key"),
        (dns_record(pems()["r"]).encode(), "no private key in PEM"),
        (secret, "encrypted"),
        (curve, "must be RSA or Ed25519"),
        (short, "648 bits"),
    ):
        with pytest.raises(ValueError, match=why):
            make_signer("daily.example", "s", pem)
        with pytest.raises(ValueError, match=why):
            dns_record(pem)


def _short_key() -> rsa.RSAPrivateKey:
    """Of 648 bits, from two Mersenne primes, since cryptography generates none so short."""
    p, q, e = 2**521 - 1, 2**127 - 1, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    rest = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, d, *rest, rsa.RSAPublicNumbers(e, p * q)).private_key()


def test_a_key_of_1024_bits_is_taken() -> None:
    assert make_signer("daily.example", "s", write(rsa_key(1024))).bits == 1024


@pytest.mark.parametrize("selector", ["", "a b", "a;b", "-a", "a..b", "a\r\nb", "ä"])
def test_no_selector(selector: str) -> None:
    with pytest.raises(ValueError, match="selector"):
        make_signer("daily.example", selector, pems()["e"])


@pytest.mark.parametrize("name", ["", "a b", "From:", "a;b", "a\r\n", "%d", "é"])
def test_no_header_name(name: str) -> None:
    with pytest.raises(ValueError, match="no header's name"):
        make_signer("daily.example", "s", pems()["e"], [name])


def test_a_domain_is_as_dns_has_it() -> None:
    assert make_signer("日报.example", "s", pems()["e"]).domain == "xn--4ru45e.example"
    with pytest.raises(ValueError, match="domain"):
        make_signer("a b", "s", pems()["e"])
