"""Histories drawn from a seed: `history(disk, 7)` is the same on every machine.

`python -m tests.simulation.history 0 1000` runs those of a range of seeds.
"""

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing import Pool
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from publisher.mailing.settle import Policy
from publisher.rehearsal.relay import SAYINGS
from publisher.rehearsal.world import Disk
from publisher.runtime.exchange import Rules
from tests.simulation.expected import BrokenPromise
from tests.simulation.simulation import Simulation

_NAMES = tuple(SAYINGS)
_PAUSES = (0.01, 0.05, 0.3, 1, 2, 5, 5, 20, 60, 120, 300, 600, 900, 1800, 3600)
_SHORT = (0.005, 0.01, 0.02, 0.3, 2)
_LASTING = tuple(name for name in _NAMES if name not in ("ok", "breaks us", "lost unheard"))


class History:
    """A simulation, and what happens in it by chance. `told` says what happened, step by step."""

    def __init__(self, disk: Disk, seed: int) -> None:
        self.chance = Random(seed)
        self.ahead = (0, 1, 8)[seed % 3]
        self.told: list[str] = []
        self.world = Simulation(disk, Random(seed + 1))

    def run(self) -> set[str]:
        """Live through it, and give the events of its ledger."""
        chance, world = self.chance, self.world
        self._do("add_readers", chance.choice((1, 2, 3, 4, 6, 8)))
        if chance.random() < 0.1:
            self._do("add_readers", 24)
        if chance.random() < 0.5:
            for _ in range(chance.choice((1, 3, 8))):
                self._do("choose", chance.randrange(100), chance.randrange(100))
        self._do("send", 0)
        self._do("start", self.rules())
        for _ in range(chance.choice((2, 4, 6, 10, 16))):
            self._happen()
            self._do("advance", chance.choice(_PAUSES if chance.random() < 0.5 else self._near()))
        self.told.append("finish")
        world.finish(self.rules())
        return world.events

    def _near(self) -> tuple[float, ...]:
        """Short, while messages are on their way; where nothing is going on, something begins."""
        world = self.world
        if not any(each.status == "sending" for each in world.expected.mailings.values()):
            self._do("send", len(world.expected.mailings))
        return _SHORT if world.process is not None and world.process.attempts else _PAUSES

    def rules(self) -> Rules:
        chance = self.chance
        policy = Policy(
            on_in_doubt=chance.choice(("resend", "hold")),
            give_up_after=timedelta(hours=chance.choice((0, 0.1, 1, 24))),
        )
        connections = chance.choice((1, 2, 4))
        return Rules(
            connections=connections,
            ahead=self.ahead,
            loose=connections,
            rate=chance.choice((0, 0, 0.5, 2, 30)),
            domain_rates={"a.example": 0.2} if chance.random() < 0.2 else {},
            policy=policy,
        )

    def _do(self, name: str, *values: object, **named: object) -> None:
        self.told.append(f"{name} {values or ''}{named or ''}")
        getattr(self.world, name)(*values, **named)

    def _happen(self) -> None:
        """One thing, of the usual or of the rare ones."""
        acts = self._relay_acts, self._machine_acts, self._people_act
        act = self.chance.choices(acts, (4, 3, 3))[0]
        if self.chance.random() < 0.1:
            self.told.append("in ambush")
            # Drawn now, so that the history does not depend on when it happens.
            draw = Random(self.chance.random())
            self.world.ambush(lambda: self._people_act(draw))
            return
        act(self.chance)

    def _relay_acts(self, chance: Random) -> None:
        acts: tuple[Callable[[], None], ...] = (
            lambda: self._do("relay_says", chance.choice(_NAMES)),
            lambda: self._do("relay_says", None),
            lambda: self._do("domain_says", chance.randrange(3), chance.choice(_LASTING)),
            lambda: self._do("domain_says", chance.randrange(3), None),
            lambda: self._meet(chance),
            lambda: self._do("relay_is_slow", chance.random() < 0.5),
        )
        chance.choices(acts, (3, 3, 2, 1, 6, 1))[0]()

    def _meet(self, chance: Random) -> None:
        names = chance.choices(_NAMES, k=chance.choice((1, 2, 5)))
        if chance.random() < 0.5:
            names = names[:1] * len(names)
        self._do("reader_meets", chance.randrange(100), *names)

    def _machine_acts(self, chance: Random) -> None:
        acts: tuple[Callable[[], None], ...] = (
            lambda: self._do("kill", is_through=chance.random() < 0.5),
            lambda: self._do("stop"),
            lambda: self._do("fail_next_write", chance.choice(("before", "after", "full"))),
            lambda: self._do("fill_disk", chance.choice((0.5, 5, 30))),
            lambda: self._do("jump", chance.choice((-3600, -5, 5, 3600))),
            lambda: self._do("restore"),
            lambda: self._do("arm"),
        )
        chance.choices(acts, (3, 1, 4, 1, 2, 1, 1))[0]()
        if self.world.process is None and chance.random() < 0.8:
            self._do("start", self.rules())

    def _people_act(self, chance: Random) -> None:
        who, which, what = (chance.randrange(most) for most in (100, 3, 100))
        purpose = chance.choice(("confirmation", "preferences", "alert"))
        acts: tuple[tuple[object, ...], ...] = (
            *(("change_reader", who, "unsubscribed"), ("change_reader", who, "confirmed")),
            *(("suppress", who), ("erase", who), ("add_readers", 1)),
            *(("add_readers", 1, "unconfirmed"), ("send", which), ("send", 0)),
            *(("send_single", who, purpose), ("send_single", -1, purpose)),
            *(("pause", which), ("resume", which), ("cancel", which), ("retry", which)),
            *(("resend_doubts", which), ("mark_sent", which), ("prove", which)),
            *(("correct", which, True), ("correct", which, False), ("choose", who, what)),
        )
        weights = (2, 1, 1, 1, 1, 1, 2, 1, 3, 2, 2, 3, 2, 3, 3, 1, 2, 4, 2, 2)
        name, *values = chance.choices(acts, weights)[0]
        self._do(str(name), *values)


def history(disk: Disk, seed: int) -> set[str]:
    """Live through one history. A broken promise names the seed, and says what had happened."""
    lived = History(disk, seed)
    try:
        return lived.run()
    except Exception as error:
        told = "\n  ".join(lived.told)
        raise BrokenPromise(f"seed {seed}: {error!r}, after\n  {told}") from error


def run_range(seeds: range) -> tuple[int, set[str]]:
    """Live through many, in a database of their own: how many, and the events of their ledgers."""
    events: set[str] = set()
    with TemporaryDirectory(dir=_memory()) as folder:
        disk = Disk(Path(folder))
        for seed in seeds:
            events |= history(disk, seed)
        disk.close()
    return len(seeds), events


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def run_in_parallel(first: int, last: int, processes: int) -> tuple[int, set[str]]:
    """Live through the histories of seeds from `first` to before `last`."""
    parts = [range(start, min(start + 500, last)) for start in range(first, last, 500)]
    count, events = 0, set[str]()
    with Pool(processes) as pool:
        for done, seen in pool.imap_unordered(run_range, parts):
            count += done
            events |= seen
    return count, events


def main() -> None:
    first, last, processes = (int(each) for each in sys.argv[1:])
    began = time.monotonic()
    count, events = run_in_parallel(first, last, processes)
    seconds = time.monotonic() - began
    print(f"{count} histories in {seconds:.0f} s: no promise broken; events: {sorted(events)}")


if __name__ == "__main__":
    main()
