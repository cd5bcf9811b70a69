"""Premailer: CSS from style blocks into style attributes, since many mail clients drop the blocks.

Nothing is fetched: neither `<link>` nor `@import` reaches the network or a file.
"""

import logging
import os
import re
import sys
from collections.abc import Callable
from functools import cache, lru_cache
from operator import itemgetter
from threading import Lock
from types import ModuleType
from typing import Any

_DOCTYPE = re.compile(r"\s*(<!doctype[^>]*>)\s*", re.IGNORECASE)

OPTIONS: dict[str, Any] = {
    # Dark-mode rules win over inlined ones by being important.
    "strip_important": False,
    # Validation would drop mso-line-height-rule and its like.
    "disable_validation": True,
    "allow_network": False,
    "disable_link_rewrites": True,
    # Templates say width and height themselves, where Outlook needs them.
    "disable_basic_attributes": ["width", "height"],
    "align_floating_images": False,
}
# cssutils and premailer's cache are not made for threads.
_LOCK = Lock()


def inline_css(html: str) -> str:
    """Move the rules of style blocks into style attributes, and some into bgcolor and align.

    A block marked `data-premailer="ignore"` stays as it is, for media queries and dark mode.
    Conditional comments and the doctype stay too; a missing doctype is added.
    """
    match = _DOCTYPE.match(html)
    doctype = match[1] if match else "<!DOCTYPE html>"
    with _LOCK:
        inlined = _load()(html[match.end() :] if match else html)
    return f"{doctype}\n{inlined}\n"


@cache
def _load() -> Callable[[str], str]:
    """Import premailer, which takes long, when the first message is made."""
    # Its cache holds selectors and declarations; at the default of 128 it thrashes.
    os.environ.setdefault("PREMAILER_CACHE_MAXSIZE", "4096")
    import cssutils
    from lxml import etree

    # Nothing is fetched while compiling, and premailer's `requests` is half of its import.
    is_absent = "requests" not in sys.modules
    if is_absent:
        sys.modules["requests"] = ModuleType("requests")
    from premailer import Premailer
    from premailer.merge_style import csstext_to_pairs, merge_styles

    from publisher.render.style_rules import StyleRules

    if is_absent:
        del sys.modules["requests"]
    cssutils.log.setLevel(logging.CRITICAL)

    # The fetcher is what @import would use; premailer's allow_network does not reach it.
    css_parser = cssutils.CSSParser(fetcher=lambda url: None, validate=False)

    class Inliner(Premailer):  # type: ignore[misc]
        """Premailer that remembers what it made of a style sheet: most of its time.

        Templates rarely change, and its own cache saves the parsing alone. It takes the style
        blocks out of the document; which elements their rules are about is found by `StyleRules`.
        """

        def __init__(self, root: Any = None) -> None:
            super().__init__(root, **OPTIONS)
            self.sheets: list[str] = []

        def _parse_css_string(self, css_body: str, validate: bool = True) -> Any:
            return css_parser.parseString(css_body)

        def _parse_style_rules(self, css_body: str, ruleset_index: int) -> tuple[list[Any], ...]:
            self.sheets.append(css_body)
            return [], list(parse_rules(css_body, ruleset_index)[1])

    plain = Inliner()

    @lru_cache(maxsize=64)
    def parse_rules(css_body: str, ruleset_index: int) -> tuple[list[Any], list[Any]]:
        rules, leftover = Premailer._parse_style_rules(plain, css_body, ruleset_index)
        return rules, leftover

    @lru_cache(maxsize=64)
    def read_sheets(sheets: tuple[str, ...]) -> tuple[StyleRules, list[str]]:
        rules = [rule for place, css in enumerate(sheets) for rule in parse_rules(css, place)[0]]
        rules.sort(key=itemgetter(0))
        return StyleRules([selector for _, selector, _ in rules]), [style for *_, style in rules]

    @lru_cache(maxsize=4096)
    def merge(written: str, styles: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """The attributes of an element with a style attribute of its own, in their order."""
        pairs = [csstext_to_pairs(style, validate=False) for style in styles]
        element = etree.Element("td")
        if merged := merge_styles(written, pairs, [""] * len(pairs), remove_unset_properties=True):
            element.set("style", merged)
        plain._style_to_basic_html_attributes(element, merged, force=True)
        return tuple(element.attrib.items())

    def inline(html: str) -> str:
        # Without huge_tree, libxml2 drops what is nested deeper than 256 levels or over 10 MB.
        root = etree.fromstring(html, etree.HTMLParser(huge_tree=True))
        inliner = Inliner(root)
        inliner.transform()
        rules, styles = read_sheets(tuple(inliner.sheets))
        for element, numbers in rules.find(root.getroottree()):
            applied = tuple([styles[number] for number in numbers])
            for name, value in merge(element.get("style", ""), applied):
                element.set(name, value)
        return str(etree.tostring(root, method="html", encoding="unicode"))

    return inline
