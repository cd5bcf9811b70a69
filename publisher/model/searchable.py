"""What can be found by its words."""

import msgspec


class Searchable(msgspec.Struct, frozen=True, kw_only=True):
    """A highlight as search knows it; the issue itself where `id` is empty.

    `tags` are their labels in a line, `text` is all that it says, as plain text.
    """

    id: str
    title: str
    source: str
    tags: str
    text: str
    language: str

    @property
    def labels(self) -> str:
        """Where it belongs: its source and its tags."""
        return f"{self.source} {self.tags}".strip()
