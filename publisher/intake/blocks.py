"""markdown-it's tokens -> our tree of blocks and inlines."""

from typing import Any

from markdown_it.token import Token

from publisher.model import content as c
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem


class Body:
    """Where tokens come from: the file and the line that the text begins at, and its problems."""

    def __init__(self, file: str, first_line: int) -> None:
        self.file = file
        self.first_line = first_line
        self.problems: list[Problem] = []

    def report(self, name: str, line: int, /, **values: Any) -> None:
        self.problems.append(problem(name, self.file, line, **values))

    def line_of(self, token: Token) -> int:
        return (token.map[0] if token.map else 0) + self.first_line

    def inlines(self, token: Token) -> tuple[c.Inline, ...]:
        """The tree of an inline token's children."""
        line = self.line_of(token)
        for below, found in token.meta.get("raw_html", ()):
            self.report("raw-html", line + below, found=found[:40])
        return _Inlines(line).read(token.children or [])


def read_blocks(tokens: list[Token], body: Body) -> c.Blocks:
    """Read a run of block tokens, balanced in their nesting."""
    blocks: list[c.Block] = []
    index = 0
    while index < len(tokens):
        end = _closing(tokens, index)
        block = _read_block(tokens[index : end + 1], body)
        if block is not None:
            blocks.append(block)
        index = end + 1
    return tuple(blocks)


def _closing(tokens: list[Token], start: int) -> int:
    """The index of the token that closes the one at `start`; itself where it opens nothing."""
    depth = 0
    for index in range(start, len(tokens)):
        depth += tokens[index].nesting
        if depth <= 0:
            return index
    return len(tokens) - 1


def _read_block(tokens: list[Token], body: Body) -> c.Block | None:
    first, inner = tokens[0], tokens[1:-1]
    match first.type:
        case "paragraph_open":
            return c.Paragraph(body.inlines(inner[0]), body.line_of(first))
        case "heading_open":
            return c.Heading(int(first.tag[1]), body.inlines(inner[0]), body.line_of(first))
        case "blockquote_open":
            return c.Quote(read_blocks(inner, body))
        case "bullet_list_open" | "ordered_list_open":
            return _read_list(first, inner, body)
        case "fence" | "code_block":
            language = first.info.strip().split(" ")[0]
            return c.CodeBlock(first.content.rstrip("\n"), language)
        case "hr":
            return c.Rule()
        case "table_open":
            return _read_table(inner, body)
    return None


def _read_list(first: Token, tokens: list[Token], body: Body) -> c.List:
    items = []
    index = 0
    while index < len(tokens):
        end = _closing(tokens, index)
        items.append(read_blocks(tokens[index + 1 : end], body))
        index = end + 1
    start = int(first.attrGet("start") or 1)
    # markdown-it hides the paragraphs of a tight list.
    is_tight = not any(
        t.type == "paragraph_open" and not t.hidden and t.level == first.level + 2 for t in tokens
    )
    return c.List(first.type.startswith("ordered"), start, is_tight, tuple(items))


def _read_table(tokens: list[Token], body: Body) -> c.Table:
    rows: list[list[tuple[c.Inline, ...]]] = []
    aligns: list[c.Align] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "th_open":
            aligns.append(_align(token))
        elif token.type == "inline":
            rows[-1].append(body.inlines(token))
    return c.Table(tuple(aligns), tuple(rows[0]), tuple(tuple(row) for row in rows[1:]))


def _align(token: Token) -> c.Align:
    style = str(token.attrGet("style") or "")
    aligns: tuple[c.Align, ...] = ("left", "center", "right")
    for align in aligns:
        if style.endswith(align):
            return align
    return ""


# Emphasis within emphasis, as deep as markdown-it lets blocks be. Deeper markup is dropped and its
# words are kept, since all that comes after goes down the tree by recursion.
_MAX_DEPTH = 20


class _Inlines:
    """Reads inline tokens; `line` is where the next one stands."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.depth = 0

    def read(self, tokens: list[Token]) -> tuple[c.Inline, ...]:
        if self.depth > _MAX_DEPTH:
            tokens = [token for token in tokens if not token.nesting]
        self.depth += 1
        nodes = self._read_level(tokens)
        self.depth -= 1
        return nodes

    def _read_level(self, tokens: list[Token]) -> tuple[c.Inline, ...]:
        nodes: list[c.Inline] = []
        index = 0
        while index < len(tokens):
            end = _closing(tokens, index)
            self._append(nodes, tokens[index], tokens[index + 1 : end])
            index = end + 1
        return tuple(nodes)

    def _append(self, nodes: list[c.Inline], token: Token, inner: list[Token]) -> None:
        node = self._node(token, inner)
        if isinstance(node, c.Break):
            self.line += 1
        if isinstance(node, c.Text):
            if not node.text:
                return
            previous = nodes[-1] if nodes else None
            if isinstance(previous, c.Text):
                nodes.pop()
                node = c.Text(previous.text + node.text)
        nodes.append(node)

    def _node(self, token: Token, inner: list[Token]) -> c.Inline:
        match token.type:
            case "softbreak" | "hardbreak":
                return c.Break(token.type == "hardbreak")
            case "code_inline":
                return c.Code(token.content)
            case "em_open":
                return c.Emphasis(self.read(inner))
            case "strong_open":
                return c.Strong(self.read(inner))
            case "s_open":
                return c.Strike(self.read(inner))
            case "link_open":
                href, title = (str(token.attrGet(key) or "") for key in ("href", "title"))
                line = self.line
                return c.Link(href, title, self.read(inner), line)
            case "image":
                src, title = (str(token.attrGet(key) or "") for key in ("src", "title"))
                alt = plain_text(self.read(token.children or []))
                return c.Picture(src, alt, title, self.line)
        return c.Text(token.content)


def plain_text(children: tuple[c.Inline, ...]) -> str:
    """The words of inlines without their markup; an image's are its alternative text."""
    return "".join(map(_words, children))


def _words(node: c.Inline) -> str:
    match node:
        case c.Text(text) | c.Code(text):
            return text
        case c.Break():
            return "\n"
        case c.Picture(_, alt):
            return alt
    return plain_text(node.children)
