"""Which setting would have helped, from what a rehearsal showed."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil

from publisher.rehearsal.document import Advice, Firing
from publisher.rehearsal.scenario import Scenario
from publisher.rehearsal.sending import Traffic
from publisher.rehearsal.words import say_span
from publisher.settings import Schedule, Settings

_HOUR = timedelta(hours=1)
# A mailing that takes longer is worth a word, whenever the next one comes.
_LONG = timedelta(hours=2)
# What is advised leaves so much of the time to spare.
_SPARE = 0.5


def advise(
    settings: Settings,
    firings: Sequence[Firing],
    traffic: Traffic,
    domains: dict[str, int],
    scenario: Scenario,
) -> list[Advice]:
    """What could be set otherwise, most helpful first."""
    advice: list[Advice] = []
    for schedule in settings.schedule:
        own = [each for each in firings if each.schedule == schedule.name]
        missed = [each for each in own if each.came == "missed"]
        advice += _advise_catch_up(schedule, own, missed, scenario)
        advice += _advise_max_age(schedule, missed)
        advice += _advise_min_highlights(schedule, missed)
    advice += _advise_speed(settings, firings, traffic, domains)
    advice += _advise_doubts(settings, firings)
    advice += _advise_canary(settings, traffic)
    return advice


def _key(schedule: Schedule, key: str) -> str:
    return f'schedule "{schedule.name}": {key}'


def _advise_catch_up(
    schedule: Schedule, own: Sequence[Firing], missed: Sequence[Firing], scenario: Scenario
) -> Iterator[Advice]:
    """What came after `catch_up`, and before the next firing would have taken its place."""
    needed = []
    for each in missed:
        later = min((e.due for e in own if e.due > each.due), default=None)
        could = _could_fire(each, schedule, scenario)
        if could is not None and (later is None or could < later):
            needed.append(could - each.due)
    needed = [span for span in needed if schedule.catch_up < span <= timedelta(days=1)]
    if needed:
        value = _hours(max(needed))
        says = f"would have sent {len(needed)} of the {len(missed)} that were missed"
        yield Advice(_key(schedule, "catch_up"), value, says)


def _could_fire(each: Firing, schedule: Schedule, scenario: Scenario) -> datetime | None:
    """When a missed firing could have fired, if only it had still been open."""
    if each.ready is None or each.highlights < schedule.min_highlights:
        return None
    if each.date is not None and each.due - each.date > schedule.max_age:
        return None
    # A tick comes later, and another one before the end.
    could = max(each.due, each.ready + schedule.settle) + timedelta(seconds=10)
    for one in scenario.incidents:
        if one.kind == "crash" and one.begin <= could < one.end:
            could = one.end + timedelta(seconds=10)
    return could


def _hours(span: timedelta) -> str:
    return f"{ceil(span / _HOUR)}h"


def _advise_max_age(schedule: Schedule, missed: Sequence[Firing]) -> Iterator[Advice]:
    ages = [each.due - each.date for each in missed if each.date is not None]
    old = [age for age in ages if age > schedule.max_age]
    if old:
        says = (
            f"would have let {len(old)} issues be taken that were older than"
            f" {schedule.max_age} when due; an issue without a time of day is dated at midnight"
        )
        yield Advice(_key(schedule, "max_age"), _hours(max(old)), says)


def _advise_min_highlights(schedule: Schedule, missed: Sequence[Firing]) -> Iterator[Advice]:
    few = [e.highlights for e in missed if e.ready and e.highlights < schedule.min_highlights]
    if few:
        says = f"would have let {len(few)} issues be taken, with as few highlights as yours have"
        yield Advice(_key(schedule, "min_highlights"), str(max(1, min(few))), says)


def _advise_speed(
    settings: Settings, firings: Sequence[Firing], traffic: Traffic, domains: dict[str, int]
) -> Iterator[Advice]:
    """Whether a mailing ends before the next one comes, by the steady speed of its sending."""
    delivery, readers = settings.delivery, sum(domains.values())
    if not readers or not any(each.sending for each in firings):
        return
    limit, why = _find_limit(firings)
    for domain, rate in delivery.domain_rates.items():
        count = domains.get(domain.lower(), 0)
        if rate and count / rate > limit.total_seconds():
            says = f"{count:,} readers at {rate:g} a second take {_seconds(count / rate)}, {why}"
            value = f"{ceil(count / limit.total_seconds() / _SPARE * 10) / 10:g}"
            yield Advice(f'delivery.domain_rates."{domain}"', value, says)
    by_rate = readers / delivery.rate if delivery.rate else 0.0
    by_relay = readers * traffic.seconds / delivery.connections
    wanted = limit.total_seconds() * _SPARE
    if by_rate > limit.total_seconds():
        says = f"{readers:,} readers at {delivery.rate:g} a second take {_seconds(by_rate)}, {why}"
        yield Advice("delivery.rate", f"{ceil(readers / wanted)}", says)
    if by_relay > limit.total_seconds():
        says = (
            f"{readers:,} readers at {traffic.seconds:.3g} s each over {delivery.connections}"
            f" connections take {_seconds(by_relay)}, {why}"
        )
        yield Advice("delivery.connections", str(ceil(readers * traffic.seconds / wanted)), says)


def _find_limit(firings: Sequence[Firing]) -> tuple[timedelta, str]:
    """Within what time a mailing should be over, and what is wrong with one that is not."""
    due = sorted({each.due for each in firings})
    gaps = [later - earlier for earlier, later in pairwise(due)]
    shortest = min(gaps, default=_LONG)
    if shortest <= _LONG:
        return shortest, f"and the next firing can come after {say_span(shortest)}"
    return _LONG, "so that the last reader has it long after the first"


def _seconds(seconds: float) -> str:
    return say_span(timedelta(seconds=seconds))


def _advise_doubts(settings: Settings, firings: Sequence[Firing]) -> Iterator[Advice]:
    held = sum(each.sending.held for each in firings if each.sending)
    if held and settings.delivery.on_in_doubt == "hold":
        says = (
            f"would have sent {held} again that were in doubt after a crash, and that now wait for"
            " `publisher resolve`; who has it already gets it twice"
        )
        yield Advice("delivery.on_in_doubt", "resend", says)


def _advise_canary(settings: Settings, traffic: Traffic) -> Iterator[Advice]:
    delivery = settings.delivery
    if delivery.canary and traffic.refused > delivery.canary_limit:
        says = (
            f"with {traffic.refused:.1%} of the readers refused, as they are, the canary stops"
            f" nearly every mailing; better, let `publisher bounces` suppress who is gone"
        )
        yield Advice("delivery.canary_limit", f"{ceil(traffic.refused * 150) / 100:g}", says)
