"""What is asked for on forms, done a moment after its answer.

The answer waits for nothing that depends on the address: a wish is written down, whoever's it is,
and what becomes of it is decided afterwards, so that no answer tells anything. It is kept until it
is done, also where the process ends before.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

import msgspec

from publisher.errors import PublisherError
from publisher.runtime.single import Singles
from publisher.runtime.welcoming import Welcome, Welcoming, start_welcome
from publisher.settings import Settings
from publisher.store import requests, wishes
from publisher.store.database import Database
from publisher.store.errors import StoreError
from publisher.store.keys import require_key
from publisher.store.subscribers import find_by_id
from publisher.store.welcomes import find_newest_issue
from publisher.store.wishes import NewWish, Wish
from publisher.web.public.granting import Granting, grant_link, grant_move, grant_subscription
from publisher.web.public.pages import Tell

# Who asked longer ago has asked again, or does not expect it any more.
_KEPT = timedelta(hours=24)
_FORGET = timedelta(minutes=1)

_GRANTS: dict[wishes.WishKind, Callable[[Granting, Wish], bool]] = {
    "subscribe": grant_subscription,
    "preferences": grant_link,
    "address": grant_move,
}


class Means(msgspec.Struct, frozen=True):
    """What links are acted on with: the key of addresses, messages, and whether to welcome."""

    secret: bytes
    singles: Singles
    is_welcoming: bool


class Asking:
    """Keeps wishes, and does what they ask for, in threads other than the server's."""

    def __init__(self, database: Database, settings: Settings, folder: Path, tell: Tell) -> None:
        self._database = database
        self._settings = settings
        self._folder = folder
        self._tell = tell
        self._working = Lock()
        self._forgotten_at = datetime.min.replace(tzinfo=UTC)
        self._told = ""
        self._welcoming = Welcoming(folder, tell)
        with database.write() as connection:
            self.secret = require_key(connection, "address-key", secrets.token_bytes)
        self._singles: Singles | None = None
        self.prepare()

    @property
    def is_ready(self) -> bool:
        """Tell whether messages can be made; if not, nobody can subscribe."""
        return self._singles is not None

    @property
    def means(self) -> Means | None:
        """What links are acted on with; None where no message can be made."""
        if (singles := self._singles) is None:
            return None
        return Means(self.secret, singles, self._settings.email.welcome)

    def prepare(self) -> None:
        """Make the messages, of the templates as they are now."""
        try:
            for key, value in (
                ("email.from", self._settings.email.from_),
                ("email.postal_address", self._settings.email.postal_address.strip()),
            ):
                if not value:
                    raise PublisherError(f"publisher.toml: {key} is not set")
            singles = Singles(self._folder, self._settings)
            for kind in ("confirmation", "preferences", "address", "moved", "greeting"):
                singles.freeze(kind)
            self._singles = singles
        except PublisherError as error:
            self._singles = None
            self._tell(f"nobody can subscribe: {error}")

    def keep(self, wish: NewWish) -> None:
        """Write a wish down; it is durable when this returns."""
        with self._database.write() as connection:
            wishes.add(connection, self._database.publication, wish)

    def work_off(self) -> int:
        """Do all that is wished; gives how many messages that made."""
        made = after = 0
        with self._working:
            try:
                while self._singles and (wish := self._find_next(after)):
                    after = wish.id
                    made += self._try(wish, self._singles)
            except StoreError as error:  # the next time, perhaps
                self._complain(str(error))
        return made

    def _try(self, wish: Wish, singles: Singles) -> bool:
        try:
            is_made = self._do(wish, singles)
        except StoreError:
            raise
        except PublisherError as error:  # it waits for better templates; the others do not
            self._complain(str(error))
            return False
        except Exception as error:  # a defect, which is not to keep the next one waiting
            self._tell(f"a defect of publisher: {type(error).__name__}")
            self._give_up(wish)
            return False
        self._told = ""
        return is_made

    def _complain(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._tell(text)

    def _find_next(self, after: int) -> Wish | None:
        with self._database.read() as connection:
            return wishes.find_next(connection, self._database.publication, after)

    def _do(self, wish: Wish, singles: Singles) -> bool:
        now = datetime.now(UTC)
        if wish.kind == "welcome":
            return self._welcome(wish, singles, now)
        with self._database.write() as connection:
            if now - self._forgotten_at > _FORGET:
                requests.forget_old(connection, self._database.publication, now)
                self._forgotten_at = now
            if not wishes.forget(connection, wish.id) or now - wish.at > _KEPT:
                return False
            it = Granting(
                connection=connection,
                publication=self._database.publication,
                singles=singles,
                secret=self.secret,
                now=now,
            )
            return _GRANTS[wish.kind](it, wish)

    def _welcome(self, wish: Wish, singles: Singles, now: datetime) -> bool:
        """Render what takes longer before the transaction that decides."""
        publication, subscriber = self._database.publication, wish.subscriber or 0
        with self._database.read() as connection:
            found = find_by_id(connection, publication, subscriber)
            newest = find_newest_issue(connection, publication)
        welcome = Welcome()
        if found and newest:
            welcome = self._welcoming.render(singles, newest, found.language, now)
        with self._database.write() as connection:
            found = find_by_id(connection, publication, subscriber)
            if not wishes.forget(connection, wish.id) or now - wish.at > _KEPT:
                return False
            if found is None or found.status != "confirmed" or found.is_suppressed:
                return False
            return start_welcome(connection, publication, singles, found, newest, welcome, now)

    def _give_up(self, wish: Wish) -> None:
        with self._database.write() as connection:
            wishes.forget(connection, wish.id)
