"""A simulation that cannot fail proves nothing: each of these defects breaks a promise in it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, true

from publisher.mailing import settle
from publisher.mailing.settle import Settlement
from publisher.model.choices import Definition
from publisher.rehearsal.world import Disk
from publisher.runtime import aftermath, breaking, dispatch
from publisher.runtime.dispatch import Dispatcher
from publisher.runtime.domains import Domains
from publisher.runtime.exchange import Result
from publisher.runtime.fleet import Fleet
from publisher.runtime.lane import Lane
from publisher.runtime.relay import Relay
from publisher.store import corrections, deliveries, starting, variants
from publisher.store import schema as s
from publisher.store.candidates import Candidate
from publisher.store.deliveries import Settled
from publisher.store.driver import Statement
from publisher.store.mailings import change_mailing
from publisher.store.variants import split
from tests.sampling import one_in
from tests.simulation.expected import BrokenPromise
from tests.simulation.history import history
from tests.simulation.test_histories import SEEDS

Patch = pytest.MonkeyPatch


def _reword(patch: Patch, before: str, after: str) -> None:
    """Change the statement by which deliveries are taken."""
    takable = deliveries._TAKABLE.sqlite
    assert before in takable
    patch.setattr(deliveries, "_TAKABLE", Statement(takable.replace(before, after)))


def nothing_is_recovered(patch: Patch) -> None:
    patch.setattr(Dispatcher, "recover", lambda self, now, begun: 0)


def what_a_crash_left_counts_as_sent(patch: Patch) -> None:
    def sent(history: settle.History, *_: object) -> Settlement:
        return Settlement(event="accepted", history=history)

    patch.setattr(aftermath, "settle_doubt", sent)


def nothing_that_a_crash_left_is_in_doubt(patch: Patch) -> None:
    recover = Dispatcher.recover
    patch.setattr(Dispatcher, "recover", lambda self, now, begun: recover(self, now, {}))


def what_the_relay_said_is_lost_with_the_process(patch: Patch) -> None:
    recover = Dispatcher.recover
    patch.setattr(
        Dispatcher,
        "recover",
        lambda self, now, begun: recover(self, now, begun and dict.fromkeys(begun)),
    )


def what_is_withdrawn_is_forgotten(patch: Patch) -> None:
    settle_one = Dispatcher._settle_one

    def forget(self: Dispatcher, result: Result, now: datetime) -> Settled:
        settled = settle_one(self, result, now)
        if result.is_withdrawn and (lane := self._lane_of(self.in_flight[result.taken.id])):
            lane.ready.clear()
        return settled

    patch.setattr(Dispatcher, "_settle_one", forget)


def every_doubt_is_resent(patch: Patch) -> None:
    def resend(history: settle.History, policy: object, now: object) -> Settlement:
        return Settlement(event="resent", history=history)

    patch.setattr(settle, "settle_doubt", resend)


def consent_is_not_asked_again(patch: Patch) -> None:
    _reword(patch, deliveries._WANTED, "1")


def a_pause_is_not_seen_at_the_intent(patch: Patch) -> None:
    _reword(patch, "AND m.status = 'sending'", "")


def no_breaker_trips(patch: Patch) -> None:
    patch.setattr(breaking, "note", lambda breaker, outcome, id: (breaker, None))


def what_comes_back_is_forgotten(patch: Patch) -> None:
    patch.setattr(Lane, "put_back", lambda self, candidate, is_last=False: None)


def a_mailing_is_finished_too_early(patch: Patch) -> None:
    def finish(connection: object, publication: int, mailing: int, now: object) -> bool:
        return change_mailing(connection, publication, mailing, "finished", now)  # type: ignore[arg-type]

    for module in (dispatch, aftermath):
        patch.setattr(module, "finish_if_done", finish)


def a_mailing_is_never_finished(patch: Patch) -> None:
    for module in (dispatch, aftermath):
        patch.setattr(module, "finish_if_done", lambda *_: False)


def no_rate_is_kept(patch: Patch) -> None:
    patch.setattr(Fleet, "allow", lambda self, now: timedelta(0))


def no_domain_rate_is_kept(patch: Patch) -> None:
    patch.setattr(Domains, "take", lambda self, domain, now: None)


def the_relays_troubles_count_against_readers(patch: Patch) -> None:
    patch.setattr(settle, "_concerns_sender", lambda outcome: False)


def nothing_is_given_up(patch: Patch) -> None:
    patch.setattr(settle, "gives_up", lambda *_: False)


def who_defers_is_asked_every_second(patch: Patch) -> None:
    patch.setattr(settle, "wait_before_retry", lambda deferrals, random: timedelta(seconds=1))


def mailings_go_ahead_of_confirmations(patch: Patch) -> None:
    patch.setattr(
        Dispatcher, "_in_order", lambda self: [*reversed(self.lanes.values()), self.singles]
    )


def all_connections_open_at_once(patch: Patch) -> None:
    patch.setattr(Relay, "room", lambda self, now, in_flight: self.connections - in_flight)


def what_was_taken_and_not_written_counts_as_on_its_way(patch: Patch) -> None:
    take = Dispatcher._take

    def note_at_once(self: Dispatcher, *values: object) -> object:
        tasks = take(self, *values)  # type: ignore[arg-type]
        for task in tasks:
            candidate = Candidate(task.id, task.mailing, "")
            self.in_flight.setdefault(task.id, candidate)
        return tasks

    patch.setattr(Dispatcher, "_take", note_at_once)


def a_cancelled_mailing_keeps_what_comes_back(patch: Patch) -> None:
    patch.setattr(aftermath, "cancel_waiting", lambda *_: 0)


def what_the_relay_fails_at_goes_first_again(patch: Patch) -> None:
    put_back = Lane.put_back
    patch.setattr(
        Lane, "put_back", lambda self, candidate, is_last=False: put_back(self, candidate)
    )


def what_arrives_after_its_correction_is_not_followed_up(patch: Patch) -> None:
    patch.setattr(deliveries, "follow_up", lambda *_: False)


def what_is_left_is_sent_as_it_was(patch: Patch) -> None:
    _reword(patch, deliveries._REVISION, "d.revision")


def a_variant_is_sent_without_anything_left_in_it(patch: Patch) -> None:
    _reword(patch, "WHEN d.variant <> 0 AND NOT EXISTS", "WHEN 0 AND NOT EXISTS")


def variants_are_not_corrected(patch: Patch) -> None:
    def keep(*values: object) -> dict[int, Definition | None]:
        connection, mailing = values[0], values[1]
        c = s.mailing_content.c
        rows = connection.execute(  # type: ignore[attr-defined]
            select(c.variant, c.form, c.highlights).where(c.mailing == mailing, c.variant > 0)
        )
        return {row[0]: Definition(form=row[1], highlights=split(row[2])) for row in rows}

    patch.setattr(variants, "define_anew", keep)


def everybody_is_told_of_a_correction(patch: Patch) -> None:
    patch.setattr(corrections, "concerns", lambda highlights: true())


def who_chose_gets_the_whole(patch: Patch) -> None:
    patch.setattr(variants, "save_variants", lambda *_: None)
    patch.setattr(starting, "save_variants", lambda *_: None)


MUTATIONS: tuple[Callable[[Patch], None], ...] = (
    nothing_is_recovered,
    what_a_crash_left_counts_as_sent,
    nothing_that_a_crash_left_is_in_doubt,
    what_the_relay_said_is_lost_with_the_process,
    what_is_withdrawn_is_forgotten,
    every_doubt_is_resent,
    consent_is_not_asked_again,
    a_pause_is_not_seen_at_the_intent,
    no_breaker_trips,
    what_comes_back_is_forgotten,
    a_mailing_is_finished_too_early,
    a_mailing_is_never_finished,
    no_rate_is_kept,
    no_domain_rate_is_kept,
    the_relays_troubles_count_against_readers,
    nothing_is_given_up,
    who_defers_is_asked_every_second,
    mailings_go_ahead_of_confirmations,
    all_connections_open_at_once,
    what_was_taken_and_not_written_counts_as_on_its_way,
    a_cancelled_mailing_keeps_what_comes_back,
    what_arrives_after_its_correction_is_not_followed_up,
    what_is_left_is_sent_as_it_was,
    a_variant_is_sent_without_anything_left_in_it,
    variants_are_not_corrected,
    everybody_is_told_of_a_correction,
    who_chose_gets_the_whole,
)


def _live_through(disk: Disk) -> None:
    for seed in SEEDS:
        history(disk, seed)


@pytest.mark.parametrize("mutate", one_in(5, MUTATIONS), ids=lambda mutate: mutate.__name__)
def test_a_defect_is_found(mutate: Callable[[Patch], None], disk: Disk, monkeypatch: Patch) -> None:
    mutate(monkeypatch)
    with pytest.raises(BrokenPromise):
        _live_through(disk)
