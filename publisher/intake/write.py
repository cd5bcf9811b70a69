"""Plain text -> an issue's Markdown: what `import` writes, and our Markdown reader gives back.

Text is escaped as lightly as it can be, so that an editor still reads it with ease. The reader
itself is asked whether it understands the light form; where it does not, every character that
could mean anything is escaped, which is ugly, rare and sure.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from unicodedata import category

import msgspec
from markdown_it.common.utils import isWhiteSpace

from publisher.intake.blocks import Body, plain_text, read_blocks
from publisher.intake.dialect import markdown
from publisher.model import content as c
from publisher.model.issue import Status

# What would be more than text at the start of a paragraph: a heading, a quotation, a list, a
# thematic break, a fence, a link's definition (CommonMark, sections 4 and 5).
_OPENING = re.compile(
    r"""\d{1,9}(?=[.)](?:[ \t]|$)) | (?=\#{1,6}(?:[ \t]|$) | > | [-+*](?:[ \t]|$)
    | (?:-[ \t]*){3,}$ | (?:\*[ \t]*){3,}$ | (?:_[ \t]*){3,}$ | \[.*\]: )""",
    re.VERBOSE,
)
# A bare link's characters mean nothing else to the reader, and stay as they are.
_URL = r"(?i:https?)://[^\s<>\"*`\\]*[\w/]"
_SCHEME = re.compile(r"https?(?=://)", re.IGNORECASE)
_ENTITY = r"&(?=\#[0-9]{1,7};|\#[Xx][0-9A-Fa-f]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};)"
_ASCII_MARK = r"[!-/:-@\[-`{-~]"
_MARK = re.compile(
    rf"""(?P<url>{_URL})
    | (?P<run>`+ | \*+ | _+ | ~~+)
    | (?P<backslash> \\ (?={_ASCII_MARK}|$))
    | (?P<link> \] (?=\())
    | (?P<bracket> [\[\]])
    | (?P<entity> {_ENTITY})
    | (?P<tag> < (?=[^\s<>][^<>]*>))""",
    re.VERBOSE,
)
# Every character that can begin or end markup inside a line.
_ACTIVE = re.compile(r"[&*<\[\\\]_`~]|:(?=//)")
_ATTRIBUTES_START = re.compile(r"\{(?=\s*(?:[#.]|[A-Za-z][\w-]*=))")
_CLOSING_HASHES = re.compile(r"(?:^|(?<=[ \t]))#(?=#*$)")
# Words that stay words in any YAML reader; anything else is quoted.
_PLAIN_SCALAR = re.compile(r"(?!(?i:true|false|yes|no|on|off|null|y|n)$)[A-Za-z][A-Za-z0-9-]*")
# JSON's strings are YAML's, but for what YAML takes for line ends or does not print (YAML 1.2.2,
# sections 5.1 and 7.3.1).
_UNPRINTED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class Written(msgspec.Struct, frozen=True):
    """A block that is Markdown already."""

    markdown: str


# A paragraph in plain text, or a block that is written.
Part = str | Written


class HighlightText(msgspec.Struct, frozen=True, kw_only=True):
    """A highlight to be written: plain text, without line breaks; what is empty is left out.

    `tags` are labels, in which a comma would part two; an empty `alt` says that the image
    needs none, None that nobody has written it yet.
    """

    id: str
    title: str
    paragraphs: tuple[Part, ...]
    url: str = ""
    source: str = ""
    tags: tuple[str, ...] = ()
    language: str = ""
    image: str = ""
    alt: str | None = None
    guid: str = ""


class IssueText(msgspec.Struct, frozen=True, kw_only=True):
    """An issue to be written: plain text, without line breaks; what is empty is left out.

    `date` is a day or an RFC 3339 time, `authors` are `Name <address>`.
    """

    id: str
    title: str
    date: str
    status: Status = "draft"
    number: int | None = None
    summary: str = ""
    language: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    mail: bool = True
    guid: str = ""
    introduction: tuple[Part, ...] = ()
    highlights: tuple[HighlightText, ...] = ()


def write_markdown_issue(issue: IssueText) -> str:
    """Write an issue file: front matter, the introduction, and a section for each highlight."""
    parts = ["\n".join(("---", *_front_matter(issue), "---"))]
    parts += map(_write_part, issue.introduction)
    for highlight in issue.highlights:
        parts.append(_write_heading(highlight))
        parts += map(_write_part, highlight.paragraphs)
    return "\n\n".join(parts) + "\n"


def _write_part(part: Part) -> str:
    return part.markdown if isinstance(part, Written) else escape_paragraph(part)


def _front_matter(issue: IssueText) -> Iterator[str]:
    yield f"id: {_scalar(issue.id)}"
    yield f"title: {quote_scalar(issue.title)}"
    if issue.number is not None:
        yield f"number: {issue.number}"
    yield f"date: {issue.date}"
    yield f"status: {issue.status}"
    if issue.summary:
        yield f"summary: {quote_scalar(issue.summary)}"
    if issue.language:
        yield f"language: {_scalar(issue.language)}"
    for key, values in (("authors", issue.authors), ("tags", issue.tags)):
        if values:
            yield f"{key}: [{', '.join(map(quote_scalar, values))}]"
    if not issue.mail:
        yield "mail: false"
    if issue.guid:
        yield f"guid: {quote_scalar(issue.guid)}"


def _scalar(text: str) -> str:
    return text if _PLAIN_SCALAR.fullmatch(text) else quote_scalar(text)


def quote_scalar(text: str) -> str:
    """A double-quoted YAML scalar on one line."""
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTED.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def _write_heading(highlight: HighlightText) -> str:
    title = escape_title(highlight.title)
    if highlight.url:
        title = f"[{_escape_label(highlight.title)}]({destination(highlight.url)})"
    attributes = [f"#{highlight.id}"] if highlight.id else []
    values = {
        "tags": ", ".join(highlight.tags) or None,
        "source": highlight.source or None,
        "language": highlight.language or None,
        "image": highlight.image or None,
        "alt": highlight.alt if highlight.image else None,
        "guid": highlight.guid or None,
    }
    attributes += [
        f"{key}={attribute_value(text)}" for key, text in values.items() if text is not None
    ]
    return f"## {title} {{{' '.join(attributes)}}}" if attributes else f"## {title}"


def attribute_value(value: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


def destination(url: str) -> str:
    """A link's destination, in angle brackets where it could not stand without (section 6.3)."""
    escaped = re.sub(rf"[\\<>]|{_ENTITY}", r"\\\g<0>", url)
    return f"<{escaped}>" if re.search(r"[\s()\x00-\x1f]", url) or escaped != url else escaped


def escape_paragraph(text: str) -> str:
    """Escape a paragraph: not empty, without line breaks and without white space at its ends."""
    # A fence's characters are escaped wherever they stand: what is left would be markup.
    forced = text[0] if text.startswith(("```", "~~~")) else ""
    return _escape(text, escape_opening, forced)


def escape_title(text: str) -> str:
    """Escape a title that stands behind `## `; as in escape_paragraph."""

    def finish(escaped: str) -> str:
        # A bare link in a heading would be where the highlight points to.
        return _SCHEME.sub(r"\g<0>\\", escape_heading(escaped))

    return _escape(text, finish, "", "## ")


def _escape_label(text: str) -> str:
    """Escape a title that is a link's text as well."""
    return _escape(text, escape_heading, "[]", "## [", "](x)")


def _escape(
    text: str, finish: Callable[[str], str], forced: str, before: str = "", after: str = ""
) -> str:
    light = finish(escape_marks(text, forced))
    if _read_back(f"{before}{light}{after}") == text:
        return light
    return finish(_ACTIVE.sub(r"\\\g<0>", text))


def _read_back(markdown_text: str) -> str | None:
    """The words of what the reader takes for a single paragraph or heading."""
    match read_blocks(markdown().parse(markdown_text), Body("", 1)):
        case (c.Paragraph(children) | c.Heading(2, children),):
            return plain_text(children)
    return None


def escape_heading(escaped: str) -> str:
    """Escape the `{` of attributes, and hashes that would close the heading."""
    return escape_closing(_ATTRIBUTES_START.sub(r"\\{", escaped))


def escape_closing(escaped: str) -> str:
    """Escape hashes that would close a heading."""
    return _CLOSING_HASHES.sub(r"\\#", escaped)


def escape_opening(escaped: str) -> str:
    """Escape what would make a paragraph's start another block."""
    if opening := _OPENING.match(escaped):
        return f"{escaped[: opening.end()]}\\{escaped[opening.end() :]}"
    return escaped


def escape_marks(text: str, forced: str = "") -> str:
    """Escape what would be read as markup inside a line, and the `forced` characters."""
    marks = list(_MARK.finditer(text))
    paired = _paired_runs(text, [mark for mark in marks if mark["run"]])
    parts: list[str] = []
    position = 0
    is_after_url = False
    for mark in marks:
        parts.append(text[position : mark.start()])
        is_doubtful = mark["run"] or mark["bracket"]
        is_markup = mark.start() in paired or mark[0][0] in forced
        # The reader would take a backslash that touches a bare link for a part of it.
        is_touching = is_after_url and mark.start() == position
        if mark["url"] or is_touching or (is_doubtful and not is_markup):
            parts.append(mark[0])
        else:
            parts += (f"\\{character}" for character in mark[0])
        position = mark.end()
        is_after_url = mark["url"] is not None
    return "".join(parts) + text[position:]


def _paired_runs(text: str, runs: Sequence[re.Match[str]]) -> set[int]:
    """The starts of those runs of `, *, _ and ~~ that could be markup together with another."""
    paired: set[int] = set()
    ticks = [run for run in runs if run[0][0] == "`"]
    # A backslash means nothing inside code, so it is all of them or none (section 6.1).
    if len({len(run[0]) for run in ticks}) < len(ticks):
        paired |= {run.start() for run in ticks}
    for character in "*_~":
        flanks = [(run.start(), *_flanks(text, run)) for run in runs if run[0][0] == character]
        openers = [start for start, is_opener, _ in flanks if is_opener]
        closers = [start for start, _, is_closer in flanks if is_closer]
        if openers and closers and openers[0] < closers[-1]:
            paired |= {start for start in openers if start < closers[-1]}
            paired |= {start for start in closers if start > openers[0]}
    return paired


def _flanks(text: str, run: re.Match[str]) -> tuple[bool, bool]:
    """Whether a run can open and can close emphasis (CommonMark, section 6.2)."""
    before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
    is_left = not _is_space(after) and (not _is_mark(after) or not _is_word(before))
    is_right = not _is_space(before) and (not _is_mark(before) or not _is_word(after))
    if run[0][0] != "_":
        return is_left, is_right
    return is_left and (not is_right or _is_mark(before)), (
        is_right and (not is_left or _is_mark(after))
    )


def _is_space(character: str) -> bool:
    return not character or isWhiteSpace(ord(character))


def _is_mark(character: str) -> bool:
    return character != "" and category(character)[0] in "PS"


def _is_word(character: str) -> bool:
    return not _is_space(character) and not _is_mark(character)
