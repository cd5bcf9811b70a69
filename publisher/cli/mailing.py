"""How the commands about mailings show one, and who delivers."""

from datetime import datetime

from publisher.model.delivery import Counts, Mailing
from publisher.store.workers import Worker

# What follows the number of deliveries in each status, where there are any.
_WORDS = {
    "sent": "sent",
    "queued": "queued",
    "sending": "being sent",
    "deferred": "deferred",
    "failed": "failed",
    "in_doubt": "in doubt",
    "suppressed": "not sent, as their readers left first",
    "cancelled": "cancelled",
}


def say_counts(counts: Counts) -> str:
    """The counts that are not zero: `998 sent, 2 deferred`."""
    shown = [
        f"{number:,} {words}"
        for status, words in _WORDS.items()
        if (number := getattr(counts, status))
    ]
    return ", ".join(shown) or "nobody to send to"


def say_mailing(mailing: Mailing, counts: Counts) -> str:
    """One line about a mailing."""
    why = f" ({mailing.reason})" if mailing.reason else ""
    held = "; the rest waits for what becomes of the first" if mailing.canary_last else ""
    folded = "folded: " if mailing.folded_at else ""
    return f"{mailing.name}: {mailing.status}{why}; {folded}{say_counts(counts)}{held}"


def say_worker(worker: Worker, now: datetime) -> str:
    """One line about a delivering process."""
    lead = ", leads" if worker.is_lead else ""
    silent = max((now - worker.seen_at).total_seconds(), 0)
    sent = f"{worker.sent:,} sent, {worker.rate:,.0f} a second"
    return f"worker {worker.name}{lead}: {sent}; last heard of {silent:.0f} s ago"
