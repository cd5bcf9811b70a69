"""The tree of expected errors: each becomes one clear message, never a traceback."""


class PublisherError(Exception):
    """Wrong usage, settings or state: exit status 2."""

    exit_status = 2


class SettingsError(PublisherError):
    """`publisher.toml` or an environment variable says something impossible."""
