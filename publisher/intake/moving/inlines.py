"""Inlines as HTML has them -> inlines as Markdown can say them: spaces, breaks and flanks in order.

HTML's white space is folded (CSS, `white-space: normal`); what stands at the edge of emphasis and
would keep Markdown from seeing it (CommonMark, section 6.2) is moved out of it.
"""

import re
from collections.abc import Iterable
from unicodedata import category

from publisher.model import content as c

_SPACES = re.compile("[ \t\r\n\f]+")
Inlines = tuple[c.Inline, ...]
_Marked = c.Emphasis | c.Strong | c.Strike


def tidy(nodes: Iterable[c.Inline]) -> Inlines:
    """Inlines on one line or on several, without a space or a break at either end."""
    folded, _ = _fold(nodes, True)
    return _merge(_flank(_merge(_hoist(_trim(_merge(_hoist(folded)))))))


def split_paragraphs(nodes: Iterable[c.Inline]) -> list[Inlines]:
    """Two breaks in a row are how mail programs begin a paragraph."""
    paragraphs: list[list[c.Inline]] = [[]]
    breaks = 0
    for node in nodes:
        if isinstance(node, c.Break):
            breaks += 1
            if breaks == 2:
                paragraphs.append([])
        elif not (isinstance(node, c.Text) and not node.text.strip(" \t\r\n\f")):
            breaks = 0
        paragraphs[-1].append(node)
    tidied = (tidy(each) for each in paragraphs)
    return [each for each in tidied if each]


def without_breaks(nodes: Inlines) -> Inlines:
    """On one line, as headings and cells are."""
    return tidy(_spaced(nodes))


def _spaced(nodes: Inlines) -> Inlines:
    out: list[c.Inline] = []
    for node in nodes:
        match node:
            case c.Break():
                out.append(c.Text(" "))
            case c.Text() | c.Code() | c.Picture():
                out.append(node)
            case c.Link(href, title, children, line):
                out.append(c.Link(href, title, _spaced(children), line))
            case _:
                out.append(type(node)(_spaced(node.children)))
    return tuple(out)


def _fold(nodes: Iterable[c.Inline], is_after_space: bool) -> tuple[Inlines, bool]:
    out: list[c.Inline] = []
    for node in nodes:
        match node:
            case c.Text(text):
                text = _SPACES.sub(" ", text)
                text = text.removeprefix(" ") if is_after_space else text
                is_after_space = text.endswith(" ") if text else is_after_space
                out += [c.Text(text)] if text else []
            case c.Code(text):
                text = _SPACES.sub(" ", text)
                is_after_space = False
                out += [c.Code(text)] if text.strip() else []
            case c.Break():
                is_after_space = True
                out.append(node)
            case c.Picture():
                is_after_space = False
                out.append(node)
            case c.Link(href, title, children, line):
                inner, is_after_space = _fold(children, is_after_space)
                out += [c.Link(href, title, inner, line)] if inner else []
            case _:
                inner, is_after_space = _fold(node.children, is_after_space)
                out += [type(node)(inner)] if inner else []
    return tuple(out), is_after_space


def _hoist(nodes: Inlines) -> Inlines:
    """Move spaces and breaks at the edges of marked text out of it, and flatten doubled marks."""
    out: list[c.Inline] = []
    for node in nodes:
        if not isinstance(node, c.Emphasis | c.Strong | c.Strike | c.Link):
            out.append(node)
            continue
        inner = list(_merge(_hoist(node.children)))
        before = _take_edge(inner, 0)
        after = _take_edge(inner, -1)
        if isinstance(node, c.Link):
            whole: c.Inline = c.Link(node.href, node.title, tuple(inner), node.line)
        else:
            whole = _mark(node, tuple(inner))
        out += [*before, *([whole] if inner else []), *after]
    return tuple(out)


def _take_edge(inner: list[c.Inline], at: int) -> list[c.Inline]:
    taken: list[c.Inline] = []
    while inner:
        node = inner[at]
        if isinstance(node, c.Break):
            taken.append(inner.pop(at))
            continue
        if not isinstance(node, c.Text):
            break
        text = node.text.lstrip(" ") if at == 0 else node.text.rstrip(" ")
        if text != node.text:
            taken.append(c.Text(" "))
        if text:
            inner[at] = c.Text(text)
            break
        inner.pop(at)
    return taken if at == 0 else taken[::-1]


def _mark(node: _Marked, inner: Inlines) -> c.Inline:
    """The marked text as Markdown reads it back: never doubled, emphasis around strong."""
    kind = type(node)
    inner = _unmark(inner, kind)
    if kind is c.Strong and len(inner) == 1 and isinstance(inner[0], c.Emphasis):
        return c.Emphasis((c.Strong(inner[0].children),))
    return kind(inner)


def _unmark(nodes: Inlines, kind: type[c.Inline]) -> Inlines:
    out: list[c.Inline] = []
    for node in nodes:
        if isinstance(node, _Marked):
            inner = _unmark(node.children, kind)
            out += inner if isinstance(node, kind) else (type(node)(inner),)
        elif isinstance(node, c.Link):
            out.append(c.Link(node.href, node.title, _unmark(node.children, kind), node.line))
        else:
            out.append(node)
    return _merge(tuple(out))


def _trim(nodes: Inlines) -> Inlines:
    """No space beside a break, and neither of them at an end."""
    out: list[c.Inline] = []
    for node in nodes:
        if isinstance(node, c.Text) and (not out or isinstance(out[-1], c.Break)):
            node = c.Text(node.text.lstrip(" "))
            if not node.text:
                continue
        if isinstance(node, c.Break):
            while out and isinstance(last := out[-1], c.Text):
                out.pop()
                if text := last.text.rstrip(" "):
                    out.append(c.Text(text))
                    break
            if not out or isinstance(out[-1], c.Break):
                continue
        out.append(node)
    while out and isinstance(last := out[-1], c.Text | c.Break):
        out.pop()
        if isinstance(last, c.Text) and (text := last.text.rstrip(" ")):
            out.append(c.Text(text))
            break
    return tuple(out)


def _merge(nodes: Inlines) -> Inlines:
    """Texts that touch as one, and so are marks of one kind."""
    out: list[c.Inline] = []
    for node in nodes:
        last = out[-1] if out else None
        if isinstance(node, c.Text) and isinstance(last, c.Text):
            out[-1] = c.Text(re.sub("  +", " ", last.text + node.text))
        elif isinstance(node, c.Code) and isinstance(last, c.Code):
            out[-1] = c.Code(last.text + node.text)
        elif isinstance(node, _Marked) and isinstance(last, _Marked) and type(node) is type(last):
            out[-1] = type(node)(_merge((*last.children, *node.children)))
        elif not (isinstance(node, c.Text) and not node.text):
            out.append(node)
    return tuple(out)


def _flank(nodes: Inlines) -> Inlines:
    """Move punctuation out of marks that would not be seen beside a letter: `**so:**much`."""
    out: list[c.Inline] = []
    for place, node in enumerate(nodes):
        if isinstance(node, c.Link):
            out.append(c.Link(node.href, node.title, _flank(node.children), node.line))
            continue
        if not isinstance(node, _Marked):
            out.append(node)
            continue
        inner = list(_flank(node.children))
        before = _edge(out[-1], -1) if out else ""
        after = _edge(nodes[place + 1], 0) if place + 1 < len(nodes) else ""
        link = inner[0] if len(inner) == 1 else None
        if isinstance(link, c.Link) and _is_word(before + after):
            marked = type(node)(link.children)
            out.append(c.Link(link.href, link.title, (marked,), link.line))
            continue
        lead, tail = "", ""
        if _is_word(before) and inner and isinstance(first := inner[0], c.Text):
            text = first.text.lstrip(" " + "".join(filter(_is_mark, first.text)))
            lead = first.text[: len(first.text) - len(text)]
            inner[0] = c.Text(text)
        if _is_word(after) and inner and isinstance(final := inner[-1], c.Text):
            text = final.text.rstrip(" " + "".join(filter(_is_mark, final.text)))
            tail = final.text[len(text) :]
            inner[-1] = c.Text(text)
        kept = _merge(tuple(inner))
        out += [c.Text(lead)] if lead else []
        out += [type(node)(kept)] if kept else []
        out += [c.Text(tail)] if tail else []
    return tuple(out)


def _edge(node: c.Inline, at: int) -> str:
    """The first or the last character of an inline; empty where it is no character."""
    match node:
        case c.Text(text) | c.Code(text):
            return text[at] if text else ""
        case c.Break() | c.Picture():
            return ""
    return _edge(node.children[at], at) if node.children else ""


def _is_mark(character: str) -> bool:
    return character != "" and category(character)[0] in "PS"


def _is_word(characters: str) -> bool:
    return any(not each.isspace() and not _is_mark(each) for each in characters)
