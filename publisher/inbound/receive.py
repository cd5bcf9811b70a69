"""A message that came back -> what it does to a reader: nothing, unless it is about a delivery.

A report counts where it knows what only the delivery's own message said: the envelope sender
(VERP), the Message-ID or the link to unsubscribe, each with a message-authentication code (MAC).
Whoever has none of them can make up nothing; whoever has them has that one reader's message, which
lets its holder unsubscribe them anyway. The relay's name for a message has no such code: it counts
only where the report also names the reader, for a time, and where it is too long to be guessed at.
A relay that has proved who it is (`receive_vouched`) may name the reader alone.

A MAC is enough where the report names a stranger, as those of a forwarder do; but not where it
names another reader of ours: then one of the two is wrong.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

import msgspec
from sqlalchemy import Connection

from publisher.inbound.odd import read_odd
from publisher.inbound.read import read_report
from publisher.inbound.report import Failure, Names, Report, ReportKind
from publisher.message.ids import message_id, read_message_id, read_verp
from publisher.message.links import read_token
from publisher.model.audience import Consent, ConsentSource
from publisher.store import subscribers
from publisher.store.bounces import (
    BounceEvent,
    Reached,
    count_soft,
    find_by_relay,
    find_last_reached,
    find_reached,
    has_event,
    record,
    remember,
)
from publisher.store.database import Database
from publisher.store.evidence import Evidence, prove
from publisher.store.suppressions import suppress

# What came of a message. Proven: it says of a delivery in doubt no more than that it was made.
# Ignored: it has nothing to say, or has said it before. Rejected: it says something that nothing
# vouches for.
Result = Literal["bounce", "soft", "complaint", "unsubscribed", "proven", "ignored", "rejected"]

# Servers try for five days as a rule (RFC 5321, section 4.5.4.1), and readers complain of what
# they find after a holiday.
_RELAY_DAYS = timedelta(days=21)
# Postfix's short names have 10 and more, of which 5 are microseconds; a count is shorter.
_RELAY_ID_LETTERS = 8
_TOKEN = re.compile(r"/unsubscribe/([A-Za-z0-9_-]{20,200})")
_EVIDENCE: dict[ReportKind, Evidence] = {"complaint": "complaint", "delivered": "event"}
_NUMBER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """What tells our own names of deliveries and readers from others'.

    `links` and `messages` are the keys of tokens and of ids; `recognise` gives the keyed hash of an
    address in any spelling, or None for what is no address.
    """

    links: Sequence[bytes]
    messages: bytes
    recognise: Callable[[str], bytes | None]


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a message, why, and whose delivery it was about, as far as that is known."""

    result: Result
    why: str
    slug: str = ""
    email: str = ""


class Receiving(msgspec.Struct, frozen=True):
    """One message's transaction: the connection writes.

    `is_vouched` is for reports of a relay that has proved who it is: the reader's name is enough.
    """

    connection: Connection
    publication: int
    secrets: Secrets
    now: datetime
    is_vouched: bool = False


def receive(database: Database, data: bytes, secrets: Secrets, now: datetime) -> Received:
    """Read a message and do what it asks for, in one transaction; twice is like once."""
    report = read_report(data)
    if report.kind == "none":
        return Received(result="ignored", why=report.why)
    with database.write() as connection:
        it = Receiving(connection, database.publication, secrets, now)
        if report.kind == "unsubscribe":
            return _unsubscribe(it, report)
        return _act(it, report, lambda: read_odd(data))


def receive_vouched(
    database: Database, report: Report, secrets: Secrets, now: datetime, *, once: bytes = b""
) -> Received | None:
    """Do what a relay that has proved who it is reports: a bounce or a complaint.

    `once` is the hash of a message that counts once only: None where it came before.
    """
    with database.write() as connection:
        if once and not remember(connection, database.publication, once, now):
            return None
        it = Receiving(connection, database.publication, secrets, now, is_vouched=True)
        return _act(it, report, lambda: report.failures)


def _act(it: Receiving, report: Report, read: Callable[[], Sequence[Failure]]) -> Received:
    """Do what a report asks for; `read` reads the failures of one of no standard."""
    reached = _find(it, report)
    if isinstance(reached, str):
        return Received(result="rejected", why=reached)
    # Whatever it says of the message, there was one: a delivery in doubt is in doubt no longer.
    evidence = _EVIDENCE.get(report.kind, "bounce")
    is_proven = prove(it.connection, it.publication, reached.id, evidence, it.now)
    if report.kind == "delivered":
        known = "it was known to be sent"
        return _say(reached, "proven" if is_proven else "ignored", "" if is_proven else known)
    if report.kind == "complaint":
        return _complain(it, report, reached)
    failures = read() if report.kind == "unclear" else report.failures
    return _bounce(it, reached, failures, is_guess=report.kind == "unclear")


def _find(it: Receiving, report: Report) -> Reached | str:
    """The one delivery that a report is about, or why there is none."""
    by_mac = {reached.id: reached for reached in _find_by_mac(it, report.names)}
    if len(by_mac) == 1:
        return next(iter(by_mac.values()))
    if by_mac:
        return "it names several deliveries"
    if reached := _find_by_relay(it, report):
        return reached
    if it.is_vouched and (reached := _find_by_reader(it, report)):
        return reached
    return "it names no delivery of ours"


def _find_by_mac(it: Receiving, names: Names) -> Iterable[Reached]:
    keys = it.secrets
    for address in names.addresses:
        number = read_verp(address, keys.messages)
        if number and (reached := find_reached(it.connection, it.publication, number)):
            yield reached
    number = read_message_id(names.message_ids, keys.messages)
    if number and (reached := find_reached(it.connection, it.publication, number)):
        # A number is used anew where a backup was restored; its mailing's name never is.
        name = message_id(reached.mailing_ref, number, keys.messages, reached.domain)
        if name[1:].partition("@")[0] in names.message_ids.lower():
            yield reached
    for token in _TOKEN.findall(names.links):
        if reached := _find_by_token(it, token):
            yield reached


def _find_by_token(it: Receiving, token: str) -> Reached | None:
    """The delivery whose message had a token in it, while its reader is the same."""
    ref, _, number = (read_token(token, "unsubscribe", it.secrets.links) or "").rpartition(".")
    if not _NUMBER.fullmatch(number):
        return None
    reached = find_reached(it.connection, it.publication, int(number))
    return reached if reached and ref and reached.subscriber_ref == ref else None


def _find_by_relay(it: Receiving, report: Report) -> Reached | None:
    ids = [id for id in report.names.relay_ids if len(id) >= _RELAY_ID_LETTERS]
    if not ids:
        return None
    named = [address for failure in report.failures for address in failure.recipients]
    hashes = _hashes(it, [*named, *report.recipients])
    found = find_by_relay(it.connection, it.publication, ids, it.now - _RELAY_DAYS)
    return next((reached for reached in found if _hash_of(it, reached) in hashes), None)


def _find_by_reader(it: Receiving, report: Report) -> Reached | None:
    """What was sent last to whom a report names, where nothing else tells which delivery it is."""
    named = [address for failure in report.failures for address in failure.recipients]
    for hash in _hashes(it, [*named, *report.recipients]):
        since = it.now - _RELAY_DAYS
        if reached := find_last_reached(it.connection, it.publication, hash, since):
            return reached
    return None


def _hashes(it: Receiving, addresses: Iterable[str]) -> set[bytes]:
    found = (it.secrets.recognise(address) for address in addresses)
    return {hash for hash in found if hash is not None}


def _hash_of(it: Receiving, reached: Reached) -> bytes | None:
    if reached.address:
        return it.secrets.recognise(reached.address)
    return reached.address_hash


def _bounce(
    it: Receiving, reached: Reached, failures: Sequence[Failure], *, is_guess: bool
) -> Received:
    theirs = [f for f in failures if _hash_of(it, reached) in _hashes(it, f.recipients)]
    strangers = [address for failure in failures for address in failure.recipients]
    if not theirs and _is_any_reader(it, strangers):
        return _say(reached, "rejected", "it names another reader than its delivery's")
    concerned = theirs or failures
    verdicts = {failure.verdict for failure in concerned} - {"none"}
    if not verdicts:
        return _say(reached, "ignored", "no failure is recognised in it")
    is_certain = bool(theirs) or not is_guess
    # Where an address leads to several mailboxes, it lives as long as one of them does.
    is_dead = is_certain and all(failure.verdict == "dead" for failure in concerned)
    said = next(failure.said for failure in concerned if failure.verdict != "none")
    return _record_bounce(it, reached, said, is_dead=is_dead)


def _is_any_reader(it: Receiving, addresses: Sequence[str]) -> bool:
    return any(
        subscribers.find_by_hash(it.connection, it.publication, hash)
        for hash in _hashes(it, addresses)
    )


def _record_bounce(it: Receiving, reached: Reached, said: str, *, is_dead: bool) -> Received:
    # One count for each delivery, however many servers report it.
    known = has_event(it.connection, reached.id, "bounced") or (
        not is_dead and has_event(it.connection, reached.id, "soft_bounced")
    )
    if known:
        return _say(reached, "ignored", "it was counted before")
    event: BounceEvent = "bounced" if is_dead else "soft_bounced"
    record(it.connection, it.publication, reached, event, said, it.now)
    if is_dead and reached.address_hash is not None:
        suppress(it.connection, it.publication, reached.address_hash, "bounce", it.now)
    elif reached.subscriber is not None and not is_dead:
        count_soft(it.connection, it.publication, reached.subscriber)
    return _say(reached, "bounce" if is_dead else "soft", said)


def _complain(it: Receiving, report: Report, reached: Reached) -> Received:
    if not _is_new(it, report, str(reached.id)):
        return _say(reached, "ignored", "it was counted before")
    record(it.connection, it.publication, reached, "complained", "", it.now)
    if reached.address_hash is not None:
        suppress(it.connection, it.publication, reached.address_hash, "complaint", it.now)
    if reached.subscriber is not None:
        # Who complains does not want it any more, also where a suppression is lifted one day.
        _end(it, reached.subscriber, "report")
    return _say(reached, "complaint", "they complained of spam")


def _unsubscribe(it: Receiving, report: Report) -> Received:
    """What a token asks for is done also where its delivery is gone: it never expires."""
    token = report.tokens[0]
    ref = (read_token(token, "unsubscribe", it.secrets.links) or "").rpartition(".")[0]
    if not ref:
        return Received(result="rejected", why="its token is none of ours")
    found = subscribers.find_by_ref(it.connection, it.publication, ref)
    if found is None:
        return Received(result="ignored", why="its reader was erased")
    reached = _find_by_token(it, token)
    if reached:
        prove(it.connection, it.publication, reached.id, "unsubscribe", it.now)
    slug = reached.slug if reached else ""
    is_new = _is_new(it, report, token)
    if not is_new or not _end(it, found.id, "mail"):
        why = "they had unsubscribed" if is_new else "it was read before"
        return Received(result="ignored", why=why, slug=slug, email=found.email)
    if reached:
        record(it.connection, it.publication, reached, "left", "", it.now)
    return Received(result="unsubscribed", why="by mail", slug=slug, email=found.email)


def _is_new(it: Receiving, report: Report, about: str) -> bool:
    """Tell whether a message was not read before; a reader may come back, and leave once more."""
    hash = sha256(report.identity + about.encode()).digest()
    return remember(it.connection, it.publication, hash, it.now)


def _end(it: Receiving, subscriber: int, source: ConsentSource) -> bool:
    consent = Consent(at=it.now, action="unsubscribed", source=source, origin="")
    return subscribers.change_status(it.connection, it.publication, subscriber, consent)


def _say(reached: Reached, result: Result, why: str) -> Received:
    email = reached.email or reached.address or ""
    return Received(result=result, why=why, slug=reached.slug, email=email)
