"""Our tree of blocks -> Markdown that the reader of issues gives back as that very tree.

It is written lightly; the reader itself is asked, and where it understands something else, that
block is written with every character escaped, then without its marks, and at last as its words.
"""

import re
from collections.abc import Callable, Iterator

from publisher.intake.blocks import Body, plain_text, read_blocks
from publisher.intake.dialect import markdown
from publisher.intake.write import (
    Written,
    destination,
    escape_closing,
    escape_marks,
    escape_opening,
    escape_paragraph,
)
from publisher.model import content as c

Inlines = tuple[c.Inline, ...]
Escape = Callable[[str, str], str]

_STRICT = re.compile(r"[!&*<\[\\\]_`~|]|:(?=//)")
_INFO = re.compile(r"[\w+#.-]{1,30}")


def write_blocks(blocks: c.Blocks) -> tuple[tuple[Written, ...], tuple[c.Block, ...]]:
    """Write a body, block by block; the blocks that come back are those whose markup was lost."""
    places = [_is_other(blocks, place) for place in range(len(blocks))]
    light = [_write(*each, _light) for each in zip(blocks, places, strict=True)]
    if is_read_as("\n\n".join(light), blocks):
        return tuple(map(Written, light)), ()
    parts = [_write_surely(*each) for each in zip(blocks, places, strict=True)]
    lost = tuple(b for b, (_, is_whole) in zip(blocks, parts, strict=True) if not is_whole)
    return tuple(Written(text) for text, _ in parts), lost


def _write_surely(block: c.Block, is_other: bool) -> tuple[str, bool]:
    """Write one block so that it is read back; false where its words were kept and no more."""
    for escape in (_light, _strict):
        written = _write(block, is_other, escape)
        if is_read_as(written, (block,)):
            return written, True
    bare = _bare(block)
    written = _write(bare, is_other, _strict)
    if is_read_as(written, (bare,)):
        return written, False
    return escape_paragraph(words_of(block)), False


def is_read_as(text: str, blocks: c.Blocks) -> bool:
    read = read_blocks(markdown().parse(text), Body("", 1))
    return form_of(read) == form_of(blocks)


def form_of(node: object) -> object:
    """What a tree says, whatever lines it stands on and however bare links are marked."""
    if isinstance(node, tuple):
        return _merge([form for each in node if (form := form_of(each)) != ""])
    match node:
        case c.Text(text):
            return text
        case c.Link(href, _, (c.Text(text),)) if href == text:
            return text
        case c.Link(href, title, children):
            return ("a", href, title, form_of(children))
        case c.Picture(src, alt, title):
            return ("img", src, alt, title)
        case c.List(is_ordered, start, _, items):
            return ("list", is_ordered, start, [form_of(item) for item in items])
        case c.Heading(level, children):
            return ("h", level, form_of(children))
        case c.Paragraph(children):
            return ("p", form_of(children))
        case c.Table(aligns, header, rows):
            cells = [[form_of(cell) for cell in row] for row in (header, *rows)]
            return ("table", aligns, cells)
        case c.Node():
            values = [getattr(node, name) for name in node.__struct_fields__]
            return (type(node).__name__, [form_of(value) for value in values])
    return node


def _merge(forms: list[object]) -> list[object]:
    out: list[object] = []
    for form in forms:
        if isinstance(form, str) and out and isinstance(out[-1], str):
            out[-1] += form
        else:
            out.append(form)
    return out


def words_of(block: c.Block) -> str:
    """A block's words on one line."""
    match block:
        case c.Paragraph(children) | c.Heading(_, children):
            text = plain_text(children)
        case c.Quote(children):
            text = " ".join(map(words_of, children))
        case c.List(_, _, _, items):
            text = " · ".join(words_of(each) for item in items for each in item)
        case c.CodeBlock(text):
            pass
        case c.Table(_, header, rows):
            text = " · ".join(plain_text(cell) for row in (header, *rows) for cell in row)
        case c.Rule():
            text = "* * *"
    return " ".join(text.split()) or "…"


def _light(text: str, forced: str) -> str:
    return escape_marks(text, forced)


def _strict(text: str, forced: str) -> str:
    return _STRICT.sub(r"\\\g<0>", text)


# Blocks


def _write(block: c.Block, is_other: bool, escape: Escape) -> str:
    match block:
        case c.Paragraph(children):
            return _lines(children, escape)
        case c.Heading(level, children):
            return f"{'#' * level} {escape_closing(_inlines(children, escape))}"
        case c.Quote(children):
            return _prefix(_join(children, escape), "> ", "> ")
        case c.List():
            return _write_list(block, is_other, escape)
        case c.CodeBlock(text, language):
            fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
            info = language if _INFO.fullmatch(language) else ""
            return f"{fence}{info}\n{text}\n{fence}"
        case c.Table():
            return _write_table(block, escape)
        case c.Rule():
            return "---"


def _join(blocks: c.Blocks, escape: Escape, gap: str = "\n\n") -> str:
    return gap.join(_write(b, _is_other(blocks, place), escape) for place, b in enumerate(blocks))


def _is_other(blocks: c.Blocks, place: int) -> bool:
    """Two lists in a row are told apart by their marks: is this the one with the others?"""
    run = 0
    while isinstance(blocks[place], c.List) and place and isinstance(blocks[place - 1], c.List):
        place, run = place - 1, run + 1
    return run % 2 == 1


def _write_list(block: c.List, is_other: bool, escape: Escape) -> str:
    items = []
    for number, item in enumerate(block.items, block.start):
        ordered = f"{number}{')' if is_other else '.'} "
        mark = ordered if block.is_ordered else "* " if is_other else "- "
        text = _join(item, escape, "\n" if block.is_tight else "\n\n")
        items.append(_prefix(text, mark, " " * len(mark)))
    return ("\n" if block.is_tight else "\n\n").join(items)


def _prefix(text: str, first: str, others: str) -> str:
    lines = text.split("\n")
    rest = [(others + line).rstrip() if not line else others + line for line in lines[1:]]
    return "\n".join([first + lines[0], *rest])


def _write_table(block: c.Table, escape: Escape) -> str:
    bars = {"": "---", "left": ":--", "center": ":-:", "right": "--:"}
    rows = [_write_row(row, escape) for row in (block.header, *block.rows)]
    rule = f"| {' | '.join(bars[align] for align in block.aligns)} |"
    return "\n".join([rows[0], rule, *rows[1:]])


def _write_row(cells: tuple[Inlines, ...], escape: Escape) -> str:
    written = (re.sub(r"(?<!\\)\|", r"\\|", _inlines(cell, escape)) for cell in cells)
    return f"| {' | '.join(written)} |"


# Inlines


def _lines(children: Inlines, escape: Escape) -> str:
    """A paragraph's lines, none of which begins like another block."""
    lines = _inlines(children, escape).split("\n")
    starts = [children[0], *_behind_breaks(children)]
    return "\n".join(
        escape_opening(line) if isinstance(start, c.Text) else line
        for line, start in zip(lines, starts, strict=True)
    )


def _behind_breaks(nodes: Inlines) -> Iterator[c.Inline]:
    """What each line but the first begins with."""
    for place, node in enumerate(nodes):
        if isinstance(node, c.Break):
            yield nodes[place + 1] if place + 1 < len(nodes) else node
        elif isinstance(node, c.Emphasis | c.Strong | c.Strike | c.Link):
            yield from _behind_breaks(node.children)


def _inlines(children: Inlines, escape: Escape, forced: str = "") -> str:
    out = []
    for place, node in enumerate(children):
        written = _inline(node, escape, forced)
        following = children[place + 1] if place + 1 < len(children) else None
        if isinstance(following, c.Link) and re.search(r"(?<!\\)!$", written):
            written = f"{written[:-1]}\\!"
        out.append(written)
    return "".join(out)


def _inline(node: c.Inline, escape: Escape, forced: str) -> str:
    match node:
        case c.Text(text):
            return escape(text, forced)
        case c.Code(text):
            return _code(text)
        case c.Break(is_hard):
            return "\\\n" if is_hard else "\n"
        case c.Emphasis(inner):
            return f"*{_inlines(inner, escape, forced)}*"
        case c.Strong(inner):
            return f"**{_inlines(inner, escape, forced)}**"
        case c.Strike(inner):
            return f"~~{_inlines(inner, escape, forced)}~~"
        case c.Picture(src, alt):
            return f"![{escape(alt, '[]')}]({destination(src)})"
        case c.Link(href, _, (c.Text(text),)) if href == text and re.fullmatch(
            r"https?://[^\s<>\\]+", href
        ):
            return f"<{href}>"
        case c.Link(href, _, inner):
            return f"[{_inlines(inner, escape, '[]')}]({destination(href)})"


def _code(text: str) -> str:
    runs = {len(run) for run in re.findall("`+", text)}
    length = next(n for n in range(1, len(runs) + 2) if n not in runs)
    fence = "`" * length
    is_padded = text.startswith(("`", " ")) or text.endswith(("`", " "))
    return f"{fence} {text} {fence}" if is_padded else f"{fence}{text}{fence}"


def _bare(block: c.Block) -> c.Block:
    """A block without its marks; links and pictures stay."""
    match block:
        case c.Paragraph(children):
            return c.Paragraph(_bare_inlines(children))
        case c.Heading(level, children, line):
            return c.Heading(level, _bare_inlines(children), line)
        case c.Quote(children):
            return c.Quote(tuple(map(_bare, children)))
        case c.List(is_ordered, start, is_tight, items):
            bare = tuple(tuple(map(_bare, item)) for item in items)
            return c.List(is_ordered, start, is_tight, bare)
        case c.Table(aligns, header, rows):
            bare_rows = [tuple(map(_bare_inlines, row)) for row in (header, *rows)]
            return c.Table(aligns, bare_rows[0], tuple(bare_rows[1:]))
    return block


def _bare_inlines(nodes: Inlines) -> Inlines:
    out: list[c.Inline] = []
    for node in nodes:
        match node:
            case c.Emphasis(inner) | c.Strong(inner) | c.Strike(inner):
                out += _bare_inlines(inner)
            case c.Code(text):
                out.append(c.Text(text))
            case c.Link(href, title, inner, line):
                out.append(c.Link(href, title, _bare_inlines(inner), line))
            case _:
                out.append(node)
    return tuple(out)
