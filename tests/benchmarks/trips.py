"""A worker that counts how often its delivery loop waits for the server: `… worker`.

What Procrastinate does waits in another thread, by other connections, and is not counted.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event

COUNTS = {"trips": 0, "transactions": 0}


def main() -> None:
    psycopg.Connection.wait = _counting(psycopg.Connection.wait)  # type: ignore[method-assign]
    event.listen(Engine, "commit", _note)
    from publisher.cli import main as run

    try:
        run()
    finally:
        Path("trips.json").write_text(json.dumps(COUNTS))


def _counting(wait: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*words: Any, **options: Any) -> Any:
        COUNTS["trips"] += 1
        return wait(*words, **options)

    return counted


def _note(connection: Connection) -> None:
    if connection.get_execution_options().get("is_sharing"):
        COUNTS["transactions"] += 1


if __name__ == "__main__":
    sys.argv[0] = "publisher"
    main()
