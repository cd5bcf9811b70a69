"""Doubts that settle themselves: something comes that only the message in doubt can have caused."""

import re
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import update

from publisher.store import schema as s
from tests.delivery.post import NAME, Post
from tests.inbound.samples import postfix, unsubscribe_mail
from tests.smtp.scripted import RESET, Rule
from tests.web.public.site import PATIENCE, Client, free_port, wait_until

ADA, BEN = "ada@reader.example", "ben@leser.example"


@pytest.fixture
def doubtful(post: Post) -> Post:
    """Ada's message was taken, and nobody heard; so was Ben's, who was heard."""
    post.configure(on_in_doubt="hold")
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("final_dot", RESET, recipient=ADA, times=1, is_accepted=True))
    assert post.send().status == 4
    assert post.counts() == {"in_doubt": 1, "sent": 1}
    return post


def header(post: Post) -> str:
    (ours,) = (each for each in post.server.messages if each.recipients == (ADA,))
    return ours.data.partition(b"\r\n\r\n")[0].decode()


def message_of(post: Post) -> EmailMessage:
    return next(each for each in post.messages() if each["To"] == ADA)


def _is_up(site: Client) -> bool | None:
    try:
        return site.get("/healthz").status == 200 or None
    except OSError:
        return None


def proof(post: Post) -> list[str]:
    return [said for (said,) in post.rows("SELECT reply FROM ledger WHERE event = 'proven'")]


def test_a_bounce_proves_that_there_was_a_message(doubtful: Post) -> None:
    bounce = postfix("daily@daily.example", ADA, header(doubtful))
    assert doubtful.cli("bounces", "-", stdin=bounce).status == 0
    assert doubtful.counts() == {"sent": 2}
    assert proof(doubtful) == ["proven by a report about this very message"]
    assert "proven" in doubtful.deliveries()[ADA]["last_reply"]
    assert doubtful.send().status == 5


def test_so_does_a_mail_that_asks_to_unsubscribe(doubtful: Post) -> None:
    token = header(doubtful).partition("?subject=unsubscribe%20")[2].partition(">")[0]
    assert (
        doubtful.cli("bounces", "-", stdin=unsubscribe_mail("daily@daily.example", token)).status
        == 0
    )
    assert doubtful.counts() == {"sent": 2}
    assert proof(doubtful) == ["proven by the reader, who left by its link"]


def test_so_does_its_link_when_it_is_opened_which_changes_no_reader(doubtful: Post) -> None:
    path = urlsplit(re.findall(r"<(https:[^>]+)>", header(doubtful))[0]).path
    before = doubtful.rows("SELECT * FROM subscriber")
    port = free_port()
    config = doubtful.folder / "publisher.toml"
    console = f"[console]\nport = {free_port()}\n"
    config.write_text(f"{config.read_text()}\n[web]\nport = {port}\n{console}")
    process, site = doubtful.start("serve"), Client(port)
    try:
        wait_until(lambda: _is_up(site) or process.poll())
        assert site.get("/unsubscribe/nonsense").status == 404
        assert doubtful.counts() == {"in_doubt": 1, "sent": 1}
        assert site.ask("HEAD", path).status == 200
        assert doubtful.counts() == {"sent": 2}
    finally:
        process.terminate()
        process.wait(PATIENCE)
    assert proof(doubtful) == ["proven by a link in it, which was opened"]
    assert doubtful.rows("SELECT * FROM subscriber") == before


def test_a_report_about_another_message_proves_nothing(doubtful: Post) -> None:
    forged = re.sub(r"(?m)^Message-ID: .*$", "Message-ID: <m.1.aaaa@x.example>", header(doubtful))
    forged = re.sub(r"(?ms)^List-Unsubscribe: .*?(?=^\S)", "", forged)
    assert doubtful.cli("bounces", "-", stdin=postfix("x@x.example", ADA, forged)).status == 0
    assert doubtful.counts() == {"in_doubt": 1, "sent": 1}


def test_what_was_queued_again_is_not_sent_a_second_time(doubtful: Post) -> None:
    """As a first doubt is where doubts are resent, until the next process comes to it."""
    database = doubtful.open()
    with database.write() as connection:
        queued = update(s.delivery).where(s.delivery.c.status == "in_doubt")
        connection.execute(queued.values(status="queued"))
        connection.execute(update(s.mailing).values(status="sending", finished_at=None))
    database.close()
    bounce = postfix("daily@daily.example", ADA, header(doubtful))
    assert doubtful.cli("bounces", "-", stdin=bounce).status == 0
    assert (doubtful.status()["status"], doubtful.counts()) == ("finished", {"sent": 2})
    assert doubtful.send().status == 5
    assert doubtful.arrived() == {ADA: 1, BEN: 1}


POSTFIX = """\
Dec 15 06:30:01 mx postfix/smtpd[7]: 4fX2kq1Rz9z3: client=news.daily.example[192.0.2.7]
Dec 15 06:30:01 mx postfix/cleanup[8]: 4fX2kq1Rz9z3: message-id={id}
{taken}
Dec 15 06:30:02 mx postfix/smtp[9]: 4fX2kq1Rz9z3: to=<{ada}>, status=sent (250 2.0.0 Ok)
"""
TAKEN = "Dec 15 06:30:01 mx postfix/qmgr[2]: 4fX2kq1Rz9z3: from=<d@daily.example>, size=9, nrcpt=1"
EXIM = "2025-12-15 06:30:01 1tGk2s-0003xY-2b <= d@daily.example H=(x) P=esmtps S=30123 id={bare}\n"


@pytest.mark.parametrize(
    ("log", "is_proof"),
    [
        (POSTFIX, True),
        (POSTFIX.replace("{taken}\n", ""), False),
        (POSTFIX.replace("{id}", "<another@x.example>"), False),
        (EXIM, True),
        ("", False),
    ],
    ids=["postfix", "not taken by postfix", "another message", "exim", "empty"],
)
def test_the_relays_log(doubtful: Post, tmp_path: Path, log: str, is_proof: bool) -> None:
    own = message_of(doubtful)["Message-ID"]
    file = tmp_path / "mail.log"
    values = {"id": own, "bare": own.strip("<>"), "taken": TAKEN, "ada": ADA}
    file.write_text("\udcff\n".encode("utf-8", "surrogateescape").decode("latin-1"))
    file.write_text(file.read_text() + log.format(**values))
    done = doubtful.cli("resolve", NAME, "--log", str(file))
    assert done.status == (0 if is_proof else 5), done
    assert doubtful.counts() == ({"sent": 2} if is_proof else {"in_doubt": 1, "sent": 1})


def test_a_log_that_is_not_there_or_one_answer_too_many(doubtful: Post, tmp_path: Path) -> None:
    gone = doubtful.cli("resolve", NAME, "--log", str(tmp_path / "none.log"))
    assert (gone.status, "cannot be read" in gone.err) == (2, True)
    both = doubtful.cli("resolve", NAME, "--log", "x", "--resend")
    assert (both.status, "say one of" in both.err) == (2, True)
    assert doubtful.counts() == {"in_doubt": 1, "sent": 1}
