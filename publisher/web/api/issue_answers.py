"""An issue's file as it is read, shown, and kept in the audit log and in git."""

from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import PurePath
from typing import Any

from sqlalchemy import Connection

from publisher.errors import PublisherError
from publisher.intake.fields import ID
from publisher.intake.read import read_issue
from publisher.model.issue import Issue
from publisher.model.problem import Problem, has_errors
from publisher.runtime.mailings import find_mailing_of_issue, find_meant
from publisher.site.git import Author, GitError, commit
from publisher.site.issue_files import find_issue
from publisher.site.plan import Reading
from publisher.site.saving import (
    Saved,
    read_saved,
)
from publisher.site.scan import signature_of
from publisher.store.errors import StoreError
from publisher.web.api.issue_forms import MEDIA_TYPES
from publisher.web.api.operation import Call, Reply, missing
from publisher.web.api.problems import ApiError, sentence


def read_issue_file(call: Call) -> Saved:
    slug = call.path["issue"]
    if not ID.fullmatch(slug) or not find_issue(call.desk.folder, slug):
        raise missing(f"There is no issue {slug[:64]}.")
    try:
        return read_saved(call.desk.folder, slug)
    except PublisherError as error:
        raise ApiError("conflict", sentence(error)) from None


def commit_file(
    call: Call, saved: Saved, action: str, status: int = 200, *, replaced: str = ""
) -> Reply:
    """Note in the audit log what was done to a file, and show the issue."""

    def change(connection: Connection) -> Reply:
        call.note(connection, action, saved.slug)
        return reply

    reply = show_issue(call, saved, status)
    call.commit(change)
    keep_in_git(call, action, *{saved.path, replaced or saved.path})
    return reply


def keep_in_git(call: Call, action: str, *paths: str) -> None:
    """Commit what was done to files, where that is wanted; what git says against it is logged."""
    desk = call.desk
    if not desk.settings.console.git:
        return
    made_by = call.bearer.token.made_by if call.bearer else ""
    author = Author(call.actor.who, made_by or parseaddr(desk.settings.email.from_)[1])
    try:
        commit(desk.folder, paths, author, f"{action.capitalize()}: {PurePath(paths[0]).stem}")
    except GitError as error:
        desk.tell(f"an issue is saved, but git did not commit it: {error}")


def show_issue(call: Call, saved: Saved, status: int = 200) -> Reply:
    issue, problems = read_issue(saved.data, saved.path, call.desk.zone)
    read = issue or Issue(slug=saved.slug, path=saved.path)
    body = _summary(call, saved, read, problems) | {
        "number": read.number,
        "summary": read.summary,
        "language": read.language,
        "tags": [tag.label for tag in read.tags],
        "highlights": [
            {
                "id": each.id,
                "title": each.title,
                "url": each.url,
                "source": each.source,
                "language": each.language,
                "tags": [tag.label for tag in each.tags],
            }
            for each in read.highlights
        ],
        "problems": problems,
        "media_type": MEDIA_TYPES[PurePath(saved.path).suffix],
        "source": saved.data.decode("utf-8", "replace"),
    }
    del body["errors"]
    headers = {"ETag": f'"{saved.version}"'}
    if status == 201:
        headers["Location"] = f"{call.url}/{saved.slug}"
    return Reply(body=body, status=status, headers=headers)


def describe_row(call: Call, slug: str, known: Mapping[str, Reading]) -> list[dict[str, Any]]:
    """An issue in a list; nothing where its file is gone since it was listed.

    `known` is what files said when they were last read, by their paths.
    """
    try:
        saved = read_saved(call.desk.folder, slug)
    except PublisherError:
        return []
    reading = known.get(saved.path)
    # Looked at after the bytes were read: they are those that it tells of.
    if reading and reading.file.signature == signature_of(call.desk.folder / saved.path):
        issue, problems = reading.issue, reading.problems
    else:
        issue, problems = read_issue(saved.data, saved.path, call.desk.zone)
    return [_summary(call, saved, issue or Issue(slug=slug, path=saved.path), problems)]


def _summary(
    call: Call, saved: Saved, issue: Issue, problems: tuple[Problem, ...]
) -> dict[str, Any]:
    with call.desk.database.read() as connection:
        mailing = find_mailing_of_issue(connection, call.publication, saved.slug, issue.id)
    return {
        "issue": saved.slug,
        "path": saved.path,
        "id": issue.id,
        "title": issue.title,
        "date": issue.date.isoformat() if issue.date else None,
        "status": issue.status,
        "mail": issue.mail,
        "highlights": len(issue.highlights),
        "errors": sum(has_errors([each]) for each in problems),
        "mailing": mailing.ref if mailing else None,
        "version": saved.version,
    }


def find_mailing_of(call: Call, slug: str) -> Any:
    """The mailing of an issue, or None; ApiError where there is no such issue."""
    try:
        return find_meant(call.desk.folder, call.desk.database, slug)
    except StoreError:
        raise
    except PublisherError:
        raise missing(f"There is no issue {slug}.") from None
