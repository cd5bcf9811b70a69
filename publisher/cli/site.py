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
)
from publisher.model.problem import has_errors, in_reading_order
from publisher.settings import Settings
from publisher.site.after_build import run_after_build
from publisher.site.build import build
from publisher.site.check import check
from publisher.site.job import Job, Report
from publisher.site.withdraw import withdraw


def build_command(
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Where to, instead of public/.")
    ] = None,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    folder, settings = open_publication(config)
    target = output.resolve() if output else folder / "public"
    report = _build(folder, settings, target)
    if json:
        names = ("issues", "highlights", "written", "unchanged", "removed", "problems")
        print_json({name: getattr(report, name) for name in names})
    else:
        _say_report(report, target)
    return 1 if report.is_refused else 0


def _build(folder: Path, settings: Settings, target: Path) -> Report:
    progress = ProgressLine()
    try:
        now = datetime.now(UTC)
        job = Job(folder=folder, settings=settings, output=target, now=now, progress=progress)
        report = build(job)
    finally:
        progress.close()
    if not report.is_refused:
        run_after_build(
            settings, folder, target, has_changed=bool(report.written or report.removed)
        )
    return report


def _say_report(report: Report, target: Path) -> None:
    say_problems(report.problems)
    if report.is_refused:
        say("Nothing was built: the content has errors. The site is as it was.")
        return
    print(
        f"{count(report.issues, 'issue')} with {count(report.highlights, 'highlight')} in {target}:"
        f" {report.written:,} written, {report.unchanged:,} unchanged, {report.removed:,} removed"
    )


def check_command(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME…")] = None,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    folder, settings = open_publication(config)
    progress = ProgressLine()
    try:
        problems = check(folder, settings, datetime.now(UTC), tuple(names or ()), progress)
    finally:
        progress.close()
    if json:
        print_json({"problems": problems})
    else:
        say_problems(problems)
        levels = [problem.level for problem in problems]
        print(
            f"{count(levels.count('error'), 'error')}, {count(levels.count('warning'), 'warning')},"
            f" {levels.count('info'):,} for your information"
        )
    return 1 if has_errors(problems) else 0


def withdraw_command(
    id: Annotated[str, typer.Argument(metavar="ID", help="A highlight's or an issue's id.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Shown in its place.")] = "",
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    folder, settings = open_publication(config)
    records = withdraw(folder, settings, id, reason, datetime.now(UTC))
    report = _build(folder, settings, folder / "public")
    if json:
        print_json({"withdrawn": [record.id for record in records], "problems": report.problems})
    else:
        say_problems(in_reading_order(report.problems))
        print(f"Withdrawn: {', '.join(record.id for record in records)}")
        if report.is_refused:
            say("It is recorded; the site follows when the errors above are corrected.")
    return 0
