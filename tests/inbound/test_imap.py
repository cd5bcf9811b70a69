"""An IMAP mailbox, from a server on a socket."""

import socket
import ssl
from collections.abc import Iterator

import pytest
import trustme

from publisher.errors import PublisherError
from publisher.inbound.imap import Mailbox, parse_mailbox, read_imap
from publisher.inbound.source import MOST_OCTETS
from tests.inbound.mail_server import PASSWORD, USER, MailServer, make_tls

AUTHORITY = trustme.CA()


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer(make_tls(AUTHORITY)) as server:
        server.messages = {7: b"Subject: a\r\n\r\nA\r\n", 9: b"Subject: b\r\n\r\n)\r\nA1 OK\r\n"}
        yield server


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


def _mailbox(server: MailServer, scheme: str = "imaps", name: str = "INBOX") -> Mailbox:
    return parse_mailbox(f"{scheme}://{USER.replace('@', '%40')}@localhost:{server.port}/{name}")


def test_messages_are_marked_once_they_are_read(server: MailServer) -> None:
    names = []
    for arrived in read_imap(_mailbox(server), PASSWORD, _context()):
        assert arrived.data == server.messages[int(arrived.name.split()[1])]
        names.append(arrived.name)
        if arrived.name == "message 7":
            arrived.finish()
    assert names == ["message 7", "message 9"]
    assert server.seen == {7}
    again = [each.name for each in read_imap(_mailbox(server), PASSWORD, _context())]
    assert again == ["message 9"]


def test_an_empty_mailbox(server: MailServer) -> None:
    server.messages.clear()
    assert list(read_imap(_mailbox(server), PASSWORD, _context())) == []


def test_a_message_too_large_is_left(server: MailServer) -> None:
    server.messages = {7: b"x" * (MOST_OCTETS + 5), 9: b"x" * MOST_OCTETS}
    faults = []
    for each in read_imap(_mailbox(server), PASSWORD, _context()):
        faults.append(each.fault)
        each.finish()
    assert faults == ["it is larger than 5 MB", ""]
    assert server.seen == {9}


def test_starttls() -> None:
    with MailServer(make_tls(AUTHORITY), is_implicit=False) as server:
        server.messages = {7: b"Subject: a\r\n\r\nA\r\n"}
        (one,) = read_imap(_mailbox(server, "imap"), PASSWORD, _context())
        assert one.data == server.messages[7]
        assert server.passwords == [(True, PASSWORD)]


def test_no_password_without_a_valid_certificate(server: MailServer) -> None:
    with pytest.raises(PublisherError, match="certificate of localhost"):
        list(read_imap(_mailbox(server), PASSWORD, ssl.create_default_context()))
    assert server.passwords == []


def test_no_password_without_starttls() -> None:
    with MailServer(make_tls(AUTHORITY), is_implicit=False) as server:
        server.says["CAPABILITY"] = b"* CAPABILITY IMAP4rev1\r\nX OK\r\n"
        with pytest.raises(PublisherError):
            list(read_imap(_mailbox(server, "imap"), PASSWORD, _context()))
        assert server.passwords == []


def test_a_refused_login_and_an_unknown_mailbox(server: MailServer) -> None:
    with pytest.raises(PublisherError, match="refuses the login"):
        list(read_imap(_mailbox(server), "wrong", _context()))
    with pytest.raises(PublisherError, match="has no mailbox 'other \"one'"):
        list(read_imap(_mailbox(server, name="other%20%22one"), PASSWORD, _context()))
    with pytest.raises(PublisherError, match="PUBLISHER_INBOUND__PASSWORD"):
        list(read_imap(_mailbox(server), "", _context()))


@pytest.mark.parametrize(
    "command", ["GREETING", "CAPABILITY", "LOGIN", "SELECT", "UID SEARCH", "UID FETCH"]
)
@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x00\xff garbage\r\n",
        b"* BYE going\r\n",
        b"x" * 2_000_000 + b"\r\n",
        b"* {9999999}\r\n",
    ],
)
def test_a_server_that_says_anything(server: MailServer, command: str, said: bytes) -> None:
    server.says[command] = said
    with pytest.raises(PublisherError, match="localhost"):
        list(read_imap(_mailbox(server), PASSWORD, _context()))
    assert server.seen == set()


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    mailbox = parse_mailbox(f"imaps://ada@localhost:{port}/INBOX")
    with pytest.raises(PublisherError, match="cannot be reached"):
        list(read_imap(mailbox, PASSWORD, _context()))


def test_a_server_that_leaves_before_a_message_is_marked(server: MailServer) -> None:
    server.says["UID STORE"] = b"* BYE going\r\n"
    arriving = read_imap(_mailbox(server), PASSWORD, _context())
    with pytest.raises(PublisherError, match="localhost"):
        next(arriving).finish()


def test_a_mailboxs_url() -> None:
    assert parse_mailbox("imaps://ada%40x.example@mail.x.example/Bounces/new") == Mailbox(
        scheme="imaps",
        host="mail.x.example",
        port=993,
        user="ada@x.example",
        name="Bounces/new",
    )
    assert parse_mailbox("imap://ada@mail.x.example").port == 143
    assert parse_mailbox("imaps://ada@x.example@mail.x.example/").name == "INBOX"


@pytest.mark.parametrize(
    "url",
    [
        "imaps://",
        "imaps://host/INBOX",
        "imaps://ada@/INBOX",
        "imaps://ada@host:port/INBOX",
        "imaps://ada%0d%0aA1@host/INBOX",
        "imaps://ada@host/IN%0d%0aBOX",
        "imaps://ada:geheim@host/INBOX",
        "http://ada@host/INBOX",
    ],
)
def test_what_is_no_mailbox(url: str) -> None:
    with pytest.raises(PublisherError) as caught:
        parse_mailbox(url)
    assert "geheim" not in str(caught.value)
