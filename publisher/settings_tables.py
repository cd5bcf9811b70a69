"""The tables of publisher.toml: their keys, types and defaults."""

import re
from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(s|m|h|d)")
# A hundred years: a date minus a duration stays a date.
_LONGEST = timedelta(days=36_500)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
A_DURATION = "a duration such as 90s, 10m, 6h or 2d"

Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
# TOML knows `inf`; no server takes more than this.
Rate = Annotated[float, Meta(ge=0, le=1_000_000)]


class Duration(timedelta):
    """A length of time written `90s`, `10m`, `6h` or `2d`."""

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Read a duration; ValueError says what would be right."""
        match = _DURATION.fullmatch(text.strip())
        parts = {_UNITS[match[2]]: float(match[1])} if match else {}
        if not parts or timedelta(**parts) > _LONGEST:
            raise ValueError(A_DURATION)
        return cls(**parts)

    def __str__(self) -> str:
        seconds = self.total_seconds()
        for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
            if seconds and seconds % size == 0:
                return f"{int(seconds // size)}{unit}"
        return f"{seconds:g}s"


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all tables: a key that is not named is an error."""


class PublicationTable(Table, frozen=True):
    id: str
    title: str
    url: str
    time_zone: str
    language: str = "en"
    description: str = ""
    author: str = ""
    rights: str = ""
    logo: str = ""


class Email(Table, frozen=True):
    from_: str = field(default="", name="from")
    postal_address: str = ""
    reply_to: str = ""
    return_path: str = ""
    verp: bool = False
    list_id: str = ""
    subject: str = "{{ issue.title }}"
    link_params: str | dict[str, str] = ""
    welcome: bool = False


class Timeouts(Table, frozen=True):
    """Waits at each stage; the defaults are the least that RFC 5321, section 4.5.3.2, allows."""

    connect: Duration = Duration(seconds=30)
    greeting: Duration = Duration(minutes=5)
    command: Duration = Duration(minutes=5)
    data: Duration = Duration(minutes=2)
    block: Duration = Duration(minutes=3)
    final_dot: Duration = Duration(minutes=10)


class WarmUp(Table, frozen=True):
    """Messages a day over an address that receivers do not know yet: more each day, until full.

    There is none where `first` is 0.
    """

    first: Count = 0
    factor: Annotated[float, Meta(gt=1, le=10)] = 2
    full: Positive = 100_000


class Smtp(Table, frozen=True):
    """A relay; of several each has a weight, and `[delivery]` says what it leaves open (0)."""

    host: str = ""
    port: Port = 587
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: str = ""
    name: str = ""
    weight: Count = 1
    connections: Count = 0
    rate: Rate = 0
    timeouts: Timeouts = Timeouts()
    warm_up: WarmUp = WarmUp()


class Delivery(Table, frozen=True):
    connections: Positive = 4
    rate: Rate = 0
    domain_rates: dict[str, Rate] = {}
    messages_per_connection: Count = 0
    on_in_doubt: Literal["resend", "hold"] = "resend"
    give_up_after: Duration = Duration(hours=24)
    canary: Count = 0
    canary_wait: Duration = Duration(minutes=10)
    canary_limit: Share = 0.05
    seeds: tuple[str, ...] = ()
    require_approval: bool = False


class DkimKey(Table, frozen=True):
    domain: str = ""
    selector: str = ""
    private_key: str = ""
    headers: tuple[str, ...] = ()


class Dkim(DkimKey, frozen=True):
    ed25519: DkimKey | None = None


class Schedule(Table, frozen=True):
    name: str
    cron: str
    catch_up: Duration = Duration(hours=3)
    max_age: Duration = Duration(hours=36)
    min_highlights: Positive = 1
    settle: Duration = Duration(seconds=60)


class Feeds(Table, frozen=True):
    window: Duration = Duration(days=14)
    min_issues: Positive = 5
    full_content: bool = True
    hub: str = ""
    aliases: dict[str, str] = {}


class Site(Table, frozen=True):
    after_build: str = ""
    card_font: str = ""
    license: str = ""
    profiles: tuple[str, ...] = ()


class Choices(Table, frozen=True):
    """What readers can choose besides everything. `weekly` is when the week's message is due."""

    headlines: bool = True
    tags: tuple[str, ...] = ()
    weekly: str = ""
    weekly_subject: str = ""


class Sources(Table, frozen=True):
    """What `draft` reads, and what it makes of that."""

    file: str = "sources.opml"
    since: Duration = Duration(hours=24)
    max: Count = 20
    order: Literal["newest", "source"] = "newest"
    summary: Annotated[int, Meta(ge=0, le=2_000)] = 300
    categories: bool = False
    allow_private: tuple[str, ...] = ()


class Web(Table, frozen=True):
    host: str = "127.0.0.1"
    port: Port = 8000
    url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    secret_keys: tuple[str, ...] = ()
    redirects: dict[str, str] = {}


class Console(Table, frozen=True):
    host: str = "127.0.0.1"
    port: Port = 8001
    url: str = ""
    git: bool = False
    metrics: Literal["token", "open"] = "token"


class Alerts(Table, frozen=True):
    email: str = ""
    webhook: str = ""
    heartbeat: str = ""


class Inbound(Table, frozen=True):
    url: str = ""
    password: str = ""


class Hooks(Table, frozen=True):
    """What lets in those who report bounces and complaints by HTTP; closed where it is empty."""

    ses_topic_arn: str = ""
    postmark_user: str = ""
    postmark_password: str = ""
    generic_secret: str = ""


class Webhook(Table, frozen=True):
    """Whom events are told by HTTP."""

    url: str
    secret: str
    events: tuple[str, ...]
    include_email: bool = False
    allow_private: bool = False


class Database(Table, frozen=True):
    url: str = "sqlite:///publisher.db"
    keep_deliveries: Duration = Duration()
