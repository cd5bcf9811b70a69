"""What readers chose, and what a mailing makes of that: variants, and who gets which.

A variant is a number: 0 is the whole, which is the mailing's own content. The others have their
contents beside it, and `mailing_choice` says which choices lead to which.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    true,
)

from publisher.model.choices import OWN_WORDS, WHOLE, Audience, Choices, Definition
from publisher.store import schema as s
from publisher.store.holding import has_in_week, is_in_week, require_week_known
from publisher.store.reachable import count_mailable, may_be_mailed
from publisher.store.schema_subscribers import CHOSE

_S, _W, _C = s.subscriber.c, s.mailing_choice.c, s.mailing_content.c
# What chosen tags, and ids of highlights, have between them.
_BETWEEN = " "


class NewContent(msgspec.Struct, frozen=True, kw_only=True):
    """What a mailing is to be sent with from now on; `version` is that of the issue's text."""

    version: str
    digest: str
    content: bytes


class Making(Protocol):
    """What makes the contents of variants."""

    def make(self, definition: Definition) -> NewContent:
        """The content of a definition, once it was made at once."""
        ...


class Variants(Making, Protocol):
    """An issue, for all that readers may have chosen of it."""

    @property
    def issue_id(self) -> str:
        """Which issue it is."""
        ...

    @property
    def has_weekly(self) -> bool:
        """Whether who chose one message a week gets no issue of its own."""
        ...

    def define(self, choices: Iterable[Choices]) -> Definition | None:
        """What readers of these choices get, who all get the same; None where it is nothing."""
        ...


def join(names: Iterable[str]) -> str:
    """Slugs or ids as a column has them."""
    return _BETWEEN.join(names)


def split(column: str) -> tuple[str, ...]:
    return tuple(column.split(_BETWEEN)) if column else ()


def read_choices(content: Any, tags: str, frequency: Any = "daily") -> Choices:
    """Choices from their columns."""
    return Choices(content=content, tags=split(tags), frequency=frequency)


def write_choices(choices: Choices) -> dict[str, Any]:
    """The columns of a subscriber that choices stand in: the same choice is the same text."""
    return {
        "content": choices.content,
        "tags": join(sorted(choices.tags)),
        "frequency": choices.frequency,
    }


def list_choices(
    connection: Connection, publication: int, variants: Variants, now: datetime
) -> list[Choices]:
    """The different choices of those who would get an issue now, but for that of everything."""
    return [choices for choices, _ in _count_by_choice(connection, publication, variants, now)]


def count_audience(
    connection: Connection, publication: int, variants: Variants | None, now: datetime
) -> Audience:
    """How many would get an issue if it were sent now, and in what forms."""
    whole = _count_all(connection, publication, variants, now)
    audience = {"whole": whole, "headlines": 0, "chosen": 0, "others": 0}
    if variants is None:
        return Audience(**audience)
    different = set()
    for choices, number in _count_by_choice(connection, publication, variants, now):
        definition = variants.define([choices])
        audience["whole"] -= number
        audience[_kind_of(definition)] += number
        if definition is not None and definition.highlights:
            different.add(definition)
    return Audience(**audience, variants=len(different))


def _count_all(
    connection: Connection, publication: int, variants: Variants | None, now: datetime
) -> int:
    """How many get an issue: all who may, but for those who have it, or will, in a week's."""
    counted = select(func.count()).select_from(s.subscriber)
    if variants is not None and is_in_week(connection, publication, variants.issue_id):
        counted = counted.where(*gets_issue(connection, publication, variants, now))
        return int(connection.execute(counted).scalar_one())
    number = count_mailable(connection, publication, now)
    if variants is not None and variants.has_weekly:
        counted = counted.where(CHOSE, _S.frequency != "daily", *may_be_mailed(publication, now))
        number -= int(connection.execute(counted).scalar_one())
    return number


def _kind_of(definition: Definition | None) -> str:
    if definition is None:
        return "others"
    if definition.highlights:
        return "chosen"
    return "headlines" if definition.form == "headlines" else "whole"


def _count_by_choice(
    connection: Connection, publication: int, variants: Variants, now: datetime
) -> list[tuple[Choices, int]]:
    chosen = select(_S.content, _S.tags, func.count()).where(
        CHOSE, *gets_issue(connection, publication, variants, now)
    )
    groups = chosen.group_by(_S.content, _S.tags).order_by(_S.content, _S.tags)
    found = [(read_choices(*row[:2]), row[2]) for row in connection.execute(groups)]
    return [each for each in found if each[0] != Choices()]


def gets_issue(
    connection: Connection, publication: int, variants: Variants | None, now: datetime
) -> tuple[Any, ...]:
    """The conditions that a subscriber gets an issue that is sent now.

    One that was in a week's message before goes to all who lack it: for those who chose that
    message since, it will be in no other. Raises StateError where nobody knows who lacks it.
    """
    those = may_be_mailed(publication, now)
    if variants is None:
        return those
    if is_in_week(connection, publication, variants.issue_id):
        require_week_known(connection, publication, variants.issue_id)
        return (*those, ~has_in_week(publication, variants.issue_id, _S.id))
    return (*those, _S.frequency == "daily") if variants.has_weekly else those


def save_variants(
    connection: Connection, publication: int, mailing: int, variants: Variants, now: datetime
) -> int | None:
    """Keep which choice gets which variant of a new mailing, and the variants' contents.

    Gives how many readers get nothing of it; None, and keeps nothing, where all get the whole.
    """
    found = _count_by_choice(connection, publication, variants, now)
    defined = {choices: variants.define([choices]) for choices, _ in found}
    if all(each == WHOLE for each in defined.values()):
        return None
    different = sorted({each for each in defined.values() if each not in (None, WHOLE)})
    numbers = {WHOLE: 0, **{each: number for number, each in enumerate(different, 1)}}
    ids = {"publication": publication, "mailing": mailing}
    contents = {numbers[each]: each for each in different}
    insert_contents(connection, publication, mailing, 0, contents, variants, now)
    rows = [
        ids | {"content": c.content, "tags": join(c.tags), "variant": numbers[each]}
        for c, each in {Choices(): WHOLE, **defined}.items()
        if each is not None
    ]
    connection.execute(insert(s.mailing_choice), rows)
    return sum(number for choices, number in found if defined[choices] is None)


def select_readers(
    publication: int,
    mailing: int,
    those: tuple[ColumnElement[bool], ...],
    *,
    has_variants: bool,
) -> Select[Any]:
    """A row for each subscriber that a mailing goes to: publication, mailing, id and variant."""
    columns = (literal(publication), literal(mailing), _S.id)
    if not has_variants:
        return select(*columns, literal(0)).where(*those)
    its = and_(_W.mailing == mailing, _W.content == _S.content, _W.tags == _S.tags)
    return select(*columns, _W.variant).join_from(s.subscriber, s.mailing_choice, its).where(*those)


def revise_variants(
    connection: Connection,
    publication: int,
    mailing: int,
    revision: int,
    variants: Variants,
    now: datetime,
) -> None:
    """Give each variant of a mailing its content of a revision, where anything is left of it."""
    defined = define_anew(connection, mailing, variants)
    contents = {variant: each for variant, each in defined.items() if each is not None}
    insert_contents(connection, publication, mailing, revision, contents, variants, now)


def define_anew(
    connection: Connection, mailing: int, variants: Variants
) -> dict[int, Definition | None]:
    """What the variants of a mailing, but for the whole, are of another text of its issue."""
    chosen = select(_W.variant, _W.content, _W.tags).where(_W.mailing == mailing, _W.variant > 0)
    choices: dict[int, list[Choices]] = {}
    for variant, content, tags in connection.execute(chosen.order_by(_W.variant, _W.id)):
        choices.setdefault(variant, []).append(read_choices(content, tags))
    return {variant: variants.define(each) for variant, each in choices.items()}


def insert_contents(
    connection: Connection,
    publication: int,
    mailing: int,
    revision: int,
    contents: dict[int, Definition],
    variants: Making,
    now: datetime,
) -> None:
    """Keep the contents of variants, by their numbers."""
    own = {"publication": publication, "mailing": mailing, "revision": revision, "at": now}
    for variant, definition in contents.items():
        its = {
            "variant": variant,
            "form": definition.form,
            "highlights": join(definition.highlights),
        }
        content = msgspec.structs.asdict(variants.make(definition))
        connection.execute(insert(s.mailing_content).values(own | its | content))


def concerns(highlights: Sequence[str]) -> ColumnElement[bool]:
    """The condition that a delivery's content has one of these highlights of an issue in it.

    Without any, or with its own words, it is all of the issue that is meant.
    """
    if not highlights or OWN_WORDS in highlights:
        return true()
    return carries(highlights)


def carries(highlights: Sequence[str]) -> ColumnElement[bool]:
    """The condition that a delivery's content has one of these highlights in it."""
    d = s.delivery.c
    padded = literal(_BETWEEN) + _C.highlights + literal(_BETWEEN)
    has_any = [padded.contains(f"{_BETWEEN}{id_}{_BETWEEN}") for id_ in highlights]
    its = (_C.mailing == d.mailing, _C.variant == d.variant, _C.revision == d.revision)
    has_one = exists().where(*its, or_(_C.highlights == "", *has_any))
    return or_(d.variant == 0, has_one)
