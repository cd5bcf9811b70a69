"""The language of an entry: what its feed says, where its letters do not say otherwise."""

import re
import unicodedata
from collections import Counter

# Languages by the script that their texts are in (CLDR's likely subtags), where it is not Latin.
_SCRIPTS = {
    **dict.fromkeys(("zh", "yue", "wuu", "cmn"), "CJK"),
    "ja": "HIRAGANA",
    "ko": "HANGUL",
    **dict.fromkeys(("ar", "fa", "ur", "ps", "ckb", "ug", "sd"), "ARABIC"),
    **dict.fromkeys(("he", "iw", "yi"), "HEBREW"),
    **dict.fromkeys(("ru", "uk", "be", "bg", "mk", "kk", "ky", "mn", "tg"), "CYRILLIC"),
    **dict.fromkeys(("hi", "mr", "ne", "sa"), "DEVANAGARI"),
    "el": "GREEK",
    "th": "THAI",
    "ta": "TAMIL",
    "te": "TELUGU",
    "bn": "BENGALI",
    "ka": "GEORGIAN",
    "hy": "ARMENIAN",
    "am": "ETHIOPIC",
}
_LATIN = frozenset(
    (
        *("af", "ca", "cs", "da", "de", "en", "es", "et", "eu", "fi", "fr", "ga", "gl", "hr", "hu"),
        *("id", "is", "it", "lt", "lv", "ms", "mt", "nb", "nl", "nn", "no", "pl", "pt", "ro", "sk"),
        *("sl", "sq", "sv", "sw", "tl", "tr", "vi"),
    )
)
# Scripts in which hardly anything but one language is written. Arabic, Cyrillic, Devanagari and
# Latin letters do not tell which.
_TELLING = {
    "CJK": "zh",
    "HIRAGANA": "ja",
    "HANGUL": "ko",
    "HEBREW": "he",
    "GREEK": "el",
    "THAI": "th",
}
# RFC 5646, section 2.1: language, script, region, variants. What feeds say besides is made up.
_TAG = re.compile(
    r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|\d{3}))?(?:-(?:[A-Za-z0-9]{5,8}|\d\w{3}))*",
    re.ASCII,
)
# Of the letters; names and terms in another script are a small part.
_LEAST_SHARE = 0.5
_ENOUGH_LETTERS = 4


def find_language(said: str, text: str) -> str:
    """The language of a text, as a BCP 47 tag; empty where nobody says it and nothing tells.

    What a feed says counts, but where the text is in letters that this language is not written
    in: many feeds say `en-us` because their program does.
    """
    said = write_tag(said)
    script = find_script(text)
    known = said.partition("-")[0].lower()
    expected = "LATIN" if known in _LATIN else _SCRIPTS.get(known, "")
    has_script = re.search(r"-[A-Za-z]{4}(?:-|$)", said) is not None
    is_other = script and expected and script != expected and not has_script
    # A short Japanese title may be in Chinese characters alone.
    is_other = is_other and not (known == "ja" and script == "CJK")
    return said if said and not is_other else _TELLING.get(script, "")


def write_tag(text: str) -> str:
    """A language tag as people write it (RFC 5646, section 2.1.1); empty where it is none."""
    text = text.strip().replace("_", "-")
    if not _TAG.fullmatch(text) or text.lower() in ("und", "mul", "zxx"):
        return ""
    first, *others = text.split("-")
    return "-".join([first.lower(), *map(_write_subtag, others)])


def _write_subtag(subtag: str) -> str:
    if len(subtag) == 4 and subtag.isalpha():
        return subtag.title()
    return subtag.upper() if len(subtag) == 2 else subtag


def is_same_language(tag: str, other: str) -> bool:
    """Tell whether two tags differ in a region at most, which no reader's program minds."""
    return _without_region(tag) == _without_region(other)


def _without_region(tag: str) -> tuple[str, ...]:
    parts = tag.lower().split("-")
    return (parts[0], *(each for each in parts[1:] if len(each) == 4 and each.isalpha()))


def find_script(text: str) -> str:
    """The script of most letters, in Unicode's word for it; empty where there is none of most."""
    letters = [each for each in text[:1_000] if each.isalpha()]
    counts = Counter(_script_of(each) for each in letters)
    if counts["HIRAGANA"]:  # with Chinese characters between, it is Japanese
        counts["HIRAGANA"] += counts.pop("CJK", 0)
    script, count = counts.most_common(1)[0] if counts else ("", 0)
    return script if count >= max(_ENOUGH_LETTERS, _LEAST_SHARE * len(letters)) else ""


def _script_of(letter: str) -> str:
    first = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    return "HIRAGANA" if first == "KATAKANA" else first
