"""Histories of schedules drawn from a seed: `history(disk, 7)` is the same on every machine.

`python -m tests.simulation.schedules_history 0 1000 2` runs those of a range of seeds.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing import Pool
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec

from publisher.rehearsal.newsroom import Act
from publisher.rehearsal.world import Disk
from publisher.settings import Duration, Schedule
from tests.simulation.expected import BrokenPromise
from tests.simulation.history import _memory as memory
from tests.simulation.schedules import Schedules

# Where clocks changed, and when in UTC; in São Paulo and Cairo midnight was left out.
CHANGES = (
    *(("Europe/Berlin", "2025-03-30T01:00"), ("Europe/Berlin", "2025-10-26T01:00")),
    *(("America/New_York", "2025-03-09T07:00"), ("America/New_York", "2025-11-02T06:00")),
    *(("America/Sao_Paulo", "2018-11-04T03:00"), ("America/Sao_Paulo", "2018-02-18T02:00")),
    *(("Africa/Cairo", "2023-04-27T22:00"), ("Africa/Cairo", "2023-10-26T21:00")),
    *(("Australia/Lord_Howe", "2025-10-04T15:30"), ("Australia/Lord_Howe", "2025-04-05T15:00")),
    ("Asia/Shanghai", "2025-12-15T00:00"),
)
CRONS = (
    *("30 6 * * *", "0 0 * * *", "30 2 * * *", "15 2 * * *", "30 1 * * *", "0 6,18 * * *"),
    *("15 * * * *", "0 7 * * 1-5", "30 0 * * 0", "30 0 * * 7", "0 6 13 * 5", "10,30 2,3 * * *"),
)
_SLUGS = ("a", "b", "c", "d", "e")
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
_PAUSES = (5, 30, 65, 5 * _MINUTE, 20 * _MINUTE, _HOUR, 3 * _HOUR, 7 * _HOUR, _DAY)


class History:
    """A world, and what happens in it by chance; `told` says what happened, step by step."""

    def __init__(self, disk: Disk, seed: int) -> None:
        self.chance = chance = Random(seed)
        self.told: list[str] = []
        zone, change = chance.choice(CHANGES)
        before = timedelta(minutes=chance.randrange(48 * 60), seconds=chance.randrange(60))
        start = datetime.fromisoformat(change).replace(tzinfo=UTC) - before
        rules = [self._rule(name) for name in ("daily", "other")[: chance.choice((1, 1, 1, 2))]]
        self.told.append(f"{zone} from {start}: {rules}")
        self.world = Schedules(disk, zone, start, rules)

    def _rule(self, name: str) -> Schedule:
        chance = self.chance
        return Schedule(
            name=name,
            cron=chance.choice(CRONS),
            catch_up=Duration(minutes=chance.choice((0, 10, 180, 180, 20 * 60))),
            max_age=Duration(hours=chance.choice((6, 36, 36, 96))),
            min_highlights=chance.choice((1, 1, 3)),
            settle=Duration(seconds=chance.choice((0, 60, 60, 600))),
        )

    def run(self) -> set[str]:
        chance = self.chance
        if chance.random() < 0.9:
            self._do("subscribe", 2)
        self._do("tick", 0)
        for _ in range(chance.choice((3, 5, 8, 12))):
            self._happen()
            self._pass_time()
            for process in chance.choice(((0,), (0,), (0, 0), (0, 1))):
                self._do("tick", process)
        self.told.append("finish")
        self.world.finish()
        return self.world.expected.happened

    def _do(self, name: str, *values: object, **named: object) -> None:
        self.told.append(f"{self.world.clock.now:%d %H:%M:%S} {name} {values or ''}{named or ''}")
        getattr(self.world, name)(*values, **named)

    def _pass_time(self) -> None:
        """Somewhat; or to what is due next, or to the end of what is waited for."""
        world, chance = self.world, self.chance
        kind = chance.random()
        if kind < 0.5 and world.schedules:
            rule = chance.choice(world.schedules)
            due = world.expected.next_due(rule.cron, world.clock.now)
            wait = (due - world.clock.now).total_seconds() + chance.choice((-1, 0, 1, 3, 8, 70))
            self._do("pass_time", min(max(wait, 1), 4 * _DAY))
        elif kind < 0.6 and (ends := self._ends()):
            self._do("pass_time", chance.choice(ends) + chance.choice((-1, 0, 1)))
        else:
            self._do("pass_time", chance.choice(_PAUSES))

    def _ends(self) -> list[float]:
        """How long the open firings are still waited for."""
        world = self.world
        rules = {each.name: each.catch_up for each in world.schedules}
        ends = [
            firing.due + rules[name] - world.clock.now
            for (name, _), firing in world.expected.firings.items()
            if firing.status == "open" and name in rules
        ]
        return [each.total_seconds() for each in ends if each > timedelta(seconds=2)]

    def _happen(self) -> None:
        acts = self._edit, self._edit_in_time, self._operate, self._break, self._ambush
        self.chance.choices(acts, (6, 5, 2, 3, 2))[0](self.chance)

    def _edit(self, chance: Random) -> None:
        slug, other = chance.choice(_SLUGS), chance.choice(_SLUGS)
        acts: tuple[tuple[object, ...], ...] = (
            *(("write", slug), ("rename", slug, other), ("copy", slug, other), ("delete", slug)),
            ("withdraw_what_is_gone",),
        )
        name, *values = chance.choices(acts, (9, 1, 0.5, 1, 2))[0]
        fields = self._fields(chance) if name == "write" else {}
        self._do(str(name), *values, **fields)

    def _fields(self, chance: Random) -> dict[str, object]:
        """Of an issue that is saved: any of them may change, or none."""
        hours = chance.choice((-100, -40, -30, -20, -2, -1, -0.1, 0, 0, 0.02, 3, 12, 24))
        drawn = {
            "is_ready": chance.random() < 0.8,
            "date": self.world.clock.now + timedelta(hours=hours),
            "highlights": chance.choice((0, 1, 3, 5)),
            "mail": chance.random() < 0.93,
            "has_errors": chance.random() < 0.05,
        }
        often = {"is_ready": 0.8, "date": 0.6, "has_errors": 1.0}
        return {key: value for key, value in drawn.items() if chance.random() < often.get(key, 0.4)}

    def _edit_in_time(self, chance: Random) -> None:
        """A newsroom as it should be: an issue of today, some time before or after it is due."""
        self._do("withdraw_what_is_gone")
        self._do(
            "write",
            chance.choice(_SLUGS),
            is_ready=True,
            date=self.world.clock.now,
            highlights=5,
            mail=True,
            has_errors=False,
        )

    def _save_all(self, chance: Random) -> None:
        """Somebody saves everything once more, as a program does that changes many files."""
        for slug in list(self.world.newsroom.files):
            self._do("write", slug, highlights=chance.choice((0, 4, 5)))

    def _operate(self, chance: Random) -> None:
        acts: tuple[tuple[object, ...], ...] = (
            *(("send", chance.choice(_SLUGS)), ("restore",), ("arm",), ("subscribe", 1)),
            ("schedule", self._other_schedules(chance)),
        )
        name, *values = chance.choices(acts, (4, 1, 2, 1, 3))[0]
        self._do(str(name), *values)

    def _other_schedules(self, chance: Random) -> list[Schedule]:
        """Renamed, at another time, with other limits, or with one more."""
        rules = list(self.world.schedules) or [self._rule("daily")]
        change = chance.choice(("name", "cron", "all", "more", "none"))
        if change == "none":
            return []
        if change == "more":
            return [rules[0], self._rule("more")]
        new = self._rule(rules[0].name)
        if change == "all":
            return [new, *rules[1:]]
        value = f"n{chance.randrange(9)}" if change == "name" else new.cron
        return [msgspec.structs.replace(rules[0], **{change: value}), *rules[1:]]

    def _break(self, chance: Random) -> None:
        acts: tuple[Callable[[], None], ...] = (
            lambda: self._do("jump", chance.choice((-_HOUR, _HOUR, -5, 5, 5 * _HOUR, -5 * _HOUR))),
            lambda: self._do("jump", chance.choice((-_DAY, _DAY, 400 * _DAY, -400 * _DAY))),
            lambda: self._do("pass_time", 3 * _DAY),
            lambda: self._do("builds_meet", chance.choice(("after_build", "unreadable", "", ""))),
            lambda: self._do(
                "kill_at_write", 0, chance.randrange(5), is_durable=chance.random() < 0.5
            ),
        )
        chance.choices(acts, (3, 0.5, 1, 2, 5))[0]()

    def _ambush(self, chance: Random) -> None:
        """An edit, an operator or the other process in the middle of a tick."""
        draw, kind = Random(chance.random()), chance.choice(("save", "edit", "send", "tick"))
        act: Act = {
            "save": lambda: self._save_all(draw),
            "edit": lambda: self._edit(draw),
            "send": lambda: self._do("send", draw.choice(_SLUGS)),
            "tick": lambda: self._do("tick", 1),
        }[kind]
        stage = chance.choice(("before reading", "after reading", "write"))
        self.told.append(f"in ambush: {kind} at {stage}")
        if stage == "write":
            self.world.ambush_write(0, chance.randrange(4), act)
        else:
            self.world.ambush_build(stage, act)


def history(disk: Disk, seed: int) -> set[str]:
    """Live through one history. A broken promise names the seed, and says what had happened."""
    lived = History(disk, seed)
    try:
        return lived.run()
    except Exception as error:
        told = "\n  ".join(lived.told)
        raise BrokenPromise(f"seed {seed}: {error!r}, after\n  {told}") from error


def run_range(seeds: range) -> tuple[int, set[str]]:
    """Live through many, in a database of their own: how many, and what happened in them."""
    happened: set[str] = set()
    with TemporaryDirectory(dir=memory()) as folder:
        disk = Disk(Path(folder))
        for seed in seeds:
            happened |= history(disk, seed)
        disk.close()
    return len(seeds), happened


def run_in_parallel(first: int, last: int, processes: int) -> tuple[int, set[str]]:
    """Live through the histories of seeds from `first` to before `last`."""
    parts = [range(start, min(start + 200, last)) for start in range(first, last, 200)]
    count, happened = 0, set[str]()
    with Pool(processes) as pool:
        for done, seen in pool.imap_unordered(run_range, parts):
            count += done
            happened |= seen
    return count, happened


def main() -> None:
    first, last, processes = (int(each) for each in sys.argv[1:])
    began = time.monotonic()
    count, happened = run_in_parallel(first, last, processes)
    seconds = time.monotonic() - began
    print(f"{count} histories in {seconds:.0f} s: no promise broken; {sorted(happened)}")


if __name__ == "__main__":
    main()
