"""Placeholders that were to be filled in before publication."""

import re
from collections.abc import Collection

# TODO is a word where all capitals are set: "TODO SOBRE …".
_TODO_IS_A_WORD = {"ca", "es", "gl", "it", "pt"}

_PLACEHOLDER = re.compile(
    r"""
      \{\{[^{}]{0,200}\}\} | \{%[^{}]{0,200}%\}      # Jinja2, Liquid, Handlebars
    | \*\|[A-Z][A-Z0-9_:]*\|\*                       # Mailchimp's merge tags
    | (?i:\[\s*(?:placeholder|(?:insert|add)\s+\w|(?:your|link|title|image|photo)\s+(?:here|name)\b)
      [^\[\]\n]{0,60}\])
    | [\[［【（(]\s*(?:待补|待定稿|此处插入|插入(?:图|链接|照片))[^\]］】）)\n]{0,20}[\]］】）)]
    | \b(?:TK)+\b(?![ -]?\d)(?!\s[A-Z][a-z])         # not flights (TK 1951), not TK Maxx
    | \bFIXME\b | \bTODO\b(?!\s(?:app|comment|item|list)) | \bPLACEHOLDER\b
    | (?<![A-Za-z0-9])X{3,}(?![A-Za-z0-9]|-rated)    # also in 2025年XXX月, not in XXXL
    | (?i:\blorem\ ipsum\ dolor\b | \A\W{0,9}lorem\ ipsum\W{0,9}\Z)
    """,
    re.VERBOSE,
)
# Looked for first, since it is quick: most texts have none of these, and hardly any has the next.
_MARKS = ("[", "{", "*|", "TK", "FIXME", "TODO", "PLACEHOLDER", "XXX", "［", "待", "此", "插")
_HINT = re.compile(
    r"\{[{%]|\*\||TK|FIXME|TODO|PLACEHOLDER|XXX|[Mm] [Ii][Pp][Ss][Uu][Mm]|[\[［]|[【（(]\s*[待此插]"
)
# Roman thirty: Super Bowl XXX, the XXX Olympiad.
_BEFORE_NUMERAL = re.compile(r"(?:Bowl|Vol\.|Volume|Part|Chapter|Book|Canto)\s$")
_BEHIND_NUMERAL = re.compile(r"\sOlympi")


def find_placeholder(text: str, languages: Collection[str] = ()) -> str | None:
    """Give the first placeholder in a text, None where it has none.

    `languages` are the tags (BCP 47) of those that the text may be written in.
    """
    if not (any(map(text.__contains__, _MARKS)) or "m ipsum" in text.lower()):
        return None
    if not _HINT.search(text):
        return None
    meant = (match[0] for match in _PLACEHOLDER.finditer(text) if _is_meant(match, languages))
    return next(meant, None)


def _is_meant(match: re.Match[str], languages: Collection[str]) -> bool:
    text = match.string
    if match[0] == "TODO" and any(tag.lower()[:2] in _TODO_IS_A_WORD for tag in languages):
        return text[match.end() : match.end() + 1] == ":"
    if match[0] == "XXX":
        is_numeral = _BEFORE_NUMERAL.search(text, 0, match.start())
        return not is_numeral and not _BEHIND_NUMERAL.match(text, match.end())
    return True
