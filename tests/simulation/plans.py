"""Operators who plan sends and take them back, two processes that tick, kills: in simulated time.

Every public method is something that can happen; all may be called at any time. Afterwards what is
on record has to have been allowed, and in the end nothing waits.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from publisher.model.plan import GRACE, LATEST
from publisher.rehearsal.newsroom import File
from publisher.rehearsal.world import PUBLICATION, Crash, Disk
from publisher.runtime.alerts import Alerts
from publisher.runtime.planned import PlannedSends, ToldPlan
from publisher.store.plans import add_plan, close_plan, find_last_plan, find_plan
from publisher.store.starting import start_issue_mailing
from tests.simulation import schedules
from tests.simulation.expected import require
from tests.simulation.schedules import Schedules

SLUGS = ("a", "b", "c")


class Plans(Schedules):
    """A publication without schedules, whose operators send from the console."""

    def __init__(self, disk: Disk, start: datetime) -> None:
        super().__init__(disk, "Europe/Berlin", start, [])
        self.told: list[tuple[int, str]] = []
        # The issue as it was when it was approved, by the plan's id.
        self.approved: dict[int, File] = {}
        self.taken_back: set[int] = set()
        self.planners = [self._start_planner(0), self._start_planner(1)]

    def _start_planner(self, number: int) -> PlannedSends:
        store = self.stores[number]
        store.fault, store.ambush, store.skipped = None, None, 0
        settings = schedules._settings(self.zone, [])
        alerts = Alerts(store, settings, lambda text: None)  # type: ignore[arg-type]

        def hear(told: ToldPlan) -> None:
            self.told.append((told.plan.id, told.plan.status))
            alerts.hear_planned(told, self.clock.now)

        return PlannedSends(store, self.newsroom, hear)

    def approve(self, slug: str) -> None:
        """Somebody presses Send, as the console does it."""
        file = self.newsroom.files.get(slug)
        if file is None or not file.is_ready or not self.readers or self.expected.is_unarmed:
            return
        digest = self.newsroom.make_mailing(file, "look").digest
        with self.disk.writing() as connection:
            last = find_last_plan(connection, PUBLICATION, file.id)
            mailed = connection.exec_driver_sql(
                "SELECT 1 FROM mailing WHERE issue = ? AND purpose = 'issue'", (file.id,)
            ).first()
            if mailed or (last is not None and last.status == "waiting"):
                return
            plan = add_plan(
                connection,
                PUBLICATION,
                issue=file.id,
                slug=slug,
                digest=digest,
                who="anna@daily.example",
                client="",
                now=self.clock.now,
            )
        self.approved[plan.id] = file

    def take_back(self, number: int) -> None:
        """Somebody takes the n-th newest plan back, where that is not too late."""
        ids = sorted(self.approved, reverse=True)[number:][:1]
        for id in ids:
            with self.disk.writing() as connection:
                is_done = close_plan(
                    connection, PUBLICATION, id, "taken_back", self.clock.now, by="ben"
                )
            if is_done:
                self.taken_back.add(id)

    def tick_plans(self, process: int = 0) -> None:
        """One process's tick, in which it may be killed."""
        try:
            self.planners[process].tick(self.clock.now)
        except Crash:
            self.planners[process] = self._start_planner(process)
        self.require_sound()

    def require_sound(self) -> None:
        """What was sent was approved, of that very content, at its time, and once."""
        self._require_mailings_once()
        for id, file in self.approved.items():
            with self.disk.reading() as connection:
                plan = find_plan(connection, PUBLICATION, id)
            assert plan is not None
            if id in self.taken_back:
                require(plan.status == "taken_back", f"plan {id} was taken back: {plan}")
                require(plan.mailing is None, f"plan {id} was taken back, and sent")
            if plan.status == "started":
                rows = self.disk.run(
                    "SELECT digest, issue FROM mailing WHERE ref = ?", plan.mailing or ""
                )
                require(rows == [(plan.digest, file.id)], f"{plan} is not of what was approved")
                early = plan.closed_at is None or plan.closed_at < plan.due_at
                require(not early, f"{plan} started before its time")
            require(
                plan.status in ("waiting", "started", "taken_back") or bool(plan.reason),
                f"nobody knows what came of {plan}",
            )

    def _require_mailings_once(self) -> None:
        rows = self.disk.run("SELECT issue FROM mailing WHERE purpose = 'issue'")
        require(len(set(rows)) == len(rows), f"issues have several mailings: {rows}")
        begun = {
            ref for (ref,) in self.disk.run("SELECT ref FROM mailing") if ref[:8] == "schedule"
        }
        sql = (
            "SELECT m.ref FROM planned_send p JOIN mailing m ON m.id = p.mailing"
            " WHERE p.status = 'started'"
        )
        started = [ref for (ref,) in self.disk.run(sql)]
        require(sorted(begun) == sorted(started), f"{begun} are of the plans {started}")

    def finish_plans(self) -> None:
        """All goes well from now on: each issue that is approved again, and left alone, is sent."""
        for number in range(2):
            self.planners[number] = self._start_planner(number)
        self.newsroom.meanwhile.clear()
        self.newsroom.fault = ""
        self.arm()
        self.subscribe(1)
        for slug in list(self.newsroom.files):
            self.write(slug, is_ready=True, mail=True, has_errors=False, date=self.clock.now)
        self.withdraw_what_is_gone()
        self.tick_plans()
        self.pass_time((GRACE + LATEST).total_seconds() + 1)
        self.tick_plans()
        before = set(self.approved)
        for slug in self.newsroom.files:
            self.approve(slug)
        self.pass_time(GRACE.total_seconds())
        self.tick_plans(1)
        for id in set(self.approved) - before:
            with self.disk.reading() as connection:
                plan = find_plan(connection, PUBLICATION, id)
            require(plan is not None and plan.status == "started", f"{plan} was left alone")
        waiting = self.disk.run("SELECT id FROM planned_send WHERE status = 'waiting'")
        require(not waiting, f"{waiting} still wait")

    def statuses(self) -> set[str]:
        return {status for (status,) in self.disk.run("SELECT status FROM planned_send")}

    def send_by_hand(self, slug: str) -> None:
        """`publisher send NAME` at this moment."""
        file = self.newsroom.files.get(slug)
        if file is None or not file.is_ready or not self.readers or self.expected.is_unarmed:
            return
        new = self.newsroom.make_mailing(file, "hand")
        with self.disk.writing() as connection:
            start_issue_mailing(connection, PUBLICATION, new, self.clock.now)


def history(disk: Disk, seed: int) -> set[str]:
    """One history drawn from a seed; gives the statuses that plans came to."""
    chance = Random(seed)
    start = schedules._EPOCH + timedelta(days=20_000, seconds=chance.randrange(86_400))
    world = Plans(disk, start)
    if chance.random() < 0.9:
        world.subscribe(2)
    for slug in SLUGS:
        world.write(slug, is_ready=chance.random() < 0.9)
    for _ in range(chance.randrange(10, 40)):
        _happen(world, chance)
    statuses = world.statuses()
    world.finish_plans()
    return statuses


def _happen(world: Plans, chance: Random) -> None:
    slug = chance.choice(SLUGS)
    acts: list[tuple[int, Callable[[], object]]] = [
        (6, lambda: world.approve(slug)),
        (2, lambda: world.take_back(chance.randrange(2))),
        (2, lambda: world.write(slug, is_ready=chance.random() < 0.8)),
        (1, lambda: world.write(slug, has_errors=chance.random() < 0.3)),
        (1, lambda: world.write(slug, mail=chance.random() < 0.7)),
        (1, lambda: world.delete(slug)),
        (1, lambda: world.send_by_hand(slug)),
        (1, world.withdraw_what_is_gone),
        (1, lambda: world.builds_meet(chance.choice(("", "", "after_build")))),
        (1, world.restore),
        (2, world.arm),
        (2, lambda: world.jump(chance.choice((-300, 300, 90_000, -90_000)))),
        (4, lambda: _disturb(world, chance, slug)),
        (8, lambda: world.pass_time(chance.choice((5, 20, 55, 60, 120, 3600, 5 * 3600)))),
        (10, lambda: world.tick_plans(chance.randrange(2))),
    ]
    weights = [weight for weight, _ in acts]
    chance.choices(acts, weights)[0][1]()


def _disturb(world: Plans, chance: Random, slug: str) -> None:
    """A kill, or what somebody does in the midst of the next tick."""
    process, number = chance.randrange(2), chance.randrange(3)
    others: list[Callable[[], None]] = [
        lambda: world.take_back(0),
        lambda: world.tick_plans(1 - process),
        lambda: world.send_by_hand(slug),
        lambda: world.write(slug, is_ready=True),
        lambda: world.write(slug, is_ready=False),
    ]
    kind = chance.choice(("before", "after", "write", "build"))
    if kind == "write":
        world.ambush_write(process, number, chance.choice(others))
    elif kind == "build":
        world.ambush_build(
            chance.choice(("before reading", "after reading")), chance.choice(others)
        )
    else:
        world.kill_at_write(process, number, is_durable=kind == "after")
