"""The header row of a CSV, our own, another system's or any: where what stands in it."""

import re
import unicodedata
from contextlib import closing

import msgspec

from publisher.audience.cells import bare_cell
from publisher.audience.records import DELIMITERS, Record, Source, read_records
from publisher.audience.standings import BOUNCED, NEVER_SUBSCRIBED, UNSUBSCRIBED, Standing
from publisher.audience.systems import System, recognise
from publisher.errors import PublisherError

# Headers in lower case, letters and digits only.
_EMAIL = {
    *("email", "emailaddress", "mail", "mailaddress", "emailadresse", "mailadresse", "courriel"),
    *("correoelectrónico", "邮箱", "电子邮箱", "电子邮件"),
}
# As people write them who name a column themselves, such as `Your email address`.
_EMAIL_ENDINGS = ("email", "emailaddress", "emailadresse")
_NAME = {"name", "fullname", "displayname", "subscribername", "姓名"}
_FIRST = {"firstname", "fname", "givenname", "vorname"}
_LAST = {"lastname", "lname", "surname", "familyname", "nachname"}
_LANGUAGE = {"language", "lang", "locale", "preferredlanguage"}

# Whose people a whole file holds: Mailchimp's exports are four, told by their names and columns.
_KINDS = {
    "unsubscribed": UNSUBSCRIBED,
    "cleaned": BOUNCED,
    "nonsubscribed": NEVER_SUBSCRIBED,
    "transactional": NEVER_SUBSCRIBED,
}
_KIND_BY_COLUMN = {"unsubtime": UNSUBSCRIBED, "cleantime": BOUNCED}
_SUBSCRIBED = "subscribed_"
# A spreadsheet's own line above the header, which says what parts its cells.
_HINT = re.compile(r"sep=[,;\t]?")


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a record what stands; `name` are the columns that make one together.

    `everybody` is what all people in the file are, where its name or its columns say so; `choices`
    are the columns of content, tags and frequency.
    """

    system: System
    width: int
    email: int
    name: tuple[int, ...]
    status: int | None = None
    switch: int | None = None
    suppressed: int | None = None
    language: int | None = None
    paused_until: int | None = None
    asked: int | None = None
    asked_from: int | None = None
    confirmed: int | None = None
    confirmed_from: int | None = None
    ended: int | None = None
    failed: int | None = None
    why: int | None = None
    choices: tuple[int, int, int] | None = None
    everybody: Standing | None = None

    @property
    def has_left(self) -> bool:
        """Tell whether the file is one of people who left."""
        return self.everybody is not None and self.everybody.has_left


def find_columns(source: Source) -> tuple[Source, Columns, int]:
    """Find the delimiter and the columns; gives the source with it, and the header's line.

    Raises PublisherError where there is no header row with an address in it.
    """
    found = []
    for delimiter in DELIMITERS:
        tried = msgspec.structs.replace(source, delimiter=delimiter)
        header = find_header(tried)
        if header is None:
            raise PublisherError(f"{source.name} is empty; a header row with `email` is expected")
        if any("\0" in cell for cell in header.cells):
            raise PublisherError(f"{source.name} is no text; a CSV in UTF-8 is expected")
        keys = [to_key(cell) for cell in header.cells]
        if any(_is_email(key) for key in keys):
            found.append((len(keys), tried, keys, header.line))
    if not found:
        raise PublisherError(_explain_header(source))
    _, chosen, keys, line = max(found, key=lambda one: one[0])
    return chosen, _columns(source.name, keys), line


def find_header(source: Source) -> Record | None:
    """The record that names the columns; None where the file is empty."""
    with closing(read_records(source)) as records:
        first = next(records, None)
        if first and _HINT.fullmatch("".join(first.cells).strip().lower()):
            return next(records, None)
        return first


def to_key(header: str) -> str:
    """A header's letters and digits, in lower case."""
    text = unicodedata.normalize("NFKC", bare_cell(header)[:100]).casefold()
    return re.sub(r"[\W_]", "", text)


def _columns(name: str, keys: list[str]) -> Columns:
    system = recognise(keys)
    is_ours = "suppressed" in keys and "status" in keys
    return Columns(
        system=system,
        width=len(keys),
        email=_email_column(name, keys),
        name=_name_columns(name, keys),
        status=_one(name, keys, set(system.status)),
        switch=_first(keys, system.switch),
        suppressed=keys.index("suppressed") if is_ours else None,
        language=_one(name, keys, _LANGUAGE),
        paused_until=_one(name, keys, {"pauseduntil"}),
        asked=_first(keys, *system.asked),
        asked_from=_first(keys, *system.asked_from),
        confirmed=_first(keys, *system.confirmed),
        confirmed_from=_first(keys, *system.confirmed_from),
        ended=_first(keys, *system.ended),
        failed=_first(keys, *system.failed),
        why=_first(keys, system.why),
        choices=_choice_columns(keys),
        everybody=_everybody(name, keys),
    )


def _choice_columns(keys: list[str]) -> tuple[int, int, int] | None:
    """As our own export has them, together: the tags of other systems are about other things."""
    if not {"content", "tags", "frequency"} <= set(keys):
        return None
    return keys.index("content"), keys.index("tags"), keys.index("frequency")


def _everybody(name: str, keys: list[str]) -> Standing | None:
    for kind, standing in _KINDS.items():
        if name.startswith(f"{kind}_"):
            return standing
    if name.startswith(_SUBSCRIBED):
        return None
    return next((_KIND_BY_COLUMN[key] for key in keys if key in _KIND_BY_COLUMN), None)


def _is_email(key: str) -> bool:
    return key in _EMAIL or key.endswith(_EMAIL_ENDINGS)


def _email_column(name: str, keys: list[str]) -> int:
    known = _one(name, keys, _EMAIL)
    own = {key for key in keys if _is_email(key)}
    return (_one(name, keys, own) if known is None else known) or 0


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


def _first(keys: list[str], *words: str) -> int | None:
    """The column of the first of the words that is there; old exports have some of them twice."""
    return next((keys.index(word) for word in words if word and word in keys), None)


def _explain_header(source: Source) -> str:
    header = find_header(source) or Record(1, [])
    if any("@" in cell for cell in header.cells):
        return (
            f"{source.name}: the first line has an address in it, but is to name the columns, such"
            " as `email,name`"
        )
    shown = ", ".join(repr(cell[:40]) for cell in header.cells[:10])
    return f"{source.name}: no column is called `email`; there are {shown or 'none'}"
