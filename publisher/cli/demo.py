"""demo: the whole main job on the sample issues."""

import secrets
import shutil
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path

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
from publisher.errors import PublisherError
from publisher.message.compose import Letter, compose
from publisher.message.links import sign_token
from publisher.render.email import fill_slots
from publisher.settings import FILE_NAME, Settings
from publisher.site.build import build
from publisher.site.job import Job, Report
from publisher.site.message import IssueMessage, render_newest_message
from publisher.site.output_folder import require_output
from publisher.site.scan import ISSUES, MEDIA, packaged

COPY = "publisher-demo"
OUTBOX = "demo"
READERS = (
    "Ada Byron <ada@reader.example>",
    "李明 <li.ming@reader.example>",
    "سلمى حداد <salma@reader.example>",
)


def demo_command(json: Json = False) -> int:
    """Try it all out: build the sample publication, and write what its readers would get.

    It works on a copy of its own in publisher-demo/, in the folder where you are;
    your own publication and its readers are not touched. Nothing is sent to anybody.

    \b
    Examples:
      publisher demo
    """
    folder, settings = _open_sample()
    now = datetime.now(UTC)
    report = _build(folder, settings, now)
    message = render_newest_message(folder, settings, now)
    letters = _write_letters(folder / OUTBOX, settings, message, now)
    if json:
        print_json({"issue": message.slug, "issues": report.issues, "messages": letters})
    else:
        _show(folder, message.slug, letters, report)
    return 0


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


def _write_letters(
    outbox: Path, settings: Settings, message: IssueMessage, now: datetime
) -> list[Path]:
    """Write each sample reader's finished message, in place of those of an earlier demo."""
    shutil.rmtree(outbox, ignore_errors=True)
    outbox.mkdir()
    key = secrets.token_bytes(32)
    paths = []
    for reader in READERS:
        letter = _write_letter(settings, message, reader, now, key)
        name = parseaddr(reader)[1].partition("@")[0]
        paths.append(outbox / f"{message.slug}-{name}.eml")
        paths[-1].write_bytes(compose(letter))
    return paths


def _write_letter(
    settings: Settings, message: IssueMessage, reader: str, now: datetime, key: bytes
) -> Letter:
    """The finished message of one reader, with a link of their own to leave."""
    who = parseaddr(reader)[1].partition("@")[0]
    token = sign_token("unsubscribe", who, 1, key)
    url = f"{settings.web_url}/unsubscribe/{token}"
    domain = parseaddr(settings.email.from_)[1].rpartition("@")[2]
    return Letter(
        sender=settings.email.from_,
        recipient=reader,
        reply_to=settings.email.reply_to,
        subject=message.rendered.subject,
        html=fill_slots(message.rendered.html, url),
        text=fill_slots(message.rendered.text, url),
        date=now,
        message_id=f"<{message.slug}.{secrets.token_hex(8)}@{domain}>",
        list_id=settings.email.list_id or domain,
        unsubscribe_url=url,
        language=message.language,
    )


def _show(folder: Path, slug: str, letters: list[Path], report: Report) -> None:
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
    show("What each sample reader would get; open these in a mail program:")
    for letter in letters:
        show(f"  {letter}")
    go = "" if folder == Path.cwd() else f"cd {folder.name}, then "
    say(f"To see it as readers do: {go}publisher preview")
