"""Header lines (RFC 5322, section 2.2), folded and encoded by ourselves.

The email package folds long display names wrongly, and turns a long List-Unsubscribe into an
encoded word, which no provider follows. Every function raises ValueError for what would end a
line and begin another one of somebody's choice.
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from email.utils import parseaddr

from publisher.message.addresses import ascii_domain, smtp_address

# Control characters (C0, C1), what else ends a line somewhere, and what is no text at all.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# The same in a body, where lines may end and tabs may stand.
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|\r(?!\n)")
# What most names are made of: nothing to quote, and no part of an encoded word.
_USUAL = re.compile(r"[A-Za-z0-9!#$%&'*+/^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/^_`{|}~-]+)*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
# RFC 2919, section 2: a label and the name space that it is unique in.
_LABEL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LIST_ID = re.compile(rf"(?=.{{1,255}}\Z){_LABEL}(?:\.{_LABEL})*")
# What Q-encoding cannot leave as it is where a name may stand (RFC 2047, section 5, rule 3).
_Q_UNSAFE = re.compile(rb"[^A-Za-z0-9!*+/-]")
# The line's recommended length (RFC 5322, section 2.1.1), and its limit in octets.
_LINE = 78
_LIMIT = 998
_WORD = 75 - len("=?utf-8?q??=")


def text_header(name: str, text: str) -> bytes:
    """A header of free text, such as the subject."""
    words = check(text).split(" ") if text else []
    is_plain = text.isascii() and "=?" not in text and all(words)
    if is_plain and max(map(len, words), default=0) < _LINE - len(f"{name}:"):
        return _fold(name, words)
    return _fold(name, list(_encoded_words(text, len(name) + 2)))


def address_header(name: str, mailbox: str) -> bytes:
    """A header with one mailbox, `Name <address>` or the address alone; see mailbox_header."""
    display, address = parseaddr(check(mailbox))
    return mailbox_header(name, display, smtp_address(address))


def mailbox_header(name: str, display: str, spec: str) -> bytes:
    """A header with one mailbox, from a name in any script and what smtp_address made.

    It is ASCII, unless the address is not (RFC 6532).
    """
    if not display:
        return _fold(name, [spec])
    line = f"{name}: {display} <{spec}>"
    if len(line) <= _LINE and _USUAL.fullmatch(display):
        return f"{line}\r\n".encode()
    return _fold(name, [*_phrase(check(display), len(name) + 2), f"<{spec}>"])


def raw_header(name: str, value: str) -> bytes:
    """A header on one line that nothing folds or encodes. Raises ValueError unless it is ASCII.

    What could be taken for an encoded word is refused, too.
    """
    if "=?" in value:
        raise ValueError(f"{name} cannot have an encoded word: {value!r}")
    line = f"{name}: {check(value)}\r\n".encode("ascii")
    if len(line) - 2 > _LIMIT:
        raise ValueError(f"{name} is longer than a line may be")
    return line


def raw_list_header(name: str, values: Sequence[str]) -> bytes:
    """A header of values that nothing encodes or breaks, with commas, each on a line of its own.

    The first stands on the header's own line. Raises ValueError unless they are ASCII.
    """
    text = f"{name}: " + ",\r\n ".join(map(check, values))
    if len(text) > _LIMIT and max(map(len, text.split("\r\n"))) > _LIMIT:
        raise ValueError(f"{name} is longer than a line may be")
    return f"{text}\r\n".encode("ascii")


def list_id_header(written: str) -> bytes:
    """A List-Id (RFC 2919) from an identifier, or from `Name <identifier>`."""
    name, _, identifier = check(written).rpartition("<")
    bare = identifier.removesuffix(">").strip()
    bare = bare if bare.isascii() else ascii_domain(bare)
    if not _LIST_ID.fullmatch(bare):
        raise ValueError(f"no list identifier: {written!r}")
    words = _phrase(name.strip().strip('"'), len("List-Id: ")) if name.strip() else []
    return _fold("List-Id", [*words, f"<{bare}>"])


def check(text: str) -> str:
    """Give the text back, unless it could end a header's line."""
    # Most are of printable ASCII, which is seen in a tenth of the time.
    if not (text.isascii() and text.isprintable()) and _FORBIDDEN.search(text):
        raise ValueError(f"control characters in a header, an address or a value: {text!r}")
    return text


def check_text(text: str) -> str:
    """Give a body back, unless it has what no text has; lines end with LF or CRLF."""
    if found := _NO_TEXT.search(text):
        near = text[max(0, found.start() - 20) : found.end() + 20]
        raise ValueError(f"control characters in a message's text: {near!r}")
    return text


def _phrase(name: str, used: int) -> list[str]:
    """A display name as words to fold between; `used` is how much of the first line is taken."""
    words = name.split(" ")
    room = _LINE - used
    if _ATOMS.fullmatch(name) and "=?" not in name and all(words) and max(map(len, words)) <= room:
        return words
    if name.isascii() and "=?" not in name:
        quoted = re.sub(r'(["\\])', r"\\\1", name)
        if len(quoted) + 2 <= room:
            return [f'"{quoted}"']
    return list(_encoded_words(name, used))


def _encoded_words(text: str, used: int) -> Iterator[str]:
    """RFC 2047, section 2: whole characters, each word at most 75 long and on a line of its own.

    `used` is how much of the first line is taken already.
    """
    data = text.encode()
    is_q = len(data) + 2 * len(_Q_UNSAFE.findall(data)) <= len(data) * 4 / 3
    room = min(_WORD, _LINE - used - len("=?utf-8?q??="))
    if len(_encode(text, is_q)) <= room:
        yield _wrap(text, is_q)
        return
    piece = ""
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
    return _Q_UNSAFE.sub(_escape, data).decode()


def _escape(match: re.Match[bytes]) -> bytes:
    return b"_" if match[0] == b" " else b"=%02X" % match[0][0]


def _fold(name: str, words: list[str]) -> bytes:
    """Put words one behind the other, on a new line where one does not fit any more."""
    line = " ".join([f"{name}:", *words])
    if len(line) <= _LINE:
        return f"{line}\r\n".encode()
    lines = [f"{name}:"]
    for word in words:
        # A word that no line has room for is not brought nearer to it by another line.
        if len(lines[-1]) + 1 + len(word) > _LINE and (len(lines) > 1 or len(word) < _LINE):
            lines.append("")
        lines[-1] += f" {word}"
    header = "".join(f"{line}\r\n" for line in lines).encode()
    if max(map(len, header.split(b"\r\n"))) > _LIMIT:
        raise ValueError(f"{name} is longer than a line may be")
    return header
