"""Codes and words -> whether the mailbox is dead."""

import pytest

from publisher.inbound.verdict import Verdict, find_code, judge


@pytest.mark.parametrize(
    ("status", "diagnostic", "verdict"),
    [
        ("5.1.1", "", "dead"),
        ("5.1.1 (bad destination mailbox address)", "", "dead"),
        ("5.1.3", "smtp; 501 5.1.3 Bad recipient address syntax", "dead"),
        ("5.1.6", "smtp; 551 5.1.6 recipient moved", "dead"),
        ("5.1.10", "smtp; 556 5.1.10 recipient address has a null MX", "dead"),
        ("5.2.1", "smtp; 550 5.2.1 The email account that you tried to reach is disabled", "dead"),
        ("5.0.0", "smtp; 550 5.1.1 <a@x.example>: User unknown", "dead"),
        ("5.0.0", "smtp; 550 No Such User Here", "dead"),
        ("5.0.0", "smtp; 550 Unknown user", "dead"),
        ("5.5.0", "smtp; 550 5.5.0 Requested action not taken: mailbox unavailable", "dead"),
        ("5.0.0", "smtp; 554 delivery error: dd This user doesn't have a yahoo account", "dead"),
        ("", "smtp; 550 5.1.1 User unknown", "dead"),
        # What may pass, or concerns something else
        ("4.4.7", "smtp; 550 5.1.1 User unknown", "soft"),
        ("5.1.1", "smtp; 450 4.1.1 User unknown", "soft"),
        ("5.1.1", "smtp; 450 User unknown", "soft"),
        ("5.1.1", "smtp; 554 5.7.1 Service unavailable; Client host blocked", "soft"),
        ("5.1.1", "smtp; 550 5.1.1 your mail was refused as spam", "soft"),
        ("5.1.2", "smtp; 550 5.1.2 Bad destination system address", "soft"),
        ("5.2.1", "smtp; 550 5.2.1 is receiving mail at a rate that prevents more", "soft"),
        ("5.2.2", "smtp; 552 5.2.2 mailbox full", "soft"),
        ("5.2.3", "", "soft"),
        ("5.3.4", "", "soft"),
        ("5.4.1", "smtp; 550 5.4.1 Recipient address rejected: Access denied", "soft"),
        ("5.4.4", "x-postfix; Name service error: Host not found", "soft"),
        ("5.4.310", "DNS domain does not exist", "soft"),
        ("5.6.0", "", "soft"),
        ("5.7.0", "smtp; 550 5.7.0 no such user", "soft"),
        ("5.7.26", "", "soft"),
        ("5.0.0", "smtp; 550 Requested action not taken: mailbox unavailable", "soft"),
        ("5.0.0", "smtp; 550 administrative prohibition", "soft"),
        ("5.0.0", "", "soft"),
        ("5.99.99", "", "soft"),
        ("nonsense", "nonsense", "soft"),
        # What is quoted is nobody's word
        ("5.0.0", "smtp; 550 <no such user@x.example> is refused", "soft"),
        ("5.1.1", "smtp; 550 5.1.1 <spam.full@x.example> unknown", "dead"),
        ("5.1.1", "smtp; 550 5.1.1 unknown, see https://x.example/blocked/rate", "dead"),
        ("5.1.1", "smtp; host 192.0.2.250 mx-a.example said: 550 5.1.1 unknown", "dead"),
        ("5.1.1", "smtp; 550 5.1.1 no mailbox of the Corporate Fullerton", "dead"),
    ],
)
def test_a_failure(status: str, diagnostic: str, verdict: Verdict) -> None:
    assert judge("failed", status, diagnostic) == verdict


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", "no word"])
def test_what_is_no_failure(action: str) -> None:
    assert judge(action, "5.1.1", "smtp; 550 5.1.1 User unknown") == "none"


def test_a_report_without_an_action() -> None:
    assert judge("", "5.1.1", "") == "dead"
    assert judge("", "4.2.2", "") == "soft"
    assert judge("", "2.0.0", "") == "none"
    assert judge("", "", "550 5.1.1 user unknown") == "none"


def test_a_long_diagnostic_takes_no_time() -> None:
    for text in ("5." * 500_000, "a@" * 500_000, "<" * 500_000, "user " * 200_000):
        assert judge("failed", "5.0.0", text) == "soft"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("(#5.1.1)", "5.1.1"),
        ("5.01.001", "5.1.1"),
        ("192.5.1.1", ""),
        ("5.1.1.1", ""),
        ("3.1.1", ""),
        ("5.1", ""),
        ("٥.1.1", ""),
    ],
)
def test_a_code_in_a_text(text: str, code: str) -> None:
    assert find_code(text) == code
