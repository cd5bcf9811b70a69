"""Blocks -> HTML: escaped as it is written, then held against nh3's list of what may stand."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise

import msgspec
import nh3
from markupsafe import Markup, escape

from publisher.model import content as c
from publisher.model.issue import Image
from publisher.render.urls import LINK_SCHEMES

_TAGS = {
    *("p", "br", "em", "strong", "s", "code", "a", "img", "pre", "blockquote", "ul", "ol", "li"),
    *("hr", "table", "thead", "tbody", "tr", "th", "td", "h2", "h3", "h4", "h5", "h6"),
}
# No style attribute: premailer's cache would mix it with selectors.
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height", "loading"},
    "ol": {"start"},
    "th": {"align", "scope"},
    "td": {"align"},
}
_KEPT_LENGTH = 10_000
# Made once: to hand it the lists takes longer than to hold a highlight against them.
_CLEANER = nh3.Cleaner(
    tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=set(LINK_SCHEMES), link_rel=None
)


class Target(msgspec.Struct, frozen=True):
    """How a rendition wants its content.

    `link` and `image` resolve what was written to an absolute URL (empty: show the text alone)
    and to an image with its sizes (None: show its alternative text). `heading` is the level, 2
    to 6, of the first heading inside the content. `is_lazy` lets a browser fetch images late.
    """

    link: Callable[[str], str]
    image: Callable[[str], Image | None]
    heading: int = 3
    is_lazy: bool = False


def render_html(blocks: c.Blocks, target: Target) -> Markup:
    """Render blocks as sanitised HTML, one block a line."""
    return sanitise("\n".join(render_block_list(blocks, target)))


def sanitise(html: str) -> Markup:
    """Hold HTML against the list of what may stand in content."""
    return _sanitise(html) if len(html) <= _KEPT_LENGTH else _sanitise.__wrapped__(html)


# Most highlights are the same on their own page, on their issue's, in feeds and in the message.
@lru_cache(maxsize=256)
def _sanitise(html: str) -> Markup:
    return Markup(_CLEANER.clean(html))  # noqa: S704 - this is what the sanitiser let through


def render_block_list(blocks: c.Blocks, target: Target) -> list[str]:
    """Render each top-level block by itself, headings levelled over all of them."""
    writer = _Writer(target, _close_gaps(list(_levels(blocks)), target.heading))
    return [writer.block(block) for block in blocks]


def _levels(blocks: c.Blocks) -> Iterator[int]:
    for block in blocks:
        if isinstance(block, c.Heading):
            yield block.level
        elif isinstance(block, c.Quote):
            yield from _levels(block.children)
        elif isinstance(block, c.List):
            for item in block.items:
                yield from _levels(item)


def _close_gaps(levels: list[int], base: int) -> Iterator[int]:
    """Map written heading levels to rendered ones that start at `base` and never skip one."""
    shown: list[int] = []
    top = min(levels, default=0)
    for level in levels:
        wanted = base + level - top
        shown.append(min(wanted, (shown[-1] if shown else base - 1) + 1, 6))
    return iter(shown)


class _Writer:
    def __init__(self, target: Target, heading_levels: Iterator[int]) -> None:
        self.target = target
        self.heading_levels = heading_levels

    def blocks(self, blocks: c.Blocks) -> str:
        return "\n".join(self.block(block) for block in blocks)

    def block(self, block: c.Block) -> str:
        match block:
            case c.Paragraph(children):
                return f"<p>{self.inlines(children)}</p>"
            case c.Heading(_, children):
                level = next(self.heading_levels)
                return f"<h{level}>{self.inlines(children)}</h{level}>"
            case c.Quote(children):
                return f"<blockquote>{self.blocks(children)}</blockquote>"
            case c.CodeBlock(text):
                return f"<pre><code>{escape(text)}</code></pre>"
            case c.List():
                return self.list(block)
            case c.Rule():
                return "<hr>"
            case c.Table():
                return self.table(block)

    def list(self, block: c.List) -> str:
        name = "ol" if block.is_ordered else "ul"
        start = f' start="{block.start}"' if block.is_ordered and block.start != 1 else ""
        items = "".join(f"<li>{self.item(item, block.is_tight)}</li>" for item in block.items)
        return f"<{name}{start}>{items}</{name}>"

    def item(self, blocks: c.Blocks, is_tight: bool) -> str:
        return "\n".join(
            self.inlines(block.children)
            if is_tight and isinstance(block, c.Paragraph)
            else self.block(block)
            for block in blocks
        )

    def table(self, block: c.Table) -> str:
        head = "".join(map(self.heading_cell, block.header, block.aligns))
        rows = "".join(
            f"<tr>{''.join(map(self.cell, row, block.aligns))}</tr>" for row in block.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    def heading_cell(self, cell: tuple[c.Inline, ...], align: c.Align) -> str:
        """A heading without words heads nothing, and screen readers would announce it."""
        words = self.inlines(cell)
        return f'<th scope="col"{_align(align)}>{words}</th>' if words else "<td></td>"

    def cell(self, cell: tuple[c.Inline, ...], align: c.Align) -> str:
        return f"<td{_align(align)}>{self.inlines(cell)}</td>"

    def inlines(self, children: tuple[c.Inline, ...]) -> str:
        return "".join(map(self.inline, join_lines(children)))

    def inline(self, node: c.Inline) -> str:
        match node:
            case c.Text(text):
                return escape(text)
            case c.Code(text):
                return f"<code>{escape(text)}</code>"
            case c.Break(is_hard):
                return "<br>\n" if is_hard else "\n"
            case c.Emphasis(children):
                return f"<em>{self.inlines(children)}</em>"
            case c.Strong(children):
                return f"<strong>{self.inlines(children)}</strong>"
            case c.Strike(children):
                return f"<s>{self.inlines(children)}</s>"
            case c.Link(href, title, children):
                text = self.inlines(children)
                url = self.target.link(href)
                return f'<a href="{escape(url)}"{_title(title)}>{text}</a>' if url else text
            case c.Picture(src, alt, title):
                return self.picture(src, alt, title)

    def picture(self, src: str, alt: str, title: str) -> str:
        image = self.target.image(src)
        if image is None:
            return escape(alt)
        size = f' width="{image.width}" height="{image.height}"' if image.width else ""
        lazy = ' loading="lazy"' if self.target.is_lazy else ""
        return f'<img src="{escape(image.src)}" alt="{escape(alt)}"{_title(title)}{size}{lazy}>'


def _title(title: str) -> str:
    return f' title="{escape(title)}"' if title else ""


def _align(align: str) -> str:
    return f' align="{align}"' if align else ""


def _is_cjk(character: str) -> bool:
    """Tell whether a line may end after this character without a space being meant."""
    return (
        "\u2e80" <= character <= "\u9fff"
        or "\uf900" <= character <= "\ufaff"
        or ("\uff00" <= character <= "\uffef" or "\U00020000" <= character <= "\U0003ffff")
    )


def join_lines(children: tuple[c.Inline, ...]) -> Iterator[c.Inline]:
    """Drop a soft line break between two Chinese or Japanese characters: it means no space."""
    padded = (*children, None)
    previous: c.Inline | None = None
    for node, following in pairwise(padded):
        is_soft = isinstance(node, c.Break) and not node.is_hard
        if not (is_soft and _ends_cjk(previous) and _starts_cjk(following)) and node is not None:
            yield node
        previous = node


def _ends_cjk(node: c.Inline | None) -> bool:
    return isinstance(node, c.Text) and bool(node.text) and _is_cjk(node.text[-1])


def _starts_cjk(node: c.Inline | None) -> bool:
    return isinstance(node, c.Text) and bool(node.text) and _is_cjk(node.text[0])
