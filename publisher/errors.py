"""The tree of expected errors: each becomes one clear message, never a traceback."""

from publisher.model.problem import Problem


class PublisherError(Exception):
    """Wrong usage, settings or state: exit status 2."""

    exit_status = 2


class SettingsError(PublisherError):
    """`publisher.toml` or an environment variable says something impossible."""


class ContentError(PublisherError):
    """The content has problems of level error: exit status 1. Nothing was changed."""

    exit_status = 1

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("the content has errors")
        self.problems = problems
