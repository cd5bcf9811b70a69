"""cutover: how a move looks to those who follow the feed so far."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    open_publication,
    print_json,
    say,
    show,
)
from publisher.errors import PublisherError
from publisher.intake.moving.post import DamagedError
from publisher.preflight.cutover import Cutover, foresee_cutover
from publisher.preflight.feed_readers.documents import Document, NotAFeed, read_document
from publisher.runtime.fetching import fetch, name_agent
from publisher.site.exports import open_export
from publisher.site.feeds_ahead import make_feeds


def cutover_command(
    feed: Annotated[
        str, typer.Argument(metavar="URL-or-FILE", help="The feed that readers follow so far.")
    ],
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Say which entries feed readers would show as new, if they came here from another feed.

    Models of nine readers, by the rules of their sources, subscribe to the old feed and
    then find the one that a build would make now. Nothing is built or published.

    \b
    Examples:
      publisher cutover https://daily.example/feed
      publisher cutover old-feed.xml
    """
    folder, settings = open_publication(config)
    body = _load(feed, settings.as_publication().url)
    now = datetime.now(UTC)
    try:
        found = foresee_cutover(body, make_feeds(folder, settings, now), feed, now)
    except NotAFeed as error:
        raise PublisherError(f"{feed} is no feed that can be read: {error}") from None
    if json:
        print_json({"old": feed, "feeds": found})
        return 0
    for place, each in enumerate(found):
        _show_cutover(each, is_best=not place)
    _say_next(feed, found)
    return 0


def _show_cutover(found: Cutover, *, is_best: bool) -> None:
    show(f"{found.feed}: {found.new:,} of {found.entries:,} entries would look new")
    if not is_best:  # it is of other things, most often: its figures alarm, and mean nothing
        return
    for reader in found.readers:
        more = f", {reader.updated:,} changed" if reader.updated else ""
        show(f"  {reader.reader:<12} {reader.new:>4,} new{more}")
    for surprise in found.surprises:
        show(f"  {surprise.title}: {surprise.reason} ({', '.join(surprise.readers)})")


def _say_next(feed: str, found: tuple[Cutover, ...]) -> None:
    if not found:
        return
    if any(reader.updated for reader in found[0].readers):
        say("What has changed is shown in its place, as read, unless a reader was set otherwise.")
    say(f"The old feed goes on as {found[0].feed}: only its figures count.")
    path = urlsplit(feed).path if _is_url(feed) else ""
    if path.strip("/"):
        say("To serve it at the old address, write into publisher.toml:")
        say("  [feeds.aliases]")
        say(f'  "{path}" = "{found[0].feed}"')


def _is_url(name: str) -> bool:
    return name.lower().startswith(("http://", "https://"))


def read_feed(feed: str, agent_url: str) -> Document:
    """The feed at a URL or in a file. Raises PublisherError where there is none."""
    try:
        return read_document(_load(feed, agent_url))
    except NotAFeed as error:
        raise PublisherError(f"{feed} is no feed that can be read: {error}") from None


def _load(feed: str, agent_url: str) -> bytes:
    """A feed's bytes: fetched politely, and never out of a private network; or a file's."""
    if not _is_url(feed):
        try:
            export = open_export(Path(feed), feed)
            if export.paths == (feed,):
                return export.read(feed)
        except DamagedError as error:
            raise PublisherError(f"{feed} cannot be read: {error}") from None
        raise PublisherError(f"{feed} is a folder or an archive, not a feed")
    fetched = fetch(feed, agent=name_agent(agent_url))
    if fetched.fault:
        raise PublisherError(
            f"{feed} was not fetched: {fetched.fault}. A browser can save it; then name the file"
        )
    return fetched.body
