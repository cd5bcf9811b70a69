"""What a relay says at each stage, and what becomes of the recipient: promises 2 and 4."""

import pytest

from publisher.model.delivery import Stage
from tests.delivery.post import NAME, Post
from tests.smtp.scripted import CLOSE, CLOSE_421, RESET, Rule, say

ADA, BEN = "ada@reader.example", "ben@leser.example"


def test_a_4xx_defers_that_recipient_alone(post: Post) -> None:
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("rcpt", say("450 4.2.0 greylisted"), recipient=ADA))
    assert post.send().status == 3
    assert post.counts() == {"deferred": 1, "sent": 1}
    ada = post.deliveries()[ADA]
    assert ada["status"] == "deferred"
    assert ada["attempts"] == 1
    assert ada["last_reply"] == "450 4.2.0 greylisted"
    assert ada["next_attempt_at"] is not None


@pytest.mark.parametrize("stage", ["rcpt", "final_dot"])
def test_a_5xx_fails_that_recipient_alone(post: Post, stage: Stage) -> None:
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule(stage, say("550 5.1.1 no such mailbox"), recipient=ADA))
    assert post.send().status == 0
    assert post.counts() == {"failed": 1, "sent": 1}
    assert post.arrived() == {BEN: 1}


def test_what_failed_is_queued_again_by_retry(post: Post) -> None:
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("rcpt", say("550 5.1.1 no"), recipient=ADA, times=1))
    post.send()
    assert post.cli("retry", NAME).status == 0
    assert post.counts() == {"queued": 1, "sent": 1}
    assert post.status()["status"] == "sending"
    assert post.send().status == 0
    assert post.counts() == {"sent": 2}
    assert post.cli("retry", NAME).status == 5


@pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "rcpt", "data", "final_dot"])
def test_a_421_anywhere_is_the_relay_and_is_tried_again(post: Post, stage: Stage) -> None:
    post.subscribe([ADA])
    post.server.rules.append(Rule(stage, CLOSE_421, times=2))
    outcome = post.send()
    assert outcome.status == 0, outcome
    assert post.deliveries()[ADA]["attempts"] == 1
    assert post.arrived() == {ADA: 1}


def test_a_5xx_to_mail_pauses_the_mailing(post: Post) -> None:
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("mail", say("550 5.7.1 sender not allowed")))
    assert post.send().status == 3
    assert post.status()["status"] == "paused"
    assert post.counts() == {"queued": 2}
    assert "sender not allowed" in post.cli("status", NAME).out
    again = post.send()
    assert again.status == 2
    assert "resume" in again.err
    post.server.rules.clear()
    assert post.cli("resume", NAME).status == 0
    assert post.send().status == 0
    assert post.counts() == {"sent": 2}


def test_twenty_like_refusals_in_a_row_pause_the_mailing(post: Post) -> None:
    post.configure(connections=1)
    post.subscribe(40)
    post.server.rules.append(Rule("rcpt", say("550 5.7.1 your address is listed")))
    assert post.send().status == 3
    assert post.status()["status"] == "paused"
    assert post.counts() == {"failed": 20, "queued": 20}


def test_a_lost_reply_to_the_final_dot_is_resent_once_with_the_same_id(post: Post) -> None:
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("final_dot", RESET, recipient=ADA, times=1, is_accepted=True))
    assert post.send().status == 0
    assert post.arrived() == {ADA: 2, BEN: 1}
    ids = {message["Message-ID"] for message in post.messages() if message["To"] == ADA}
    assert len(ids) == 1
    bodies = {each.data for each in post.server.messages if each.recipients == (ADA,)}
    assert len(bodies) == 1


def test_a_second_doubt_is_left_to_the_operator(post: Post) -> None:
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("final_dot", CLOSE, recipient=ADA))
    assert post.send().status == 4
    assert post.counts() == {"in_doubt": 1, "sent": 1}
    assert post.status()["status"] == "finished"
    assert post.send().status == 4


def test_hold_leaves_the_first_doubt_to_the_operator(post: Post) -> None:
    post.configure(on_in_doubt="hold")
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("final_dot", RESET, recipient=ADA, times=1, is_accepted=True))
    assert post.send().status == 4
    assert post.arrived() == {ADA: 1, BEN: 1}
    assert post.counts() == {"in_doubt": 1, "sent": 1}


def test_doubts_are_resolved_by_the_operator(post: Post) -> None:
    post.configure(on_in_doubt="hold")
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("final_dot", CLOSE, times=2))
    post.send()
    assert post.counts() == {"in_doubt": 2}
    assert post.cli("resolve", NAME).status == 2
    assert post.cli("resolve", NAME, "--mark-sent", "--email", "ADA@reader.example").status == 0
    assert post.counts() == {"in_doubt": 1, "sent": 1}
    assert post.cli("resolve", NAME, "--resend", "--json").status == 0
    assert post.counts() == {"queued": 1, "sent": 1}
    assert post.send().status == 0
    assert post.arrived() == {BEN: 1}
    assert post.counts() == {"sent": 2}
    assert post.cli("resolve", NAME, "--resend").status == 5


def test_five_doubts_in_a_row_pause_the_mailing(post: Post) -> None:
    post.configure(on_in_doubt="hold", connections=1)
    post.subscribe(10)
    post.server.rules.append(Rule("final_dot", CLOSE))
    assert post.send().status == 4
    assert post.status()["status"] == "paused"
    assert post.counts() == {"in_doubt": 5, "queued": 5}


def test_a_refused_login_is_tried_once_and_pauses_the_mailing(post: Post) -> None:
    post.server.logins_known = {"desk": "right"}
    post.configure()
    text = post.cli.read("publisher.toml")
    login = 'security = "none"\nusername = "desk"\npassword = "wrong"\n'
    post.cli.write("publisher.toml", text.replace('security = "none"\n', login))
    post.subscribe(20)
    assert post.send().status == 3
    assert post.status()["status"] == "paused"
    assert len(post.server.logins) == 1
    assert "wrong" not in post.cli("status", NAME).both
    assert post.counts() == {"queued": 20}


def test_a_relay_that_cannot_be_reached_keeps_everything_queued(post: Post) -> None:
    post.subscribe([ADA, BEN])
    text = post.cli.read("publisher.toml")
    post.cli.write("publisher.toml", text.replace(str(post.server.port), "1"))
    outcome = post.send()
    assert outcome.status == 3
    assert "refused" in outcome.err
    assert post.counts() == {"queued": 2}
    assert post.deliveries()[ADA]["attempts"] == 0


def test_a_domain_that_asks_for_less_is_slowed_alone(post: Post) -> None:
    post.configure(connections=2)
    slow = [f"reader{number}@slow.example" for number in range(5)]
    quick = [f"reader{number}@quick.example" for number in range(20)]
    post.subscribe([*slow, *quick])
    said = say("450 4.7.28 too many messages for this domain")
    post.server.rules.append(Rule("rcpt", said, recipient="@slow.example"))
    assert post.send().status == 3
    assert post.arrived() == dict.fromkeys(quick, 1)
    asked = [line for _, _, line in post.server.lines if b"@slow.example" in line]
    assert 1 <= len(asked) <= 2


def test_who_unsubscribes_before_their_turn_gets_nothing(post: Post) -> None:
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("rcpt", say("450 later"), recipient=ADA, times=1))
    post.send()
    assert post.cli("subscribers", "remove", ADA).status == 0
    post.make_due()
    assert post.send().status == 0
    assert post.counts() == {"sent": 1, "suppressed": 1}
    assert post.arrived() == {BEN: 1}


def test_what_is_deferred_too_long_fails(post: Post) -> None:
    post.configure(give_up_after="1s")
    post.subscribe([ADA])
    post.server.rules.append(Rule("rcpt", say("450 later")))
    post.send()
    post.make_due(first_attempt_at="1")
    assert post.send().status == 0
    assert post.counts() == {"failed": 1}


def test_a_cancelled_mailing_stays_cancelled(post: Post) -> None:
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("rcpt", say("450 later"), recipient=ADA))
    post.send()
    assert post.cli("cancel", NAME).status == 0
    assert post.counts() == {"cancelled": 1, "sent": 1}
    for command in ("pause", "resume", "retry"):
        assert post.cli(command, NAME).status == 2, command
    assert post.send().status == 2
    assert post.cli("cancel", NAME).status == 0


def test_a_paused_mailing_takes_nothing_more(post: Post) -> None:
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("rcpt", say("450 later"), recipient=ADA))
    post.send()
    assert post.cli("pause", NAME).status == 0
    assert post.cli("pause", NAME).status == 0
    assert post.send().status == 2
    assert post.cli("status", NAME, "--json").json["status"] == "paused"
