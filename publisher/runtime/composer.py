"""A taken delivery -> its message: what the mailing froze, and what stands only in this one's."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path

import msgspec

from publisher.errors import SettingsError
from publisher.message.dkim import DEFAULT_HEADERS, Signer, make_signer
from publisher.message.freeze import Template, thaw
from publisher.message.ids import message_id, verp
from publisher.message.links import Purpose as LinkPurpose
from publisher.message.links import sign_token
from publisher.message.splice import Message, Recipient, Unfinished, prepare
from publisher.settings import DkimKey, Settings
from publisher.store.contents import load_frozen
from publisher.store.database import Database
from publisher.store.deliveries import Original, Taken

# No database counts further.
_LONGEST_NUMBER = 2**63 - 1
# An issue's variants and the single messages that go out beside it.
_TEMPLATES = 128
# Whose messages have a name in them, and a link to unsubscribe. A trial is one for nobody.
_TO_SUBSCRIBERS = ("issue", "weekly", "correction", "welcome", "test")
# The links of single messages: what a slot of their content holds the token for.
LINK_SLOTS: dict[str, LinkPurpose] = {
    "confirm_url": "confirm",
    "preferences_url": "preferences",
    "address_url": "address",
}


class Keys(msgspec.Struct, frozen=True):
    """The secrets that a message is made with: for its links, the newest first, and for its ids."""

    links: Sequence[bytes]
    messages: bytes


class _Frozen(msgspec.Struct, frozen=True):
    template: Template
    ref: str
    domain: str
    date: datetime


class Composer:
    """Makes messages, in any thread."""

    def __init__(self, database: Database, settings: Settings, keys: Keys, folder: Path) -> None:
        self._database = database
        self._web_url = settings.web_url
        self._keys = keys
        self.signers = load_signers(settings, folder)
        self._return_path = envelope_sender(settings)
        self._is_verp = settings.email.verp
        self._load = lru_cache(maxsize=_TEMPLATES)(self._read)

    def compose(self, taken: Taken) -> Message:
        """Make the message. Raises ValueError where what the store holds makes none."""
        return self.prepare(taken).sign()

    def prepare(self, taken: Taken) -> Unfinished:
        """Make the message but for its signatures. Raises ValueError as compose does."""
        frozen = self._load(taken.mailing, taken.revision, taken.variant)
        # Who asks on the form can write anything into the name, and for anybody's address.
        name = taken.name if taken.purpose in _TO_SUBSCRIBERS else ""
        recipient = Recipient(
            email=taken.email,
            name=name,
            message_id=message_id(frozen.ref, taken.id, self._keys.messages, frozen.domain),
            values=self._values(taken, name, frozen.template.slots),
            return_path=self._sender_of(taken),
            in_reply_to=self._name(taken.about) if taken.about else "",
        )
        return prepare(frozen.template, recipient, frozen.date, self.signers)

    def _name(self, about: Original) -> str:
        """The Message-ID of the message that this one answers."""
        return message_id(about.ref, about.id, self._keys.messages, about.domain)

    def _read(self, mailing: int, revision: int, variant: int) -> _Frozen:
        with self._database.read() as connection:
            row = load_frozen(connection, mailing, revision, variant)
        return _Frozen(thaw(row.content), row.ref, row.domain, row.created_at)

    def _sender_of(self, taken: Taken) -> str:
        if not self._is_verp:
            return self._return_path
        return verp(self._return_path, taken.id, self._keys.messages)

    def _values(self, taken: Taken, name: str, slots: frozenset[str]) -> dict[str, str]:
        """What the slots hold; each token names the reader and the message that carries it."""
        subject = f"{taken.subscriber_ref}.{taken.id}"
        values = {"name": name}
        if taken.purpose in _TO_SUBSCRIBERS:
            token = sign_token("unsubscribe", subject, self._keys.links)
            values["unsubscribe_token"] = token
            values["unsubscribe_url"] = f"{self._web_url}/unsubscribe/{token}"
        for slot, purpose in LINK_SLOTS.items():
            if slot in slots:
                token = sign_token(purpose, subject, self._keys.links)
                values[slot] = f"{self._web_url}/{purpose}/{token}"
        return values


def envelope_sender(settings: Settings) -> str:
    """Where bounces go: the return path, or else the sender's address."""
    return parseaddr(settings.email.return_path or settings.email.from_)[1]


def require_verp(settings: Settings) -> None:
    """Raise SettingsError where the return path leaves no room for a delivery's number in it."""
    if not settings.email.verp:
        return
    try:
        verp(envelope_sender(settings), _LONGEST_NUMBER, b"")
    except ValueError as error:
        raise SettingsError(
            f"publisher.toml: email.verp: {error}; let email.return_path be an address whose part"
            " before the @ is short"
        ) from None


def load_signers(settings: Settings, folder: Path) -> tuple[Signer, ...]:
    """The DKIM keys of the settings, RSA's first; none where there is no `[dkim]`.

    Raises SettingsError for a key that cannot be read or used.
    """
    dkim = settings.dkim
    if dkim is None or not dkim.private_key:
        return ()
    signers = [_load_signer("dkim", dkim, dkim, folder)]
    if dkim.ed25519 is not None:
        signers.append(_load_signer("dkim.ed25519", dkim.ed25519, dkim, folder))
    return tuple(signers)


def _load_signer(table: str, key: DkimKey, common: DkimKey, folder: Path) -> Signer:
    """A table's signer; what the second key leaves out is as with the first."""
    path = folder / key.private_key
    headers = key.headers or common.headers or DEFAULT_HEADERS
    try:
        pem = path.read_bytes()
        return make_signer(key.domain or common.domain, key.selector, pem, headers)
    except OSError as error:
        raise SettingsError(
            f"publisher.toml: {table}.private_key: {path} cannot be read: {error.strerror}"
        ) from None
    except ValueError as error:
        raise SettingsError(f"publisher.toml: {table}: {error}") from None
