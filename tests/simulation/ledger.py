"""The ledger, read again from its beginning: it alone has to explain how everything stands."""

from collections import Counter
from itertools import groupby
from operator import itemgetter

from publisher.mailing.transitions import DELIVERY_TRANSITIONS, MAILING_TRANSITIONS
from publisher.rehearsal.world import Disk
from publisher.store.mailings import count_deliveries, get_mailing
from tests.simulation.expected import OPEN, Delivery, Expected, require

# What pauses a mailing by itself, as its reason says it.
CAUSES = {
    "not answered": "paused by doubts",
    "in the same words": "paused by refusals",
    "refused the login": "paused by the login",
    "from this sender": "paused by the sender",
    "from a backup": "paused by a restore",
}
_SETTLING = frozenset(
    event for event, each in DELIVERY_TRANSITIONS.items() if each.before == ("sending",)
)
_UNHEARD = ("resent", "doubted")
_RETRIED = ("retried", "requeued")


def require_ledger(disk: Disk, expected: Expected) -> set[str]:
    """Require that the ledger gives every status; give the events that it names."""
    lines = disk.run("SELECT delivery, event FROM ledger WHERE delivery NOTNULL ORDER BY 1, id")
    events_of = {
        id: [event for _, event in group] for id, group in groupby(lines, key=itemgetter(0))
    }
    for each in expected.deliveries.values():
        _require_delivery(each, events_of.get(each.id, []))
    of_mailings = _require_mailings(disk, expected)
    _require_counts(disk, expected)
    return {event for _, event in lines} | of_mailings


def _require_delivery(each: Delivery, events: list[str]) -> None:
    status = "queued"
    for event in events:
        transition = DELIVERY_TRANSITIONS[event]
        if event in _SETTLING:
            require(status in ("queued", "deferred"), f"delivery {each.id}: {event} in {status}")
        else:
            require(status in transition.before, f"delivery {each.id}: {event} in {status}")
        status = transition.after
    require(status == each.status, f"the ledger has delivery {each.id} {status}")
    settled = sum(event in _SETTLING for event in events)
    require(settled == each.settlements, f"delivery {each.id} settled {settled} times: {events}")
    _require_truth(each, events)


def _require_truth(each: Delivery, events: list[str]) -> None:
    """What the relay took, against what we say that it took."""
    told = f"delivery {each.id}, which the relay took {each.taken_by_relay} times"
    heard, unheard = events.count("accepted"), sum(event in _UNHEARD for event in events)
    require(heard <= 1, f"{told}, was heard accepted {heard} times")
    require(heard <= each.taken_by_relay <= heard + unheard, f"{told}: {events}")
    require(each.taken_by_relay <= each.most_taken, f"{told}: at most {each.most_taken} is allowed")
    if each.status == "sent":
        require(bool(heard) or events[-1] in ("marked", "proven"), f"{told}, is sent: {events}")
    if each.status == "failed":
        require(heard == 0, f"{told}, has failed: {events}")


def _require_mailings(disk: Disk, expected: Expected) -> set[str]:
    sql = "SELECT mailing, event, reply FROM ledger WHERE delivery IS NULL ORDER BY id"
    statuses = dict.fromkeys(expected.mailings, "sending")
    seen = set()
    for mailing, event, reason in disk.run(sql):
        if event in ("started", "canary_passed", "revised"):
            continue
        transition = MAILING_TRANSITIONS[event]
        is_right = statuses[mailing] in transition.before
        require(is_right, f"mailing {mailing}: {event} in {statuses[mailing]}")
        statuses[mailing] = transition.after
        seen |= {event, *(cause for words, cause in CAUSES.items() if words in (reason or ""))}
    for each in expected.mailings.values():
        require(statuses[each.id] == each.status, f"the ledger has mailing {each.id} otherwise")
    return seen


def _require_counts(disk: Disk, expected: Expected) -> None:
    for mailing in expected.mailings:
        rows = expected.of(mailing)
        with disk.reading() as connection:
            found = get_mailing(connection, mailing)
            counts = count_deliveries(connection, found)
        for status, number in Counter(each.status for each in rows).items():
            is_right = getattr(counts, status) == number
            require(is_right, f"mailing {mailing}: {number} are {status}, and {counts} counts")
        require(counts.total == len(rows), f"mailing {mailing} counts {counts.total}")
        is_open = any(each.status in OPEN for each in rows)
        require(not is_open or found.status != "finished", f"mailing {mailing} is not finished")
