"""The header row of a CSV, our own, listmonk's, Mailchimp's or any: where what stands in it."""

import re
import unicodedata
from contextlib import closing
from datetime import datetime
from typing import get_args

import msgspec

from publisher.audience.address import Address, AddressError, parse_address, parse_name
from publisher.audience.cells import bare_cell
from publisher.audience.records import DELIMITERS, Record, Source, read_records
from publisher.errors import PublisherError
from publisher.model.audience import SubscriptionStatus, SuppressionReason

# Headers in lower case, letters and digits only.
_EMAIL = {
    *("email", "emailaddress", "mail", "mailaddress", "emailadresse", "mailadresse", "courriel"),
    *("correoelectrónico", "邮箱", "电子邮箱", "电子邮件"),
}
_NAME = {"name", "fullname", "displayname", "subscribername", "姓名"}
_FIRST = {"firstname", "fname", "givenname", "vorname"}
_LAST = {"lastname", "lname", "surname", "familyname", "nachname"}

# Whose people a whole file holds: Mailchimp's exports are four, told by their columns and names.
_KIND_BY_COLUMN = {"unsubtime": "unsubscribed", "cleantime": "cleaned"}
_KINDS = ("unsubscribed", "cleaned", "nonsubscribed")

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
# Of a cell that is no address, which may be as long as a book.
_KEPT = 200


class Standing(msgspec.Struct, frozen=True):
    """What a file says of a person: what they become here, or why they do not come in.

    No status: they are not added; a `reason` says so, and without one they are passed over.
    """

    status: SubscriptionStatus | None = "confirmed"
    suppression: SuppressionReason | None = None
    reason: str = ""


# The words of a column `status`, ours and those of listmonk, Mailchimp and others.
_CONFIRMED = Standing()
_UNSUBSCRIBED = Standing("unsubscribed")
_BOUNCED = Standing(None, "bounce", "mail to this address bounced there; it is suppressed here too")
_STANDINGS: dict[str, Standing] = {
    **dict.fromkeys(("", "enabled", "active", "confirmed", "subscribed"), _CONFIRMED),
    **dict.fromkeys(("unconfirmed", "pending"), Standing("unconfirmed")),
    **dict.fromkeys(("unsubscribed", "optedout"), _UNSUBSCRIBED),
    **dict.fromkeys(("disabled", "inactive", "archived"), Standing(None)),
    **dict.fromkeys(
        ("blocklisted", "blacklisted", "blocked"),
        Standing(None, "operator", "blocklisted there; the address is suppressed here too"),
    ),
    **dict.fromkeys(("bounced", "cleaned"), _BOUNCED),
    **dict.fromkeys(
        ("complained", "complaint", "spam"),
        Standing(None, "complaint", "complained of spam there; the address is suppressed here too"),
    ),
}


class Entry(msgspec.Struct, frozen=True):
    """A record that could be read: a person, and what the file says of them."""

    line: int
    address: Address
    name: str
    standing: Standing
    language: str = ""
    paused_until: datetime | None = None


class Refusal(msgspec.Struct, frozen=True):
    """A record that could not: what stands where the address should, and what is wrong."""

    line: int
    value: str
    reason: str


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a record what stands; `name` are the columns that make one together."""

    width: int
    email: int
    name: tuple[int, ...]
    status: int | None = None
    suppressed: int | None = None
    language: int | None = None
    paused_until: int | None = None
    kind: str = ""


def find_columns(source: Source) -> tuple[Source, Columns, int]:
    """Find the delimiter and the columns; gives the source with it, and the header's line.

    Raises PublisherError where there is no header row with an address in it.
    """
    found = []
    for delimiter in DELIMITERS:
        tried = msgspec.structs.replace(source, delimiter=delimiter)
        header = _first(tried)
        if header is None:
            raise PublisherError(f"{source.name} is empty; a header row with `email` is expected")
        if any("\0" in cell for cell in header.cells):
            raise PublisherError(f"{source.name} is no text; a CSV in UTF-8 is expected")
        keys = [_key(cell) for cell in header.cells]
        if set(keys) & _EMAIL:
            found.append((len(keys), tried, keys, header.line))
    if not found:
        raise PublisherError(_explain_header(source))
    _, chosen, keys, line = max(found, key=lambda one: one[0])
    return chosen, _columns(source.name, keys), line


def read_entry(columns: Columns, record: Record) -> Entry | Refusal | None:
    """Read one record; None where its cells are all empty."""
    cells = record.cells
    if record.fault:
        return Refusal(record.line, "", record.fault)
    if not any(cells):
        return None
    whole = bare_cell(cells[columns.email]) if columns.email < len(cells) else ""
    value = whole[:_KEPT]
    if len(cells) > columns.width and any(cells[columns.width :]):
        reason = f"the line has {len(cells)} cells, the header {columns.width}"
        return Refusal(record.line, value, reason)
    try:
        address = parse_address(whole)
        parts = [cells[place] for place in columns.name if place < len(cells)]
        name = parse_name(bare_cell(" ".join(parts) if len(parts) > 1 else "".join(parts)))
        return Entry(
            record.line,
            address,
            name,
            _standing(columns, cells),
            _read_language(_cell(cells, columns.language)),
            _read_moment(_cell(cells, columns.paused_until)),
        )
    except AddressError as error:
        return Refusal(record.line, value, str(error))


def _standing(columns: Columns, cells: list[str]) -> Standing:
    if columns.kind:
        return _BOUNCED if columns.kind == "cleaned" else _UNSUBSCRIBED
    word = _cell(cells, columns.status)
    standing = _CONFIRMED if not word else _STANDINGS.get(_key(word))
    if standing is None:
        raise AddressError(
            f"the status {word[:40]!r} is not known; if that column is about other things, leave it"
            " out of the file"
        )
    if mark := _cell(cells, columns.suppressed):
        reasons: dict[str, SuppressionReason] = {word: word for word in get_args(SuppressionReason)}
        return msgspec.structs.replace(standing, suppression=reasons.get(mark, "operator"))
    return standing


def _read_language(text: str) -> str:
    """A BCP 47 tag in lower case; what is none, such as a language's name, is no reason to stop."""
    return text.lower() if _TAG.fullmatch(text) else ""


def _read_moment(text: str) -> datetime | None:
    """A time as `export` writes it; None for any other."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.utcoffset() is not None else None


def _cell(cells: list[str], place: int | None) -> str:
    return cells[place].strip() if place is not None and place < len(cells) else ""


def _first(source: Source) -> Record | None:
    with closing(read_records(source)) as records:
        return next(records, None)


def _columns(name: str, keys: list[str]) -> Columns:
    kind = next((_KIND_BY_COLUMN[key] for key in keys if key in _KIND_BY_COLUMN), "")
    kind = kind or next((kind for kind in _KINDS if name.startswith(f"{kind}_")), "")
    if kind == "nonsubscribed":
        raise PublisherError(f"{name}: the people in this export never subscribed; none is added")
    is_ours = "suppressed" in keys and "status" in keys
    return Columns(
        width=len(keys),
        email=_one(name, keys, _EMAIL) or 0,
        name=_name_columns(name, keys),
        status=_one(name, keys, {"status"}),
        suppressed=keys.index("suppressed") if is_ours else None,
        language=_one(name, keys, {"language"}),
        paused_until=_one(name, keys, {"pauseduntil"}),
        kind=kind,
    )


def _name_columns(name: str, keys: list[str]) -> tuple[int, ...]:
    whole, first, last = (_one(name, keys, words) for words in (_NAME, _FIRST, _LAST))
    # `Vorname, Name`: beside a first name and nothing else, a name is the last one.
    if whole is not None and (first is None or last is not None):
        return (whole,)
    return tuple(part for part in (first, whole if last is None else last) if part is not None)


def _one(name: str, keys: list[str], words: set[str]) -> int | None:
    """The one column of a meaning. The plain word goes before others, such as `email`."""
    places = [place for place, key in enumerate(keys) if key in words]
    plain = [place for place in places if keys[place] in ("email", "name")]
    places = plain if len(plain) == 1 else places
    if len(places) > 1:
        listed = ", ".join(str(place + 1) for place in places)
        raise PublisherError(
            f"{name}: the columns {listed} all seem to be {keys[places[0]]!r}; leave one of them"
        )
    return places[0] if places else None


def _key(header: str) -> str:
    """A header's letters and digits, in lower case."""
    text = unicodedata.normalize("NFKC", bare_cell(header)[:100]).casefold()
    return re.sub(r"[\W_]", "", text)


def _explain_header(source: Source) -> str:
    header = _first(source) or Record(1, [])
    if any("@" in cell for cell in header.cells):
        return (
            f"{source.name}: the first line has an address in it, but is to name the columns, such"
            " as `email,name`"
        )
    shown = ", ".join(repr(cell[:40]) for cell in header.cells[:10])
    return f"{source.name}: no column is called `email`; there are {shown or 'none'}"
