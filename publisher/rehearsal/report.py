"""What a rehearsal showed, in words: each firing, what went wrong, and the whole in a line."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from publisher.errors import SettingsError
from publisher.rehearsal.advice import advise
from publisher.rehearsal.document import Event, Firing, Report
from publisher.rehearsal.facts import Facts
from publisher.rehearsal.judging import make_firing
from publisher.rehearsal.rehearse import Progress, rehearse
from publisher.rehearsal.scenario import Incident, Options, Scenario, draw_scenario
from publisher.rehearsal.traffic import make_traffic
from publisher.rehearsal.words import say_moment, say_span
from publisher.runtime.start import require_sendable
from publisher.settings import Schedule, Settings

# A clock is not changed twice within this.
_STEP = timedelta(hours=1)
# So many issues are named that nobody was sent.
_MOST_LEFT = 5


def make_report(
    settings: Settings,
    facts: Facts,
    options: Options,
    progress: Progress = lambda step, done, total: None,
) -> Report:
    """Rehearse, and say what came of it."""
    if options.readers is not None:
        facts = msgspec.structs.replace(facts, domains=scale_domains(facts, options.readers))
    scenario = draw_scenario(settings, facts, options)
    traffic = make_traffic(settings, facts, options)
    ran = rehearse(settings, facts, scenario, traffic, options, progress=progress)
    zone = ZoneInfo(settings.publication.time_zone)
    firings = tuple(make_firing(each, ran, scenario, settings) for each in ran.occurred)
    per_delivery = ran.readers / ran.rows if ran.rows else 1.0
    return Report(
        begin=options.begin,
        end=options.end,
        time_zone=settings.publication.time_zone,
        seed=options.seed,
        readers=facts.readers,
        domains=tuple(facts.domains.items()),
        readers_per_delivery=round(per_delivery, 1),
        summary=tuple(_summarise(firings, settings, facts, options)),
        firings=firings,
        events=tuple(_list_events(scenario, options, zone)),
        advice=tuple(advise(settings, firings, traffic, dict(facts.domains), scenario)),
        assumed=(*scenario.assumed, *traffic.assumed, *_say_rest(facts, options, per_delivery)),
    )


def scale_domains(facts: Facts, readers: int) -> dict[str, int]:
    """So many readers, of the domains that they are of now."""
    if not facts.readers:
        return {"example.com": readers} if readers else {}
    before, scaled = 0, {}
    for domain, count in facts.domains.items():
        upto = before + count
        scaled[domain] = readers * upto // facts.readers - readers * before // facts.readers
        before = upto
    return {domain: count for domain, count in scaled.items() if count}


# Everything besides


def _list_events(scenario: Scenario, options: Options, zone: ZoneInfo) -> list[Event]:
    events = [_say_incident(each, zone) for each in scenario.incidents]
    return sorted(
        [*events, *find_clock_changes(zone, options.begin, options.end)],
        key=lambda each: (each.begin, each.kind),
    )


def _say_incident(incident: Incident, zone: ZoneInfo) -> Event:
    span = say_span(incident.end - incident.begin)
    until = say_moment(incident.end, zone)
    says = {
        "crash": f"everything is killed, and runs again {span} later, at {until}",
        "relay down": f"the relay answers nobody for {span}, until {until}",
        "domain slow": f"{incident.domain} asks for less for {span}, until {until}",
    }[incident.kind]
    return Event(kind=incident.kind, begin=incident.begin, end=incident.end, says=says)


def find_clock_changes(zone: ZoneInfo, begin: datetime, end: datetime) -> list[Event]:
    """When the zone's clock is put forth or back between two moments."""
    changes, moment = [], begin.astimezone(UTC)
    while moment < end:
        after = moment + _STEP
        if moment.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            changes.append(_say_change(_narrow(moment, after, zone), zone))
        moment = after
    return changes


def _narrow(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second with the offset of `after`."""
    while after - before > timedelta(seconds=1):
        seconds = (after - before) // timedelta(seconds=1)
        middle = before + timedelta(seconds=seconds // 2)
        is_new = middle.astimezone(zone).utcoffset() == after.astimezone(zone).utcoffset()
        before, after = (before, middle) if is_new else (middle, after)
    return after.replace(microsecond=0)


def _say_change(moment: datetime, zone: ZoneInfo) -> Event:
    before = (moment - timedelta(seconds=1)).astimezone(zone).utcoffset() or timedelta(0)
    now = moment.astimezone(zone)
    shown = moment.replace(tzinfo=None) + before
    word = "forward" if (now.utcoffset() or timedelta(0)) > before else "back"
    says = f"the clock goes {word}, from {shown:%H:%M} to {now:%H:%M}"
    return Event(kind="clock change", begin=moment, end=moment, says=says)


def _say_rest(facts: Facts, options: Options, per_delivery: float) -> list[str]:
    said = ["for every firing an issue is written, besides those that are in issues/ for its day"]
    if options.readers is not None:
        said.append(f"there are {options.readers:,} readers (--readers)")
    if not facts.highlights:
        said.append("every issue has enough highlights, for there is none yet to go by")
    if options.is_calm:
        said.append("the relay is never away, and nothing is killed (--calm)")
    else:
        said.append(
            f"the relay is away, or a domain slow, {options.outages} times, and everything is"
            f" killed {options.crashes} times, half of it around a firing (--outages, --crashes)"
        )
    if per_delivery > 1:
        said.append(f"{per_delivery:.0f} readers at a time are sent to as one; times are as coarse")
    return said


# The whole


def _summarise(
    firings: Sequence[Firing], settings: Settings, facts: Facts, options: Options
) -> list[str]:
    lines = []
    if not settings.schedule:
        lines.append(
            "There is no schedule: publisher.toml has no [[schedule]]; nothing is sent by itself."
        )
    if fault := _find_fault(settings):
        lines.append(f"{fault}; until then every firing is missed.")
    if facts.unarmed:
        lines.append(f"{facts.unarmed}: schedules are off until `publisher arm`, and on in this.")
    if settings.schedule and not facts.readers:
        lines.append("Nobody is subscribed, so nothing is sent; `--readers N` rehearses with some.")
    if settings.choices.weekly:
        lines.append(
            "The week's message (choices.weekly) is not rehearsed: all readers are taken for those"
            " who get each issue."
        )
    never = [each for each in settings.schedule if not _has(firings, each)]
    lines += [f"{each.name} ({each.cron}) does not fire in these days." for each in never]
    if firings:
        lines.append(_sum_up(firings))
    if left := _find_left(firings, options):
        more = f" and {len(left) - _MOST_LEFT} more" if len(left) > _MOST_LEFT else ""
        lines.append(f"Written, and sent by no schedule: {', '.join(left[:_MOST_LEFT])}{more}.")
    return lines


def _find_left(firings: Sequence[Firing], options: Options) -> list[str]:
    """The issues that were ready before the end, and that no firing took."""
    taken = {each.issue for each in firings if each.fired or each.came == "waiting"}
    written = (each for each in firings if each.written and each.written not in taken)
    return [each.written for each in written if each.written and _is_ready(each, options)]


def _is_ready(each: Firing, options: Options) -> bool:
    return each.issue != each.written or (each.ready is not None and each.ready < options.end)


def _find_fault(settings: Settings) -> str:
    """Which settings keep anything from being sent."""
    try:
        require_sendable(settings)
    except SettingsError as error:
        return str(error)
    return ""


def _has(firings: Sequence[Firing], schedule: Schedule) -> bool:
    return any(each.schedule == schedule.name for each in firings)


def _sum_up(firings: Sequence[Firing]) -> str:
    """`30 firings: 27 sent on time, 2 late (…), 1 missed (…).`"""
    parts = []
    for came, words in (
        *(("on time", "sent on time"), ("late", "late"), ("missed", "missed")),
        *(("superseded", "superseded"), ("not sent", "started and not sent")),
        ("waiting", "still waiting"),
    ):
        those = [each for each in firings if each.came == came]
        if not those:
            continue
        why = "; ".join(dict.fromkeys(each.why for each in those[:3] if each.why))
        more = f"; and {len(those) - 3} more" if len(those) > 3 and why else ""
        parts.append(f"{len(those)} {words}{f' ({why}{more})' if why else ''}")
    total = f"{len(firings)} firing{'' if len(firings) == 1 else 's'}"
    return f"{total}: {', '.join(parts)}."
