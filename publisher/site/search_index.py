"""What the server searches: every published row, in SQLite's FTS5, in a file of its own.

It is a cache below `.publisher/`, beside the build's index, and holds what was public when the last
build ended. The build alone writes; the server only reads, at any time. A stamp that both files
have tells that they belong together: where they differ, all of it is made anew.

The terms are ours (`render.terms`): FTS5 gets them with spaces between, and is told to part text at
ASCII punctuation only, which no term has.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from publisher.model.searchable import Searchable
from publisher.render.query import Phrase, Query
from publisher.render.terms import make_terms
from publisher.site.search_stamp import VERSION, open_readonly, read_version

_SCHEMA = """
CREATE TABLE stamp (value TEXT NOT NULL);
CREATE TABLE entry (
  number INTEGER PRIMARY KEY, slug TEXT NOT NULL, moment INTEGER NOT NULL, day TEXT NOT NULL,
  row BLOB NOT NULL);
CREATE INDEX entry_slug ON entry (slug);
CREATE VIRTUAL TABLE term USING fts5 (title, labels, text, tokenize = 'ascii');
"""
# A word in a title says what something is about; one in its tags or source, where it belongs.
_RANKED = (
    "SELECT number FROM term JOIN entry ON number = term.rowid WHERE term MATCH ?"
    " ORDER BY bm25(term, 10.0, 4.0, 1.0), moment DESC, slug DESC, number LIMIT ?"
)
# Nobody turns more pages; what is further down is found by asking more exactly.
MOST_RANKED = 1_000
# In an archive of 60,000 highlights the costliest queries that we could think of take 0.8 s.
_MOST_SECONDS = 2.0
# SQLite looks at the clock after so many of its steps.
_STEPS = 10_000

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Searchable).decode


class Hit(msgspec.Struct, frozen=True):
    """A row that was found, and the issue that it stands in; `day` is `2025-12-15`."""

    slug: str
    day: str
    row: Searchable


class Found(msgspec.Struct, frozen=True):
    """Some of what was found, best first, and how many there are; `page` counts from 1."""

    hits: tuple[Hit, ...] = ()
    total: int = 0
    page: int = 1
    pages: int = 1


class SearchError(Exception):
    """The file cannot be searched, or cannot be written."""


@contextmanager
def _telling() -> Iterator[None]:
    """Tell what goes wrong with this file from what may go wrong with another."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "")
        # What SQLite says of a query could hold the query, which is nobody's business.
        raise SearchError(name or str(error)) from None


class SearchIndex:
    """The file, open for writing. Everything raises SearchError where it is damaged."""

    @_telling()
    def __init__(self, path: Path, *, is_aside: bool = False) -> None:
        """Open it; `is_aside` where nobody reads it and a crash may leave anything behind."""
        self.is_aside = is_aside
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
        try:
            # As for the build's index: a lost last transaction is made good by the next build.
            journal, synchronous = ("MEMORY", "OFF") if is_aside else ("WAL", "NORMAL")
            self._db.execute(f"PRAGMA journal_mode = {journal}")
            self._db.execute(f"PRAGMA synchronous = {synchronous}")
            if not read_version(self._db):
                self._db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def changing(self, stamp: str) -> Iterator[None]:
        """Make changes that are seen together, and from then on bear a stamp."""
        self._run("BEGIN IMMEDIATE")
        try:
            yield
            self._run("DELETE FROM stamp")
            self._run("INSERT INTO stamp VALUES (?)", stamp)
            self._run("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def remove(self, slug: str) -> None:
        """Take an issue out."""
        for table, key in (("term", "rowid"), ("entry", "number")):
            sql = f"DELETE FROM {table} WHERE {key} IN (SELECT number FROM entry WHERE slug = ?)"  # noqa: S608
            self._run(sql, slug)

    def add(self, slug: str, moment: int, day: str, rows: Sequence[Searchable]) -> None:
        """Put an issue in: its NAME, its time in seconds since 1970, its day, and its rows."""
        for row in rows:
            sql = "INSERT INTO entry (slug, moment, day, row) VALUES (?, ?, ?, ?)"
            number = self._run(sql, slug, moment, day, _encode(row)).lastrowid
            terms = [" ".join(make_terms(text)) for text in (row.title, row.labels, row.text)]
            sql = "INSERT INTO term (rowid, title, labels, text) VALUES (?, ?, ?, ?)"
            self._run(sql, number, *terms)

    def _run(self, sql: str, *values: object) -> sqlite3.Cursor:
        with _telling():
            return self._db.execute(sql, values)


@_telling()
def find(path: Path, query: Query, page: int, size: int) -> Found:
    """Find what a query wants: the best first, the newest first among equals.

    Raises SearchError where there is no file that can be searched, or it takes too long.
    """
    with closing(open_readonly(path)) as db:
        end = time.monotonic() + _MOST_SECONDS
        db.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        if not query.wanted:
            return Found()
        wanted = _express(query)
        numbers = [row[0] for row in db.execute(_RANKED, (wanted, MOST_RANKED))]
        total = len(numbers)
        if total == MOST_RANKED:
            sql = "SELECT COUNT(*) FROM term WHERE term MATCH ?"
            total = db.execute(sql, (wanted,)).fetchone()[0]
        pages = max(1, -(-len(numbers) // size))
        page = min(max(1, page), pages)
        chosen = numbers[(page - 1) * size : page * size]
        return Found(tuple(_hit(db, number) for number in chosen), total, page, pages)


def _hit(db: sqlite3.Connection, number: int) -> Hit:
    sql = "SELECT slug, day, row FROM entry WHERE number = ?"
    slug, day, row = db.execute(sql, (number,)).fetchone()
    return Hit(slug, day, _decode(row))


def _express(query: Query) -> str:
    """A query in FTS5's own language. Terms hold no quote, so that none can end its string."""
    wanted = " AND ".join(dict.fromkeys(map(_string, query.wanted)))
    if not query.excluded:
        return wanted
    return f"({wanted}) NOT ({' OR '.join(dict.fromkeys(map(_string, query.excluded)))})"


def _string(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.terms)}"' + (" *" if phrase.is_open else "")
