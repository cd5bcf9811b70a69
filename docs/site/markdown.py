"""Markdown -> HTML, as a repository's readers know it: headings with anchors, tables, links."""

import posixpath
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

_TRANSITION = re.compile(r"^\s*(\S+) --> (\w+)(?:: (\w+))?$", re.M)


def render(text: str, source: str, path: str, places: Mapping[str, str]) -> str:
    """Render a page.

    `source` is its file, from which its links lead; `path` where the page will be; `places` says
    of each file where its page is. What they lead to besides is named by its own path.
    """
    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    markdown.add_render_rule("fence", _fence)
    markdown.add_render_rule("table_open", _table_open)
    tokens = markdown.parse(text)
    _anchor(tokens)
    for token in tokens:
        for child in token.children or ():
            _lead(child, source, path, places)
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def _anchor(tokens: Sequence[Token]) -> None:
    """Give headings the ids that repositories give them, for the links that name these."""
    seen: dict[str, int] = {}
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            slug = slugify(plain(tokens[place + 1]))
            count = seen[slug] = seen.get(slug, -1) + 1
            token.attrSet("id", f"{slug}-{count}" if count else slug)


def plain(inline: Token) -> str:
    """An inline token's words."""
    return "".join(child.content for child in inline.children or ())


def slugify(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _lead(token: Token, source: str, path: str, places: Mapping[str, str]) -> None:
    """Let a link or an image lead to where its file will be."""
    name = {"link_open": "href", "image": "src"}.get(token.type)
    target = str(token.attrGet(name) or "") if name else ""
    if not name or not target or re.match(r"[a-z][a-z0-9+.-]*:|#", target):
        return
    file, mark, fragment = target.partition("#")
    found = posixpath.normpath(posixpath.join(posixpath.dirname(source), file))
    folder = f"{found}/" if file.endswith("/") else found
    there = places.get(folder, found)
    relative = posixpath.relpath(there, posixpath.dirname(path) or ".")
    token.attrSet(name, f"{relative}{mark}{fragment}")


def _table_open(*_: Any) -> str:
    # Wide ones scroll by themselves; by keyboard too.
    return '<table tabindex="0">\n'


def _fence(renderer: Any, tokens: Sequence[Token], place: int, *_: Any) -> str:
    token = tokens[place]
    if token.info == "mermaid":
        return _transitions(token.content)
    return f'<pre tabindex="0"><code>{escape(token.content, quote=False)}</code></pre>\n'


def _transitions(diagram: str) -> str:
    """A state diagram, which takes a script to be drawn, as a table."""
    rows = "".join(
        f"<tr><td>{_state(before)}</td><td>{escape(why)}</td><td>{_state(after)}</td></tr>\n"
        for before, after, why in _TRANSITION.findall(diagram)
    )
    return (
        '<table tabindex="0">\n<thead><tr><th>from</th><th>by</th><th>to</th></tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table>\n"
    )


def _state(name: str) -> str:
    return "the beginning" if name == "[*]" else escape(name)
