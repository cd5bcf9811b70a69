"""Placeholders that were to be filled in before publication."""

import re

# TODO is a word where all capitals are set: "TODO SOBRE …".
_TODO_IS_A_WORD = {"ca", "es", "gl", "it", "pt"}

_PLACEHOLDER = re.compile(
    r"""
      \{\{[^{}]{0,200}\}\} | \{%[^{}]{0,200}%\}      # Jinja2, Liquid, Handlebars
    | \*\|[A-Z][A-Z0-9_:]*\|\*                       # Mailchimp's merge tags
    | \[\s*(?:(?:insert|add)\s+\w|placeholder|(?:your|link|name|title|image|photo)\s+(?:here|name)\b)
      [^\[\]\n]{0,60}\]
    | [\[［【（(]\s*(?:待补|待定稿|此处插入|插入|在此)[^\]］】）)\n]{0,20}[\]］】）)]
    | \b(?:TK)+\b(?![ -]?\d)(?!\s(?-i:[A-Z][a-z]))    # not flights (TK 1951), not TK Maxx
    | \bFIXME\b | \bTODO\b | \bPLACEHOLDER\b
    | (?<![A-Za-z0-9])X{3,}(?![A-Za-z0-9])           # also in 2025年XXX月, not in XXXL
    | \blorem\ ipsum\ dolor\b | \A\W*lorem\ ipsum\W*\Z
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Looked for first, since it is quick: hardly any text has one of these.
_HINT = re.compile(
    r"\{[{%]|\*\||TK|FIXME|TODO|PLACEHOLDER|XXX|lorem ipsum|[\[［【（(]", re.IGNORECASE
)
_CAPITALS = re.compile(r"(?:TK)+|FIXME|TODO|PLACEHOLDER|X{3,}", re.IGNORECASE)
# Roman thirty: Super Bowl XXX, the XXX Olympiad.
_BEFORE_NUMERAL = re.compile(r"(?:Bowl|Vol\.|Volume|Part|Chapter|Book|Canto)\s$")
_BEHIND_NUMERAL = re.compile(r"\sOlympi")


def find_placeholder(text: str, language: str = "") -> str | None:
    """Give the first placeholder in a text, None where it has none."""
    if not _HINT.search(text):
        return None
    for match in _PLACEHOLDER.finditer(text):
        found = match[0]
        # These are words when written small: to do, "todo", a tk file.
        if _CAPITALS.fullmatch(found) and not _is_meant(match, language):
            continue
        return found
    return None


def _is_meant(match: re.Match[str], language: str) -> bool:
    found, text = match[0], match.string
    if not found.isupper():
        return False
    if found == "TODO" and language.lower().split("-")[0] in _TODO_IS_A_WORD:
        return text[match.end() : match.end() + 1] == ":"
    if found == "XXX":
        is_numeral = _BEFORE_NUMERAL.search(text, 0, match.start())
        return not is_numeral and not _BEHIND_NUMERAL.match(text, match.end())
    return True
