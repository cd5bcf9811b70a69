"""The console's pages with 100,000 readers and 1,000 mailings behind them."""

import os
import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, insert

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
    schedule = [{"name": "daily", "cron": "30 6 * * *"}]
    (folder / "issues").mkdir()
    with run_console(folder, smtp={"host": "127.0.0.1"}) as console:
        begun = time.perf_counter()
        fill(console)
        say(f"made in {time.perf_counter() - begun:.0f} s, {schedule[0]['name']}")
        browser = console.enter("sender")
        result: Result = {}
        for name, path in PAGES.items():
            times = [_time(browser, path) for _ in range(_TRIES)]
            result[name] = {"median_ms": round(statistics.median(times)), "most_ms": round(max(times))}
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
        rows = list(_make_readers(chance, now, publication, readers))
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


def _make_readers(
    chance: random.Random, now: datetime, publication: int, number: int
) -> Iterator[dict[str, object]]:
    refs = make_refs(os.urandom, number)
    for place in range(number):
        came = now - timedelta(minutes=chance.randrange(525_600))
        paused = now + timedelta(days=9) if not place % 500 else None
        yield {
            "id": place + 1,
            "publication": publication,
            "ref": refs[place],
            "email": f"reader-{place}@reader.example",
            "name": f"Reader {place}",
            "address_hash": place.to_bytes(16),
            "status": "unsubscribed" if not place % 20 else "confirmed",
            "created_at": came,
            "changed_at": came,
            "paused_until": paused,
        }


def _make_consents(
    chance: random.Random, row: dict[str, object], now: datetime
) -> Iterator[dict[str, object]]:
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
    link = {"publication": publication, "mailing": id_}
    deliveries = [
        link | {"id": base + n, "subscriber": n + 1, "status": "failed" if not n % 400 else "sent"}
        for n in range(reached)
    ]
    _insert(connection, s.delivery, deliveries)
    lines = [
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


def _insert(connection: Connection, table: object, rows: list[dict[str, object]]) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        connection.execute(insert(table), rows[start : start + _AT_ONCE])  # type: ignore[arg-type]
