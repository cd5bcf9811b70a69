"""Start an issue's mailing, and say how long its rows took: `… FOLDER NAME`."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from publisher.runtime.issue_mailing import start_issue
from publisher.runtime.start import freeze_issue
from publisher.settings import load_settings
from publisher.site.message import render_published
from publisher.store.database import open_database


def main() -> None:
    folder, name = Path(sys.argv[1]), sys.argv[2]
    settings = load_settings(folder / "publisher.toml")
    database = open_database(settings.database.url, folder, settings.publication.id)
    now = datetime.now(UTC)
    message = render_published(folder, settings, now, name)
    content = freeze_issue(message, settings)
    began = time.monotonic()
    start_issue(database, settings, message, content, now)
    seconds = time.monotonic() - began
    (folder / "enqueue.json").write_text(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
