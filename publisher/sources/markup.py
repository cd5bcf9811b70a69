"""Bytes of XML that anybody may have written -> a tree, without anything that it could make of us.

Entities of a document's own are refused (a few lines of them can mean gigabytes, or a file of this
machine), nothing is loaded from anywhere, and what is damaged is read as far as it goes.
"""

import codecs
import re
from html.entities import html5
from typing import Any

from lxml import etree

from publisher.sources.model import UnreadableError

# As many as a feed of 5 MB has; each costs some 150 bytes.
_MOST_ELEMENTS = 250_000
# Charsets in which feeds are written, by Python's names; others are taken for what they look like.
_CHARSETS = re.compile(
    r"utf-8(?:-sig)?|ascii|utf-16(?:-[lb]e)?|utf-32|iso8859-\d+|cp125\d|cp1251|cp874|koi8-[ru]"
    r"|gb2312|gbk|gb18030|big5(?:hkscs)?|euc_(?:jp|kr)|shift_jis|cp932|cp949|iso2022_jp|mac-roman"
)
# Those whose bytes are no ASCII, or only look like it, with a byte that gives them away.
_UNLIKE_ASCII = {"utf-16": b"\0", "utf-32": b"\0", "iso2022": b"\x1b"}
# What pages call them and what they mean (WHATWG Encoding, section 4.2).
_MEANT = {"ascii": "cp1252", "iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_IN_TYPE = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_IN_XML = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)

_OWN_ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)
_REFERENCE = re.compile(
    r"&(?!#[0-9]{1,7};|#[xX][0-9A-Fa-f]{1,6};)(?:([A-Za-z][A-Za-z0-9]{1,31});)?"
)
_XML_NAMES = ("amp", "lt", "gt", "quot", "apos")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def decode_document(data: bytes, content_type: str = "") -> str:
    """Decode a document by what it is, rather than by what it or its server says that it is.

    Bytes that are UTF-8 throughout are UTF-8: hardly any other text is so by accident.
    """
    for mark, charset in _BOMS:
        if data.startswith(mark):
            return data.decode(charset, "replace")
    in_xml = _IN_XML.match(data[:1_000])
    in_type = _IN_TYPE.search(content_type)
    said = [in_type[1] if in_type else "", in_xml[1].decode("ascii") if in_xml else ""]
    named = [name for name in map(_find_charset, said) if name]
    unlike = [
        name
        for name in named
        for beginning, mark in _UNLIKE_ASCII.items()
        if name.startswith(beginning) and mark in data
    ]
    for charset in (*unlike, "utf-8", *named):
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    # One wrong byte does not make an UTF-8 text one of another kind.
    fallback = next(iter(named), "utf-8")
    return data.decode(fallback, "replace")


def _find_charset(name: str) -> str:
    """Python's name of a charset in which text is written; empty for what is none."""
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    return _MEANT.get(found, found) if _CHARSETS.fullmatch(found) else ""


def parse_xml(text: str, url: str = "") -> Any:
    """Parse a document, damaged or not. Raises UnreadableError where it cannot or must not be."""
    text = _FORBIDDEN.sub("", text[max(text.find("<"), 0) :])
    if text.count("<") > _MOST_ELEMENTS:
        raise UnreadableError("it has more elements than any feed")
    parts = _split_cdata(text)
    if any(_OWN_ENTITY.search(part) for part in parts[::2]):
        raise UnreadableError("it declares entities of its own, which are not read")
    parts[::2] = [_REFERENCE.sub(_write_reference, part) for part in parts[::2]]
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        recover=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring("".join(parts).encode(), parser, base_url=url or None)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise UnreadableError("it is no XML")
    return root


def _split_cdata(text: str) -> list[str]:
    """Parts in turn outside of and inside CDATA sections, in which references are none."""
    parts, place = [], 0
    while (start := text.find("<![CDATA[", place)) >= 0 and (end := text.find("]]>", start)) >= 0:
        parts += [text[place:start], text[start : end + 3]]
        place = end + 3
    return [*parts, text[place:]]


def _write_reference(match: re.Match[str]) -> str:
    """XML knows five names; feeds use HTML's, and write a bare `&`."""
    name = match[1]
    if name in _XML_NAMES:
        return match[0]
    known = html5.get(f"{name};", "") if name else ""
    return known if known and known not in "<&" else f"&amp;{match[0][1:]}"
