"""Premailer: CSS from style blocks into style attributes, since many mail clients drop the blocks.

Nothing is fetched: neither `<link>` nor `@import` reaches the network or a file.
"""

import logging
import os
import re
import sys
from collections.abc import Callable
from functools import cache, lru_cache
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

    if is_absent:
        del sys.modules["requests"]
    cssutils.log.setLevel(logging.CRITICAL)

    # The fetcher is what @import would use; premailer's allow_network does not reach it.
    css_parser = cssutils.CSSParser(fetcher=lambda url: None, validate=False)

    class Inliner(Premailer):  # type: ignore[misc]
        """Premailer that remembers what it made of a style sheet and of a style: most of its time.

        Templates rarely change, and its own cache saves the parsing alone.
        """

        def _parse_css_string(self, css_body: str, validate: bool = True) -> Any:
            return css_parser.parseString(css_body)

        def _parse_style_rules(self, css_body: str, ruleset_index: int) -> tuple[list[Any], ...]:
            rules, leftover = parse_rules(css_body, ruleset_index)
            # Copies, since the caller sorts and extends what it gets.
            return list(rules), list(leftover)

        def _style_to_basic_html_attributes(
            self, element: Any, style_content: str, force: bool = False
        ) -> None:
            for name, value in basic_attributes(style_content):
                element.set(name, value)

    plain = Premailer(**OPTIONS)

    @lru_cache(maxsize=64)
    def parse_rules(css_body: str, ruleset_index: int) -> tuple[list[Any], list[Any]]:
        rules, leftover = Premailer._parse_style_rules(Inliner(**OPTIONS), css_body, ruleset_index)
        return rules, leftover

    @lru_cache(maxsize=4096)
    def basic_attributes(style_content: str) -> tuple[tuple[str, str], ...]:
        element = etree.Element("td")
        plain._style_to_basic_html_attributes(element, style_content, force=True)
        return tuple(element.attrib.items())

    def inline(html: str) -> str:
        # Without huge_tree, libxml2 drops what is nested deeper than 256 levels or over 10 MB.
        root = etree.fromstring(html, etree.HTMLParser(huge_tree=True))
        Inliner(root, **OPTIONS).transform()
        return str(etree.tostring(root, method="html", encoding="unicode"))

    return inline
