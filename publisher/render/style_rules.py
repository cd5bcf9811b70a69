"""Which rules of a style sheet are about which elements, found in one walk through a document.

Most selectors name elements and classes, one inside another. What such rules say of an element
depends on its name, its class attribute and those of the elements around it, which are the same
again and again in all that one template makes; so what was found is kept. All other selectors are
left to lxml.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from lxml.cssselect import CSSSelector

_NAME = "[a-zA-Z][a-zA-Z0-9_-]*"
_STEP = re.compile(rf"({_NAME})?(?:\.({_NAME}))?")
# What parts the classes of an attribute, as XPath has it (normalize-space).
_CLASS = re.compile(r"[^ \t\n\r]+")
# Far more than any template has; content that is nested at random must not fill the memory.
_KEPT_PLACES = 4096

# The name and the class that an element must have; empty where any will do.
_Step = tuple[str, str]


class _Place:
    """Where elements stand: `rules` are about them, by number; within them, `steps` of each path
    are taken."""

    def __init__(self, rules: tuple[int, ...], steps: tuple[int, ...]) -> None:
        self.rules = rules
        self.steps = steps
        self.within: dict[tuple[str, str], _Place] = {}


class StyleRules:
    """Selectors, numbered in their order."""

    def __init__(self, selectors: Sequence[str]) -> None:
        paths = {number: _read_path(selector) for number, selector in enumerate(selectors)}
        self._paths = [(number, path) for number, path in paths.items() if path]
        self._others = [
            (number, CSSSelector(selectors[number])) for number, path in paths.items() if not path
        ]
        self._forget()

    def find(self, tree: Any) -> Iterator[tuple[Any, tuple[int, ...]]]:
        """Give each element of a tree that rules are about, with their numbers in order."""
        others: dict[Any, list[int]] = {}
        for number, select in self._others:
            for element in select(tree):
                others.setdefault(element, []).append(number)
        root = tree.getroot()
        pending = [(root, self._place(root, self._outside))]
        while pending:
            element, place = pending.pop()
            if element in others:
                yield element, tuple(sorted((*place.rules, *others[element])))
            elif place.rules:
                yield element, place.rules
            pending += [
                (child, self._place(child, place))
                for child in element
                if isinstance(child.tag, str)
            ]

    def _place(self, element: Any, around: _Place) -> _Place:
        key = (element.tag, element.get("class", ""))
        if (place := around.within.get(key)) is None:
            if self._places >= _KEPT_PLACES:
                self._forget()
            self._places += 1
            place = around.within[key] = self._enter(around, *key)
        return place

    def _forget(self) -> None:
        self._outside = _Place((), (0,) * len(self._paths))
        self._places = 0

    def _enter(self, around: _Place, name: str, written: str) -> _Place:
        classes = {"", *_CLASS.findall(written)}
        rules, steps = [], []
        for (number, path), taken in zip(self._paths, around.steps, strict=True):
            wanted, class_ = path[taken]
            is_it = wanted in ("", name) and class_ in classes
            is_last = taken == len(path) - 1
            if is_it and is_last:
                rules.append(number)
            # The last step may be taken again within itself: a quote in a quote.
            steps.append(taken + (is_it and not is_last))
        return _Place(tuple(rules), tuple(steps))


@lru_cache(maxsize=4096)
def _read_path(selector: str) -> tuple[_Step, ...]:
    """A selector of names and classes alone, step by step inwards; empty where it has more."""
    matches = [_STEP.fullmatch(step) for step in selector.split(" ")]
    steps = [(match[1] or "", match[2] or "") for match in matches if match and match[0]]
    return tuple(steps) if len(steps) == len(matches) else ()
