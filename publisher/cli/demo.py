"""demo: the whole main job on the sample issues."""

import secrets
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path
from threading import Event

import msgspec

from publisher.audience.address import parse_address
from publisher.audience.subscribing import subscribe
from publisher.cli.output import (
    DEFAULT_CONFIG,
    Json,
    ProgressLine,
    count,
    open_publication,
    print_json,
    say,
    say_problems,
    show,
)
from publisher.cli.store import open_store
from publisher.errors import PublisherError
from publisher.model.delivery import Counts
from publisher.runtime.issue_mailing import start_issue
from publisher.runtime.mailbox import HOST, Arrived, open_mailbox
from publisher.runtime.sending import Delivering, send
from publisher.runtime.start import freeze_issue, make_ref
from publisher.settings import FILE_NAME, Database, Settings, Smtp
from publisher.site.build import build
from publisher.site.job import Job, Report
from publisher.site.message import find_newest, render_published
from publisher.site.output_folder import require_output
from publisher.site.scan import ISSUES, MEDIA, packaged
from publisher.store.database import Database as Store
from publisher.store.keys import require_key
from publisher.store.mailings import count_deliveries

COPY = "publisher-demo"
OUTBOX = "demo"
READERS = (
    "Ada Byron <ada@reader.example>",
    "李明 <li.ming@reader.example>",
    "سلمى حداد <salma@reader.example>",
)


def demo_command(json: Json = False) -> int:
    """Try it all out: build the sample publication, and send it to sample readers.

    It works on a copy of its own in publisher-demo/, in the folder where you are;
    your own publication and its readers are not touched. A mail server of its own
    takes the messages, on this machine alone: nobody else gets anything.

    \b
    Examples:
      publisher demo
    """
    folder, settings = _open_sample()
    now = datetime.now(UTC)
    report = _build(folder, settings, now)
    slug = find_newest(folder, settings, now)
    outbox = folder / OUTBOX
    shutil.rmtree(outbox, ignore_errors=True)
    outbox.mkdir()
    with open_mailbox() as mailbox:
        settings = _with_own_mail(settings, mailbox.port)
        with open_store(folder, settings) as database:
            counts = _send(folder, settings, database, slug)
    letters = _write_letters(outbox, slug, mailbox.arrived)
    if json:
        document = {"issue": slug, "issues": report.issues, "messages": letters}
        print_json(document | {"counts": counts})
    else:
        _show(folder, slug, letters, report, counts)
    return 0


def _with_own_mail(settings: Settings, port: int) -> Settings:
    """The sample's settings with a mail server and a database of the demo's own."""
    relay = Smtp(host=HOST, port=port, security="none")
    return msgspec.structs.replace(
        settings, smtp=(relay,), database=Database(url=f"sqlite:///{OUTBOX}/readers.db")
    )


def _send(folder: Path, settings: Settings, database: Store, slug: str) -> Counts:
    """Subscribe the sample readers and send them the newest issue, as `send` does."""
    now = datetime.now(UTC)
    with database.write() as connection:
        secret = require_key(connection, "address-key", secrets.token_bytes)
        for reader in READERS:
            name, email = parseaddr(reader)
            subscribe(
                connection,
                database.publication,
                parse_address(email),
                name,
                secret=secret,
                ref=make_ref(),
                at=now,
                source="operator",
                action="vouched",
            )
    message = render_published(folder, settings, now, slug)
    mailing = start_issue(database, settings, message, freeze_issue(message, settings), now)
    delivering = Delivering(database=database, settings=settings, folder=folder, stop=Event())
    send(delivering, mailing.id, lambda mailing, counts: None)
    with database.read() as connection:
        return count_deliveries(connection, mailing)


def _open_sample() -> tuple[Path, Settings]:
    """The sample publication: here in a checkout, else a copy of it below this folder."""
    sample = packaged("sample")
    here = Path.cwd()
    own = here / FILE_NAME
    if own.exists() and own.read_bytes() == (sample / FILE_NAME).read_bytes():
        return open_publication(DEFAULT_CONFIG)
    copy = here / COPY
    if not (copy / FILE_NAME).exists():
        if copy.exists():
            raise PublisherError(f"{copy} is in the way of the demo; move it, or go elsewhere")
        for name in (ISSUES, MEDIA):
            if (sample / name).is_dir():
                shutil.copytree(sample / name, copy / name)
        shutil.copyfile(sample / FILE_NAME, copy / FILE_NAME)
    return open_publication(copy / FILE_NAME)


def _build(folder: Path, settings: Settings, now: datetime) -> Report:
    progress = ProgressLine()
    output = folder / "public"
    job = Job(folder=folder, settings=settings, output=output, now=now, progress=progress)
    require_output(job)
    try:
        report = build(job)
    finally:
        progress.close()
    if report.is_refused:
        say_problems(report.problems)
        raise PublisherError(
            f"the sample in {folder} was changed and has errors now, as said above"
        )
    return report


def _write_letters(outbox: Path, slug: str, arrived: Sequence[Arrived]) -> list[Path]:
    """Write what arrived, as mail programs open it."""
    paths = []
    for each in sorted(arrived, key=lambda each: each.recipient):
        paths.append(outbox / f"{slug}-{each.recipient.partition('@')[0]}.eml")
        paths[-1].write_bytes(each.data)
    return paths


def _show(folder: Path, slug: str, letters: list[Path], report: Report, counts: Counts) -> None:
    public = folder / "public"
    highlights = count(report.highlights, "highlight")
    show(f"Built {count(report.issues, 'issue')} with {highlights}. Open in a browser:")
    for what, path in (
        ("the site", public / "index.html"),
        ("the newest issue", public / "issues" / slug / "index.html"),
        ("its message", public / "issues" / slug / "email.html"),
        ("its plain text", public / "issues" / slug / "email.txt"),
        ("a feed", public / "feed.atom"),
    ):
        show(f"  {what + ':':<18}{path}")
    show(f"Sent {slug} to {count(counts.sent, 'sample reader')} by a mail server on this machine.")
    show("What arrived; open these in a mail program:")
    for letter in letters:
        show(f"  {letter}")
    go = "" if folder == Path.cwd() else f"cd {folder.name}, then "
    say(f"To see it as readers do: {go}publisher preview")
