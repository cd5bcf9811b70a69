"""A post -> the issue that is written for it, with all that was changed on the way."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import msgspec

from publisher.intake.digest_lines import title_key
from publisher.intake.fields import make_tag, one_line
from publisher.intake.moving.addresses import join_address, split_address
from publisher.intake.moving.html import HtmlReader, Place, title_words
from publisher.intake.moving.images import Images
from publisher.intake.moving.junk import Habits
from publisher.intake.moving.post import Post
from publisher.intake.moving.sections import Section, split_sections
from publisher.intake.write import HighlightText, IssueText, Written
from publisher.intake.write_blocks import words_of, write_blocks
from publisher.model import content as c
from publisher.model.issue import Issue
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem

_NAME_LENGTH = 60  # of 64, so that a number fits behind it
_EXCERPT = 60
# What a picture's column holds; in a row that was torn it may be anything.
_ADDRESS = re.compile(r"[^\s<>\"'{}]{1,2000}")


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """An issue that a post becomes. `media` maps places in media/ to paths in the export."""

    post: Post
    name: str
    issue: IssueText
    media: Mapping[str, str]
    problems: tuple[Problem, ...]


class Maker(msgspec.Struct, frozen=True, kw_only=True):
    """What all posts of an export are made with: `now` dates what has no date of its own.

    `site` is where they were on the web, empty where nobody said.
    """

    habits: Habits
    zone: ZoneInfo
    now: datetime
    paths: frozenset[str]
    mint: Callable[[], str]
    site: str = ""

    def make(self, post: Post, name: str, previous: Issue | None) -> Moved:
        """Make the issue; ids and guids are those of `previous`, where there is one."""
        base = _base_of(post.url, self.site)
        images = Images(post, self.paths, base)
        place = Place(post.file, post.line, is_exact=post.is_page)
        reader = HtmlReader(place, self.habits, base, images.find)
        words, tags = self.habits.drop_tags(title_words(post.title))
        title = " ".join(words.split()) or _title_of(name)
        introduction, sections = split_sections(reader.read(post.html), title)
        lead = images.find(post.image) if _ADDRESS.fullmatch(post.image) else ""
        if lead and len(sections) > 1:
            picture = c.Picture(lead, post.image_alt or "", "", 0)
            introduction = (c.Paragraph((picture,)), *introduction)
        writing = _Writing(self, post, previous)
        for tag in tags:
            writing.report("import-dropped", what="a merge tag", found=tag[:_EXCERPT])
        highlights = [writing.highlight(section) for section in sections]
        if lead and len(highlights) == 1:
            image = {"image": lead, "alt": post.image_alt}
            highlights[0] = msgspec.structs.replace(highlights[0], **image)
        moment, is_draft = writing.moment()
        if not any((introduction, *(section.body for section in sections))):
            writing.report("import-text-missing")
            is_draft = True
        issue = IssueText(
            id=(previous.id if previous else "") or self.mint(),
            title=title,
            date=moment.isoformat(),
            status="draft" if is_draft else "ready",
            number=previous.number if previous else None,
            summary=title_words(post.summary),
            language=post.language,
            authors=tuple(filter(None, map(one_line, post.authors))),
            tags=tuple(dict.fromkeys(filter(None, map(one_line, post.tags)))),
            mail=False,
            guid=post.guid or (previous.guid if previous else ""),
            introduction=writing.parts(introduction),
            highlights=tuple(highlights),
        )
        problems = (*post.problems, *reader.problems, *images.problems, *writing.problems)
        return Moved(post=post, name=name, issue=issue, media=images.wanted, problems=problems)


class _Writing:
    """The writing of one post, which collects what had to be changed."""

    def __init__(self, maker: Maker, post: Post, previous: Issue | None) -> None:
        self.maker = maker
        self.post = post
        highlights = reversed(previous.highlights) if previous else ()
        self.date = previous.date if previous else None
        self.known = {title_key(h.title): h for h in highlights}
        self.problems: list[Problem] = []

    def report(self, rule: str, /, **values: object) -> None:
        self.problems.append(problem(rule, self.post.file, self.post.line, **values))

    def parts(self, blocks: c.Blocks) -> tuple[Written, ...]:
        written, lost = write_blocks(blocks)
        for block in lost:
            self.report("import-simplified", found=words_of(block)[:_EXCERPT])
        return written

    def highlight(self, section: Section) -> HighlightText:
        old = self.known.pop(title_key(section.title), None)
        return HighlightText(
            id=(old.id if old else "") or self.maker.mint(),
            title=section.title,
            paragraphs=self.parts(section.body),
            url=section.url,
            guid=old.guid if old else "",
        )

    def moment(self) -> tuple[datetime, bool]:
        """When it was published, and whether it is a draft."""
        post, is_draft = self.post, not self.post.is_published
        if post.restricted:
            self.report("import-restricted", found=post.restricted)
            is_draft = True
        if post.date is None:
            if not is_draft or post.written_date:
                self.report("import-date-unreadable", found=post.written_date or "none")
            today = self.maker.now.astimezone(self.maker.zone)
            today = today.replace(hour=0, minute=0, second=0, microsecond=0)
            # Imported again on another day, it stays as it was.
            return self.date or today, True
        if post.date.tzinfo:
            return post.date, is_draft
        self.report("import-date-local", found=post.written_date or str(post.date))
        return post.date.replace(tzinfo=self.maker.zone), is_draft


def make_name(post: Post) -> str:
    """The NAME that a post's issue has, if no other took it: its old address, or its title."""
    for label in (post.slug, title_words(post.title)):
        words = unquote(label).strip("/ ").rpartition("/")[2].removesuffix(".html")
        slug = make_tag(words).slug if words else ""
        is_hash = re.fullmatch(r"[0-9a-f]{8}", slug) is not None
        day = f"{post.date:%Y-%m-%d}-" if is_hash and post.date else ""
        if slug:
            return f"{day}{slug}"[:_NAME_LENGTH].strip("-")
    return f"{post.date:%Y-%m-%d}" if post.date else "untitled"


def _title_of(name: str) -> str:
    words = name.replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def _base_of(url: str, site: str) -> str:
    base = join_address(site, url)
    return base if split_address(base).scheme in ("http", "https") else ""
