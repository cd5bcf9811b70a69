"""bounces: what came back, read and acted on."""

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    count,
    open_publication,
    print_json,
    say,
    show,
)
from publisher.cli.store import open_store
from publisher.errors import PublisherError
from publisher.inbound.imap import SCHEMES, parse_mailbox, read_imap
from publisher.inbound.receive import Received, Result, Secrets, receive
from publisher.inbound.source import Arrived, read_maildir, read_stream
from publisher.runtime.returning import load_secrets
from publisher.settings import Settings
from publisher.store.database import Database

_PLACE = typer.Argument(
    metavar="FILE", help="A message, an mbox, a Maildir, imaps://USER@HOST/INBOX, or - for stdin."
)
_WORDS: dict[Result, str] = {
    "bounce": "the mailbox is dead; nothing more is sent there",
    "soft": "it did not arrive; counted",
    "complaint": "a complaint; nothing more is sent there",
    "unsubscribed": "unsubscribed",
    "proven": "a delivery in doubt was made",
    "ignored": "ignored",
    "rejected": "rejected",
}


def bounces_command(
    place: Annotated[str, _PLACE] = "", config: Config = DEFAULT_CONFIG, json: Json = False
) -> int:
    """Read what came back: bounces, complaints, and mails that ask to unsubscribe.

    Where nothing is named, inbound.url of the settings is read, or else standard
    input. What is read in a Maildir or by IMAP is marked as seen there. Only what
    names a delivery of yours by a secret of its message counts, and once.

    \b
    Examples:
      publisher bounces < message.eml
      publisher bounces /var/mail/bounces
      publisher bounces Maildir/
      publisher bounces imaps://bounces@mail.daily.example/INBOX
    """
    folder, settings = open_publication(config)
    arriving = _open(place or settings.inbound.url or "-", settings)
    counts: Counter[str] = Counter()
    rejected: list[dict[str, str]] = []
    with open_store(folder, settings) as database:
        secrets = load_secrets(database, settings)
        for arrived in arriving:
            received = _receive(database, arrived, secrets)
            say(_line(arrived, received))
            counts[received.result] += 1
            if received.result == "rejected":
                rejected.append({"message": arrived.name, "reason": received.why})
    _show(counts, rejected, json)
    return 0


def _open(place: str, settings: Settings) -> Iterator[Arrived]:
    """What arrived at a place. Raises PublisherError where there is no such place."""
    if place == "-":
        return read_stream(_stdin(), "standard input")
    if place.partition("://")[0].lower() in SCHEMES and "://" in place:
        return read_imap(parse_mailbox(place), settings.inbound.password)
    path = Path(place)
    if path.is_dir():
        return read_maildir(path)
    if not path.exists():
        raise PublisherError(f"there is no {place} here (looked for in {Path.cwd()})")
    return _read_file(path)


def _read_file(path: Path) -> Iterator[Arrived]:
    with path.open("rb") as file:
        yield from read_stream(file, path.name)


def _stdin() -> BinaryIO:
    if sys.stdin is None or sys.stdin.isatty():
        raise PublisherError(
            "there is no message on standard input; name a file, a Maildir or imaps://USER@HOST/"
        )
    return sys.stdin.buffer


def _receive(database: Database, arrived: Arrived, secrets: Secrets) -> Received:
    if arrived.fault:
        return Received(result="rejected", why=arrived.fault)
    received = receive(database, arrived.data, secrets, datetime.now(UTC))
    arrived.finish()
    return received


def _line(arrived: Arrived, received: Received) -> str:
    """One line about a message; addresses are for a terminal only, not for its log."""
    is_why_told = received.result in ("ignored", "rejected")
    words = _WORDS[received.result] + (f": {received.why}" if is_why_told else "")
    who = received.email if sys.stderr is not None and sys.stderr.isatty() else ""
    about = ", ".join(filter(None, (who, received.slug)))
    return f"{arrived.name}: {words}{f' ({about})' if about else ''}"


def _show(counts: Counter[str], rejected: list[dict[str, str]], json: bool) -> None:
    if json:
        print_json(
            {
                "messages": counts.total(),
                "bounces": counts["bounce"],
                "soft": counts["soft"],
                "complaints": counts["complaint"],
                "unsubscribed": counts["unsubscribed"],
                "ignored": counts["ignored"],
                "rejected": rejected,
            }
        )
        return
    show(
        f"{count(counts.total(), 'message')}: {count(counts['bounce'], 'bounce')},"
        f" {counts['soft']:,} soft, {count(counts['complaint'], 'complaint')},"
        f" {counts['unsubscribed']:,} unsubscribed, {counts['ignored']:,} ignored,"
        f" {counts['rejected']:,} rejected"
    )
