"""publisher.toml and the environment -> Settings: strict, with a clear error for each mistake."""

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, field

from publisher.errors import SettingsError
from publisher.model.issue import Person
from publisher.model.publication import Publication
from publisher.settings_errors import Explainer

FILE_NAME = "publisher.toml"
ENVIRONMENT_PREFIX = "PUBLISHER_"

# RFC 4151, section 2.1: tag:authority,date:specific
_TAG_URI = re.compile(r"tag:[^\s,:/]+,\d{4}(-\d\d(-\d\d)?)?:[!-~]+")
# RFC 5646, section 2.1, without its grandfathered forms
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Rate = Annotated[float, Meta(ge=0)]


class Duration(timedelta):
    """A length of time written `90s`, `10m`, `6h` or `2d`."""

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Read a duration; ValueError says what would be right."""
        match = _DURATION.fullmatch(text.strip())
        if not match:
            raise ValueError("a duration such as 90s, 10m, 6h or 2d")
        return cls(**{_UNITS[match[2]]: float(match[1])})

    def __str__(self) -> str:
        seconds = self.total_seconds()
        for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
            if seconds and seconds % size == 0:
                return f"{int(seconds // size)}{unit}"
        return f"{seconds:g}s"


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all tables: a key that is not named is an error."""


class PublicationTable(_Table, frozen=True):
    id: str
    title: str
    url: str
    time_zone: str
    language: str = "en"
    description: str = ""
    author: str = ""
    rights: str = ""
    logo: str = ""


class Email(_Table, frozen=True):
    from_: str = field(default="", name="from")
    postal_address: str = ""
    reply_to: str = ""
    return_path: str = ""
    verp: bool = False
    list_id: str = ""
    subject: str = "{{ issue.title }}"
    link_params: str | dict[str, str] = ""


class Timeouts(_Table, frozen=True):
    """Waits at each stage; the defaults are the least that RFC 5321, section 4.5.3.2, allows."""

    connect: Duration = Duration(seconds=30)
    greeting: Duration = Duration(minutes=5)
    command: Duration = Duration(minutes=5)
    data: Duration = Duration(minutes=2)
    block: Duration = Duration(minutes=3)
    final_dot: Duration = Duration(minutes=10)


class Smtp(_Table, frozen=True):
    host: str = ""
    port: Port = 587
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: str = ""
    timeouts: Timeouts = Timeouts()


class Delivery(_Table, frozen=True):
    connections: Positive = 4
    rate: Rate = 0
    domain_rates: dict[str, Rate] = {}
    messages_per_connection: Count = 0
    on_in_doubt: Literal["resend", "hold"] = "resend"
    give_up_after: Duration = Duration(hours=24)


class DkimKey(_Table, frozen=True):
    domain: str = ""
    selector: str = ""
    private_key: str = ""
    headers: tuple[str, ...] = ()


class Dkim(DkimKey, frozen=True):
    ed25519: DkimKey | None = None


class Schedule(_Table, frozen=True):
    name: str
    cron: str
    catch_up: Duration = Duration(hours=3)
    max_age: Duration = Duration(hours=36)
    min_highlights: Positive = 1
    settle: Duration = Duration(seconds=60)


class Feeds(_Table, frozen=True):
    window: Duration = Duration(days=14)
    min_issues: Positive = 5
    full_content: bool = True
    hub: str = ""


class Site(_Table, frozen=True):
    after_build: str = ""


class Web(_Table, frozen=True):
    host: str = "127.0.0.1"
    port: Port = 8000
    url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    secret_keys: tuple[str, ...] = ()


class Console(_Table, frozen=True):
    host: str = "127.0.0.1"
    port: Port = 8001
    url: str = ""


class Alerts(_Table, frozen=True):
    email: str = ""
    webhook: str = ""
    heartbeat: str = ""


class Database(_Table, frozen=True):
    url: str = "sqlite:///publisher.db"


class Settings(_Table, frozen=True):
    """Everything that publisher.toml and the environment say, checked."""

    publication: PublicationTable
    email: Email = Email()
    smtp: tuple[Smtp, ...] = ()
    delivery: Delivery = Delivery()
    dkim: Dkim | None = None
    schedule: tuple[Schedule, ...] = ()
    feeds: Feeds = Feeds()
    site: Site = Site()
    web: Web = Web()
    console: Console = Console()
    alerts: Alerts = Alerts()
    database: Database = Database()

    @property
    def web_url(self) -> str:
        """Where links in mail start, without a trailing slash."""
        return (self.web.url or self.publication.url).rstrip("/")

    @property
    def link_params(self) -> tuple[tuple[str, str], ...]:
        """The query parameters added to links in mail, in their written order."""
        from urllib.parse import parse_qsl

        written = self.email.link_params
        return tuple(written.items() if isinstance(written, dict) else parse_qsl(written, True))

    def as_publication(self) -> Publication:
        """The publication itself, apart from how it is run."""
        table = self.publication
        name, address = parseaddr(table.author)
        return Publication(
            id=table.id,
            title=table.title,
            url=table.url.rstrip("/"),
            time_zone=table.time_zone,
            language=table.language,
            description=table.description,
            author=Person(name or address, address) if table.author else None,
            rights=table.rights,
            logo=table.logo,
        )


def load_settings(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read and check the settings in `path`, overridden by `PUBLISHER_<TABLE>__<KEY>`.

    Raises SettingsError naming the file, the key, what was found and what would be right.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(
            f"{path} does not exist. Go to a publication's folder, name its settings with "
            "--config FILE, or make a new publication with `publisher init DIR`."
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    origins = _override(raw, environment)
    return parse_settings(raw, path.name, origins)


def parse_settings(
    raw: dict[str, Any], name: str = FILE_NAME, origins: Mapping[str, str] | None = None
) -> Settings:
    """Check decoded settings. `origins` maps keys to the environment variables they came from."""
    if isinstance(raw.get("smtp"), dict):
        raw = {**raw, "smtp": [raw["smtp"]]}
    try:
        settings = msgspec.convert(raw, Settings, strict=not origins, dec_hook=_decode)
    except msgspec.ValidationError as error:
        explained = Explainer(Settings, name, origins or {}).explain(str(error), raw)
        raise SettingsError(explained) from None
    for key, found, right in _impossible(settings):
        raise SettingsError(Explainer(Settings, name, origins or {}).say(key, found, right))
    return settings


def _decode(type_: type, value: Any) -> Any:
    if type_ is Duration:
        if not isinstance(value, str):
            raise ValueError("a duration such as 90s, 10m, 6h or 2d")
        return Duration.parse(value)
    raise NotImplementedError


def _override(raw: dict[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """Lay the environment's keys over `raw`; return where each of them came from."""
    origins = {}
    for variable in sorted(environment):
        if not variable.startswith(ENVIRONMENT_PREFIX) or "__" not in variable:
            continue
        path = variable.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        _place(raw, path, environment[variable])
        origins[".".join(path)] = variable
    return origins


def _place(raw: Any, path: list[str], text: str) -> None:
    """Set one key; in an array of tables a number names the table, else the first is meant."""
    for step in path[:-1]:
        raw = raw.setdefault(step, {})
        if isinstance(raw, list):
            index = int(path[1]) if path[1].isdigit() else 0
            if index >= len(raw):
                raise SettingsError(f"{'.'.join(path)} is set in the environment, but has no table")
            if path[1].isdigit():
                return _place(raw[index], path[2:], text)
            raw = raw[index]
        if not isinstance(raw, dict):
            return None
    raw[path[-1]] = _from_environment(path[-1], text)
    return None


_LISTS = {"trusted_proxies", "secret_keys", "headers"}


def _from_environment(key: str, text: str) -> Any:
    if key in _LISTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    if key == "domain_rates":
        return dict(part.split("=", 1) for part in text.split(",") if "=" in part)
    return text


def _impossible(settings: Settings) -> list[tuple[str, Any, str]]:
    """Values of the right type that cannot be meant: (key, found, what would be right)."""
    table = settings.publication
    wrong: list[tuple[str, Any, str]] = []
    if not _TAG_URI.fullmatch(table.id):
        wrong.append(("publication.id", table.id, "a tag: URI such as tag:example.org,2025:daily"))
    if not table.title.strip():
        wrong.append(("publication.title", table.title, "a title"))
    try:
        ZoneInfo(table.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong.append(
            ("publication.time_zone", table.time_zone, "an IANA time zone such as Asia/Shanghai")
        )
    if not _LANGUAGE.fullmatch(table.language):
        wrong.append(
            ("publication.language", table.language, "a language tag such as en or zh-Hans")
        )
    urls = {
        "publication.url": table.url,
        "web.url": settings.web.url,
        "console.url": settings.console.url,
        "feeds.hub": settings.feeds.hub,
        "alerts.webhook": settings.alerts.webhook,
        "alerts.heartbeat": settings.alerts.heartbeat,
    }
    wrong += [
        (key, url, "a URL such as https://news.example")
        for key, url in urls.items()
        if (url or key == "publication.url") and not _is_http_url(url)
    ]
    addresses = {
        "publication.author": table.author,
        "email.from": settings.email.from_,
        "email.reply_to": settings.email.reply_to,
        "email.return_path": settings.email.return_path,
    }
    wrong += [
        (key, text, "Name <address@example.org>")
        for key, text in addresses.items()
        if text and not _is_mailbox(text, is_address_needed=key != "publication.author")
    ]
    wrong += [
        ("schedule.cron", schedule.cron, "five fields: minute hour day-of-month month day-of-week")
        for schedule in settings.schedule
        if len(schedule.cron.split()) != 5
    ]
    names = [schedule.name for schedule in settings.schedule]
    wrong += [
        ("schedule.name", name, "a name of its own for each schedule")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    return wrong


def _is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and not re.search(r"[\s\x00-\x1f\x7f\"<>\\^`{|}]", url)
            and not (parts.query or parts.fragment)
            and (parts.port or 1) > 0
        )
    except ValueError:
        return False


def _is_mailbox(text: str, *, is_address_needed: bool) -> bool:
    if re.search(r"[\x00-\x1f\x7f]", text):
        return False
    _, address = parseaddr(text)
    if not is_address_needed and "@" not in text:
        return bool(text.strip())
    return bool(re.fullmatch(r"[^@\s]+@[^@\s]+", address))
