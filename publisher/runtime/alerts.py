"""What an operator should know at once: told once, by mail and by webhook, until it is over.

A webhook gets a POST with JSON: `kind`, `about`, `text`, `at`, `publication`. The heartbeat's URL
is fetched after each good firing, so that its absence can be noticed elsewhere.
"""

import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parseaddr

import httpx
from sqlalchemy import Connection

from publisher.errors import SettingsError
from publisher.message.freeze import Draft
from publisher.model.plan import LATEST, Plan
from publisher.runtime.log import Line
from publisher.runtime.over import OF_FIRINGS, PLANNED, WEBHOOK, find_over, name_firing, name_plan
from publisher.runtime.planned import ToldPlan
from publisher.runtime.scheduler import Told
from publisher.runtime.start import freeze_draft, make_ref, new_mailing, require_sendable
from publisher.settings import Settings
from publisher.store.alerts import (
    clear_alert,
    find_doubts,
    find_paused,
    find_raised,
    raise_alert,
    was_raised,
)
from publisher.store.database import Database
from publisher.store.place_file import FilePlace
from publisher.store.starting import start_single_mailing

_SECONDS = 10.0
_TRIES = 2
# Less than this, and a mailing's ledger may not fit any more: some 300 bytes for each reader.
_LEAST_FREE = 500_000_000

Say = Callable[[str], None]


class Alerts:
    """Tells an operator; what was told is in the database, so that each thing is told once."""

    def __init__(self, database: Database, settings: Settings, say: Say) -> None:
        self.database = database
        self.settings = settings
        self.say = say

    def hear_schedule(self, told: Told, now: datetime) -> None:
        """What a schedule has to tell: a good firing is a heartbeat, the rest is an alert.

        A firing is told of once, over or not, and not as missed where it was told of before.
        """
        about = name_firing(told.schedule, told.occurrence.wall)
        self.say(Line(f"{about}: {told.event}: {told.reason}", "schedule"))
        if told.event == "fired":
            self._call_heartbeat()
            return
        kind = OF_FIRINGS[told.event]
        kinds = OF_FIRINGS.values() if told.event == "missed" else (kind,)
        with self.database.read() as connection:
            if was_raised(connection, self.database.publication, kinds, about):
                return
        self.tell(kind, about, f"The schedule {about}: {told.reason}", now)

    def hear_planned(self, told: ToldPlan, now: datetime) -> None:
        """What a planned send has to tell: one that is not started as planned is an alert."""
        plan = told.plan
        about = f"{plan.slug} {plan.planned_at.isoformat(timespec='seconds')}"
        said = f"planned send of {about}: {plan.status}{f': {plan.reason}' * bool(plan.reason)}"
        self.say(Line(said, "planned-send"))
        if plan.status == "started":
            return
        text = f"The planned send of {about} by {plan.who}: {plan.reason}"
        if plan.status == "waiting":
            text = f"{text}; it is tried again until {_say_end(plan)}"
        self.tell(PLANNED, name_plan(plan), text, now)

    def look(self, now: datetime) -> bool:
        """Look for mailings that wait for an operator, and for a disk that is nearly full.

        What was told and is over is noted.
        Tells whether there was something to tell.
        """
        with self.database.read() as connection:
            paused = find_paused(connection, self.database.publication)
            doubts = find_doubts(connection, self.database.publication)
            over = find_over(connection, self.database.publication, self.settings, now)
        for each in over:
            self._clear(each.kind, each.about, now)
        words = {
            each.ref: f"The mailing of {each.name} is paused: {each.reason or 'no reason given'}."
            for each in paused
        }
        has_told = self._tell_while("mailing-paused", words, now)
        words = {
            each.ref: f"Of the mailing of {each.name}, {each.doubts:,} in doubt are held:"
            f" `publisher resolve {each.name}` settles them."
            for each in doubts
        }
        has_told |= self._tell_while("doubts-held", words, now)
        place = self.database.place
        free = shutil.disk_usage(place.folder).free
        where = "the database is" if isinstance(place, FilePlace) else "the publication is"
        text = f"Only {free // 1_000_000:,} MB are free where {where}."
        words = {"disk": text} if free < _LEAST_FREE else {}
        return self._tell_while("disk-nearly-full", words, now) or has_told

    def note_relays(self, troubles: Mapping[str, str], now: datetime) -> None:
        """Tell that relays cannot be used, and note when they can again."""
        self._tell_while("relay-down", troubles, now)

    def warn_of_webhook(self, host: str, text: str, now: datetime) -> None:
        """Tell what a webhook was not told of; without a text, note that it hears us again."""
        if text:
            self.tell(WEBHOOK, host, text, now)
        elif host in self._raised(WEBHOOK):
            self._clear(WEBHOOK, host, now)

    def _tell_while(self, kind: str, words: Mapping[str, str], now: datetime) -> bool:
        """Tell what is so of a kind, and note what is so no more. `words` are by what it is."""
        raised = self._raised(kind)
        new = sorted(words.keys() - raised)
        for about in new:
            self.tell(kind, about, words[about], now)
        for about in sorted(raised - words.keys()):
            self._clear(kind, about, now)
        return bool(new)

    def _clear(self, kind: str, about: str, now: datetime) -> None:
        with self.database.write() as connection:
            clear_alert(connection, self.database.publication, kind, about, now)
        self.say(Line(f"alert over: {kind}: {about}", "alert"))

    def _raised(self, *kinds: str) -> set[str]:
        with self.database.read() as connection:
            return find_raised(connection, self.database.publication, kinds)

    def tell(self, kind: str, about: str, text: str, now: datetime) -> None:
        """Tell something, unless it was told before and is not over yet."""
        with self.database.write() as connection:
            if not raise_alert(connection, self.database.publication, kind, about, now):
                return
            # With the note that it was told: a crash between the two would keep it to itself.
            fault = self._mail(connection, text, now)
        self.say(Line(f"alert: {text}", "alert", "warning"))
        if fault:
            self.say(f"alerts.email cannot be mailed to: {fault}")
        self._post(kind, about, text, now)

    def _mail(self, connection: Connection, text: str, now: datetime) -> str:
        """Put a message into the lane ahead of mailings; it goes when the relay can be reached.

        Gives why it cannot be: an alert that waits until there are settings is of no use then.
        """
        to = parseaddr(self.settings.alerts.email)[1]
        if not to:
            return ""
        try:
            require_sendable(self.settings)
            content = freeze_draft(self._draft(text))
        except SettingsError as error:
            return str(error)
        new = new_mailing(content, self.settings, f"alert-{make_ref()}", "alert", "alert")
        start_single_mailing(connection, self.database.publication, new, now, address=to)
        return ""

    def _draft(self, text: str) -> Draft:
        sender = self.settings.email.from_
        # A reason may quote what an operator wrote, or a file's name.
        printable = "".join(each if each.isprintable() else " " for each in text)
        title = self.settings.publication.title
        return Draft(
            sender=sender,
            subject=f"{title}: {printable.partition(': ')[0].rstrip('.')}",
            html="",
            text=f"{printable}\n",
            language="en",
            domain=parseaddr(sender)[1].rpartition("@")[2],
            slots={},
            auto_submitted="auto-generated",
        )

    def _post(self, kind: str, about: str, text: str, now: datetime) -> None:
        if url := self.settings.alerts.webhook:
            document = {
                "kind": kind,
                "about": about,
                "text": text,
                "at": now.isoformat(),
                "publication": self.settings.publication.id,
            }
            self._call("alerts.webhook", lambda: httpx.post(url, json=document, timeout=_SECONDS))

    def _call_heartbeat(self) -> None:
        if url := self.settings.alerts.heartbeat:
            self._call("alerts.heartbeat", lambda: httpx.get(url, timeout=_SECONDS))

    def _call(self, key: str, call: Callable[[], httpx.Response]) -> None:
        """Call a URL of the settings. Its fault is said, and stops nothing."""
        for _ in range(_TRIES):
            try:
                answer = call()
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                fault = type(error).__name__
                continue
            if answer.is_success:
                return
            fault = f"it answered {answer.status_code}"
        self.say(f"{key} could not be called: {fault}")


def _say_end(plan: Plan) -> str:
    return (plan.due_at + LATEST).isoformat(timespec="minutes")
