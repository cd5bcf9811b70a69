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

# Given what a step takes, tells what of all that was taken is not begun before the next step.
KeepBack = Callable[[Sequence[Taken]], Collection[int]]


class KeptBack:
    """What of a process's tasks is kept back; `loose` others may be begun between two steps."""

    def __init__(self, loose: int) -> None:
        self._loose = loose
        # Those that are, and those that are when the step that says so is on disk, in their order.
        self._ids: dict[int, None] = {}
        self._later: dict[int, None] | None = None

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, id: int) -> bool:
        return id in self._ids

    def choose(self, waiting: int, tasks: Sequence[Taken]) -> Collection[int]:
        """Tell what is kept back when `tasks` come to those of which so many are `waiting`."""
        order = (*self._ids, *(task.id for task in tasks))
        begun_next = max(0, self._loose - (waiting - len(self._ids)))
        self._later = dict.fromkeys(order[begun_next:])
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
    """The one of a process, as its pool tells; where nothing waits, there is none."""

    def __init__(self, publication: int) -> None:
        self._publication = publication
        self.keep_back: KeepBack = lambda tasks: ()
        # As it is on disk, as far as is known.
        self._noted: Collection[int] | None = ()

    def note(self, connection: Connection, tasks: Sequence[Taken]) -> None:
        """Note it with the intents of `tasks`; the connection writes."""
        ids = self.keep_back(tasks)
        if ids != self._noted:
            note_reserve(connection, self._publication, ids)
            self._noted = ids

    def forget(self) -> None:
        """What was noted last may not be on disk."""
        self._noted = None

    def recall(self, connection: Connection, left: Iterable[Taken]) -> Begun:
        """Of what a machine left that went down: what may have been begun."""
        kept = take_reserve(connection, self._publication)
        return {each.id: None for each in left if each.id not in kept}
