"""A simulated newsroom and its schedulers: the real Scheduler, Alerts and store in simulated time.

Every public method without an underscore is something that can happen; all of them may be called
at any time. What is so afterwards is held against schedules_expected.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from publisher.model.audience import Consent
from publisher.rehearsal.newsroom import Act, File, Newsroom
from publisher.rehearsal.world import PUBLICATION, Clock, Crash, Disk, Store
from publisher.runtime.alerts import Alerts
from publisher.runtime.scheduler import Scheduler
from publisher.settings import Alerts as AlertSettings
from publisher.settings import Email, PublicationTable, Schedule, Settings, Smtp
from publisher.store.arming import arm, disarm
from publisher.store.starting import start_issue_mailing
from publisher.store.subscribers import NewSubscriber, add_all
from tests.simulation.expected import require
from tests.simulation.schedules_expected import Expected, Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CountedStore(Store):
    """A store whose fault or ambush comes at a later write than the next one."""

    skipped = 0

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if self.skipped > 0:
            self.skipped -= 1
            with self.disk.writing() as connection:
                yield connection
            return
        with super().write() as connection:
            yield connection


class Schedules:
    """A publication with schedules, its editors, and up to two processes that let them tick."""

    def __init__(self, disk: Disk, zone: str, start: datetime, schedules: Sequence[Schedule]):
        disk.clear()
        self.disk, self.zone = disk, zone
        self.clock = Clock(start)
        self.newsroom = Newsroom()
        self.expected = Expected(zone)
        self.schedules = tuple(schedules)
        self.stores = [CountedStore(disk, self.clock) for _ in range(2)]
        self.processes: list[Scheduler] = [self._start(0), self._start(1)]
        self.is_disturbed = False
        self.readers = self.number = 0
        self.counts: dict[str, int] = {}

    # Editors

    def write(self, slug: str, **fields: object) -> None:
        """Save an issue: a new one, or another version of one that is there."""
        before = self.newsroom.files.get(slug)
        self.number += 1
        if before is None:
            before = File(f"i{self.number}", slug, self.clock.now, self.clock.now, 0)
        changed = {"version": self.number, "changed_at": self.clock.now, **fields}
        self.newsroom.files[slug] = replace(before, **changed)  # type: ignore[arg-type]

    def rename(self, slug: str, other: str) -> None:
        """The file gets another NAME: its ctime changes, its id does not."""
        if slug in self.newsroom.files and other not in self.newsroom.files:
            file = self.newsroom.files.pop(slug)
            self.newsroom.files[other] = replace(file, slug=other, changed_at=self.clock.now)

    def copy(self, slug: str, other: str) -> None:
        """A copied file has the same id, which is an error until one of the two is gone."""
        if slug in self.newsroom.files and other not in self.newsroom.files:
            file = self.newsroom.files[slug]
            self.newsroom.files[other] = replace(file, slug=other, changed_at=self.clock.now)

    def delete(self, slug: str) -> None:
        self.newsroom.files.pop(slug, None)

    def withdraw_what_is_gone(self) -> None:
        """What was published and is no more is taken back, so that the site builds again."""
        ready = {each.id for each in self.newsroom.files.values() if each.is_ready}
        for id in self.newsroom.published.keys() - ready:
            del self.newsroom.published[id]

    def builds_meet(self, fault: str) -> None:
        """`after_build` fails, or files are `unreadable`, or all goes well: an empty word."""
        self.newsroom.fault = fault

    # Operators

    def subscribe(self, count: int) -> None:
        new = [
            NewSubscriber(ref=f"r{n}", email=f"r{n}@a.example", name="", address_hash=b"%d" % n)
            for n in range(self.readers, self.readers + count)
        ]
        self.readers += count
        consent = Consent(at=self.clock.now, action="vouched", source="operator", origin="")
        with self.disk.writing() as connection:
            add_all(connection, PUBLICATION, new, consent)

    def send(self, slug: str) -> None:
        """`publisher send NAME`: an issue of any age, that is ready and published."""
        file = self.newsroom.files.get(slug)
        is_due = file is not None and file.is_ready and file.date <= self.clock.now
        if file is None or not is_due or not self.readers or self.expected.is_unarmed:
            return
        new = self.newsroom.make_mailing(file, "hand")
        with self.disk.writing() as connection:
            start_issue_mailing(connection, PUBLICATION, new, self.clock.now)
        self.expected.mailed.add(file.id)

    def schedule(self, schedules: Sequence[Schedule]) -> None:
        """Edit the schedules, and start the processes again."""
        self.schedules = tuple(schedules)
        self.processes = [self._start(0), self._start(1)]

    def restore(self) -> None:
        with self.disk.writing() as connection:
            disarm(connection, PUBLICATION, self.clock.now)
        self.expected.is_unarmed = True

    def arm(self) -> None:
        with self.disk.writing() as connection:
            arm(connection, PUBLICATION, self.disk.place, self.clock.now)
        self.expected.arm(self.clock.now)

    # The machine

    def pass_time(self, seconds: float) -> None:
        """Nothing runs: a downtime, or the time between two ticks."""
        self.clock.true += seconds

    def jump(self, seconds: float) -> None:
        """The wall clock is set."""
        self.clock.ahead += seconds

    def kill_at_write(self, process: int, number: int, *, is_durable: bool) -> None:
        """`kill -9` at the end of a process's n-th transaction from now."""
        store = self.stores[process]
        store.fault, store.skipped = "after" if is_durable else "before", number

    def ambush_write(self, process: int, number: int, act: Act) -> None:
        """Let something happen just before a process's n-th transaction from now."""
        store = self.stores[process]
        store.ambush, store.skipped = self._disturbing(act), number

    def ambush_build(self, stage: str, act: Act) -> None:
        """Let something happen `before reading` or `after reading` of the next build."""
        self.newsroom.meanwhile[stage] = self._disturbing(act)

    def _disturbing(self, act: Act) -> Act:
        def disturb() -> None:
            self.is_disturbed = True
            act()

        return disturb

    def tick(self, process: int = 0) -> None:
        """One process's tick, and whether what came of it is as promised."""
        # A tick that happens in another one's finds what that one has done by half.
        is_inner, self.is_disturbed = self.is_disturbed, False
        before, files, trouble = self.rows(), set(self.newsroom.files.values()), self._trouble()
        mailed, superseded = set(self.expected.mailed), set(self.expected.superseded)
        try:
            self.processes[process].tick(self.clock.now)
        except Crash:
            self.is_disturbed = True
            self.processes[process] = self._start(process)
        # Not as a tick that happened in this one left them.
        self.expected.mailed, self.expected.superseded = mailed, superseded
        self.is_disturbed = self.is_disturbed or is_inner
        self._judge(before, files, trouble)
        self.is_disturbed = is_inner

    def _judge(self, before: dict[tuple[str, str], Row], files: set[File], trouble: str) -> None:
        now, after, alerts = self.clock.now, self.rows(), self.alerts()
        superseded = {row[0] for row in self.disk.run("SELECT issue FROM superseded")}
        sql = "SELECT issue FROM mailing WHERE purpose = 'issue'"
        mailed = {row[0] for row in self.disk.run(sql)}
        files_of_both = (files, set(self.newsroom.files.values()))
        self.expected.require_safe(
            before, after, self.schedules, now, files_of_both, mailed | superseded
        )
        self._require_mailings()
        if not self.is_disturbed:
            self.expected.tick(self.schedules, files, now, trouble)
            self.expected.compare(after, alerts, superseded)
        self.expected.adopt(after, alerts, self._seen())
        self.expected.mailed, self.expected.superseded = mailed, superseded

    def _trouble(self) -> str:
        """What keeps an issue from being sent."""
        if self.newsroom.fault == "unreadable":
            return "unreadable"
        if self.newsroom.has_errors() or self.newsroom.fault:
            return "refused"
        return "" if self.readers else "nobody"

    def _start(self, number: int) -> Scheduler:
        settings = _settings(self.zone, self.schedules)
        store = self.stores[number]
        store.fault, store.ambush, store.skipped = None, None, 0
        alerts = Alerts(store, settings, lambda text: None)  # type: ignore[arg-type]
        return Scheduler(
            store,
            settings,
            self.newsroom,
            lambda told: alerts.hear_schedule(told, self.clock.now),
        )

    # The end

    def finish(self) -> None:
        """From now on all goes well: what is ready is sent, and nothing is left open."""
        for number in range(2):
            self.processes[number] = self._start(number)
        self.newsroom.meanwhile.clear()
        self.newsroom.fault = ""
        for slug, file in list(self.newsroom.files.items()):
            if file.has_errors or not file.is_ready:
                self.delete(slug)
        for slug in [slug for slug, each in self.newsroom.files.items() if self._is_copy(slug)]:
            self.delete(slug)
        self.withdraw_what_is_gone()
        self.arm()
        self.subscribe(1)
        self.tick()
        if self.schedules:
            self._require_the_next_firing(self.schedules[0])
        self.schedule(())
        self.tick()
        left = [row for row in self.rows().values() if row.status == "open" or not row.outcome]
        require(not left, f"{left} are left open, or nobody knows what came of them")

    def _is_copy(self, slug: str) -> bool:
        own = self.newsroom.files[slug]
        return any(e.id == own.id and e.slug < slug for e in self.newsroom.files.values())

    def _require_the_next_firing(self, schedule: Schedule) -> None:
        """With an issue that is newer than all, and left alone, the next firing sends it."""
        self.schedule((schedule,))
        self.tick()
        due, known = self.clock.now, {row.due for row in self.rows().values()}
        # What fired while the clock stood ahead does not fire again.
        while due - self.clock.now <= schedule.settle or due in known:
            due = self.expected.next_due(schedule.cron, due)
        for each in list(self.newsroom.files.values()):
            if each.date >= due - timedelta(seconds=1):
                self.delete(each.slug)
        self.withdraw_what_is_gone()
        date = due - timedelta(seconds=1)
        self.write("last", is_ready=True, date=date, highlights=9, mail=True)
        self.pass_time((due - self.clock.now).total_seconds())
        self.tick()
        sent = {row.issue for row in self.rows().values() if row.due == due}
        require(self.newsroom.files["last"].id in sent, "an issue was ready, and was not sent")

    # Whether it is so

    def rows(self) -> dict[tuple[str, str], Row]:
        sql = (
            "SELECT o.schedule, o.wall, o.due_at, o.status, o.outcome, o.issue, m.ref, m.digest"
            " FROM occurrence o LEFT JOIN mailing m ON m.id = o.mailing"
        )
        versions = self.newsroom.versions
        return {
            (name, wall): Row(_moment(due), status, outcome, issue, ref or "", versions.get(digest))
            for name, wall, due, status, outcome, issue, ref, digest in self.disk.run(sql)
        }

    def alerts(self) -> set[tuple[str, str]]:
        return set(self.disk.run("SELECT kind, about FROM alert"))

    def _seen(self) -> dict[str, tuple[str, datetime]]:
        rows = self.disk.run("SELECT name, cron, first_seen_at FROM schedule")
        return {name: (cron, _moment(at)) for name, cron, at in rows}

    def _require_mailings(self) -> None:
        """One mailing for each issue, one firing for each that a schedule began, and so on."""
        rows = self.disk.run("SELECT issue FROM mailing WHERE purpose = 'issue'")
        require(len(set(rows)) == len(rows), f"issues have several mailings: {rows}")
        begun = {
            ref for (ref,) in self.disk.run("SELECT ref FROM mailing") if ref[:8] == "schedule"
        }
        firings = [row.ref for row in self.rows().values() if row.ref in begun]
        require(sorted(begun) == sorted(firings), f"{begun} are of the firings {firings}")
        mails = self.disk.run("SELECT count(*) FROM mailing WHERE purpose = 'alert'")[0][0]
        told = len(self.alerts())
        require(mails == told, f"{mails} alerts were mailed, of {told} that were to be told")


def _settings(zone: str, schedules: Sequence[Schedule]) -> Settings:
    publication = PublicationTable(
        id="tag:sample.example,2025:x", title="D", url="https://d.example", time_zone=zone
    )
    return Settings(
        publication=publication,
        email=Email(from_="D <d@daily.example>", postal_address="1 Street"),
        smtp=(Smtp(host="relay.example"),),
        schedule=tuple(schedules),
        alerts=AlertSettings(email="operator@ops.example"),
    )


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)
