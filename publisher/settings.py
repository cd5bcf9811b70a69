"""publisher.toml and the environment -> Settings: strict, with a clear error for each mistake."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from publisher.errors import SettingsError
from publisher.model.issue import Person
from publisher.model.publication import Publication
from publisher.settings_environment import PREFIX, lay_over
from publisher.settings_errors import Explainer, explain_toml
from publisher.settings_hooks import wrong_hooks, wrong_webhooks
from publisher.settings_relays import name_relays, wrong_relays
from publisher.settings_tables import A_DURATION, Table
from publisher.settings_tables import Alerts as Alerts
from publisher.settings_tables import Choices as Choices
from publisher.settings_tables import Console as Console
from publisher.settings_tables import Database as Database
from publisher.settings_tables import Delivery as Delivery
from publisher.settings_tables import Dkim as Dkim
from publisher.settings_tables import DkimKey as DkimKey
from publisher.settings_tables import Duration as Duration
from publisher.settings_tables import Email as Email
from publisher.settings_tables import Feeds as Feeds
from publisher.settings_tables import Hooks as Hooks
from publisher.settings_tables import Inbound as Inbound
from publisher.settings_tables import PublicationTable as PublicationTable
from publisher.settings_tables import Schedule as Schedule
from publisher.settings_tables import Site as Site
from publisher.settings_tables import Smtp as Smtp
from publisher.settings_tables import Sources as Sources
from publisher.settings_tables import Timeouts as Timeouts
from publisher.settings_tables import WarmUp as WarmUp
from publisher.settings_tables import Web as Web
from publisher.settings_tables import Webhook as Webhook
from publisher.settings_values import (
    A_DATABASE,
    A_KEEPING,
    MOST_OFFERED,
    is_cron,
    is_database,
    is_http_url,
    is_keeping,
    is_label,
    is_language,
    is_mailbox,
    is_mailbox_place,
    is_network,
    is_tag_uri,
    is_zone,
    to_ascii_url,
    wrong_addresses,
)

FILE_NAME = "publisher.toml"

# The name of the schedule of the week's message, where one is offered.
WEEKLY = "weekly"

_A_TAG_URI = "a tag: URI such as tag:example.org,2025:daily"
_A_ZONE = "an IANA time zone such as Asia/Shanghai"
_A_TAG = "a language tag such as en or zh-Hans"
_A_MAILBOX = "Name <name@example.org>, or the address alone; a name with a comma in double quotes"
_A_PLACE = "imaps://USER@HOST/INBOX, without a password, or the path of a Maildir or a file"
_A_LABEL = f"a tag's label, without a comma; at most {MOST_OFFERED} of them"
_A_NAME = f"a name of its own for each schedule; {WEEKLY} is that of choices.weekly"
_A_CRON = 'minute, hour, day of the month, month and day of the week, such as "30 6 * * mon-fri"'


class Place(msgspec.Struct, frozen=True):
    """Where a publication is in the one console of several: below `url`, which ends in its name."""

    name: str
    host: str
    port: int
    url: str


class SeveralPublications(SettingsError):
    """A file that names several publications, where one is asked for."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        super().__init__(
            f"{path} is of several publications: {', '.join(names)}. Say which one is meant by"
            " --publication NAME behind the command, or go to its folder"
        )
        self.path = path


class Settings(Table, frozen=True):
    """Everything that publisher.toml and the environment say, checked."""

    publication: PublicationTable
    email: Email = Email()
    smtp: tuple[Smtp, ...] = ()
    delivery: Delivery = Delivery()
    dkim: Dkim | None = None
    schedule: tuple[Schedule, ...] = ()
    choices: Choices = Choices()
    feeds: Feeds = Feeds()
    site: Site = Site()
    sources: Sources = Sources()
    web: Web = Web()
    console: Console = Console()
    alerts: Alerts = Alerts()
    inbound: Inbound = Inbound()
    hooks: Hooks = Hooks()
    webhook: tuple[Webhook, ...] = ()
    database: Database = Database()

    @property
    def relays(self) -> tuple[Smtp, ...]:
        """The relays, each of several with a name."""
        return name_relays(self.smtp)

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """All that fires: the schedules of issues, and that of the week's message, if any."""
        cron = self.choices.weekly
        return (*self.schedule, *((Schedule(name=WEEKLY, cron=cron),) if cron else ()))

    def is_weekly(self, schedule: str) -> bool:
        """Tell whether a schedule is that of the week's message, by its name."""
        return bool(self.choices.weekly) and schedule == WEEKLY

    @property
    def web_url(self) -> str:
        """Where links in mail start, without a trailing slash."""
        return to_ascii_url(self.web.url or self.publication.url).rstrip("/")

    @property
    def link_params(self) -> tuple[tuple[str, str], ...]:
        """The query parameters added to links in mail, in their written order."""
        from urllib.parse import parse_qsl

        written = self.email.link_params
        return tuple(written.items() if isinstance(written, dict) else parse_qsl(written, True))

    def as_publication(self) -> Publication:
        """The publication itself, apart from how it is run."""
        table = self.publication
        # A name alone is no address, of which parseaddr would take the first word for one.
        has_address = "@" in table.author
        name, address = parseaddr(table.author) if has_address else (table.author.strip(), "")
        return Publication(
            id=table.id,
            title=table.title,
            url=to_ascii_url(table.url).rstrip("/"),
            time_zone=table.time_zone,
            language=table.language,
            description=table.description,
            author=Person(name or address, address) if table.author else None,
            rights=table.rights,
            logo=table.logo,
        )


def load_settings(
    path: Path,
    environment: Mapping[str, str] = os.environ,
    place: Place | None = None,
    own: str = "",
) -> Settings:
    """Read and check the settings in `path`, overridden by `PUBLISHER_<TABLE>__<KEY>`.

    `place` is the publication's among several, and `own` what variables for it alone begin with.
    Raises SettingsError naming the file, the key, what was found and what would be right.
    """
    raw = read_settings(path)
    if isinstance(several := raw.get("publication"), list):
        names = [str(each.get("name")) for each in several if isinstance(each, dict)]
        raise SeveralPublications(path, names)
    origins = lay_over(raw, Settings, read_variables(environment), _decode, own)
    return parse_settings(raw, path.name, origins, place)


def read_settings(path: Path) -> dict[str, Any]:
    """What stands in a file of settings, unchecked. Raises SettingsError where it is no TOML."""
    return _parse(_read(path), path)


def read_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment's variables, and those that are files in its `$CREDENTIALS_DIRECTORY`.

    The environment goes before a file of the same name. Raises SettingsError.
    """
    return {**_read_credentials(environment.get("CREDENTIALS_DIRECTORY", "")), **environment}


def _read_credentials(folder: str) -> dict[str, str]:
    """What systemd (LoadCredential=) or a container's secrets hand over as files.

    An empty one says nothing: a service that names a credential has an empty one for its default.
    """
    files = sorted(Path(folder).glob(f"{PREFIX}*")) if folder else []
    texts = {path.name: _read_credential(path) for path in files}
    return {name: text for name, text in texts.items() if text}


def _read_credential(path: Path) -> str:
    try:
        # Editors end a file with a line's end, which is part of no secret.
        return path.read_text("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is no UTF-8 text; write the value alone into it") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        raise SettingsError(
            f"there is no {path} here. Go to a publication's folder (`cd FOLDER`), name its"
            " settings with --config FILE, or make a new publication with `publisher init DIR`."
        ) from None
    except IsADirectoryError:
        raise SettingsError(
            f"{path} is a folder; name the settings in it: {path / FILE_NAME}"
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is no UTF-8 text; save it anew as UTF-8") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"{path.name} cannot be read: {explain_toml(str(error), text)}"
        ) from None


def parse_settings(
    raw: dict[str, Any],
    name: str = FILE_NAME,
    origins: Mapping[str, str] | None = None,
    place: Place | None = None,
) -> Settings:
    """Check decoded settings. `origins` maps keys to the environment variables they came from.

    Among several publications the console is the one that they share: what the file says of
    where it is has no meaning.
    """
    for name_of_array in ("smtp", "webhook"):
        if isinstance(raw.get(name_of_array), dict):
            raw = {**raw, name_of_array: [raw[name_of_array]]}
    explainer = Explainer(Settings, name, origins or {})
    try:
        settings = msgspec.convert(raw, Settings, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise SettingsError(explainer.explain(str(error), raw)) from None
    wrong = _impossible(settings)
    if place:
        wrong = [each for each in wrong if not each[0].startswith("console.")]
    if wrong:
        raise SettingsError("\n".join(explainer.say(*each) for each in wrong))
    if place is None:
        return settings
    own = replace(settings.console, host=place.host, port=place.port, url=place.url)
    return replace(settings, console=own)


def _decode(type_: type, value: Any) -> Any:
    if type_ is Duration:
        if not isinstance(value, str):
            raise ValueError(A_DURATION)
        return Duration.parse(value)
    raise NotImplementedError


Wrong = tuple[str, Any, str]


def _impossible(settings: Settings) -> list[Wrong]:
    """Values of the right type that cannot be meant: (key, found, what would be right)."""
    table, kept = settings.publication, settings.database.keep_deliveries
    checks = (
        ("publication.id", table.id, is_tag_uri(table.id), _A_TAG_URI),
        ("publication.title", table.title, bool(table.title.strip()), "a title"),
        ("publication.time_zone", table.time_zone, is_zone(table.time_zone), _A_ZONE),
        ("publication.language", table.language, is_language(table.language), _A_TAG),
        ("database.url", settings.database.url, is_database(settings.database.url), A_DATABASE),
        ("database.keep_deliveries", str(kept), is_keeping(kept), A_KEEPING),
        ("inbound.url", settings.inbound.url, is_mailbox_place(settings.inbound.url), _A_PLACE),
        (
            "console.port",
            settings.console.port,
            not _is_shared(settings),
            "another port than web's",
        ),
    )
    wrong = [(key, found, right) for key, found, is_right, right in checks if not is_right]
    return [
        *wrong,
        *_wrong_urls(settings),
        *_wrong_mailboxes(settings),
        *_wrong_lists(settings),
        *wrong_relays(settings.smtp),
        *wrong_hooks(settings.hooks),
        *wrong_webhooks(settings.webhook),
    ]


def _wrong_urls(settings: Settings) -> list[Wrong]:
    urls = {
        "publication.url": settings.publication.url,
        "web.url": settings.web.url,
        "console.url": settings.console.url,
        "feeds.hub": settings.feeds.hub,
        "site.license": settings.site.license,
        **{f"site.profiles[{place}]": url for place, url in enumerate(settings.site.profiles)},
        "alerts.webhook": settings.alerts.webhook,
        "alerts.heartbeat": settings.alerts.heartbeat,
    }
    # What stands before others' paths has no query; a service's own URL may have one.
    bases = ("publication.url", "web.url", "console.url")
    wrong = [
        (key, url, "a URL such as https://news.example")
        for key, url in urls.items()
        if (url or key == "publication.url") and not is_http_url(url, is_base=key in bases)
    ]
    # Its cookies, links and forms are of a whole origin.
    if not wrong and urlsplit(settings.console.url).path.strip("/"):
        origin = "a URL without a path, such as https://desk.news.example"
        wrong.append(("console.url", settings.console.url, origin))
    return wrong


def _wrong_mailboxes(settings: Settings) -> list[Wrong]:
    email = settings.email
    mailboxes = {
        "publication.author": settings.publication.author,
        "email.from": email.from_,
        "email.reply_to": email.reply_to,
        "email.return_path": email.return_path,
        "alerts.email": settings.alerts.email,
        **{f"delivery.seeds[{place}]": each for place, each in enumerate(settings.delivery.seeds)},
    }
    return [
        (key, text, _A_MAILBOX)
        for key, text in mailboxes.items()
        if text and not is_mailbox(text, is_address_needed=key != "publication.author")
    ]


def _wrong_lists(settings: Settings) -> list[Wrong]:
    names = [schedule.name for schedule in settings.schedule]
    return [
        *(
            (f"schedule[{place}].cron".replace("[0]", ""), schedule.cron, _A_CRON)
            for place, schedule in enumerate(settings.schedule)
            if not is_cron(schedule.cron)
        ),
        *(
            ("schedule.name", name, _A_NAME)
            for name in dict.fromkeys(names)
            if names.count(name) > 1 or not name.strip() or settings.is_weekly(name)
        ),
        *(
            ("choices.weekly", cron, _A_CRON)
            for cron in (settings.choices.weekly,)
            if cron and not is_cron(cron)
        ),
        *(
            ("web.trusted_proxies", proxy, "addresses or networks such as 10.0.0.0/8")
            for proxy in settings.web.trusted_proxies
            if not is_network(proxy)
        ),
        *(
            (
                f"choices.tags[{place}]",
                tag,
                _A_LABEL,
            )
            for place, tag in enumerate(settings.choices.tags)
            if not is_label(tag) or place >= MOST_OFFERED
        ),
        *wrong_addresses(settings.feeds.aliases, settings.web.redirects),
    ]


def _is_shared(settings: Settings) -> bool:
    """Tell whether the console would need the port that the public site has."""
    web, console = settings.web, settings.console
    return (web.host, web.port) == (console.host, console.port)
