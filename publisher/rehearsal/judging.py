"""What came of each firing, and why: from how it stands at the end, and from what went wrong."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from publisher.mailing.cron import to_instant
from publisher.rehearsal.document import Came, Firing
from publisher.rehearsal.newsroom import File
from publisher.rehearsal.outcome import Occurred
from publisher.rehearsal.rehearse import Ran
from publisher.rehearsal.scenario import Incident, Scenario
from publisher.rehearsal.words import say_moment, say_span
from publisher.settings import Schedule, Settings

# What comes so much after its time is on time: a tick, a file that settles, the first answer.
_PUNCTUAL = timedelta(minutes=2)


def make_firing(each: Occurred, ran: Ran, scenario: Scenario, settings: Settings) -> Firing:
    """A firing as it is shown."""
    zone = ZoneInfo(settings.publication.time_zone)
    wall = datetime.fromisoformat(each.wall) if each.wall else None
    written = ran.made_for.get((each.schedule, wall)) if wall else None
    issue = each.slug or written
    file, ready = ran.files.get(issue or ""), ran.ready.get(issue or "")
    came, why = _judge(each, file, ready, scenario, settings)
    return Firing(
        schedule=each.schedule,
        due=each.due,
        came=came,
        why=why,
        issue=issue,
        written=written,
        date=file.date if file else None,
        highlights=file.highlights if file else 0,
        ready=ready,
        fired=each.ran_at if each.status in ("fired", "started") else None,
        clock=_say_clock(wall, zone) if wall else "",
        sending=each.mailing,
        told=tuple(
            f"{say_moment(heard.at, zone)} {heard.event}: {heard.reason}"
            for heard in each.heard
            if heard.event != "missed"  # what is known then stands above
        ),
    )


def _judge(
    each: Occurred,
    file: File | None,
    ready: datetime | None,
    scenario: Scenario,
    settings: Settings,
) -> tuple[Came, str]:
    if each.status in ("fired", "started"):
        return _judge_fired(each, ready, scenario)
    if each.status in ("superseded", "overtaken"):
        return "superseded", each.outcome
    if each.status in ("open", "waiting"):
        return "waiting", each.outcome
    schedule = next((one for one in settings.schedule if one.name == each.schedule), None)
    if schedule is None:  # a planned send
        return "missed", each.outcome
    return "missed", _explain_missed(each, schedule, file, ready, scenario)


def _explain_missed(
    each: Occurred,
    schedule: Schedule,
    file: File | None,
    ready: datetime | None,
    scenario: Scenario,
) -> str:
    """In a few words, where they can be found; else as it is on record."""
    if faults := [heard.reason for heard in each.heard if heard.event == "failed"]:
        return faults[-1]
    reasons, over = [], each.due + schedule.catch_up
    if file is None or ready is None:
        reasons.append("no issue was written for it")
    elif ready + schedule.settle > over:
        reasons.append(f"{file.slug} was ready {say_span(ready - each.due)} after its time")
    elif each.due - file.date > schedule.max_age:
        age = say_span(each.due - file.date)
        reasons.append(f"{file.slug} was {age} old when due; max_age is {schedule.max_age}")
    if down := find_away(scenario, each.due, each.ran_at or over, ("crash",)):
        reasons.append(_say_away(down))
    return "; ".join([*reasons, "catch_up had passed" if reasons else each.outcome])


def _judge_fired(each: Occurred, ready: datetime | None, scenario: Scenario) -> tuple[Came, str]:
    """On time or late, and why."""
    mailing, ran_at = each.mailing, each.ran_at or each.due
    if mailing is None or mailing.first is None:
        waiting = "it waited behind other mailings until the end" if mailing else each.outcome
        return "not sent", (mailing and mailing.reason) or waiting
    if mailing.status == "paused":
        return "not sent", f"paused: {mailing.reason}"
    late = mailing.first - each.due
    if late <= _PUNCTUAL:
        return "on time", ""
    reasons = _explain_fired(each, ran_at, ready, scenario) if ran_at > each.due else []
    if mailing.first - ran_at > _PUNCTUAL:
        away = find_away(scenario, ran_at, mailing.first, ("relay down", "domain slow", "crash"))
        reasons.append(_say_away(away) if away else "other mailings went before it")
    return "late", f"{say_span(late)} late: {'; '.join(reasons) or each.outcome}"


def _explain_fired(
    each: Occurred, ran_at: datetime, ready: datetime | None, scenario: Scenario
) -> list[str]:
    reasons = []
    if ready and ready > each.due:
        reasons.append(f"the editor was {say_span(ready - each.due)} late")
    if down := find_away(scenario, each.due, ran_at, ("crash",)):
        reasons.append(_say_away(down))
    return reasons or [heard.reason for heard in each.heard[:1]]


def find_away(
    scenario: Scenario, begin: datetime, end: datetime, kinds: Sequence[str]
) -> Incident | None:
    """The incident of these kinds that ends last, of those between two moments."""
    those = [e for e in scenario.incidents if e.kind in kinds and e.begin < end and e.end > begin]
    return max(those, key=lambda each: each.end, default=None)


def _say_away(incident: Incident) -> str:
    span = say_span(incident.end - incident.begin)
    if incident.kind == "domain slow":
        return f"{incident.domain} asked for less for {span}"
    return f"nothing ran for {span}" if incident.kind == "crash" else f"no relay for {span}"


def _say_clock(wall: datetime, zone: ZoneInfo) -> str:
    """What the clock does at a wall time: leaves it out, or shows it twice (PEP 495)."""
    shown = to_instant(wall, zone).astimezone(zone).replace(tzinfo=None)
    if shown != wall:
        return f"the clock leaves {wall:%H:%M} out: due when it shows {shown:%H:%M}"
    if wall.replace(tzinfo=zone, fold=1).utcoffset() != wall.replace(tzinfo=zone).utcoffset():
        return f"the clock shows {wall:%H:%M} twice: due at the first"
    return ""
