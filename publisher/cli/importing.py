"""import: digests and other systems' exports into issues, and a feed's guids into both."""

import os
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    ProgressLine,
    count,
    open_publication,
    print_json,
    say,
    say_problems,
    show,
)
from publisher.errors import PublisherError
from publisher.intake.moving.post import DamagedError, Export
from publisher.intake.moving.systems import SYSTEMS, Read, System, find_system
from publisher.intake.text import MAX_BYTES, SUFFIXES
from publisher.model.problem import Problem, has_errors
from publisher.site.exports import as_export, open_export
from publisher.site.issue_files import Imported, Importing, import_digests
from publisher.site.moving_in import MovedIn, move_in, refuse, write_redirects
from publisher.site.scan import ISSUES

if TYPE_CHECKING:
    from publisher.preflight.feed_readers.documents import Document
    from publisher.site.adopting import Adoption

_DIGEST = "digest"
_NAMES = (_DIGEST, *SYSTEMS)
# What is left out of an archive comes by the thousand: each kind is said once, with its first.
_ONE_BY_ONE = 20


def import_command(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE…",
            help="Digests in plain text (- is standard input), other systems' exports, folders.",
        ),
    ] = None,
    system: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="SYSTEM",
            help=f"What the files are, where they do not tell: {', '.join(_NAMES)}.",
        ),
    ] = "",
    feed: Annotated[
        str,
        typer.Option(
            metavar="URL-or-FILE",
            help="The feed that readers know: its guids and dates are adopted, so that nothing"
            " is new to them.",
        ),
    ] = "",
    redirects: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write old addresses and new ones there, for publisher.toml."
        ),
    ] = None,
    date: Annotated[
        str,
        typer.Option(
            metavar="D",
            help="A digest's day (2025-12-15) or time (2025-12-15T07:00:00+08:00); where it is"
            " left out, the day that the file is named after, or today.",
        ),
    ] = "",
    ready: Annotated[
        bool, typer.Option("--ready", help="A digest that is ready to be published, not a draft.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Replace issues that are there; highlights whose titles match keep their ids.",
        ),
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Make issues of pasted plain-text digests, and of what other systems exported.

    A digest is a numbered list of titles and then, for each of them, a line that
    repeats it and the paragraphs below. It becomes issues/DAY.md. A digest that is
    incomplete is refused: what is wrong is said, and nothing is written.

    Each post of an export becomes an issue, with its date and its old address; it is
    never mailed. Whose export it is, is told by what is in it. To import the same
    export again changes nothing.

    \b
    Examples:
      publisher import today.txt
      publisher import --date 2025-12-15 --ready highlights.txt
      publisher import 2025-12-13.txt 2025-12-14.txt
      publisher import export.zip --redirects redirects.toml
      publisher import blog/content --as markdown
      publisher import export.zip --feed https://daily.example/feed
    """
    names = files or []
    folder, settings = open_publication(config)
    _require_sense(names, system, feed, date)
    importing = Importing(
        folder=folder,
        publication=settings.as_publication(),
        now=datetime.now(UTC),
        date=date,
        is_ready=ready,
        is_forced=force,
    )
    # What may fail without anything written goes first.
    document = _read_feed(feed, importing.publication.url) if feed else None
    if document is not None:
        importing = msgspec.structs.replace(importing, site=_site_of(document))
    work = _Work(importing, names, system)
    if redirects and not work.exports:
        raise PublisherError("--redirects is for exports, and none of the files is one")
    if redirects and redirects.exists() and not force:
        raise PublisherError(f"{redirects} exists already; name another file, or add --force")
    work.do()
    if redirects:
        work.write_redirects(redirects)
    adoption = work.adopt(feed, document) if document is not None else None
    if json:
        print_json(work.document(adoption))
    else:
        work.show(adoption, redirects)
    return 1 if work.is_refused else 0


def _require_sense(names: list[str], system: str, feed: str, date: str) -> None:
    if not names and not feed:
        raise PublisherError(
            "FILE… is missing: what to import, or the feed to adopt with --feed.\n"
            "See `publisher import --help`."
        )
    if date and len(names) > 1:
        raise PublisherError(
            "--date is for one file; several are dated by their names, such as 2025-12-15.txt"
        )
    if system and system not in _NAMES:
        listed = ", ".join(_NAMES)
        raise PublisherError(f"--as {system!r} is no system that is known; write one of {listed}")


def _read_feed(feed: str, url: str) -> "Document":
    """Read a former feed; what that takes is imported only where there is one."""
    from publisher.cli.cutover import read_feed

    return read_feed(feed, url)


def _site_of(feed: "Document") -> str:
    """Where a feed says that its pages are; empty where it does not."""
    return feed.link if feed.link.startswith(("http://", "https://")) else ""


def _open(name: str, shown: str) -> Export:
    if not name:
        raise PublisherError("the name of a FILE is empty")
    return as_export(_read_input(), shown) if name == "-" else open_export(Path(name), shown)


def _read_input() -> bytes:
    """At most what an issue may have and a byte, which tells that there is more."""
    if sys.stdin is None:
        return b""
    if sys.stdin.isatty():
        say("Paste the digest here; then, on a line of its own, press Ctrl-D.")
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def _printable(name: str) -> str:
    """A file's name for messages; one that is no UTF-8 gets `?` for what cannot be shown."""
    return os.fsencode(name).decode("utf-8", "replace")


class _Work:
    """The files of one import: which are digests and which exports, and what became of them."""

    def __init__(self, importing: Importing, names: list[str], system: str) -> None:
        self.importing = importing
        self.digests: list[tuple[str, bytes]] = []
        self.exports: list[tuple[Export, System, Read]] = []
        self.results: list[MovedIn] = []
        self.imported: tuple[Imported, ...] = ()
        for name in names:
            self._sort(name, system)
        if self.exports and importing.date:
            raise PublisherError("--date is for digests; an export has its posts' own dates")

    def _sort(self, name: str, wanted: str) -> None:
        """Tell what a file is. Raises PublisherError where there is none."""
        shown = _printable(name)
        try:
            export = _open(name, shown)
            is_plain = export.paths == (shown,)
            # What is pasted is a digest, and so is what somebody calls one.
            is_export = wanted != _DIGEST and (wanted or name != "-")
            found = find_system(export, wanted) if is_export else None
            if found:
                self.exports.append((export, *found))
            elif is_plain and wanted in ("", _DIGEST):
                self.digests.append((shown, export.read(shown)[: MAX_BYTES + 1]))
            else:
                raise DamagedError(_expected(wanted))
        except DamagedError as error:
            self.results.append(refuse(shown, wanted, str(error)))

    def do(self) -> None:
        if self.digests:
            self.imported = import_digests(self.importing, self.digests)
        for export, system, read in self.exports:
            progress = ProgressLine()
            self.results.append(move_in(self.importing, export, system, read, progress))
            progress.close()

    @property
    def redirects(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for result in self.results:
            for old, new in result.redirects.items():
                found.setdefault(old, new)
        return dict(sorted(found.items()))

    @property
    def issues(self) -> tuple[Imported, ...]:
        return (*self.imported, *(each for result in self.results for each in result.issues))

    @property
    def is_refused(self) -> bool:
        problems = [p for result in self.results for p in result.problems]
        return any(each.issue is None for each in self.issues) or has_errors(problems)

    def write_redirects(self, target: Path) -> None:
        try:
            target.write_text(write_redirects(self.redirects), "utf-8")
        except OSError as error:
            raise PublisherError(f"{target} cannot be written: {error.strerror}") from None

    def adopt(self, feed: str, document: "Document") -> "Adoption":
        from publisher.site.adopting import adopt_feed

        importing = self.importing
        return adopt_feed(importing.folder, importing.zone, feed, document, self.redirects)

    def document(self, adoption: "Adoption | None") -> Any:
        """The JSON document: of a single digest what it always was."""
        if len(self.imported) == 1 and not self.results and adoption is None:
            return self.imported[0]
        answer: dict[str, Any] = {"imported": self.issues}
        if self.results:
            answer["exports"] = [_without_issues(result) for result in self.results]
            answer["redirects"] = self.redirects
        if adoption is not None:
            answer["adopted"] = adoption
        return answer

    def show(self, adoption: "Adoption | None", redirects: Path | None) -> None:
        for (name, _), result in zip(self.digests, self.imported, strict=False):
            _show_digest(result, name)
        if self.imported:
            _say_next(self.imported, is_ready=self.importing.is_ready)
        for export in self.results:
            _show_export(export)
        if any(export.issues for export in self.results):
            _say_after(self.redirects, redirects, is_adopted=adoption is not None)
        if adoption is not None:
            _show_adoption(adoption)


def _expected(system: str) -> str:
    """What was looked for, in words."""
    if not system:
        return "neither a digest nor an export of a system that is known"
    return f"nothing in it is as {system} exports it"


def _without_issues(result: MovedIn) -> dict[str, Any]:
    fields = msgspec.structs.asdict(result)
    return {name: value for name, value in fields.items() if name not in ("issues", "redirects")}


def _show_digest(result: Imported, name: str) -> None:
    say_problems(result.problems)
    if result.issue is None:
        say(f"{name} was not imported, and nothing was written.")
        if name.endswith(SUFFIXES):
            say(f"An issue in Markdown, YAML or JSON needs no import: put it into {ISSUES}/.")
            say("A post of another system is imported with `--as markdown`, or with its folder.")
        return
    show(f"{result.path}: {count(len(result.highlights), 'highlight')}")
    for place, highlight in enumerate(result.highlights, 1):
        show(f"  {place}. {highlight['title']}")


def _say_next(imported: tuple[Imported, ...], *, is_ready: bool) -> None:
    """Say what to do with the issues that were made."""
    made = [result for result in imported if result.issue]
    if not made or has_errors(p for result in imported for p in result.problems):
        return
    if is_ready:
        say("`publisher check` looks it over, `publisher build` publishes it.")
        return
    its = "It is a draft" if len(made) == 1 else "They are drafts"
    say(f"{its}: read over with `publisher preview`, then write `status: ready` at the top.")


def _show_export(result: MovedIn) -> None:
    problems = [*result.problems, *(p for issue in result.issues for p in issue.problems)]
    say_problems(_in_short(problems))
    if not result.entries:
        say(f"{result.file}: nothing was imported.")
        return
    name = f"{result.file} ({result.system})"
    show(f"{name}: {_entries(result.entries)}")
    counts = (
        (result.written, "imported"),
        (result.unchanged, "there already, and the same"),
        (result.untouched, "there already, and not touched"),
        (result.refused, "refused"),
        *((each.count, f"left out: {each.reason}") for each in result.left_out),
    )
    for number, words in counts:
        if number:
            show(f"  {number:>6,}  {words}")


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number:,} entries"


def _in_short(problems: list[Problem]) -> list[Problem]:
    """A few problems as they are; of many, each kind once, with how often it came."""
    if len(problems) <= _ONE_BY_ONE:
        return problems
    kinds = Counter(_kind(each) for each in problems)
    said: set[str] = set()
    short = []
    for each in problems:
        kind = _kind(each)
        if kind in said and each.level != "error":
            continue
        said.add(kind)
        if kinds[kind] > 1 and each.level != "error":
            more = f"{each.message} (and {kinds[kind] - 1:,} more)"
            each = msgspec.structs.replace(each, message=more)
        short.append(each)
    return short


def _kind(each: Problem) -> str:
    return f"{each.rule} {each.message.partition(':')[0] if each.rule == 'import-dropped' else ''}"


def _say_after(redirects: dict[str, str], target: Path | None, *, is_adopted: bool) -> None:
    if target:
        redirected = count(len(redirects), "redirect")
        say(f"{target} has {redirected}; they count once they are in publisher.toml:")
        say(f"`cat {quote(str(target))} >> publisher.toml`.")
    elif redirects:
        say("--redirects FILE writes their old addresses down, for publisher.toml.")
    say("Imported issues are never mailed. `publisher check` looks them over.")
    if not is_adopted:
        say("Is there an old feed? Adopt it before the first `publisher build`, with its address:")
        say("`publisher import --feed URL`.")


def _show_adoption(adoption: "Adoption") -> None:
    say_problems(_in_short(list(adoption.problems)))
    show(f"{adoption.feed}: {len(adoption.adopted):,} of {adoption.entries:,} entries are here")
    written = sum(each.is_new for each in adoption.adopted)
    show(f"  {written:>6,}  got its guid or its date now")
    say("`publisher cutover` says what feed readers would show as new.")
