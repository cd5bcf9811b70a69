"""The console's pages and the API's lists, with a publication of some years behind them.

That is 100,000 readers, 2,000 issues, a mailing of each of the newest 1,000, and all that came of
them.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, insert, select

from publisher.audience.subscribing import make_refs
from publisher.settings import load_settings
from publisher.site.check import check
from publisher.site.state import read_states
from publisher.store import schema as s
from tests.audience.readers import Readers
from tests.benchmarks.archive import issue_date, write_archive
from tests.benchmarks.measure import Row, Tables
from tests.benchmarks.sizes import Sizes
from tests.web.api.site import ROOT, enter
from tests.web.console.site import Console, run_console
from tests.web.public.site import Answer, free_port

READERS = 100_000
MAILINGS = 1_000
# So many of the newest mailings have a delivery and a line of the ledger for every reader; the
# others have a few, so that the database can be made in a minute.
WHOLE = 3
_FEW = 50
_TRIES = 10
_AT_ONCE = 20_000
ISSUES = 2_000
DEEDS = 20_000
NEWEST = f"{issue_date(ISSUES):%Y-%m-%d}"
# `NEWEST`, the mailing of that issue, one of its deliveries and its reader stand in braces.
PAGES = {
    "home": "/",
    "issues": "/issues",
    "issues, the last page": "/issues?before=915800000~1999",
    "issues, a search that finds": "/issues?q=no.+1",
    "issues, a search for nothing": "/issues?q=nothing-at-all",
    "issues, mailed": "/issues?stage=mailed",
    "an issue": "/issues/{issue}",
    "an issue, to edit": "/issues/{issue}/edit",
    "an issue, to send": "/issues/{issue}/send",
    "a new issue": "/new-issue",
    "images": "/media",
    "mailings": "/mailings",
    "a mailing": "/mailings/{mailing}",
    "a mailing's progress": "/mailings/{mailing}/progress",
    "deliveries": "/mailings/{mailing}/deliveries",
    "deliveries, failed": "/mailings/{mailing}/deliveries?status=failed",
    "deliveries, a search that finds": "/mailings/{mailing}/deliveries?search=reader-99",
    "deliveries, a search for nobody": "/mailings/{mailing}/deliveries?search=nobody-at-all",
    "a delivery": "/deliveries/{delivery}",
    "readers": "/readers",
    "readers, the last page": "/readers?before=40",
    "readers, a search that finds": "/readers?q=reader-99",
    "readers, a search for nobody": "/readers?q=nobody-at-all",
    "readers, an address": "/readers?q=reader-4711@reader.example",
    "readers, suppressed": "/readers?standing=suppressed",
    "readers, paused": "/readers?standing=paused",
    "a reader": "/readers/{reader}",
    "a reader's history": "/readers/{reader}/history",
    "suppressions": "/suppressions",
    "bounces": "/returned",
    "bounces, complaints": "/returned?event=complained",
    "schedules": "/schedules",
    "operators": "/operators",
    "API tokens": "/tokens",
    "webhooks": "/webhooks",
    "audit log": "/audit",
    "metrics": "/metrics",
    "API, issues": f"{ROOT}/issues",
    "API, issues, 200 of them": f"{ROOT}/issues?limit=200",
    "API, an issue": f"{ROOT}/issues/{{issue}}",
    "API, mailings": f"{ROOT}/mailings?limit=200",
    "API, a mailing": f"{ROOT}/mailings/{{mailing}}",
    "API, deliveries": f"{ROOT}/mailings/{{mailing}}/deliveries?limit=200",
    "API, deliveries, failed": f"{ROOT}/mailings/{{mailing}}/deliveries?limit=200&status=failed",
    "API, readers": f"{ROOT}/subscribers?limit=200",
    "API, an address": f"{ROOT}/subscribers?email=reader-4711@reader.example",
    "API, a reader": f"{ROOT}/subscribers/{{reader}}",
    "API, suppressions": f"{ROOT}/suppressions?limit=200",
    "API, schedules": f"{ROOT}/schedules",
}
_SETTINGS = """
[smtp]
host = "127.0.0.1"

[[schedule]]
name = "daily"
cron = "0 7 * * *"
"""


class Ask(NamedTuple):
    """Asks for pages as the owner, and for what the API has as a program that may do all."""

    page: Callable[[str], Answer]
    api: Callable[[str], Answer]

    def __call__(self, path: str) -> float:
        """Milliseconds until it is there."""
        own = path.removeprefix(ROOT)
        begun = time.perf_counter()
        answer = self.page(path) if own == path else self.api(own)
        assert answer.status == 200, (path, answer.status)
        return (time.perf_counter() - begun) * 1_000


def measure_console(folder: Path, _: Sizes) -> Tables:
    """Milliseconds until each page is there: the first time, the median and the worst of some."""
    write_archive(folder, ISSUES)
    path = folder / "publisher.toml"
    path.write_text(path.read_text() + _SETTINGS)
    settings = load_settings(path, {"PUBLISHER_CONSOLE__PORT": str(free_port())})
    readers = Readers(folder, settings.publication.id)
    with run_console(folder, readers, settings) as console:
        fill(console)
        program = enter(console)
        browser, bearer = console.enter("owner"), {"Authorization": f"Bearer {program.secret}"}
        # What `/metrics` takes; pages have no use for it.
        ask = Ask(lambda page: browser.get(page, bearer), lambda own: program.ask("GET", own))
        known = _read_folder(ask)
        # What `run` and the first look at an issue leave behind: it takes minutes, and only once.
        read_states(folder, settings, console.clock(), console.clock())
        check(folder, settings, console.clock(), (NEWEST,))
        rows: dict[str, Row] = {}
        for name, page in _name_pages(console).items():
            first, *others = [_ask_later(console, ask, page) for _ in range(_TRIES + 1)]
            rows[name] = {"first": [round(first, 1)], "page": [round(wait, 1) for wait in others]}
    readers.database.close()
    return {"pages": rows, "folder": {"until it is known": {"first": [round(known)]}}}


def _read_folder(ask: Ask) -> float:
    """How long it takes until the issues are there, the first time that anybody looks."""
    begun = time.perf_counter()
    while "Highlights no." not in ask.page("/issues").text:
        time.sleep(0.2)
    return (time.perf_counter() - begun) * 1_000


def _ask_later(console: Console, ask: Ask, path: str) -> float:
    console.clock.ahead += timedelta(minutes=2)  # or figures are those of before
    return ask(path)


def _name_pages(console: Console) -> dict[str, str]:
    """The pages, those of one thing for the newest one of its kind."""
    with console.database.read() as connection:
        newest = select(s.mailing.c.ref, s.delivery.c.id, s.subscriber.c.ref.label("reader"))
        newest = newest.join(s.delivery, s.delivery.c.mailing == s.mailing.c.id)
        newest = newest.join(s.subscriber, s.subscriber.c.id == s.delivery.c.subscriber)
        row = connection.execute(newest.order_by(s.delivery.c.id.desc()).limit(1)).one()
    named = {"issue": NEWEST, "mailing": row.ref, "delivery": row.id, "reader": row.reader}
    return {name: path.format(**named) for name, path in PAGES.items()}


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
    with console.database.write() as connection:
        _insert(connection, s.audit, list(_make_deeds(chance, publication, now)))


def _make_deeds(chance: random.Random, publication: int, now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(DEEDS):
        yield {
            "publication": publication,
            "at": now - timedelta(minutes=10 * (DEEDS - number)),
            "who": chance.choice(("ada@daily.example", "ben@daily.example")),
            "client": "127.0.0.1",
            "action": "issue saved",
            "about": f"{issue_date(number % ISSUES + 1):%Y-%m-%d}",
            "detail": "",
        }


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
    id_, issue = number + 1, number + 1 + ISSUES - mailings
    row = {
        "id": id_,
        "publication": publication,
        "ref": f"ref{number:013}",
        "issue": f"i{issue}",
        "slug": f"{issue_date(issue):%Y-%m-%d}",
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
