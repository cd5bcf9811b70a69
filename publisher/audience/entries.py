"""A record of a CSV -> a person and what the file says of them, or what is wrong with the line."""

import re
from collections.abc import Generator
from contextlib import closing
from datetime import datetime
from typing import NoReturn, get_args

import msgspec

from publisher.audience.address import (
    Address,
    AddressError,
    parse_address,
    parse_name,
    split_mailbox,
)
from publisher.audience.cells import bare_cell
from publisher.audience.choosing import parse_tags
from publisher.audience.columns import Columns, to_key
from publisher.audience.moments import read_client, read_moment
from publisher.audience.records import Record, Source, read_records
from publisher.audience.standings import COMPLAINED, CONFIRMED, UNSUBSCRIBED, Standing
from publisher.model.audience import SuppressionReason
from publisher.model.choices import CONTENTS, FREQUENCIES, Choices

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
# Of a cell that is no address, which may be as long as a book.
_KEPT = 200
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
_COMPLAINT = re.compile("spam|abuse|complain", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s,;/|]+")
# Mailboxes that nobody reads, or that take complaints about mail (RFC 2142, sections 4 and 5): an
# issue sent there is a bounce, or a way onto a blocklist.
_ROLES = {
    *("abuse", "postmaster", "hostmaster", "mailerdaemon", "noreply", "donotreply"),
    *("spam", "nospam", "bounce", "bounces", "devnull"),
}

_MARKS = str.maketrans("", "", "-_.")


class Entry(msgspec.Struct, frozen=True):
    """A record that could be read: a person, and what the file says of them.

    `asked_at` is when they subscribed, `confirmed_at` when they confirmed that, `ended_at` when
    they left or could not be reached any more; `client` is from where they agreed.
    """

    line: int
    address: Address
    name: str
    standing: Standing
    language: str = ""
    paused_until: datetime | None = None
    asked_at: datetime | None = None
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
    client: str = ""
    choices: Choices = Choices()


class Refusal(msgspec.Struct, frozen=True):
    """A record that could not: what stands where the address should, and what is wrong."""

    line: int
    value: str
    reason: str


def read_entries(
    source: Source, columns: Columns, header: int
) -> Generator[Entry | Refusal, None, None]:
    """Read a file's records below the header, in whose line it is, but for empty ones."""
    with closing(read_records(source)) as records:
        for record in records:
            if record.line > header and (entry := read_entry(columns, record)):
                yield entry


def read_entry(columns: Columns, record: Record) -> Entry | Refusal | None:
    """Read one record; None where its cells are all empty."""
    cells = record.cells
    if record.fault:
        return Refusal(record.line, "", record.fault)
    if not any(cells):
        return None
    whole = bare_cell(_cell(cells, columns.email))
    if len(cells) > columns.width and any(cells[columns.width :]):
        reason = f"the line has {len(cells)} cells, the header {columns.width}"
        return Refusal(record.line, whole[:_KEPT], reason)
    try:
        return _read(columns, record.line, cells, whole)
    except AddressError as error:
        return Refusal(record.line, whole[:_KEPT], str(error))


def _read(columns: Columns, line: int, cells: list[str], whole: str) -> Entry:
    named, email = _split(whole)
    address = _read_address(email)
    parts = [cells[place] for place in columns.name if place < len(cells)]
    name = parse_name(bare_cell(" ".join(parts).strip()) or named)
    standing = _stand(columns, cells)
    _require_reader(address, standing)
    confirmed_at = _moment(cells, columns.confirmed)
    where = columns.confirmed_from if confirmed_at else columns.asked_from
    client = _cell(cells, where) or _cell(cells, columns.asked_from)
    return Entry(
        line,
        address,
        name,
        standing,
        _read_language(_cell(cells, columns.language)),
        _read_pause(_cell(cells, columns.paused_until)),
        _moment(cells, columns.asked),
        confirmed_at,
        _moment(cells, columns.ended) or _moment(cells, columns.failed),
        read_client(client) if client else "",
        _read_choices(columns, cells),
    )


def _split(whole: str) -> tuple[str, str]:
    """The name and the address of a cell such as `Anna <anna@…>` or `mailto:anna@…`."""
    named, email = split_mailbox(whole) if whole.rstrip().endswith(">") else ("", whole)
    return named, email.strip().removeprefix("mailto:")


def _read_address(text: str) -> Address:
    try:
        return parse_address(text)
    except AddressError:
        if sum("@" in part for part in _BETWEEN.split(text[:_KEPT])) > 1:
            _refuse("it has more than one address in its cell; each wants a line of its own")
        raise


def _require_reader(address: Address, standing: Standing) -> None:
    """Raise AddressError for mailboxes that no newsletter belongs into."""
    local = address.key.rpartition("@")[0]
    if local.translate(_MARKS) in _ROLES and standing.status in ("confirmed", "unconfirmed"):
        _refuse(f"no reader is at {local}@; `publisher subscribers add` takes it if one is")


def _stand(columns: Columns, cells: list[str]) -> Standing:
    everybody = columns.everybody
    if everybody is None:
        return _find_standing(columns, cells)
    if _COMPLAINT.search(_cell(cells, columns.why)):
        everybody = _merge(everybody, COMPLAINED)
    try:
        own = _find_standing(columns, cells)
    except AddressError:
        if everybody.has_left:  # which no other column may hide
            return everybody
        raise
    return _merge(own, everybody)


def _merge(own: Standing, other: Standing) -> Standing:
    """The worse of two, or both."""
    if own.has_left and other.has_left:
        status, reason = own.status or other.status, own.reason or other.reason
        return Standing(status, own.suppression or other.suppression, reason)
    if own.has_left or other.has_left:
        return own if own.has_left else other
    return own if own.status is None else other


def _find_standing(columns: Columns, cells: list[str]) -> Standing:
    """What a line says by itself. Raises AddressError where it contradicts itself."""
    standing = _by_switch(columns, cells) or _by_word(columns, cells)
    ended = _cell(cells, columns.ended) if columns.everybody is None else ""
    if ended and standing.status in ("confirmed", "unconfirmed"):
        _refuse(
            f"it says both that they get mail and that they left ({ended[:40]});"
            " add them by hand if they came back"
        )
    if mark := _cell(cells, columns.suppressed):
        reasons: dict[str, SuppressionReason] = {word: word for word in get_args(SuppressionReason)}
        return msgspec.structs.replace(standing, suppression=reasons.get(mark, "operator"))
    return standing


def _by_switch(columns: Columns, cells: list[str]) -> Standing | None:
    if columns.switch is None:
        return None
    _require_cell(columns, cells, columns.switch)
    word = _cell(cells, columns.switch).lower()
    if word not in _TRUE + _FALSE:
        _refuse(f"it does not say whether they get mail: {word[:40]!r} is neither true nor false")
    return CONFIRMED if (word in _TRUE) == columns.system.on else UNSUBSCRIBED


def _by_word(columns: Columns, cells: list[str]) -> Standing:
    if columns.status is None:
        return CONFIRMED
    _require_cell(columns, cells, columns.status)
    word = _cell(cells, columns.status)
    if not word and not columns.system.name:
        return CONFIRMED
    standing = columns.system.words.get(to_key(word))
    if standing is None:
        _refuse(
            f"the status {word[:40]!r} is not known; if that column is about other things, leave it"
            " out of the file"
        )
    return standing


def _require_cell(columns: Columns, cells: list[str], place: int) -> None:
    """A line that was cut off is no consent."""
    if place >= len(cells):
        _refuse(f"the line has {len(cells)} cells, the header {columns.width}")


def _read_language(text: str) -> str:
    """A BCP 47 tag in lower case; what is none, such as a language's name, is no reason to stop."""
    text = text.replace("_", "-")
    return text.lower() if _TAG.fullmatch(text) else ""


def _read_choices(columns: Columns, cells: list[str]) -> Choices:
    """What they chose, as `export` writes it; an empty cell is everything."""
    if columns.choices is None:
        return Choices()
    content, tags, frequency = (_cell(cells, place) for place in columns.choices)
    chosen = {"content": content.lower() or "full", "frequency": frequency.lower() or "daily"}
    for (column, word), known in zip(chosen.items(), (CONTENTS, FREQUENCIES), strict=True):
        if word not in known:
            _refuse(f"the {column} {word[:40]!r} is neither {known[0]} nor {known[1]}")
    return msgspec.convert(chosen | {"tags": parse_tags(tags)}, Choices)


def _read_pause(text: str) -> datetime | None:
    """A time as `export` writes it; None for any other."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.utcoffset() is not None else None


def _cell(cells: list[str], place: int | None) -> str:
    return cells[place].strip() if place is not None and place < len(cells) else ""


def _moment(cells: list[str], place: int | None) -> datetime | None:
    return None if place is None else read_moment(_cell(cells, place))


def _refuse(reason: str) -> NoReturn:
    raise AddressError(reason)
