"""What is wrong with an issue's words: placeholders, titles, quotations, headings, languages."""

import re
from collections.abc import Collection, Iterator

from publisher.model import content as c
from publisher.model.issue import Issue
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.preflight.images import check_images
from publisher.preflight.placeholders import find_placeholder
from publisher.preflight.prose import OBJECT, Part, read_parts, shorten, width, words_of
from publisher.preflight.quotes import find_unpaired
from publisher.preflight.scripts import example_language, find_mismatch
from publisher.render.views import Setting, language_of

# Two full lines on a desktop, four on a phone: twice what a search result shows of a title.
MAX_TITLE_WIDTH = 150
# Three lines of an inbox's preview.
MAX_SUMMARY_WIDTH = 200
# About 300 words, or 1,000 Chinese characters: three screens of a phone.
MAX_PARAGRAPH_WIDTH = 2000
MAX_HIGHLIGHTS = 25
# Shorter ones (a refrain, "Read the report.") are repeated on purpose.
_LEAST_REPEATED_WIDTH = 80
# Two words or an abbreviation may well be capitals.
_LEAST_SHOUTED_LETTERS = 12

# UTF-8 read as Windows-1252 or as GBK, the sign for what could not be read, and double escapes.
_GARBLED = re.compile(
    "\ufffd+|â€.?|Ã[¡©¨ª«³¶¼±§º]|Â[\xa0°·»«©®£]|ï»¿|锟斤拷|烫烫烫|屯屯屯"
    "|&(?:amp|nbsp|quot|apos|lt|gt|[lr][sd]quo|[mn]dash|hellip|#x?[0-9A-Fa-f]{2,5});"
)
# Unicode's bidirectional controls (UAX 9, section 2) and what ends each of them.
_BIDI_END = {
    **dict.fromkeys("\u202a\u202b\u202d\u202e", "\u202c"),
    **dict.fromkeys("\u2066\u2067\u2068", "\u2069"),
}
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ADDRESS = re.compile(r"[^@\s<>()]+@[^@\s<>()]+")
_NOT_IN_GUID = re.compile(r"[\s<>\"]")


def check_issue(issue: Issue, setting: Setting, existing_media: Collection[str]) -> list[Problem]:
    """Find what is wrong with an issue's words and images.

    `existing_media` holds the paths of the files in media/, relative to the publication's folder.
    """
    parts = read_parts(issue)
    return [
        *_check_words(issue, parts, setting),
        *_check_titles(issue),
        *_check_repetitions(issue, parts),
        *_check_fields(issue),
        *(p for part in parts for p in _check_headings(issue, part)),
        *(p for part in parts for p in _check_passages(issue, part)),
        *_check_languages(issue, parts, setting),
        *check_images(issue, parts, setting, existing_media),
    ]


def _check_words(issue: Issue, parts: tuple[Part, ...], setting: Setting) -> Iterator[Problem]:
    """Look at every text that readers see, whatever it is."""
    languages = {language_of(issue, setting.publication), *(h.language for h in issue.highlights)}
    for what, text, line in _texts(issue, parts):
        if found := find_placeholder(text, languages):
            yield problem("placeholder-left", issue.path, line, what=what, found=found)
        if not text.isascii() or "&" in text:
            yield from _check_characters(issue, what, text, line)


def _texts(issue: Issue, parts: tuple[Part, ...]) -> Iterator[tuple[str, str, int | None]]:
    """Give what each text is, the text and its line."""
    yield "the issue's title", issue.title, 1
    yield "the summary", issue.summary, 1
    for part in parts:
        if highlight := part.highlight:
            yield f"the title {shorten(highlight.title)!r}", highlight.title, part.line
            yield f"the source of {part.name}", highlight.source, part.line
            if highlight.image:
                yield f"the image of {part.name}", highlight.image.alt or "", part.line
        for passage in part.passages:
            yield part.name, passage.text, passage.line
    for part in parts:
        for picture in part.pictures:
            yield f"an image in {part.name}", picture.alt, picture.line


def _check_characters(issue: Issue, what: str, text: str, line: int | None) -> Iterator[Problem]:
    if match := _GARBLED.search(text):
        found = text[max(0, match.start() - 10) : match.end() + 10]
        yield problem("text-garbled", issue.path, line, what=what, found=found)
    if control := _find_open_control(text):
        found = f"U+{ord(control):04X}"
        yield problem("direction-unbalanced", issue.path, line, what=what, found=found)


def _find_open_control(text: str) -> str | None:
    """The first control of direction that its text does not end, or that ends nothing."""
    stack: list[str] = []
    for control in _BIDI.findall(text):
        if control in _BIDI_END:
            stack.append(control)
        elif stack and _BIDI_END[stack[-1]] == control:
            stack.pop()
        else:
            return str(control)
    return stack[0] if stack else None


def _check_titles(issue: Issue) -> Iterator[Problem]:
    # What is mailed has the issue's title measured as part of the subject: `subject-too-long`.
    limits = [("the issue's title", issue.title, 1, None if issue.mail else MAX_TITLE_WIDTH)]
    limits += [
        (f"the title {shorten(h.title)!r}", h.title, h.line, MAX_TITLE_WIDTH)
        for h in issue.highlights
    ]
    for what, title, line, limit in limits:
        if limit and (found := width(title)) > limit:
            yield problem(
                "title-too-long", issue.path, line or None, what=what, found=found, limit=limit
            )
        if _is_shouting(title):
            yield problem("title-shouting", issue.path, line or None, what=what)
        for _, words in find_unpaired([title]):
            yield problem("quote-unclosed", issue.path, line or None, found=words)


def _is_shouting(title: str) -> bool:
    if not title.isupper() or len(title.split()) < 3:
        return False
    return sum(letter.isupper() for letter in title) >= _LEAST_SHOUTED_LETTERS


def _check_repetitions(issue: Issue, parts: tuple[Part, ...]) -> Iterator[Problem]:
    titles: dict[str, int] = {}
    sources: dict[str, int] = {}
    for highlight in issue.highlights:
        key = " ".join(highlight.title.split()).casefold()
        if key and titles.setdefault(key, highlight.line) != highlight.line:
            yield problem(
                "title-repeated",
                issue.path,
                highlight.line,
                found=highlight.title,
                other=titles[key],
            )
        url = highlight.url.strip()
        if url and sources.setdefault(url, highlight.line) != highlight.line:
            yield problem(
                "source-repeated", issue.path, highlight.line, found=url, other=sources[url]
            )
    yield from _check_repeated_paragraphs(issue, parts)


def _check_repeated_paragraphs(issue: Issue, parts: tuple[Part, ...]) -> Iterator[Problem]:
    seen: set[str] = set()
    for part in parts:
        for passage in part.passages:
            text = " ".join(passage.text.split())
            if width(text) >= _LEAST_REPEATED_WIDTH:
                if text in seen:
                    found = shorten(text)
                    yield problem("paragraph-repeated", issue.path, passage.line, found=found)
                seen.add(text)


def _check_fields(issue: Issue) -> Iterator[Problem]:
    if (found := width(issue.summary)) > MAX_SUMMARY_WIDTH:
        yield problem("summary-too-long", issue.path, 1, found=found, limit=MAX_SUMMARY_WIDTH)
    for _, words in find_unpaired([issue.summary]):
        yield problem("quote-unclosed", issue.path, 1, found=words)
    if (count := len(issue.highlights)) > MAX_HIGHLIGHTS:
        yield problem("highlights-many", issue.path, None, found=count, limit=MAX_HIGHLIGHTS)
    for person in issue.authors:
        if not person.name or (person.email and not _ADDRESS.fullmatch(person.email)):
            values = {"name": person.name, "found": person.email}
            yield problem("author-address-invalid", issue.path, 1, **values)
    guids = [(f"the highlight {h.title!r}", h.guid, h.line or None) for h in issue.highlights]
    for what, guid, line in [("the issue", issue.guid, 1), *guids]:
        if _NOT_IN_GUID.search(guid):
            yield problem("guid-invalid", issue.path, line, what=what, found=guid)


def _check_headings(issue: Issue, part: Part) -> Iterator[Problem]:
    """Look at the outline of a text whose own title is of the second level.

    In YAML and JSON a body is a text of its own, which may begin with any level.
    """
    is_markdown = issue.path.endswith(".md")
    previous = 2 if is_markdown else 0
    for heading in _headings(part.blocks):
        found = shorten(words_of(heading.children).replace(OBJECT, "…"))
        if heading.level == 1 and is_markdown:
            yield problem("heading-too-high", issue.path, heading.line, found=found)
        elif previous and heading.level > previous + 1:
            yield problem(
                "heading-jump",
                issue.path,
                heading.line,
                found=found,
                level=heading.level,
                previous=previous,
                right=f"`{'#' * (previous + 1)}`",
            )
        previous = max(heading.level, 2) if is_markdown else heading.level


def _headings(blocks: c.Blocks) -> Iterator[c.Heading]:
    """The headings of a text itself; those in quotations belong to another."""
    for block in blocks:
        if isinstance(block, c.Heading):
            yield block
        elif isinstance(block, c.List):
            for item in block.items:
                yield from _headings(item)


def _check_passages(issue: Issue, part: Part) -> Iterator[Problem]:
    texts = [passage.text for passage in part.passages]
    for index, found in find_unpaired(texts):
        yield problem("quote-unclosed", issue.path, part.passages[index].line, found=found)
    for passage in part.passages:
        if width(passage.text) > MAX_PARAGRAPH_WIDTH:
            yield problem(
                "paragraph-long",
                issue.path,
                passage.line,
                found=shorten(passage.text),
                length=len(passage.text),
            )


def _check_languages(issue: Issue, parts: tuple[Part, ...], setting: Setting) -> Iterator[Problem]:
    """Hold the letters against the language; what holds for all of an issue is said once."""
    document = language_of(issue, setting.publication)
    inherited: list[tuple[Part, str | None]] = []
    for part in parts:
        own = part.highlight.language if part.highlight else ""
        script = find_mismatch(_all_words(part), own or document)
        if not own:
            inherited.append((part, script))
        elif script:
            yield _mismatch(issue, part.name, part.line, own, script)
    if len(inherited) > 1 and all(inherited[0][1] == script for _, script in inherited):
        if whole := inherited[0][1]:
            yield _mismatch(issue, "the issue", 1, document, whole)
        return
    for part, script in inherited:
        if script:
            yield _mismatch(issue, part.name, part.line, document, script)


def _all_words(part: Part) -> str:
    title = part.highlight.title if part.highlight else ""
    return "\n".join((title, *(passage.text for passage in part.passages)))


def _mismatch(issue: Issue, what: str, line: int | None, language: str, script: str) -> Problem:
    right = example_language(script)
    is_attribute = issue.path.endswith(".md") and what.startswith("the highlight")
    example = f'{{language="{right}"}} behind its title' if is_attribute else f"language: {right}"
    values = {"what": what, "language": language, "script": script, "example": example}
    return problem("language-mismatch", issue.path, line, **values)
