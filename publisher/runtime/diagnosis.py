"""What would stop a publication from sending, found before it does."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Literal

import msgspec

from publisher.errors import PublisherError, SettingsError
from publisher.message.dkim import dns_record, make_signer
from publisher.runtime.composer import envelope_sender, load_signers
from publisher.runtime.relays import read_relays
from publisher.runtime.sending import local_name
from publisher.runtime.start import require_ready
from publisher.settings import DkimKey, Settings, Smtp
from publisher.smtp.courier import Courier
from publisher.store.arming import find_unarmed
from publisher.store.database import Database, open_database
from publisher.store.engine_postgresql import find_fault, measure_clock
from publisher.store.place_server import ServerPlace

Level = Literal["ok", "info", "warning", "error"]

_GOOD_BITS = 2048
_LITTLE_DISK = 1_000_000_000
_CLOCKS_APART = timedelta(seconds=2)


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. An error keeps anything from being sent."""

    name: str
    level: Level
    message: str
    fix: str = ""


class Record(msgspec.Struct, frozen=True):
    """A DNS record to publish."""

    name: str
    type: str
    value: str


def diagnose(folder: Path, settings: Settings, *, is_online: bool) -> Iterator[Finding]:
    """Look at settings, database, disk, DKIM and, where it may, the relay."""
    yield _try_settings(settings, folder)
    yield from _look_at_mail(settings)
    yield from _look_at_store(folder, settings)
    yield from _look_at_dkim(folder, settings)
    if is_online:
        yield from (_try_relay(each) for each in settings.relays if each.host)
    if not settings.schedules:
        yield Finding("schedule", "info", "nothing is sent by itself: there is no [[schedule]]")


def _try_settings(settings: Settings, folder: Path) -> Finding:
    try:
        require_ready(settings, folder)
    except SettingsError as error:
        return Finding("settings", "error", str(error), "mend it in publisher.toml")
    return Finding("settings", "ok", "everything that a message needs is set")


def _look_at_mail(settings: Settings) -> Iterator[Finding]:
    if not settings.web_url.startswith("https://"):
        yield Finding(
            "web-url",
            "warning",
            f"the links to leave begin with {settings.web_url}; mail programs offer their own"
            " button for https alone (RFC 8058)",
            "let web.url be an https URL",
        )
    sender = _domain(settings.email.from_)
    back = _domain(envelope_sender(settings))
    if sender and back and not _is_aligned(back, sender):
        yield Finding(
            "return-path",
            "warning",
            f"bounces go to {back}, which is not the sender's domain {sender}, so that SPF alone"
            " does not pass DMARC",
            "let email.return_path be at the sender's domain, or one below it, or sign with DKIM",
        )


def _look_at_store(folder: Path, settings: Settings) -> Iterator[Finding]:
    try:
        database = open_database(settings.database.url, folder, settings.publication.id)
    except PublisherError as error:
        yield Finding("database", "error", str(error))
        return
    try:
        with database.read() as connection:
            why = find_unarmed(connection, database.place)
            now = datetime.now(UTC)
            relays = read_relays(connection, database.publication, settings, now)
        yield from _look_at_server(database)
    except PublisherError as error:
        yield Finding("database", "error", str(error))
        return
    finally:
        database.close()
    if why:
        fix = "run `publisher arm`, when no other database of this publication sends"
        yield Finding("database", "error", f"{why}, so it sends nothing", fix)
    else:
        yield Finding("database", "ok", f"{database.place.name} can be read and written")
    for each in relays:
        if each.allowed is not None:
            left = f"{each.left:,} of {each.allowed:,} messages are left for today"
            yield Finding("warm-up", "info", f"relay {each.name}, on its day {each.day}: {left}")
    free = shutil.disk_usage(folder).free
    if free < _LITTLE_DISK:
        yield Finding("disk", "warning", f"only {free // 1_000_000:,} MB are free", "make room")


def _look_at_server(database: Database) -> Iterator[Finding]:
    """What can be wrong with a server that answers."""
    if not isinstance(database.place, ServerPlace):
        return
    with database.write() as connection:  # which a standby does not allow
        fault, ahead = find_fault(connection), measure_clock(connection, datetime.now(UTC))
    if fault:
        yield Finding("database-server", "error", fault)
    if abs(ahead) > _CLOCKS_APART:
        words = "ahead of" if ahead > timedelta(0) else "behind"
        yield Finding(
            "database-clock",
            "warning",
            f"the server's clock is {abs(ahead).total_seconds():.0f} s {words} this machine's",
            "let both keep time by NTP: what is due is decided by this machine's",
        )


def _look_at_dkim(folder: Path, settings: Settings) -> Iterator[Finding]:
    dkim = settings.dkim
    if dkim is None or not dkim.private_key:
        fix = "set [dkim], unless the relay signs for you"
        yield Finding("dkim", "warning", "messages are not signed; large providers want it", fix)
        return
    try:
        signers = load_signers(settings, folder)
    except SettingsError as error:
        yield Finding(
            "dkim", "error", str(error), "make a key with `openssl genrsa -out FILE 2048`"
        )
        return
    sender = _domain(settings.email.from_)
    for signer in signers:
        if signer.algorithm.startswith("rsa") and signer.bits < _GOOD_BITS:
            yield Finding("dkim", "warning", f"the key has {signer.bits} bits", "make one of 2048")
        if not _is_aligned(signer.domain, sender):
            yield Finding(
                "dkim",
                "warning",
                f"dkim.domain {signer.domain} is not the sender's domain {sender}, so that it does"
                " not count for DMARC",
                f"let dkim.domain be {sender}",
            )
        yield Finding("dkim", "ok", f"{signer.algorithm} with the selector {signer.selector}")


def _try_relay(relay: Smtp) -> Finding:
    place = f"{relay.host}:{relay.port}"
    courier = Courier(relay, local_name())
    outcome = courier.open()
    courier.close()
    name = f"relay {relay.name}".rstrip()
    if outcome is None:
        login = f", logged in as {relay.username}" if relay.username else ""
        return Finding(name, "ok", f"{place} answers{login}")
    is_reached = outcome.stage not in ("connect", "greeting")
    fix = "correct [smtp]" if is_reached else "see whether the relay is up, and [smtp] names it"
    return Finding(name, "error", f"{place}, at {outcome.stage}: {outcome.reply}", fix)


def list_records(folder: Path, settings: Settings) -> list[Record]:
    """The DNS records to publish for the sender's domain."""
    records = []
    dkim = settings.dkim
    if dkim is not None and dkim.private_key:
        for key in (dkim, dkim.ed25519):
            if key is not None and (record := _dkim_record(folder, key, dkim)):
                records.append(record)
    if sender := _domain(settings.email.from_):
        to = parseaddr(settings.alerts.email or settings.email.from_)[1]
        records.append(Record(f"_dmarc.{sender}", "TXT", f"v=DMARC1; p=none; rua=mailto:{to}"))
    if back := _domain(envelope_sender(settings)):
        value = "v=spf1 include:WHAT-YOUR-RELAY-NAMES ~all"
        records.append(Record(back, "TXT", value))
    return records


def _dkim_record(folder: Path, key: DkimKey, common: DkimKey) -> Record | None:
    domain = key.domain or common.domain
    try:
        pem = (folder / key.private_key).read_bytes()
        make_signer(domain, key.selector, pem)
        return Record(f"{key.selector}._domainkey.{domain}", "TXT", dns_record(pem))
    except (OSError, ValueError):
        return None  # the diagnosis says why


def _domain(mailbox: str) -> str:
    return parseaddr(mailbox)[1].rpartition("@")[2].lower()


def _is_aligned(domain: str, sender: str) -> bool:
    """DMARC's relaxed alignment (RFC 7489, section 3.1), without a list of public suffixes."""
    return domain == sender or domain.endswith(f".{sender}") or sender.endswith(f".{domain}")
