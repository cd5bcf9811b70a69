"""Issue files as programs and the console change them: whole, and never over another's change.

A version is a hash of a file's bytes. Who changes an issue names the version that they looked at.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path, PurePath
from zoneinfo import ZoneInfo

import msgspec

from publisher.errors import PublisherError
from publisher.intake.digest_lines import title_key
from publisher.intake.ids import mint_ids
from publisher.intake.read import read_issue
from publisher.intake.text import MAX_BYTES
from publisher.intake.tree import TreeError
from publisher.model.issue import Issue
from publisher.model.problem import Problem, has_errors
from publisher.site.identity import mint_id
from publisher.site.issue_files import find_issue, require_issue
from publisher.site.job import CACHE
from publisher.site.lines import sync_folder
from publisher.site.register import read_register
from publisher.site.replace import write_file
from publisher.site.scan import ISSUES, read_file

_VERSION_LETTERS = 32


class Saved(msgspec.Struct, frozen=True):
    """An issue's file as it is: its path, its bytes, and their version."""

    path: str
    data: bytes
    version: str

    @property
    def slug(self) -> str:
        return PurePath(self.path).stem


class ExistsError(PublisherError):
    """There is an issue of that NAME."""


class ChangedError(PublisherError):
    """Somebody else has changed the issue since it was looked at."""


class PublishedError(PublisherError):
    """Readers know the issue, so that it cannot be removed as if it had never been."""


class UnreadableError(PublisherError):
    """What was to be saved has errors; nothing was written."""

    def __init__(self, text: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(text)
        self.problems = problems


def version_of(data: bytes) -> str:
    return sha256(data).hexdigest()[:_VERSION_LETTERS]


@contextmanager
def hold_issues(folder: Path) -> Iterator[None]:
    """Be the only one who changes issues in this way: a second one waits, for some milliseconds."""
    cache = folder / CACHE
    cache.mkdir(exist_ok=True)
    with (cache / "issues.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read_saved(folder: Path, name: str) -> Saved:
    """Read an issue's file. Raises PublisherError where there is none that can be read."""
    path = require_issue(folder, name)
    try:
        data = read_file(folder, path, MAX_BYTES + 1)
    except OSError as error:
        raise PublisherError(f"{path} cannot be read: {error.strerror}") from None
    return Saved(path, data, version_of(data))


def require_version(saved: Saved, expected: str) -> None:
    """Raise ChangedError where an issue is not as it was looked at; `*` stands for any version."""
    if expected not in ("*", saved.version):
        raise ChangedError(f"{saved.path} was changed by somebody else since it was read")


def create_issue(folder: Path, slug: str, suffix: str, data: bytes, zone: ZoneInfo) -> Saved:
    """Make an issue's file, with ids where there are none.

    Raises ExistsError, or UnreadableError where it has errors.
    """
    with hold_issues(folder):
        if existing := find_issue(folder, slug):
            raise ExistsError(f"{existing} exists already")
        return _write(folder, f"{ISSUES}/{slug}{suffix}", data, zone)


def replace_issue(
    folder: Path, name: str, suffix: str, data: bytes, zone: ZoneInfo, *, expected: str
) -> Saved:
    """Write another content into an issue's file, which may get another form by that.

    Where it has no ids, the issue keeps its own, and so do highlights whose titles match. Raises
    ChangedError where its version is not `expected`, or UnreadableError.
    """
    with hold_issues(folder):
        before = read_saved(folder, name)
        require_version(before, expected)
        path = str(PurePath(before.path).with_suffix(suffix))
        mint = _keep_ids(before, data, path, zone)
        saved = _write(folder, path, data, zone, mint=mint)
        if path != before.path:
            (folder / before.path).unlink()
        return saved


def mark_ready(folder: Path, name: str, zone: ZoneInfo, *, expected: str) -> Saved:
    """Write `status: ready` into an issue, and leave the rest of it as it is.

    Raises ChangedError, or UnreadableError where it has errors.
    """
    with hold_issues(folder):
        before = read_saved(folder, name)
        require_version(before, expected)
        issue = _require_readable(before.data, before.path, zone)
        if issue.status == "ready":
            return before
        return _write(folder, before.path, before.data, zone, fields={"status": "ready"})


def remove_draft(folder: Path, name: str, zone: ZoneInfo, *, expected: str) -> Saved:
    """Remove an issue that was never published.

    Raises ChangedError, or PublishedError where it is ready or was published.
    """
    with hold_issues(folder):
        before = read_saved(folder, name)
        require_version(before, expected)
        issue = read_issue(before.data, before.path, zone)[0]
        if issue is None or issue.status == "ready":
            raise PublishedError(f"{before.path} is no draft")
        records = read_register(folder)[0].records
        known = [id for id in (issue.id, *(h.id for h in issue.highlights)) if id in records]
        if known:
            raise PublishedError(
                f"{before.path} was published ({', '.join(known)}); `publisher withdraw` takes"
                " published things back"
            )
        (folder / before.path).unlink()
        sync_folder(folder / ISSUES)
        return before


def _keep_ids(before: Saved, data: bytes, path: str, zone: ZoneInfo) -> Callable[[], str]:
    """What mints the ids that `data` lacks, in its order: the earlier ones where titles match."""
    old, new = read_issue(before.data, before.path, zone)[0], read_issue(data, path, zone)[0]
    if old is None or new is None:
        return mint_id
    used = {highlight.id for highlight in new.highlights}
    known = {title_key(h.title): h.id for h in old.highlights if h.id not in used}
    kept = [] if new.id else [old.id]
    kept += [known.pop(title_key(h.title), "") for h in new.highlights if not h.id]
    rest = iter(kept)
    return lambda: next(rest, "") or mint_id()


def _write(
    folder: Path,
    path: str,
    data: bytes,
    zone: ZoneInfo,
    *,
    mint: Callable[[], str] = mint_id,
    fields: dict[str, str] | None = None,
) -> Saved:
    with suppress(TreeError):  # said below, with its rule
        data = mint_ids(data, path, mint, fields=fields).data
    _require_readable(data, path, zone)
    write_file(folder, path, data)
    return Saved(path, data, version_of(data))


def _require_readable(data: bytes, path: str, zone: ZoneInfo) -> Issue:
    """Raise UnreadableError where an issue has errors, which would stop every build."""
    issue, problems = read_issue(data, path, zone)
    if issue is None or has_errors(problems):
        first = next(each for each in problems if each.level == "error")
        raise UnreadableError(f"{first.message} (line {first.line or 1})", problems)
    return issue
