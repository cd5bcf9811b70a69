"""Mail addresses as envelopes and headers have them (RFC 5321, section 4.1.2; RFC 6531)."""

import re
from functools import lru_cache

import idna

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_LITERAL = re.compile(r"\[[A-Za-z0-9:.]{1,80}\]")
# A dot-string, also with dots where none may be: some networks have given such addresses out.
_DOTS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
# A quoted string; without angle brackets, since not every relay looks for quotes before it takes
# one as the address's end.
_QUOTED = re.compile(r'"(?:[ !#-;=?-\[\]-~]|\\[ -;=?-~])+"')
# RFC 6531, section 3.3: besides, anything that is not ASCII; blanks and controls are no letters.
_UTF8_DOTS = re.compile(
    "(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]|(?![\\s\x80-\x9f\ud800-\udfff])[^\x00-\x7f])+"
)
# What most addresses are, and stay as they are: in a fifth of the time that all else takes. Without
# what an encoded word is made of.
_ATOM = r"[A-Za-z0-9!#$%&'*+/^_`{|}~-]+"
_USUAL = re.compile(
    rf"(?=.{{1,254}}\Z)(?=.{{1,64}}@)(?=[^@]*@.{{1,253}}\Z){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*"
)
# RFC 5321, section 4.5.3.1.1, and what its path of 256 leaves between the angle brackets.
_LOCAL_OCTETS = 64
_ADDRESS_OCTETS = 254


def smtp_address(address: str) -> str:
    """An address as SMTP and headers write it, without angle brackets.

    Its domain is as DNS has it where the local part is ASCII. A local part in another script stays,
    with its domain in letters: such an address needs SMTPUTF8. Raises ValueError where it is none.
    """
    if _USUAL.fullmatch(address):
        return address
    local, at, domain = address.rpartition("@")
    if not at:
        raise ValueError(f"no address, for want of an @: {address!r}")
    local = _local_part(local, address)
    if domain.startswith("["):
        if not _LITERAL.fullmatch(domain):
            raise ValueError(f"no address, for its domain: {address!r}")
    else:
        domain = ascii_domain(domain) if local.isascii() else _unicode_domain(domain)
    spec = f"{local}@{domain}"
    if len(spec.encode()) > _ADDRESS_OCTETS:
        raise ValueError(f"no address, for it is too long: {address!r}")
    return spec


# Most readers are at a few thousand domains.
@lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """A domain as DNS has it (RFC 5891; mapped as UTS 46 has it). Raises ValueError for none."""
    written = domain.removesuffix(".")
    if not written.isascii():
        try:
            written = idna.encode(written, uts46=True).decode()
        except UnicodeError as error:
            raise ValueError(f"no address can have the domain {domain!r}: {error}") from None
    if not _DOMAIN.fullmatch(written):
        raise ValueError(f"no address can have the domain {domain!r}")
    return written


def _unicode_domain(domain: str) -> str:
    """A domain in letters, in the one spelling that its ASCII form gives back."""
    try:
        return str(idna.decode(ascii_domain(domain)))
    except UnicodeError:
        return ascii_domain(domain)


def _local_part(local: str, address: str) -> str:
    """What stands before the @, in quotes where SMTP wants them."""
    # Not forbidden, but what decodes a header before it looks for addresses finds others in it.
    if "=?" in local:
        raise ValueError(f"no address, for an encoded word is in it: {address!r}")
    is_odd = local.startswith(".") or local.endswith(".") or ".." in local
    if is_odd and _DOTS.fullmatch(local):
        local = f'"{local}"'
        is_odd = False
    if len(local.encode("utf-8", "replace")) > _LOCAL_OCTETS:
        raise ValueError(f"no address, for what is before its @ is too long: {address!r}")
    # Most are dot-strings, which this says in a third of the time.
    is_dots = _DOTS.fullmatch(local) or _UTF8_DOTS.fullmatch(local)
    if (is_dots and not is_odd) or _QUOTED.fullmatch(local):
        return local
    raise ValueError(f"no address, for what is before its @: {address!r}")
