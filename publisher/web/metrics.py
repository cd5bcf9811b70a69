"""/metrics, in Prometheus' text format 0.0.4: what an operator's monitoring watches.

https://prometheus.io/docs/instrumenting/exposition_formats/. No measure is about a person.
"""

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get
from msgspec.structs import replace

from publisher import __version__
from publisher.runtime.relays import RelayReport, read_relays
from publisher.runtime.scheduler import find_next
from publisher.runtime.webhooks import name_webhook
from publisher.settings import Settings
from publisher.store.events import count_events
from publisher.store.metrics import RATE_SECONDS, Measured, measure
from publisher.store.readings import find_readings
from publisher.store.subscribers import count_by_status
from publisher.store.ticks import find_last_tick
from publisher.store.tokens import Bearer
from publisher.store.workers import list_workers
from publisher.web.api.bearer import authenticate, find_bearer, require_scope
from publisher.web.api.problems import ApiError, answer
from publisher.web.console.access import API, COOKIELESS
from publisher.web.console.desk import Desk
from publisher.web.console.shell import Answer, AnyRequest, client_of, desk_of, in_thread
from publisher.web.console.throttle import Throttle

# The charset is added to it.
MEDIA_TYPE = "text/plain; version=0.0.4"
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Sample(msgspec.Struct, frozen=True):
    """A number, and what it is of."""

    value: float
    labels: Mapping[str, str] = {}


class Metric(msgspec.Struct, frozen=True):
    """A measure: its name, its kind, what it means."""

    name: str
    kind: str
    help: str
    samples: tuple[Sample, ...]


@get("/metrics", opt=COOKIELESS)
@in_thread
def show_metrics(request: AnyRequest) -> Answer:
    """What is measured, to whoever has a token with the scope metrics:read."""
    desk = desk_of(request)
    throttle: Throttle = request.app.state.metrics
    if desk.settings.console.metrics == "token":
        try:
            header = request.headers.get("authorization")
            require_scope(authenticate(desk, throttle, header, client_of(request)), "metrics:read")
        except ApiError as error:
            return answer(error, API)
    return Response(write_metrics(read_metrics(desk)), media_type=MEDIA_TYPE)


handlers = [show_metrics]


def write_metrics(metrics: Iterable[Metric]) -> bytes:
    """The text of measures; those without a number are left out."""
    return "".join(f"{line}\n" for each in metrics for line in _write(each)).encode()


def read_together(desk: Desk, header: str) -> list[Metric] | None:
    """Measure one of several publications, each number with its name; None where one may not.

    It takes a token of this publication, unless the metrics are open.
    """
    if desk.settings.console.metrics == "token":
        bearer = find_bearer(desk, header)
        if bearer is None or not _may_measure(bearer):
            return None
    name = {"publication": desk.root.removeprefix("/")}
    return [
        replace(each, samples=tuple(replace(s, labels=name | dict(s.labels)) for s in each.samples))
        for each in read_metrics(desk)
    ]


def _may_measure(bearer: Bearer) -> bool:
    try:
        require_scope(bearer, "metrics:read")
    except ApiError:
        return False
    return True


def put_together(several: Iterable[Iterable[Metric]]) -> list[Metric]:
    """The measures of several publications, those of one name together, as the format has it."""
    whole: dict[str, Metric] = {}
    for each in (metric for metrics in several for metric in metrics):
        known = whole.get(each.name, replace(each, samples=()))
        whole[each.name] = replace(known, samples=(*known.samples, *each.samples))
    return list(whole.values())


def _write(metric: Metric) -> Iterator[str]:
    if not metric.samples:
        return
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for sample in metric.samples:
        labels = ",".join(
            f'{name}="{value.translate(_ESCAPES)}"' for name, value in sample.labels.items()
        )
        yield f"{metric.name}{f'{{{labels}}}' if labels else ''} {sample.value:.15g}"


def read_metrics(desk: Desk) -> list[Metric]:
    """Measure a publication."""
    now, database = desk.clock(), desk.database
    today = now.astimezone(desk.zone).date()
    with database.read() as connection:
        measured = measure(connection, database.publication, now)
        subscribers = count_by_status(connection, database.publication)
        readings = find_readings(connection, database.publication, today)
        tick = find_last_tick(connection, database.publication)
        events = count_events(connection, database.publication)
        size = database.place.measure(connection)
        relays = read_relays(connection, database.publication, desk.settings, now)
        workers = list_workers(connection, now)
    told = {(name_webhook(url), status): number for (url, status), number in events.items()}
    return [
        *_of_deliveries(measured, now),
        _gauge("publisher_subscribers", "Subscribers by status.", _by("status", subscribers)),
        _gauge(
            "publisher_feed_readers",
            "How many read the feeds, about.",
            (Sample(readings.whole.readers),),
        ),
        *_of_relays(relays),
        _gauge(
            "publisher_worker_seen_seconds",
            "How long ago a process that delivers was heard of, where there may be several.",
            tuple(
                Sample(max(0.0, (now - each.seen_at).total_seconds()), {"worker": each.name})
                for each in workers
            ),
        ),
        *_of_scheduler(desk.settings, tick, now),
        _gauge(
            "publisher_alerts_open", "What operators were told and is not over.", _alerts(measured)
        ),
        _gauge(
            "publisher_webhook_events",
            "Events of the last week for a webhook's host: queued, told, given up.",
            tuple(
                Sample(number, {"host": host, "status": status})
                for (host, status), number in sorted(told.items())
            ),
        ),
        _gauge(
            "publisher_database_bytes",
            "The size of the database.",
            (Sample(size),),
        ),
        _gauge(
            "publisher_build_info",
            "Which version this is; always 1.",
            (Sample(1, {"version": __version__, "python": platform.python_version()}),),
        ),
    ]


def _of_deliveries(measured: Measured, now: datetime) -> Iterator[Metric]:
    oldest = measured.oldest_queued_at
    age = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    statuses = {each: measured.mailings.get(each, 0) for each in _MAILING_STATUSES}
    yield _gauge("publisher_mailings", "Mailings of issues by status.", _by("status", statuses))
    yield _gauge(
        "publisher_deliveries",
        "Deliveries of issues by status.",
        _by("status", measured.deliveries),
    )
    yield _gauge(
        "publisher_active_deliveries",
        "Deliveries by status, of each mailing that is sending or paused.",
        tuple(
            Sample(number, {"issue": each.slug, "mailing": each.ref, "status": status})
            for each in measured.active
            for status, number in each.counts.items()
        ),
    )
    sent = measured.deliveries["sent"]
    yield Metric("publisher_sent_total", "counter", "Issues sent to readers.", (Sample(sent),))
    for name, help, value in (
        (
            "send_rate",
            "Messages sent a second, over the last minute.",
            measured.accepted / RATE_SECONDS,
        ),
        ("oldest_queued_seconds", "Age of the oldest delivery that nobody tried; 0 for none.", age),
        ("deliveries_in_doubt", "Deliveries in doubt.", measured.deliveries["in_doubt"]),
        (
            "failed_last_day",
            "Deliveries that failed for good in the last 24 hours.",
            measured.failed,
        ),
    ):
        yield _gauge(f"publisher_{name}", help, (Sample(value),))


def _of_relays(relays: Sequence[RelayReport]) -> Iterator[Metric]:
    def samples(values: Iterable[float | None]) -> tuple[Sample, ...]:
        named = zip(relays, values, strict=True)
        return tuple(Sample(v, {"relay": each.name}) for each, v in named if v is not None)

    yield _gauge(
        "publisher_relay_up",
        "Whether a relay works, as far as is known: 0 where it failed last.",
        samples(each.is_well for each in relays),
    )
    if len(relays) > 1 or any(each.allowed is not None for each in relays):
        yield _gauge(
            "publisher_relay_sent_today",
            "Messages that a relay took today, by the publication's clock.",
            samples(each.sent_today for each in relays),
        )
    yield _gauge(
        "publisher_relay_allowed_today",
        "Messages that may go today over a relay that is warmed up.",
        samples(each.allowed for each in relays),
    )


_MAILING_STATUSES = ("sending", "paused", "cancelled", "finished")


def _of_scheduler(settings: Settings, tick: datetime | None, now: datetime) -> Iterator[Metric]:
    yield _gauge(
        "publisher_scheduler_tick_age_seconds",
        "Seconds since the schedules were looked at last; none where they never were.",
        (Sample(max(0.0, (now - tick).total_seconds())),) if tick else (),
    )
    upcoming = [(each.name, find_next(each, settings, now)) for each in settings.schedules]
    yield _gauge(
        "publisher_next_firing_timestamp_seconds",
        "When a schedule fires next, in seconds since 1970.",
        tuple(Sample(due.timestamp(), {"schedule": name}) for name, due in upcoming if due),
    )


def _alerts(measured: Measured) -> tuple[Sample, ...]:
    """Also where there is none, so that an alert on it can be told from a lost measure."""
    return _by("kind", measured.alerts) or (Sample(0, {"kind": ""}),)


def _gauge(name: str, help: str, samples: tuple[Sample, ...]) -> Metric:
    return Metric(name, "gauge", help, samples)


def _by(label: str, counts: Mapping[Any, int]) -> tuple[Sample, ...]:
    return tuple(Sample(number, {label: name}) for name, number in sorted(counts.items()))
