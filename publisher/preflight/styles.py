"""CSS in the message, held against what mail clients support.

A style that some client lacks is reported only where that can be seen: what merely finishes the
look (a rounded corner, a hyphen) and what means nothing without another property that is reported
itself is let be. Rules inside at-rules are taken up by those clients that know them, and are let
be as well.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from publisher.preflight.mail_support import AT_RULES, FUNCTIONS, PROPERTIES, UNITS, VALUES

# A style as it is named, and why it is critical or which clients lack it.
Finding = tuple[str, str, str]

_LIES_ELSEWHERE = "Gmail drops it, and what it places lies over or under something else"
CRITICAL: Mapping[str, str] = {
    "display:flex": "Outlook on Windows stacks what should stand side by side",
    "display:inline-flex": "Outlook on Windows stacks what should stand side by side",
    "display:grid": "Gmail and Outlook stack what should stand side by side",
    "display:inline-grid": "Gmail and Outlook stack what should stand side by side",
    "position:absolute": _LIES_ELSEWHERE,
    "position:fixed": _LIES_ELSEWHERE,
    "position:sticky": _LIES_ELSEWHERE,
    "var()": "Gmail, Outlook and Yahoo Mail drop the whole declaration, its colour or size too",
}

# Without these everything is there, in its order and readable.
_FINISH = (
    "accent-color animation backdrop-filter background-blend-mode background-clip "
    "background-origin background-position background-repeat background-size border-radius "
    "border-spacing border-start-start-radius border-start-end-radius border-end-start-radius "
    "border-end-end-radius box-shadow caption-side color-scheme cursor empty-cells filter "
    "font-kerning font-stretch height hyphenate-character hyphenate-limit-chars hyphens "
    "list-style-position max-height min-height min-width mix-blend-mode object-fit "
    "object-position opacity orphans outline outline-offset overflow overflow-wrap resize "
    "scroll-snap tab-size table-layout text-align-last text-decoration-color "
    "text-decoration-line text-decoration-skip-ink text-decoration-style "
    "text-decoration-thickness text-justify text-overflow text-shadow text-underline-offset "
    "text-underline-position text-wrap transition user-select white-space "
    "white-space-collapse widows word-break word-spacing word-wrap"
)
# These do nothing without display: flex or grid, or position.
_DEPENDENT = (
    "align-items bottom column-gap gap grid-template grid-template-areas grid-template-columns "
    "grid-template-rows inset justify-content left right row-gap top z-index "
)
GRACEFUL = frozenset(f"{_FINISH} {_DEPENDENT}".split())
_GRACEFUL_VALUES = {"flex-direction:column", "flex-wrap:wrap"}
_GRACEFUL_AT_RULES = {"@font-face", "@keyframes", "@supports"}

_DECLARATION = re.compile(r"([a-z][a-z-]*)\s*:\s*((?:\([^()]*\)|[^;()])*)", re.IGNORECASE)
_QUOTED = re.compile(r"""url\([^()]*\)|"[^"]*"|'[^']*'""", re.IGNORECASE)
_FUNCTION = re.compile(r"([a-z][a-z-]*)\(")
_UNIT = re.compile(r"\d(" + "|".join(sorted(UNITS, key=len, reverse=True)) + r")\b")
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_BRACE = re.compile(r"[^{};]*[{};]|[^{};]+\Z", re.DOTALL)


@lru_cache(maxsize=1024)
def judge_style(style: str) -> tuple[Finding, ...]:
    """Judge the declarations of a style attribute: (rule, style, reason or clients) of each."""
    found: list[Finding] = []
    for name, value in _DECLARATION.findall(_QUOTED.sub(" ", style)):
        found += _judge(name.lower(), value.lower().replace("!important", "").strip())
    return tuple(dict.fromkeys(found))


def _judge(name: str, value: str) -> Iterator[Finding]:
    pair = f"{name}:{value}"
    if pair in CRITICAL:
        yield "css-layout-critical", pair, CRITICAL[pair]
    elif pair in VALUES and pair not in _GRACEFUL_VALUES:
        yield "css-unsupported", pair, VALUES[pair]
    elif name in PROPERTIES and name not in GRACEFUL:
        yield "css-unsupported", name, PROPERTIES[name]
    for function in _FUNCTION.findall(value):
        if (critical := f"{function}()") in CRITICAL:
            yield "css-layout-critical", critical, CRITICAL[critical]
        elif function in FUNCTIONS:
            yield "css-unsupported", f"{function}()", FUNCTIONS[function]
    for unit in _UNIT.findall(value):
        yield "css-unsupported", f"the unit {unit}", UNITS[unit]


@lru_cache(maxsize=64)
def judge_block(css: str) -> tuple[Finding, ...]:
    """Judge a style block's rules outside at-rules, its at-rules, and at-rules inside these."""
    found: list[Finding] = []
    open_rules: list[str] = []
    declarations = ""
    for piece in _BRACE.findall(_COMMENT.sub(" ", css)):
        text, end = piece.strip().rstrip("{};").strip(), piece[-1]
        at_rule = text.split(None, 1)[0].split("(")[0].lower() if text.startswith("@") else ""
        if at_rule in AT_RULES and at_rule not in _GRACEFUL_AT_RULES:
            found.append(("css-unsupported", at_rule, AT_RULES[at_rule]))
        if end == "{":
            if at_rule and any(open_rules):
                found.append(("style-nested", at_rule, ""))
            open_rules.append(at_rule)
        else:
            declarations += f"{text};" if open_rules and not any(open_rules) else ""
            if end == "}" and open_rules:
                open_rules.pop()
    return tuple(dict.fromkeys((*found, *judge_style(declarations))))
