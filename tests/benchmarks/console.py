"""The console's pages with 100,000 readers and 1,000 mailings behind them."""

import os
import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, insert

from publisher.audience.subscribing import make_refs
from publisher.store import schema as s
from tests.benchmarks.measure import Result, say
from tests.web.console.site import Browser, Console, run_console

READERS = 100_000
MAILINGS = 1_000
# So many of the newest mailings have a delivery and a line of the ledger for every reader; the
# others have a few, so that the database can be made in a minute.
WHOLE = 3
_FEW = 50
_TRIES = 7
_AT_ONCE = 20_000
PAGES = {
    "home": "/",
    "readers": "/readers",
    "readers, the last page": "/readers?before=40",
    "readers, a search that finds": "/readers?q=reader-99",
    "readers, a search for nobody": "/readers?q=nobody-at-all",
    "readers, an address": "/readers?q=reader-4711@reader.example",
    "readers, suppressed": "/readers?standing=suppressed",
    "readers, paused": "/readers?standing=paused",
    "suppressions": "/suppressions",
    "bounces": "/returned",
    "bounces, complaints": "/returned?event=complained",
    "schedules": "/schedules",
}


def measure_console(folder: Path) -> Result:
    """Milliseconds until each page is there, the median and the worst of some."""
    with run_console(folder, smtp={"host": "127.0.0.1"}) as console:
        fill(console)
        browser = console.enter("sender")
        result: Result = {}
        for name, path in PAGES.items():
            times = []
            for _ in range(_TRIES):
                console.clock.ahead += timedelta(minutes=2)  # or figures are those of before
                times.append(_time(browser, path))
            result[name] = {
                "median_ms": round(statistics.median(times)),
                "most_ms": round(max(times)),
            }
            say(f"{statistics.median(times):7.0f} ms  {max(times):7.0f} ms  {name}")
    return result


def _time(browser: Browser, path: str) -> float:
    begun = time.perf_counter()
    answer = browser.get(path)
    assert answer.status == 200, path
    return (time.perf_counter() - begun) * 1_000


def fill(console: Console, readers: int = READERS, mailings: int = MAILINGS) -> None:
    """Fill a database: readers who came over a year, some of whom left; a mailing for each day."""
    chance, now = random.Random(7), datetime.now(UTC)
    publication = console.database.publication
    with console.database.write() as connection:
        hashes = [console.readers.hash(_email(number)) for number in range(readers)]
        rows = list(_make_readers(chance, now, publication, hashes))
        _insert(connection, s.subscriber, rows)
        consents = [line for row in rows for line in _make_consents(chance, row, now)]
        _insert(connection, s.consent, sorted(consents, key=lambda line: line["at"]))
        barred = chance.sample(rows, readers // 50)
        _insert(
            connection,
            s.suppression,
            [
                {
                    "publication": publication,
                    "address_hash": row["address_hash"],
                    "reason": "bounce",
                    "at": now,
                }
                for row in barred
            ],
        )
    for number in range(mailings):
        reached = readers if mailings - number <= WHOLE else min(_FEW, readers)
        with console.database.write() as connection:
            _add_mailing(connection, chance, publication, number, mailings, reached, now)


def _email(number: int) -> str:
    return f"reader-{number}@reader.example"


def _make_readers(
    chance: random.Random, now: datetime, publication: int, hashes: list[bytes]
) -> Iterator[dict[str, Any]]:
    refs = make_refs(os.urandom, len(hashes))
    for place, hash in enumerate(hashes):
        came = now - timedelta(minutes=chance.randrange(525_600))
        paused = now + timedelta(days=9) if not place % 500 else None
        yield {
            "id": place + 1,
            "publication": publication,
            "ref": refs[place],
            "email": _email(place),
            "name": f"Reader {place}",
            "address_hash": hash,
            "status": "unsubscribed" if not place % 20 else "confirmed",
            "created_at": came,
            "changed_at": came,
            "paused_until": paused,
        }


def _make_consents(
    chance: random.Random, row: dict[str, Any], now: datetime
) -> Iterator[dict[str, Any]]:
    came = row["created_at"]
    assert isinstance(came, datetime)
    line = {"publication": row["publication"], "subscriber": row["id"], "origin": ""}
    yield line | {"at": came, "action": "asked", "source": "form"}
    yield line | {"at": came + timedelta(minutes=3), "action": "confirmed", "source": "link"}
    if row["status"] == "unsubscribed":
        left = came + (now - came) * chance.random()
        yield line | {"at": left, "action": "unsubscribed", "source": "one-click"}


def _add_mailing(
    connection: Connection,
    chance: random.Random,
    publication: int,
    number: int,
    mailings: int,
    reached: int,
    now: datetime,
) -> None:
    at = now - timedelta(days=mailings - number)
    id_ = number + 1
    row = {
        "id": id_,
        "publication": publication,
        "ref": f"ref{number:013}",
        "issue": f"id-{number}",
        "slug": f"{at:%Y-%m-%d}",
        "purpose": "issue",
        "status": "finished",
        "digest": "0" * 64,
        "content": bytes(30_000),
        "domain": "daily.example",
        "recipients": reached,
        "created_at": at,
        "finished_at": at + timedelta(minutes=20),
    }
    connection.execute(insert(s.mailing).values(row))
    base = number * 1_000_000
    link: dict[str, Any] = {"publication": publication, "mailing": id_}
    deliveries: list[dict[str, Any]] = [
        link | {"id": base + n, "subscriber": n + 1, "status": "failed" if not n % 400 else "sent"}
        for n in range(reached)
    ]
    _insert(connection, s.delivery, deliveries)
    lines: list[dict[str, Any]] = [
        link | {"delivery": base + n, "at": at + timedelta(seconds=n // 100), "event": "accepted"}
        for n in range(reached)
    ]
    came_back = chance.sample(range(reached), max(reached // 100, 1))
    lines += [
        link
        | {"delivery": base + n, "at": at + timedelta(hours=1), "reply": "550 no such user"}
        | {"event": "bounced" if n % 4 else "complained"}
        for n in came_back
    ]
    _insert(connection, s.ledger, [{"reply": None} | line for line in lines])


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        connection.execute(insert(table), rows[start : start + _AT_ONCE])
