"""The HTML inside an entry, held against what feed readers show without harm."""

from html.parser import HTMLParser

_VOID = {"br", "hr", "img"}
_IN_PARAGRAPHS = {"em", "strong", "s", "code", "a", "br", "img"}
_SAFE = _VOID | _IN_PARAGRAPHS
_SAFE |= {"p", "pre", "blockquote", "ul", "ol", "li", "div", "h2", "h3", "h4", "h5", "h6"}
_SAFE |= {"table", "thead", "tbody", "tr", "th", "td"}


class Content(HTMLParser):
    """Reads a content: what is wrong with it, and the URLs in it."""

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.urls: list[str] = []
        self.feed(content)
        self.close()
        self.wrong += [f"<{tag}> stays open" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        if tag not in _SAFE:
            self.wrong.append(f"<{tag}>")
        if self.open and self.open[-1] == "p" and tag not in _IN_PARAGRAPHS:
            self.wrong.append(f"<{tag}> in a paragraph")
        self.wrong += [name for name in fields if name == "style" or name.startswith("on")]
        if tag == "img" and fields.get("alt") is None:
            self.wrong.append("img without alt")
        self.urls += [fields[name] or "" for name in ("href", "src") if name in fields]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")
