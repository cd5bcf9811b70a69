"""What the subscribe form asks for, done a moment after its answer.

The answer waits for nothing that depends on the address, so it takes the same time for each; and
what is asked within a moment is done together, so that the next answer tells nothing either.
"""

import secrets
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

import msgspec
from sqlalchemy import Connection

from publisher.audience.address import Address, address_hash, limit_key
from publisher.audience.subscribing import make_refs, subscribe
from publisher.errors import PublisherError
from publisher.runtime.confirming import freeze_confirmation, start_confirmation
from publisher.settings import Settings
from publisher.store import requests
from publisher.store.database import Database
from publisher.store.keys import require_key
from publisher.web.public.pages import Tell

# What cannot be written for so long is let go: the form will be used again.
_KEPT = timedelta(minutes=10)
_FORGET = timedelta(minutes=1)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody typed an address into the form."""

    address: Address
    name: str
    client: str
    at: datetime


class Asking:
    """Takes what is asked for from the server's thread, and does it in another one."""

    def __init__(self, database: Database, settings: Settings, folder: Path, tell: Tell) -> None:
        self._database = database
        self._settings = settings
        self._folder = folder
        self._tell = tell
        self._waiting: deque[Asked] = deque()
        self._working = Lock()
        self._forgotten_at = datetime.min.replace(tzinfo=UTC)
        with database.write() as connection:
            self._secret = require_key(connection, "address-key", secrets.token_bytes)
        self._content = b""
        self.prepare()

    @property
    def is_ready(self) -> bool:
        """Tell whether confirmations can be made; if not, nobody can subscribe."""
        return bool(self._content)

    def prepare(self) -> None:
        """Make the message that asks to confirm, of the templates as they are now."""
        try:
            for key, value in (
                ("email.from", self._settings.email.from_),
                ("email.postal_address", self._settings.email.postal_address.strip()),
            ):
                if not value:
                    raise PublisherError(f"publisher.toml: {key} is not set")
            self._content = freeze_confirmation(self._folder, self._settings)
        except PublisherError as error:
            self._content = b""
            self._tell(f"nobody can subscribe: {error}")

    def put(self, asked: Asked) -> None:
        """Take a wish, to be done with the next ones."""
        self._waiting.append(asked)

    def work_off(self) -> int:
        """Do all that is waiting; gives how many confirmations that made."""
        made = 0
        with self._working:
            while self._waiting and self._content:
                asked = self._waiting[0]
                try:
                    made += self._do(asked)
                except PublisherError as error:
                    self._tell(str(error))
                    if datetime.now(UTC) - asked.at < _KEPT:
                        break  # the next time, perhaps
                except Exception as error:  # a defect, which is not to keep the next one waiting
                    self._tell(f"a defect of publisher: {type(error).__name__}")
                self._waiting.popleft()
        return made

    def _do(self, asked: Asked) -> bool:
        now = datetime.now(UTC)
        with self._database.write() as connection:
            if now - self._forgotten_at > _FORGET:
                requests.forget_old(connection, self._database.publication, now)
                self._forgotten_at = now
            return self._settle(connection, asked, now)

    def _settle(self, connection: Connection, asked: Asked, now: datetime) -> bool:
        """Start a confirmation where one is due. In one transaction: nobody else asks between."""
        publication = self._database.publication
        hash = address_hash(limit_key(asked.address), self._secret)
        if requests.has_any(connection, publication, hash, now):
            return False
        requests.record(connection, publication, "subscribe", hash, now)
        result = subscribe(
            connection,
            publication,
            asked.address,
            asked.name,
            secret=self._secret,
            ref=make_refs(secrets.token_bytes, 1)[0],
            at=now,
            source="form",
            origin=asked.client,
            action="asked",
            is_returning=True,
        )
        subscriber = result.subscriber
        if result.outcome == "suppressed" or subscriber is None:
            return False
        if subscriber.status != "unconfirmed":
            return False
        start_confirmation(connection, publication, self._settings, self._content, subscriber, now)
        return True
