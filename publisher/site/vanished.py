"""What was published and is published no more, though nobody withdrew it."""

from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.site.index import Index
from publisher.site.register import PATH as REGISTER
from publisher.site.register import Record

_IN_A_DRAFT = "SELECT 1 FROM ident JOIN file USING (path) WHERE id = registered.id"
_DRAFTS = (
    "SELECT DISTINCT path FROM file JOIN ident USING (path) JOIN registered USING (id)"
    " WHERE state = 'draft' AND is_withdrawn = 0 ORDER BY path"
)


def find_vanished(index: Index) -> list[Problem]:
    """Report published ids that no file has any more, and files of others that are drafts again.

    Works as well on the index of a check, for which drafts are published.
    """
    where = (
        f"is_present = 0 AND is_withdrawn = 0 AND NOT EXISTS ({_IN_A_DRAFT} AND state = 'draft')"
    )
    gone = sorted(index.all_records(where), key=lambda r: (r.published, r.id))
    drafts = [path for (path,) in index.rows(_DRAFTS)]
    return [*map(_vanished, gone), *(_draft(index, path) for path in drafts)]


def _vanished(record: Record) -> Problem:
    return problem("published-vanished", REGISTER, None, what=_name(record), id=record.id)


def _draft(index: Index, path: str) -> Problem:
    """Name the issue where it was published itself, else the first of its highlights that was."""
    rows = index.rows("SELECT id, line FROM ident WHERE path = ? ORDER BY line, id", path)
    records = index.records([id_ for id_, _ in rows])
    known = [records[id_] for id_, _ in rows if id_ in records and not records[id_].withdrawn]
    record = min(known, key=lambda r: r.kind != "issue")
    return problem("published-draft", path, 1, what=_name(record), id=record.id)


def _name(record: Record) -> str:
    return f"{record.kind} {record.id}" + (f" ({record.slug})" if record.slug else "")
