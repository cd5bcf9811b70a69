"""Weeks' messages: which issues each consists of, and who gets which of them.

A reader holds an issue that was sent to them, or will be, by its own mailing or with their welcome:
of a week they get what they do not hold. What one holds is a number with a bit for each issue of
the week, in the order of mailing_issue.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from publisher.model.choices import WHOLE, Choices, Definition
from publisher.model.delivery import Mailing
from publisher.store import schema as s
from publisher.store.contents import revise_mailing
from publisher.store.errors import StateError
from publisher.store.holding import NOT_HELD, of_issue
from publisher.store.mailings import find_mailing, finish_if_done, get_mailing, record_event
from publisher.store.reachable import may_be_mailed
from publisher.store.starting import NewMailing, enqueue, insert_mailing
from publisher.store.variants import Making, NewContent, insert_contents, join, read_choices

_D, _M, _S = s.delivery.c, s.mailing.c, s.subscriber.c
_W, _I = s.mailing_choice.c, s.mailing_issue.c

_NOBODY = "nobody chose one message a week"


class Wanting(msgspec.Struct, frozen=True):
    """What readers chose, and what of the week they hold."""

    choices: Choices
    held: int = 0


class WeekVariants(Making, Protocol):
    """The issues of a week, for all that readers may have chosen and hold of them."""

    def define(self, wanting: Iterable[Wanting]) -> Definition | None:
        """What readers who want this get, who all get the same; None where it is nothing."""
        ...


class NewWeek(msgspec.Struct, frozen=True, kw_only=True):
    """What a week's mailing is made of: `issues` are ids with the versions of their texts.

    Those who chose each issue again since `waited_since` waited for it, and get it too.
    """

    issues: Mapping[str, str]
    variants: WeekVariants
    waited_since: datetime


class WeekAudience(msgspec.Struct, frozen=True, kw_only=True):
    """How many would get a week's message; `others` chose or hold so much that nothing is left."""

    total: int
    variants: int
    others: int

    @property
    def why_nobody(self) -> str:
        """Why it would go to nobody; empty where it goes to somebody."""
        if self.total:
            return ""
        return "all have it already, or chose other topics" if self.others else _NOBODY


class TakenError(StateError):
    """An issue of the week is in another week's message by now."""


def find_last_week(connection: Connection, publication: int) -> Mailing | None:
    """The week's mailing that was started last."""
    chosen = select(_M.id).where(_M.publication == publication, _is_weekly())
    found = connection.execute(chosen.order_by(_M.id.desc()).limit(1)).scalar()
    return None if found is None else get_mailing(connection, found)


def list_weeks_of(connection: Connection, publication: int, issue: str) -> list[Mailing]:
    """The weeks' mailings that an issue is in: one at most."""
    its = (_I.publication == publication, _I.issue == issue, _I.revision == 0)
    ids = connection.execute(select(_I.mailing).where(*its)).scalars().all()
    return [get_mailing(connection, id) for id in ids]


def list_issues(connection: Connection, mailing: int) -> list[str]:
    """The ids of the issues that a week's mailing began with, in their order."""
    chosen = select(_I.issue).where(_I.mailing == mailing, _I.revision == 0).order_by(_I.id)
    return list(connection.execute(chosen).scalars())


def find_in_weeks(connection: Connection, publication: int, issues: Collection[str]) -> set[str]:
    """Which of these issues are in a week's message, by their ids."""
    chosen = select(_I.issue).where(_I.publication == publication, _I.issue.in_(issues))
    return set(connection.execute(chosen).scalars())


def find_cancelled(connection: Connection, publication: int, issues: Collection[str]) -> set[str]:
    """Which of these issues an operator cancelled the mailing of, by their ids."""
    chosen = select(_M.issue).where(
        *(_M.publication == publication, _M.purpose == "issue", _M.issue.in_(issues)),
        _M.status == "cancelled",
    )
    return set(connection.execute(chosen).scalars())


def start_week_mailing(
    connection: Connection, publication: int, new: NewMailing, week: NewWeek, now: datetime
) -> Mailing:
    """Start a week's mailing to all who chose one, or give the one that there is already.

    The connection writes. Raises TakenError where an issue is in another one meanwhile.
    """
    if before := find_mailing(connection, publication, new.issue, "weekly"):
        return before
    taken = select(_I.issue).where(_I.publication == publication, _I.issue.in_([*week.issues]))
    if connection.execute(taken.limit(1)).first():
        raise TakenError(f"{new.slug} is not sent: what is in it was just sent by another one")
    mailing, _ = insert_mailing(connection, publication, new, now)
    save_issues(connection, publication, mailing.id, 0, week.issues)
    holdings = _holdings(connection, publication, week)
    others = _save_choices(connection, publication, mailing.id, week, holdings, now)
    those = _gets_week(publication, week.waited_since, now)
    readers = _select_readers(publication, mailing.id, those, holdings)
    count = enqueue(connection, publication, mailing.id, new, readers)
    connection.execute(update(s.mailing).where(_M.id == mailing.id).values(recipients=count))
    reason = f"{others:,} chose or had all of it" if others else ""
    record_event(connection, publication, mailing.id, "started", now, reason)
    finish_if_done(connection, publication, mailing.id, now)
    return get_mailing(connection, mailing.id)


def count_week(
    connection: Connection, publication: int, week: NewWeek, now: datetime
) -> WeekAudience:
    """How many would get a week's message if it were sent now."""
    holdings = _holdings(connection, publication, week)
    found = _count(connection, publication, week, holdings, now)
    defined = [(week.variants.define([each]), number) for each, number in found]
    total = sum(number for definition, number in defined if definition is not None)
    return WeekAudience(
        total=total,
        variants=len({definition for definition, _ in defined if definition is not None}),
        others=sum(number for _, number in found) - total,
    )


def revise_week(
    connection: Connection,
    publication: int,
    mailing: int,
    new: NewContent,
    week: NewWeek,
    now: datetime,
) -> Mailing | None:
    """Let what a week's mailing has not sent yet be sent with other texts of its issues.

    None where it has these already. The connection writes.
    """
    revised = revise_mailing(connection, publication, mailing, new, now)
    if revised is None:
        return None
    defined = define_week_anew(connection, mailing, week.variants)
    contents = {variant: each for variant, each in defined.items() if each is not None}
    insert_contents(
        connection, publication, mailing, revised.revision, contents, week.variants, now
    )
    save_issues(connection, publication, mailing, revised.revision, week.issues)
    return revised


def save_issues(
    connection: Connection,
    publication: int,
    mailing: int,
    revision: int,
    issues: Mapping[str, str],
) -> None:
    """Keep which texts a revision of a week's mailing has. The connection writes."""
    ids = {"publication": publication, "mailing": mailing, "revision": revision}
    rows = [ids | {"issue": issue, "version": version} for issue, version in issues.items()]
    if rows:
        connection.execute(insert(s.mailing_issue), rows)


def define_week_anew(
    connection: Connection, mailing: int, variants: WeekVariants
) -> dict[int, Definition | None]:
    """What the variants of a week's mailing, but for the whole, are of other texts."""
    chosen = select(_W.variant, _W.content, _W.tags, _W.held)
    rows = connection.execute(
        chosen.where(_W.mailing == mailing, _W.variant > 0).order_by(_W.variant, _W.id)
    )
    wanting: dict[int, list[Wanting]] = {}
    for variant, content, tags, held in rows:
        wanting.setdefault(variant, []).append(Wanting(read_choices(content, tags), held))
    return {variant: variants.define(each) for variant, each in wanting.items()}


def _is_weekly() -> ColumnElement[bool]:
    # A literal, or the partial index is not used.
    return _M.purpose == literal("weekly", literal_execute=True)


def _gets_week(publication: int, waited_since: datetime, now: datetime) -> tuple[Any, ...]:
    """The conditions that a subscriber may be sent a week's message now."""
    return (*may_be_mailed(publication, now), _wants_week(waited_since))


def _wants_week(waited_since: datetime) -> ColumnElement[bool]:
    has_waited = and_(_S.frequency == "daily", _S.weekly_until > waited_since)
    return or_(_S.frequency == "weekly", has_waited)


def _holdings(connection: Connection, publication: int, week: NewWeek) -> Select[Any] | None:
    """What each subscriber holds of a week's issues; None where nobody can hold anything."""
    since = week.waited_since
    bits: dict[int, int] = {}
    for place, issue in enumerate(week.issues):
        chosen = select(_M.id).where(_M.publication == publication, of_issue(issue))
        bits |= dict.fromkeys(connection.execute(chosen).scalars(), 1 << place)
    if not bits:
        return None
    bit = case(bits, value=_D.mailing).label("bit")
    each = (
        select(_D.subscriber, bit)
        .join(s.subscriber, _S.id == _D.subscriber)
        .where(_wants_week(since), _D.mailing.in_([*bits]), _D.status.not_in(NOT_HELD))
    )
    once = each.distinct().subquery().c
    return select(once.subscriber, func.sum(once.bit).label("held")).group_by(once.subscriber)


def _count(
    connection: Connection,
    publication: int,
    week: NewWeek,
    holdings: Select[Any] | None,
    now: datetime,
) -> list[tuple[Wanting, int]]:
    """The different things that readers want of the week, each with their number."""
    chosen, held = _with_held(select(_S.content, _S.tags), holdings)
    chosen = chosen.add_columns(held.label("held"))
    each = chosen.where(*_gets_week(publication, week.waited_since, now)).subquery().c
    different = (each.content, each.tags, each.held)
    rows = connection.execute(select(*different, func.count()).group_by(*different))
    return sorted(
        (
            (Wanting(read_choices(content, tags), held), number)
            for content, tags, held, number in rows
        ),
        key=lambda each: (*msgspec.structs.astuple(each[0].choices), each[0].held),
    )


def _with_held(
    chosen: Select[Any], holdings: Select[Any] | None
) -> tuple[Select[Any], ColumnElement[Any]]:
    """A query of subscribers, and the column of what each holds."""
    if holdings is None:
        return chosen.select_from(s.subscriber), literal(0, literal_execute=True)
    theirs = holdings.subquery()
    joined = s.subscriber.outerjoin(theirs, theirs.c.subscriber == _S.id)
    return chosen.select_from(joined), func.coalesce(theirs.c.held, 0)


def _save_choices(
    connection: Connection,
    publication: int,
    mailing: int,
    week: NewWeek,
    holdings: Select[Any] | None,
    now: datetime,
) -> int:
    """Keep who gets which variant, and the variants' contents; gives how many get nothing."""
    found = _count(connection, publication, week, holdings, now)
    defined = {wanting: week.variants.define([wanting]) for wanting, _ in found}
    different = sorted({each for each in defined.values() if each not in (None, WHOLE)})
    numbers = {WHOLE: 0, **{each: number for number, each in enumerate(different, 1)}}
    contents = {numbers[each]: each for each in different}
    insert_contents(connection, publication, mailing, 0, contents, week.variants, now)
    ids = {"publication": publication, "mailing": mailing}
    rows = [
        ids
        | {"content": wanting.choices.content, "tags": join(wanting.choices.tags)}
        | {"held": wanting.held, "variant": numbers[each]}
        for wanting, each in defined.items()
        if each is not None
    ]
    if rows:
        connection.execute(insert(s.mailing_choice), rows)
    return sum(number for wanting, number in found if defined[wanting] is None)


def _select_readers(
    publication: int, mailing: int, those: tuple[Any, ...], holdings: Select[Any] | None
) -> Select[Any]:
    """A row for each subscriber that a mailing goes to: publication, mailing, id and variant."""
    columns = select(literal(publication), literal(mailing), _S.id, _W.variant)
    chosen, held = _with_held(columns, holdings)
    its = and_(_W.mailing == mailing, _W.content == _S.content, _W.tags == _S.tags, _W.held == held)
    return chosen.join(s.mailing_choice, its).where(*those)
