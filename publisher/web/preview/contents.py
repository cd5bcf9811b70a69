"""What the last build made: the issues in its index, its files, and the entries of its feeds."""

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from publisher.model.issue import Issue
from publisher.model.language import direction
from publisher.model.problem import Problem
from publisher.site.index import Index, moment_of
from publisher.site.scan import read_file
from publisher.web.preview.answers import Built

# Issues on one page of the list.
PAGE = 50
# Everything that a build writes may be shown, whatever its size.
_WHOLE = -1


class IssueRow(msgspec.Struct, frozen=True, kw_only=True):
    """An issue in the list; `title` is its NAME where the file says none or cannot be read."""

    slug: str
    path: str
    title: str
    day: str
    language: str
    direction: str
    number: int | None = None
    is_readable: bool = True
    is_draft: bool = False
    is_future: bool = False
    is_mailed: bool = True
    errors: int = 0
    warnings: int = 0


class Contents:
    """Reads what a build made. Opened for one request."""

    def __init__(self, built: Built, output: Path, now: datetime) -> None:
        self.built = built
        self.output = output
        self.now = now
        self._counts = Counter((p.file, p.level) for p in built.problems)

    def rows(self, page: int) -> tuple[list[IssueRow], int]:
        """One page of issues, those that cannot be read first, then the newest; and how many
        pages there are. Pages count from 1.
        """
        with closing(Index(Path(self.built.index), is_readonly=True)) as index:
            count = index.value("SELECT COUNT(*) FROM file")
            sql = (
                "SELECT path, slug, moment FROM file"
                " ORDER BY moment IS NOT NULL, moment DESC, slug DESC LIMIT ? OFFSET ?"
            )
            found = index.rows(sql, PAGE, (page - 1) * PAGE)
            return [self._row(index, *row) for row in found], -(-count // PAGE) or 1

    def find(self, slug: str) -> tuple[IssueRow, Issue | None] | None:
        """An issue by its NAME: its row, and what is shown of it; None where there is no file."""
        with closing(Index(Path(self.built.index), is_readonly=True)) as index:
            sql = "SELECT path, slug, moment FROM file WHERE slug = ? ORDER BY is_live DESC, path"
            found = index.rows(sql, slug)
            if not found:
                return None
            return self._row(index, *found[0]), index.live_issue(slug)

    def _row(self, index: Index, path: str, slug: str, moment: int | None) -> IssueRow:
        content = index.value("SELECT 1 FROM file WHERE path = ? AND content IS NOT NULL", path)
        issue = index.issue(path) if content else None
        language = (issue and issue.language) or self.built.language
        date = datetime.fromtimestamp(moment, ZoneInfo(self.built.time_zone)) if moment else None
        return IssueRow(
            slug=slug,
            path=path,
            title=(issue.title or self.built.title) if issue else slug,
            day=f"{date:%a} {date.day} {date:%b %Y, %H:%M}" if date else "",
            language=language,
            direction=direction(language),
            number=issue.number if issue else None,
            is_readable=issue is not None,
            is_draft=issue is not None and issue.status == "draft",
            is_future=moment is not None and moment > moment_of(self.now),
            is_mailed=issue is None or issue.mail,
            errors=self._counts[path, "error"],
            warnings=self._counts[path, "warning"],
        )

    def problems_of(self, path: str) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.built.problems if problem.file == path)

    def read(self, path: str) -> bytes | None:
        """A file of the site by its path in public/; None for what no build wrote.

        Only names that the index holds are looked up at all, so no spelling leads elsewhere.
        """
        try:
            with closing(Index(Path(self.built.index), is_readonly=True)) as index:
                if not index.value("SELECT 1 FROM output WHERE path = ?", path):
                    return None
            return read_file(self.output, path, _WHOLE)
        except (OSError, sqlite3.Error, UnicodeError):
            return None  # it has just been removed, or its name is no text
