"""What changed since the last build -> the tasks that make the site right again.

Every change to the archive goes through `_touch`, once with the state before and once with the
state after it, so that whatever shows the changed issue, or showed it, is made anew.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from publisher.model.issue import Issue
from publisher.model.problem import Problem, has_errors
from publisher.render.urls import Urls
from publisher.site.index import Index, moment_of
from publisher.site.media import measure, used_media
from publisher.site.order import TAG_PAGE, around, effective_tags, full_tag_pages, places
from publisher.site.register import read_register, record_issue
from publisher.site.repeated import find_repeated
from publisher.site.scan import File
from publisher.site.vanished import find_vanished
from publisher.site.versions import is_changed, note_version, with_history


class Reading(msgspec.Struct, frozen=True):
    """An issue file as it was read."""

    file: File
    issue: Issue | None
    problems: tuple[Problem, ...]


class Plan:
    """Notes changes in the index. One transaction holds all of one build's notes."""

    def __init__(
        self,
        index: Index,
        folder: Path,
        publication_id: str,
        zone: ZoneInfo,
        urls: Urls,
        now: datetime,
        is_preview: bool,
    ) -> None:
        self.index = index
        self.folder = folder
        self.publication_id = publication_id
        self.zone = zone
        self.urls = urls
        self.now = now
        self.is_preview = is_preview
        # Tags that changes touched: label and number of highlights before, and the oldest moment.
        self.tags: dict[str, tuple[str, int, int]] = {}
        self.ids: set[str] = set()
        # The files of issues that are public from now on, or in another form.
        self.published: set[str] = set()

    # The register

    def note_register(self, signature: str) -> tuple[Problem, ...]:
        """Take over a register that somebody else changed; give what is wrong with it."""
        if self.index.get("register") == signature:
            return ()
        register, problems = read_register(self.folder)
        if problems:
            return problems
        known = {record.id: record for record in self.index.all_records("1")}
        changed = [r for r in register.records.values() if known.get(r.id) != r]
        for record in changed:
            self.index.save_record("registered", record)
            self.index.run("DELETE FROM pending WHERE id = ?", record.id)
            self.index.mark_moved(record.slug, record.id)
        for id_ in known.keys() - register.records.keys():
            self.index.run("DELETE FROM registered WHERE id = ?", id_)
            self.index.mark_moved(known[id_].slug, id_)
        for id_ in (*(r.id for r in changed), *(known.keys() - register.records.keys())):
            self.index.reread_holders(id_)
        for id_ in {r.id for r in (*changed, *known.values()) if r.withdrawn}:
            self.index.mark("tombstone", id_)
        self.index.mark("feeds")
        self.index.set("register", signature)
        self.index.set("register-publication", register.publication)
        return ()

    # Issue files

    def changed_files(self, files: list[File]) -> list[File]:
        known = dict(self.index.rows("SELECT path, signature FROM file"))
        return [file for file in files if known.get(file.path) != file.signature or file.problem]

    def note_gone(self, files: list[File]) -> None:
        here = {file.path for file in files}
        known = [row[0] for row in self.index.rows("SELECT path FROM file")]
        for path in known:
            if path not in here:
                self._forget(path)

    def note_reading(self, reading: Reading) -> None:
        """Replace what the index knows of a file by what it says now."""
        self._forget(reading.file.path)
        issue = reading.issue
        if issue and self.is_preview:
            issue = with_provisional_ids(issue, self.now)
        issue = with_history(self.index, issue) if issue else None
        state = _state(issue, reading.problems)
        moment = moment_of(issue.date) if issue and issue.date else None
        local = issue.date.astimezone(self.zone) if issue and issue.date else None
        facts = {
            "slug": reading.file.path.rpartition("/")[2].rpartition(".")[0],
            "issue": issue.id if issue else "",
            "moment": moment,
            "year": local.year if local else None,
            "month": f"{local:%Y-%m}" if local else None,
            "number": issue.number if issue else None,
            "state": state,
            "problems": reading.problems,
        }
        self.index.save_file(reading.file.path, reading.file.signature, issue, facts)
        if issue:
            self._save_idents(issue)
            if self.index.is_withdrawn(issue.id):
                self.index.mark("tombstone", issue.id)
            if self._is_due(issue, state, moment):
                self._publish(issue)

    def note_due(self) -> None:
        """Publish the issues whose time has come since they were read."""
        sql = "SELECT path FROM file WHERE is_live = 0 AND state = 'ready' AND moment <= ?"
        for (path,) in self.index.rows(sql, moment_of(self.now)):
            issue = self.index.issue(path)
            if self._is_due(issue, "ready", moment_of(self.now)):
                self._publish(issue)

    def _is_due(self, issue: Issue, state: str, moment: int | None) -> bool:
        if moment is None or self.index.is_withdrawn(issue.id):
            return False
        if self.is_preview:
            return True
        # What was published stays so, whatever its date says now.
        is_known = bool(self.index.value("SELECT 1 FROM registered WHERE id = ?", issue.id))
        return state == "ready" and (moment <= moment_of(self.now) or is_known)

    def _save_idents(self, issue: Issue) -> None:
        holders = [(issue.id, issue.guid, 1), *((h.id, h.guid, h.line) for h in issue.highlights)]
        known = self.index.records([id_ for id_, _, _ in holders])
        rows = []
        for id_, written, line in holders:
            guid = known[id_].guid if id_ in known else written
            identities = filter(None, dict.fromkeys((id_, self._identity_of(guid))))
            rows += [(identity, issue.path, line) for identity in identities]
        self.ids.update(identity for identity, _, _ in rows)
        self.index.run_each("INSERT INTO ident (id, path, line) VALUES (?, ?, ?)", rows)
        self.index.run(
            "INSERT OR IGNORE INTO repeated SELECT id FROM ident WHERE id IN"
            " (SELECT id FROM ident WHERE path = ?) GROUP BY id HAVING COUNT(*) > 1",
            issue.path,
        )
        used = used_media(self.index.published_part(issue), self.urls)
        sql = "INSERT OR IGNORE INTO media VALUES (?, ?)"
        self.index.run_each(sql, [(path, issue.path) for path in used])

    def _identity_of(self, guid: str) -> str:
        """An adopted guid is an identity as ids are; a blank keeps it apart from them.

        But it may be just what an id of this publication makes.
        """
        own = f"{self.publication_id}/"
        return guid.removeprefix(own) if guid.startswith(own) else f" {guid}" if guid else ""

    def _publish(self, issue: Issue) -> None:
        index, path = self.index, issue.path
        self.published.add(path)
        self._touch_tags_of(issue)
        index.run("UPDATE file SET is_live = 1 WHERE path = ?", path)
        part = index.published_part(issue)
        kept = {issue.id, *(h.id for h in part.highlights)}
        sql = "UPDATE ident SET is_live = 1 WHERE path = ? AND id = ?"
        index.run_each(sql, [(path, id_) for id_ in kept])
        moment, month = index.rows("SELECT moment, month FROM file WHERE path = ?", path)[0]
        rows = [
            (tag.slug, moment, part.slug, place, tag.label, month, path)
            for place, highlight in places(part)
            for tag in effective_tags(highlight, part)
        ]
        index.run_each("INSERT OR IGNORE INTO tagged VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        self._touch(path)

    def _forget(self, path: str) -> None:
        if not self.index.value("SELECT 1 FROM file WHERE path = ?", path):
            return
        self._touch(path)
        self.ids.update(
            row[0] for row in self.index.rows("SELECT id FROM ident WHERE path = ?", path)
        )
        self.index.run("DELETE FROM file WHERE path = ?", path)
        for table in ("ident", "tagged"):
            self.index.run(f"DELETE FROM {table} WHERE path = ?", path)  # noqa: S608 - fixed
        self.index.run("DELETE FROM media WHERE user = ?", path)

    def _touch(self, path: str) -> None:
        """Mark all that shows a published issue as it stands in the index now."""
        sql = "SELECT slug, issue, moment, year, month FROM file WHERE path = ? AND is_live = 1"
        for slug, id_of_issue, moment, year, month in self.index.rows(sql, path):
            mark = self.index.mark
            for kind in ("issue", "page"):
                mark(kind, slug)
            sql = "INSERT OR IGNORE INTO dirty SELECT kind, key FROM output"
            self.index.run(f"{sql} WHERE kind = 'changes' AND key = ?", slug)
            sql = "SELECT id FROM registered WHERE is_withdrawn = 1 AND slug = ?"
            for (id_,) in self.index.rows(sql, slug):  # whose page this one takes or gives back
                mark("tombstone", id_)
            self.index.mark_moved(slug, id_of_issue)
            for neighbour in filter(None, around(self.index, moment, slug)):
                mark("page", neighbour)
            for kind in ("archive", "feeds", "home", "opml", "sitemap"):
                mark(kind)
            for kind in ("year", "sitemap-year", "search-year"):
                mark(kind, year)
            self._touch_month(month)
            sql = "SELECT slug FROM file WHERE is_live = 1 AND year = ? LIMIT 2"
            if len(self.index.rows(sql, year)) == 1:
                self._mark_years()
            for (used,) in self.index.rows("SELECT path FROM media WHERE user = ?", path):
                mark("media", used)
            tags = self.index.rows("SELECT DISTINCT tag FROM tagged WHERE path = ?", path)
            for (tag,) in tags:
                self._touch_tag(tag, moment)
                self._touch_month(month, tag)

    def _touch_tags_of(self, issue: Issue) -> None:
        """Remember tags as they are before an issue joins them."""
        moment = moment_of(issue.date) if issue.date else 0
        for highlight in issue.highlights:
            for tag in effective_tags(highlight, issue):
                self._touch_tag(tag.slug, moment)

    def _touch_tag(self, tag: str, moment: int) -> None:
        label, count, oldest = self.tags.get(tag) or (*self._tag_facts(tag), moment)
        self.tags[tag] = (label, count, min(oldest, moment))

    def _tag_facts(self, tag: str) -> tuple[str, int]:
        sql = "SELECT label FROM tagged WHERE tag = ? ORDER BY moment, slug, place LIMIT 1"
        return self.index.value(sql, tag) or "", self._count("tagged", "tag = ?", tag)

    def _touch_month(self, month: str, tag: str = "") -> None:
        """A month's documents, and the next later ones, which link back to them."""
        self.index.mark("month", month)
        sql = "SELECT MIN(month) FROM file WHERE is_live = 1 AND month > ?"
        if tag:
            sql = "SELECT MIN(month) FROM tagged WHERE month > ? AND tag = ?"
        later = self.index.value(sql, *((month, tag) if tag else (month,)))
        if later:
            self.index.mark("month", later)

    def _mark_years(self) -> None:
        self.index.mark("search")
        for (year,) in self.index.rows("SELECT DISTINCT year FROM file WHERE is_live = 1"):
            self.index.mark("year", year)

    def _count(self, table: str, where: str, *values: object) -> int:
        return int(self.index.value(f"SELECT COUNT(*) FROM {table} WHERE {where}", *values))  # noqa: S608

    # Media

    def note_media(self, media: Mapping[str, File], logo: str) -> None:
        """Measure the images in use that changed, and mark those who show them."""
        if logo:
            self.index.run("INSERT OR IGNORE INTO media VALUES (?, '')", logo)
        sql = "SELECT DISTINCT media.path, signature FROM media LEFT JOIN measured USING (path)"
        for path, signature in self.index.rows(sql):
            file = media.get(path)
            current = f"{file.signature} {file.problem}" if file else ""
            if current == (signature or ""):
                continue
            size = measure(self.folder, path) if file and not file.problem else (0, 0)
            sql = "INSERT OR REPLACE INTO measured VALUES (?, ?, ?, ?)"
            self.index.run(sql, path, current, *size)
            self.index.mark("media", path)
            self._touch_users(path)

    def _touch_users(self, path: str) -> None:
        users = self.index.rows("SELECT user FROM media WHERE path = ?", path)
        for (user,) in users:
            self._touch(user)

    # Conclusions

    def conclude(self) -> None:
        """Draw the marks that need the whole picture: tags, months, sitemaps, presence."""
        for tag, (label, count, moment) in sorted(self.tags.items()):
            self._conclude_tag(tag, label, count, moment)
        self._conclude_newest_month()
        sql = "UPDATE registered SET is_present = EXISTS (SELECT 1 FROM ident"
        sql += " WHERE id = ?1 AND is_live = 1) WHERE id = ?1"
        self.index.run_each(sql, [(id_,) for id_ in sorted(self.ids)])

    def _conclude_tag(self, tag: str, label: str, count: int, moment: int) -> None:
        mark = self.index.mark
        mark("tag", tag)
        mark("tags")
        label_now, count_now = self._tag_facts(tag)
        if label != label_now or not (count and count_now):
            mark("about-feeds")
        older = self._count("tagged", "tag = ? AND moment < ?", tag, moment)
        if label != label_now:  # every page and document of the tag bears its label
            older = 0
            months = self.index.rows("SELECT DISTINCT month FROM tagged WHERE tag = ?", tag)
            for (month,) in months:
                mark("month", month)
        last = max(full_tag_pages(count), full_tag_pages(count_now))
        # From the page before the first that changed or that came or went: it links to that one.
        first = min(older // TAG_PAGE, full_tag_pages(count), full_tag_pages(count_now))
        for number in range(max(1, first), last + 1):
            mark("tag-page", f"{tag}/{number}")

    def _conclude_newest_month(self) -> None:
        """When a month ends, its documents appear, and live feeds link to them."""
        sql = "SELECT month FROM file WHERE is_live = 1 ORDER BY moment DESC, slug DESC LIMIT 1"
        newest, before = self.index.value(sql) or "", self.index.get("newest-month")
        if newest == before:
            return
        low, high = sorted((newest, before))
        between = "SELECT DISTINCT month FROM file WHERE is_live = 1 AND month BETWEEN ? AND ?"
        for (month,) in self.index.rows(between, low, high):
            self.index.mark("month", month)
        self.index.mark("month", high)
        for (tag,) in self.index.rows("SELECT DISTINCT tag FROM tagged WHERE month >= ?", low):
            self.index.mark("tag", tag)
        self.index.set("newest-month", newest)

    def note_pending(self) -> None:
        """Work out what publishing the marked issues adds to the register.

        A preview publishes nothing: what it adds stays pending, so that a draft's highlight that
        is taken out again was never published. It is worked out once, when a file is read: an
        archive that was never built is marked as a whole, however often somebody looks at it.
        """
        if not self.is_preview:
            self.index.run("DELETE FROM pending")
            self.index.run("DELETE FROM told WHERE is_pending = 1")
        sql = (
            "SELECT path FROM dirty JOIN file ON slug = key AND is_live = 1"
            " WHERE kind = 'issue' ORDER BY moment, slug"
        )
        moment = self.now
        for (path,) in self.index.rows(sql):
            if self.is_preview and path not in self.published:
                continue
            issue = self.index.issue(path)
            known = self.index.records([issue.id, *(h.id for h in issue.highlights)])
            records = record_issue(issue, known, moment)
            for record in records:
                self.index.save_record("pending", record)
                self.index.mark_moved("", record.id)
            issues = [*records, *known.values()]  # the issue's own record is among them
            note_version(self.index, issue, next(r for r in issues if r.id == issue.id).updated)
            if is_changed(self.index, issue):
                self.index.mark("changes", issue.slug)
            # A second for each id that changed, over all issues that changed together.
            old = [r for r in records if r.id in known and r.updated != known[r.id].updated]
            moment -= timedelta(seconds=len(old))

    def errors(self) -> list[Problem]:
        """Everything that keeps the archive from being published as it stands."""
        # A draft or an issue of tomorrow may have errors while it is being written.
        due = f"(moment IS NULL OR moment <= {moment_of(self.now)})"
        where = f"state = 'unreadable' OR (state = 'broken' AND {due})"
        found = [p for p in self.index.problems_where(where) if p.level == "error"]
        found += find_repeated(self.index)
        # What a file with errors held is not gone: first that file must be readable again.
        return found or find_vanished(self.index)


def _state(issue: Issue | None, problems: tuple[Problem, ...]) -> str:
    if issue is None:
        return "unreadable"
    if issue.status == "draft":
        return "draft"
    return "broken" if has_errors(problems) else "ready"


def with_provisional_ids(issue: Issue, now: datetime) -> Issue:
    """An issue as a preview shows it: ids and a date that are still to come are made up.

    They have an underscore, which no id that an editor writes can have.
    """
    highlights = tuple(
        h if h.id else msgspec.structs.replace(h, id=f"{issue.slug}_{place}")
        for place, h in enumerate(issue.highlights, 1)
    )
    return msgspec.structs.replace(
        issue, id=issue.id or f"{issue.slug}_", date=issue.date or now, highlights=highlights
    )
