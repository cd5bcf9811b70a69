"""Whether a setting's value can be meant: what its type alone does not tell."""

import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import quote, unquote_to_bytes, urlsplit, urlunsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# RFC 4151, section 2.1: tag:authority,date:specific
_TAG_URI = re.compile(r"tag:[^\s,:/]+,\d{4}(-\d\d(-\d\d)?)?:[!-~]+")
# RFC 5646, section 2.1, without its grandfathered forms
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
# What a path may hold as it is (RFC 3986, section 3.3), and the percent sign.
_IN_PATH = "/:@!$&'()*+,;=-._~%"
# A path of this site, perhaps with a query: it leads nowhere else, in no browser (`//`, `/\\`).
_SITE_PATH = re.compile(r"/(?![/\\])[^\s\x00-\x1f\x7f\"<>\\^`{|}#]*")
# An empty name, an encoded slash or a control: no request for such a path is understood.
_NO_NAME = re.compile(r"//|%(?:2f|5c|[01][0-9a-f]|7f)", re.IGNORECASE)
_ANY_HOSTS = ("0.0.0.0", "::")  # noqa: S104 - what is listened on, which is no address to go to
_FEED_FILE = re.compile(r"/?(?:tags/[^/\s]+/feed|feed|issues)\.(?:atom|rss|json)")
_AN_OLD_PATH = 'a path of this site as the key, such as "/rss.xml" or "/?feed=rss2"'
_A_FEED_FILE = "a feed of this site, such as feed.rss or tags/film/feed.atom"
_A_TARGET = "another path of this site, such as /issues/2025-12-15/, or a URL"
A_KEEPING = "60d or more, or 0s for ever"
# Reports come late, and a month's message asks who holds its issues.
_LEAST_KEPT = timedelta(days=60)
A_DATABASE = "sqlite:///FILE or postgresql://USER@HOST/NAME"
# The five fields of cron, with their names from the lowest number on. Sunday is 0 and 7.
_MONTHS = ". jan feb mar apr may jun jul aug sep oct nov dec"
_DAYS = "sun mon tue wed thu fri sat"
_CRON = ((0, 59, ""), (0, 23, ""), (1, 31, ""), (1, 12, _MONTHS), (0, 7, _DAYS))


# As many tags as anybody looks through in a form.
MOST_OFFERED = 60


def is_tag_uri(text: str) -> bool:
    return bool(_TAG_URI.fullmatch(text))


def is_language(text: str) -> bool:
    return bool(_LANGUAGE.fullmatch(text))


def is_label(text: str) -> bool:
    """Tell a tag's label from nothing, and from what files would read as several."""
    return bool(text.strip()) and not re.search("[,，、\n\t]", text)


def is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def is_database(url: str) -> bool:
    return bool(re.fullmatch(r"sqlite:///.+|postgresql(\+psycopg)?://.+", url))


def is_keeping(deliveries: timedelta) -> bool:
    """Tell whether deliveries are kept as long as others need them; 0 is for ever."""
    return not deliveries or deliveries >= _LEAST_KEPT


def is_mailbox_place(text: str) -> bool:
    """Tell a path or an IMAP mailbox's URL from another URL, and from one with a password."""
    return "://" not in text or bool(re.fullmatch(r"imaps?://[^/\s:]+@[^/\s@]+(/\S*)?", text))


def is_network(text: str) -> bool:
    from ipaddress import ip_network

    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def is_cron(text: str) -> bool:
    fields = text.split()
    return len(fields) == len(_CRON) and all(map(_is_cron_field, fields, _CRON))


def _is_cron_field(field: str, limits: tuple[int, int, str]) -> bool:
    """A list of `*`, `5`, `1-5` and names, each with `/step` or without."""
    low, high, names = limits
    for part in field.lower().split(","):
        span, slash, step = part.partition("/")
        ends = [] if span == "*" else span.split("-", 1)
        numbers = [_cron_number(end, names) for end in ends]
        is_ordered = numbers == sorted(numbers)
        if not is_ordered or any(not low <= number <= high for number in numbers):
            return False
        if slash and _cron_number(step, "") < 1:
            return False
    return True


def _cron_number(text: str, names: str) -> int:
    """A number, or a name's place in `names`; -1 for neither."""
    if text.isascii() and text.isdecimal():
        return int(text.lstrip("0")[:9] or "0")  # what is longer is too large in any case
    return names.split().index(text) if text in names.split() else -1


def to_ascii_url(url: str) -> str:
    """An http(s) URL with its host as DNS has it (RFC 5890) and its path escaped (RFC 3986)."""
    if url.isascii():
        return url
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna").decode()
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{host}{port}", path=quote(parts.path, safe=_IN_PATH)))


def is_http_url(url: str, *, is_base: bool) -> bool:
    try:
        parts = urlsplit(to_ascii_url(url))
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and not re.search(r"[\s\x00-\x1f\x7f\"<>\\^`{|}]", url)
            and not (is_base and (parts.query or parts.fragment or parts.username))
            and (parts.port or 1) > 0
        )
    except ValueError:
        return False


def address_of_console(host: str, port: int, url: str) -> str:
    """Where a console is, without a trailing slash: by its URL, or on this machine."""
    if url:
        return to_ascii_url(url).rstrip("/")
    shown = "127.0.0.1" if host in _ANY_HOSTS else host
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"


def is_mailbox(text: str, *, is_address_needed: bool) -> bool:
    if re.search(r"[\x00-\x1f\x7f]", text):
        return False
    _, address = parseaddr(text)
    if not is_address_needed and "@" not in text:
        return bool(text.strip())
    return bool(re.fullmatch(r"[^@\s]+@[^@\s]+", address))


def is_site_path(text: str) -> bool:
    path = text.partition("?")[0]
    return bool(_SITE_PATH.fullmatch(text)) and ".." not in path.split("/")


def is_old_path(text: str) -> bool:
    """Tell whether a request can be for a path: names in UTF-8, none of them empty."""
    path = text.partition("?")[0]
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return is_site_path(text) and not _NO_NAME.search(path)


def wrong_addresses(
    aliases: Mapping[str, str], redirects: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Old addresses that cannot be served, as (key, found, what would be right)."""
    checks = [
        *(("feeds.aliases", old, is_old_path(old), _AN_OLD_PATH) for old in aliases),
        *(
            (f"feeds.aliases.{old}", feed, bool(_FEED_FILE.fullmatch(feed)), _A_FEED_FILE)
            for old, feed in aliases.items()
        ),
        *(("web.redirects", old, is_old_path(old), _AN_OLD_PATH) for old in redirects),
        *(
            (f"web.redirects.{old}", new, _is_target(new) and not _is_same(new, old), _A_TARGET)
            for old, new in redirects.items()
        ),
        *(
            ("web.redirects", old, False, "an address that is not in feeds.aliases too")
            for old in redirects
            if old in aliases
        ),
    ]
    return [(key, found, right) for key, found, is_right, right in checks if not is_right]


def _is_same(new: str, old: str) -> bool:
    """Tell whether a path leads to itself: with a slash at its end it is the same one."""
    return new.removesuffix("/") == old.removesuffix("/")


def _is_target(text: str) -> bool:
    return is_site_path(text) or (not text.startswith("/") and is_http_url(text, is_base=False))
