"""A post's HTML -> our tree of blocks, with everything that was left out said."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from lxml import etree

from publisher.intake.blocks import plain_text
from publisher.intake.moving.addresses import join_address, split_address
from publisher.intake.moving.inlines import Inlines, split_paragraphs, without_breaks
from publisher.intake.moving.junk import Habits, find_footers, name_junk
from publisher.intake.text import drop_forbidden
from publisher.model import content as c
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem

# What is nested deeper is a table in a table in a table: its words are kept, its blocks are not.
_MAX_DEPTH = 90
_MARKS: dict[str, Callable[[Inlines], c.Inline]] = {
    **dict.fromkeys(("em", "i", "cite", "dfn", "var"), c.Emphasis),
    **dict.fromkeys(("strong", "b"), c.Strong),
    **dict.fromkeys(("del", "s", "strike"), c.Strike),
}
_CODE = ("code", "kbd", "samp", "tt")
_EMBEDS = ("iframe", "video", "audio")
_SILENT = ("style", "head", "title", "meta", "link", "base", "noscript", "template", "area", "map")
_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div"),
        *("dl", "dt", "fieldset", "figcaption", "figure", "footer", "header", "hr", "html", "li"),
        *("main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot"),
        *("th", "thead", "tr", "ul", "h1", "h2", "h3", "h4", "h5", "h6", "iframe", "video"),
    )
)
_LANGUAGE = re.compile(r"(?:^|\s)(?:language|lang|highlight-source|brush:)-?\s*([\w+#.-]{1,30})")
_BOLD = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)")
_ITALIC = re.compile(r"font-style\s*:\s*italic")
_PICTURE = re.compile(r"\.(?:avif|gif|jpe?g|png|webp)$", re.IGNORECASE)
_EXCERPT = 60

FindImage = Callable[[str], str]
Elements = list[Any]


class Place(msgspec.Struct, frozen=True):
    """Where a post stands; `is_exact` tells that a line of its HTML is that line of the file."""

    file: str
    line: int | None = None
    is_exact: bool = False


class HtmlReader:
    """Reads the HTML of the post at a place; `find_image` gives an image's own place.

    `base` is the URL that relative links are meant by, empty where nobody knows.
    """

    def __init__(self, place: Place, habits: Habits, base: str, find_image: FindImage) -> None:
        self.place = place
        self.habits = habits
        self.base = base
        self.find_image = find_image
        self.problems: list[Problem] = []
        self._footers: set[Any] = set()

    def read(self, html: str) -> c.Blocks:
        parser = etree.HTMLParser(encoding="utf-8", no_network=True)
        data = drop_forbidden(html).encode("utf-8", "replace")
        root = etree.fromstring(b"<body>" + data + b"</body>", parser) if data.strip() else None
        if root is None:
            return ()
        if any("xcessive depth" in entry.message for entry in parser.error_log):
            self._report("import-damaged", root, found="elements are nested too deeply")
        self._footers = set(find_footers(root, self.habits))
        return tuple(self._blocks(root, 0))

    def _report(self, rule: str, element: Any, /, **values: Any) -> None:
        line = element.sourceline if self.place.is_exact else self.place.line
        self.problems.append(problem(rule, self.place.file, line, **values))

    def _drop(self, element: Any, what: str) -> None:
        if what == "hidden text" and not _words(element):
            return
        found = _words(element) or element.get("src") or element.get("href") or f"<{element.tag}>"
        self._report("import-dropped", element, what=what, found=_shorten(found))

    def _is_left_out(self, element: Any) -> bool:
        if element.tag in _SILENT or not isinstance(element.tag, str):
            return True
        if element in self._footers:
            self._drop(element, "a footer")
            return True
        if what := name_junk(element):
            self._drop(element, what)
        return bool(what)

    # Blocks

    def _blocks(self, parent: Any, depth: int) -> Iterator[c.Block]:
        """The blocks in an element; text between them makes paragraphs."""
        loose: list[c.Inline] = [c.Text(self._text(parent.text, parent))]
        for child in parent:
            if not self._is_left_out(child):
                if depth < _MAX_DEPTH and _has_block(child):
                    yield from _paragraphs(loose)
                    loose = []
                    yield from self._block(child, depth + 1)
                else:
                    loose += self._inline(child, depth + 1)
            loose.append(c.Text(self._text(child.tail, parent)))
        yield from _paragraphs(loose)

    def _block(self, element: Any, depth: int) -> Iterator[c.Block]:
        match element.tag:
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                yield from self._heading(element, depth)
            case "blockquote":
                if inner := tuple(self._blocks(element, depth)):
                    yield c.Quote(inner)
            case "ul" | "ol":
                yield from self._list(element, depth)
            case "pre":
                yield from self._code(element)
            case "hr":
                yield c.Rule()
            case "table":
                yield from self._table(element, depth)
            case "dt":
                yield from _paragraphs([c.Strong(tuple(self._inlines(element, depth)))])
            case "iframe" | "video" | "audio":
                yield from _paragraphs(self._embed(element))
            case "a":
                yield from _paragraphs(self._inline(element, depth))
            case _:
                yield from self._blocks(element, depth)

    def _heading(self, element: Any, depth: int) -> Iterator[c.Block]:
        nodes = without_breaks(tuple(self._inlines(element, depth)))
        if plain_text(_without_pictures(nodes)).strip():
            yield c.Heading(int(element.tag[1]), nodes, element.sourceline or 0)
        elif nodes:
            yield c.Paragraph(nodes)

    def _list(self, element: Any, depth: int) -> Iterator[c.Block]:
        items: list[c.Blocks] = []
        for child in element:
            if self._is_left_out(child):
                continue
            blocks = tuple(self._blocks(child, depth + 1))
            if child.tag in ("ul", "ol"):  # a list in a list, without an item around it
                blocks = tuple(self._list(child, depth + 1))
                if items and blocks:
                    items[-1] = (*items[-1], *blocks)
                    continue
            if blocks:
                items.append(blocks)
        if not items:
            return
        start = element.get("start") or "1"
        first = min(int(start), 999_999_999) if start.isdecimal() and start.isascii() else 1
        is_ordered = element.tag == "ol"
        is_tight = all(_is_tight(blocks) for blocks in items)
        yield c.List(is_ordered, first if is_ordered else 1, is_tight, tuple(items))

    def _code(self, element: Any) -> Iterator[c.Block]:
        for line_break in element.iter("br"):
            line_break.tail = "\n" + (line_break.tail or "")
        text = "".join(element.itertext()).strip("\n")
        classes = " ".join(each.get("class") or "" for each in element.iter("pre", "code"))
        language = _LANGUAGE.search(classes)
        if text.strip():
            yield c.CodeBlock(text, language[1] if language else "")

    def _table(self, element: Any, depth: int) -> Iterator[c.Block]:
        rows = [row for row in element.iter("tr") if _table_of(row) is element]
        cells = [[cell for cell in row if cell.tag in ("td", "th")] for row in rows]
        if not _is_data(element, cells):
            yield from self._blocks(element, depth)
            return
        caption = element.find("caption")
        if caption is not None:
            yield from _paragraphs(list(self._inlines(caption, depth)))
        width = max(map(len, cells))
        read = [[self._cell(cell, depth) for cell in row] for row in cells if row]
        padded = [tuple(row + [()] * (width - len(row))) for row in read]
        aligns = [_align(cell) for cell in cells[0]]
        aligns += [_align(None)] * (width - len(aligns))
        yield c.Table(tuple(aligns), padded[0], tuple(padded[1:]))

    def _cell(self, cell: Any, depth: int) -> Inlines:
        return without_breaks(tuple(self._inlines(cell, depth)))

    # Inlines

    def _inlines(self, element: Any, depth: int) -> Iterator[c.Inline]:
        yield c.Text(self._text(element.text, element))
        for child in element:
            if not self._is_left_out(child):
                is_block = child.tag in _BLOCKS
                yield from [c.Text(" ")] * is_block
                yield from self._inline(child, depth + 1)
                yield from [c.Text(" ")] * is_block
            yield c.Text(self._text(child.tail, element))

    def _inline(self, element: Any, depth: int) -> Iterator[c.Inline]:
        tag = element.tag
        if depth > 2 * _MAX_DEPTH:
            yield c.Text(self._text("".join(element.itertext()), element))
        elif tag == "br":
            yield c.Break(True)
        elif tag == "img":
            yield from self._image(element)
        elif tag == "a":
            yield from self._link(element, depth)
        elif tag in _EMBEDS:
            yield from self._embed(element)
        elif tag in _CODE:
            yield c.Code("".join(element.itertext()))
        elif tag == "q":
            yield from (c.Text("“"), *self._inlines(element, depth), c.Text("”"))
        elif mark := _mark_of(element):
            yield mark(tuple(self._inlines(element, depth)))
        else:
            yield from self._inlines(element, depth)

    def _text(self, text: str | None, element: Any) -> str:
        """Text without merge tags, each of which is said."""
        left, tags = self.habits.drop_tags(text or "")
        for tag in tags:
            self._report("import-dropped", element, what="a merge tag", found=_shorten(tag))
        return left

    def _link(self, element: Any, depth: int) -> Iterator[c.Inline]:
        inner = tuple(self._inlines(element, depth))
        href = (element.get("href") or "").strip()
        if not href or href.startswith("#"):  # a target, or a place in a page that is no more
            yield from inner
            return
        if self.habits.tags.search(href) or re.match(r"(?i)\s*(?:javascript|data|vbscript):", href):
            self._report("import-dropped", element, what="a link's address", found=_shorten(href))
            yield from inner
            return
        address = re.sub(r"\s", "%20", join_address(self.base, href))
        if _PICTURE.search(split_address(address).path) and _is_picture(inner):
            yield from inner  # it showed the picture larger: a link without words
            return
        yield c.Link(address, "", _without_links(inner), 0)

    def _image(self, element: Any) -> Iterator[c.Inline]:
        source = (element.get("src") or "").strip()
        if source.startswith("data:"):
            self._report("import-dropped", element, what="an image in the text", found=source[:30])
            return
        alt = " ".join((element.get("alt") or "").split())
        yield c.Picture(re.sub(r"\s", "%20", self.find_image(source)), alt, "", 0)

    def _embed(self, element: Any) -> list[c.Inline]:
        """A player or a frame becomes a link to what it shows."""
        sources = [element.get("src"), *(each.get("src") for each in element.iter("source"))]
        source = next((each.strip() for each in sources if each), "")
        source = f"https:{source}" if source.startswith("//") else source
        if not source.startswith(("http://", "https://")):
            self._drop(element, f"a <{element.tag}>")
            return []
        source = re.sub(r"\s", "%20", source)
        self._report("import-changed", element, what=f"<{element.tag}>", found=_shorten(source))
        return [c.Link(source, "", (c.Text(element.get("title") or source),), 0)]


def _is_picture(nodes: Inlines) -> bool:
    """Tell whether they are pictures and nothing else."""
    seen = [each for each in nodes if not (isinstance(each, c.Text) and not each.text.strip())]
    return bool(seen) and all(isinstance(each, c.Picture) for each in seen)


def _paragraphs(nodes: list[c.Inline] | Iterator[c.Inline]) -> Iterator[c.Block]:
    for paragraph in split_paragraphs(nodes):
        yield c.Paragraph(paragraph)


def _has_block(element: Any) -> bool:
    if element.tag in _BLOCKS:
        return True
    return element.tag != "a" and any(child.tag in _BLOCKS for child in element.iter())


def _mark_of(element: Any) -> Callable[[Inlines], c.Inline] | None:
    if mark := _MARKS.get(element.tag):
        return mark
    style = element.get("style") or ""
    if element.tag != "span" or not style:
        return None
    return c.Strong if _BOLD.search(style) else c.Emphasis if _ITALIC.search(style) else None


def _is_tight(blocks: c.Blocks) -> bool:
    match blocks:
        case (c.Paragraph(),):
            return True
        # A list that begins with another number cannot follow on a paragraph's next line.
        case (c.List(_, _, is_tight),) | (c.Paragraph(), c.List(_, 1, is_tight)):
            return is_tight
    return False


def _table_of(row: Any) -> Any:
    parent = row.getparent()
    while parent is not None and parent.tag != "table":
        parent = parent.getparent()
    return parent


def _is_data(table: Any, cells: list[list[Any]]) -> bool:
    """Tell a table of data from one that arranges a mail."""
    rows = [row for row in cells if row]
    if len(rows) < 2 or max(map(len, rows)) < 2 or table.get("role") == "presentation":
        return False
    inner = [each for row in rows for cell in row for each in cell.iter()]
    if any(each.tag in ("table", "ul", "ol", "pre", "blockquote", "hr") for each in inner):
        return False
    has_heads = any(each.tag == "th" for row in rows for each in row)
    is_mail = any(each.tag in ("img", "h1", "h2", "h3", "h4") for each in inner)
    return has_heads or not (is_mail or table.get("cellpadding") or table.get("cellspacing"))


def _align(cell: Any) -> c.Align:
    if cell is None:
        return ""
    found = re.search(r"text-align\s*:\s*(\w+)", cell.get("style") or "")
    word = (found[1] if found else cell.get("align") or "").lower()
    aligns: tuple[c.Align, ...] = ("left", "center", "right")
    return next((align for align in aligns if align == word), "")


def _without_links(nodes: Inlines) -> Inlines:
    """A link in a link is none, in HTML as in Markdown."""
    out: list[c.Inline] = []
    for node in nodes:
        match node:
            case c.Link(_, _, children):
                out += _without_links(children)
            case c.Emphasis(children) | c.Strong(children) | c.Strike(children):
                out.append(type(node)(_without_links(children)))
            case _:
                out.append(node)
    return tuple(out)


def _without_pictures(nodes: Inlines) -> Inlines:
    out: list[c.Inline] = []
    for node in nodes:
        if isinstance(node, c.Link):
            out += _without_pictures(node.children)
        elif not isinstance(node, c.Picture):
            out.append(node)
    return tuple(out)


def _words(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"


def title_words(text: str) -> str:
    """A title in which an export left entities or tags, as words on one line."""
    if "<" not in text and "&" not in text:
        return " ".join(text.split())
    reader = HtmlReader(Place(""), Habits(), "", lambda source: source)
    paragraphs = [plain_text(b.children) for b in reader.read(text) if isinstance(b, c.Paragraph)]
    return " ".join(" ".join(paragraphs).split()) or " ".join(text.split())
