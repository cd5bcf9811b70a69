"""When what an operator was told is over, where nothing says so when it ends.

What holds a state of its own, such as a paused mailing or a relay, is looked at by `alerts`.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection

from publisher.model.plan import Plan
from publisher.runtime.webhooks import name_webhook
from publisher.settings import Settings
from publisher.store.alerts import Raised, list_raised
from publisher.store.mailings import find_mailing_by_slug, list_issue_mailings
from publisher.store.occurrences import list_open
from publisher.store.plans import list_waiting

# Each event of a firing that is told, and as what.
OF_FIRINGS = {"waiting": "nothing-ready", "failed": "firing-failed", "missed": "missed"}
PLANNED = "planned-send"
WEBHOOK = "webhook-given-up"
# Who has not seen to a firing or a planned send by then has let it be: the next one counts.
_PAST = timedelta(days=2)


def name_firing(schedule: str, wall: datetime) -> str:
    """A firing, as it is told of."""
    return f"{schedule} {wall.isoformat(timespec='minutes')}"


def name_plan(plan: Plan) -> str:
    """A planned send and how it stands, as it is told of."""
    return f"{plan.slug} {plan.planned_at.isoformat(timespec='seconds')} {plan.status}"


def find_over(
    connection: Connection, publication: int, settings: Settings, now: datetime
) -> list[Raised]:
    """What an operator was told of firings, planned sends and webhooks, and what is over of it."""
    kinds = (*OF_FIRINGS.values(), PLANNED, WEBHOOK)
    raised = list_raised(connection, publication, kinds)
    if not raised:
        return []
    newest = list_issue_mailings(connection, publication, limit=1)
    sent_at = newest[0].created_at if newest else None
    firings = {name_firing(*each) for each in list_open(connection, publication)}
    plans = list_waiting(connection, publication)
    hosts = {name_webhook(webhook.url) for webhook in settings.webhook}

    def is_over(each: Raised) -> bool:
        if each.kind == WEBHOOK:  # one that hears us again is noted when it does
            return each.about not in hosts
        if each.kind == PLANNED:
            return _is_plan_over(connection, publication, each, plans, now)
        return _is_firing_over(each, firings, sent_at, now)

    return [each for each in raised if is_over(each)]


def _is_firing_over(
    each: Raised, firings: Collection[str], sent_at: datetime | None, now: datetime
) -> bool:
    """What was missing is there once an issue was sent; a fault lasts while it is tried again."""
    is_open = each.about in firings
    if is_open and each.kind == OF_FIRINGS["failed"]:
        return False
    is_sent = sent_at is not None and sent_at >= each.raised_at
    return is_sent or (not is_open and now - each.raised_at >= _PAST)


def _is_plan_over(
    connection: Connection,
    publication: int,
    each: Raised,
    plans: Collection[Plan],
    now: datetime,
) -> bool:
    """One that waited does not any more; what was refused was sent since, or is planned again."""
    slug, _, status = each.about.split(" ")
    if status == "waiting":
        return each.about not in {name_plan(plan) for plan in plans}
    if any(plan.slug == slug for plan in plans) or now - each.raised_at >= _PAST:
        return True
    return find_mailing_by_slug(connection, publication, slug) is not None
