"""Every answer: its headers, what it says in the log, and who is hostile."""

import re
import socket
from pathlib import Path

import pytest

from publisher.store.errors import StoreError
from publisher.web.console import app
from publisher.web.console.app import PAGE_POLICY
from tests.web.console.site import PASSWORD, Console, run_console
from tests.web.public.site import FORM, PATIENCE


def test_no_answer_goes_bare(console: Console) -> None:
    owner, nobody = console.enter("owner"), console.browse()
    stylesheet = owner.get("/").text.partition('href="/assets/')[2].partition('"')[0]
    answers = {
        "home": owner.get("/"),
        "login": nobody.get("/login"),
        "sent on": nobody.get("/"),
        "missing": owner.get("/nowhere"),
        "missing asset": nobody.get("/assets/nothing.css"),
        "method": nobody.ask("DELETE", "/login"),
        "options": nobody.ask("OPTIONS", "/"),
        "forbidden": console.enter("viewer").get("/audit"),
        "no form": nobody.ask("POST", "/login", b"{}", {"Content-Type": "application/json"}),
        "unreadable": owner.get("/audit?before=x"),
        "health": nobody.get("/healthz"),
        "wrong": nobody.log_in("x", "y"),
        "asset": nobody.get(f"/assets/{stylesheet}"),
    }
    for name, answer in answers.items():
        headers = answer.headers
        assert headers["content-security-policy"] == PAGE_POLICY, name
        assert headers["x-content-type-options"] == "nosniff", name
        assert headers["referrer-policy"] == "same-origin", name
        assert "server" not in headers, name
        cached = "public, max-age=31536000, immutable" if name == "asset" else "no-store"
        assert headers["cache-control"] == cached, name
        assert answer.status < 500, name
    assert "unsafe" not in PAGE_POLICY
    assert answers["asset"].headers["content-type"] == "text/css; charset=utf-8"
    assert answers["home"].headers["content-type"] == "text/html; charset=utf-8"
    assert answers["missing"].status == 404


def test_pages_have_no_script_or_style_in_them(console: Console) -> None:
    owner = console.enter("owner")
    for path in ("/", "/account", "/operators", "/audit", "/nowhere"):
        text = owner.get(path).text
        assert "<script>" not in text
        assert "<style" not in text
        assert " style=" not in text
        assert re.search(r"<[^>]*\son\w+=", text) is None


def test_a_head_is_a_get_without_a_body(console: Console) -> None:
    answer = console.ask("HEAD", "/login")
    assert (answer.status, answer.body) == (200, b"")
    assert console.ask("HEAD", "/healthz").status == 200


def test_health_says_whether_the_database_answers(console: Console) -> None:
    answer = console.get("/healthz")
    assert answer.status == 200
    assert answer.text.startswith("ok\n")
    assert answer.cookies == ()


@pytest.mark.parametrize("host", ["evil.example", "a b", "%", "é", "", "[::1]:1", "x" * 500, None])
def test_any_host_is_served(console: Console, host: str | None) -> None:
    # RFC 9112, section 3.2: 400 where there is none, or what cannot be one.
    expected = {400} if host is None else {200, 400} if " " in host else {200}
    assert console.get("/login", Host=host).status in expected


def test_a_body_that_is_too_large_is_refused(console: Console) -> None:
    browser = console.browse()
    token = browser.token
    body = f"_csrf_token={token}&email=x&password=".encode() + b"x" * 3_000_000
    sent: dict[str, str | None] = {"Origin": console.url}
    assert browser.ask("POST", "/login", body, sent).status == 413


def test_many_fields_and_odd_ones_are_no_defect(console: Console) -> None:
    browser = console.browse()
    for body in (
        b"&".join(b"email=%d" % n for n in range(5_000)),
        b"email=%ff%fe&password=%00",
        b"email[]=x&email=%ED%A0%80&password=\xff",
        b"=&&==&%",
    ):
        token = browser.token.encode()
        sent: dict[str, str | None] = {"Origin": console.url, "Content-Type": FORM}
        answer = browser.ask("POST", "/login", b"_csrf_token=" + token + b"&" + body, sent)
        assert answer.status in (400, 422), answer


def test_a_body_that_does_not_come_is_not_waited_for(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_PART_SECONDS", 0.2)
    head = (
        "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 1000\r\n\r\n_csrf"
    )
    with socket.create_connection(("127.0.0.1", console.port), PATIENCE) as connection:
        connection.sendall(head.encode())
        received = b""
        while part := connection.recv(65_536):
            received += part
    assert received.startswith(b"HTTP/1.1 408")
    assert b"content-security-policy" in received


def test_nothing_personal_is_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **named: object) -> None:
        raise RuntimeError("anna@daily.example")

    with run_console(tmp_path) as console:
        browser = console.enter("owner")
        link = console.invite("bert@daily.example")
        browser.get(link)
        console.browse().log_in("anna@daily.example", "a secret of hers")
        browser.get("/audit?who=anna@daily.example")
        monkeypatch.setattr("publisher.web.console.audit.list_deeds", fail)
        answer = browser.get("/audit")
        secrets = [*browser.cookies.values(), link.rpartition("/")[2]]
    said = "".join(capfd.readouterr())
    assert answer.status == 500
    assert "Something went wrong" in answer.text
    assert "anna@daily" not in answer.text
    assert "a defect of publisher: RuntimeError at" in said
    for secret in (*secrets, "daily.example", PASSWORD, "a secret of hers", "127.0.0.1"):
        assert secret not in said


def test_a_database_that_fails_is_said(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **named: object) -> None:
        raise StoreError("publisher.db cannot be written: the disk is full")

    browser = console.enter("owner")
    monkeypatch.setattr("publisher.web.console.audit.list_deeds", fail)
    answer = browser.get("/audit")
    assert answer.status == 503
    assert "the disk is full." in answer.text
