"""What the contract lets become of deliveries and mailings, written a second time and more simply.

It is fed with what durably happened, and compared with the rows after each step.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from publisher.mailing.settle import Policy
from publisher.model.choices import Choices
from publisher.model.delivery import TO_MANY, Outcome
from publisher.rehearsal.world import Clock, Disk
from publisher.store.arming import RESTORED

OPEN = ("queued", "sending", "deferred")
_MILLISECOND = timedelta(milliseconds=1)


# The highlights of each issue, with their tags; what a correction leads to may have one alone.
TAGS = {"h1": "a", "h2": "b", "h3": "ab"}


class BrokenPromise(AssertionError):
    """A history in which the contract was not kept."""


def standing(revision: int) -> tuple[str, ...]:
    """The highlights that are left in a revision of an issue."""
    return ("h2",) if revision % 2 else tuple(TAGS)


class Gets(NamedTuple):
    """What a reader was found to want when a mailing started: nothing named is everything."""

    form: str = "full"
    tags: frozenset[str] = frozenset()

    def shown(self, revision: int) -> tuple[str, ...]:
        return tuple(
            id_ for id_ in standing(revision) if not self.tags or self.tags & set(TAGS[id_])
        )


@dataclass
class Reader:
    """A subscriber as the outer world knows them; `id` is None once erased."""

    id: int | None
    email: str
    hash: bytes
    status: str
    is_suppressed: bool = False
    choices: Choices = field(default_factory=Choices)

    def wants(self, purpose: str) -> bool:
        wanted = dict.fromkeys(TO_MANY, "confirmed") | {"confirmation": "unconfirmed"}
        if self.id is None or self.is_suppressed:
            return False
        return purpose not in wanted or self.status == wanted[purpose]


@dataclass
class Delivery:
    """One delivery as it ought to be; `reader` is None for an operator's own address.

    `due` is when it may be tried again by the wall clock, from and to, and `ripe` in true seconds.
    `taken_by_relay` counts what the relay took of it, `is_heard` that we know of it. `revision` is
    the text that it carries, and `may_have_arrived` keeps it from getting another one.
    """

    id: int
    mailing: "Mailing"
    email: str
    reader: Reader | None
    status: str = "queued"
    attempts: int = 0
    doubts: int = 0
    breaks: int = 0
    first: datetime | None = None
    due: tuple[datetime, datetime] | None = None
    ripe: float = 0.0
    taken_by_relay: int = 0
    most_taken: int = 1
    is_heard: bool = False
    settlements: int = 0
    revision: int = 0
    may_have_arrived: bool = False
    gets: Gets | None = None

    def has_content(self, revision: int) -> bool:
        """Whether anything of what the reader chose is left in a revision."""
        return self.gets is None or bool(self.gets.shown(revision))

    @property
    def is_wanted(self) -> bool:
        return self.reader is None or self.reader.wants(self.mailing.purpose)

    @property
    def domain(self) -> str:
        return self.email.rpartition("@")[2]


@dataclass
class Mailing:
    id: int
    purpose: str
    digest: str
    status: str = "sending"
    reason: str = ""
    revision: int = 0
    texts: list[str] = field(default_factory=list)
    # Of a correction: the mailing that it corrects, and the revision that it leads to.
    corrects: "Mailing | None" = None
    leads_to: int = 0
    concerned: tuple[str, ...] = ()


@dataclass
class Streak:
    """What went wrong in a row, in one process."""

    doubts: int = 0
    refused: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def note(self, outcome: Outcome | None, delivery: int) -> bool:
        """Tell whether this is what a mailing has to pause at; None is one that was parked."""
        if outcome is None:
            self.refused[""].add(delivery)
        elif outcome.kind == "accepted":
            self.doubts = 0
            self.refused.clear()
        elif outcome.kind == "unknown":
            self.doubts += 1
        elif outcome.kind == "permanent" and outcome.concern in ("login", "sender"):
            return True
        else:
            self.doubts = 0 if outcome.stage == "final_dot" else self.doubts
            if outcome.kind == "permanent":
                self.refused[str(outcome.reply)].add(delivery)
        return self.doubts >= 5 or any(len(those) >= 20 for those in self.refused.values())


class Expected:
    """All deliveries and mailings as they ought to be."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.deliveries: dict[int, Delivery] = {}
        self.mailings: dict[int, Mailing] = {}
        # By mailing: `streaks` is what surely was in a row, `longest` what may have been.
        self.streaks: dict[int, Streak] = defaultdict(Streak)
        self.longest: dict[int, Streak] = defaultdict(Streak)
        # Who is to be told of a correction, by its mailing and the reader: about which delivery.
        self.awaited: dict[tuple[int, int], int] = {}

    def begin_process(self) -> None:
        self.streaks.clear()
        self.longest.clear()

    def of(self, mailing: int) -> list[Delivery]:
        return [each for each in self.deliveries.values() if each.mailing.id == mailing]

    # What happens to deliveries

    def take(self, delivery: int, now: datetime) -> Delivery:
        """An intent was written: was it allowed?"""
        each = self.deliveries[delivery]
        told = f"delivery {each.id} to {each.email}"
        require(each.status in ("queued", "deferred"), f"{told} was {each.status} and is sent")
        require(each.mailing.status == "sending", f"{told}: its mailing is {each.mailing.status}")
        require(each.is_wanted, f"{told}: the reader left before the intent")
        require(not each.is_heard, f"{told}: the relay took it before, and said so")
        # Where the clock was put back it has waited all the same.
        is_due = each.due is None or now + _MILLISECOND >= each.due[0]
        require(
            is_due or self.clock.true >= each.ripe,
            f"{told}: deferred until {each.due}, tried at {now}",
        )
        each.status, each.due = "sending", None
        if not each.may_have_arrived:
            each.revision = each.mailing.revision
        require(each.has_content(each.revision), f"{told}: nothing is left of what they chose")
        return each

    def settle(
        self, each: Delivery, outcome: Outcome | None, policy: Policy, now: datetime
    ) -> None:
        """A result was written."""
        require(each.status == "sending", f"a result for delivery {each.id}, {each.status}")
        each.settlements += 1
        if outcome is None:
            each.breaks += 1
            each.status = "failed" if each.breaks >= 3 else "queued"
        elif outcome.kind == "unknown":
            self.doubt(each, policy, now)
        elif outcome.kind == "accepted":
            self._count(each, now)
            each.status, each.is_heard = "sent", True
            self.follow_up(each)
        else:
            self._refuse(each, outcome, policy, now)
        self._stay_cancelled(each)
        if outcome is not None or each.status == "failed":
            self._note_streak(each, outcome)

    def doubt(self, each: Delivery, policy: Policy, now: datetime) -> None:
        """An attempt of which no reply was read."""
        self._count(each, now)
        each.doubts += 1
        each.may_have_arrived = True
        is_resent = policy.on_in_doubt == "resend" and each.doubts == 1
        each.status = "queued" if is_resent else "in_doubt"
        each.most_taken += is_resent
        self.follow_up(each)
        self._stay_cancelled(each)

    def release(self, each: Delivery) -> None:
        """An attempt of which nothing was sent."""
        each.status = "queued"
        self._stay_cancelled(each)

    def follow_up(self, each: Delivery) -> None:
        """Await a correction for who has, or may have, what was corrected meanwhile."""
        for mailing in self.mailings.values():
            if mailing.corrects is each.mailing and mailing.status != "cancelled":
                self.await_correction(mailing, each)

    def await_correction(self, mailing: Mailing, each: Delivery) -> bool:
        """Await that a correction goes to whom a delivery went; False where it is not to."""
        reader = each.reader
        if each.status not in ("sent", "in_doubt") or each.revision >= mailing.leads_to:
            return False
        if reader is None or reader.id is None or not reader.wants("correction"):
            return False
        if any(one.reader is reader for one in self.of(mailing.id)):
            return False
        shown = each.gets.shown(each.revision) if each.gets else mailing.concerned
        if mailing.concerned and not set(shown) & set(mailing.concerned):
            return False
        self.awaited[mailing.id, reader.id] = each.id
        if mailing.status == "finished":
            mailing.status = "sending"
        return True

    def find_rows(self, disk: Disk) -> None:
        """Find the rows of corrections that are awaited, which nobody made by hand."""
        sql = "SELECT id, mailing, subscriber, about FROM delivery WHERE about NOTNULL"
        for id, *row in disk.run(sql) if self.awaited else ():
            if id not in self.deliveries:
                self.find_row(id, *row)

    def find_row(self, id: int, mailing: int, subscriber: int | None, about: int | None) -> None:
        """A row that nobody made by hand: was it awaited?"""
        key = (mailing, subscriber or 0)
        told = f"delivery {id} of mailing {mailing} to reader {subscriber} about {about}"
        require(self.awaited.pop(key, None) == about, f"{told} was not to be made")
        reader = self.deliveries[about or 0].reader
        email = reader.email if reader else ""
        self.deliveries[id] = Delivery(id, self.mailings[mailing], email, reader)

    def _refuse(self, each: Delivery, outcome: Outcome, policy: Policy, now: datetime) -> None:
        is_single = each.mailing.purpose not in TO_MANY
        is_of_sender = outcome.concern in ("login", "sender")
        if outcome.concern in ("relay", "relay_rate") or (is_of_sender and not is_single):
            each.status = "queued"
            return
        if outcome.concern == "domain_rate":
            each.first = each.first or now
        else:
            self._count(each, now)
        if (outcome.kind == "permanent" and not is_of_sender) or (
            each.first is not None and now - each.first >= policy.give_up_after
        ):
            each.status = "failed"
        else:
            each.status, each.due = "deferred", _waits(each.attempts, now)
            each.ripe = self.clock.true + (each.due[0] - now).total_seconds()

    def _count(self, each: Delivery, now: datetime) -> None:
        each.attempts += 1
        each.first = each.first or now

    def _stay_cancelled(self, each: Delivery) -> None:
        if each.mailing.status == "cancelled" and each.status in ("queued", "deferred"):
            each.status, each.due = "cancelled", None

    # What happens to mailings

    def _note_streak(self, each: Delivery, outcome: Outcome | None) -> None:
        mailing = each.mailing
        if mailing.purpose not in TO_MANY or mailing.status != "sending":
            return
        may_pause = self.longest[mailing.id].note(outcome, each.id)
        if self.streaks[mailing.id].note(outcome, each.id):
            self.pause(mailing, "by a breaker")
        elif may_pause:
            mailing.reason = "may pause"

    def pause(self, mailing: Mailing, reason: str) -> None:
        mailing.status, mailing.reason = "paused", reason
        self.streaks.pop(mailing.id, None)
        if reason == "by a breaker":
            self.longest.pop(mailing.id, None)

    # Whether it is so

    def compare_delivery(
        self, id: int, status: str, counts: tuple[int, ...], due: datetime | None
    ) -> None:
        """Hold a row against what it ought to be: its attempts, doubts, breaks, and revision."""
        each = self.deliveries[id]
        if status == "suppressed" and each.status in ("queued", "deferred"):
            is_right = not each.is_wanted and each.mailing.status == "sending"
            require(is_right, f"delivery {id} was suppressed, and its reader is there")
            each.status, each.due = "suppressed", None
        if status == "cancelled" and each.status in ("queued", "deferred"):
            next_one = each.revision if each.may_have_arrived else each.mailing.revision
            is_right = not each.has_content(next_one) and each.mailing.status == "sending"
            require(is_right, f"delivery {id} was dropped, and there is something in it")
            each.status, each.due = "cancelled", None
        found = (status, *counts)
        wanted = (each.status, each.attempts, each.doubts, each.breaks, each.revision)
        require(found == wanted, f"delivery {id} is {found}, and ought to be {wanted}")
        if each.due is not None:
            first, last = each.due[0] - _MILLISECOND, each.due[1]
            is_right = due is not None and first <= due <= last
            require(is_right, f"delivery {id} waits until {due}, and not {first} to {last}")

    def compare_mailing(self, id: int, status: str, digest: str) -> None:
        mailing = self.mailings[id]
        if status == "finished" and mailing.status in ("sending", "paused"):
            mailing.status, mailing.reason = "finished", ""
            self.streaks.pop(id, None)
        if status == "paused" and mailing.reason == "may pause":
            self.pause(mailing, "by a breaker")
        mailing.reason = "" if mailing.reason == "may pause" else mailing.reason
        require(status == mailing.status, f"mailing {id} is {status}, not {mailing.status}")
        require(digest == mailing.digest, f"mailing {id} has other content than it ought to")
        if status == "finished":
            self._require_none_open(id)
        elif status == "paused" and mailing.reason != RESTORED:
            is_open = any(each.status in OPEN for each in self.of(id))
            require(is_open, f"mailing {id} is paused, and nothing is left of it")

    def _require_none_open(self, mailing: int) -> None:
        left = [each.id for each in self.of(mailing) if each.status in OPEN]
        require(not left, f"mailing {mailing} is finished, and {left} were left behind")


def _waits(attempts: int, now: datetime) -> tuple[datetime, datetime]:
    """From a minute, doubled, to forty; half of it more by chance; more if its domain is slowed."""
    wait = min(timedelta(minutes=1) * 2 ** (max(attempts, 1) - 1), timedelta(minutes=40))
    return now + wait, now + max(wait * 1.5, timedelta(minutes=48))


def require(is_so: bool, otherwise: str) -> None:
    """Raise BrokenPromise where something is not so."""
    if not is_so:
        raise BrokenPromise(otherwise)
