"""Header lines (RFC 5322, section 2.2), folded and encoded by ourselves.

The email package folds long display names wrongly, and turns a long List-Unsubscribe into an
encoded word, which no provider follows. Every function raises ValueError for what would end a
line and begin another one of somebody's choice.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from email.utils import parseaddr

# Control characters (C0, C1), what else ends a line somewhere, and what is no text at all.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
# RFC 5321, section 4.1.2: a dot-string or a quoted string, and a domain.
_ADDRESS = re.compile(
    r"""(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+|"(?:[ !#-\[\]-~]|\\[ -~])+")"""
    r"@(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?|\[[A-Za-z0-9:.]+\])"
)
# What Q-encoding leaves as it is where a name may stand (RFC 2047, section 5, rule 3).
_Q_SAFE = re.compile(rb"[A-Za-z0-9!*+/-]")
# The line's recommended length (RFC 5322, section 2.1.1), and its limit.
_LINE = 78
_LIMIT = 998
_WORD = 75 - len("=?utf-8?q??=")


def text_header(name: str, text: str) -> bytes:
    """A header of free text, such as the subject."""
    words = check(text).split(" ")
    is_plain = text.isascii() and "=?" not in text and all(words)
    if is_plain and max(map(len, words)) < _LINE:
        return _fold(name, words)
    return _fold(name, list(_encoded_words(text, len(name) + 2)))


def address_header(name: str, mailbox: str) -> bytes:
    """A header with one mailbox, `Name <address>` or the address alone."""
    display, address = parseaddr(check(mailbox))
    words = _phrase(display, len(name) + 2) if display else []
    spec = ascii_address(address)
    return _fold(name, [*words, f"<{spec}>"] if words else [spec])


def raw_header(name: str, value: str) -> bytes:
    """A header on one line that nothing folds or encodes. Raises ValueError unless it is ASCII."""
    line = f"{name}: {check(value)}\r\n".encode("ascii")
    if len(line) - 2 > _LIMIT:
        raise ValueError(f"{name} is longer than a line may be")
    return line


def list_id_header(written: str) -> bytes:
    """A List-Id (RFC 2919) from an identifier, or from `Name <identifier>`."""
    name, _, identifier = check(written).rpartition("<")
    bare = ascii_domain(identifier.rstrip(">").strip())
    words = _phrase(name.strip().strip('"'), len("List-Id: ")) if name.strip() else []
    return _fold("List-Id", [*words, f"<{bare}>"])


def ascii_address(address: str) -> str:
    """An address with its domain as DNS has it. Raises ValueError where it is none in ASCII."""
    local, _, domain = address.rpartition("@")
    spec = f"{local}@{domain if domain.startswith('[') else ascii_domain(domain)}"
    if not _ADDRESS.fullmatch(spec):
        raise ValueError(f"no address that every server takes: {address!r}")
    return spec


def ascii_domain(domain: str) -> str:
    """A domain as DNS has it (RFC 5890). Raises ValueError where it cannot be one."""
    if domain.isascii():
        return domain
    return domain.encode("idna").decode()


def check(text: str) -> str:
    """Give the text back, unless it could end a header's line."""
    if _FORBIDDEN.search(text):
        raise ValueError(f"control characters in a header: {text!r}")
    return text


def _phrase(name: str, used: int) -> list[str]:
    """A display name as words to fold between."""
    words = name.split(" ")
    if _ATOMS.fullmatch(name) and "=?" not in name and all(words):
        return words
    if name.isascii() and "=?" not in name and len(name) < _LINE - used:
        quoted = re.sub(r'(["\\])', r"\\\1", name)
        return [f'"{quoted}"']
    return list(_encoded_words(name, used))


def _encoded_words(text: str, used: int) -> Iterator[str]:
    """RFC 2047, section 2: whole characters, each word at most 75 long and on a line of its own.

    `used` is how much of the first line is taken already.
    """
    data = text.encode()
    is_q = sum(3 - 2 * bool(_Q_SAFE.match(data, i)) for i in range(len(data))) <= len(data) * 4 / 3
    piece, room = "", min(_WORD, _LINE - used - len("=?utf-8?q??="))
    for character in text:
        if piece and len(_encode(piece + character, is_q)) > room:
            yield _wrap(piece, is_q)
            piece, room = "", _WORD
        piece += character
    yield _wrap(piece, is_q)


def _wrap(piece: str, is_q: bool) -> str:
    return f"=?utf-8?{'q' if is_q else 'b'}?{_encode(piece, is_q)}?="


def _encode(piece: str, is_q: bool) -> str:
    data = piece.encode()
    if not is_q:
        return b64encode(data).decode()
    return "".join(
        "_" if byte == b" " else byte.decode() if _Q_SAFE.fullmatch(byte) else f"={byte[0]:02X}"
        for byte in (data[i : i + 1] for i in range(len(data)))
    )


def _fold(name: str, words: list[str]) -> bytes:
    """Put words one behind the other, on a new line where one does not fit any more."""
    lines = [f"{name}:"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > _LINE and lines[-1] != f"{name}:":
            lines.append("")
        lines[-1] += f" {word}"
    if max(map(len, lines)) > _LIMIT:
        raise ValueError(f"{name} is longer than a line may be")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")
