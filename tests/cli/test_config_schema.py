"""config and schema."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from publisher.intake.tree import Node, parse_yaml
from tests.cli.command_line import SETTINGS, CommandLine

SECRETS = """\
[[smtp]]
host = "a.example"
username = "joe"
password = "geheim-1"
[[smtp]]
host = "b.example"
[web]
secret_keys = ["geheim-2", "geheim-3"]
[dkim]
domain = "daily.example"
private_key = "geheim-4"
[dkim.ed25519]
private_key = "geheim-5"
[alerts]
webhook = "https://hooks.example/geheim-6"
heartbeat = "https://beat.example/?token=geheim-7"
[database]
url = "postgresql://joe:geheim-8@db.example/daily"
"""


@pytest.fixture
def schema(cli: CommandLine) -> Any:
    done = cli("schema")
    assert done.status == 0
    jsonschema.Draft202012Validator.check_schema(done.json)
    return done.json


def test_secrets_are_never_shown(cli: CommandLine) -> None:
    cli.write("publisher.toml", SETTINGS + SECRETS)
    for done in (cli("config"), cli("config", "--json")):
        assert done.status == 0
        assert "geheim" not in done.both
    shown = cli("config", "--json").json
    assert [relay["password"] for relay in shown["smtp"]] == ["***", ""]
    assert shown["smtp"][0]["username"] == "joe"
    assert shown["web"]["secret_keys"] == ["***", "***"]
    assert shown["dkim"]["ed25519"]["private_key"] == "***"
    assert shown["database"]["url"] == "postgresql://joe:***@db.example/daily"


def test_what_is_in_force(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISHER_DELIVERY__CONNECTIONS", "9")
    monkeypatch.setenv("PUBLISHER_SMTP__PASSWORD", "geheim")
    lines = cli("config").out.splitlines()
    assert 'publication.title = "The Test Daily"' in lines
    assert "delivery.connections = 9" in lines
    assert 'smtp[0].password = "***"' in lines
    assert 'feeds.window = "14d"' in lines
    assert cli("config", "--json").json["delivery"]["give_up_after"] == "1d"


def test_every_key_is_shown(cli: CommandLine) -> None:
    shown = cli("config", "--json").json
    tables = (
        *("publication", "email", "smtp", "delivery", "dkim", "schedule", "choices", "feeds"),
        "site",
    )
    assert list(shown) == [
        *(*tables, "sources", "web", "console", "alerts", "inbound", "hooks", "webhook"),
        "database",
    ]
    assert "from" in shown["email"]


def test_letters_of_any_script(cli: CommandLine) -> None:
    cli.write("publisher.toml", SETTINGS.replace("The Test Daily", "今日要闻"))
    assert 'publication.title = "今日要闻"' in cli("config").out


def test_schema_takes_json_as_every_command_does(cli: CommandLine) -> None:
    assert cli("schema").out == cli("schema", "--json").out


def _plain(node: Node) -> Any:
    """A tree as a YAML reader of today's editors has it: text, but for numbers and truth."""
    if isinstance(node.value, dict):
        return {key: _plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [_plain(child) for child in node.value]
    if node.value in ("true", "false"):
        return node.value == "true"
    return int(node.value) if node.value and node.value.isdecimal() else node.value


def test_our_samples_are_valid(schema: Any) -> None:
    root = Path(__file__).parents[2]
    samples = [*root.glob("issues/*.yaml"), *root.glob("tests/**/issues/*.yaml")]
    assert samples
    for path in samples:
        jsonschema.validate(_plain(parse_yaml(path.read_text("utf-8"))), schema)


FULL = {
    "id": "abc",
    "title": "T",
    "number": 7,
    "date": "2025-12-15T07:00:00+08:00",
    "status": "ready",
    "summary": "S",
    "language": "zh-Hans",
    "authors": [{"name": "Ada", "email": "a@b.example"}, "Ben <b@c.example>"],
    "tags": ["电影", "b"],
    "mail": False,
    "guid": "urn:x",
    "introduction": "Words.",
    "highlights": [
        {
            "id": "one",
            "title": "One",
            "url": "https://x.example",
            "source": "Xinhua",
            "image": "media/a.jpg",
            "alt": "A",
            "width": 640,
            "height": 480,
            "tags": "a, b",
            "language": "ar",
            "guid": "urn:y",
            "body": "Text.",
        }
    ],
}


def test_every_field_of_the_contract(schema: Any) -> None:
    jsonschema.validate(FULL, schema)
    jsonschema.validate({}, schema)
    jsonschema.validate({"date": "2025-12-15"}, schema)


@pytest.mark.parametrize(
    "wrong",
    [
        {"titel": "T"},
        {"id": "Bad Id"},
        {"id": "-a"},
        {"id": "a" * 65},
        {"status": "published"},
        {"number": "seven"},
        {"number": -1},
        {"mail": "no"},
        {"date": "tomorrow"},
        {"date": 20251215},
        {"language": "en_US"},
        {"highlights": {}},
        {"highlights": ["One"]},
        {"highlights": [{"body": "without a title"}]},
        {"highlights": [{"title": "T", "link": "https://x.example"}]},
        {"highlights": [{"title": "T", "width": 0}]},
        {"highlights": [{"title": "T", "body": ["p", "p"]}]},
        {"authors": [{"email": "a@b.example"}]},
        {"tags": [1]},
        [],
        "text",
    ],
)
def test_what_is_wrong_is_refused(schema: Any, wrong: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_what_the_schema_takes_can_be_built(cli: CommandLine, suffix: str) -> None:
    import json

    text = json.dumps(FULL) if suffix == "json" else yaml.safe_dump(FULL, allow_unicode=True)
    cli.write(f"issues/2025-12-15.{suffix}", text)
    done = cli("check", "2025-12-15", "--json")
    fields = ("field-unknown", "field-invalid", "field-unreadable", "date-without-offset")
    assert [p for p in done.json["problems"] if p["rule"] in fields] == []
    assert done.status == 0
