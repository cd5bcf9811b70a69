"""Which relay has the next message: each its share by weight, among those that may take one."""

from collections.abc import Collection, Mapping

import msgspec
from msgspec.structs import replace

# Of a message: what adding fractions may lose.
_ROUNDING = 1e-9


class Share(msgspec.Struct, frozen=True):
    """A relay's share, by its `weight`; none but where nobody else may take anything, where 0.

    `behind` is how many messages it lacks of its share, below 0 how many it has too many; `lead` is
    how many it may have too many while another one, whose turn it is, has no connection free.
    """

    weight: int = 1
    lead: int = 1
    behind: float = 0.0


def choose(shares: Mapping[str, Share], able: Collection[str], free: Collection[str]) -> str | None:
    """The relay that the next message goes over; None where those with a connection are to wait.

    `able` are those that may take messages at this time, `free` those with a connection for one.
    """
    standing = _stand(shares, able)
    here = [name for name in standing if name in free]
    if not here:
        return None
    turn = max(standing, key=lambda name: standing[name])
    best = max(here, key=lambda name: standing[name])
    is_ahead = standing[best] - 1 < -shares[best].lead - _ROUNDING
    return None if is_ahead and turn not in free else best


def spend(shares: Mapping[str, Share], able: Collection[str], chosen: str) -> dict[str, Share]:
    """The shares after a message; who may take none now loses what it lacks, or has too many."""
    standing = _stand(shares, able)
    standing[chosen] -= 1
    return {name: replace(each, behind=standing.get(name, 0.0)) for name, each in shares.items()}


def _stand(shares: Mapping[str, Share], able: Collection[str]) -> dict[str, float]:
    """How far each that takes part is behind, one more message being there to be shared."""
    weights = {name: each.weight for name, each in shares.items() if name in able}
    if any(weights.values()):
        weights = {name: weight for name, weight in weights.items() if weight}
    else:
        weights = dict.fromkeys(weights, 1)
    if not weights:
        return {}
    total = sum(weights.values())
    mean = sum(shares[name].behind for name in weights) / len(weights)
    return {name: shares[name].behind - mean + weight / total for name, weight in weights.items()}
