"""draft: an issue of what sources have that is new."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

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
    show,
)
from publisher.errors import PublisherError
from publisher.runtime.drafting import Draft, Drafting, SourceReport, draft
from publisher.settings import Duration, Settings

# Entries that are not in the draft, and why.
_LEFT_OUT = (
    ("folded", "told by another source too"),
    ("known", "in an issue already"),
    ("too_old", "too old"),
    ("left_over", "more than wanted"),
    ("unusable", "without a link or a title"),
)


def draft_command(
    origin: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="WHERE",
            help="A list of feeds (OPML), or one feed: a file, or a URL; where it is left out,"
            " sources.file.",
        ),
    ] = "",
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="How far back, such as 24h; where it is left out, sources.since."
        ),
    ] = "",
    date: Annotated[
        str,
        typer.Option(
            metavar="D", help="The issue's day (2025-12-15) or time; where it is left out, now."
        ),
    ] = "",
    most: Annotated[
        str,
        typer.Option(
            "--max",
            metavar="N",
            help="At most so many highlights, 0 for all; where it is left out, sources.max.",
        ),
    ] = "",
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Draft an issue of what other sites' feeds have that is new.

    It reads RSS, Atom and JSON feeds and writes a highlight for each story: title,
    link, source, and its first sentences in the source's own words. What several
    sources tell is one highlight that names them all; what an issue or a draft
    links to already is left out. It is a draft: nobody sees it until you have
    pruned it and written `status: ready` in it.

    \b
    Examples:
      publisher draft
      publisher draft --from sources.opml --since 24h
      publisher draft --from https://news.example/feed.xml --since 2d --max 10
    """
    folder, settings = open_publication(config)
    progress = ProgressLine()
    try:
        drafted = draft(
            Drafting(
                folder=folder,
                settings=settings,
                now=datetime.now(UTC),
                origin=origin or settings.sources.file,
                base=Path.cwd() if origin else folder,
                since=_read_since(since, settings),
                most=_read_most(most, settings),
                date=date,
            ),
            progress,
        )
    finally:
        progress.close()
    if json:
        print_json(drafted)
    else:
        _show_draft(drafted)
    return 2 if drafted.is_unread else 0


def _read_since(text: str, settings: Settings) -> Duration:
    try:
        return Duration.parse(text) if text else settings.sources.since
    except ValueError as error:
        raise PublisherError(f"--since takes {error}, not {text!r}") from None


def _read_most(text: str, settings: Settings) -> int:
    if not text:
        return settings.sources.max
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise PublisherError(f"--max takes a number such as 20, or 0 for all, not {text!r}")
    return int(text)


def _show_draft(drafted: Draft) -> None:
    """The draft is the result; how each source fared is said beside it."""
    for note in drafted.notes:
        say(note)
    for source in drafted.sources:
        _say_source(source)
    if drafted.path is None:
        say(_explain_nothing(drafted))
        return
    show(f"{drafted.path}: {count(len(drafted.highlights), 'highlight')}")
    for place, highlight in enumerate(drafted.highlights, 1):
        names = ", ".join((highlight.source, *(each.source for each in highlight.also)))
        show(f"  {place}. {highlight.title} ({names})")
    say("It is a draft: prune it, read it over with `publisher preview`, then write")
    say("`status: ready` at the top.")


def _say_source(source: SourceReport) -> None:
    reason = f" ({source.reason})" if source.reason else ""
    if source.status in ("failed", "gone"):
        say(f"{source.name}: {source.status}: {source.reason}")
        return
    parts = [f"{getattr(source, name):,} {words}" for name, words in _LEFT_OUT]
    left_out = ", ".join(part for part in parts if not part.startswith("0 "))
    entries = "1 entry" if source.entries == 1 else f"{source.entries:,} entries"
    said = f"{source.taken:,} of {entries} taken"
    say(f"{source.name}: {source.status}{reason}: {said}{f'; {left_out}' if left_out else ''}")


def _explain_nothing(drafted: Draft) -> str:
    if drafted.is_unread:
        return "No source could be read, and nothing was written."
    since = f"{drafted.since:%Y-%m-%d %H:%M} UTC"
    return f"Nothing is new since {since}, and nothing was written; --since looks further back."
