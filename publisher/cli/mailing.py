"""How the commands about mailings show one."""

from publisher.model.delivery import Counts, Mailing

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
