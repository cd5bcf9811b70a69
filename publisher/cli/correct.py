"""correct: say what was changed in a published issue, and why."""

from datetime import UTC, datetime
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
from publisher.cli.site import build_site
from publisher.runtime.websub import telling
from publisher.site.correct import Corrected, plan_correction
from publisher.site.job import Report


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
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Note what was changed in a published issue, and why.

    First write what is right into the issue's file. The note then stands, dated, on
    what was changed: on pages, in feeds and in mail that is still to go out. The
    issue's page of changes shows what it said before. Only what was changed gets a
    new date in the feeds, so that readers see it once more, and nothing else.

    \b
    Examples:
      publisher correct 2025-12-15 --note "It took 1.2 billion, not million."
      publisher correct 2025-12-15 --highlight h7k2mxq9wd --note "In 1994."
    """
    folder, settings = open_publication(config)
    now = datetime.now(UTC)
    corrected = plan_correction(folder, settings, now, name, note, tuple(highlight or ()))
    report = build_site(folder, settings, folder / "public", corrected)
    with telling(folder, settings, say):
        if json:
            print_json(_document(corrected, report))
        else:
            _show_corrected(corrected, report)
    return 1 if report.is_refused else 0


def _document(corrected: Corrected, report: Report) -> dict[str, object]:
    return {
        "issue": corrected.slug,
        "from": corrected.before,
        "to": corrected.after,
        "highlights": corrected.highlights,
        "own_words": corrected.has_own_words,
        "note": corrected.note,
        "at": corrected.at,
        "problems": report.problems,
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
