"""Connecting, encrypting and logging in: nothing is trusted that was not verified."""

import socket
import ssl
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme

from publisher.model.delivery import Outcome
from publisher.settings import Smtp
from publisher.smtp.session import Session, open_session, to_ascii_host
from tests.smtp.scripted import (
    Act,
    Login,
    Rule,
    ScriptedServer,
    client_tls,
    relay_to,
    say,
    server_tls,
)

LOGIN: dict[str, Any] = {"username": "news", "password": "päss wörd"}
KNOWN = {"news": "päss wörd"}
SECURITIES = pytest.mark.parametrize("is_implicit", [False, True], ids=["starttls", "tls"])


def open_it(relay: Smtp, context: ssl.SSLContext | None = None) -> Session | Outcome:
    opened = open_session(relay, "us.example", context)
    if isinstance(opened, Session):
        opened.wire.close()
    return opened


def refused(relay: Smtp, context: ssl.SSLContext | None = None) -> Outcome:
    outcome = open_it(relay, context)
    assert isinstance(outcome, Outcome)
    return outcome


def verbs(server: ScriptedServer) -> list[bytes]:
    return [line.partition(b" ")[0].upper() for _, _, line in server.lines]


@SECURITIES
def test_an_encrypted_session_knows_what_is_offered_inside(
    authority: trustme.CA, is_implicit: bool
) -> None:
    with ScriptedServer(tls=server_tls(authority), is_implicit=is_implicit) as server:
        session = open_it(relay_to(server), client_tls(authority))
    assert isinstance(session, Session)
    assert session.features["size"] == "20000000"
    assert {"pipelining", "8bitmime", "smtputf8"} <= session.features.keys()
    assert "starttls" not in session.features
    # Whoever listens on the way learns nothing but that mail is about to be sent.
    outside = [line for _, is_encrypted, line in server.lines if not is_encrypted]
    assert outside == ([] if is_implicit else [b"ehlo us.example", b"STARTTLS"])


@SECURITIES
def test_another_hosts_certificate(authority: trustme.CA, is_implicit: bool) -> None:
    context = server_tls(authority, "other.example")
    with ScriptedServer(tls=context, is_implicit=is_implicit, logins=KNOWN) as server:
        outcome = refused(relay_to(server, **LOGIN), client_tls(authority))
    assert outcome.stage == ("connect" if is_implicit else "starttls")
    assert (outcome.kind, outcome.concern) == ("transient", "relay")
    assert "certificate is not trusted" in outcome.reply.text
    assert server.logins == []


@SECURITIES
def test_a_certificate_of_an_unknown_authority(authority: trustme.CA, is_implicit: bool) -> None:
    with ScriptedServer(
        tls=server_tls(trustme.CA()), is_implicit=is_implicit, logins=KNOWN
    ) as server:
        outcome = refused(relay_to(server, **LOGIN), client_tls(authority))
        # By default the system's authorities, who know neither of the two.
        default = refused(relay_to(server, **LOGIN))
    for each in (outcome, default):
        assert (each.kind, each.concern) == ("transient", "relay")
        assert "certificate is not trusted" in each.reply.text
    assert server.logins == []


def test_an_expired_certificate(authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    end = datetime(2020, 1, 1, tzinfo=UTC)
    authority.issue_cert("127.0.0.1", not_after=end).configure_cert(context)
    with ScriptedServer(tls=context, logins=KNOWN) as server:
        outcome = refused(relay_to(server, **LOGIN), client_tls(authority))
    assert "expired" in outcome.reply.text
    assert server.logins == []


@pytest.mark.parametrize("lacks", ["STARTTLS", "EHLO"])
def test_starttls_is_never_given_up(authority: trustme.CA, lacks: str) -> None:
    """Whoever strips the offer on the way gets nothing, neither password nor mail."""
    with ScriptedServer(tls=server_tls(authority), lacks=[lacks], logins=KNOWN) as server:
        outcome = refused(relay_to(server, **LOGIN), client_tls(authority))
    assert (outcome.kind, outcome.concern) == ("transient", "relay")
    assert verbs(server) == [b"EHLO"]
    assert server.logins == []
    if lacks == "STARTTLS":
        assert "does not offer STARTTLS" in outcome.reply.text


@pytest.mark.parametrize(
    "injected", [b"250 injected\r\n", b"250-injected\r\n250 AUTH PLAIN\r\n", b"\r\n", b"x"]
)
def test_what_was_injected_before_tls_is_refused(authority: trustme.CA, injected: bytes) -> None:
    rules = [Rule("starttls", Act(b"220 go ahead\r\n" + injected))]
    with ScriptedServer(rules, tls=server_tls(authority), logins=KNOWN) as server:
        outcome = refused(relay_to(server, **LOGIN), client_tls(authority))
    assert (outcome.kind, outcome.concern, outcome.stage) == ("transient", "relay", "starttls")
    assert "before TLS began" in outcome.reply.text
    assert verbs(server) == [b"EHLO", b"STARTTLS"]


def test_the_offer_made_before_tls_is_forgotten(authority: trustme.CA) -> None:
    bait = Act(b"250-x\r\n250-STARTTLS\r\n250 AUTH CRAM-MD5\r\n")
    with ScriptedServer(
        [Rule("ehlo", bait, times=1)], tls=server_tls(authority), lacks=["AUTH"], logins=KNOWN
    ) as server:
        outcome = refused(relay_to(server, **LOGIN), client_tls(authority))
    assert outcome.stage == "auth"
    assert "offers no login" in outcome.reply.text


@pytest.mark.parametrize(
    ("mechanisms", "used"),
    [
        ("PLAIN", "PLAIN"),
        ("LOGIN", "LOGIN"),
        ("CRAM-MD5", "CRAM-MD5"),
        ("CRAM-MD5 LOGIN PLAIN", "PLAIN"),
        ("cram-md5 login", "LOGIN"),
        ("XOAUTH2 NTLM LOGIN", "LOGIN"),
    ],
)
def test_a_login(authority: trustme.CA, mechanisms: str, used: str) -> None:
    with ScriptedServer(tls=server_tls(authority), logins=KNOWN, mechanisms=mechanisms) as server:
        assert isinstance(open_it(relay_to(server, **LOGIN), client_tls(authority)), Session)
    assert server.logins == [Login(used, "news", "päss wörd", True)]


def test_a_wrong_password_is_tried_once(authority: trustme.CA) -> None:
    with ScriptedServer(tls=server_tls(authority), logins={"news": "other"}) as server:
        outcome = refused(relay_to(server, **LOGIN), client_tls(authority))
    assert (outcome.kind, outcome.concern, outcome.stage) == ("permanent", "login", "auth")
    assert str(outcome.reply) == "535 5.7.8 no such login"
    assert len(server.logins) == 1


def test_a_mechanism_that_is_offered_in_vain(authority: trustme.CA) -> None:
    rules = [Rule("auth", say("504 5.5.4 not that one"), times=1)]
    with ScriptedServer(rules, tls=server_tls(authority), logins=KNOWN) as server:
        assert isinstance(open_it(relay_to(server, **LOGIN), client_tls(authority)), Session)
    assert [login.mechanism for login in server.logins] == ["LOGIN"]


@pytest.mark.parametrize("text", [b"334 !!!\r\n", b"334 \xff\r\n", b"334 YQ==\r\n" * 9])
def test_a_challenge_that_is_none(authority: trustme.CA, text: bytes) -> None:
    rules = [Rule("auth", Act(text, "close"))]
    with ScriptedServer(
        rules, tls=server_tls(authority), logins=KNOWN, mechanisms="CRAM-MD5"
    ) as server:
        outcome = refused(relay_to(server, **LOGIN), client_tls(authority))
    assert (outcome.kind, outcome.concern, outcome.stage) == ("transient", "relay", "auth")


def _address_of_this_machine() -> str:
    """An address that is not loopback; nothing is sent to find it (RFC 5737's TEST-NET-1)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
        return str(probe.getsockname()[0])


def test_no_password_is_sent_unencrypted_to_another_machine() -> None:
    address = _address_of_this_machine()
    with ScriptedServer(address=address, logins=KNOWN) as server:
        outcome = refused(relay_to(server, host=address, **LOGIN))
        assert isinstance(open_it(relay_to(server, host=address)), Session)
    assert (outcome.kind, outcome.concern, outcome.stage) == ("permanent", "login", "auth")
    assert "no password is sent unencrypted" in outcome.reply.text
    assert server.logins == []
    assert b"AUTH" not in verbs(server)


def test_a_password_may_be_sent_on_this_machine() -> None:
    with ScriptedServer(logins=KNOWN) as server:
        assert isinstance(open_it(relay_to(server, **LOGIN)), Session)
    assert len(server.logins) == 1


def test_helo_where_nothing_else_is_needed() -> None:
    with ScriptedServer(lacks=["EHLO"]) as server:
        session = open_it(relay_to(server))
    assert isinstance(session, Session)
    assert session.features == {}
    assert verbs(server) == [b"EHLO", b"HELO"]


def test_a_login_needs_ehlo() -> None:
    with ScriptedServer(lacks=["EHLO"], logins=KNOWN) as server:
        outcome = refused(relay_to(server, **LOGIN))
    assert (outcome.kind, outcome.concern, outcome.stage) == ("transient", "relay", "ehlo")


@pytest.mark.parametrize(
    "host", ["", "no-such-host.invalid", "a" * 64 + ".example", "x..example", "exa mple", "\ud800"]
)
def test_a_host_that_is_none(host: str) -> None:
    outcome = refused(Smtp(host=host, port=9, security="none"))
    assert (outcome.kind, outcome.concern, outcome.stage) == ("transient", "relay", "connect")
    assert outcome.reply.text


def test_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    outcome = refused(Smtp(host="127.0.0.1", port=port, security="none"))
    assert outcome.reply.text == "Connection refused"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("mx.example", "mx.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("例え.example", "xn--r8jz45g.example"),
        ("::1", "::1"),
    ],
)
def test_an_international_host(host: str, name: str) -> None:
    assert to_ascii_host(host) == name


@pytest.mark.parametrize("line", ["554 5.7.1 go away", "450 4.7.0 later", "200 hm", "354 hm"])
def test_a_greeting_that_is_none(line: str) -> None:
    with ScriptedServer([Rule("greeting", say(line))]) as server:
        outcome = refused(relay_to(server))
    assert (outcome.kind, outcome.concern, outcome.stage) == ("transient", "relay", "greeting")
    assert str(outcome.reply) == line
