"""build, check, withdraw: the site as a whole."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    ProgressLine,
    count,
    open_publication,
    print_json,
    say,
    say_problems,
    show,
)
from publisher.model.problem import has_errors
from publisher.runtime.websub import note_published, telling
from publisher.settings import Settings
from publisher.site.after_build import run_after_build
from publisher.site.build import build
from publisher.site.history import CorrectionLine
from publisher.site.job import Job, Report
from publisher.site.output_folder import require_output


def build_command(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="DIR",
            help="Write the site there; where it is left out, into public/ beside the settings.",
        ),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Make the web site, the feeds and the messages of all issues that are ready.

    Only what changed is written. Where an issue has errors they are said, and the
    site stays as it was. The folder it makes can be copied to any web server.

    \b
    Examples:
      publisher build
      publisher build --output /var/www/daily
    """
    folder, settings = open_publication(config)
    target = output.resolve() if output else folder / "public"
    report = build_site(folder, settings, target)
    with telling(folder, settings, say):
        if json:
            names = ("issues", "highlights", "written", "unchanged", "removed", "problems")
            print_json({name: getattr(report, name) for name in names})
        else:
            _show_report(report, target)
    return 1 if report.is_refused else 0


def build_site(
    folder: Path, settings: Settings, target: Path, corrections: tuple[CorrectionLine, ...] = ()
) -> Report:
    """Build, showing how far it is, and run `site.after_build` where that went well.

    Corrections are published and recorded with it.
    What a WebSub hub is owed for it is noted; `telling` tells it.
    """
    progress = ProgressLine()
    now = datetime.now(UTC)
    job = Job(
        folder=folder,
        settings=settings,
        output=target,
        now=now,
        progress=progress,
        corrections=corrections,
    )
    require_output(job)
    try:
        report = build(job)
    finally:
        progress.close()
    if not report.is_refused:
        has_changed = bool(report.written or report.removed)
        run_after_build(settings, folder, target, has_changed=has_changed)
        note_published(settings, folder, target, now)
    return report


def _show_report(report: Report, target: Path) -> None:
    say_problems(report.problems)
    if report.is_refused:
        say("Nothing was built, because of the errors above; the site is as it was.")
        return
    show(
        f"{count(report.issues, 'issue')} with {count(report.highlights, 'highlight')} in"
        f" {_near(target)}: {count(report.written, 'file')} written,"
        f" {report.unchanged:,} unchanged, {report.removed:,} removed"
    )
    if report.drafts:
        its = "is left out: it lacks" if report.drafts == 1 else "are left out: they lack"
        say(f"{count(report.drafts, 'draft')} {its} `status: ready` at the top.")
    if report.waiting:
        its = "issue is ready and waits" if report.waiting == 1 else "issues are ready and wait"
        say(f"{report.waiting:,} {its} for the date at the top to come.")
    if not (report.issues or report.drafts or report.waiting):
        say("There is no issue yet: `publisher new` begins one, `publisher import FILE` makes one.")


def _near(path: Path) -> str:
    """A path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) and path != here else str(path)


def check_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME…", help="Issues, such as 2025-12-15; where none is named, all of it."
        ),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Say everything that is wrong with issues, feeds, pages and messages.

    Drafts are looked at as well, and nothing is written. Errors stop a build;
    warnings and information do not. Each line names the file and the line in it.

    \b
    Examples:
      publisher check
      publisher check 2025-12-15
    """
    from publisher.site.check import check

    folder, settings = open_publication(config)
    progress = ProgressLine()
    try:
        problems = check(folder, settings, datetime.now(UTC), tuple(names or ()), progress)
    finally:
        progress.close()
    if json:
        print_json({"problems": problems})
    else:
        say_problems(problems, is_result=True)
        levels = [problem.level for problem in problems]
        show(_sum_up(levels.count("error"), levels.count("warning"), levels.count("info")))
    return 1 if has_errors(problems) else 0


def _sum_up(errors: int, warnings: int, notes: int) -> str:
    if not errors + warnings + notes:
        return "Nothing is wrong."
    counts = f"{count(errors, 'error')}, {count(warnings, 'warning')}, {count(notes, 'remark')}"
    return f"{counts}. {'Errors stop a build.' if errors else 'None of them stops a build.'}"


def withdraw_command(
    id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="The id of a highlight (in braces behind its title) or of an issue."
        ),
    ],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Shown to readers in its place.")
    ] = "",
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Take a published highlight or issue back, for good.

    It leaves the feeds and the pages, a note stands in its place, and its id is
    never used again. An issue goes with all of its highlights. There is no way back.

    \b
    Examples:
      publisher withdraw h7k2mxq9wd
      publisher withdraw h7k2mxq9wd --reason "The source took its report back."
    """
    from publisher.site.withdraw import withdraw

    folder, settings = open_publication(config)
    records = withdraw(folder, settings, id, reason, datetime.now(UTC))
    report = build_site(folder, settings, folder / "public")
    ids = [record.id for record in records]
    with telling(folder, settings, say):
        if json:
            print_json({"withdrawn": ids, "problems": report.problems})
        else:
            _show_withdrawn(ids, id, report)
    return 1 if report.is_refused else 0


def _show_withdrawn(ids: list[str], id: str, report: Report) -> None:
    say_problems(report.problems)
    show(f"Withdrawn: {', '.join(ids)}" if ids else f"{id} was withdrawn before; nothing to do")
    if report.is_refused:
        say("That is recorded, but the site still shows it: correct the errors above, then")
        say("run `publisher build`.")
