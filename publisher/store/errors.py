"""What can be wrong with a database, in words."""

from publisher.errors import PublisherError


class StateError(PublisherError):
    """What is asked for is not possible as things stand; the message says what to do."""


class StoreError(PublisherError):
    """The database cannot be used as it is; the message says what to do."""
