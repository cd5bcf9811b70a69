"""The database's own secrets, each made when it is first asked for and kept for good."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from secrets import token_bytes
from typing import Literal

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from publisher.store import schema as s
from publisher.store.database import Database

# What each signs: addresses as they are remembered once erased, links in mail, the ids by which a
# bounce names its delivery, and the console's forms.
KeyName = Literal["address-key", "link-key", "message-key", "console-key"]

KEY_BYTES = 32


def find_key(connection: Connection, name: KeyName) -> bytes | None:
    """A key, where it was made already."""
    found = select(s.installation.c.value).where(s.installation.c.key == name)
    value = connection.execute(found).scalar()
    return None if value is None else b64decode(value)


def require_key(connection: Connection, name: KeyName, chance: Callable[[int], bytes]) -> bytes:
    """A key, made of `chance(KEY_BYTES)` where there is none. The connection writes."""
    if (key := find_key(connection, name)) is not None:
        return key
    made = b64encode(chance(KEY_BYTES)).decode()
    connection.execute(insert(s.installation).values(key=name, value=made).on_conflict_do_nothing())
    return require_key(connection, name, chance)


def load_address_key(database: Database, chance: Callable[[int], bytes] = token_bytes) -> bytes:
    """The key of the addresses' hashes, made when it is first asked for."""
    with database.read() as connection:
        if key := find_key(connection, "address-key"):
            return key
    with database.write() as connection:
        return require_key(connection, "address-key", chance)
