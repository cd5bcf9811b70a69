"""What the week's message consists of: which issues a firing takes, and what a reader lacks."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from publisher.mailing.schedule import (
    Candidate,
    Missed,
    Occurrence,
    PassedOver,
    Reasons,
    Rule,
    Wait,
    end_of,
    newness,
    say_minute,
    say_moment,
    say_span,
    summarise,
    to_utc,
    why_unsettled,
)

# So far back the first one looks: a week, and a day for a firing that is due a little later.
_FIRST = timedelta(days=8)
# And no further any other, after months without one; a month's message is whole.
_LONGEST = timedelta(days=35)
# Each has a bit of a number that SQLite and PostgreSQL know (mailing_choice.held).
MOST_ISSUES = 60


class FireWeek(msgspec.Struct, frozen=True, kw_only=True):
    """Mail these issues, the oldest first."""

    candidates: tuple[Candidate, ...]
    passed_over: tuple[PassedOver, ...] = ()


WeekDecision = FireWeek | Wait | Missed


def key_of(wall: datetime) -> str:
    """What the message of a firing is known by, such as `week-2025-12-14`: by its day.

    A week's number would be the same for two firings of a rule that has them, and says little.
    """
    return f"week-{wall:%Y-%m-%d}"


def since(due: datetime, previous: datetime | None) -> datetime:
    """Since when the issues of a firing are dated; `previous` is when the last message started.

    What was late for that one, or not approved yet, comes in the next: it looks as far back as that
    one did at least. What was in one is in no other.
    """
    if previous is None:
        return due - _FIRST
    return max(previous - _FIRST, due - _LONGEST)


def waited_since(due: datetime, previous: datetime | None) -> datetime:
    """Who chose each issue again since then has waited for this message, and gets it still."""
    return previous or due - _FIRST


def decide_week(
    rule: Rule,
    occurrence: Occurrence,
    candidates: Sequence[Candidate],
    barred: Mapping[str, str],
    now: datetime,
) -> WeekDecision:
    """What the open firing of a week does now: take its issues, wait, or give up.

    `candidates` are dated as `since` says; `barred` says of some, by their ids, why they are in no
    week's message. Where one was changed a moment ago, all are waited for. Where there is none, an
    editor may be late; but nobody is called, for a week may well be empty.
    """
    if not occurrence.is_open:
        raise ValueError(f"{occurrence.schedule} {occurrence.wall} is closed: {occurrence.status}")
    now = to_utc(now)
    ordered = sorted(candidates, key=newness)
    reasons = [(each, _why_not(rule, each, barred, now)) for each in ordered]
    if now >= end_of(rule, occurrence):
        return _miss(rule, reasons)
    if now < occurrence.due:
        return Wait(reason=f"due at {say_minute(occurrence.wall)}", is_alert=False)
    for each, reason in reasons:
        if reason and _may_settle(rule, occurrence, each, barred, now):
            return Wait(reason=f"{each.slug}: {reason}", is_alert=False)
    taken = [each for each, reason in reasons if reason is None]
    if not taken:
        return Wait(reason=_say_nothing(reasons), is_alert=False, passed_over=_over(reasons))
    older = taken[:-MOST_ISSUES]
    reasons = [
        (each, "there are too many newer ones" if each in older else why) for each, why in reasons
    ]
    return FireWeek(candidates=tuple(taken[-MOST_ISSUES:]), passed_over=_over(reasons))


def _miss(rule: Rule, reasons: Reasons) -> Missed:
    late = f"the wait for one ({say_span(rule.catch_up)}, catch_up) is over"
    explained = [(each, reason or f"it could be mailed, but {late}") for each, reason in reasons]
    return Missed(reason=f"{late}; {_say_nothing(explained)}", passed_over=_over(explained))


def _say_nothing(reasons: Reasons) -> str:
    return summarise(reasons) if reasons else "nothing was published in this week"


def _why_not(rule: Rule, each: Candidate, barred: Mapping[str, str], now: datetime) -> str | None:
    """Why an issue is none of the week's; None where it is one."""
    if reason := barred.get(each.issue):
        return reason
    if not each.mail:
        return "it says mail: false"
    if each.status == "draft":
        return "it is a draft"
    if each.date > now:
        return f"its date, {say_moment(each.date)}, lies in the future"
    if each.has_errors:
        return "it has errors; see `publisher check`"
    if not each.highlights:
        return "it has no highlights"
    return why_unsettled(rule, each, now)


def _may_settle(
    rule: Rule,
    occurrence: Occurrence,
    each: Candidate,
    barred: Mapping[str, str],
    now: datetime,
) -> bool:
    """Tell whether an issue is taken before `catch_up` ends if only nobody changes it."""
    settled_at = to_utc(each.changed_at) + rule.settle
    if settled_at >= end_of(rule, occurrence):
        return False
    return _why_not(rule, each, barred, max(now, settled_at)) is None


def _over(reasons: Reasons) -> tuple[PassedOver, ...]:
    return tuple(PassedOver(each, reason) for each, reason in reasons if reason is not None)
