"""Our dialect of Markdown.

CommonMark with tables, strikethrough and bare http(s) links; without raw HTML (shown as text), and
without the two rules that turn prose into something else by accident: headings underlined with
`---`, and code by indentation.
"""

import re
from functools import cache

from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.linkify import linkify
from markdown_it.token import Token

# A heading's attributes: `{` … `}` at its end, beginning like an attribute; braces in quotes count
# as text.
SUFFIX = re.compile(
    r"""(?<!\\)\{\s*(?=[#.]|[A-Za-z][\w-]*=)"""
    r"""((?:[^{}"']|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')*)\}\s*$"""
)
_RAW_HTML = re.compile(r"</?[A-Za-z][^<>]*>|<!--|<[!?][A-Za-z]")
# Chinese and Japanese run on behind a URL without a space; none of this is meant as part of it.
_CJK = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef“”‘’…]")


@cache
def markdown() -> MarkdownIt:
    """Our dialect of Markdown; it keeps URLs and the words of links exactly as written."""
    md = MarkdownIt("commonmark", {"html": False, "linkify": True})
    md.enable(["table", "strikethrough", "linkify"])
    # Line ends and characters that must not be there are dealt with when a text is decoded.
    md.disable(["lheading", "code", "normalize"])
    if md.linkify is not None:
        md.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
        for schema in ("ftp:", "//", "mailto:"):
            md.linkify.add(schema, None)
        md.linkify.add("http:", {"validate": _measure_url})
        # Its own test runs a large pattern over every word; only this can be a link here.
        md.linkify.pretest = lambda text: "://" in text
    # What a link may be is decided when it is rendered, and said by the preflight; refused here it
    # would only turn into odd text.
    md.validateLink = lambda url: True  # type: ignore[method-assign]
    md.normalizeLink = lambda url: url  # type: ignore[method-assign]
    md.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    md.inline.ruler.at("linkify", _link_bare_url)
    md.core.ruler.before("inline", "highlight_attributes", _split_attributes)
    md.core.ruler.before("text_join", "raw_html", _note_raw_html)
    return md


def _link_bare_url(state: StateInline, silent: bool) -> bool:
    """Markdown-it's own rule, where a URL begins: it looks back over all of the text before it."""
    linker = state.md.linkify
    if linker is None or not state.src.startswith("://", state.pos):
        return False
    return bool(_measure_url(linker, state.src, state.pos + 1)) and linkify(state, silent)


def _split_attributes(state: StateCore) -> None:
    """Take a highlight's attributes off its heading before its words are parsed."""
    for opening, inline in zip(state.tokens, state.tokens[1:], strict=False):
        if is_highlight(opening) and (match := SUFFIX.search(inline.content)):
            inline.meta["attributes"] = match[1]
            inline.content = inline.content[: match.start()].rstrip()


def is_highlight(token: Token) -> bool:
    return token.type == "heading_open" and token.tag == "h2" and token.level == 0


def _measure_url(linkify: LinkifyIt, text: str, position: int) -> int:
    """How many characters behind `http:` belong to the URL."""
    length = int(linkify._validate_http(text, position))
    foreign = _CJK.search(text, position, position + length)
    if foreign is None:
        return length
    url = text[position : foreign.start()].rstrip(".,;:!?")
    return len(url) if len(url) > len("//") else 0


def _note_raw_html(state: StateCore) -> None:
    """Note what looks like HTML, while what an author escaped can still be told apart.

    `meta["raw_html"]` of an inline token is a list of (lines below its first, what was found).
    """
    for inline in state.tokens:
        if inline.type != "inline" or "<" not in inline.content:
            continue
        line, found = 0, []
        for token in inline.children or []:
            line += token.type in ("softbreak", "hardbreak")
            if token.type == "text" and (match := _RAW_HTML.search(token.content)):
                found.append((line, match[0]))
        if found:
            inline.meta["raw_html"] = found
