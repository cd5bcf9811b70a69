"""The contract's promise 4: what an answer means, and whom it concerns."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.model.delivery import Concern, OutcomeKind, Reply, Stage
from publisher.smtp.attribution import attribute, attribute_failure, find_relay_id, refuse
from publisher.smtp.replies import make_reply

STAGES: tuple[Stage, ...] = get_args(Stage)
SESSION: tuple[Stage, ...] = ("connect", "greeting", "ehlo", "starttls", "rset", "quit")
ABOUT_THE_RECIPIENT: tuple[Stage, ...] = ("rcpt", "data", "body", "final_dot")
REPLIES = st.builds(
    make_reply, st.integers(0, 999), st.lists(st.binary(max_size=80), max_size=3).map(tuple)
)


def read(line: str) -> Reply:
    code, _, text = line.partition(" ")
    return make_reply(int(code), (text.encode(),))


@pytest.mark.parametrize(
    ("stage", "line", "kind", "concern"),
    [
        ("mail", "451 4.3.0 not now", "transient", "relay"),
        ("mail", "452 4.3.1 disk full", "transient", "relay"),
        ("mail", "550 5.7.1 not you", "permanent", "sender"),
        ("mail", "552 5.3.4 too big", "permanent", "sender"),
        ("mail", "530 5.7.0 log in first", "permanent", "sender"),
        ("mail", "250 ok", "transient", "relay"),
        ("rcpt", "450 4.2.1 greylisted", "transient", "recipient"),
        ("rcpt", "550 5.1.1 nobody", "permanent", "recipient"),
        ("rcpt", "554 5.7.1 relay access denied", "permanent", "recipient"),
        ("data", "451 4.3.0 later", "transient", "recipient"),
        ("data", "554 5.5.1 no", "permanent", "recipient"),
        ("data", "250 what?", "transient", "relay"),
        ("final_dot", "250 2.0.0 Ok", "accepted", "recipient"),
        ("final_dot", "452 4.2.2 mailbox full", "transient", "recipient"),
        ("final_dot", "550 5.7.1 spam", "permanent", "recipient"),
        ("final_dot", "354 go on", "unknown", "recipient"),
        ("final_dot", "150 hm", "unknown", "recipient"),
        ("final_dot", "650 hm", "unknown", "recipient"),
        ("body", "552 5.3.4 too big", "permanent", "recipient"),
        ("auth", "535 5.7.8 no", "permanent", "login"),
        ("auth", "534 5.7.9 weak", "permanent", "login"),
        ("auth", "535 5.7.8 too many tries", "permanent", "login"),
        ("auth", "454 4.7.0 later", "transient", "relay_rate"),
        ("auth", "432 4.7.12 change it", "transient", "relay"),
        ("auth", "450 4.7.0 too many logins", "transient", "relay_rate"),
        ("auth", "334 again", "transient", "relay"),
        ("starttls", "454 4.7.0 TLS not available", "transient", "relay"),
        ("greeting", "554 5.7.1 too many connections", "transient", "relay"),
    ],
)
def test_an_answer(stage: Stage, line: str, kind: OutcomeKind, concern: Concern) -> None:
    outcome = attribute(stage, read(line))
    assert (outcome.kind, outcome.concern, outcome.stage) == (kind, concern, stage)
    assert outcome.reply == read(line)


@pytest.mark.parametrize(
    "line",
    [
        "454 4.7.1 later",
        "451 4.7.1 Rate limit exceeded",
        "550 5.7.1 sending rate too high",
        "452 you are being throttled",
        "554 Throttling failure: maximum send",
        "450 4.7.1 Too many messages",
        "550 too many recipients",
    ],
)
def test_who_speaks_of_a_rate_is_slowed(line: str) -> None:
    for stage in ABOUT_THE_RECIPIENT:
        outcome = attribute(stage, read(line))
        whom = "domain_rate" if stage == "rcpt" else "relay_rate"
        assert (outcome.kind, outcome.concern) == ("transient", whom)
    assert attribute("mail", read(line)).concern == "relay_rate"


@pytest.mark.parametrize("line", ["450 4.7.28 unusual", "550 5.7.28 unusual"])
@pytest.mark.parametrize("stage", ["mail", *ABOUT_THE_RECIPIENT])
def test_googles_rate_is_the_domains(stage: Stage, line: str) -> None:
    outcome = attribute(stage, read(line))
    assert (outcome.kind, outcome.concern) == ("transient", "domain_rate")


@pytest.mark.parametrize(
    "line", ["554 5.4.6 too many hops", "550 corporate policy", "550 5.1.1 separate mailbox"]
)
def test_other_words_are_no_rate(line: str) -> None:
    assert attribute("final_dot", read(line)).kind == "permanent"


@pytest.mark.parametrize("stage", STAGES)
def test_421_is_the_relays_everywhere(stage: Stage) -> None:
    for line in ("421 4.3.2 closing", "421 4.7.28 unusual rate", "421 too many"):
        outcome = attribute(stage, read(line))
        assert (outcome.kind, outcome.concern) == ("transient", "relay")


@pytest.mark.parametrize("stage", STAGES)
def test_silence_is_a_doubt_at_the_final_dot_only(stage: Stage) -> None:
    outcome = attribute_failure(stage, "the server took too long")
    assert outcome.kind == ("unknown" if stage == "final_dot" else "transient")
    assert outcome.reply == Reply(0, "", "the server took too long")


@given(st.sampled_from(STAGES), REPLIES)
def test_any_answer_has_a_meaning(stage: Stage, reply: Reply) -> None:
    outcome = attribute(stage, reply)
    assert (outcome.kind == "accepted") == (stage == "final_dot" and 200 <= reply.code < 300)
    if outcome.kind == "unknown":
        assert stage == "final_dot"
    if outcome.kind == "permanent":
        assert 500 <= reply.code < 600
    if stage in SESSION:
        assert (outcome.kind, outcome.concern) == ("transient", "relay")
    if outcome.relay_id:
        assert outcome.kind == "accepted"


def test_a_refusal_of_our_own() -> None:
    outcome = refuse("mail", "sender", "too long")
    assert (outcome.kind, outcome.concern, outcome.reply.code) == ("permanent", "sender", 0)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("250 2.0.0 Ok: queued as 4XqkT71Qz6z1Y", "4XqkT71Qz6z1Y"),
        ("250 OK id=1rG2aB-0004Xy-2K", "1rG2aB-0004Xy-2K"),
        ("250 2.0.0 45GA1abc012345 Message accepted for delivery", "45GA1abc012345"),
        ("250 2.0.0 5f2b1c3d Message accepted for delivery", "5f2b1c3d"),
        (
            "250 Ok 0102018c5a7e4d1f-0f6ae0a5-4c5f-4f0e-8a4c-1a2b3c4d5e6f-000000",
            "0102018c5a7e4d1f-0f6ae0a5-4c5f-4f0e-8a4c-1a2b3c4d5e6f-000000",
        ),
        ("250 Ok: 7d9f2c", "7d9f2c"),
        ("250 2.0.0 OK  1699999999 d9-20020a170902.12 - gsmtp", "d9-20020a170902.12"),
        (
            "250 2.6.0 <a@b.example> [InternalId=4243, Hostname=mx.example] Queued mail",
            "4243",
        ),
        ("250 ok 1699999999 qp 12345", "12345"),
        ("250 Message Queued (6F9619FF-8B86-D011.1)", "6F9619FF-8B86-D011.1"),
        ("250 2.0.0 OK 3B/11-12345-ABCDE", "3B/11-12345-ABCDE"),
        ("250 2.0.0 Ok: queued as <abc.def@x.example>", "abc.def@x.example"),
        ("250 2.0.0 Ok", ""),
        ("250 Great success", ""),
        ("250 ok thanks", ""),
        ("250 Message accepted for delivery", ""),
    ],
)
def test_the_relays_own_id(line: str, found: str) -> None:
    assert find_relay_id(read(line)) == found
    assert attribute("final_dot", read(line)).relay_id == found
