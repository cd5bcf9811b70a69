"""publisher bounces: what it reads, says and prints."""

import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.cli.command_line import CommandLine
from tests.delivery.post import Post
from tests.inbound.mail_server import PASSWORD, USER, MailServer, make_tls
from tests.inbound.returned import ADA, BEN, Returned
from tests.inbound.samples import postfix, qmail, unsubscribe_mail, vacation, yahoo_complaint
from tests.smtp.scripted import ScriptedServer

DAN, EVE = "dan@d.example", "eve@e.example"
EVERYTHING = {
    "messages": 6,
    "bounces": 1,
    "soft": 1,
    "complaints": 1,
    "unsubscribed": 1,
    "ignored": 1,
    "rejected": [{"message": "all.mbox, message 6", "reason": "it names no delivery of ours"}],
}


@pytest.fixture
def returned(cli: CommandLine) -> Iterator[Returned]:
    with ScriptedServer() as server:
        yield Returned(Post(cli, server), ADA, BEN, DAN, EVE)


def _everything(returned: Returned) -> list[bytes]:
    """One of each: a dead mailbox, a full one, a complaint, a leave, a holiday, a forgery."""
    return [
        returned.make(postfix),
        returned.make(qmail, BEN, said="The mailbox is full. (#5.2.2)"),
        returned.make(yahoo_complaint, DAN),
        unsubscribe_mail(returned.path(), returned.token(EVE)),
        returned.make(vacation, EVE),
        postfix("daily@daily.example", EVE, "Message-ID: <a.1.b@daily.example>"),
    ]


def _mbox(messages: list[bytes]) -> bytes:
    first = b"From MAILER-DAEMON Mon Dec 15 07:00:09 2025\n"
    return b"\n".join(first + each.replace(b"\r\n", b"\n") for each in messages)


def test_an_mbox(returned: Returned) -> None:
    cli = returned.post.cli
    cli.write("all.mbox", _mbox(_everything(returned)))
    done = cli("bounces", "all.mbox", "--json")
    assert (done.status, done.json) == (0, EVERYTHING)
    assert returned.readers() == {
        ADA: ("confirmed", True),
        BEN: ("confirmed", False),
        DAN: ("unsubscribed", True),
        EVE: ("unsubscribed", False),
    }
    again = cli("bounces", "all.mbox", "--json").json
    assert (again["messages"], again["ignored"], len(again["rejected"])) == (6, 5, 1)
    assert len(returned.events()) == 4


def test_what_is_said(returned: Returned) -> None:
    cli = returned.post.cli
    cli.write("all.mbox", _mbox(_everything(returned)))
    done = cli("bounces", "all.mbox")
    assert done.out == (
        "6 messages: 1 bounce, 1 soft, 1 complaint, 1 unsubscribed, 1 ignored, 1 rejected\n"
    )
    assert done.err.splitlines() == [
        "all.mbox, message 1: the mailbox is dead; nothing more is sent there (2025-12-15)",
        "all.mbox, message 2: it did not arrive; counted (2025-12-15)",
        "all.mbox, message 3: a complaint; nothing more is sent there (2025-12-15)",
        "all.mbox, message 4: unsubscribed (2025-12-15)",
        "all.mbox, message 5: ignored: an automatic answer",
        "all.mbox, message 6: rejected: it names no delivery of ours",
    ]


def test_addresses_are_shown_on_a_terminal_alone(returned: Returned) -> None:
    assert ADA not in returned.post.cli("bounces", "-", stdin=returned.make(postfix)).both
    master, slave = pty.openpty()
    command = returned.post.process.command("bounces", "-")
    environment = returned.post.process.environment({})
    full = returned.make(qmail, BEN, said="The mailbox is full. (#5.2.2)")
    subprocess.run(
        command, cwd=returned.post.folder, env=environment, input=full, stderr=slave, check=True
    )
    os.close(slave)
    assert f"counted ({BEN}, 2025-12-15)" in os.read(master, 10_000).decode()
    os.close(master)


def test_a_maildir(returned: Returned) -> None:
    cli = returned.post.cli
    for name in ("new", "cur"):
        (cli.folder / "Maildir" / name).mkdir(parents=True)
    for number, message in enumerate(_everything(returned)):
        cli.write(f"Maildir/new/{number}.M1.host", message)
    (cli.folder / "Maildir/new/link").symlink_to("nowhere")
    done = cli("bounces", "Maildir", "--json")
    assert (done.status, done.json["messages"]) == (0, 7)
    assert "new/link: rejected: it cannot be read" in done.err
    assert [path.name for path in (cli.folder / "Maildir/new").iterdir()] == ["link"]
    assert len(list((cli.folder / "Maildir/cur").glob("*:2,S"))) == 6
    assert cli("bounces", "Maildir", "--json").json["messages"] == 1


def test_an_imap_mailbox_of_the_settings(
    returned: Returned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli, authority = returned.post.cli, trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with MailServer(make_tls(authority)) as server:
        server.messages = dict(enumerate(_everything(returned), 1))
        url = f"imaps://{USER}@localhost:{server.port}/INBOX"
        monkeypatch.setenv("PUBLISHER_INBOUND__URL", url)
        assert "PUBLISHER_INBOUND__PASSWORD" in cli("bounces").err
        monkeypatch.setenv("PUBLISHER_INBOUND__PASSWORD", PASSWORD)
        done = cli("bounces", "--json").json
        assert (done["messages"], done["bounces"], done["complaints"]) == (6, 1, 1)
        assert server.seen == set(server.messages)
        assert cli("bounces", "--json").json["messages"] == 0


def test_standard_input_where_nothing_is_named(returned: Returned) -> None:
    done = returned.post.cli("bounces", "--json", stdin=returned.make(postfix))
    assert done.json["bounces"] == 1


def test_nothing_on_standard_input(cli: CommandLine) -> None:
    done = cli("bounces")
    assert (done.status, done.out[:11]) == (0, "0 messages:")


def test_hostile_mail_is_never_a_traceback(returned: Returned) -> None:
    bounce = returned.make(postfix)
    hostile = [
        b"\x00" * 1_000,
        bytes(range(256)) * 10,
        bounce.replace(b"rfc822; ada", b"rfc822; \x00\xff\x1b[2J" + b"a" * 5_000),
        bounce.replace(b"delivery-status\r\n\r\n", b"delivery-status\r\n\r\n\r\n\r\n\x80:\r\n"),
        bounce.replace(b"Status: 5.1.1", "Status: ٥.1.1".encode()),
    ]
    for message in hostile:
        done = returned.post.cli("bounces", "-", "--json", stdin=message)
        assert (done.status, done.json["messages"]) == (0, 1)
        assert "\x1b" not in done.err


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("nowhere.eml", "there is no nowhere.eml"),
        (".", "no Maildir"),
        ("imaps://host/INBOX", "names no mailbox"),
        ("imaps://ada:geheim@host/INBOX", "belongs in the environment"),
    ],
)
def test_what_is_refused(cli: CommandLine, place: str, expected: str) -> None:
    done = cli("bounces", place, "--json")
    assert (done.status, expected in done.json["error"]) == (2, True)
    assert "geheim" not in done.both


def test_a_mailbox_of_the_settings_that_is_none(cli: CommandLine) -> None:
    for url in ("imaps://ada:geheim@host/INBOX", "pop3://ada@host", "imaps://host/INBOX"):
        done = cli("config", "--json")
        cli.write("publisher.toml", cli.read("publisher.toml").partition("[inbound]")[0])
        with (cli.folder / "publisher.toml").open("a") as file:
            file.write(f'[inbound]\nurl = "{url}"\n')
        done = cli("bounces")
        assert (done.status, "inbound.url" in done.err) == (2, True)
        assert "geheim" not in done.both
