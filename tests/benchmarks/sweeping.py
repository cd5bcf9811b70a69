"""What batches cost the worker that leads: `… FOLDER COUNT`, after all else that is measured.

So many batches of a mailing that is being sent are put there, of deliveries that there are not:
the first sweep makes a job for each, and each later one looks whether it has one.
"""

import json
import sys
import time
from pathlib import Path

from publisher.settings import load_settings
from publisher.store.batches import sweep
from publisher.store.database import open_database

_TIMES = 3
_OPEN = """
    UPDATE mailing SET status = 'sending' WHERE id = (SELECT max(id) FROM mailing) RETURNING id
"""
_PUT = """
    INSERT INTO batch (mailing, first, last, due_at)
    SELECT %s, first, first + 499, 0 FROM generate_series(1000000000, 1000000000 + %s, 500) AS first
"""


def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    settings = load_settings(folder / "publisher.toml")
    database = open_database(settings.database.url, folder, settings.publication.id)
    seconds = []
    with database.hold() as held:
        with held.write() as connection:
            mailing = connection.exec_driver_sql(_OPEN).scalar_one()
            connection.exec_driver_sql(_PUT, (mailing, (count - 1) * 500))
        for _ in range(1 + _TIMES):
            began = time.monotonic()
            with held.write() as connection:
                sweep(connection, {mailing})
            seconds.append((time.monotonic() - began) / count)
    (folder / "sweeping.json").write_text(json.dumps(seconds))


if __name__ == "__main__":
    main()
