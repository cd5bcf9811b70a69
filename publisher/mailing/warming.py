"""How much may go over an address that receivers do not know yet: more on each day."""

from collections.abc import Sequence

import msgspec

# Nobody plans further ahead.
_MOST_DAYS = 1_000


class Growth(msgspec.Struct, frozen=True):
    """Messages a day: `first` on the first one, `factor` times as many on each that follows.

    Where that comes to `full` there is no limit any more.
    """

    first: float
    factor: float
    full: float


class Room(msgspec.Struct, frozen=True):
    """What a relay may take: `left` on its `day`, which is today; all there is, without growth."""

    growth: Growth | None = None
    day: int = 1
    left: int = 0


def allow_on(growth: Growth, day: int) -> int | None:
    """How many messages may go on a relay's n-th day of sending; None is any number."""
    try:
        allowed = growth.first * growth.factor ** (day - 1)
    except OverflowError:
        return None
    return int(allowed) if allowed < growth.full else None


def foresee_days(messages: int, rooms: Sequence[Room]) -> int:
    """On how many days so many messages go, today being one, as far as allowances have to do with
    it.
    """
    for ahead in range(_MOST_DAYS):
        allowed = [_allowed(room, ahead) for room in rooms]
        known = [each for each in allowed if each is not None]
        messages -= sum(known)
        if messages <= 0 or len(known) < len(allowed):
            return ahead + 1
    return _MOST_DAYS


def _allowed(room: Room, ahead: int) -> int | None:
    if room.growth is None or allow_on(room.growth, room.day + ahead) is None:
        return None
    return allow_on(room.growth, room.day + ahead) if ahead else room.left
