"""What the contract lets schedules do, written a second time and more simply.

After each tick that nothing disturbed, all that is on record has to be as expected; after one that
was, by a kill or by somebody else at the same time, what was sent has to have been allowed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from publisher.rehearsal.newsroom import File
from publisher.settings import Schedule
from tests.simulation.expected import require

_DAY = timedelta(days=1)
# A tick comes late: so long is what is ready mailed without any catch_up.
_LEAST = timedelta(seconds=10)
# Of a clock that stood in another year no more is recorded.
_MOST = 1000
_OF_FIRINGS = ("nothing-ready", "firing-failed", "missed")


class Row(NamedTuple):
    """An occurrence on record, and the mailing that it started or joined."""

    due: datetime
    status: str
    outcome: str
    issue: str | None
    ref: str
    file: File | None


@dataclass
class Firing:
    due: datetime
    status: str  # open, fired or passed
    issue: str | None = None


class Expected:
    """What ought to be on record."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        self.firings: dict[tuple[str, str], Firing] = {}
        self.seen: dict[str, tuple[str, datetime]] = {}
        self.alerts: set[tuple[str, str]] = set()
        self.mailed: set[str] = set()
        self.superseded: set[str] = set()
        self.is_unarmed = False
        self.happened: set[str] = set()
        # What fired, as it was first seen on record.
        self.fired: dict[tuple[str, str], Row] = {}

    # Cron, and the wall clock

    def walls(self, cron: str, after: datetime, until: datetime) -> list[tuple[datetime, str]]:
        """What is due later than one moment and not later than another."""
        minutes, hours, days, months, weekdays = (
            _numbers(text, low, high)
            for text, (low, high) in zip(
                cron.split(), ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7)), strict=True
            )
        )
        is_either = cron.split()[2] != "*" and cron.split()[4] != "*"
        found = []
        for day in _days(after - 2 * _DAY, until + 2 * _DAY):
            in_month = day.day in days
            in_week = bool({day.isoweekday() % 7, day.isoweekday()} & weekdays)
            is_day = (in_month or in_week) if is_either else (in_month and in_week)
            if not is_day or day.month not in months:
                continue
            for hour in hours:
                for minute in minutes:
                    wall = day.replace(hour=hour, minute=minute)
                    if after < (due := self.instant(wall)) <= until:
                        found.append((due, wall.isoformat(timespec="minutes")))
        return sorted(found)

    def instant(self, wall: datetime) -> datetime:
        """When the clock first shows a wall time; in a gap, as long after it as was left out."""
        noted = wall.replace(tzinfo=UTC)
        before, after = (
            noted - each.astimezone(self.zone).utcoffset()  # type: ignore[operator]
            for each in (noted - _DAY, noted + _DAY)
        )
        shown = [
            each
            for each in (before, after)
            if each.astimezone(self.zone).replace(tzinfo=None) == wall
        ]
        return min(shown, default=before)

    def next_due(self, cron: str, after: datetime) -> datetime:
        return self.walls(cron, after, after + 40 * _DAY)[0][0]

    # One tick

    def tick(
        self, schedules: Sequence[Schedule], files: Collection[File], now: datetime, trouble: str
    ) -> None:
        """What a tick does that nothing disturbs.

        `trouble` is what keeps an issue from being sent: the files are `unreadable`, the build is
        `refused`, `nobody` is subscribed; or it is empty.
        """
        if self.is_unarmed:
            return
        for name in self.seen.keys() - {each.name for each in schedules}:
            del self.seen[name]
            self._pass_over(key for key in self._open(name))
        for each in schedules:
            self._record(each, now)
            self._decide(each, () if trouble == "unreadable" else files, now, trouble)

    def _record(self, schedule: Schedule, now: datetime) -> None:
        name, cron = schedule.name, schedule.cron
        if self.seen.get(name, ("", now))[0] != cron or self.seen[name][1] > now:
            self.seen[name] = (cron, now)
        for key, firing in list(self.firings.items()):
            if key[0] == name and firing.due > now and firing.status != "fired":
                del self.firings[key]
        mine = [each.due for key, each in self.firings.items() if key[0] == name]
        after = max([self.seen[name][1], *(due for due in mine if due <= now)])
        late = ""
        for due, wall in self.walls(cron, after, now)[-_MOST:]:
            if (name, wall) in self.firings:
                continue
            is_late = now >= due + max(schedule.catch_up, _LEAST)
            self.firings[name, wall] = Firing(due, "passed" if is_late else "open")
            late = wall if is_late else late
        if late:
            self._alert("missed", f"{name} {late}")
        those = [(each.due, key) for key, each in self.firings.items() if key[0] == name]
        newest = max((each for each in those if each[0] <= now), default=None)
        self._pass_over(key for key in self._open(name) if newest and key != newest[1])

    def _decide(
        self, schedule: Schedule, files: Collection[File], now: datetime, trouble: str
    ) -> None:
        for key in self._open(schedule.name):
            firing, about = self.firings[key], " ".join(key)
            if now >= firing.due + max(schedule.catch_up, _LEAST):
                firing.status = "passed"
                self._alert("missed", about)
                self.happened.add("missed after waiting")
                continue
            chosen = self._choose(schedule, firing.due, files, now)
            if chosen == "settling":
                self.happened.add("waited for an editor to stop")
            elif trouble == "unreadable" or (chosen is not None and trouble == "refused"):
                self._alert("firing-failed", about)
            elif not isinstance(chosen, File) or trouble == "nobody":
                self._alert("nothing-ready", about)
            else:
                self._send(schedule, firing, chosen, files, now)

    def _send(
        self,
        schedule: Schedule,
        firing: Firing,
        chosen: File,
        files: Collection[File],
        now: datetime,
    ) -> None:
        others = {
            each.id
            for each in files
            if each.place < chosen.place and self._is_ready(each, schedule, firing.due, now)
        }
        self.superseded |= others
        self.mailed.add(chosen.id)
        firing.status, firing.issue = "fired", chosen.id
        self.happened.add("fired")
        self.happened |= {"superseded issues"} if others else set()
        self.happened |= {"served a late editor"} if chosen.changed_at > firing.due else set()

    def _choose(
        self, schedule: Schedule, due: datetime, files: Collection[File], now: datetime
    ) -> File | str | None:
        """The newest that may be sent; `settling` where a newer one will be, if left alone."""
        for each in sorted(files, key=lambda each: each.place, reverse=True):
            when = max(now, each.changed_at + schedule.settle)
            if self._may_be_sent(each, schedule, due, when):
                if when == now:
                    return each
                if when < due + max(schedule.catch_up, _LEAST):
                    return "settling"
        return None

    def _may_be_sent(self, file: File, schedule: Schedule, due: datetime, when: datetime) -> bool:
        is_whole = file.highlights >= schedule.min_highlights and not file.has_errors
        return is_whole and self._is_ready(file, schedule, due, when)

    def _is_ready(self, file: File, schedule: Schedule, due: datetime, when: datetime) -> bool:
        is_young = due - file.date <= schedule.max_age
        is_new = file.id not in self.mailed and file.id not in self.superseded
        return file.is_ready and file.mail and file.date <= when and is_young and is_new

    def _open(self, name: str) -> list[tuple[str, str]]:
        those = self.firings.items()
        return [key for key, each in those if key[0] == name and each.status == "open"]

    def _pass_over(self, keys: Iterable[tuple[str, str]]) -> None:
        for key in keys:
            self.firings[key].status = "passed"

    def _alert(self, kind: str, about: str) -> None:
        """Each firing is told of once in each way; and as missed only if not at all before."""
        is_told = any((each, about) in self.alerts for each in _OF_FIRINGS)
        if kind != "missed" or not is_told:
            self.alerts.add((kind, about))
            self.happened.add(kind)

    def arm(self, now: datetime) -> None:
        """What was due while nothing was sent is not made up for."""
        if self.is_unarmed:
            self.is_unarmed = False
            self._pass_over(key for key, each in self.firings.items() if each.status == "open")
            self.seen = {name: (cron, now) for name, (cron, _) in self.seen.items()}

    # Whether it is so

    def compare(
        self,
        rows: Mapping[tuple[str, str], Row],
        alerts: set[tuple[str, str]],
        superseded: set[str],
    ) -> None:
        """Hold what is on record against what ought to be."""
        wanted = {key: (each.due, each.status, each.issue) for key, each in self.firings.items()}
        found = {key: (row.due, _plainly(row.status), row.issue) for key, row in rows.items()}
        for key in wanted.keys() | found.keys():
            right, is_so = wanted.get(key), found.get(key)
            require(right == is_so, f"{key} is {is_so}, and ought to be {right}")
        require(alerts == self.alerts, f"told {alerts}, and not {self.alerts}")
        is_right = superseded == self.superseded
        require(is_right, f"{superseded} are superseded, and not {self.superseded}")

    def require_safe(
        self,
        before: Mapping[tuple[str, str], Row],
        after: Mapping[tuple[str, str], Row],
        schedules: Sequence[Schedule],
        now: datetime,
        files: tuple[Collection[File], Collection[File]],
        gone: set[str],
    ) -> None:
        """What holds whatever happened meanwhile.

        `files` are those before and after the tick, `gone` what has a mailing or is superseded now.
        """
        for key, row in before.items():
            if row.due <= now and row.status != "open":
                require(after.get(key) == row, f"{key} was closed, and is {after.get(key)}")
            require(key in after or row.due > now, f"{key} is forgotten")
        for key, row in self.fired.items():
            require(after.get(key) == row, f"{key} fired, and is {after.get(key)}")
        rules = {each.name: each for each in schedules}
        for key, row in after.items():
            require(row.due == self.instant(datetime.fromisoformat(key[1])), f"{key} at {row.due}")
            is_new = key not in before or before[key].status != "fired"
            if is_new and row.status == "fired" and row.ref.startswith("schedule"):
                self._require_allowed(key, row, rules[key[0]], now, files, gone)

    def _require_allowed(
        self,
        key: tuple[str, str],
        row: Row,
        schedule: Schedule,
        now: datetime,
        files: tuple[Collection[File], Collection[File]],
        gone: set[str],
    ) -> None:
        """It was ready and at rest, as it was sent; and none that stood there was newer."""
        file, due = row.file, row.due
        end = due + max(schedule.catch_up, _LEAST)
        require(due <= now < end, f"{key} fired at {now}")
        is_at_rest = file is not None and file.changed_at + schedule.settle <= now
        require(is_at_rest, f"{key} sent {file}, which was changed just now")
        assert file is not None
        is_right = self._may_be_sent(file, schedule, due, now)
        require(is_right, f"{key} sent {file}")
        # What somebody else has sent or superseded meanwhile was no more to be had.
        stood = {each for each in set(files[0]) & set(files[1]) if each.id not in gone}
        newer = [
            each
            for each in stood
            if each.place > file.place
            and each.changed_at + schedule.settle <= now
            and self._may_be_sent(each, schedule, due, now)
        ]
        require(not newer, f"{key} sent {file}, and {newer} are newer")

    def adopt(
        self,
        rows: Mapping[tuple[str, str], Row],
        alerts: set[tuple[str, str]],
        seen: dict[str, tuple[str, datetime]],
    ) -> None:
        """Begin from what is on record: after a kill, what was not done is not."""
        self.firings = {
            key: Firing(row.due, _plainly(row.status), row.issue) for key, row in rows.items()
        }
        self.alerts, self.seen = set(alerts), dict(seen)
        self.fired = {key: row for key, row in rows.items() if row.status == "fired"}


def _plainly(status: str) -> str:
    return status if status in ("open", "fired") else "passed"


def _numbers(text: str, low: int, high: int) -> set[int]:
    """A list of numbers and ranges, or all."""
    if text == "*":
        return set(range(low, high + 1))
    spans = [[int(end) for end in part.split("-")] for part in text.split(",")]
    return {number for span in spans for number in range(span[0], span[-1] + 1)}


def _days(first: datetime, last: datetime) -> Iterator[datetime]:
    day = first.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    while day <= last.replace(tzinfo=None):
        yield day
        day += _DAY
