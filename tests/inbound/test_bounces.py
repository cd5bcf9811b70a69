"""What comes back about an issue that was really sent, as `publisher bounces` reads it."""

import pytest

from tests.delivery.post import Post
from tests.inbound.returned import ADA, BEN, Returned
from tests.inbound.samples import (
    DEAD,
    answer,
    postfix,
    qmail,
    unsubscribe_mail,
    vacation,
    yahoo_complaint,
)
from tests.smtp.scripted import Rule, say


@pytest.mark.parametrize("name", DEAD)
def test_a_dead_mailbox_is_suppressed_once(returned: Returned, name: str) -> None:
    bounce = returned.make(DEAD[name])
    assert returned.results(bounce, bounce) == ["bounces", "ignored"]
    assert returned.readers() == {ADA: ("confirmed", True), BEN: ("confirmed", False)}
    assert returned.reasons() == ["bounce"]
    assert [event for event, _ in returned.events()] == ["bounced"]
    assert returned.post.counts() == {"sent": 2}


@pytest.mark.parametrize("name", DEAD)
def test_verp_alone_names_the_delivery(post: Post, name: str) -> None:
    returned = Returned(post, is_verp=True)
    assert "+" in returned.path()
    bounce = DEAD[name](returned.path(), ADA, "Subject: rewritten\r\nFrom: daily@daily.example")
    assert returned.results(bounce) == ["bounces"]
    assert returned.readers()[ADA] == ("confirmed", True)


def test_an_unsubscribe_link_alone_names_the_delivery(returned: Returned) -> None:
    lines = returned.header().split("\r\n")
    kept = "\r\n".join(line for line in lines if not line.startswith("Message-ID:"))
    assert returned.results(postfix("x@daily.example", ADA, kept)) == ["bounces"]


def test_who_bounced_gets_nothing_more(returned: Returned) -> None:
    returned.results(returned.make(postfix))
    returned.post.cli.issue("2025-12-16")
    assert returned.post.cli("send", "2025-12-16", "--yes").status == 0
    assert returned.post.arrived() == {ADA: 1, BEN: 2}


@pytest.mark.parametrize(
    ("status", "diagnostic"),
    [
        ("4.4.1", "smtp; 451 4.4.1 the server answers later"),
        ("5.2.2", "smtp; 552 5.2.2 the mailbox is full"),
        ("5.7.1", "smtp; 550 5.7.1 user unknown, says a filter"),
        ("5.4.4", "x-postfix; Host or domain name not found"),
        ("5.2.1", "smtp; 550 5.2.1 receives mail at a rate that prevents more"),
    ],
)
def test_what_may_pass_is_counted_once_for_each_delivery(
    returned: Returned, status: str, diagnostic: str
) -> None:
    first = returned.make(postfix, status=status, diagnostic=diagnostic)
    second = returned.make(postfix, status=status, diagnostic=diagnostic, queue_id="other4711")
    assert returned.results(first, first, second) == ["soft", "ignored", "ignored"]
    assert returned.soft() == 1
    assert returned.soft(BEN) == 0
    assert returned.readers()[ADA] == ("confirmed", False)
    assert [event for event, _ in returned.events()] == ["soft_bounced"]


def test_a_mailbox_may_die_after_it_was_full(returned: Returned) -> None:
    full = returned.make(postfix, status="5.2.2", diagnostic="smtp; 552 5.2.2 full")
    dead = returned.make(postfix, queue_id="other4711")
    assert returned.results(full, dead, full) == ["soft", "bounces", "ignored"]
    assert [event for event, _ in returned.events()] == ["soft_bounced", "bounced"]


def test_a_delay_is_no_bounce(returned: Returned) -> None:
    delayed = returned.make(postfix, action="delayed", status="4.4.1", diagnostic="smtp; 450 later")
    assert returned.results(delayed) == ["ignored"]
    assert returned.is_untouched()


def test_a_forwarder_names_another_recipient(returned: Returned) -> None:
    assert returned.results(returned.make(postfix, final="ada@elsewhere.example")) == ["bounces"]
    assert returned.readers()[ADA] == ("confirmed", True)


def test_a_bounce_that_names_another_reader_suppresses_nobody(returned: Returned) -> None:
    assert returned.results(returned.make(postfix, final=BEN)) == ["rejected"]
    assert returned.is_untouched()


def test_one_living_mailbox_behind_an_address_is_enough(returned: Returned) -> None:
    bounce = returned.make(postfix, final="one@elsewhere.example")
    more = (
        b"Final-Recipient: rfc822; two@elsewhere.example\r\nAction: delivered\r\n"
        b"Status: 2.1.5\r\n\r\nFinal-Recipient: rfc822; one@"
    )
    both = bounce.replace(b"Final-Recipient: rfc822; one@", more)
    assert returned.results(both) == ["soft"]


def test_a_bounce_after_the_reader_was_erased(returned: Returned) -> None:
    bounce = returned.make(postfix)
    returned.post.cli("subscribers", "erase", ADA, "--yes")
    assert returned.results(bounce) == ["bounces"]
    assert returned.events() == [("bounced", None)]
    assert returned.reasons() == ["erased"]
    assert b"ada@" not in (returned.post.folder / "publisher.db").read_bytes()


# By the relay's name for the message

RELAY_ID = "4bF7Qz1xYlz9rxW"


def _by_relay(post: Post) -> Returned:
    post.server.rules.append(Rule("final_dot", say(f"250 2.0.0 Ok: queued as {RELAY_ID}")))
    return Returned(post, ADA)


def test_the_relays_own_id_with_the_readers_address_is_enough(post: Post) -> None:
    returned = _by_relay(post)
    header = "Subject: rewritten by the relay"
    assert returned.results(postfix("b@daily.example", ADA.upper(), header)) == ["bounces"]


def test_a_relay_may_make_its_id_the_message_id(post: Post) -> None:
    returned = _by_relay(post)
    header = f"Message-ID: <{RELAY_ID}@email.relay.example>"
    assert returned.results(
        postfix("b@daily.example", "x@y.example", header, queue_id="another7"),
        postfix("b@daily.example", ADA, header, queue_id="another8"),
    ) == ["rejected", "bounces"]
    complaint = yahoo_complaint("b@daily.example", ADA, header)
    assert returned.results(complaint) == ["complaints"]


def test_the_relays_id_with_another_address_is_not(post: Post) -> None:
    returned = _by_relay(post)
    assert returned.results(postfix("b@daily.example", "eve@x.example", "Subject: x")) == [
        "rejected"
    ]
    assert returned.is_untouched()


def test_a_relays_id_that_can_be_guessed_is_not(post: Post) -> None:
    post.server.rules.append(Rule("final_dot", say("250 2.0.0 Ok: queued as 4711")))
    returned = Returned(post, ADA)
    forged = postfix("b@daily.example", ADA, "Subject: x", queue_id="4711")
    assert returned.results(forged) == ["rejected"]
    assert returned.is_untouched()


# Complaints


def test_a_complaint_suppresses_and_unsubscribes(returned: Returned) -> None:
    complaint = returned.make(yahoo_complaint)
    assert returned.results(complaint, complaint) == ["complaints", "ignored"]
    assert returned.readers() == {ADA: ("unsubscribed", True), BEN: ("confirmed", False)}
    assert returned.reasons() == ["complaint"]
    assert returned.consents()[-1] == ("unsubscribed", "report")
    assert returned.events() == [("complained", None)]


def test_a_complaint_may_conceal_the_reader(returned: Returned) -> None:
    assert returned.results(returned.make(yahoo_complaint, named=False)) == ["complaints"]


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "fraud", "virus", "other", ""])
def test_other_feedback_suppresses_nobody(returned: Returned, kind: str) -> None:
    assert returned.results(returned.make(yahoo_complaint, kind=kind)) == ["ignored"]
    assert returned.is_untouched()


# Mails that ask to unsubscribe


@pytest.mark.parametrize("before", ["", "Re: ", "AW: Fwd: "])
def test_a_mailed_unsubscribe(returned: Returned, before: str) -> None:
    mail = unsubscribe_mail(returned.path(), returned.token(), before=before)
    assert returned.results(mail, mail) == ["unsubscribed", "ignored"]
    assert returned.readers() == {ADA: ("unsubscribed", False), BEN: ("confirmed", False)}
    assert returned.consents()[-1] == ("unsubscribed", "mail")
    assert returned.events() == [("left", None)]


def test_an_old_mail_does_not_end_a_new_subscription_but_a_new_one_does(returned: Returned) -> None:
    first = unsubscribe_mail(returned.path(), returned.token())
    assert returned.results(first) == ["unsubscribed"]
    assert returned.post.cli("subscribers", "add", ADA, "--again").status == 0
    assert returned.results(first) == ["ignored"]
    assert returned.readers()[ADA] == ("confirmed", False)
    again = unsubscribe_mail(returned.path(), returned.token(), number=2)
    assert returned.results(again) == ["unsubscribed"]
    assert returned.readers()[ADA] == ("unsubscribed", False)


def test_a_token_in_an_encoded_subject(returned: Returned) -> None:
    mail = unsubscribe_mail(returned.path(), returned.token())
    words = f"unsubscribe {returned.token()}".encode()
    encoded = b"=?utf-8?q?unsubscribe_" + words.partition(b" ")[2].replace(b"_", b"=5F") + b"?="
    assert returned.results(mail.replace(words, encoded)) == ["unsubscribed"]


def test_only_a_token_of_ours_unsubscribes(returned: Returned) -> None:
    token = returned.token()
    for place in range(0, len(token), 3):
        other = "B" if token[place] != "B" else "C"
        mutated = token[:place] + other + token[place + 1 :]
        assert returned.results(unsubscribe_mail("x@daily.example", mutated)) == ["rejected"]
    for written in (f"{token}=", token[:-2], token.swapcase(), "please"):
        mail = unsubscribe_mail("x@daily.example", written)
        assert returned.results(mail) in (["rejected"], ["ignored"])
    assert returned.is_untouched()


# What must change nothing


@pytest.mark.parametrize("sample", [vacation, answer])
def test_what_people_and_their_programs_answer(post: Post, sample: object) -> None:
    returned = Returned(post, is_verp=True)
    assert returned.results(returned.make(sample)) == ["ignored"]  # type: ignore[arg-type]
    assert returned.is_untouched()


@pytest.mark.parametrize("name", DEAD)
def test_a_forged_bounce_suppresses_nobody(returned: Returned, name: str) -> None:
    header = returned.header()
    number = header.partition("Message-ID: <")[2].partition("@")[0]
    ref, delivery, mac = number.split(".")
    other = "a" if mac[0] != "a" else "b"
    forgeries = [
        f"{ref}.{delivery}.{other}{mac[1:]}",
        f"{ref}.{int(delivery) + 1}.{mac}",
        f"{ref}.0{delivery}.{mac}",
        f"{ref[:-1]}.{delivery}.{mac}",
        f"{ref}.{delivery}",
    ]
    plain = "\r\n".join(line for line in header.split("\r\n") if "nsubscribe" not in line)
    for forged in forgeries:
        message = DEAD[name](
            f"daily+{delivery}-{mac}@daily.example", ADA, plain.replace(number, forged)
        )
        assert returned.results(message) in (["rejected"], ["ignored"])
    assert returned.is_untouched()


def test_a_bounce_that_names_two_deliveries_is_nobodys(returned: Returned) -> None:
    ben = returned.header(BEN).partition("Message-ID: ")[2].partition("\r\n")[0]
    lines = [
        f"Message-ID: {ben}" if line.startswith("Message-ID:") else line
        for line in returned.header().split("\r\n")
    ]
    assert returned.results(postfix("x@daily.example", ADA, "\r\n".join(lines))) == ["rejected"]
    assert returned.is_untouched()


def test_a_number_used_anew_after_a_restore_is_not_the_one_that_bounced(returned: Returned) -> None:
    cli = returned.post.cli
    bounce = returned.make(postfix)
    for line in ("List-Unsubscribe", " <mailto"):
        lines = bounce.split(b"\r\n")
        bounce = b"\r\n".join(each for each in lines if not each.startswith(line.encode()))
    database = returned.post.open()
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE mailing SET ref = 'of another mailing'")
        connection.exec_driver_sql("UPDATE mailing SET ref = 'another1another2'")
    database.close()
    assert cli("bounces", "-", "--json", stdin=bounce).json["rejected"] != []
    assert returned.is_untouched()


def test_qmail_with_a_full_mailbox(returned: Returned) -> None:
    full = returned.make(qmail, said="User is over quota. (#5.2.2)")
    assert returned.results(full) == ["soft"]


def test_a_guess_counts_as_a_guess_where_it_names_a_stranger(returned: Returned) -> None:
    bounce = qmail(returned.path(), "x@elsewhere.example", returned.header())
    assert returned.results(bounce) == ["soft"]
    assert returned.readers()[ADA] == ("confirmed", False)
