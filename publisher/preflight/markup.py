"""HTML as checks read it: its tags in order, without comments, and the text of raw elements.

One pass of a regular expression instead of a parser: what is checked was written by a template
engine, a sanitiser or premailer, which close their quotes; and a message is looked at in half a
millisecond instead of five. Conditional comments (`<!--[if mso]>…<![endif]-->`) are comments to
every client but Outlook on Windows, for which they are made, and are left out.
"""

import html
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec

_ATTRIBUTES = r"""(?:[^<>"']++|"[^"]*+"|'[^']*+')*+"""
_TOKEN = re.compile(
    rf"""<!--.*?(?:-->|\Z)
    | <(?P<raw>script|style|title|textarea)\b(?P<raw_attributes>{_ATTRIBUTES})>
      (?P<text>.*?)(?:</(?P=raw)\s*>|\Z)
    | <(?P<name>[a-zA-Z][^\s/<>]*+)(?P<attributes>{_ATTRIBUTES})>""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'=<>`]+))?""")
_URL_ATTRIBUTES = ("href", "src", "action", "background", "poster")


class Tag(msgspec.Struct, frozen=True):
    """A start tag: `text` is what a script, style, title or textarea holds."""

    name: str
    attributes: Mapping[str, str]
    text: str = ""


def read_tags(markup: str) -> list[Tag]:
    """Read the start tags of a document, names in lower case and values unescaped."""
    return [
        _read_tag(name, attributes) if name else Tag(raw.lower(), _read(raw_attributes), text)
        for raw, raw_attributes, text, name, attributes in _TOKEN.findall(markup)
        if name or raw
    ]


# A document repeats most of its tags, and an archive those of its template.
@lru_cache(maxsize=4096)
def _read_tag(name: str, attributes: str) -> Tag:
    return Tag(name.lower(), _read(attributes))


def _read(attributes: str) -> Mapping[str, str]:
    return {
        name.lower(): html.unescape(value.strip("\"'")) if value else ""
        for name, value in _ATTRIBUTE.findall(attributes)
    }


def addresses(tags: list[Tag]) -> Iterator[tuple[Tag, str]]:
    """Give every address in a document with its tag."""
    for tag in tags:
        for name in _URL_ATTRIBUTES:
            if name in tag.attributes:
                yield tag, tag.attributes[name].strip()


def is_relative(url: str) -> bool:
    """Tell an address that needs the one of its document: neither a scheme nor a mere fragment."""
    if url.startswith(("#", "https://")):  # nearly all
        return False
    try:
        return not urlsplit(url).scheme
    except ValueError:
        return False


def heading_levels(tags: list[Tag]) -> list[int]:
    """The levels of a document's headings, in its order."""
    return [
        int(tag.name[1])
        for tag in tags
        if len(tag.name) == 2 and tag.name[0] == "h" and tag.name[1] in "123456"
    ]
