"""correct: say what was changed in a published issue, and why."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

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
from publisher.cli.send import confirm
from publisher.cli.site import build_site
from publisher.cli.store import has_store, open_store
from publisher.runtime.correcting import (
    MailedCorrection,
    count_corrected,
    count_not_corrected,
    start_correction,
)
from publisher.runtime.start import require_ready
from publisher.runtime.websub import telling
from publisher.settings import Settings
from publisher.site.correct import (
    Corrected,
    UnchangedError,
    plan_correction,
    recall_correction,
)
from publisher.site.job import Report
from publisher.store.arming import require_armed
from publisher.store.errors import StateError


def correct_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The issue, such as 2025-12-15.")],
    note: Annotated[
        str,
        typer.Option(
            "--note", metavar="TEXT", help="What was wrong and what is right, for readers."
        ),
    ] = "",
    highlight: Annotated[
        list[str] | None,
        typer.Option(
            "--highlight",
            metavar="ID",
            help="A changed highlight that the note is about; can be given several times. Where it"
            " is left out, all that was changed.",
        ),
    ] = None,
    mail: Annotated[
        bool, typer.Option("--mail", help="Mail the note to those who were sent what was wrong.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Mail it without asking.")] = False,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Note what was changed in a published issue, and why.

    First write what is right into the issue's file. The note then stands, dated, on
    what was changed: on pages, in feeds and in mail that is still to go out. The
    issue's page of changes shows what it said before. Only what was changed gets a
    new date in the feeds, so that readers see it once more, and nothing else.

    Where the issue is still being mailed, the rest gets it corrected. With --mail all
    who were sent another text get the note, as an answer to what they have.

    \b
    Examples:
      publisher correct 2025-12-15 --note "It took 12 million, not 2 million."
      publisher correct 2025-12-15 --highlight h7k2mxq9wd --note "It was 1994."
      publisher correct 2025-12-15 --note "It took 12 million." --mail
    """
    folder, settings = open_publication(config)
    now = datetime.now(UTC)
    corrected, is_new = _plan(folder, settings, now, name, note, highlight or (), is_mailed=mail)
    if mail:
        require_ready(settings, folder)
        _ask(folder, settings, corrected, now, is_asking=not yes)
    target = folder / "public"
    report = build_site(folder, settings, target, corrected.lines if is_new else ())
    mailed = MailedCorrection(None, None)
    with telling(folder, settings, say):
        if not report.is_refused and has_store(folder, settings):
            with open_store(folder, settings) as database:
                moment = datetime.now(UTC)
                mailed = start_correction(
                    database, settings, folder, corrected, moment, is_mailed=mail
                )
        if json:
            print_json(_document(corrected, report, mailed))
        else:
            _show_corrected(corrected, report)
            _show_mailed(mailed, is_mailed=mail and not report.is_refused)
    return 1 if report.is_refused else 0


def _plan(
    folder: Path,
    settings: Settings,
    now: datetime,
    name: str,
    note: str,
    highlights: Sequence[str],
    *,
    is_mailed: bool,
) -> tuple[Corrected, bool]:
    """The correction, and whether it is new: one that was made before can still be mailed."""
    last = None
    try:
        if is_mailed and not note:
            last = recall_correction(folder, settings, now, name)
        if last is None:
            return plan_correction(folder, settings, now, name, note, tuple(highlights)), True
    except UnchangedError:
        last = recall_correction(folder, settings, now, name) if is_mailed else None
        if last is None:
            raise
    say(f"Noted before on {last.slug}: {last.note}")
    return last, False


def _ask(
    folder: Path, settings: Settings, corrected: Corrected, now: datetime, *, is_asking: bool
) -> None:
    """Say who would get it, and ask, before anything is noted."""
    with open_store(folder, settings) as database:
        with database.read() as connection:
            require_armed(connection, database.place)
        count = count_corrected(
            database, corrected.issue, corrected.after, now, corrected.concerned
        )
        unknown = count_not_corrected(database, corrected.issue, corrected.after)
    say(f"{count:,} were sent another text of {corrected.slug} than the one it has now.")
    if unknown:
        say(_say_unknown(unknown))
    if unknown and not count:
        raise StateError("so there is nobody to mail a note to; without --mail it is noted only")
    confirm("Note it, and mail them the note?", is_asking=is_asking)


def _say_unknown(unknown: int) -> str:
    return (
        f"{unknown:,} were sent another text so long ago that nobody knows any more who they are,"
        " and are not mailed the note: their deliveries were folded into totals"
        " (database.keep_deliveries)."
    )


def _show_mailed(mailed: MailedCorrection, *, is_mailed: bool) -> None:
    if mailed.revised is not None and mailed.revised.status in ("sending", "paused"):
        show(f"What is left of its mailing is sent corrected: digest {mailed.revised.digest}.")
    if mailed.week is not None and mailed.week.status in ("sending", "paused"):
        show(f"So is what is left of {mailed.week.name}: digest {mailed.week.digest}.")
    if mailed.mailing is not None:
        it = mailed.mailing
        show(
            f"{it.recipients:,} are mailed the note: `publisher run` or `publisher send {it.name}`"
            " sends it."
        )
    elif is_mailed and not mailed.unknown:
        show("Nobody was sent another text, so there is nobody to mail the note to.")


def _document(corrected: Corrected, report: Report, mailed: MailedCorrection) -> dict[str, object]:
    its = mailed.mailing
    return {
        "issue": corrected.slug,
        "from": corrected.before,
        "to": corrected.after,
        "highlights": corrected.highlights,
        "own_words": corrected.has_own_words,
        "note": corrected.note,
        "at": corrected.at,
        "digest": mailed.revised.digest if mailed.revised else None,
        "correction": its.name if its else None,
        "recipients": its.recipients if its else 0,
        "problems": report.problems,
        "unknown": mailed.unknown,
    }


def _show_corrected(corrected: Corrected, report: Report) -> None:
    say_problems(report.problems)
    if report.is_refused:
        say("Nothing was noted or built, because of the errors above; the site is as it was.")
        return
    own = ["its own words"] if corrected.has_own_words else []
    what = ", ".join((*corrected.highlights, *own))
    show(f"Noted on {corrected.slug} ({what}): {corrected.note}")
    show(f"What changed is shown at issues/{corrected.slug}/changes/")
