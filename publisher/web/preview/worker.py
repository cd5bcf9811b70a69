"""The building process: each line on standard input asks for a build, each is answered by a frame.

It is a process of its own, so that pages are served while it works, so that nothing is imported
twice, and so that leaving the preview never waits for it.
"""

import os
import sys
import time
import traceback
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from publisher.errors import PublisherError
from publisher.model.problem import in_reading_order
from publisher.preflight.publication import check_publication
from publisher.settings import Settings
from publisher.settings_installation import load_publication
from publisher.site.build import build
from publisher.site.index import Index
from publisher.site.job import Job, Report, open_index
from publisher.site.scan import scan_media
from publisher.web.preview.answers import Answer, Built, Failed, Step, write_answer

# How often a long build tells how far it is. After a save there is hardly ever a long one.
_TELL_SECONDS = 1.0


class _Telling:
    """Passes a build's progress on, now and then."""

    def __init__(self, answers: BinaryIO) -> None:
        self.answers = answers
        self.last = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        if time.monotonic() - self.last >= _TELL_SECONDS:
            self.last = time.monotonic()
            write_answer(self.answers, Step(what, done, total))


def build_preview(config: Path, output: Path, answers: BinaryIO) -> Answer:
    """Build everything, drafts and future issues too; say what came of it, whatever happens."""
    started = time.perf_counter()
    try:
        settings = load_publication(config)
        job = Job(
            folder=config.parent,
            settings=settings,
            output=output,
            now=datetime.now(UTC),
            is_preview=True,
            progress=_Telling(answers),
        )
        report = build(job)
        with open_index(job) as index:
            return _describe(job, settings, report, index, started)
    except PublisherError as error:
        return Failed(str(error))
    except Exception as error:
        # A template or a file may break a build in ways that nobody thought of. The editor sees
        # it, mends it, and goes on.
        if os.environ.get("PUBLISHER_DEBUG"):
            traceback.print_exc()
        return Failed(f"the build stopped: {type(error).__name__}: {error}")


def _describe(job: Job, settings: Settings, report: Report, index: Index, started: float) -> Built:
    media = {file.path for file in scan_media(job.folder)}
    standing = (*index.problems_where("1"), *index.all_found())
    found = (*report.problems, *standing, *check_publication(settings, media))
    publication = settings.as_publication()
    files = index.rows("SELECT path, signature FROM file ORDER BY path")
    return Built(
        index=str(index.path),
        url=publication.url,
        title=publication.title,
        language=publication.language,
        time_zone=publication.time_zone,
        problems=in_reading_order(found),
        has_changes=bool(report.written or report.removed),
        fingerprint=sha256(repr(files).encode()).hexdigest(),
        at=datetime.now().astimezone(),
        seconds=time.perf_counter() - started,
    )


def main() -> None:
    config, output = Path(sys.argv[1]), Path(sys.argv[2])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not come between the frames
    for _ in sys.stdin.buffer:
        write_answer(answers, build_preview(config, output, answers))


if __name__ == "__main__":
    main()
