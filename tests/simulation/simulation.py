"""One simulated world: readers, operators, a relay, and delivery processes one after the other.

Every public method without an underscore is something that can happen. All of them may be called
at any time and with any number, so that histories can be drawn and shrunk freely.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec

from publisher.model.audience import Consent, ConsentAction
from publisher.model.delivery import TO_MANY
from publisher.model.delivery import Mailing as StartedMailing
from publisher.rehearsal.relay import Relay
from publisher.rehearsal.world import PUBLICATION, Clock, Crash, Disk, Store
from publisher.runtime.board import Begun
from publisher.runtime.exchange import Rules
from publisher.store.arming import RESTORED, arm, disarm, find_unarmed
from publisher.store.contents import revise_mailing
from publisher.store.corrections import key_of, start_correction_mailing
from publisher.store.deliveries import cancel_waiting, resolve_doubts, retry_failed
from publisher.store.erasing import erase
from publisher.store.evidence import prove
from publisher.store.mailings import change_mailing, reopen_mailing
from publisher.store.preferences import change
from publisher.store.starting import NewMailing, start_issue_mailing, start_single_mailing
from publisher.store.subscribers import NewSubscriber, add_all, change_status
from publisher.store.suppressions import suppress
from publisher.store.variants import NewContent, write_choices
from tests.simulation.choosing import CHOICES, SimulatedIssue, require_contents, sort_out
from tests.simulation.expected import Delivery, Expected, Mailing, Reader, require
from tests.simulation.ledger import require_ledger
from tests.simulation.process import Process

DOMAINS = ("a.example", "b.example", "c.example")
_DOUBTFUL = ("in_doubt", "queued", "deferred")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Simulation:
    """A world at its beginning; `chance` decides what nobody asked for: durations and jitter."""

    def __init__(self, disk: Disk, chance: Random) -> None:
        disk.clear()
        self.disk, self.chance = disk, chance
        self.clock = Clock()
        self.store = Store(disk, self.clock)
        self.relay = Relay()
        self.expected = Expected(self.clock)
        self.readers: list[Reader] = []
        self.process: Process | None = None
        # The rules of a dead process that left something, and what it had begun.
        self.dead: Rules | None = None
        self.begun: Begun | None = {}
        self.events: set[str] = set()
        self.changes_seen = -1

    # Readers

    def add_readers(self, count: int, status: str = "confirmed") -> None:
        """New people, in all domains in turn."""
        before = len(self.readers)
        new = [
            NewSubscriber(
                ref=f"r{number}",
                email=f"reader{number}@{DOMAINS[number % len(DOMAINS)]}",
                name="",
                address_hash=b"%d" % number,
            )
            for number in range(before, before + count)
        ]
        action: ConsentAction = "vouched" if status == "confirmed" else "asked"
        with self.store.write_as_other() as connection:
            after = add_all(connection, PUBLICATION, new, self._consent(action))
        ids = self.disk.run("SELECT id FROM subscriber WHERE id > ? ORDER BY id", after)
        for (id,), one in zip(ids, new, strict=True):
            self.readers.append(Reader(id, one.email, one.address_hash, status))
        self._check()

    def change_reader(self, number: int, action: ConsentAction) -> None:
        """`confirmed` or `unsubscribed`."""
        reader = self._reader(number)
        if reader is None or reader.id is None:
            return
        with self.store.write_as_other() as connection:
            change_status(connection, PUBLICATION, reader.id, self._consent(action))
        reader.status = action
        self._check()

    def choose(self, number: int, choice: int) -> None:
        """A reader chooses what to get; what is enqueued already stays as it is."""
        reader = self._reader(number)
        if reader is None or reader.id is None:
            return
        reader.choices = CHOICES[choice % len(CHOICES)]
        values = write_choices(reader.choices)
        with self.store.write_as_other() as connection:
            change(connection, PUBLICATION, reader.id, self.clock.now, **values)
        self._check()

    def suppress(self, number: int) -> None:
        """A bounce, or a complaint."""
        reader = self._reader(number)
        if reader is None:
            return
        with self.store.write_as_other() as connection:
            suppress(connection, PUBLICATION, reader.hash, "bounce", self.clock.now)
        reader.is_suppressed = True
        self._check()

    def erase(self, number: int) -> None:
        reader = self._reader(number)
        if reader is None or reader.id is None:
            return
        with self.store.write_as_other() as connection:
            erase(connection, PUBLICATION, reader.id, self.clock.now)
        reader.id, reader.is_suppressed = None, True
        self._check()

    def _reader(self, number: int) -> Reader | None:
        return self.readers[number % len(self.readers)] if self.readers else None

    def _consent(self, action: ConsentAction) -> Consent:
        return Consent(at=self.clock.now, action=action, source="operator", origin="")

    # Operators

    def send(self, issue: int) -> None:
        """Start an issue's mailing, or join it; the text may have been edited meanwhile."""
        if self._is_unarmed():
            return
        text = f"issue {issue} as edited at {self.clock.true}"
        new = self._new_mailing(f"issue{issue}", "issue", text)
        new = msgspec.structs.replace(new, variants=SimulatedIssue(text))
        with self.store.write_as_other() as connection:
            made = start_issue_mailing(connection, PUBLICATION, new, self.clock.now)
        if made.id not in self.expected.mailings:
            mailing = self.expected.mailings[made.id] = Mailing(made.id, "issue", made.digest)
            mailing.texts.append(made.digest)
            gets = sort_out(each for each in self.readers if each.wants("issue"))
            wanted = [each for each in self.readers if each.id in gets]
            require(made.recipients == len(wanted), f"{made.recipients} rows of {len(wanted)}")
            self._expect_rows(mailing, {each.id: each for each in wanted})
            for delivery in self.expected.of(made.id):
                reader = delivery.reader
                delivery.gets = gets[reader.id] if reader is not None else None
        require(made.id == self._mailing_of(f"issue{issue}"), "an issue has two mailings")
        self._check()

    def send_single(self, number: int, purpose: str) -> None:
        """A confirmation or a notice to a reader, or an alert to an address."""
        reader = self._reader(number)
        if reader is None or reader.id is None or self._is_unarmed():
            return
        reader_of = None if purpose == "alert" else reader
        key = f"{purpose} {self.clock.true} {len(self.expected.mailings)}"
        new = self._new_mailing(key, purpose, key)
        with self.store.write_as_other() as connection:
            made = start_single_mailing(
                connection,
                PUBLICATION,
                new,
                self.clock.now,
                subscriber=reader_of.id if reader_of else None,
                address=None if reader_of else "operator@ops.example",
            )
        mailing = self.expected.mailings[made.id] = Mailing(made.id, purpose, made.digest)
        self._expect_rows(mailing, {reader.id: reader_of})
        self._check()

    def correct(self, issue: int, is_mailed: bool) -> None:
        """Let what is left be sent with another text, and tell those who have an earlier one."""
        rows = self.disk.run("SELECT id FROM mailing WHERE issue = ?", f"issue{issue}")
        if not rows or self._is_unarmed():
            return
        mailing, now = self.expected.mailings[rows[0][0]], self.clock.now
        version = f"{mailing.revision + 1:064d}"
        text = f"issue {issue} as corrected at {self.clock.true}, {version}"
        own = NewContent(version=version, digest=text, content=text.encode())
        new = self._new_mailing(key_of(f"issue{issue}", version[::-1]), "correction", text)
        # About one highlight, or about the issue's own words too.
        concerned = ("h2",) if mailing.revision % 3 else ()
        new = msgspec.structs.replace(new, version=version, highlights=concerned)
        variants = SimulatedIssue(text, version, mailing.revision + 1)
        made = None
        with self.store.write_as_other() as connection:
            require(
                revise_mailing(connection, PUBLICATION, mailing.id, own, now, variants) is not None,
                f"mailing {mailing.id} is not revised",
            )
            if is_mailed:
                made = start_correction_mailing(connection, PUBLICATION, new, now)
        mailing.revision, mailing.digest = mailing.revision + 1, text
        mailing.texts.append(text)
        if is_mailed:
            self._expect_correction(mailing, made, concerned)
        self._check()

    def _expect_correction(
        self, corrected: Mailing, made: StartedMailing | None, concerned: tuple[str, ...]
    ) -> None:
        those = self.expected.of(corrected.id)
        id = made.id if made else 0
        digest = made.digest if made else ""
        mailing = Mailing(id, "correction", digest, corrects=corrected)
        mailing.leads_to, mailing.concerned = corrected.revision, concerned
        awaited = [self.expected.await_correction(mailing, each) for each in those]
        is_any = any(awaited) or any(
            each.status == "sending"
            or (each.may_have_arrived and each.status in ("queued", "deferred", "failed"))
            for each in those
            if each.reader is not None and each.reader.wants("correction")
        )
        require(is_any == (made is not None), f"{awaited} are to be told, and {made} was made")
        if made is not None:
            require(made.recipients == sum(awaited), f"{made.recipients} rows of {awaited}")
            self.expected.mailings[made.id] = mailing

    def pause(self, number: int) -> None:
        self._change(number, "paused", "sending", "paused", "by an operator")

    def resume(self, number: int) -> None:
        self._change(number, "resumed", "paused", "sending")

    def _change(self, number: int, event: str, before: str, after: str, reason: str = "") -> None:
        mailing = self._mailing(number)
        if mailing is None:
            return
        with self.store.write_as_other() as connection:
            is_done = change_mailing(
                connection, PUBLICATION, mailing.id, event, self.clock.now, reason=reason
            )
        require(is_done == (mailing.status == before), f"{event} of a mailing {mailing.status}")
        if is_done:
            self.expected.pause(mailing, reason)
            mailing.status = after
        self._check()

    def cancel(self, number: int) -> None:
        mailing = self._mailing(number)
        if mailing is None or mailing.status not in ("sending", "paused"):
            return
        with self.store.write_as_other() as connection:
            change_mailing(connection, PUBLICATION, mailing.id, "stopped", self.clock.now)
            cancel_waiting(connection, PUBLICATION, mailing.id, self.clock.now)
        mailing.status = "cancelled"
        for each in self.expected.of(mailing.id):
            if each.status in ("queued", "deferred"):
                each.status, each.due = "cancelled", None
        self._check()

    def retry(self, number: int) -> None:
        self._queue_again(number, "failed", None)

    def resend_doubts(self, number: int) -> None:
        self._queue_again(number, "in_doubt", False)

    def mark_sent(self, number: int) -> None:
        self._queue_again(number, "in_doubt", True)

    def _queue_again(self, number: int, status: str, is_sent: bool | None) -> None:
        """As the commands `retry` and `resolve` do."""
        mailing = self._mailing(number)
        if mailing is None or (mailing.status == "cancelled" and not is_sent):
            return
        now, those = self.clock.now, self.expected.of(mailing.id)
        those = [each for each in those if each.status == status]
        with self.store.write_as_other() as connection:
            if is_sent is None:
                changed = retry_failed(connection, PUBLICATION, mailing.id, now)
            else:
                changed = resolve_doubts(connection, PUBLICATION, mailing.id, now, is_sent=is_sent)
            if changed and not is_sent:
                reopen_mailing(connection, PUBLICATION, mailing.id, now)
        require(changed == len(those), f"{changed} instead of {len(those)} are queued again")
        for each in those:
            _queue_again(each, is_sent)
        if those and not is_sent and mailing.status == "finished":
            mailing.status = "sending"
        self._check()

    def prove(self, number: int) -> None:
        """Something comes back of what the relay took of a mailing, heard or unheard."""
        mailing = self._mailing(number)
        if mailing is None:
            return
        those = [each for each in self.expected.of(mailing.id) if each.taken_by_relay]
        doubtful = [each for each in those if each.doubts and each.status in _DOUBTFUL]
        with self.store.write_as_other() as connection:
            proven = [
                each
                for each in those
                if prove(connection, PUBLICATION, each.id, "bounce", self.clock.now)
            ]
        require(proven == doubtful, f"{len(proven)} instead of {len(doubtful)} are proven")
        for each in proven:
            each.status, each.due = "sent", None
        self._check()

    def restore(self) -> None:
        """The database comes back from a backup: it sends nothing."""
        if self.process is not None:
            return
        with self.store.write_as_other() as connection:
            disarm(connection, PUBLICATION, self.clock.now)
        for mailing in self.expected.mailings.values():
            if mailing.status == "sending":
                self.expected.pause(mailing, RESTORED)
        self._check()

    def arm(self) -> None:
        with self.store.write_as_other() as connection:
            arm(connection, PUBLICATION, self.disk.place, self.clock.now)
        for mailing in self.expected.mailings.values():
            if mailing.status == "paused" and mailing.reason == RESTORED:
                mailing.status, mailing.reason = "sending", ""
        self._check()

    # The relay

    def relay_says(self, mood: str | None) -> None:
        """To everybody, until it says something else."""
        self.relay.mood = mood

    def domain_says(self, number: int, mood: str | None) -> None:
        domain = DOMAINS[number % len(DOMAINS)]
        self.relay.domain_moods.pop(domain, None)
        if mood is not None:
            self.relay.domain_moods[domain] = mood

    def reader_meets(self, number: int, *names: str) -> None:
        """What will be said to one reader's next messages, in this order."""
        if (reader := self._reader(number)) is not None:
            self.relay.scripts[reader.email].extend(names)

    def relay_is_slow(self, is_slow: bool) -> None:
        """A message takes a minute and more."""
        self.relay.is_slow = is_slow

    # The machine

    def start(self, rules: Rules) -> None:
        """A process takes the lock, if no other one lives."""
        if self.process is not None or self._is_unarmed():
            return
        self.expected.begin_process()
        process = Process(self.store, rules, self.relay, self.expected, self.chance)
        self.process = process
        try:
            process.recover(self.dead, self.begun)
            self.dead = None
        except Crash as crash:
            self._note_crash(process, crash, is_through=False)
            return
        self._check()

    def _note_crash(self, process: Process, crash: Crash, *, is_through: bool) -> None:
        begun = process.die(is_through=is_through)
        if process.has_recovered:
            self.dead, self.begun = process.rules, self._remember(begun)
        elif crash.is_durable:
            self.dead = None
        self.process = None
        self._check()

    def kill(self, *, is_through: bool) -> None:
        """`kill -9`; what was on its way is with the relay, or is not."""
        if self.process is None:
            return
        self.begun = self._remember(self.process.die(is_through=is_through))
        self.dead = self.process.rules
        self.process = None
        self._check()

    def _remember(self, begun: Begun) -> Begun | None:
        """The machine forgets where it goes down itself, and not only the process."""
        return None if self.chance.random() < 0.2 else begun

    def stop(self) -> None:
        """SIGTERM: what is in flight may end, and nothing new begins."""
        if self.process is not None:
            self.process.is_ending = True

    def fail_next_write(self, fault: str) -> None:
        """See Store."""
        if self.process is not None:
            self.store.fault = fault

    def fill_disk(self, seconds: float) -> None:
        """The delivery process can write nothing for so long."""
        self.store.full_until = self.clock.true + seconds

    def ambush(self, act: Callable[[], None]) -> None:
        """Let something happen between the dispatcher's look at the store and its next write."""
        if self.process is not None:
            self.store.ambush = act

    def jump(self, seconds: float) -> None:
        """The wall clock is set."""
        self.clock.ahead += seconds
        if self.process is not None:
            self.process.forget_rates()
            self.process.wake_at = self.clock.true

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        end = self.clock.true + seconds
        while (process := self.process) is not None:
            process.notice()
            if (upcoming := process.next_event()) > end:
                break
            self.clock.true = max(self.clock.true, upcoming)
            try:
                process.turn()
            except Crash as crash:
                is_through = self.chance.random() < 0.5
                self._note_crash(process, crash, is_through=is_through)
                break
            self._check()
            if process.is_over:
                self.process = None
        self.clock.true = end

    # The end

    def heal(self) -> None:
        """From now on all goes well."""
        self.relay.heal()
        self.store.fault, self.store.ambush, self.store.full_until = None, None, 0.0

    def finish(self, rules: Rules) -> None:
        """Heal the world, and require that everything comes to its end."""
        self._require_others_go_on(rules)
        self.heal()
        self.stop()
        self.advance(120)
        self.kill(is_through=True)
        self.start(rules)
        self._settle()
        for number in range(len(self.expected.mailings)):
            self.resume(number)
        self._settle()
        left = [each.id for each in self.expected.mailings.values() if each.status == "paused"]
        require(not left, f"mailings {left} are paused, and nothing was wrong")
        self.events = require_ledger(self.disk, self.expected)
        require_contents(self.disk, self.expected)

    def _require_others_go_on(self, rules: Rules) -> None:
        """With some domains slowed for long, everybody else is sent to."""
        moods = self.relay.domain_moods.items()
        still = {domain: mood for domain, mood in moods if mood.startswith("slower domain")}
        self.heal()
        self.relay.domain_moods |= still
        self.arm()
        self.start(rules)
        slow = {*still, *(self.process.slowed if self.process else ())}
        self.advance(400)
        slow |= self.process.slowed if self.process else set()
        waiting = [
            each.id
            for each in self.expected.deliveries.values()
            if each.status == "queued" and each.mailing.status == "sending"
            if each.domain not in slow
        ]
        is_up = self.process is not None and not self.process.is_ending
        require(not (is_up and waiting), f"{waiting} wait behind the slowed {sorted(slow)}")

    def _settle(self) -> None:
        for _ in range(60):
            open_ = [each for each in self.expected.mailings.values() if each.status == "sending"]
            if not open_:
                return
            self.advance(3600)
        require(False, f"mailings {[each.id for each in open_]} never finish")

    # Whether it is so

    def _check(self) -> None:
        """Compare every row with what it ought to be, where any has changed."""
        if (changes := self.disk.changes) == self.changes_seen:
            return
        self.changes_seen = changes
        newest = """SELECT m.id, m.status, COALESCE(c.digest, m.digest) FROM mailing AS m
            LEFT JOIN mailing_content AS c
                ON c.mailing = m.id AND c.revision = m.revision AND c.variant = 0"""
        rows = self.disk.run(newest)
        self.expected.find_rows(self.disk)
        awaited = self.expected.awaited
        require(not awaited, f"{awaited} are not told of a correction")
        columns = "id, status, attempts, doubts, breaks, revision, next_attempt_at"
        for id, status, *counts, due in self.disk.run(f"SELECT {columns} FROM delivery"):
            self.expected.compare_delivery(id, status, tuple(counts), _moment(due))
        for row in rows:
            self.expected.compare_mailing(*row)

    def _expect_rows(self, mailing: Mailing, readers: dict[int | None, Reader | None]) -> None:
        sql = "SELECT id, subscriber FROM delivery WHERE mailing = ?"
        rows = self.disk.run(sql, mailing.id)
        for id, subscriber in rows:
            reader = readers[subscriber] if mailing.purpose != "alert" else None
            email = reader.email if reader else "operator@ops.example"
            self.expected.deliveries[id] = Delivery(id, mailing, email, reader)
        require(len(rows) == len(readers), f"{len(rows)} rows for {len(readers)} readers")

    def _mailing(self, number: int) -> Mailing | None:
        """One of the mailings that operators deal with: of issues and of corrections."""
        those = [each for each in self.expected.mailings.values() if each.purpose in TO_MANY]
        return those[number % len(those)] if those else None

    def _mailing_of(self, issue: str) -> int:
        rows = self.disk.run("SELECT id FROM mailing WHERE issue = ?", issue)
        require(len(rows) == 1, f"{issue} has {len(rows)} mailings")
        return int(rows[0][0])

    def _new_mailing(self, issue: str, purpose: str, text: str) -> NewMailing:
        return NewMailing(
            ref=f"m{self.chance.getrandbits(60)}",
            issue=issue,
            slug=issue,
            purpose=purpose,  # type: ignore[arg-type]
            digest=text,
            content=text.encode(),
            domain="sample.example",
        )

    def _is_unarmed(self) -> bool:
        with self.disk.reading() as connection:
            return bool(find_unarmed(connection, self.disk.place))


def _queue_again(each: Delivery, is_sent: bool | None) -> None:
    if is_sent:
        each.status = "sent"
        return
    each.status, each.first = "queued", None
    each.most_taken += 1
    if is_sent is None:
        each.attempts = each.breaks = 0
    else:
        each.doubts = 0


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else _EPOCH + timedelta(milliseconds=milliseconds)
