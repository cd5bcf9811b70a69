"""Which script a text is written in, and which one its language is written in."""

import re
from collections.abc import Mapping

# Letters by script, as far as publications use them: ranges of Unicode's blocks.
_SCRIPTS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(f"[{ranges}]+")
    for name, ranges in {
        "Greek": "\u0370-\u03ff\u1f00-\u1fff",
        "Cyrillic": "\u0400-\u052f",
        "Armenian": "\u0531-\u058f",
        "Hebrew": "\u05d0-\u05f2",
        "Arabic": "\u0620-\u064a\u066e-\u06d3\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc",
        "Devanagari": "\u0900-\u0963\u0970-\u097f",
        "Bengali": "\u0980-\u09fe",
        "Tamil": "\u0b80-\u0bfa",
        "Thai": "\u0e01-\u0e4e",
        "Georgian": "\u10a0-\u10ff",
        "Hangul": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3",
        "Kana": "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9d",
        "Han": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134a",
    }.items()
}
# Everything from Greek on; what is below is Latin, and most of what is above is one of the others.
_NOT_LATIN = re.compile("[\u0370-\u1dff\u1f00-\u1fff\u3041-\ud7a3\uf900-\ufdff\ufe70-\uffdc𠀀-𱍊]+")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")

# The scripts that a language is usually written in. What is not here, or is written in several
# scripts (Serbian, Kazakh, Punjabi), is not judged.
_LATIN_LANGUAGES = (
    *("af", "ca", "cs", "cy", "da", "de", "en", "es", "et", "eu", "fi", "fil", "fr", "ga", "gl"),
    *("hr", "hu", "id", "is", "it", "lt", "lv", "mt", "nb", "nl", "nn", "no", "pl", "pt", "ro"),
    *("sk", "sl", "sq", "sv", "sw", "tl", "tr", "vi"),
)
_WRITTEN_IN: Mapping[str, frozenset[str]] = {
    **{language: frozenset({"Latin"}) for language in _LATIN_LANGUAGES},
    **{language: frozenset({"Cyrillic"}) for language in ("be", "bg", "mk", "ru", "uk")},
    **{language: frozenset({"Arabic"}) for language in ("ar", "ckb", "fa", "ps", "sd", "ug", "ur")},
    **{language: frozenset({"Hebrew"}) for language in ("he", "iw", "yi")},
    **{language: frozenset({"Devanagari"}) for language in ("hi", "mr", "ne")},
    **{language: frozenset({"Han"}) for language in ("yue", "zh")},
    "bn": frozenset({"Bengali"}),
    "el": frozenset({"Greek"}),
    "hy": frozenset({"Armenian"}),
    "ja": frozenset({"Han", "Kana"}),
    "ka": frozenset({"Georgian"}),
    "ko": frozenset({"Hangul", "Han"}),
    "ta": frozenset({"Tamil"}),
    "th": frozenset({"Thai"}),
}
_EXAMPLES: Mapping[str, str] = {
    "Latin": "en",
    "Greek": "el",
    "Cyrillic": "ru",
    "Armenian": "hy",
    "Hebrew": "he",
    "Arabic": "ar",
    "Devanagari": "hi",
    "Bengali": "bn",
    "Tamil": "ta",
    "Thai": "th",
    "Georgian": "ka",
    "Hangul": "ko",
    "Kana": "ja",
    "Han": "zh",
}

# A few foreign names are no mismatch: so many letters at least, and this share of them. Latin
# names and terms stand in texts of every script, so Latin must be nearly all there is.
_LEAST_LETTERS = 12
_LEAST_SHARE = 0.6
_LEAST_LATIN_LETTERS = 40
_LEAST_LATIN_SHARE = 0.95


def find_mismatch(text: str, language: str) -> str | None:
    """Give the script that a text is written in where its language (BCP 47) is never written so."""
    subtags = language.lower().split("-")
    expected = _WRITTEN_IN.get(subtags[0])
    # A script subtag (sr-Latn) says that somebody thought about it: RFC 5646, section 2.2.3.
    if expected is None or any(len(subtag) == 4 for subtag in subtags[1:]):
        return None
    if text.isascii() and "Latin" in expected:
        return None
    counts = _count(text)
    total = sum(counts.values())
    script = max(counts, key=lambda name: counts[name])
    least, share = (_LEAST_LETTERS, _LEAST_SHARE)
    if script == "Latin":
        least, share = (_LEAST_LATIN_LETTERS, _LEAST_LATIN_SHARE)
    is_other = script not in expected and counts[script] >= least
    return script if is_other and counts[script] >= share * total else None


def example_language(script: str) -> str:
    """A language that is written in a script."""
    return _EXAMPLES[script]


def _count(text: str) -> dict[str, int]:
    rest = "".join(_NOT_LATIN.findall(text))
    counts = {"Latin": sum(map(len, _LATIN.findall(text)))}
    if rest:
        for name, letters in _SCRIPTS.items():
            counts[name] = sum(map(len, letters.findall(rest)))
    return counts
