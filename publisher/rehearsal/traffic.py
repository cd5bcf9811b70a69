"""How messages go to this publication's readers: as on record, or assumed."""

from publisher.rehearsal.facts import Facts
from publisher.rehearsal.scenario import Options
from publisher.rehearsal.sending import Traffic
from publisher.settings import Settings
from publisher.store.habits import Tried

# Fewer messages than this tell nothing.
_LEAST_SEEN = 200
# Of a relay across the internet: two round trips, and its disk.
_SECONDS = 0.2
_DEFERRED, _REFUSED = 0.005, 0.002
# So near to the rate it was the rate that held messages up, and not the relay.
_AT_RATE = 0.8


def make_traffic(settings: Settings, facts: Facts, options: Options) -> Traffic:
    """How fast messages go, and what is deferred and refused; nothing is where all is calm."""
    seconds, pace = _find_seconds(settings, facts.tried)
    deferred, refused, shares = _find_shares(facts.tried)
    if options.is_calm:
        deferred = refused = 0.0
        shares = "no reader's server defers or refuses anything (--calm)"
    return Traffic(seconds=seconds, deferred=deferred, refused=refused, assumed=(pace, shares))


def _find_seconds(settings: Settings, tried: Tried) -> tuple[float, str]:
    delivery, span = settings.delivery, tried.span.total_seconds()
    assumed = f"a message takes {_SECONDS} s on a connection; assumed"
    if tried.messages < _LEAST_SEEN or not span:
        return _SECONDS, f"{assumed}, for too few were sent so far to tell"
    if delivery.rate and tried.messages / span >= _AT_RATE * delivery.rate:
        return _SECONDS, f"{assumed}, for so far the rate was what held messages up"
    seconds = span * delivery.connections / tried.messages
    return seconds, (
        f"a message takes {seconds:.3g} s on each of {delivery.connections} connections, as in the"
        " last mailings"
    )


def _find_shares(tried: Tried) -> tuple[float, float, str]:
    if tried.messages < _LEAST_SEEN:
        return (
            *(_DEFERRED, _REFUSED),
            f"readers' servers defer {_DEFERRED:.1%} of the messages and refuse {_REFUSED:.1%};"
            " assumed, for too few were sent so far to tell",
        )
    deferred, refused = tried.deferred / tried.messages, tried.failed / tried.messages
    return (
        *(deferred, refused),
        f"readers' servers defer {deferred:.2%} of the messages and refuse {refused:.2%}, as in the"
        " last mailings",
    )
