"""A pasted plain-text digest -> its title, introduction and highlights.

A digest is an optional title line, a numbered list of titles and, for each title, a line that
repeats it followed by its paragraphs, one a line. The list is what everything else is held
against: a line is a section's title where it says what a listed title says, however it is spelled.
"""

from bisect import bisect_left
from itertools import chain, pairwise
from typing import Any

import msgspec

from publisher.intake.digest_lines import (
    COLONS,
    TITLE_LENGTH,
    TITLE_LINES,
    Line,
    Sayings,
    find_nearest,
    is_broken,
    join_title,
    read_lines,
    shorten,
    title_key,
    trim,
)
from publisher.model.problem import Problem, has_errors, in_reading_order
from publisher.preflight.catalogue import problem

# Lines looked at to find the nearest ones, some 10 µs each: enough for any real digest, and a
# megabyte of prose with a thousand missing sections is still refused within a second.
_NEAREST_BUDGET = 30_000


class DigestHighlight(msgspec.Struct, frozen=True):
    """One highlight: the list's title, the section's paragraphs; `line` is the section's."""

    title: str
    paragraphs: tuple[str, ...]
    line: int


class Digest(msgspec.Struct, frozen=True):
    """A digest in its list's order; `title` without its colon, empty where there is none."""

    title: str
    introduction: tuple[str, ...]
    highlights: tuple[DigestHighlight, ...]


class _Item(msgspec.Struct, frozen=True):
    """A listed title with its number and the line where it begins in the file."""

    count: int
    title: str
    line: int


class _Section(msgspec.Struct, frozen=True, order=True):
    """A section: its title stands on lines[start:body], its paragraphs on lines[body:end]."""

    start: int
    body: int
    item: int
    end: int = 0


class _Report:
    """Collects the problems of one file; titles and lines are quoted in short."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def add(self, name: str, line: int, /, **values: Any) -> None:
        for key in values.keys() & {"title", "other", "found"}:
            values[key] = shorten(str(values[key]))
        self.problems.append(problem(name, self.file, line, **values))


def read_digest(text: str, file: str) -> tuple[Digest | None, tuple[Problem, ...]]:
    """Read a digest whose lines end in `\\n`; None with errors where it is incomplete or unclear.

    Paragraphs come back with their very characters; only white space around them is dropped.
    """
    report = _Report(file)
    digest = _read(list(read_lines(text)), report)
    return digest, in_reading_order(report.problems)


def _read(lines: list[Line], report: _Report) -> Digest | None:
    if not lines:
        report.add("digest-empty", 1)
        return None
    sayings = Sayings(lines)
    start = _find_list(lines, sayings)
    if start is None:
        report.add("digest-list-missing", lines[0].number, found=lines[0].text)
        return None
    listing = _Listing(lines, sayings)
    end = listing.read(start)
    listing.check(report)
    if end == len(lines):
        report.add("digest-list-alone", lines[start].number, count=len(listing.items))
        return None
    title, opening = _read_opening(lines[:start], report)
    sections = _find_sections(listing, sayings, end, len(lines))
    _check_sections(sections, listing, lines, report)
    between = lines[end : sections[0].start if sections else len(lines)]
    bodies = [lines[section.body : section.end] for section in sections]
    _report_missing(sections, listing, [*between, *chain(*bodies)], report)
    _check_unnumbered([*lines[:start], *between], list(chain(*bodies)), report)
    introduction = [*opening, *between]
    _check_text(introduction, bodies, report)
    if has_errors(report.problems):
        return None
    return Digest(title, _texts(introduction), _highlights(sections, listing, lines))


def _texts(lines: list[Line]) -> tuple[str, ...]:
    return tuple(line.text for line in lines)


def _highlights(
    sections: list[_Section], listing: "_Listing", lines: list[Line]
) -> tuple[DigestHighlight, ...]:
    return tuple(
        DigestHighlight(
            listing.items[section.item].title,
            _texts(lines[section.body : section.end]),
            lines[section.start].number,
        )
        for section in sorted(sections, key=lambda section: section.item)
    )


def _read_opening(lines: list[Line], report: _Report) -> tuple[str, list[Line]]:
    """The title, without its colon, and the other lines before the list."""
    if not lines:
        return "", []
    titles = [line for line in lines if line.text[-1] in COLONS]
    if titles:
        return trim(titles[-1].text[:-1]), [line for line in lines if line is not titles[-1]]
    report.add("digest-title-without-colon", lines[0].number, title=lines[0].text)
    return lines[0].text, lines[1:]


def _find_list(lines: list[Line], sayings: Sayings) -> int | None:
    """Where the list begins: at the first number one, else at the first number."""

    def is_prose(index: int) -> bool:
        """`1.5 million`, or a heading such as `1. Dezember:`."""
        line = lines[index]
        is_doubtful = line.is_fraction or line.text[-1] in COLONS
        return is_doubtful and not sayings.is_below(title_key(line.rest), index + 1)

    numbered = [index for index, line in enumerate(lines) if line.count]
    ones = (index for index in numbered if lines[index].count == 1 and not is_prose(index))
    others = (index for index in numbered if not lines[index].is_fraction)
    return next(chain(ones, others), None)


class _Listing:
    """The listed titles; `index` maps each title's key to its first item."""

    def __init__(self, lines: list[Line], sayings: Sayings) -> None:
        self.lines = lines
        self.sayings = sayings
        self.items: list[_Item] = []
        self.index: dict[str, int] = {}

    def read(self, start: int) -> int:
        """Collect the titles from lines[start] on; return the index of the first line after."""
        at = start
        while at < len(self.lines) and not self._is_section(at):
            line = self.lines[at]
            if self._is_item(at):
                self._add(_Item(line.count, line.rest, line.number))
                width = 1
            else:
                width = self._count_continued(at)
                self._continue(self.lines[at : at + width])
            if not width:
                break
            at += width
        return at

    def _add(self, item: _Item) -> None:
        self.items.append(item)
        if item.title:
            self.index.setdefault(title_key(item.title), len(self.items) - 1)

    def _continue(self, lines: list[Line]) -> None:
        for line in lines:
            item = self.items.pop()
            key = title_key(item.title)
            if self.index.get(key) == len(self.items):
                del self.index[key]
            self._add(_Item(item.count, join_title(item.title, line.text), item.line))

    def _expected(self) -> set[int]:
        """The numbers that the next title may have; Markdown's lists may say 1 each time."""
        if not self.items:
            return {1}
        is_all_ones = all(item.count == 1 for item in self.items[:2])
        return {self.items[-1].count + 1, *([1] if is_all_ones else [])}

    def _is_item(self, at: int) -> bool:
        line = self.lines[at]
        if not self.items or not line.count or line.count in self._expected():
            return bool(line.count)
        if not line.is_fraction and line.count != 1:
            return True
        # A number one amid the list is a misspelt section's, if it is not the list's own mistake.
        return self.sayings.is_below(title_key(line.rest), at + 1)

    def _is_section(self, at: int) -> bool:
        """Tell whether a listed title is repeated here as a section's, not as one more title."""
        key = next((key for key in self.sayings.at(at) if key in self.index), None)
        if key is None or not self.lines[at].count:
            return key is not None
        count = self.lines[at].count
        is_next = count in self._expected()
        is_same = count == self.items[self.index[key]].count
        if is_next != is_same:
            return is_same
        # The numbers do not tell: a title that is listed twice is said at least three times.
        return len(self.sayings.places(key)) < 3

    def _count_continued(self, at: int) -> int:
        """How many lines from here on belong to the last title, broken by hard wrapping."""
        text = self.items[-1].title
        for width, line in enumerate(self.lines[at : at + TITLE_LINES], 1):
            text = f"{text} {line.text}"
            if line.count or len(text) > TITLE_LENGTH:
                break
            if not self.items[-1].title or self.sayings.is_below(title_key(text), at + width):
                return width
            if line.is_after_blank:
                continue
            # Where the list goes on below, what stands between two numbers is a title's rest.
            below = at + width
            is_inside = below < len(self.lines) and self.lines[below].count in self._expected()
            if is_inside and not self._is_section(below):
                return width
        return 0

    def check(self, report: _Report) -> None:
        """Report titles that are empty or repeated, and numbers that leave one out."""
        for index, item in enumerate(self.items):
            first = self.index.get(title_key(item.title), index)
            if not item.title:
                report.add("digest-title-empty", item.line, count=item.count)
            elif first != index:
                other = self.items[first].line
                report.add("digest-title-repeated", item.line, title=item.title, other=other)
        counts = [item.count for item in self.items]
        if counts != list(range(1, len(counts) + 1)) and set(counts) != {1}:
            found = ", ".join(map(str, counts))
            report.add("digest-numbers", self.items[0].line, found=found)


def _find_sections(listing: _Listing, sayings: Sayings, end: int, stop: int) -> list[_Section]:
    """Find what repeats a listed title in lines[end:stop], in the file's order."""
    found = sorted(
        _Section(start, start + width, item)
        for key, item in listing.index.items()
        for start, width in sayings.places(key)[bisect_left(sayings.places(key), (end, 0)) :]
    )
    sections: list[_Section] = []
    for section in found:
        if not sections or section.start >= sections[-1].body:
            sections.append(section)
    starts = [*(section.start for section in sections), stop]
    return [
        msgspec.structs.replace(section, end=below)
        for section, below in zip(sections, starts[1:], strict=True)
    ]


def _check_sections(
    sections: list[_Section], listing: _Listing, lines: list[Line], report: _Report
) -> None:
    """Report sections that are repeated, empty, or in another order than the list."""
    first: dict[int, _Section] = {}
    filled = {section.item for section in sections if section.body < section.end}
    for section in sections:
        title, line = listing.items[section.item].title, lines[section.start].number
        earlier = first.setdefault(section.item, section)
        if earlier is not section:
            other = lines[earlier.start].number
            report.add("digest-section-repeated", line, title=title, other=other)
        elif section.item not in filled:
            report.add("digest-body-missing", line, title=title)
    for above, below in pairwise(first.values()):
        if below.item < above.item:
            low, high = (listing.items[section.item].title for section in (below, above))
            report.add("digest-order", lines[below.start].number, title=low, other=high)
            break


def _report_missing(
    sections: list[_Section], listing: _Listing, others: list[Line], report: _Report
) -> None:
    """Report listed titles that no section has, with the nearest of the lines that are no title."""
    found = {section.item for section in sections}
    budget = _NEAREST_BUDGET
    for item in (listing.items[i] for i in listing.index.values() if i not in found):
        budget -= len(others)
        line = find_nearest(item.title, others) if budget > 0 else None
        near = f"; line {line.number} comes near: {shorten(line.text)!r}" if line else ""
        report.add("digest-section-missing", item.line, title=item.title, near=near)


def _check_unnumbered(outside: list[Line], paragraphs: list[Line], report: _Report) -> None:
    """Report a line beside the list that is said again: a title listed without a number."""
    last = {line.key: line.number for line in chain(outside, paragraphs)}
    for line in outside:
        is_words = line.text[-1] not in COLONS and any(map(str.isalnum, line.key))
        if is_words and (other := last[line.key]) != line.number:
            report.add("digest-title-unnumbered", line.number, title=line.text, other=other)


def _check_text(introduction: list[Line], bodies: list[list[Line]], report: _Report) -> None:
    """Report that there is an introduction, and paragraphs that were broken into lines."""
    if introduction:
        line, found = introduction[0].number, introduction[0].text
        report.add("digest-introduction", line, count=len(introduction), found=found)
    neighbours = [pair for body in (introduction, *bodies) for pair in pairwise(body)]
    broken = [(line, below) for line, below in neighbours if is_broken(line, below)]
    # What goes on in a small letter was surely cut; before a name or in Chinese, it takes several.
    is_sure = any(below.text[0].islower() for _, below in broken)
    if is_sure or (len(broken) >= 3 and len(broken) * 2 >= len(neighbours)):
        report.add("digest-hard-wrapped", broken[0][0].number, count=len(broken))
