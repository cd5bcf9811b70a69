"""Addresses and names as people write them, and the one spelling by which each is recognised."""

import hmac
import re
import unicodedata
from functools import lru_cache
from typing import NoReturn

import idna
import msgspec

from publisher.message.addresses import smtp_address

# RFC 5321, section 4.5.3.1: octets of a local part, and what its path of 256 leaves for an address.
_LOCAL_OCTETS = 64
_ADDRESS_OCTETS = 254
# Nothing that is longer can become an address by being normalised.
_MOST_CHARACTERS = 1_000
NAME_CHARACTERS = 200
# What a paste brings along: blanks, a byte order mark, a space without width.
_AROUND = " \t\r\n\u00a0\u3000\u200b\ufeff"

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOTS = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\[ -~])+)"')
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")
_MAILBOX = re.compile(r"\s*(.*?)\s*<([^<>]*)>\s*", re.DOTALL)
# Most addresses are of this form, which nothing has to be done to.
_PLAIN = re.compile(rf"({_ATEXT}(?:\.{_ATEXT})*)@((?:{_LABEL}\.)+[a-z]{{2,63}})")
# Controls, what ends a line somewhere, halves of surrogate pairs, what turns a line's direction
# round, and what is no character.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
# Of no category that an address has: controls, invisible marks, private use, blanks of all kinds.
_NO_LETTERS = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs")
# Whose mailboxes are the same with and without dots.
_DOTLESS = ("gmail.com", "googlemail.com")
_HASH_BYTES = 16


class AddressError(ValueError):
    """What is wrong with an address or a name, for people."""


class Address(msgspec.Struct, frozen=True):
    """An address: as it is shown and kept, as it is recognised, and its domain as DNS has it.

    `email` has the local part as it was written and the domain in letters (`bücher.example`), in
    lower case. `key` is the same for every spelling of one mailbox.
    """

    email: str
    key: str
    domain: str


def parse_address(text: str) -> Address:
    """Read an address, by its syntax alone (RFC 5321, 6531). Raises AddressError with a reason."""
    text = text.strip(_AROUND)
    plain = None if "=?" in text else _PLAIN.fullmatch(text)
    if plain and len(plain[1]) <= _LOCAL_OCTETS:
        domain, shown = _read_domain(plain[2])
        if len(text) <= _ADDRESS_OCTETS:
            return Address(f"{plain[1]}@{shown}", f"{plain[1].lower()}@{domain}", domain)
    _check_whole(text)
    before, _, after = text.rpartition("@")
    local = _read_local(before)
    domain, shown = _read_domain(after)
    email = f"{local}@{shown}"
    if max(len(email.encode()), len(f"{local}@{domain}".encode())) > _ADDRESS_OCTETS:
        _refuse(f"it is longer than {_ADDRESS_OCTETS} characters")
    _check_writable(email)
    return Address(email, f"{_fold(local)}@{domain}", domain)


def split_mailbox(text: str) -> tuple[str, str]:
    """Split `Name <address>` into its two parts; an address alone has no name."""
    if match := _MAILBOX.fullmatch(text):
        name = match[1]
        if len(name) > 1 and name[0] == name[-1] == '"':
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
        return name, match[2]
    return "", text


def parse_name(text: str) -> str:
    """A person's name, in NFC and with single spaces. Raises AddressError with a reason."""
    text = text.strip(_AROUND)
    if text.isascii() and text.isprintable() and "  " not in text:
        name = text
    else:
        if len(text) > _MOST_CHARACTERS:
            _refuse(f"the name is longer than {NAME_CHARACTERS} characters")
        if _FORBIDDEN.search(text):
            _refuse("the name has control characters or line breaks in it")
        name = " ".join(unicodedata.normalize("NFC", text).split())
    if len(name) > NAME_CHARACTERS:
        _refuse(f"the name is longer than {NAME_CHARACTERS} characters")
    return name


def limit_key(address: Address) -> str:
    """A coarser key, for limits: what stands behind a + is left out, Gmail's dots too."""
    local, _, domain = address.key.rpartition("@")
    if not local.startswith('"'):
        local = local[:1] + local[1:].partition("+")[0]
    if domain in _DOTLESS:
        local, domain = local.replace(".", ""), _DOTLESS[0]
    return f"{local}@{domain}"


def address_hash(key: str, secret: bytes) -> bytes:
    """The keyed hash (HMAC-SHA-256, 16 bytes of it) that an address is remembered by."""
    return hmac.digest(secret, key.encode(), "sha256")[:_HASH_BYTES]


def _check_whole(text: str) -> None:
    if not text:
        _refuse("there is no address")
    if len(text) > _MOST_CHARACTERS:
        _refuse(f"it is longer than {_ADDRESS_OCTETS} characters")
    if _FORBIDDEN.search(text):
        _refuse("it has control characters or line breaks in it")
    if "@" not in text:
        _refuse("it has no @")
    if "<" in text.rpartition('"')[2] or ">" in text.rpartition('"')[2]:
        _refuse("it has angle brackets; only the address itself is expected")


def _check_writable(email: str) -> None:
    """What no message can be written to is refused where it comes in, not where it is sent."""
    try:
        smtp_address(email)
    except ValueError:
        _refuse("it has something before the @ that not every mail server takes for an address")


def _read_local(text: str) -> str:
    if not text:
        _refuse("it has nothing before the @")
    text = unicodedata.normalize("NFC", text)
    if len(text.encode()) > _LOCAL_OCTETS:
        _refuse(f"it has more than {_LOCAL_OCTETS} characters before the @")
    if _DOTS.fullmatch(text):
        return text
    if text[0] == '"':
        return _read_quoted(text)
    if text.startswith(".") or text.endswith(".") or ".." in text:
        _refuse("it has a dot at the start or the end of what is before the @, or two in a row")
    if "@" in text:
        _refuse("it has more than one @")
    for character in text:
        if unicodedata.category(character) in _NO_LETTERS:
            _refuse("it has a space or an invisible character in it")
        if character.isascii() and not _DOTS.fullmatch(character) and character != ".":
            _refuse(f"it has {character} before the @, which no address can have there")
    return text


def _read_quoted(text: str) -> str:
    """A quoted local part, without its quotes where they make no difference (section 4.1.2)."""
    match = _QUOTED.fullmatch(text)
    if not match:
        _refuse("it has quotation marks where no address can have them")
    content = re.sub(r"\\(.)", r"\1", match[1])
    if _DOTS.fullmatch(content):
        return content
    quoted = re.sub(r'(["\\])', r"\\\1", content)
    return f'"{quoted}"'


@lru_cache(maxsize=4_096)
def _read_domain(text: str) -> tuple[str, str]:
    """A domain as DNS has it, and as people read it."""
    if text.startswith("["):
        _refuse("it has an IP address for its domain, which no newsletter can be sent to")
    domain = _to_ascii(text)
    if domain == "localhost":
        return domain, domain
    if "." not in domain:
        _refuse("it has a domain without a dot, such as in daily@example")
    if not _DOMAIN.fullmatch(domain) or len(domain) > _ADDRESS_OCTETS - 1:
        _refuse(f"it has {text[:60]!r} for its domain, which none can be")
    if domain.rpartition(".")[2].isdigit():
        _refuse("it has an IP address for its domain, which no newsletter can be sent to")
    return domain, _to_letters(domain)


def _to_ascii(text: str) -> str:
    """A domain in lower case, with its labels as in RFC 5891 and UTS 46."""
    if not text:
        _refuse("it has nothing behind the @")
    if any(character.isspace() for character in text):
        _refuse("it has a space or an invisible character in it")
    if text.isascii():
        return text.lower().removesuffix(".")
    try:
        return idna.encode(text, uts46=True).decode().removesuffix(".")
    except UnicodeError:
        _refuse(f"it has {text[:60]!r} for its domain, which none can be")


def _to_letters(domain: str) -> str:
    """A domain in its own script, where that leads back to the same domain."""
    if "xn--" not in domain:
        return domain
    try:
        letters = str(idna.decode(domain))
        return letters if idna.encode(letters, uts46=True).decode() == domain else domain
    except UnicodeError:
        return domain


def _fold(local: str) -> str:
    """A local part without its case: all providers but a handful disregard it."""
    if local.isascii():
        return local.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", local).casefold())


def _refuse(reason: str) -> NoReturn:
    raise AddressError(reason)
