"""Issues: as files that programs read, make, replace, mark ready and remove; and their problems."""

from pathlib import PurePath
from typing import Any

from sqlalchemy import Connection

from publisher.errors import PublisherError
from publisher.intake.fields import ID
from publisher.runtime.mailings import describe
from publisher.runtime.preparing import ContentError, prepare, require_due
from publisher.site.check import check
from publisher.site.saving import (
    mark_ready,
    remove_draft,
    replace_issue,
)
from publisher.site.scan import scan_issues
from publisher.store.errors import StoreError
from publisher.store.mailings import count_deliveries
from publisher.store.variants import count_audience
from publisher.web.api import examples
from publisher.web.api.cursors import Pages
from publisher.web.api.issue_answers import (
    commit_file,
    describe_row,
    find_mailing_of,
    keep_in_git,
    read_issue_file,
    show_issue,
)
from publisher.web.api.issue_forms import (
    FORMS,
    MEDIA_TYPES,
    RAW,
    Making,
    create_written,
    expected_version,
    explained,
    form_of,
    import_new,
    import_over,
)
from publisher.web.api.operation import Call, Operation, Reply
from publisher.web.api.problems import ApiError, sentence
from publisher.web.api.shapes import DryRun, IssueAnswer, Issues, Problems
from publisher.web.console.issues import ReadFolder


def list_issues(call: Call) -> Reply:
    """List the issues, those with the latest NAMEs first.

    Drafts too. NAMEs are days in most publications, so that this is the newest first.
    """
    after = call.place.read()
    files = [file for file in scan_issues(call.desk.folder) if not file.problem]
    slugs = sorted({PurePath(file.path).stem for file in files}, reverse=True)
    wanted = [slug for slug in slugs if ID.fullmatch(slug) and (not after or slug < after)]
    first = set(wanted[: call.query.limit + 1])
    paths = [file.path for file in files if PurePath(file.path).stem in first]
    known = ReadFolder(call.desk).find_readings(paths)
    rows: list[dict[str, Any]] = []
    for slug in wanted:
        if len(rows) > call.query.limit:
            break
        rows += describe_row(call, slug, known)
    return call.page("issues", rows, lambda row: row["issue"])


def get_issue(call: Call) -> Reply:
    """Get an issue: as it is written, as it is read, and what is wrong with it.

    ETag is its version, which a change names in If-Match.
    """
    return show_issue(call, read_issue_file(call))


def create(call: Call) -> Reply:
    """Make an issue from Markdown, YAML or JSON, or from a digest.

    Ids are minted where there are none. What has errors is refused with its problems, and nothing
    is written. A draft, unless it says `status: ready`, which publishes it with the next build.
    """
    suffix = FORMS[form_of(call)]
    with explained():
        saved = create_written(call, suffix) if suffix else import_new(call)
    return commit_file(call, saved, "issue created", 201)


def replace(call: Call) -> Reply:
    """Replace an issue, as it was looked at: its version stands in If-Match.

    In any of the forms. With a digest, highlights whose titles match keep their ids, and what a
    digest does not say stays.
    """
    suffix, name = FORMS[form_of(call)], call.path["issue"]
    before = read_issue_file(call)
    with explained():
        if not suffix:
            saved = import_over(call, before)
        else:
            if MEDIA_TYPES[PurePath(before.path).suffix] == form_of(call):
                suffix = PurePath(before.path).suffix
            saved = replace_issue(
                call.desk.folder,
                name,
                suffix,
                call.body,
                call.desk.zone,
                expected=expected_version(call),
            )
    return commit_file(call, saved, "issue saved", replaced=before.path)


def delete(call: Call) -> Reply:
    """Remove a draft that was never published, as it was looked at.

    What was published is taken back with `publisher withdraw`.
    """
    read_issue_file(call)
    _require_unsent(call)
    with explained():
        saved = remove_draft(
            call.desk.folder, call.path["issue"], call.desk.zone, expected=expected_version(call)
        )

    def change(connection: Connection) -> Reply:
        call.note(connection, "issue deleted", saved.slug)
        return Reply(status=204)

    reply = call.commit(change)
    keep_in_git(call, "issue deleted", saved.path)
    return reply


def ready(call: Call) -> Reply:
    """Mark an issue ready, as it was looked at, and leave the rest of it as it is.

    The next build publishes it once its date has come, and a schedule may send it.
    """
    read_issue_file(call)
    with explained():
        saved = mark_ready(
            call.desk.folder, call.path["issue"], call.desk.zone, expected=expected_version(call)
        )
    return commit_file(call, saved, "issue marked ready")


def check_issue(call: Call) -> Reply:
    """Find everything that is wrong with an issue, its pages and its message, as `check` does."""
    read_issue_file(call)
    return _check(call, (call.path["issue"],))


def check_all(call: Call) -> Reply:
    """Find everything that is wrong with the publication, as `publisher check` does."""
    return _check(call, ())


def dry_run(call: Call) -> Reply:
    """Say what sending an issue now would send, and to how many.

    Its digest is what the creation of a mailing can be held to.
    """
    desk, slug = call.desk, call.path["issue"]
    meant = find_mailing_of(call, slug)
    document = describe(desk.database, meant, slug)
    if meant is not None:
        with desk.database.read() as connection:
            recipients = count_deliveries(connection, meant).open
        return Reply(body=document | {"recipients": recipients})
    require_due_issue(call, slug)
    prepared = prepare(desk.folder, desk.settings, call.now, slug)
    if prepared.message is None:
        raise ApiError("content", f"{slug} has errors.", problems=prepared.problems)
    digest = prepared.digest(desk.settings)
    with desk.database.read() as connection:
        variants = prepared.variants(desk.settings)
        recipients = count_audience(connection, call.publication, variants, call.now).total
    return Reply(body=document | {"digest": digest, "recipients": recipients})


def require_due_issue(call: Call, slug: str) -> None:
    """Raise ApiError for an issue that is not meant to go out, or not yet."""
    try:
        require_due(call.desk.folder, call.desk.settings, call.now, slug)
    except StoreError:
        raise
    except PublisherError as error:
        kind = "content" if isinstance(error, ContentError) else "conflict"
        raise ApiError(kind, sentence(error)) from None


def _check(call: Call, names: tuple[str, ...]) -> Reply:
    problems = check(call.desk.folder, call.desk.settings, call.now, names)
    return Reply(body={"problems": problems})


def _require_unsent(call: Call) -> None:
    if mailing := find_mailing_of(call, call.path["issue"]):
        raise ApiError("conflict", f"It was sent: its mailing is {mailing.ref}.")


_PATH = "/issues/{issue}"

operations = [
    Operation(
        method="GET",
        path="/issues",
        handle=list_issues,
        query=Pages,
        returns=Issues,
        example=examples.ISSUES,
    ),
    Operation(
        method="POST",
        path="/issues",
        handle=create,
        query=Making,
        raw=RAW,
        returns=IssueAnswer,
        status=201,
        problems=("exists", "content", "unsupported-media-type", "too-large", "invalid"),
        example=examples.ISSUE,
    ),
    Operation(
        method="GET",
        path=_PATH,
        handle=get_issue,
        returns=IssueAnswer,
        problems=("not-found", "conflict"),
        example=examples.ISSUE,
    ),
    Operation(
        method="PUT",
        path=_PATH,
        handle=replace,
        raw=RAW,
        returns=IssueAnswer,
        problems=(
            *("not-found", "conflict", "changed", "precondition-required", "content"),
            *("unsupported-media-type", "too-large"),
        ),
        example=examples.ISSUE,
        is_matching=True,
    ),
    Operation(
        method="DELETE",
        path=_PATH,
        handle=delete,
        status=204,
        problems=("not-found", "conflict", "changed", "precondition-required"),
        is_matching=True,
    ),
    Operation(
        method="POST",
        path=f"{_PATH}/ready",
        handle=ready,
        returns=IssueAnswer,
        problems=("not-found", "conflict", "changed", "precondition-required", "content"),
        example=examples.ISSUE,
        is_matching=True,
    ),
    Operation(
        method="GET",
        path=f"{_PATH}/check",
        handle=check_issue,
        returns=Problems,
        problems=("not-found", "conflict"),
        example=examples.PROBLEMS,
        is_slow=True,
    ),
    Operation(
        method="GET",
        path="/check",
        handle=check_all,
        returns=Problems,
        example=examples.PROBLEMS,
        is_slow=True,
    ),
    Operation(
        method="GET",
        path=f"{_PATH}/dry-run",
        handle=dry_run,
        returns=DryRun,
        problems=("not-found", "conflict", "content"),
        example=examples.DRY_RUN,
        is_slow=True,
    ),
]
