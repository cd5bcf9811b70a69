"""An export's posts -> issues in issues/ and images in media/: each once, and never over another's.

To import the same export again changes nothing: names follow from the posts alone, and an issue
that is as it would be written is left as it is.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from publisher.intake.moving.addresses import split_address
from publisher.intake.moving.issue import Maker, Moved, make_name
from publisher.intake.moving.post import DamagedError, Export, Exported, LeftOut, Post
from publisher.intake.moving.systems import Read, System
from publisher.intake.read import read_issue
from publisher.intake.text import MAX_BYTES
from publisher.intake.write import write_markdown_issue
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.settings_values import is_old_path
from publisher.site.identity import mint_id
from publisher.site.images import is_image
from publisher.site.issue_files import Imported, Importing, find_issue
from publisher.site.parallel import run_parallel
from publisher.site.replace import write_files, write_new_file
from publisher.site.saving import hold_issues
from publisher.site.scan import ISSUES, read_file

Progress = Callable[[str, int, int], None]
_NO_DATE = datetime.max.replace(tzinfo=UTC)


class MovedIn(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an export: each of its `entries` is in one of the counts behind it.

    `unchanged` are issues that were there as they are, `untouched` those that say something else
    and were left; `redirects` are old paths and the new ones that they should lead to.
    """

    file: str
    system: str
    entries: int = 0
    written: int = 0
    unchanged: int = 0
    untouched: int = 0
    refused: int = 0
    left_out: tuple[LeftOut, ...] = ()
    issues: tuple[Imported, ...] = ()
    redirects: dict[str, str] = {}
    problems: tuple[Problem, ...] = ()


def move_in(
    importing: Importing, export: Export, system: System, read: Read, progress: Progress | None
) -> MovedIn:
    """Import an export. What it holds is read as a whole before anything is written."""
    try:
        exported = read()
    except DamagedError as error:
        return refuse(export.name, system.name, str(error))
    maker = Maker(
        habits=system.habits,
        zone=importing.zone,
        now=importing.now,
        paths=frozenset(export.paths),
        mint=mint_id,
        site=importing.site,
    )
    with hold_issues(importing.folder):
        moving = _Moving(importing, export, maker, list(_name(exported.posts)))
        count = len(moving.named)
        for done, drafted in enumerate(run_parallel(moving.draft, range(count)), 1):
            moving.settle(drafted)
            if progress:
                progress("Importing posts", done, count)
        moving.write()
    return moving.result(system.name, exported)


def refuse(file: str, system: str, found: str) -> MovedIn:
    """An export of which nothing can be read."""
    return MovedIn(
        file=file, system=system, problems=(problem("import-unknown", file, found=found),)
    )


def _name(posts: tuple[Post, ...]) -> Iterator[tuple[Post, str]]:
    """Give each post a NAME of its own: the oldest has the first choice, whenever it is asked."""
    taken: set[str] = set()
    for post in sorted(posts, key=_age):
        name = wanted = make_name(post)
        number = 2
        while name in taken:
            name, number = f"{wanted}-{number}", number + 1
        taken.add(name)
        if name != wanted:
            note = problem("import-name-taken", post.file, post.line, found=name)
            post = msgspec.structs.replace(post, problems=(*post.problems, note))
        yield post, name


def _age(post: Post) -> tuple[datetime, str, int]:
    date = post.date or _NO_DATE
    return date if date.tzinfo else date.replace(tzinfo=UTC), post.file, post.line or 0


class _Drafted(msgspec.Struct, frozen=True):
    """An issue as it would be written, and the file that is there: whether it is the same already,
    and whether it may be replaced.
    """

    moved: Moved
    data: bytes
    existing: str | None
    is_same: bool
    is_readable: bool


class _Moving:
    """The posts of one export, on their way."""

    def __init__(
        self, importing: Importing, export: Export, maker: Maker, named: list[tuple[Post, str]]
    ) -> None:
        self.importing = importing
        self.export = export
        self.maker = maker
        self.named = named
        self.counts: Counter[str] = Counter()
        self.issues: list[Imported] = []
        self.written: dict[str, bytes] = {}
        self.replaced: list[str] = []
        self.redirects: dict[str, str] = {}

    def draft(self, number: int) -> _Drafted:
        """Make an issue of a post; in whichever process, so nothing is noted here."""
        post, name = self.named[number]
        folder = self.importing.folder
        existing = find_issue(folder, name)
        before = read_file(folder, existing, MAX_BYTES + 1) if existing else b""
        previous, _ = read_issue(before, existing, self.importing.zone) if existing else (None, ())
        moved = self.maker.make(post, name, previous)
        data = write_markdown_issue(moved.issue).encode()
        # What its text was made of need not travel back.
        moved = msgspec.structs.replace(moved, post=msgspec.structs.replace(post, html=""))
        return _Drafted(moved, data, existing, before == data, previous is not None)

    def settle(self, drafted: _Drafted) -> None:
        moved, existing = drafted.moved, drafted.existing
        # One that cannot be read would lose its ids.
        may_replace = self.importing.is_forced and drafted.is_readable
        if existing and (drafted.is_same or not may_replace):
            self._leave(moved, existing, is_same=drafted.is_same)
            return
        if len(drafted.data) > MAX_BYTES:
            found = f"it has {len(drafted.data):,} bytes, more than an issue may have"
            self._refuse(moved, found)
            return
        problems = self._copy_media(moved)
        path = f"{ISSUES}/{moved.name}.md"
        self.written[path] = drafted.data
        if existing and existing != path:
            self.replaced.append(existing)
        self._count("written", moved, path, problems)

    def write(self) -> None:
        folder = self.importing.folder
        write_files(folder, self.written)
        for path in self.replaced:
            (folder / path).unlink()

    def _leave(self, moved: Moved, path: str, *, is_same: bool) -> None:
        note = problem("import-exists", moved.post.file, moved.post.line, found=path)
        self._count("unchanged" if is_same else "untouched", moved, path, [] if is_same else [note])

    def _refuse(self, moved: Moved, why: str) -> None:
        post = moved.post
        found = problem("import-refused", post.file, post.line, title=moved.issue.title, found=why)
        self.counts["refused"] += 1
        self.issues.append(Imported(issue=None, path=None, highlights=(), problems=(found,)))

    def _count(self, what: str, moved: Moved, path: str, more: list[Problem]) -> None:
        self.counts[what] += 1
        highlights = tuple({"id": h.id, "title": h.title} for h in moved.issue.highlights)
        # Of what was imported before, all else was said then.
        problems = (*moved.problems, *more) if what == "written" else tuple(more)
        self.issues.append(
            Imported(issue=moved.name, path=path, highlights=highlights, problems=problems)
        )
        if moved.issue.status == "ready":
            for old in old_paths(moved.post):
                self.redirects.setdefault(old, f"/{ISSUES}/{moved.name}/")

    def _copy_media(self, moved: Moved) -> list[Problem]:
        """Copy an issue's images; what is none does not become public."""
        problems = []
        for place, path in moved.media.items():
            found = ""
            try:
                data = self.export.read(path)
            except DamagedError as error:
                found = f"{path}: {error}"
            else:
                if not is_image(data):
                    found = f"{path}: it is no image that is taken, or too large"
                else:
                    self._write_media(place, data)
            if found:
                problems.append(problem("import-image-missing", moved.post.file, None, found=found))
        return problems

    def _write_media(self, place: str, data: bytes) -> None:
        try:
            write_new_file(self.importing.folder, place, data)
        except FileExistsError:  # of this very path in an export: from an earlier import
            return

    def result(self, system: str, exported: Exported) -> MovedIn:
        return MovedIn(
            file=self.export.name,
            system=system,
            entries=exported.entries,
            **self.counts,
            left_out=exported.left_out,
            issues=tuple(self.issues),
            redirects=dict(sorted(self.redirects.items())),
            problems=(*exported.problems, *_odd_names(self.export)),
        )


def _odd_names(export: Any) -> list[Problem]:
    """What an archive has outside of itself."""
    names: tuple[str, ...] = getattr(export, "odd", ())
    words = "a file's name that leads out of the archive"
    return [
        problem("import-dropped", export.name, None, what=words, found=name[:60]) for name in names
    ]


def old_paths(post: Post) -> Iterator[str]:
    """Where a post was on its old site, as `web.redirects` takes it."""
    addresses = [post.url, *post.former, *([post.guid] if "?p=" in post.guid else [])]
    for address in addresses:
        parts = split_address(address)
        path = parts.path if parts.path.startswith("/") else f"/{parts.path}" if parts.path else "/"
        old = f"{path}?{parts.query}" if parts.query else path
        if old != "/" and is_old_path(old):
            yield old


def write_redirects(redirects: dict[str, str]) -> str:
    """The table for publisher.toml, one old path a line."""
    quote = msgspec.json.encode
    lines = [f"{quote(old).decode()} = {quote(new).decode()}" for old, new in redirects.items()]
    return "\n".join(["[web.redirects]", *lines, ""])
