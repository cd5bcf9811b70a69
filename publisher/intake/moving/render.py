"""Markdown of other dialects -> HTML, so that one reader reads all posts."""

from functools import cache

from markdown_it import MarkdownIt


@cache
def _markdown() -> MarkdownIt:
    """CommonMark with raw HTML, tables and strikethrough: what all of those dialects share."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def to_html(text: str) -> str:
    return str(_markdown().render(text))
