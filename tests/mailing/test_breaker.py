"""A mailing that the relay or the receivers refuse pauses; one that meets bad addresses goes on."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.mailing.breaker import (
    DOUBTS,
    REFUSALS,
    Breaker,
    normalise,
    note,
    note_parked,
)
from publisher.model.delivery import Outcome, Reply

ACCEPTED = Outcome(kind="accepted", stage="final_dot", reply=Reply(250, "2.0.0", "queued"))
DOUBT = Outcome(kind="unknown", stage="final_dot", reply=Reply(0, "", "connection lost"))
DEFERRED = Outcome(kind="transient", stage="rcpt", reply=Reply(450, "4.2.0", "greylisted"))
BLOCKED = Reply(550, "5.7.1", "Message blocked")
RELAY_DOWN = Outcome(
    kind="transient", stage="connect", reply=Reply(0, "", "refused"), concern="relay"
)


def refusal(reply: Reply = BLOCKED, **changes: Any) -> Outcome:
    outcome = Outcome(kind="permanent", stage="rcpt", reply=reply)
    return msgspec.structs.replace(outcome, **changes)


def run(outcomes: list[Outcome], first: int = 1) -> list[str | None]:
    """What each outcome gives, each of a delivery of its own."""
    breaker, reasons = Breaker(), []
    for delivery, outcome in enumerate(outcomes, first):
        breaker, reason = note(breaker, outcome, delivery)
        reasons.append(reason)
    return reasons


# What breaks the program


def test_the_twentieth_that_was_parked_in_a_row_pauses() -> None:
    breaker, reason = Breaker(), None
    for delivery in range(1, 21):
        assert reason is None
        breaker, reason = note_parked(breaker, "ValueError: no such template", delivery)
    assert reason is not None
    assert "20 deliveries in a row" in reason
    assert "no such template" in reason


def test_one_that_is_sent_in_between_shows_that_it_is_not_all_of_them() -> None:
    breaker = Breaker()
    for delivery in range(1, 60):
        if delivery % 15 == 0:
            breaker, _ = note(breaker, ACCEPTED, delivery)
        breaker, reason = note_parked(breaker, "ValueError: no such template", delivery)
        assert reason is None


# Doubts


def test_the_fifth_doubt_in_a_row_pauses() -> None:
    reasons = run([DOUBT] * 5)
    assert reasons[:4] == [None] * 4
    assert reasons[4] == (
        "5 messages in a row were written to the end and not answered, so that nobody knows "
        'whether the relay took them; last: "connection lost"'
    )


@pytest.mark.parametrize(
    "answer",
    [
        ACCEPTED,
        Outcome(kind="transient", stage="final_dot", reply=Reply(451, "4.3.0", "later")),
        refusal(stage="final_dot"),
    ],
)
def test_an_answered_dot_ends_the_row_of_doubts(answer: Outcome) -> None:
    assert run([DOUBT] * 4 + [answer] + [DOUBT] * 4) == [None] * 9
    assert run([DOUBT] * 4 + [answer] + [DOUBT] * 5)[-1] is not None


@pytest.mark.parametrize("other", [DEFERRED, RELAY_DOWN, refusal()])
def test_what_never_came_to_a_dot_does_not(other: Outcome) -> None:
    assert run([DOUBT] * 4 + [other, DOUBT])[-1] is not None


# Refusals


def test_the_twentieth_like_refusal_pauses() -> None:
    reasons = run([refusal()] * 20)
    assert reasons[:19] == [None] * 19
    assert reasons[19] == (
        "20 recipients in a row were refused in the same words, so it is probably the sender that "
        'is refused: "550 5.7.1 Message blocked"'
    )


def test_an_accepted_one_in_between_begins_anew() -> None:
    assert run([refusal()] * 19 + [ACCEPTED] + [refusal()] * 19) == [None] * 39


@pytest.mark.parametrize("other", [DEFERRED, RELAY_DOWN, DOUBT, refusal(Reply(550, "5.1.1", "?"))])
def test_anything_else_in_between_does_not(other: Outcome) -> None:
    assert run([refusal()] * 19 + [other, refusal()])[-1] is not None


def test_the_same_delivery_counts_once() -> None:
    breaker = Breaker()
    for _ in range(50):
        breaker, reason = note(breaker, refusal(), 7)
        assert reason is None


@pytest.mark.parametrize(
    "unlike",
    [Reply(554, "5.7.1", "Message blocked"), Reply(550, "5.7.2", "Message blocked"), Reply(550)],
)
def test_another_code_or_meaning_is_counted_apart(unlike: Reply) -> None:
    assert run([refusal()] * 19 + [refusal(unlike)] * 19) == [None] * 38


def test_two_wordings_in_turn_are_both_seen() -> None:
    turns = [refusal(), refusal(Reply(550, "5.7.26", "Unauthenticated mail"))] * 20
    assert [reason is not None for reason in run(turns)].index(True) == 38


@pytest.mark.parametrize(
    "other",
    [
        refusal(Reply(0, "", "the address needs SMTPUTF8, which the relay lacks")),
        refusal(concern="domain_rate"),
        refusal(concern="relay"),
        Outcome(kind="transient", stage="rcpt", reply=Reply(450, "4.7.1", "blocked")),
    ],
)
def test_what_is_no_refusal_of_a_recipient_is_not_counted(other: Outcome) -> None:
    assert run([other] * 40) == [None] * 40


WORDINGS = [
    "<{address}>: Recipient address rejected: User unknown in table, id {id}",
    "[{ip}] blocked using dnsbl.example; see https://dnsbl.example/q?ip={ip} ({id})",
    "Our system detected a problem with {ip}, {id} - gsmtp",
    'Rejected: "{address}" by host mx{number}.mail.example at 2025-12-15T07:00:{number}Z {id}',
]


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(WORDINGS),
    st.lists(
        st.fixed_dictionaries(
            {
                "address": st.from_regex(r"[a-z]{1,9}@[a-z]{1,9}\.example", fullmatch=True),
                "id": st.from_regex(r"[0-9][A-Za-z0-9]{4,12}", fullmatch=True),
                "ip": st.ip_addresses().map(str),
                "number": st.integers(10, 59),
            }
        ),
        min_size=REFUSALS,
        max_size=REFUSALS,
    ),
)
def test_replies_are_like_whatever_they_name(wording: str, named: list[dict[str, Any]]) -> None:
    replies = [Reply(550, "5.7.1", wording.format(**each)) for each in named]
    reasons = run([refusal(reply) for reply in replies])
    assert reasons[:-1] == [None] * (REFUSALS - 1)
    assert str(replies[-1]) in (reasons[-1] or "")


def test_words_are_what_counts() -> None:
    assert normalise("User unknown") != normalise("Mailbox full")
    assert normalise("4XYz9: Blocked for  SPAM by mx1.example.") == "# blocked for spam by #"
    assert normalise("") == ""


@given(st.text(max_size=500))
def test_any_text_can_be_normalised(text: str) -> None:
    assert not re.search(r"\d", normalise(text), re.ASCII)
    assert normalise(text) == normalise(text)


# The sender and the login


@pytest.mark.parametrize(
    ("concern", "stage", "reply", "expected"),
    [
        (
            *("sender", "mail", Reply(550, "5.7.1", "not allowed")),
            'The relay takes nothing from this sender: "550 5.7.1 not allowed"',
        ),
        (
            *("login", "auth", Reply(535, "5.7.8", "bad credentials")),
            'The relay refused the login: "535 5.7.8 bad credentials"',
        ),
        (
            *("login", "auth", Reply(0)),
            "The relay refused the login: (the connection ended without a reply)",
        ),
    ],
)
def test_a_refused_sender_or_login_pauses_at_once(
    concern: str, stage: str, reply: Reply, expected: str
) -> None:
    assert run([refusal(reply, concern=concern, stage=stage)]) == [expected]


@pytest.mark.parametrize("concern", ["login", "sender"])
def test_one_that_may_pass_does_not(concern: str) -> None:
    later = refusal(Reply(454, "4.7.0", "try later"), concern=concern, kind="transient")
    assert run([later] * 40) == [None] * 40


# All of it

OUTCOMES = st.sampled_from(
    [
        *(ACCEPTED, DOUBT, DEFERRED, RELAY_DOWN, refusal()),
        *(refusal(Reply(550, "5.1.1", f"unknown {chr(97 + n)}")) for n in range(12)),
    ]
)


@given(st.lists(OUTCOMES, max_size=200))
def test_a_breaker_stays_small_and_begins_anew_when_it_paused(outcomes: list[Outcome]) -> None:
    breaker = Breaker()
    for delivery, outcome in enumerate(outcomes):
        breaker, reason = note(breaker, outcome, delivery)
        if reason or outcome.kind == "accepted":
            assert breaker == Breaker()
        assert breaker.doubts < DOUBTS
        assert len(breaker.refusals) <= 8
        assert all(len(each.deliveries) < REFUSALS for each in breaker.refusals)


@given(st.lists(st.sampled_from([ACCEPTED, DOUBT, DEFERRED, refusal()]), max_size=100))
def test_nothing_pauses_without_its_cause(outcomes: list[Outcome]) -> None:
    """A pause has five doubts or twenty refusals behind it since the relay last took a message."""
    for place, reason in enumerate(run(outcomes)):
        since = outcomes[: place + 1]
        while ACCEPTED in since:
            since = since[since.index(ACCEPTED) + 1 :]
        if reason:
            assert since.count(DOUBT) >= DOUBTS or since.count(refusal()) >= REFUSALS
