"""The scripted server itself, spoken to by a client that is not ours."""

import smtplib
import time

import pytest

from tests.smtp.scripted import Accepted, Act, Rule, ScriptedServer, say

MESSAGE = b"A: b\r\n\r\n.\r\n..x\r\n"


def test_rules_fit_a_recipient_and_are_used_up() -> None:
    rules = [
        Rule("rcpt", say("450 4.2.1 later"), recipient="ada@x.example", times=2),
        Rule("rcpt", say("550 5.1.1 nobody"), recipient="@gone.example"),
    ]
    with ScriptedServer(rules) as server, smtplib.SMTP("127.0.0.1", server.port) as client:
        for recipient, code in (
            ("ada@x.example", 450),
            ("bob@x.example", 250),
            ("bob@gone.example", 550),
            ("ada@x.example", 450),
            ("ada@x.example", 250),
        ):
            client.ehlo_or_helo_if_needed()
            assert client.mail("news@daily.example")[0] == 250
            assert client.rcpt(recipient)[0] == code
            assert client.rset()[0] == 250


def test_what_was_accepted_is_known() -> None:
    seen: list[Accepted] = []
    with ScriptedServer(on_message=seen.append) as server:
        with smtplib.SMTP("127.0.0.1", server.port) as client:
            client.sendmail("news@daily.example", ["a@x.example", "b@x.example"], MESSAGE)
        assert server.messages == seen
    (message,) = server.messages
    assert (message.sender, message.recipients) == (
        "news@daily.example",
        ("a@x.example", "b@x.example"),
    )
    assert message.data == MESSAGE
    assert message.connection == 1


def test_accepted_and_not_said_so() -> None:
    rule = Rule("final_dot", Act(then="reset"), connection=1, is_accepted=True)
    with ScriptedServer([rule]) as server:
        for fails in (True, False):
            with smtplib.SMTP("127.0.0.1", server.port) as client:
                if fails:
                    with pytest.raises(smtplib.SMTPServerDisconnected):
                        client.sendmail("n@daily.example", ["a@x.example"], MESSAGE)
                else:
                    client.sendmail("n@daily.example", ["a@x.example"], MESSAGE)
    assert [message.connection for message in server.messages] == [1, 2]


def test_connections_are_counted() -> None:
    with ScriptedServer() as server:
        with smtplib.SMTP("127.0.0.1", server.port), smtplib.SMTP("127.0.0.1", server.port):
            assert server.open_now == 2
        with smtplib.SMTP("127.0.0.1", server.port):
            pass
        # The server's threads may be a moment behind.
        while server.open_now:
            time.sleep(0.01)
        assert (server.connections, server.most_open) in [(3, 2), (3, 3)]


def test_all_connections_can_be_dropped() -> None:
    with ScriptedServer() as server:
        client = smtplib.SMTP("127.0.0.1", server.port)
        server.drop_all()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()
        client.close()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_logins_are_checked(mechanism: str) -> None:
    with (
        ScriptedServer(logins={"news": "secret"}, mechanisms=mechanism) as server,
        smtplib.SMTP("127.0.0.1", server.port) as client,
    ):
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("news", "wrong")
        assert client.login("news", "secret")[0] == 235
    assert [(login.mechanism, login.user) for login in server.logins] == [(mechanism, "news")] * 2
