"""The index: what the last build knew, so that the next one does only what changed.

It is a cache below `.publisher/`: deleted, it is made anew from the committed files with the same
result. SQLite, because one new issue in an archive of 10,000 must not cost reading 10,000 records.

A change is first noted (`dirty`) in the same transaction as the content that changed, and struck
out in the transaction that follows publishing; so a build that dies in between is done again.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from publisher.model.issue import Issue
from publisher.model.problem import Problem
from publisher.site.register import Record

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS file (
  path TEXT PRIMARY KEY, signature TEXT NOT NULL, slug TEXT NOT NULL, issue TEXT NOT NULL,
  moment INTEGER, year INTEGER, month TEXT, number INTEGER,
  state TEXT NOT NULL,     -- unreadable, broken, draft, ready
  is_live INTEGER NOT NULL DEFAULT 0, content BLOB, problems BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS file_slug ON file (slug);
CREATE INDEX IF NOT EXISTS file_live ON file (moment, slug, year, month) WHERE is_live = 1;
CREATE INDEX IF NOT EXISTS file_year ON file (year, moment, slug) WHERE is_live = 1;
CREATE INDEX IF NOT EXISTS file_month ON file (month, moment, slug) WHERE is_live = 1;
CREATE INDEX IF NOT EXISTS file_waiting ON file (moment) WHERE is_live = 0 AND state = 'ready';
CREATE INDEX IF NOT EXISTS file_bad ON file (path) WHERE state IN ('unreadable', 'broken');
CREATE INDEX IF NOT EXISTS file_draft ON file (path) WHERE state = 'draft';
CREATE INDEX IF NOT EXISTS file_number ON file (number, moment) WHERE is_live = 1;
CREATE TABLE IF NOT EXISTS ident (
  id TEXT NOT NULL, path TEXT NOT NULL, line INTEGER NOT NULL, is_live INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS ident_id ON ident (id);
CREATE INDEX IF NOT EXISTS ident_path ON ident (path);
CREATE INDEX IF NOT EXISTS ident_live ON ident (id) WHERE is_live = 1;
CREATE TABLE IF NOT EXISTS repeated (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tagged (
  tag TEXT NOT NULL, moment INTEGER NOT NULL, slug TEXT NOT NULL, place INTEGER NOT NULL,
  label TEXT NOT NULL, month TEXT NOT NULL, path TEXT NOT NULL,
  PRIMARY KEY (tag, moment, slug, place)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tagged_path ON tagged (path);
CREATE INDEX IF NOT EXISTS tagged_month ON tagged (month, tag);
CREATE TABLE IF NOT EXISTS media (path TEXT NOT NULL, user TEXT NOT NULL,
  PRIMARY KEY (path, user)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS measured (
  path TEXT PRIMARY KEY, signature TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS registered (
  id TEXT PRIMARY KEY, record BLOB NOT NULL, slug TEXT NOT NULL, issue TEXT NOT NULL,
  is_withdrawn INTEGER NOT NULL, is_present INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS registered_gone ON registered (id)
  WHERE is_present = 0 AND is_withdrawn = 0;
CREATE INDEX IF NOT EXISTS registered_withdrawn ON registered (id) WHERE is_withdrawn = 1;
CREATE INDEX IF NOT EXISTS registered_issue ON registered (issue);
CREATE TABLE IF NOT EXISTS former (slug TEXT NOT NULL, id TEXT NOT NULL,
  PRIMARY KEY (slug, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS former_id ON former (id);
CREATE TABLE IF NOT EXISTS told (
  issue TEXT NOT NULL, at TEXT NOT NULL, version TEXT NOT NULL, text BLOB NOT NULL,
  is_pending INTEGER NOT NULL, PRIMARY KEY (issue, at, version));
CREATE INDEX IF NOT EXISTS told_pending ON told (issue) WHERE is_pending = 1;
CREATE TABLE IF NOT EXISTS noted (
  issue TEXT NOT NULL, part TEXT NOT NULL, at TEXT NOT NULL,
  before TEXT NOT NULL, after TEXT NOT NULL, note TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS noted_issue ON noted (issue);
CREATE INDEX IF NOT EXISTS noted_part ON noted (part);
CREATE TABLE IF NOT EXISTS pending (id TEXT PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS dirty (kind TEXT NOT NULL, key TEXT NOT NULL,
  PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS output (path TEXT PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL)
  WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS output_task ON output (kind, key);
CREATE TABLE IF NOT EXISTS found (kind TEXT NOT NULL, key TEXT NOT NULL, problems BLOB NOT NULL,
  PRIMARY KEY (kind, key)) WITHOUT ROWID;
"""
# Raise it when the tables change: an index of another version is thrown away.
_VERSION = 4

# SQLite takes 32,766 values in one statement.
_MOST_VALUES = 10_000

_encode = msgspec.msgpack.Encoder().encode
_decode_issue = msgspec.msgpack.Decoder(Issue).decode
_decode_problems = msgspec.msgpack.Decoder(tuple[Problem, ...]).decode
_decode_record = msgspec.msgpack.Decoder(Record).decode

Task = tuple[str, str]


class Index:
    """One open index. Methods are single questions and single notes; the flow is in build.py."""

    def __init__(self, path: Path, *, is_readonly: bool = False) -> None:
        self.path = path
        self._withdrawn: set[str] | None = None
        # By this transaction: an archive's issues mark the same lists again and again.
        self._marked: set[Task] = set()
        if is_readonly:
            uri = f"{path.absolute().as_uri()}?mode=ro"
            self.db = sqlite3.connect(uri, uri=True, isolation_level=None)
            return
        self.db = _open(path)

    def close(self) -> None:
        self.db.close()

    def begin(self) -> None:
        self._marked.clear()
        self.db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.db.execute("COMMIT")

    def rollback(self) -> None:
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.db.execute(sql, values).fetchall()

    def value(self, sql: str, *values: Any) -> Any:
        row = self.db.execute(sql, values).fetchone()
        return row[0] if row else None

    def run(self, sql: str, *values: Any) -> int:
        return self.db.execute(sql, values).rowcount

    def run_each(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run the same with each row: in less than half the time that each by itself takes."""
        self.db.executemany(sql, rows)

    # What is remembered between builds

    def get(self, key: str) -> str:
        return str(self.value("SELECT value FROM meta WHERE key = ?", key) or "")

    def set(self, key: str, value: str) -> None:
        self.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)

    def clear(self) -> None:
        """Forget everything but which files were written to the site."""
        self._withdrawn = None
        self._marked.clear()
        for (table,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
            if table not in ("meta", "output"):
                self.run(f"DELETE FROM {table}")  # noqa: S608 - our own names

    # What must be made anew

    def mark(self, kind: str, key: object = "") -> None:
        task = (kind, str(key))
        if task not in self._marked:
            self._marked.add(task)
            self.run("INSERT OR IGNORE INTO dirty VALUES (?, ?)", *task)

    def mark_moved(self, slug: str, id_: str) -> None:
        """Mark the page at a NAME that issues had before, and those at an issue's earlier NAMEs."""
        sql = "INSERT OR IGNORE INTO dirty SELECT 'moved', slug FROM former"
        self.run(f"{sql} WHERE slug = ? OR id = ?", slug, id_)

    def tasks(self) -> list[Task]:
        return self.rows("SELECT kind, key FROM dirty ORDER BY kind, key")

    # Issues

    def issue(self, path: str) -> Issue:
        return _decode_issue(self.value("SELECT content FROM file WHERE path = ?", path))

    def reading(self, path: str) -> tuple[str, Issue | None, tuple[Problem, ...]] | None:
        """A file's signature when it was read, the issue in it, and its problems."""
        sql = "SELECT signature, content, problems FROM file WHERE path = ?"
        for signature, content, problems in self.rows(sql, path):
            issue = _decode_issue(content) if content else None
            return signature, issue, _decode_problems(problems)
        return None

    def live_issue(self, slug: str) -> Issue | None:
        """A published issue without its withdrawn highlights; None where there is none."""
        found = self.value("SELECT content FROM file WHERE slug = ? AND is_live = 1", slug)
        return self.published_part(_decode_issue(found)) if found else None

    def published_part(self, issue: Issue) -> Issue:
        if not self.has_withdrawn():
            return issue
        kept = tuple(h for h in issue.highlights if not self.is_withdrawn(h.id))
        return msgspec.structs.replace(issue, highlights=kept)

    def is_withdrawn(self, id_: str) -> bool:
        return id_ in self._read_withdrawn()

    def has_withdrawn(self) -> bool:
        """Tell whether anything was ever withdrawn, which is seldom."""
        return bool(self._read_withdrawn())

    def _read_withdrawn(self) -> Collection[str]:
        if self._withdrawn is None:
            rows = self.rows("SELECT id FROM registered WHERE is_withdrawn = 1")
            self._withdrawn = {row[0] for row in rows}
        return self._withdrawn

    def reread_holders(self, id_: str) -> None:
        """Let the files that have an id be read again, as if they had changed."""
        sql = "UPDATE file SET signature = '' WHERE path IN (SELECT path FROM ident WHERE id = ?)"
        self.run(sql, id_)

    def live_slugs(self, where: str = "", *values: Any, limit: int = -1) -> list[str]:
        """NAMEs of published issues, newest first."""
        sql = f"SELECT slug FROM file WHERE is_live = 1 {where} ORDER BY moment DESC, slug DESC"  # noqa: S608
        return [row[0] for row in self.rows(f"{sql} LIMIT ?", *values, limit)]

    def save_file(
        self, path: str, signature: str, issue: Issue | None, facts: dict[str, Any]
    ) -> None:
        columns = {"path": path, "signature": signature, **facts}
        columns["content"] = _encode(issue) if issue else None
        columns["problems"] = _encode(columns["problems"])
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO file ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        self.run(sql, *columns.values())

    def problems_where(self, where: str) -> Iterator[Problem]:
        for (blob,) in self.rows(f"SELECT problems FROM file WHERE {where}"):  # noqa: S608
            yield from _decode_problems(blob)

    def outputs_to_look_for(self, newest: int) -> list[str]:
        """Paths of the site's files: those of the newest issues, and all that are no issue's."""
        sql = (
            "SELECT path FROM output WHERE kind NOT IN ('issue', 'page') UNION ALL"
            " SELECT output.path FROM"
            " (SELECT slug FROM file WHERE is_live = 1 ORDER BY moment DESC, slug DESC LIMIT ?)"
            " JOIN output ON kind IN ('issue', 'page') AND key = slug"
        )
        return [row[0] for row in self.rows(sql, newest)]

    # The register

    def records(self, ids: Iterable[str]) -> dict[str, Record]:
        """What is known of ids, with what this build adds laid over it."""
        wanted = tuple(ids)
        found: dict[str, Record] = {}
        for start in range(0, len(wanted), _MOST_VALUES):
            some = wanted[start : start + _MOST_VALUES]
            marks = ", ".join("?" * len(some))
            for table in ("registered", "pending"):
                sql = f"SELECT id, record FROM {table} WHERE id IN ({marks})"  # noqa: S608 - marks
                found |= {id_: _decode_record(blob) for id_, blob in self.rows(sql, *some)}
        return found

    def save_record(self, table: str, record: Record) -> None:
        self._withdrawn = None
        for slug in record.former:
            self.run("INSERT OR IGNORE INTO former VALUES (?, ?)", slug, record.id)
        if table == "pending":
            self.run("INSERT OR REPLACE INTO pending VALUES (?, ?)", record.id, _encode(record))
            return
        self.run(
            "INSERT OR REPLACE INTO registered VALUES (?, ?, ?, ?, ?,"
            " EXISTS (SELECT 1 FROM ident WHERE id = ? AND is_live = 1))",
            record.id,
            _encode(record),
            record.slug,
            record.issue,
            record.withdrawn is not None,
            record.id,
        )

    def all_records(self, where: str, *values: Any, table: str = "registered") -> list[Record]:
        sql = f"SELECT record FROM {table} WHERE {where} ORDER BY rowid"  # noqa: S608 - fixed
        return [_decode_record(row[0]) for row in self.rows(sql, *values)]

    # What tasks found

    def save_found(self, task: Task, problems: tuple[Problem, ...]) -> None:
        if problems:
            self.run("INSERT OR REPLACE INTO found VALUES (?, ?, ?)", *task, _encode(problems))
        else:
            self.run("DELETE FROM found WHERE kind = ? AND key = ?", *task)

    def all_found(self) -> Iterator[Problem]:
        for (blob,) in self.rows("SELECT problems FROM found ORDER BY kind, key"):
            yield from _decode_problems(blob)


def _open(path: Path) -> sqlite3.Connection:
    """Open the index for writing; one that is damaged or of another version is made anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _prepare(path)
    except sqlite3.DatabaseError:
        remove_index(path)
        return _prepare(path)


def remove_index(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _prepare(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=30)
    # A cache: a lost last transaction is a build done twice, so no sync at each commit.
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, _VERSION):
        db.close()
        raise sqlite3.DatabaseError("an index of another version")
    db.executescript(_SCHEMA)
    if not version:  # who only looks writes nothing
        db.execute(f"PRAGMA user_version = {_VERSION}")
    return db


def moment_of(date: datetime) -> int:
    """A date as whole seconds since 1970 in UTC, the order of the archive."""
    return int(date.timestamp())
