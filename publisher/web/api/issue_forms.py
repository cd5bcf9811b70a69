"""The forms in which an issue comes, and what is made of each: a file, or a refusal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from publisher.errors import PublisherError
from publisher.intake.fields import ID
from publisher.intake.read import read_issue
from publisher.site.issue_files import Imported, Importing, find_issue, import_digests, read_date
from publisher.site.saving import (
    ChangedError,
    ExistsError,
    PublishedError,
    Saved,
    UnreadableError,
    create_issue,
    hold_issues,
    read_saved,
    require_version,
)
from publisher.web.api.operation import Call
from publisher.web.api.problems import ApiError, sentence

# The forms that an issue is taken in, and the suffix of each one's file; a digest gets .md.
_DIGEST = "text/plain"
FORMS = {
    "text/markdown": ".md",
    "application/yaml": ".yaml",
    "application/json": ".json",
    _DIGEST: "",
}
MEDIA_TYPES = {
    ".md": "text/markdown",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".json": "application/json",
}
RAW = {
    "text/markdown": "An issue as it stands in `issues/NAME.md`.",
    "application/yaml": "The same fields in YAML.",
    "application/json": "The same fields in JSON, by the schema that `publisher schema` prints.",
    _DIGEST: "A digest as newsrooms paste it: a numbered list of titles, then each title again"
    " with its paragraphs.",
}


class Making(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the body does not say of a new issue."""

    name: Annotated[
        str,
        Meta(description="Its NAME; left out, the day of its date, or today. Not for a digest."),
    ] = ""
    date: Annotated[
        str,
        Meta(description="A digest's day or RFC 3339 time; left out, today."),
    ] = ""
    ready: Annotated[
        bool, Meta(description="A digest is to be ready at once, and not a draft.")
    ] = False


def create_written(call: Call, suffix: str) -> Saved:
    if call.query.date or call.query.ready:
        raise ApiError(
            "invalid",
            "`date` and `ready` are for digests; an issue says both itself, as `date` and"
            " `status`.",
        )
    slug = call.query.name or _day_of(call, suffix)
    if not ID.fullmatch(slug):
        raise ApiError(
            "invalid",
            "`name` is to be 1 to 64 lower-case letters, digits and hyphens, such as 2025-12-15.",
        )
    return create_issue(call.desk.folder, slug, suffix, call.body, call.desk.zone)


def _day_of(call: Call, suffix: str) -> str:
    """The day of what a new issue says is its date, or today, in the publication's zone."""
    zone = call.desk.zone
    today = call.now.astimezone(zone).date().isoformat()
    issue = read_issue(call.body, f"issues/{today}{suffix}", zone)[0]
    if issue is None or issue.date is None:
        return today
    return issue.date.astimezone(zone).date().isoformat()


def import_new(call: Call) -> Saved:
    desk = call.desk
    if call.query.name:
        raise ApiError("invalid", "A digest's NAME is its day; say which one with `date`.")
    date = call.query.date or call.now.astimezone(desk.zone).date().isoformat()
    slug = _read_day(date, desk.zone)
    with hold_issues(desk.folder):
        if existing := find_issue(desk.folder, slug):
            raise ExistsError(f"{existing} exists already; PUT replaces it")
        (imported,) = import_digests(_importing(call, date), [("digest", call.body)])
        return _require_imported(call, imported)


def _read_day(date: str, zone: ZoneInfo) -> str:
    try:
        return read_date(date, zone)[0]
    except PublisherError as error:
        raise ApiError("invalid", sentence(error).replace("--date", "`date`")) from None


def import_over(call: Call, before: Saved) -> Saved:
    desk = call.desk
    with hold_issues(desk.folder):
        before = read_saved(desk.folder, before.slug)
        require_version(before, expected_version(call))
        issue = read_issue(before.data, before.path, desk.zone)[0]
        if issue is None or issue.date is None or before.slug != f"{issue.date:%Y-%m-%d}":
            raise ApiError(
                "conflict",
                f"A digest replaces an issue that can be read and is named after its day, and"
                f" {before.path} is not; send it in another form.",
            )
        importing = _importing(call, issue.date.isoformat(), is_ready=issue.status == "ready")
        importing = msgspec.structs.replace(importing, is_forced=True)
        (imported,) = import_digests(importing, [("digest", call.body)])
        return _require_imported(call, imported)


def _importing(call: Call, date: str, *, is_ready: bool | None = None) -> Importing:
    return Importing(
        folder=call.desk.folder,
        publication=call.desk.publication,
        now=call.now,
        date=date,
        is_ready=call.query.ready if is_ready is None else is_ready,
    )


def _require_imported(call: Call, imported: Imported) -> Saved:
    if imported.issue is None:
        raise UnreadableError("the digest is incomplete", imported.problems)
    return read_saved(call.desk.folder, imported.issue)


def form_of(call: Call) -> str:
    if call.media_type not in FORMS:
        raise ApiError(
            "unsupported-media-type", f"Content-Type is missing; send {', '.join(FORMS)}."
        )
    return call.media_type


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the files do not allow into problems."""
    try:
        yield
    except UnreadableError as error:
        detail = f"Nothing was written: {error}."
        raise ApiError("content", detail, problems=error.problems) from None
    except ExistsError as error:
        raise ApiError("exists", sentence(error)) from None
    except ChangedError as error:
        raise ApiError("changed", sentence(error)) from None
    except PublishedError as error:
        raise ApiError("conflict", sentence(error)) from None


def expected_version(call: Call) -> str:
    """The version in If-Match. Raises ApiError where it is missing."""
    text = call.if_match.strip()
    if not text:
        raise ApiError(
            "precondition-required",
            "Send If-Match with the ETag of the issue as it was looked at, so that nobody's change"
            " is lost.",
        )
    return text if text == "*" else text.removeprefix("W/").strip('"')
