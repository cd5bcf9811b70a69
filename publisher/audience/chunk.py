"""Some of a file's people, decided about in their order and written in one transaction.

Who left stays so: no other line, whether before or behind it or in another file, brings them in.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from publisher.audience.address import address_hash
from publisher.audience.entries import Entry, Refusal
from publisher.audience.standings import Standing
from publisher.audience.subscribing import WHY_SUPPRESSED, make_refs
from publisher.audience.tally import Tally
from publisher.model.audience import Consent, ConsentAction, SubscriptionStatus, SuppressionReason
from publisher.store import consents, subscribers, suppressions
from publisher.store.consents import Draft
from publisher.store.subscribers import Known, NewSubscriber
from publisher.store.suppressions import Suppression
from publisher.store.variants import write_choices

# Asks one subscriber for a confirmation, in the transaction that adds them.
Ask = Callable[[Connection, int], None]

# Some 300 bytes each; of who is beyond them only those who left are remembered.
_MOST_FORESEEN = 200_000
_THERE = "there already"
_TWICE = "twice in what is imported"
_LEFT = "another line says that they left"
_BACK = "subscribed here again since they left there"


class Foreseen:
    """What a dry import would have written so far, as its next chunks would find it."""

    def __init__(self) -> None:
        self.known: dict[bytes, Known] = {}
        self.suppressed: dict[bytes, Suppression] = {}


class Chunk:
    """What is to become of some entries of the file `origin`."""

    def __init__(
        self,
        connection: Connection,
        publication: int,
        at: datetime,
        origin: str,
        tally: Tally,
        foreseen: Foreseen | None = None,
    ) -> None:
        self.connection = connection
        self.publication = publication
        self.at = at
        self.origin = origin
        self.tally = tally
        self.foreseen = foreseen
        self.is_asking = False
        self.known: dict[bytes, Known] = {}
        self.suppressed: dict[bytes, Suppression] = {}
        self.ends: dict[int, datetime] = {}
        self.agreements: dict[int, datetime] = {}
        self.drafts: dict[bytes, Draft] = {}
        self.changed: dict[int, tuple[SubscriptionStatus, tuple[Consent, ...]]] = {}
        self.renamed: list[tuple[int, str]] = []
        self.suppressions: dict[bytes, tuple[SuppressionReason, datetime]] = {}
        self.refs: Iterator[str] = iter(())

    def decide(
        self,
        entries: list[Entry | Refusal],
        secret: bytes,
        chance: Callable[[int], bytes],
        *,
        is_asking: bool,
    ) -> None:
        """Decide about entries; nothing is written yet."""
        self.is_asking = is_asking
        self.refs = iter(make_refs(chance, len(entries)))
        hashed = [
            (entry, b"" if isinstance(entry, Refusal) else address_hash(entry.address.key, secret))
            for entry in entries
        ]
        self._look_up(hashed)
        for entry, hash in hashed:
            if isinstance(entry, Refusal):
                self.tally.reject(entry.line, entry.value, entry.reason)
            else:
                self._decide(entry, hash)
        self._count()
        if self.foreseen:
            self._foresee(self.foreseen)

    def write(self, ask: Ask | None) -> None:
        """Write what was decided. The connection writes."""
        connection, publication = self.connection, self.publication
        for hash, (reason, at) in self.suppressions.items():
            suppressions.suppress(connection, publication, hash, reason, at)
        changed: dict[SubscriptionStatus, list[tuple[int, Sequence[Consent]]]] = defaultdict(list)
        for id_, (status, lines) in self.changed.items():
            changed[status].append((id_, lines))
        for status, each in changed.items():
            consents.change_each(connection, publication, each, status, self.at)
        subscribers.rename_all(connection, publication, self.renamed, self.at)
        drafts = list(self.drafts.values())
        added = consents.add_each(connection, publication, drafts, self.at)
        for id_, draft in zip(added, drafts, strict=True):
            if ask and draft.status == "unconfirmed":
                ask(connection, id_)

    def _look_up(self, hashed: Sequence[tuple[Entry | Refusal, bytes]]) -> None:
        connection, publication = self.connection, self.publication
        hashes = list({hash for _, hash in hashed if hash})
        self.known = subscribers.find_known(connection, publication, hashes)
        if suppressions.has_any(connection, publication):
            self.suppressed = suppressions.find_all(connection, publication, hashes)
        ended = [known.id for known in self.known.values() if known.status != "confirmed"]
        if ended:
            self.ends = subscribers.find_ends(connection, publication, ended)
        leaving = {
            self.known[hash].id
            for entry, hash in hashed
            if hash in self.known and isinstance(entry, Entry) and entry.standing.has_left
        }
        if leaving:
            self.agreements = consents.find_agreements(connection, publication, list(leaving))
        if foreseen := self.foreseen:
            self.known |= {each: foreseen.known[each] for each in hashes if each in foreseen.known}
            self.suppressed |= {
                each: foreseen.suppressed[each] for each in hashes if each in foreseen.suppressed
            }

    def _foresee(self, foreseen: Foreseen) -> None:
        for hash, (reason, at) in self.suppressions.items():
            foreseen.suppressed[hash] = Suppression(0, hash, reason, at)
        for hash, known in self.known.items():
            has_place = len(foreseen.known) < _MOST_FORESEEN or known.status == "unsubscribed"
            if known.changed_at == self.at and has_place:
                # An id of its own, which nobody in the database has.
                id_ = known.id or -1 - len(foreseen.known)
                foreseen.known[hash] = msgspec.structs.replace(known, id=id_, name="")

    def _decide(self, entry: Entry, hash: bytes) -> None:
        known, standing = self.known.get(hash), entry.standing
        is_barred = hash in self.suppressed or hash in self.suppressions
        if known and self._has_come_back(entry, known):
            self.tally.skip(_BACK)
        elif known and known.changed_at == self.at and not _ends(standing, known, is_barred):
            if known.status == "unsubscribed" and standing.status != "unsubscribed":
                self.tally.reject(entry.line, entry.address.email, _LEFT)
            else:
                self.tally.skip(_TWICE)
        elif standing.suppression and not is_barred:
            self._suppress(entry, hash, known)
        elif standing.status is None:
            self.tally.reject(entry.line, entry.address.email, standing.reason)
        elif is_barred and not standing.has_left:
            self._reject_suppressed(entry, hash)
        elif known is None:
            self._add(entry, hash)
        else:
            self._change(entry, hash, known)

    def _has_come_back(self, entry: Entry, known: Known) -> bool:
        """Tell whether somebody agreed here after they had left there."""
        agreed = self.agreements.get(known.id)
        return bool(
            entry.standing.has_left and entry.ended_at and agreed and agreed > entry.ended_at
        )

    def _suppress(self, entry: Entry, hash: bytes, known: Known | None) -> None:
        standing = entry.standing
        if standing.suppression:
            since = self._past(entry.ended_at) or self.at
            self.suppressions[hash] = standing.suppression, since
        if standing.status is None:
            self.tally.reject(entry.line, entry.address.email, standing.reason)
        elif known:
            self._change(entry, hash, known)
        else:
            self._add(entry, hash)

    def _reject_suppressed(self, entry: Entry, hash: bytes) -> None:
        email = entry.address.email
        if (found := self.suppressed.get(hash)) is None:
            self.tally.reject(entry.line, email, _LEFT)
            return
        reason = (
            f"suppressed since {found.at:%Y-%m-%d} ({WHY_SUPPRESSED[found.reason]});"
            f" only `publisher subscribers add {email} --again` lifts that"
        )
        self.tally.reject(entry.line, email, reason, "suppressed here")

    def _add(self, entry: Entry, hash: bytes) -> None:
        status = self._status(entry)
        new = NewSubscriber(
            ref=next(self.refs),
            email=entry.address.email,
            name=entry.name,
            address_hash=hash,
            language=entry.language,
            paused_until=entry.paused_until,
            **write_choices(entry.choices),
        )
        self.drafts[hash] = Draft(new, status, self._lines(entry, status))
        self.known[hash] = Known(0, entry.name, status, self.at)
        self.tally.added += 1

    def _change(self, entry: Entry, hash: bytes, known: Known) -> None:
        status = self._status(entry)
        has_left = known.status == "unsubscribed" or known.id in self.ends
        if has_left and status != "unsubscribed":
            self._reject_unsubscribed(entry, known)
            return
        is_other = status != known.status and status != "unconfirmed"
        has_name = entry.name not in ("", known.name)
        if draft := self.drafts.get(hash):
            lines = self._lines(entry, status)
            self.drafts[hash] = msgspec.structs.replace(draft, status=status, lines=lines)
        elif is_other:
            self.changed[known.id] = status, self._lines(entry, status)
        if has_name and known.id:
            self.renamed.append((known.id, entry.name))
        if is_other or has_name:
            now = status if is_other else known.status
            self.known[hash] = msgspec.structs.replace(known, status=now, changed_at=self.at)
            self.tally.updated += 1
        else:
            self.tally.skip(_THERE)

    def _reject_unsubscribed(self, entry: Entry, known: Known) -> None:
        since = self.ends.get(known.id, known.changed_at)
        email = entry.address.email
        reason = (
            f"unsubscribed on {since:%Y-%m-%d}; only `publisher subscribers add {email} --again`"
            " subscribes them again"
        )
        self.tally.reject(entry.line, email, reason, "unsubscribed here")

    def _status(self, entry: Entry) -> SubscriptionStatus:
        status = entry.standing.status or "unsubscribed"
        return "unconfirmed" if status == "confirmed" and self.is_asking else status

    def _lines(self, entry: Entry, status: SubscriptionStatus) -> tuple[Consent, ...]:
        """What the file knows of somebody's consent, and what they become by it."""
        asked, confirmed = self._past(entry.asked_at), self._past(entry.confirmed_at)
        if status == "unsubscribed":
            ended = self._past(entry.ended_at) or self.at
            before = [self._line("asked", asked, entry.client)] if asked and asked < ended else []
            return (*before, self._line("unsubscribed", ended))
        if status == "unconfirmed":
            # Who is asked now is asked by us, whatever they were asked before.
            return (self._line("asked", None if self.is_asking else asked, entry.client),)
        if asked and confirmed and asked < confirmed:
            first = self._line("asked", asked, entry.client)
            return (first, self._line("confirmed", confirmed, entry.client))
        return (self._line("vouched", confirmed or asked, entry.client),)

    def _line(self, action: ConsentAction, at: datetime | None = None, client: str = "") -> Consent:
        origin = f"{self.origin} {client}" if client else self.origin
        return Consent(at=at or self.at, action=action, source="import", origin=origin)

    def _past(self, moment: datetime | None) -> datetime | None:
        return moment if moment and moment <= self.at else None

    def _count(self) -> None:
        became = self.tally.became
        became.update(draft.status for draft in self.drafts.values())
        became.update(status for status, _ in self.changed.values())
        if self.suppressions:
            became["suppressed"] += len(self.suppressions)


def _ends(standing: Standing, known: Known, is_barred: bool) -> bool:
    """Tell whether a line ends what an earlier one began."""
    if standing.suppression and not is_barred:
        return True
    return standing.status == "unsubscribed" and known.status != "unsubscribed"
