"""When a domain may be sent to, whatever the clock does."""

from datetime import UTC, datetime, timedelta

from publisher.runtime.domains import Domains

NOON = datetime(2025, 12, 15, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def test_a_rate_is_kept() -> None:
    domains = Domains({"Slow.example": 0.5})
    assert domains.wait("slow.example", NOON) is None
    domains.take("slow.example", NOON)
    assert domains.wait("slow.example", NOON + SECOND) == NOON + 2 * SECOND
    assert domains.wait("slow.example", NOON + 2 * SECOND) is None
    assert domains.wait("quick.example", NOON) is None


def test_a_clock_that_was_put_back_does_not_stop_a_domain() -> None:
    domains = Domains({"slow.example": 0.5})
    domains.take("slow.example", NOON)
    until = domains.wait("slow.example", NOON - HOUR)
    assert until is not None
    assert until <= NOON - HOUR + 2 * SECOND
    assert domains.wait("slow.example", until) is None
