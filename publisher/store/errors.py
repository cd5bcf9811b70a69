"""What can be wrong with a database, in words."""

from publisher.errors import PublisherError


class StoreError(PublisherError):
    """The database cannot be used as it is; the message says what to do."""
