"""Settings: every key from the file and the environment, and a clear message for each mistake."""

import itertools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import hypothesis
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.errors import SettingsError
from publisher.model.issue import Person
from publisher.settings import Duration, Settings, load_settings
from publisher.settings_errors import is_array_of_tables, mask, table_in, types_in

DOCUMENT = Path(__file__).parent.parent / "docs" / "settings.md"
BASE = """\
[publication]
id = "tag:daily.example,2025:daily"
title = "The Daily"
url = "https://daily.example"
time_zone = "Asia/Shanghai"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "publisher.toml"


def load(path: Path, text: str | bytes, **environment: str) -> Settings:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    variables = {f"PUBLISHER_{key}": value for key, value in environment.items()}
    return load_settings(path, {"HOME": "x", **variables})


def fault(path: Path, text: str | bytes, **environment: str) -> str:
    with pytest.raises(SettingsError) as raised:
        load(path, text, **environment)
    return str(raised.value)


def all_keys(
    table: type[msgspec.Struct] = Settings, prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Every key that is no table, dotted, with its type and its default."""
    for field in msgspec.structs.fields(table):
        key = f"{prefix}{field.encode_name}"
        if inner := table_in(field.type):
            yield from all_keys(inner, f"{key}.")
        else:
            default = field.default_factory() if callable(field.default_factory) else field.default
            yield key, field.type, default


KEYS = {key: (type_, default) for key, type_, default in all_keys()}

# A value of each key that is not its default: as TOML, as the environment's text.
EXAMPLES = {
    "publication.id": ('"tag:x.example,2024:y"', "tag:x.example,2024:y"),
    "publication.url": ('"http://x.example/news"', "http://x.example/news"),
    "publication.time_zone": ('"UTC"', "UTC"),
    "publication.language": ('"zh-Hans"', "zh-Hans"),
    "publication.author": ('"Ada <ada@x.example>"', "Ada <ada@x.example>"),
    "email.from": ('"Ada <ada@x.example>"', "Ada <ada@x.example>"),
    "email.reply_to": ('"ada@x.example"', "ada@x.example"),
    "email.return_path": ('"bounces@x.example"', "bounces@x.example"),
    "smtp.security": ('"tls"', "tls"),
    "delivery.domain_rates": ('{"gmail.com" = 2.5}', "gmail.com=2.5"),
    "delivery.canary_limit": ("0.25", "0.25"),
    "delivery.seeds": ('["a@x.example", "b@x.example"]', "a@x.example,b@x.example"),
    "delivery.on_in_doubt": ('"hold"', "hold"),
    "schedule.cron": ('"0 6 * * mon-fri"', "0 6 * * mon-fri"),
    "choices.weekly": ('"0 8 * * sun"', "0 8 * * sun"),
    "feeds.hub": ('"https://hub.example/"', "https://hub.example/"),
    "feeds.aliases": ('{"/rss.xml" = "feed.rss"}', "/rss.xml=feed.rss"),
    "site.license": ('"https://x.example/by/4.0/"', "https://x.example/by/4.0/"),
    "site.profiles": ('["https://x.example/@a"]', "https://x.example/@a"),
    "web.url": ('"https://x.example"', "https://x.example"),
    "web.redirects": ('{"/old/" = "/new/"}', "/old/=/new/"),
    "web.trusted_proxies": ('["10.0.0.0/8", "::1"]', "10.0.0.0/8, ::1"),
    "console.url": ('"https://x.example"', "https://x.example"),
    "console.metrics": ('"open"', "open"),
    "hooks.ses_topic_arn": (
        '"arn:aws:sns:eu-west-1:123456789012:bounces"',
        "arn:aws:sns:eu-west-1:123456789012:bounces",
    ),
    "hooks.postmark_password": ('"sixteen letters!"', "sixteen letters!"),
    "hooks.generic_secret": ('"sixteen letters!"', "sixteen letters!"),
    "webhook.url": ('"https://x.example/hear"', "https://x.example/hear"),
    "webhook.secret": ('"sixteen letters?"', "sixteen letters?"),
    "webhook.events": (
        '["issue.published", "mailing.started"]',
        "issue.published, mailing.started",
    ),
    "alerts.email": ('"ada@x.example"', "ada@x.example"),
    "alerts.webhook": ('"https://x.example/?a=b"', "https://x.example/?a=b"),
    "alerts.heartbeat": ('"https://x.example/a"', "https://x.example/a"),
    "sources.order": ('"source"', "source"),
    "database.keep_deliveries": ('"365d"', "365d"),
    "database.url": ('"postgresql://ada@x.example/daily"', "postgresql://ada@x.example/daily"),
}


# What a table, or a key, needs besides.
NEEDED: dict[str, dict[str, str]] = {
    "schedule": {"name": '"n"', "cron": '"0 6 * * *"'},
    "webhook": {
        "url": '"https://hooks.example"',
        "secret": '"sixteen letters!"',
        "events": '["mailing.finished"]',
    },
    "hooks.postmark_user": {"postmark_password": '"sixteen letters!"'},
    "hooks.postmark_password": {"postmark_user": '"postmark"'},
}


WEBHOOK = (
    "[[webhook]]\nurl = 'https://x.example/a'\nsecret = 'sixteen letters!'\n"
    "events = ['mailing.started']\n"
)


def example(key: str) -> tuple[str, str]:
    if key in EXAMPLES:
        return EXAMPLES[key]
    type_, default = KEYS[key]
    base = get_args(type_)[0] if get_origin(type_) not in (tuple, dict, None) else type_
    if type_ is bool:
        return ("false", "false") if default else ("true", "true")
    if type_ is Duration:
        return '"90m"', "90m"
    if get_origin(type_) is tuple:
        return '["a", "b"]', "a,b"
    number = msgspec.inspect.type_info(type_)
    if isinstance(number, msgspec.inspect.IntType | msgspec.inspect.FloatType):
        return "7", "7"
    assert base is str or type_ is str or str in get_args(type_), key
    return '"words"', "words"


def value_at(settings: Settings, key: str) -> Any:
    value: Any = msgspec.json.decode(msgspec.json.encode(settings, enc_hook=str))
    for step in key.split("."):
        value = value[0][step] if isinstance(value, list) else value[step]
    return value


def with_line(key: str, line: str) -> str:
    """The base settings with one key more, in its table; what the table needs besides is there."""
    table = key.rpartition(".")[0]
    lines = dict(NEEDED.get(table, {}) | NEEDED.get(key, {}))
    if table == "publication":
        kept = [each for each in BASE.splitlines() if not each.startswith(f"{key.split('.')[1]} =")]
        return "\n".join([*kept, line]) + "\n"
    lines.pop(key.rpartition(".")[2], None)
    header = f"[[{table}]]" if table in ("schedule", "webhook") else f"[{table}]"
    rest = "".join(f"{name} = {value}\n" for name, value in lines.items())
    return f"{BASE}{header}\n{rest}{line}\n"


@pytest.mark.parametrize("key", KEYS)
def test_every_key_in_the_file_and_in_the_environment(path: Path, key: str) -> None:
    written, text = example(key)
    name = key.rpartition(".")[2]
    from_file = load(path, with_line(key, f"{name} = {written}"))
    assert value_at(from_file, key) == tomllib.loads(f"x = {written}")["x"]
    without = with_line(key, "")
    if (table := key.rpartition(".")[0]) in ("schedule", "webhook"):
        # It is the first one's, whose other keys are there.
        lines = "".join(f"{each} = {value}\n" for each, value in NEEDED[table].items())
        without = f"{BASE}[[{table}]]\n{lines}"
    variable = key.upper().replace(".", "__")
    settings = load(path, without, **{variable: text})
    assert value_at(settings, key) == value_at(from_file, key)
    # It goes before what the file says.
    over = load(path, with_line(key, f"{name} = {written}"), **{variable: text})
    assert value_at(over, key) == value_at(from_file, key)


def test_the_contracts_keys_and_defaults(path: Path) -> None:
    settings = load(
        path, BASE + '[[smtp]]\nhost = "a"\n[[schedule]]\nname = "n"\ncron = "0 6 * * *"\n'
    )
    expected = {
        "publication.language": "en",
        "email.verp": False,
        "smtp.port": 587,
        "smtp.security": "starttls",
        "delivery.connections": 4,
        "delivery.rate": 0,
        "delivery.domain_rates": {},
        "delivery.messages_per_connection": 0,
        "delivery.on_in_doubt": "resend",
        "delivery.give_up_after": "1d",
        "schedule.catch_up": "3h",
        "schedule.max_age": "36h",
        "schedule.min_highlights": 1,
        "schedule.settle": "1m",
        "feeds.window": "14d",
        "feeds.min_issues": 5,
        "feeds.full_content": True,
        "web.host": "127.0.0.1",
        "web.port": 8000,
        "web.trusted_proxies": [],
        "console.host": "127.0.0.1",
        "console.port": 8001,
        "database.url": "sqlite:///publisher.db",
    }
    assert {key: value_at(settings, key) for key in expected} == expected
    named = {
        *("title", "url", "time_zone", "description", "author", "rights", "logo"),
        *("from", "postal_address", "reply_to", "return_path", "list_id", "subject"),
        *("link_params", "host", "username", "password", "domain", "selector", "private_key"),
        *("headers", "name", "cron", "hub", "after_build", "secret_keys", "email", "webhook"),
        *("heartbeat", "id"),
    }
    assert named <= {key.rpartition(".")[2] for key in KEYS}
    assert load(path, BASE).web_url == "https://daily.example"


# Arrays of tables


def test_one_relay_or_several(path: Path) -> None:
    assert [relay.host for relay in load(path, BASE + '[smtp]\nhost = "a"\n').smtp] == ["a"]
    two = load(path, BASE + '[[smtp]]\nhost = "a"\n[[smtp]]\nhost = "b"\n', SMTP__1__PORT="25")
    assert [(relay.host, relay.port) for relay in two.smtp] == [("a", 587), ("b", 25)]
    one = load(path, BASE + '[smtp]\nhost = "a"\n', SMTP__0__PORT="26", SMTP__HOST="c")
    assert [(relay.host, relay.port) for relay in one.smtp] == [("c", 26)]


def test_tables_of_the_environment_alone(path: Path) -> None:
    settings = load(
        path,
        BASE,
        SMTP__HOST="a",
        SMTP__1__HOST="b",
        SCHEDULE__0__NAME="morning",
        SCHEDULE__0__CRON="0 6 * * *",
        DKIM__ED25519__SELECTOR="s",
        SMTP__TIMEOUTS__CONNECT="5s",
    )
    assert [relay.host for relay in settings.smtp] == ["a", "b"]
    assert settings.schedule[0].name == "morning"
    assert settings.dkim is not None
    assert settings.dkim.ed25519 is not None
    assert settings.dkim.ed25519.selector == "s"
    assert settings.smtp[0].timeouts.connect == Duration(seconds=5)


def test_the_file_stays_strict_beside_the_environment(path: Path) -> None:
    """A number in quotes is a mistake, whether or not another key comes from elsewhere."""
    text = BASE + '[smtp]\nport = "587"\n'
    expected = 'publisher.toml: smtp.port: found "587", expected a whole number'
    assert fault(path, text) == expected
    assert fault(path, text, FEEDS__MIN_ISSUES="3") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("false", False), ("True", True), ("0", False), ("1", True)],
)
def test_truth_in_the_environment(path: Path, text: str, expected: bool) -> None:
    assert load(path, BASE, EMAIL__VERP=text).email.verp is expected


def test_lists_in_the_environment(path: Path) -> None:
    assert load(path, BASE, WEB__SECRET_KEYS="a, b ,,c").web.secret_keys == ("a", "b", "c")
    assert load(path, BASE, WEB__SECRET_KEYS="").web.secret_keys == ()
    rates = load(path, BASE, DELIVERY__DOMAIN_RATES="gmail.com=5, qq.com = 0.5").delivery
    assert rates.domain_rates == {"gmail.com": 5, "qq.com": 0.5}


def test_other_variables_are_not_ours(path: Path) -> None:
    load(path, BASE, DEBUG="1", OUTPUT="x", HOME="y", SITE_PACKAGES="z")


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("SMTP__PORT", "many", 'PUBLISHER_SMTP__PORT (smtp.port): found "many", expected a whole'),
        ("SMTP__PORT", "0", 'PUBLISHER_SMTP__PORT (smtp.port): found "0", expected a number >= 1'),
        ("SMTP__PORT", "", 'PUBLISHER_SMTP__PORT (smtp.port): found "", expected a whole number'),
        ("SMTP__PROT", "1", "PUBLISHER_SMTP__PROT (smtp.prot): this key is unknown; did you mean"),
        (
            "SMPT__PORT",
            "1",
            "PUBLISHER_SMPT__PORT (smpt): this table is unknown; did you mean smtp",
        ),
        (
            "SMTP_PASSWORD",
            "x",
            "PUBLISHER_SMTP_PASSWORD means nothing; did you mean PUBLISHER_SMTP__",
        ),
        ("SMTP", "x", "PUBLISHER_SMTP means nothing; did you mean PUBLISHER_SMTP__HOST?"),
        ("SMTP__", "x", "PUBLISHER_SMTP__ (smtp.): this key is unknown"),
        ("SMTP__PORT__X", "1", "PUBLISHER_SMTP__PORT__X: smtp.port is no table"),
        ("SMTP__7__PORT", "1", "PUBLISHER_SMTP__7__PORT: smtp has no table number 7"),
        ("SMTP__0", "1", "PUBLISHER_SMTP__0: smtp is a table; name one of its keys"),
        ("DKIM__ED25519", "1", "PUBLISHER_DKIM__ED25519: dkim.ed25519 is a table"),
        ("FEEDS__WINDOW", "2 weeks", "expected a duration such as 90s, 10m, 6h or 2d"),
        (
            "EMAIL__VERP",
            "maybe",
            'PUBLISHER_EMAIL__VERP (email.verp): found "maybe", expected true',
        ),
        ("SMTP__SECURITY", "ssl", 'expected "none" or "starttls" or "tls"'),
        ("DELIVERY__DOMAIN_RATES", "gmail.com", '(delivery.domain_rates): found "gmail.com"'),
        ("PUBLICATION__URL", "x", 'PUBLISHER_PUBLICATION__URL (publication.url): found "x"'),
        ("EMAIL__FROM", "Ada", 'PUBLISHER_EMAIL__FROM (email.from): found "Ada"'),
        ("SCHEDULE__CRON", "0 6 * * *", "schedule.name: this key is required and missing"),
    ],
)
def test_a_wrong_variable_is_named(path: Path, variable: str, text: str, expected: str) -> None:
    assert expected in fault(path, BASE, **{variable: text})


def test_a_wrong_variable_of_the_second_relay_is_named(path: Path) -> None:
    text = BASE + '[[smtp]]\nhost = "a"\n[[smtp]]\nhost = "b"\n'
    assert "PUBLISHER_SMTP__1__PORT (smtp[1].port)" in fault(path, text, SMTP__1__PORT="x")


# What is wrong in the file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[publication]\n", "publisher.toml: publication.id: this key is required and missing"),
        (BASE + 'titel = "x"\n', "publication.titel: this key is unknown; did you mean title?"),
        (
            BASE + 'from = "x"\n',
            "publication.from: this key is unknown; it belongs into the table [em",
        ),
        (BASE + "[emial]\n", "publisher.toml: emial: this key is unknown; did you mean email?"),
        (BASE + "[web]\nport = true\n", "web.port: found true, expected a whole number"),
        (BASE + "[web]\nport = 70000\n", "web.port: found 70000, expected a number <= 65535"),
        (
            BASE + '[console]\nurl = "https://x.example/desk"\n',
            'console.url: found "https://x.example/desk", expected a URL without a path',
        ),
        (BASE + "[web]\nport = 8001\n", "console.port: found 8001, expected another port than web"),
        (BASE + '[feeds]\nfull_content = "yes"\n', 'found "yes", expected true or false'),
        (
            BASE + "[feeds]\nwindow = 14\n",
            "feeds.window: found 14, expected a duration such as 90s",
        ),
        (BASE + '[feeds]\nwindow = "14 days"\n', 'found "14 days", expected a duration'),
        (BASE + '[feeds]\nwindow = "99999999d"\n', "expected a duration"),
        (
            BASE + "[delivery]\nrate = inf\n",
            "delivery.rate: found inf, expected a number <= 1000000",
        ),
        (BASE + "[delivery]\nrate = -1\n", "delivery.rate: found -1, expected a number >= 0"),
        (BASE + '[delivery.domain_rates]\n"a.b" = "fast"\n', 'domain_rates: found {"a.b":"fast"}'),
        (BASE + "[web]\nsecret_keys = ['a', 3]\n", "web.secret_keys[1]: found 3, expected text"),
        (BASE + "[[smtp]]\n[[smtp]]\nhost = 3\n", "smtp[1].host: found 3, expected text in quotes"),
        ("smtp = 3\n" + BASE, "smtp: found 3, expected a table [smtp], or several [[smtp]]"),
        ("feeds = 3\n" + BASE, "feeds: found 3, expected a table"),
        (BASE.replace("Asia/Shanghai", "Peking"), 'found "Peking", expected an IANA time zone'),
        (
            BASE.replace("tag:daily", "daily"),
            "expected a tag: URI such as tag:example.org,2025:daily",
        ),
        (BASE.replace("The Daily", " "), 'publication.title: found " ", expected a title'),
        (BASE + 'language = "en_US"\n', 'found "en_US", expected a language tag'),
        (BASE + 'author = "A, B <a@b.example>"\n', "a name with a comma in double quotes"),
        (BASE + '[alerts]\nemail = "ada"\n', 'alerts.email: found "ada"'),
        (BASE + '[database]\nurl = "mysql://x"\n', "expected sqlite:///FILE or postgresql://"),
        (
            BASE + '[database]\nkeep_deliveries = "30d"\n',
            'database.keep_deliveries: found "30d", expected 60d or more, or 0s for ever',
        ),
        (BASE + '[web]\ntrusted_proxies = ["proxy"]\n', 'found "proxy", expected addresses'),
        (BASE + '[[schedule]]\nname = "a"\ncron = "0 6 * *"\n', 'schedule.cron: found "0 6 * *"'),
        (
            BASE + '[[schedule]]\nname = "a"\ncron = "0 6 * * *"\n' * 2,
            'schedule.name: found "a", expected a name of its own for each schedule',
        ),
    ],
)
def test_a_mistake_in_the_file(path: Path, text: str, expected: str) -> None:
    found = fault(path, text)
    assert expected in found
    assert found.startswith("publisher.toml: ")


def test_several_impossible_values_are_said_together(path: Path) -> None:
    text = BASE.replace("Asia/Shanghai", "Peking").replace("https:", "ftp:")
    assert len(fault(path, text).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "title = The Daily\n",
            "line 1: the value of title is not understood. Text stands between",
        ),
        ('title = "The Daily\n', "line 1: the value of title is not understood"),
        ("title = “The Daily”\n", "line 1: the value of title is not understood"),
        ('\n\ntime zone = "UTC"\n', "line 3: expected '='"),
        ("[publication\n", "line 1: "),
        ("[a]\nb = 1\n[a]\n", "line 3: something that stands above already is set a second time"),
        ("a = 1\na = 2\n", "something that stands above already is set a second time"),
        ("a = [1,\n", "at its end: "),
    ],
)
def test_what_is_no_toml(path: Path, text: str, expected: str) -> None:
    assert expected in fault(path, text)


@pytest.mark.parametrize(
    "url",
    [
        *("daily.example", "ftp://daily.example", "https://", "https://a b.example", "https:///x"),
        *("https://daily.example?a=b", "https://daily.example/#a", "https://ada:x@daily.example"),
        *("https://daily.example:99999", 'https://daily.example/"', "javascript:alert(1)", ""),
    ],
)
def test_no_address_of_a_site(path: Path, url: str) -> None:
    text = BASE.replace("https://daily.example", url.replace('"', '\\"'))
    assert "publication.url: found " in fault(path, text)


def test_an_address_in_any_script(path: Path) -> None:
    settings = load(path, BASE.replace("//daily.example", "//日报.example:8443/今日"))
    expected = "https://xn--4ru45e.example:8443/%E4%BB%8A%E6%97%A5"
    assert settings.as_publication().url == expected
    assert settings.web_url == expected
    too_long = BASE.replace("//daily.example", f"//{'日' * 70}.example")
    assert "publication.url: found " in fault(path, too_long)


@pytest.mark.parametrize(
    "cron",
    [
        *("* * * * *", "0 6 * * 1-5", "*/15 0-23/2 1,15 jan-jun,dec sun", "0 0 29 2 7"),
        *("0 6 * * MON-FRI", "59 23 31 12 0", "5-10,20-30/5 * * * *"),
    ],
)
def test_cron(path: Path, cron: str) -> None:
    text = BASE + f'[[schedule]]\nname = "a"\ncron = "{cron}"\n'
    assert load(path, text).schedule[0].cron == cron


@pytest.mark.parametrize(
    "cron",
    [
        *("", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *"),
        *("* * * 13 *", "* * * 0 *", "* * * * 8", "* * * * mun", "*/0 * * * *", "a * * * *"),
        *("5-1 * * * *", "1,,2 * * * *", "@daily", "-1 * * * *", "* * * . *", "1/ * * * *"),
    ],
)
def test_no_cron(path: Path, cron: str) -> None:
    text = BASE + f'[[schedule]]\nname = "a"\ncron = "{cron}"\n'
    assert "schedule.cron: found " in fault(path, text)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90s", 90), ("10m", 600), ("6h", 21600), ("2d", 172800), ("1.5h", 5400)],
)
def test_durations(written: str, seconds: int) -> None:
    assert Duration.parse(written).total_seconds() == seconds
    assert Duration.parse(str(Duration.parse(written))) == Duration.parse(written)


@hypothesis.settings(deadline=None)
@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_is_not(text: str) -> None:
    try:
        Duration.parse(text)
    except ValueError:
        return
    assert re.fullmatch(r"\s*[\d.]+[smhd]\s*", text)


# Secrets

SECRET_LINES = (
    "[smtp]\npassword = 'geheim'\nport = 0\n",
    "[smtp]\npassword = ['geheim']\n",
    "[smtp]\npassword = geheim\n",
    "[smtp]\npassword = 'geheim\n",
    "smtp = [{password = 'geheim'}, 3]\n",
    "[web]\nsecret_keys = 'geheim'\n",
    "[web]\nsecret_keys = {a = 'geheim'}\n",
    "[dkim]\nprivate_key = ['geheim']\n",
    "[alerts]\nwebhook = 'geheim'\n",
    "[alerts]\nheartbeat = 'geheim'\n",
    "[alerts]\nwebhook = {url = 'geheim'}\n",
    "[database]\nurl = 'mysql://ada:geheim@x.example/y'\n",
    "[database]\nurl = 'mysql://x.example/y?password=geheim&a=b'\n",
    "alerts = 'https://ada:geheim@x.example'\n",
    "[publication]\nurl = 'https://ada:geheim@x.example'\n",
)


@pytest.mark.parametrize("lines", SECRET_LINES)
def test_no_message_shows_a_secret(path: Path, lines: str) -> None:
    is_top = not lines.startswith("[")
    base = BASE if "[publication]" not in lines else ""
    found = fault(path, lines + base if is_top else base + lines)
    assert "geheim" not in found


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("ALERTS__WEBHOOK", "geheim"),
        ("DATABASE__URL", "mysql://ada:geheim@x.example/y"),
        ("SMTP__PASSWORD__X", "geheim"),
        ("SMTP_PASSWORD", "geheim"),
        ("SMTP__PASWORD", "geheim"),
    ],
)
def test_no_message_shows_a_secret_of_the_environment(path: Path, variable: str, text: str) -> None:
    assert "geheim" not in fault(path, BASE, **{variable: text})


def test_masks() -> None:
    assert mask({"password": "x", "a": [{"password": ""}, {"secret_keys": ["x", "y"]}]}) == {
        "password": "***",
        "a": [{"password": ""}, {"secret_keys": ["***", "***"]}],
    }
    assert mask("postgresql://ada@x.example/y") == "postgresql://ada@x.example/y"
    assert mask("Ada <ada@x.example>") == "Ada <ada@x.example>"


# The document


def _rows() -> dict[str, list[str]]:
    """The document's rows: key, type, default, meaning and example, by key."""
    rows = re.findall(r"^\| `([\w.]+)` \|(.*)\|$", DOCUMENT.read_text("utf-8"), re.M)
    return {key: [cell.strip() for cell in rest.split(" | ")] for key, rest in rows}


def test_the_document_has_every_key_and_no_other() -> None:
    assert list(_rows()) == list(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_document_says_the_default(key: str) -> None:
    _, written, meaning, _ = _rows()[key]
    _, default = KEYS[key]
    assert len(meaning) > 15
    if default is msgspec.NODEFAULT:
        assert written == "required"
        return
    if written == "none" or written.startswith("("):
        assert default in ("", (), {}, 0)
        return
    value = tomllib.loads(f"x = {written.strip('`')}")["x"]
    assert (Duration.parse(value) if isinstance(default, Duration) else value) == default


@pytest.mark.parametrize("key", KEYS)
def test_the_documents_examples_work(path: Path, key: str) -> None:
    kind, _, _, shown = _rows()[key]
    line = shown.strip("`")
    assert line.startswith(f"{key.rpartition('.')[2]} = ")
    settings = load(path, with_line(key, line))
    assert value_at(settings, key) == tomllib.loads(line)[key.rpartition(".")[2]]
    type_ = KEYS[key][0]
    assert ("list" in kind) == (get_origin(type_) is tuple)
    assert ("duration" in kind) == (type_ is Duration)
    assert ("true or false" in kind) == (type_ is bool)


def test_the_document_has_every_table() -> None:
    headings = re.findall(r"^## `\[+([\w.]+)\]+`", DOCUMENT.read_text("utf-8"), re.M)
    tables = [key.rpartition(".")[0] for key in KEYS]
    assert headings == [table for table, _ in itertools.groupby(tables)]
    arrays = {name for name, type_ in types_in(Settings).items() if is_array_of_tables(type_)}
    assert arrays == {"smtp", "schedule", "webhook"}


@pytest.mark.parametrize(
    ("written", "author"),
    [
        ("The Desk", Person("The Desk", "")),
        ("Ada <ada@x.example>", Person("Ada", "ada@x.example")),
        ("ada@x.example", Person("ada@x.example", "ada@x.example")),
        ("新闻 编辑部", Person("新闻 编辑部", "")),
    ],
)
def test_an_author_may_have_no_address(written: str, author: Person, path: Path) -> None:
    settings = load(path, BASE + f'author = "{written}"\n')
    assert settings.as_publication().author == author


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[hooks]\nses_topic_arn = 'arn:aws:sqs:x'\n", "the ARN of an SNS topic"),
        ("[hooks]\ngeneric_secret = 'geheim'\n", 'found "***", expected a secret of 16'),
        ("[hooks]\npostmark_user = 'a'\n", "with hooks.postmark_password beside it"),
        (WEBHOOK.replace("https", "http"), "allow_private = true alone"),
        (WEBHOOK.replace("//x", "//ada:geheim@x"), "a URL that begins with https://"),
        (WEBHOOK.replace("sixteen letters!", "geheim"), 'webhook.secret: found "***"'),
        (WEBHOOK.replace("mailing.started", "mailing.eaten"), 'found ["mailing.eaten"]'),
        (WEBHOOK + WEBHOOK, "a URL of its own for each webhook"),
    ],
)
def test_hooks_that_cannot_be_meant(path: Path, written: str, said: str) -> None:
    text = fault(path, BASE + written)
    assert said in text
    assert "geheim" not in text


# Several relays

TWO = BASE + '[[smtp]]\nname = "main"\nhost = "a"\n[[smtp]]\nname = "in-reserve"\nhost = "b"\n'


def test_one_of_several_is_meant_by_its_name(path: Path) -> None:
    settings = load(path, TWO, SMTP__IN_RESERVE__PASSWORD="two", SMTP__MAIN__PASSWORD="one")
    assert [relay.password for relay in settings.smtp] == ["one", "two"]
    cron = (
        '[[schedule]]\nname = "a"\ncron = "0 6 * * *"\n[[schedule]]\nname = "b"\ncron = "0 7 * * *"'
    )
    other = load(path, BASE + cron, SCHEDULE__B__CATCH_UP="1h")
    assert [str(each.catch_up) for each in other.schedule] == ["3h", "1h"]


def test_what_relays_are_called(path: Path) -> None:
    assert [relay.name for relay in load(path, BASE + '[smtp]\nhost = "a"\n').relays] == [""]
    two = BASE + '[[smtp]]\nhost = "a"\n[[smtp]]\nname = "second"\nhost = "b"\n'
    assert [relay.name for relay in load(path, two).relays] == ["a", "second"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            '[[smtp]]\nhost = "a"\n[[smtp]]\nhost = "a"\n',
            'smtp[1].name: found "a", expected a name of',
        ),
        (
            '[[smtp]]\nhost = "a"\n[[smtp]]\nport = 25\n',
            'smtp[1].host: found "", expected the server',
        ),
        ('[smtp]\nname = "timeouts"\n', 'smtp.name: found "timeouts", expected a name of small'),
        ('[smtp]\nname = "Ä"\n', "smtp.name: found"),
        ("[smtp]\nweight = -1\n", "smtp.weight: found -1, expected a number >= 0"),
        (
            "[smtp]\nwarm_up = { first = 9, full = 8 }\n",
            "smtp.warm_up.full: found 8, expected as many as smtp.warm_up.first",
        ),
        (
            "[smtp]\nwarm_up = { first = 9, full = 80, factor = 1 }\n",
            "smtp.warm_up.factor: found 1, expected a number > 1",
        ),
        ("[smtp]\nwarmup = 5\n", "smtp.warmup: this key is unknown; did you mean warm_up?"),
    ],
)
def test_relays_that_cannot_be_meant(path: Path, lines: str, expected: str) -> None:
    assert expected in fault(path, BASE + lines)


def test_a_name_that_no_relay_has(path: Path) -> None:
    said = fault(path, TWO, SMTP__RESERVE__PASSWORD="x")
    assert "PUBLISHER_SMTP__RESERVE__PASSWORD (smtp.reserve): this key is unknown" in said
