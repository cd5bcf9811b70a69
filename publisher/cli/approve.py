"""approve: a second operator's word for what an issue is now."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from publisher.audience.address import AddressError, parse_address
from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    open_publication,
    print_json,
    say,
    say_problems,
    show,
)
from publisher.cli.store import open_store
from publisher.errors import PublisherError
from publisher.message.freeze import digest as digest_of
from publisher.model.access import is_at_least
from publisher.model.operators import COMMAND_LINE, Actor, Operator
from publisher.runtime.issue_mailing import IssueVariants
from publisher.runtime.passwords import MOST_CHARACTERS, is_password
from publisher.runtime.preparing import ContentError, prepare, read_issue_file, why_not_due
from publisher.settings import Settings
from publisher.site.issue_files import slug_of
from publisher.store import approvals, audit, operators
from publisher.store.database import Database
from publisher.store.variants import count_audience

# So much of a digest is not the same by chance.
_LEAST_DIGITS = 8


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be approved: the issue's NAME and id, the subject, and the message's digest.

    `variants` are what readers get of it by their choices.
    """

    slug: str
    issue: str
    subject: str
    digest: str
    variants: IssueVariants


def approve_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The issue, such as 2025-12-15.")],
    email: Annotated[
        str, typer.Option("--as", metavar="EMAIL", help="The operator who approves it.")
    ] = "",
    digest: Annotated[
        str, typer.Option("--digest", metavar="DIGEST", help="Approve this content and no other.")
    ] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Approve what an issue is now, so that it may be sent: delivery.require_approval.

    The approval names the digest of the message. Any later change of what is sent,
    of the issue or of the settings, leaves it behind. Whoever sends it, or changed
    it last in the console, cannot be the one who approves it.

    \b
    Examples:
      publisher approve 2025-12-15 --as bert@daily.example
      publisher approve 2025-12-15 --as bert@daily.example --digest 1f0c9a7e
    """
    if not email:
        raise PublisherError("say who approves it: --as EMAIL")
    folder, settings = open_publication(config)
    content = _read_content(folder, settings, slug_of(name))
    _require_digest(content, digest)
    with open_store(folder, settings) as database:
        operator = _find_operator(database, email)
        _say_content(database, content)
        _require_password(database, operator, is_piped=password_stdin)
        _approve(database, operator, content)
    if json:
        print_json({"issue": content.slug, "digest": content.digest, "approved_by": operator.email})
    else:
        show(f"{content.slug}: approved by {operator.email}.")
        if not settings.delivery.require_approval:
            say("delivery.require_approval is not set, so it would be sent without as well.")
    return 0


def _read_content(folder: Path, settings: Settings, slug: str) -> Content:
    """Raises ContentError where the issue has errors or is a draft."""
    now = datetime.now(UTC)
    path, issue = read_issue_file(folder, settings, slug)
    if issue is not None and why_not_due(issue, now) == "draft":
        raise ContentError(f"{path} is a draft; write `status: ready` at its top")
    prepared = prepare(folder, settings, now, slug)
    if prepared.message is None:
        say_problems(prepared.problems)
        raise ContentError(f"{path} has the errors above")
    return Content(
        slug=slug,
        issue=prepared.message.issue.id,
        subject=prepared.message.rendered.subject,
        digest=digest_of(prepared.freeze(settings)),
        variants=IssueVariants(prepared.message, settings),
    )


def _require_digest(content: Content, digest: str) -> None:
    if digest and (len(digest) < _LEAST_DIGITS or not content.digest.startswith(digest.lower())):
        raise PublisherError(
            f"--digest {digest}: what would be sent now has the digest {content.digest};"
            f" look at it, and name that one, or its first {_LEAST_DIGITS} characters or more"
        )


def _find_operator(database: Database, email: str) -> Operator:
    try:
        key = parse_address(email).key
    except AddressError as error:
        raise PublisherError(f"--as {email!r} is no address: {error}") from None
    with database.read() as connection:
        found = operators.find_operator(connection, database.publication, key)
    if found is None:
        raise PublisherError(f"{email} is no operator; see `publisher users list`")
    if not is_at_least(found.role, "sender"):
        raise PublisherError(f"{found.email} is {found.role}: a sender or an owner approves issues")
    return found


def _say_content(database: Database, content: Content) -> None:
    with database.read() as connection:
        now = datetime.now(UTC)
        audience = count_audience(connection, database.publication, content.variants, now)
    say(f"{content.slug}: {content.subject}")
    say(f"To {audience.total:,} subscribed; digest {content.digest}.")
    if detail := str(audience):
        say(f"That is {detail}.")


def _require_password(database: Database, operator: Operator, *, is_piped: bool) -> None:
    with database.read() as connection:
        hash = operators.find_password(connection, database.publication, operator.id)
    if not is_password(_read_password(operator, is_piped=is_piped), hash):
        raise PublisherError(f"this is not the password of {operator.email}; nothing was approved")


def _read_password(operator: Operator, *, is_piped: bool) -> str:
    if is_piped:
        text = sys.stdin.read(MOST_CHARACTERS + 3) if sys.stdin else ""
        return text.removesuffix("\n").removesuffix("\r")
    if sys.stdin is None or not sys.stdin.isatty():
        raise PublisherError(
            "nothing was approved: there is no terminal to ask for the password on; add"
            " --password-stdin"
        )
    return str(typer.prompt(f"Password of {operator.email}", hide_input=True, err=True))


def _approve(database: Database, operator: Operator, content: Content) -> None:
    now, publication = datetime.now(UTC), database.publication
    with database.write() as connection:
        is_new = approvals.approve(
            connection,
            publication,
            operator,
            now,
            issue=content.issue,
            slug=content.slug,
            digest=content.digest,
        )
        if is_new:
            actor, detail = Actor(operator.email, COMMAND_LINE), f"digest {content.digest[:12]}"
            slug = content.slug
            audit.note(
                connection, publication, actor, "issue approved", now, about=slug, detail=detail
            )
