"""An issue's file as somebody writes it in the console: saved as it stands, errors and all."""

from contextlib import suppress
from pathlib import Path

from publisher.errors import PublisherError
from publisher.intake.ids import mint_ids
from publisher.intake.text import MAX_BYTES, line_end_of
from publisher.intake.tree import TreeError
from publisher.model.issue import Status
from publisher.site.identity import mint_id
from publisher.site.issue_files import find_issue
from publisher.site.replace import write_file
from publisher.site.saving import Saved, hold_issues, read_saved, require_version, version_of
from publisher.site.scan import ISSUES

_MARK = "\ufeff"


def text_of_file(data: bytes) -> str | None:
    """What an editor shows of a file; None where it is no UTF-8 text, or too long."""
    if len(data) > MAX_BYTES:
        return None
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        return None


def bytes_of_text(text: str, before: bytes) -> bytes:
    """A text from a form as the file's bytes, its lines ended and its beginning marked as before.

    What is in no line that was changed stays as it was: forms send CRLF, and change nothing else.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    old = before.decode("utf-8", "replace")
    mark = _MARK if old.startswith(_MARK) else ""
    line_end = line_end_of(old) if old else "\n"
    return (mark + text.replace("\n", line_end)).encode("utf-8", "replace")


def save_text(
    folder: Path, name: str, text: str, *, expected: str, status: Status | None = None
) -> Saved:
    """Write an issue's text as it is, with ids where highlights have none, and perhaps a status.

    Raises ChangedError where the file's version is not `expected`.
    """
    with hold_issues(folder):
        before = read_saved(folder, name)
        require_version(before, expected)
        data = complete(bytes_of_text(text, before.data), before.path, status)
        if data != before.data:
            write_file(folder, before.path, data)
        return Saved(before.path, data, version_of(data))


def restore_text(folder: Path, slug: str, suffix: str, text: str) -> Saved:
    """Write an issue whose file somebody has removed while it was being edited."""
    with hold_issues(folder):
        if existing := find_issue(folder, slug):
            raise PublisherError(f"{existing} is there again")
        path = f"{ISSUES}/{slug}{suffix}"
        data = complete(bytes_of_text(text, b""), path)
        write_file(folder, path, data)
        return Saved(path, data, version_of(data))


def complete(data: bytes, path: str, status: Status | None = None) -> bytes:
    """Write in what the text lacks; a text that cannot be read stays as it is."""
    fields = {"status": status} if status else None
    with suppress(TreeError):  # it is among the problems, with its line
        return mint_ids(data, path, mint_id, fields=fields).data
    return data
