"""An operator's correction of an issue that was mailed, as tests make it."""

from datetime import UTC, datetime

from publisher.render.correction import CorrectionNote
from publisher.runtime.correcting import MailedCorrection, count_corrected, start_correction
from publisher.settings import load_settings
from publisher.site.identity import version_of
from publisher.site.message import render_published
from tests.delivery.post import NAME, Post

WRONG, RIGHT = "The ferry leaves at eight.", "The ferry leaves at nine."
NOTE = "The ferry leaves at nine, not at eight."


def write(post: Post, text: str) -> None:
    post.cli.issue(NAME, body=f"## Only {{#h{NAME}}}\n\n{text}\n")


def correct(post: Post, text: str = RIGHT, *, is_mailed: bool = True) -> MailedCorrection:
    """Edit the issue, build, and let an operator correct what was mailed."""
    write(post, text)
    assert post.cli("build").status == 0
    settings = load_settings(post.folder / "publisher.toml", {})
    now = datetime.now(UTC)
    issue = render_published(post.folder, settings, now, NAME).issue
    note = CorrectionNote(
        issue=issue,
        note=NOTE,
        at=now,
        changed=issue.highlights,
        changes_url=f"https://daily.example/issues/{NAME}/changes/",
    )
    database = post.open()
    done = start_correction(database, settings, post.folder, note, now, is_mailed=is_mailed)
    database.close()
    return done


def count(post: Post) -> int:
    """How many a correction to the issue as it reads now would go to."""
    settings = load_settings(post.folder / "publisher.toml", {})
    now = datetime.now(UTC)
    issue = render_published(post.folder, settings, now, NAME).issue
    database = post.open()
    try:
        return count_corrected(database, issue.id, version_of(issue), now)
    finally:
        database.close()
