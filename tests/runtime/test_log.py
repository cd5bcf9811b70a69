"""Lines for a log: as text or JSON, and with nobody in them."""

import json
from datetime import UTC, datetime

import pytest

from publisher.runtime.log import Line, describe_defect, hide, write_line

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def test_a_line_is_text_or_an_object() -> None:
    line = Line("alert: the relay is down", "alert", "warning")
    assert write_line("scheduler", line, "text", NOON) == (
        "2026-01-02T12:00:00+00:00 scheduler: alert: the relay is down"
    )
    assert json.loads(write_line("scheduler", line, "json", NOON)) == {
        "time": "2026-01-02T12:00:00.000+00:00",
        "level": "warning",
        "role": "scheduler",
        "event": "alert",
        "message": "alert: the relay is down",
    }
    assert json.loads(write_line("web", "a\nb \ud800", "json", NOON))["event"] == "notice"


def test_nothing_that_is_quoted_looks_like_a_line_of_its_own() -> None:
    forged = "2026-01-02T12:00:00+00:00 web: all is well"
    for end in ("\n", "\r\n", "\r", "\u2028", "\x85", "\v"):
        lines = write_line("web", f"it said 550{end}{forged}", "text", NOON).splitlines()
        assert [line for line in lines if line.startswith("2026-")] == lines[:1]
        assert "\n" not in write_line("web", f"it said 550{end}{forged}", "json", NOON)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("550 <ada@reader.example> unknown", "550 <(address)> unknown"),
        ("by 李@例子.中国: no", "by (address): no"),
        ("from 203.0.113.9, 2001:db8::1", "from (client), (client)"),
        ("http://127.0.0.1:8000/ at 06:30:00", "http://127.0.0.1:8000/ at 06:30:00"),
        ("GET /unsubscribe/AQAbc-_9 and /welcome/x9", "GET /unsubscribe/… and /welcome/…"),
        ("Authorization: Bearer pub_abc.DEF", "Authorization: Bearer …"),
        ("\x1b[31mred", " [31mred"),
        ("5.1.1 and version 2.25.0", "5.1.1 and version 2.25.0"),
    ],
)
def test_whoever_is_named_is_left_out(text: str, shown: str) -> None:
    assert hide(text) == shown


def test_a_defect_is_described_without_its_values() -> None:
    try:
        raise KeyError("ada@reader.example")
    except KeyError as error:
        line = describe_defect(error)
    assert line.startswith("a defect of publisher: KeyError at ")
    assert (line.event, line.level) == ("defect", "error")
    assert "ada" not in line
