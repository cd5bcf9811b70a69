"""What it takes to recognise, in what comes back, a delivery or a reader of ours."""

from publisher.audience.address import AddressError, address_hash, parse_address
from publisher.inbound.receive import Secrets
from publisher.runtime.start import load_keys
from publisher.settings import Settings
from publisher.store.database import Database
from publisher.store.keys import load_address_key


def load_secrets(database: Database, settings: Settings) -> Secrets:
    """The publication's secrets, made where there are none yet."""
    keys, address_key = load_keys(database, settings), load_address_key(database)

    def recognise(text: str) -> bytes | None:
        try:
            return address_hash(parse_address(text).key, address_key)
        except AddressError:
            return None

    return Secrets(links=keys.links, messages=keys.messages, recognise=recognise)
