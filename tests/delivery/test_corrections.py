"""Corrections: exactly those are told who were sent the wrong text, whatever happens meanwhile."""

import random
import time
from collections import Counter
from email import message_from_bytes
from email.message import Message

import pytest

from publisher.model.delivery import Mailing
from publisher.runtime.correcting import MailedCorrection
from tests.delivery.correcting import NOTE, RIGHT, WRONG, correct, count, mail_again, write
from tests.delivery.post import NAME, Post
from tests.smtp.scripted import RESET, Rule, say

ADA, BEN = "ada@reader.example", "ben@reader.example"
LATER = say("450 later")
SUBJECT = f"Issue {NAME}"


@pytest.fixture
def wrong(post: Post) -> Post:
    """A publication whose issue has something wrong in it."""
    write(post, WRONG)
    return post


def _mailing(corrected: MailedCorrection) -> Mailing:
    assert corrected.mailing is not None
    return corrected.mailing


def send_all(post: Post) -> int:
    return post.cli("run", "--once").status


def told_apart(post: Post) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Who got the wrong text, who the right one, and who a correction: how often each."""
    wrong, right, notes = Counter[str](), Counter[str](), Counter[str]()
    for message, arrived in zip(_messages(post), post.server.messages, strict=True):
        text = _text(message)
        which = notes if message["In-Reply-To"] else wrong if WRONG in text else right
        assert which is not right or RIGHT in text
        which[arrived.recipients[0]] += 1
    return wrong, right, notes


def _messages(post: Post) -> list[Message]:
    """What was accepted, by the email package's old policy, which takes a tenth of the time."""
    return [message_from_bytes(each.data) for each in post.server.messages]


def _text(message: Message) -> str:
    plain = next(part for part in message.walk() if part.get_content_type() == "text/plain")
    data = plain.get_payload(decode=True)
    assert isinstance(data, bytes)
    return " ".join(data.decode().split())


def _wait_for_messages(post: Post, number: int) -> None:
    deadline = time.monotonic() + 60
    while len(post.server.messages) < number:
        assert time.monotonic() < deadline, "nothing is being sent"
        time.sleep(0.001)


def test_exactly_those_are_told_who_were_sent_the_earlier_text(wrong: Post) -> None:
    _correct_in_the_middle(wrong, before=40, after=60)


@pytest.mark.long
def test_of_a_thousand_it_is_the_400_who_were_sent_it_before(wrong: Post) -> None:
    _correct_in_the_middle(wrong, before=400, after=600)


def _correct_in_the_middle(post: Post, *, before: int, after: int) -> None:
    early = [f"reader{number}@early.example" for number in range(before)]
    late = [f"reader{number}@late.example" for number in range(after)]
    post.subscribe([*early, *late])
    post.server.rules.append(Rule("rcpt", LATER, recipient="@late.example"))
    assert post.send().status == 3
    assert post.cli("pause", NAME).status == 0
    assert post.counts() == {"sent": before, "deferred": after}
    corrected = correct(post)
    assert _mailing(corrected).recipients == before
    post.server.rules.clear()
    post.make_due()
    assert post.cli("resume", NAME).status == 0
    assert send_all(post) == 0
    wrong_ones, right_ones, notes = told_apart(post)
    assert wrong_ones == notes == dict.fromkeys(early, 1)
    assert right_ones == dict.fromkeys(late, 1)
    assert post.counts() == {"sent": before + after}
    _require_threads(post)


def _require_threads(post: Post) -> None:
    """Each correction answers the message that its very reader was sent."""
    ids = {m["To"]: m["Message-ID"] for m in _messages(post) if WRONG in _text(m)}
    for message in _messages(post):
        if message["In-Reply-To"]:
            assert NOTE in _text(message)
            assert message["In-Reply-To"] == message["References"] == ids[message["To"]]
            assert message["Subject"] == f"Re: {SUBJECT}"
            assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            assert message["Message-ID"] not in ids.values()


def test_what_is_in_flight_when_it_is_corrected_is_told_as_well(wrong: Post) -> None:
    """A send is going on, over several connections: nobody is left with the wrong text alone."""
    post = wrong
    post.server.delay = 0.002
    post.configure(connections=4)
    readers = post.subscribe(160)
    sending = post.start("send", NAME, "--yes")
    _wait_for_messages(post, 30)
    correct(post)
    sending.communicate(timeout=60)
    assert send_all(post) == 0
    wrong_ones, right_ones, notes = told_apart(post)
    assert len(wrong_ones) >= 30
    assert len(right_ones) > 0
    assert wrong_ones == notes == dict.fromkeys(wrong_ones, 1)
    assert wrong_ones.keys() | right_ones.keys() == set(readers)
    assert not wrong_ones.keys() & right_ones.keys()


def test_after_a_kill_nobody_is_left_with_the_wrong_text_alone(wrong: Post) -> None:
    _kill_and_correct(wrong, "resend", seed=3)


@pytest.mark.long
@pytest.mark.parametrize("policy", ["resend", "hold"])
@pytest.mark.parametrize("seed", range(10))
def test_after_many_kills_nobody_is_left_with_the_wrong_text_alone(
    wrong: Post, policy: str, seed: int
) -> None:
    _kill_and_correct(wrong, policy, seed=seed)


def _kill_and_correct(post: Post, policy: str, *, seed: int) -> None:
    chance = random.Random(seed)
    post.server.delay = 0.001
    post.configure(connections=4, on_in_doubt=policy)
    readers = post.subscribe(120)
    sending = post.start("send", NAME, "--yes")
    _wait_for_messages(post, chance.randrange(10, 40))
    time.sleep(chance.random() * 0.02)
    sending.kill()
    sending.communicate()
    correct(post)
    again = post.start("run", "--once")
    _wait_for_messages(post, len(post.server.messages) + chance.randrange(5, 30))
    again.kill()
    again.communicate()
    assert send_all(post) in (0, 4)
    wrong_ones, right_ones, notes = told_apart(post)
    in_doubt = set(post.deliveries("--status", "in_doubt"))
    assert set(readers) - in_doubt <= wrong_ones.keys() | right_ones.keys()
    # Nobody has two texts, and who has the wrong one is told.
    assert not wrong_ones.keys() & right_ones.keys()
    assert notes.keys() <= wrong_ones.keys() | in_doubt
    of_notes = post.cli("status", NAME, "--json").json["corrections"][0]["counts"]
    assert of_notes["queued"] == of_notes["deferred"] == of_notes["sending"] == 0
    if not of_notes["in_doubt"]:
        assert wrong_ones.keys() <= notes.keys()


def test_a_doubt_is_settled_with_the_text_that_may_have_arrived(wrong: Post) -> None:
    post = wrong
    post.configure(connections=1, on_in_doubt="hold")
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("final_dot", RESET, recipient=ADA, times=1, is_accepted=True))
    assert post.send().status == 4
    assert _mailing(correct(post)).recipients == 2
    assert post.cli("resolve", NAME, "--resend").status == 0
    assert send_all(post) == 0
    wrong_ones, right_ones, notes = told_apart(post)
    assert wrong_ones == {ADA: 2, BEN: 1}
    assert notes == {ADA: 1, BEN: 1}
    assert not right_ones


def test_who_was_refused_gets_the_corrected_text_when_it_is_tried_again(wrong: Post) -> None:
    post = wrong
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("rcpt", say("550 no"), recipient=ADA, times=1))
    assert post.send().status == 0
    assert _mailing(correct(post)).recipients == 1
    assert post.cli("retry", NAME).status == 0
    assert send_all(post) == 0
    wrong_ones, right_ones, notes = told_apart(post)
    assert (wrong_ones, right_ones) == ({BEN: 1}, {ADA: 1})
    assert notes == {BEN: 1}


def test_an_edit_alone_changes_nothing_of_what_is_sent(wrong: Post) -> None:
    post = wrong
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("rcpt", LATER, recipient=BEN, times=1))
    assert post.send().status == 3
    write(post, RIGHT)
    assert post.cli("build").status == 0
    post.make_due()
    assert send_all(post) == 0
    wrong_ones, right_ones, notes = told_apart(post)
    assert len(wrong_ones) == 2
    assert not right_ones
    assert not notes
    assert post.status()["revisions"][0]["sent"] == 2


def test_a_correction_goes_once_and_a_second_one_to_all_who_have_another_text(wrong: Post) -> None:
    post = wrong
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("rcpt", LATER, recipient=BEN, times=1))
    assert post.send().status == 3
    first, again = correct(post), mail_again(post)
    assert _mailing(first).id == _mailing(again).id
    assert again.revised is None
    post.make_due()
    assert send_all(post) == 0
    assert told_apart(post)[2] == {ADA: 1}
    third = correct(post, f"{RIGHT} On Sundays at ten.")
    assert _mailing(third).recipients == 2
    assert send_all(post) == 0
    assert told_apart(post)[2] == {ADA: 2, BEN: 1}
    assert [each["recipients"] for each in _listed(post)] == [1, 2]


def _listed(post: Post) -> list[dict[str, int]]:
    rows = post.rows("SELECT recipients FROM mailing WHERE purpose = 'correction' ORDER BY id")
    return [{"recipients": row[0]} for row in rows]


def test_nobody_is_told_who_left_paused_or_was_not_sent_it(wrong: Post) -> None:
    post = wrong
    post.subscribe([ADA, BEN, "cleo@reader.example"])
    post.server.rules.append(Rule("rcpt", say("550 no"), recipient="cleo@reader.example"))
    assert post.send().status == 0
    assert post.cli("subscribers", "remove", ADA).status == 0
    post.subscribe(["new@reader.example"])
    assert _mailing(correct(post)).recipients == 1
    assert post.cli("subscribers", "remove", BEN).status == 0
    assert send_all(post) == 0
    assert not told_apart(post)[2]


def test_without_anybody_to_tell_there_is_no_mailing(wrong: Post) -> None:
    post = wrong
    assert post.cli("build").status == 0
    assert correct(post, f"{WRONG} On Sundays too.") == MailedCorrection(None, None)
    post.subscribe([ADA])
    post.server.rules.append(Rule("rcpt", LATER, times=1))
    assert post.send().status == 3
    done = correct(post)
    assert done.revised is not None
    assert done.mailing is None
    assert not _listed(post)


def test_a_correction_that_is_not_mailed_revises_what_is_left(wrong: Post) -> None:
    post = wrong
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("rcpt", LATER, recipient=BEN, times=1))
    assert post.send().status == 3
    before = post.status()["digest"]
    done = correct(post, is_mailed=False)
    assert done.mailing is None
    assert done.revised is not None
    post.make_due()
    assert send_all(post) == 0
    status = post.status()
    assert status["digest"] == done.revised.digest != before
    assert [(each["digest"], each["sent"]) for each in status["revisions"]] == [
        (before, 1),
        (done.revised.digest, 1),
    ]
    assert status["corrections"] == []
    assert "1 sent with digest" in post.cli("status", NAME).out
    assert post.rows("SELECT reply FROM ledger WHERE event = 'revised'") == [(done.revised.digest,)]
    assert told_apart(post)[1] == {BEN: 1}
    # Whoever has the text already need not be told of it.
    assert count(post) == 1
    assert _mailing(mail_again(post)).recipients == 1
    assert send_all(post) == 0
    assert told_apart(post)[2] == {ADA: 1}


def test_a_correction_is_named_and_steered_like_an_issue(wrong: Post) -> None:
    post = wrong
    post.subscribe([ADA, BEN])
    assert post.send().status == 0
    name = _mailing(correct(post)).name
    assert name.startswith(f"{NAME}@")
    assert post.cli("pause", name).status == 0
    assert send_all(post) == 3
    assert not told_apart(post)[2]
    assert post.cli("resume", name[: len(NAME) + 5], "--json").json["correction"] == name
    shown = post.cli("send", name, "--yes", "--json")
    assert shown.status == 0, shown
    assert shown.json["counts"]["sent"] == 2
    listed = post.cli("deliveries", name, "--json").json["deliveries"]
    assert {each["email"] for each in listed} == {ADA, BEN}
    assert name in post.cli("status").out
    (its,) = post.cli("status", NAME, "--json").json["corrections"]
    assert (its["correction"], its["issue"], its["status"]) == (name, NAME, "finished")
    assert post.cli("cancel", f"{NAME}@ffff").status == 2
    assert told_apart(post)[2] == {ADA: 1, BEN: 1}


def test_the_command_notes_builds_asks_and_mails(wrong: Post) -> None:
    post = wrong
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("rcpt", LATER, recipient=BEN, times=1))
    assert post.send().status == 3
    write(post, RIGHT)
    words = ("correct", NAME, "--note", NOTE, "--mail")
    before = post.cli.files().keys()
    asked = post.cli(*words)  # there is no terminal
    assert asked.status == 2, asked
    assert "1 were sent another text" in asked.err
    assert post.cli.files().keys() == before
    done = post.cli(*words, "--yes", "--json")
    assert done.status == 0, done
    assert done.json["recipients"] == 1
    assert done.json["correction"].startswith(f"{NAME}@{done.json['to'][:12]}")
    assert done.json["digest"] == post.status()["digest"]
    for same in (words, ("correct", NAME, "--mail")):
        again = post.cli(*same, "--yes")
        assert again.status == 0, again
        assert "Noted before" in again.err
    assert len(post.status()["corrections"]) == 1
    post.make_due()
    assert send_all(post) == 0
    wrong_ones, right_ones, notes = told_apart(post)
    assert (wrong_ones, right_ones, notes) == ({ADA: 1}, {BEN: 1}, {ADA: 1})
    assert post.cli("correct", NAME, "--note", NOTE).status == 2


def test_nothing_is_noted_where_the_note_could_not_be_mailed(wrong: Post) -> None:
    post = wrong
    post.subscribe([ADA])
    assert post.send().status == 0
    write(post, RIGHT)
    settings = post.cli.read("publisher.toml")
    post.cli.write("publisher.toml", settings.replace('postal_address = "1 Test Street"\n', ""))
    done = post.cli("correct", NAME, "--note", NOTE, "--mail", "--yes")
    assert done.status == 2
    assert "email.postal_address" in done.err
    post.cli.write("publisher.toml", settings)
    assert post.cli("correct", NAME, "--note", NOTE, "--mail", "--yes").status == 0
