"""Others' words -> text that can stand in a draft: theirs, on one line, and nothing but text.

What comes in may be written by anybody. No markup is left of it, nothing that is not seen or turns
a line round, and nothing that a template of somebody behind us could take for its own.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from lxml import etree

from publisher.intake.text import drop_forbidden
from publisher.render.excerpt import shorten

TITLE_CHARACTERS = 200
# As much of an entry as its first sentences can be in.
MOST_CONTENT = 50_000

# Joiners that Persian, Indic scripts and emoji need, and marks of direction that change no order
# but their own. Everything else of Cf is invisible, or overrides how a line is read.
_KEPT_FORMAT = frozenset("\u200c\u200d\u200e\u200f\u061c\u0600\u0601\u0602\u0603\u06dd")
# What begins a placeholder in Jinja2, Liquid, Handlebars and in Mailchimp's and Mandrill's mails:
# relays and other programs behind us fill in such things.
_TEMPLATE = re.compile(r"\{(?=[{%#])|\*(?=\|)|<(?=%)")

_TITLE_TAG = re.compile(
    r"</?(?:a|abbr|b|big|br|cite|code|del|div|em|font|h[1-6]|i|iframe|img|ins|mark|p|q|s|script"
    r"|small|span|strike|strong|style|sub|sup|svg|time|u|wbr)(?:[\s/][^<>]*)?>",
    re.IGNORECASE,
)
_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "footer"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p"),
        *("pre", "section", "table", "td", "th", "tr", "ul"),
    )
)
_UNSEEN = frozenset(
    (
        *("audio", "button", "canvas", "embed", "figure", "form", "head", "iframe", "math"),
        *("noscript", "object", "script", "select", "style", "svg", "template", "textarea"),
        *("title", "video"),
    )
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)

# Paragraphs that are about the feed, not of the article.
_BOILERPLATE = re.compile(
    r"the post .{1,300} (?:first )?appeared (?:first )?on .{1,200}"
    r"|(?:continue reading|read more|read the (?:full|rest|whole)|weiterlesen|mehr lesen"
    r"|lire la suite|leer más|seguir leyendo|阅读全文|閱讀全文|查看全文|原文链接|続きを読む"
    r"|اقرأ المزيد|читать далее)\b.{0,200}|(?:article url|comments url|points|# comments):.{0,300}"
    r"|comments|https?://\S+",
    re.IGNORECASE,
)
# How sources say that there is more: it is no word of theirs.
_MORE = re.compile(r"(?:[\[(](?:…|\.\.\.)[\])]|…|\.\.\.|→)\Z")
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
# Where a sentence may end: full-width stops need no space behind them.
_SENTENCE_END = re.compile(r"[。！？][”’」』）]*|[.!?…؟۔।][\"'”’)»]*(?=\s|$)")
_STOPS = ".!?…؟。！？۔।"
# Of the room that a cut between words would use, a sentence must fill so much.
_LEAST_SHARE = 0.4


def clean(text: str) -> str:
    """A text on one line, without what cannot be seen or could act."""
    text = drop_forbidden(" ".join(text.split()))
    if not text.isascii():
        text = "".join(each for each in text if not _is_unseen(each))
    return " ".join(_TEMPLATE.sub(_part, text).split())


def _is_unseen(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind in ("Cn", "Co", "Cs") or (kind == "Cf" and character not in _KEPT_FORMAT)


def _part(match: re.Match[str]) -> str:
    return f"{match[0]} "


def clean_title(text: str) -> str:
    """A title as feeds have it, where nobody can be sure whether it is HTML."""
    text = text[: 10 * TITLE_CHARACTERS]
    text = " ".join(read_html(text)) if _TITLE_TAG.search(text) else html.unescape(text)
    return shorten(clean(text), TITLE_CHARACTERS)


def read_html(markup: str) -> list[str]:
    """The paragraphs of HTML that a reader would see, clean."""
    markup = drop_forbidden(markup[:MOST_CONTENT])
    if not markup.strip():
        return []
    if "<" not in markup:
        return [text for text in [clean(html.unescape(markup))] if text]
    parser = etree.HTMLParser(
        no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(f"<body>{markup}", parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    if root is None:
        return []
    lines = "".join(_texts(root)).split("\0")
    return [text for text in map(clean, lines) if text]


def _texts(root: Any) -> Iterator[str]:
    """The texts that are seen, with NUL where a block begins or ends."""
    unseen = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        is_unseen = element.tag in _UNSEEN or _is_hidden(element)
        is_block = element.tag in _BLOCKS
        if event == "start":
            unseen += is_unseen
            if not unseen:
                yield "\0" * is_block + (element.text or "")
        else:
            unseen -= is_unseen
            if not unseen:
                yield "\0" * is_block + (element.tail or "")


def _is_hidden(element: Any) -> bool:
    return "hidden" in element.attrib or bool(_HIDDEN_STYLE.search(element.get("style", "")))


def summarise(content: str, limit: int, title: str = "", *, is_plain: bool = False) -> str:
    """The first sentences of an entry, in its own words, at most `limit` characters.

    The cut falls behind a sentence where there is one, also in Chinese and in Arabic. Empty where
    there is nothing but the title again.
    """
    lines = content[:MOST_CONTENT].split("\n") if is_plain else read_html(content)
    paragraphs = [clean(line) for line in lines] if is_plain else lines
    text = ""
    for paragraph in paragraphs:
        if not paragraph or paragraph == title or _BOILERPLATE.fullmatch(paragraph):
            continue
        is_joined = not text or _WIDE.match(text[-1])
        text = f"{text}{paragraph}" if is_joined else f"{text} {paragraph}"
        if len(text) > limit:
            break
    return _cut(_without_more(text), limit) if limit else ""


def _cut(text: str, limit: int) -> str:
    """Cut behind a sentence, or else between words or characters, with an ellipsis."""
    if len(text) <= limit:
        return text
    end = _find_end(text[: limit + 1], int(limit * _LEAST_SHARE))
    return text[:end] if end else shorten(text, limit)


def _find_end(text: str, least: int) -> int:
    """Where the last sentence ends that others follow; 0 where what is before it is too short."""
    ends = [match for match in _SENTENCE_END.finditer(text) if match.end() < len(text)]
    return next((m.end() for m in reversed(ends) if m.end() > least and _is_end(text, m)), 0)


def _is_end(text: str, stop: re.Match[str]) -> bool:
    """Tell a sentence's end from an abbreviation's: "Prof.", "U.S.", "approx. five"."""
    if stop[0][0] != ".":
        return True
    word = text[: stop.start()].rsplit(maxsplit=1)[-1:]
    is_short = not word or len(word[0]) < 2 or "." in word[0] or word[0][0] in "(["
    is_title = bool(word) and word[0][0].isupper() and len(word[0]) <= 4
    return not is_short and not is_title and not text[stop.end() :].lstrip()[:1].islower()


def _without_more(text: str) -> str:
    """Leave out the sign that there is more, and what was cut by it where a sentence stands before.

    A text without any goes on with an ellipsis.
    """
    bare = text
    while sign := _MORE.search(bare, max(len(bare) - 5, 0)):
        bare = bare[: sign.start()].rstrip()
    if bare == text or not bare or bare[-1] in _STOPS:
        return bare
    end = _find_end(f"{bare} …", len(bare) // 2 - 1)
    return bare[:end] if end else f"{bare}…"
