"""What is wrong with a message: its size, its markup, its text part, its subject."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.preflight.mail_support import ELEMENTS
from publisher.preflight.markup import Tag, addresses, read_tags
from publisher.preflight.outline import check_outline
from publisher.preflight.prose import width
from publisher.preflight.styles import Finding, judge_block, judge_style

# Gmail cuts a message's HTML here and hides the rest behind a link.
MAX_HTML_BYTES = 102 * 1024
# What Gmail takes of all style blocks together.
MAX_STYLE_BYTES = 16 * 1024
# RFC 5322, section 2.1.1: a line should have at most 78 characters; desktops show about as many.
MAX_SUBJECT_WIDTH = 78

_REFUSED = "every client drops it, and many servers refuse the message for it"
_VANISHES = "Gmail, Outlook and Yahoo Mail show nothing of it"
_SILENT = "Gmail, Outlook and Yahoo Mail do not play it"
CRITICAL_ELEMENTS: Mapping[str, str] = {
    "script": _REFUSED,
    "iframe": _REFUSED,
    "frame": _REFUSED,
    "object": _VANISHES,
    "embed": _VANISHES,
    "applet": _VANISHES,
    "svg": _VANISHES,
    "canvas": "nothing can be drawn on it, since no client runs scripts",
    "video": _SILENT,
    "audio": _SILENT,
}
# Without these elements their words are still there and in order, or another element is shown.
GRACEFUL_ELEMENTS = frozenset(
    (
        *("abbr", "acronym", "article", "aside", "bdi", "body", "details", "figcaption", "figure"),
        *("footer", "header", "main", "mark", "nav", "picture", "rp", "rt", "ruby", "section"),
        *("summary", "time", "wbr"),
    )
)
_STYLESHEET = "Gmail, Yahoo Mail and most of Outlook never fetch it, and nothing has a style"

# Where a reader leaves: the personal link, or in the published bodies the page that explains it.
_LEAVING = re.compile(r"/unsubscribe\b|#leave\b")

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# What wrapping and break hints put between the characters of a title in the text part.
_INVISIBLE = "\u00ad\u200b\u2060"


class Cut(Protocol):
    """A highlight that the message shows in part: `kept` of its `total` blocks."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def kept(self) -> int: ...
    @property
    def total(self) -> int: ...


def check_message(
    html: str,
    text: str,
    subject: str,
    cuts: Sequence[Cut],
    path: str,
    titles: Collection[str] = (),
) -> list[Problem]:
    """Find what is wrong with a message's two bodies and its subject.

    `titles` are those of the issue's highlights, which the text part must have. Problems name
    `path`; a cut that knows its `line` is reported there.
    """
    tags = read_tags(html)
    return [
        *_check_size(html, cuts, path),
        *check_outline("the message", html, tags, path),
        *_check_styles(tags, path),
        *_check_elements(tags, path),
        *_check_text(text, titles, path),
        *_check_leaving(tags, text, path),
        *_check_subject(subject, path),
    ]


def _check_size(html: str, cuts: Sequence[Cut], path: str) -> Iterator[Problem]:
    if (size := len(html.encode())) > MAX_HTML_BYTES:
        yield problem("message-too-large", path, None, found=size, limit=MAX_HTML_BYTES)
    for cut in cuts:
        line = getattr(cut, "line", None) or None
        values = {"title": cut.title, "kept": cut.kept, "total": cut.total}
        yield problem("message-cut", path, line, **values)


def _check_styles(tags: list[Tag], path: str) -> Iterator[Problem]:
    blocks = [tag.text for tag in tags if tag.name == "style"]
    size = sum(len(block.encode()) for block in blocks)
    if size > MAX_STYLE_BYTES:
        yield problem("style-too-large", path, None, found=size, limit=MAX_STYLE_BYTES)
    styles = dict.fromkeys(tag.attributes.get("style", "") for tag in tags)
    found: dict[Finding, None] = {}
    for judged in (*map(judge_block, blocks), *map(judge_style, styles)):
        found |= dict.fromkeys(judged)
    for rule, style, why in found:
        yield problem(rule, path, None, found=style, why=why, clients=why)


def _check_elements(tags: list[Tag], path: str) -> Iterator[Problem]:
    for name in dict.fromkeys(tag.name for tag in tags):
        if why := CRITICAL_ELEMENTS.get(name):
            yield problem("html-layout-critical", path, None, found=name, why=why)
        elif name in ELEMENTS and name not in GRACEFUL_ELEMENTS and name != "link":
            clients = ELEMENTS[name]
            yield problem("html-unsupported", path, None, found=name, clients=clients)
    if any(tag.name == "link" and "stylesheet" in tag.attributes.get("rel", "") for tag in tags):
        found = 'link rel="stylesheet"'
        yield problem("html-layout-critical", path, None, found=found, why=_STYLESHEET)
    images = [tag.attributes for tag in tags if tag.name == "img"]
    for src in dict.fromkeys(image.get("src", "") for image in images if "width" not in image):
        yield problem("markup-width-missing", path, None, src=src)


def _check_text(text: str, titles: Collection[str], path: str) -> Iterator[Problem]:
    bare = _drop_spaces(text)
    if not bare:
        yield problem("text-part-missing", path, None)
        return
    for title in titles:
        if _drop_spaces(title) not in bare:
            yield problem("text-part-incomplete", path, None, title=title)


def _drop_spaces(text: str) -> str:
    """Drop what wrapping may put in or take out; a regular expression takes ten times as long."""
    bare = "".join(text.split())
    for character in _INVISIBLE:
        bare = bare.replace(character, "")
    return bare


def _check_leaving(tags: list[Tag], text: str, path: str) -> Iterator[Problem]:
    # From the end, where it nearly always is.
    if not any(_LEAVING.search(url) for _, url in addresses(tags[::-1])):
        yield problem("unsubscribe-missing", path, None, part="HTML")
    if text.strip() and not any(map(_LEAVING.search, reversed(text.split("\n")))):
        yield problem("unsubscribe-missing", path, None, part="text part")


def _check_subject(subject: str, path: str) -> Iterator[Problem]:
    if not subject.strip():
        yield problem("subject-missing", path, None)
    if (found := width(subject)) > MAX_SUBJECT_WIDTH:
        yield problem("subject-too-long", path, None, found=found, limit=MAX_SUBJECT_WIDTH)
    if controls := sorted({f"U+{ord(c):04X}" for c in _CONTROLS.findall(subject)}):
        yield problem("subject-control-characters", path, None, found=", ".join(controls))
