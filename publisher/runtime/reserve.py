"""What was taken and is kept back until the next step is on disk: no power cut leaves it in doubt.

Between two steps so many bodies may be begun as connections need; of the rest of what was taken
ahead each step says that it will not be. So when the machine goes down, and with it the memory that
tells what was begun, only those can have been sent that no step kept back.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

from sqlalchemy import Connection

from publisher.runtime.board import Begun
from publisher.store.deliveries import Taken
from publisher.store.reserve import note_reserve, take_reserve


class KeptBack:
    """What of a process's tasks is kept back, where `loose` others may be begun between two steps.

    Without a number for `loose` it is nothing.
    """

    def __init__(self, loose: int | None = None) -> None:
        self._loose = loose
        # How many were taken, are not kept back and on no connection now: the pool's to tell.
        self.count_loose: Callable[[], int] = lambda: 0
        # Those that are, and those that are when the step that says so is on disk, in their order.
        self._ids: dict[int, None] = {}
        self._later: dict[int, None] | None = None

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, id: int) -> bool:
        return id in self._ids

    def choose(self, tasks: Sequence[Taken]) -> Collection[int]:
        """Tell what is kept back from the end of the step on that takes these tasks."""
        order = (*self._ids, *(task.id for task in tasks))
        free = len(order) if self._loose is None else self._loose - self.count_loose()
        self._later = dict.fromkeys(order[max(0, free) :])
        return tuple(self._later)

    def end_step(self) -> None:
        """What was chosen is on disk, and holds."""
        if self._later is not None:
            self._ids, self._later = self._later, None

    def forget(self, ids: Iterable[int]) -> None:
        """These do not wait any more."""
        for id in ids:
            self._ids.pop(id, None)
            if self._later is not None:
                self._later.pop(id, None)


class Reserve:
    """What a process keeps back, on record."""

    def __init__(self, publication: int, loose: int | None) -> None:
        self._publication = publication
        self.kept = KeptBack(loose)
        # As it is on disk, as far as is known.
        self._noted: Collection[int] | None = ()

    def note(self, connection: Connection, tasks: Sequence[Taken]) -> None:
        """Note it with the intents of `tasks`; the connection writes."""
        ids = self.kept.choose(tasks)
        if ids != self._noted:
            note_reserve(connection, self._publication, ids)
            self._noted = ids

    def end_step(self) -> None:
        """The step is on disk."""
        self.kept.end_step()

    def forget(self) -> None:
        """Nothing of the step is on disk; what was noted before may be, or not."""
        if self._noted != ():
            self._noted = None

    def recall(self, connection: Connection, left: Iterable[Taken]) -> Begun:
        """Of what a machine left that went down: what may have been begun."""
        kept = take_reserve(connection, self._publication)
        return {each.id: None for each in left if each.id not in kept}
