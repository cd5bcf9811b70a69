"""A rehearsal: the scheduler and the dispatcher, and what happens to them, in simulated time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from publisher.model.audience import Consent
from publisher.model.delivery import Reply
from publisher.rehearsal.facts import Facts
from publisher.rehearsal.groups import Group, draw_refused, make_groups, round_up, scale_rules
from publisher.rehearsal.newsroom import File, Newsroom
from publisher.rehearsal.outcome import Heard, Occurred, read_occurred
from publisher.rehearsal.scenario import Incident, Options, Planned, Scenario
from publisher.rehearsal.sending import Sending, Servers, Tally, Traffic
from publisher.rehearsal.world import PUBLICATION, Clock, Disk, Store
from publisher.runtime.planned import PlannedSends
from publisher.runtime.scheduler import Scheduler, Told
from publisher.runtime.sending import make_rules
from publisher.settings import Settings
from publisher.store.mailings import list_active_mailings
from publisher.store.occurrences import save_occurrences, see_schedule, supersede_issues
from publisher.store.plans import add_plan
from publisher.store.relays import count_messages
from publisher.store.starting import start_issue_mailing
from publisher.store.subscribers import NewSubscriber, add_all

# As publisher.runtime.roles.
TICK_SECONDS = 5
# As publisher.mailing.schedule: no firing is over before a tick could come.
_LEAST_CATCH_UP = timedelta(seconds=10)
# How long after the last day deliveries that still wait are followed, besides `give_up_after`.
_AFTERWARDS = timedelta(days=1)
# The simulated deliveries of all mailings together, and the most and least of one.
_ALL, _MOST, _LEAST = 40_000, 2_000, 100

Progress = Callable[[str, int, int], None]

# What happens at one moment happens in this order.
_INCIDENT, _SAVE, _TICK = range(3)


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a rehearsal. `ready` is when each issue was ready, by NAME; `made_for` names the
    issue of each firing, by schedule and wall time; `rows` are the deliveries simulated for each
    mailing.
    """

    occurred: tuple[Occurred, ...]
    files: dict[str, File]
    ready: dict[str, datetime]
    made_for: dict[tuple[str, datetime], str]
    rows: int
    readers: int


def rehearse(
    settings: Settings,
    facts: Facts,
    scenario: Scenario,
    traffic: Traffic,
    options: Options,
    most: int | None = None,
    progress: Progress = lambda step, done, total: None,
) -> Ran:
    """Live through a scenario. `most` is how many deliveries are simulated of a mailing at most."""
    most = most or min(_MOST, max(_LEAST, _ALL // max(1, len(scenario.firings))))
    with TemporaryDirectory() as folder:
        disk = Disk(Path(folder))
        try:
            return Rehearsal(disk, settings, facts, scenario, traffic, options, most).run(progress)
        finally:
            disk.close()


class Rehearsal:
    """One world, from the beginning to the end."""

    def __init__(
        self,
        disk: Disk,
        settings: Settings,
        facts: Facts,
        scenario: Scenario,
        traffic: Traffic,
        options: Options,
        most: int,
    ) -> None:
        disk.clear()
        self.disk, self.settings, self.facts = disk, settings, facts
        self.scenario, self.options = scenario, options
        self.zone = ZoneInfo(settings.publication.time_zone)
        self.clock = Clock(options.begin)
        self.chance = Random(f"{options.seed} sending")  # noqa: S311 - nothing secret
        self.newsroom = Newsroom()
        self.store, self.desk = Store(disk, self.clock), Store(disk, self.clock)
        self.heard: dict[tuple[str, datetime], list[Heard]] = {}
        self.ready: dict[str, datetime] = {}
        self.made_for: dict[tuple[str, datetime], str] = {}
        self.tallies: dict[int, Tally] = {}
        self.process: Sending | None = None
        # The deliveries whose bodies were begun when everything was killed.
        self.begun: dict[int, Reply | None] = {}
        self._events: list[tuple[datetime, int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._remember()
        groups = self._subscribe(traffic, most)
        self.groups = {each.email: each for each in groups}
        self.servers = Servers(self.groups, traffic, self.chance)
        self.rules = scale_rules(make_rules(settings), groups)
        self.newsroom.canary = self._scale_canary(len(groups))
        self._plan()

    def run(self, progress: Progress = lambda step, done, total: None) -> Ran:
        """Live through all of it; `progress` is told of the days."""
        self._start()
        total = (self.options.end - self.options.begin).days
        while self._events:
            moment, _, _, act = heappop(self._events)
            self._advance(moment)
            act()
            progress("days", (moment - self.options.begin).days, total)
        self._advance(self.options.end)
        self._run_out()
        occurred = read_occurred(self.disk, self.groups, self.tallies)
        return Ran(
            occurred=tuple(self._with_heard(each) for each in occurred),
            files=self.newsroom.files,
            ready=self.ready,
            made_for=self.made_for,
            rows=len(self.groups),
            readers=sum(each.weight for each in self.groups.values()),
        )

    # The beginning

    def _remember(self) -> None:
        """What is on record: issues that were mailed or passed over, and what is open."""
        begin = self.options.begin
        for file in self.facts.files:
            self.newsroom.files[file.slug] = file
            if file.is_ready:
                self.ready[file.slug] = file.changed_at
        with self.disk.writing() as connection:
            for file in self.facts.files:
                if file.id in self.facts.mailed:
                    new = self.newsroom.make_mailing(file, "before")
                    start_issue_mailing(connection, PUBLICATION, new, begin)
            supersede_issues(connection, PUBLICATION, sorted(self.facts.superseded), begin)
            for relay, day in self.facts.relay_days:
                count_messages(connection, PUBLICATION, relay, day, sent=1)
            self._remember_open(connection)

    def _remember_open(self, connection: Connection) -> None:
        for each in self.settings.schedule:
            open_ = [one for one in self.facts.open if one.schedule == each.name]
            since = min([self.options.begin, *(one.due for one in open_)]) - timedelta(seconds=1)
            see_schedule(connection, PUBLICATION, each.name, each.cron, str(self.zone), since)
            save_occurrences(connection, PUBLICATION, open_, self.options.begin)
        for plan in self.facts.plans:
            if (file := self.newsroom.files.get(plan.slug)) is not None:
                digest = self.newsroom.make_mailing(file, "look").digest
                add_plan(
                    connection,
                    PUBLICATION,
                    issue=plan.issue,
                    slug=plan.slug,
                    digest=digest,
                    who=plan.who,
                    client=plan.client,
                    now=plan.planned_at,
                )

    def _subscribe(self, traffic: Traffic, most: int) -> list[Group]:
        rates = self.settings.delivery.domain_rates
        domains = make_groups(self.facts.domains, most, rates)
        groups = draw_refused(domains, traffic.refused, self.chance)
        new = [
            NewSubscriber(ref=f"r{n}", email=each.email, name="", address_hash=b"%d" % n)
            for n, each in enumerate(groups)
        ]
        consent = Consent(at=self.options.begin, action="vouched", source="operator", origin="")
        with self.disk.writing() as connection:
            add_all(connection, PUBLICATION, new, consent)
        return groups

    def _scale_canary(self, rows: int) -> int:
        canary = self.settings.delivery.canary
        return max(1, canary * rows // self.facts.readers) if canary and rows else 0

    # What will happen

    def _plan(self) -> None:
        for planned in self.scenario.firings:
            self._plan_issue(planned)
        for incident in self.scenario.incidents:
            self._at(incident.begin, _INCIDENT, self._beginning(incident))
            self._at(incident.end, _INCIDENT, self._ending(incident))
        for moment in sorted(self._ticks()):
            self._at(moment, _TICK, self._tick)

    def _at(self, moment: datetime, order: int, act: Callable[[], None]) -> None:
        if self.options.begin <= moment < self.options.end:
            heappush(self._events, (moment.astimezone(UTC), order, next(self._numbers), act))

    def _plan_issue(self, planned: Planned) -> None:
        """The issue that a firing's editor makes, or that is there already for that day."""
        file = self._find_file(planned)
        if file is None and planned.ready is None:
            return
        if file is None:
            file = self._new_file(planned)
        self.made_for[planned.schedule, planned.due.wall] = file.slug
        if planned.ready is not None and not file.is_ready:
            self.ready[file.slug] = planned.ready
            begin = max(planned.ready, self.options.begin)
            self._at(begin, _SAVE, self._saving(file, planned.ready))

    def _saving(self, file: File, ready: datetime) -> Callable[[], None]:
        done = replace(file, is_ready=True, changed_at=ready, version=file.version + 1)

        def save() -> None:
            self.newsroom.files[file.slug] = done

        return save

    def _find_file(self, planned: Planned) -> File | None:
        """An issue of that day that nobody was sent, and that no other firing is waiting for."""
        taken = set(self.made_for.values())
        gone = self.facts.mailed | self.facts.superseded
        day = planned.due.wall.date()
        for file in self.facts.files:
            is_free = file.mail and file.id not in gone and file.slug not in taken
            if is_free and file.date.astimezone(self.zone).date() == day:
                return file
        return None

    def _new_file(self, planned: Planned) -> File:
        wall, ready = planned.due.wall, planned.ready or planned.due.instant
        taken = {*self.newsroom.files, *self.made_for.values()}
        day = f"{wall:%Y-%m-%d}"
        names = (day, f"{day}-{planned.schedule}", f"{day}-{planned.schedule}-{wall:%H%M}")
        slug = next(name for name in names if name not in taken)
        midnight = datetime.combine(wall.date(), time(0), self.zone).astimezone(UTC)
        least = max(each.min_highlights for each in self.settings.schedule)
        return File(
            id=f"rehearsed-{slug}",
            slug=slug,
            date=ready if self.facts.is_dated else midnight,
            changed_at=ready,
            version=0,
            highlights=self.facts.highlights or least,
        )

    def _ticks(self) -> set[datetime]:
        """Whenever something may be decided otherwise than at the tick before."""
        rules = {each.name: each for each in self.settings.schedule}
        settles = {each.settle for each in rules.values()}
        moments = {self.options.begin, *(plan.due_at for plan in self.facts.plans)}
        for each in self.scenario.firings:
            instant, catch_up = each.due.instant, rules[each.schedule].catch_up
            moments |= {instant, instant + max(catch_up, _LEAST_CATCH_UP)}
        saved = [each.ready for each in self.scenario.firings if each.ready is not None]
        for moment in [*saved, *(each.changed_at for each in self.facts.files)]:
            moments |= {moment + settle for settle in settles}
        moments |= {file.date for file in self.facts.files}
        begin = self.options.begin
        return {round_up(each, begin, TICK_SECONDS) for each in moments if each >= begin}

    def _beginning(self, incident: Incident) -> Callable[[], None]:
        if incident.kind == "crash":
            return self._kill
        return lambda: self._set_mood(incident, is_on=True)

    def _ending(self, incident: Incident) -> Callable[[], None]:
        if incident.kind == "crash":
            return self._start
        return lambda: self._set_mood(incident, is_on=False)

    def _set_mood(self, incident: Incident, *, is_on: bool) -> None:
        if incident.kind == "relay down":
            self.servers.mood = "unreachable" if is_on else None
        elif is_on:
            self.servers.domain_moods[incident.domain] = "slower domain"
        else:
            self.servers.domain_moods.pop(incident.domain, None)

    # What does happen

    def _start(self) -> None:
        """`run` starts, or is started again."""
        self._deliver()
        self.scheduler = Scheduler(self.desk, self.settings, self.newsroom, self._hear)
        self.planned = PlannedSends(self.desk, self.newsroom)
        self._tick()

    def _deliver(self) -> None:
        self.process = Sending(
            self.store, self.rules, self.servers, self.chance, self.tallies, self._pause
        )
        self.process.dispatcher.recover(self.clock.now, self.begun)
        self.begun = {}

    def _kill(self) -> None:
        """`kill -9` of everything, in the middle of whatever is going on."""
        if self.process is not None:
            self.begun = self.process.die(is_through=self.chance.random() < 0.5)
            self.process = None

    def _tick(self) -> None:
        if self.process is None:
            return
        before = self.disk.changes
        self.planned.tick(self.clock.now)
        self.scheduler.tick(self.clock.now)
        if self.disk.changes != before:
            self.store.changes += 1  # the delivery process notices

    def _hear(self, told: Told) -> None:
        if told.event != "fired":
            key = told.schedule, told.occurrence.wall
            self.heard.setdefault(key, []).append(Heard(self.clock.now, told.event, told.reason))

    def _advance(self, until: datetime) -> None:
        """Let time pass."""
        end = (until - self.clock.start).total_seconds()
        while self.process is not None:
            self.process.notice()
            upcoming = self.process.next_event()
            if upcoming > end:
                break
            self.clock.true = max(self.clock.true, upcoming)
            self.process.turn()
        self.clock.true = max(self.clock.true, end)

    def _run_out(self) -> None:
        """After the last day all goes well, until nothing waits any more."""
        if self.process is None:
            self._deliver()
        self.servers.heal()
        last = self.options.end + self.settings.delivery.give_up_after + _AFTERWARDS
        while self.clock.now < last and self._is_sending():
            self._advance(self.clock.now + timedelta(hours=1))

    def _is_sending(self) -> bool:
        with self.disk.reading() as connection:
            active = list_active_mailings(connection, PUBLICATION)
        return any(each.status == "sending" for each in active)

    def _pause(self, moment: datetime) -> datetime:
        """When something that is due is tried: where nothing runs, or goes, after that."""
        for each in self.scenario.incidents:
            if each.kind != "domain slow" and each.begin <= moment < each.end:
                moment = each.end
        return moment

    def _with_heard(self, each: Occurred) -> Occurred:
        if not each.schedule:
            return each
        heard = self.heard.get((each.schedule, datetime.fromisoformat(each.wall)), [])
        return msgspec.structs.replace(each, heard=tuple(heard))
