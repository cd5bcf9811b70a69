"""What a language tag says about how its text is laid out."""

# Scripts written from right to left, by ISO 15924 code, and the languages whose default script
# (CLDR's likely subtags) is one of them.
_RTL_SCRIPTS = frozenset({"adlm", "arab", "aran", "hebr", "mand", "nkoo", "rohg", "syrc", "thaa"})
_RTL_LANGUAGES = frozenset(
    (
        *("ar", "arc", "ars", "arz", "ckb", "dv", "fa", "glk", "he", "iw", "ji", "ks", "lrc"),
        *("mzn", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"),
    )
)


def direction(language: str) -> str:
    """Give `rtl` or `ltr` for a BCP 47 tag; a script subtag decides before the language."""
    subtags = language.lower().split("-")
    scripts = [subtag for subtag in subtags[1:] if len(subtag) == 4 and subtag.isalpha()]
    is_rtl = scripts[0] in _RTL_SCRIPTS if scripts else subtags[0] in _RTL_LANGUAGES
    return "rtl" if is_rtl else "ltr"
