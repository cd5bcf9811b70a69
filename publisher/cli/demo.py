"""demo: the whole main job on the sample issues."""

import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path

from publisher.cli.output import DEFAULT_CONFIG, Json, count, open_publication, print_json, say
from publisher.errors import PublisherError
from publisher.message.compose import Letter, compose
from publisher.message.links import sign_token
from publisher.render.email import RenderedMessage, fill_slots
from publisher.settings import FILE_NAME, Settings
from publisher.site.build import build
from publisher.site.job import Job
from publisher.site.message import render_newest_message
from publisher.site.scan import packaged

OUTBOX = "demo"
READERS = (
    "Ada Byron <ada@reader.example>",
    "李明 <li.ming@reader.example>",
    "سلمى حداد <salma@reader.example>",
)


def demo_command(json: Json = False) -> int:
    folder, settings = open_publication(_sample_settings())
    now = datetime.now(UTC)
    report = build(Job(folder=folder, settings=settings, output=folder / "public", now=now))
    if report.is_refused:
        raise PublisherError("the issues here have errors; `publisher check` names them")
    slug, message = render_newest_message(folder, settings, now)
    outbox = folder / OUTBOX
    shutil.rmtree(outbox, ignore_errors=True)
    outbox.mkdir()
    key = secrets.token_bytes(32)
    letters = [_write_letter(outbox, settings, slug, message, r, now, key) for r in READERS]
    if json:
        print_json({"issue": slug, "issues": report.issues, "messages": letters})
        return 0
    _show(folder, slug, letters, report.issues, report.highlights)
    return 0


def _sample_settings() -> Path:
    """The publication here, or else a copy of the sample that came with the program."""
    if DEFAULT_CONFIG.exists():
        return DEFAULT_CONFIG
    sample, copy = packaged("sample"), Path("publisher-demo")
    if not copy.exists():
        (copy / "issues").mkdir(parents=True)
        for path in (FILE_NAME, *(f"issues/{p.name}" for p in (sample / "issues").iterdir())):
            shutil.copyfile(sample / path, copy / path)
    return copy / FILE_NAME


def _write_letter(
    outbox: Path,
    settings: Settings,
    slug: str,
    message: RenderedMessage,
    reader: str,
    now: datetime,
    key: bytes,
) -> Path:
    local = reader.rpartition("<")[2].partition("@")[0]
    url = f"{settings.web_url}/unsubscribe/{sign_token('unsubscribe', local, 1, key)}"
    domain = settings.email.from_.rpartition("@")[2].rstrip("> ")
    letter = Letter(
        sender=settings.email.from_,
        recipient=reader,
        subject=message.subject,
        html=fill_slots(message.html, url),
        text=fill_slots(message.text, url),
        date=now,
        message_id=f"<{slug}.{secrets.token_hex(8)}@{domain}>",
        list_id=settings.email.list_id or domain,
        unsubscribe_url=url,
        language=settings.publication.language,
    )
    path = outbox / f"{slug}-{local}.eml"
    path.write_bytes(compose(letter))
    return path


def _show(folder: Path, slug: str, letters: list[Path], issues: int, highlights: int) -> None:
    public = folder / "public"
    print(f"Built {count(issues, 'issue')} with {count(highlights, 'highlight')}. Look at:")
    for what, path in (
        ("the site", public / "index.html"),
        ("the newest issue", public / "issues" / slug / "index.html"),
        ("its message", public / "issues" / slug / "email.html"),
        ("its plain-text part", public / "issues" / slug / "email.txt"),
        ("the feeds", public / "feed.atom"),
    ):
        print(f"  {what + ':':<21}{path}")
    print("Each sample reader's finished message, with a link of their own to leave:")
    for path in letters:
        print(f"  {path}")
    say("To see it as readers do, with live reload: publisher preview")
