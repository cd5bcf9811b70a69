"""An operator's correction of an issue that was mailed, as tests make it."""

from datetime import UTC, datetime

from publisher.cli.site import build_site
from publisher.runtime.correcting import MailedCorrection, count_corrected, start_correction
from publisher.settings import load_settings
from publisher.site.correct import plan_correction, recall_correction
from tests.delivery.post import NAME, Post

WRONG, RIGHT = "The ferry leaves at eight.", "The ferry leaves at nine."
NOTE = "The ferry leaves at nine, not at eight."


def write(post: Post, text: str) -> None:
    post.cli.issue(NAME, body=f"## Only {{#h{NAME}}}\n\n{text}\n")


def correct(post: Post, text: str = RIGHT, *, is_mailed: bool = True) -> MailedCorrection:
    """Edit the issue, note it and build, and let what was mailed be corrected."""
    write(post, text)
    return note(post, is_mailed=is_mailed)


def note(post: Post, *, is_mailed: bool = True) -> MailedCorrection:
    """Note what was edited, build, and let what was mailed be corrected."""
    settings = load_settings(post.folder / "publisher.toml", {})
    planned = plan_correction(post.folder, settings, datetime.now(UTC), NAME, NOTE)
    assert not build_site(post.folder, settings, post.folder / "public", planned.lines).is_refused
    return mail_again(post, is_mailed=is_mailed)


def mail_again(post: Post, *, is_mailed: bool = True) -> MailedCorrection:
    """Mail the correction that was made last, as after a crash behind its build."""
    settings = load_settings(post.folder / "publisher.toml", {})
    now = datetime.now(UTC)
    corrected = recall_correction(post.folder, settings, now, NAME)
    assert corrected is not None
    database = post.open()
    try:
        return start_correction(
            database, settings, post.folder, corrected, now, is_mailed=is_mailed
        )
    finally:
        database.close()


def count(post: Post) -> int:
    """How many the correction that was made last would go to."""
    settings = load_settings(post.folder / "publisher.toml", {})
    now = datetime.now(UTC)
    corrected = recall_correction(post.folder, settings, now, NAME)
    assert corrected is not None
    database = post.open()
    try:
        return count_corrected(database, corrected.issue, corrected.after, now, corrected.concerned)
    finally:
        database.close()
