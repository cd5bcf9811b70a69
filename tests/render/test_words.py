"""The catalogues: whole in each language, used as they stand, and safe in a publication's hands."""

import re
from pathlib import Path

import pytest

from publisher.errors import PublisherError
from publisher.render.words import Catalogues
from publisher.site.scan import read_packaged_templates
from tests.catalogues import CATALOGUES

ROOT = Path(__file__).parents[2]
SOURCES = read_packaged_templates()
LANGUAGES = ("ar", "zh")
PLURALS = {"ar": 6, "zh": 1}
_FIELD = re.compile(r"\{(\w*)\}")
# Phrases whose names are put together from the kind of a page.
_PUT_TOGETHER = re.compile(r'words\.get\(f"\{kind\}(\w*)"\)')


def named() -> set[str]:
    """Every phrase's name, by its English catalogue."""
    return set(re.findall(r'^msgctxt "(\w+)"$', SOURCES["locale/messages.pot"], re.MULTILINE))


def with_own(text: str, path: str = "locale/de.po") -> Catalogues:
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    head += '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
    return Catalogues({**SOURCES, path: head + text})


def phrase(english: str, translated: str, name: str = "issue_number") -> str:
    return f'msgctxt "{name}"\nmsgid "{english}"\nmsgstr "{translated}"\n'


def test_the_languages_are_known() -> None:
    assert CATALOGUES.languages == ["ar", "en", "zh"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_whole(language: str) -> None:
    english, words = CATALOGUES.words("en"), CATALOGUES.words(language)
    for name in named():
        wanted = fields(" ".join(english.phrases[name]))
        # Punctuation may be the same; a sentence that is was forgotten.
        is_wordless = not re.search("[A-Za-z]{2}", _FIELD.sub("", english.get(name)))
        assert is_wordless or words.phrases[name] != english.phrases[name], name
        assert len(words.phrases[name]) == 1 or len(words.phrases[name]) == PLURALS[language]
        # A form for one or two things may do without the number.
        assert fields(words.phrases[name][-1]) == wanted, name


def fields(text: str) -> set[str]:
    return set(_FIELD.findall(text))


def test_each_phrase_is_used_somewhere() -> None:
    files = [*(ROOT / "publisher").rglob("*.py"), *(ROOT / "templates").rglob("*.*")]
    files = [file for file in files if file.suffix in (".py", ".html", ".txt", ".js", ".xml")]
    text = "\n".join(file.read_text() for file in files)
    used = set(re.findall(r"words(?:\([^()]*\))?\.(\w+)", text))
    used |= set(re.findall(r"""counted\(['"](\w+)""", text))
    kinds = re.findall(r'^    "(\w+)",$', text, re.MULTILINE)
    used |= {f"{kind}{end}" for kind in kinds for end in ("", "_text", "_button", "_hint")}
    assert named() - used == set()


@pytest.mark.parametrize(
    ("language", "closest"),
    [("zh-Hans-CN", "zh"), ("zh", "zh"), ("ZH-TW", "zh"), ("fr", "en"), ("zha", "en"), ("", "en")],
)
def test_the_closest_language_speaks(language: str, closest: str) -> None:
    assert CATALOGUES.words(language).language == closest


def test_a_publication_adds_a_language() -> None:
    words = with_own(phrase("Issue {number}", "Ausgabe {number}")).words("de-AT")
    assert (words.language, words.issue_number) == ("de", "Ausgabe {number}")
    assert words.home == "Home"  # what is not translated yet


def test_a_publication_has_its_own_english() -> None:
    words = with_own(phrase("Issue {number}", "No. {number}"), "locale/en.po").words("en-GB")
    assert words.issue_number == "No. {number}"


def test_a_regional_catalogue_goes_first() -> None:
    words = with_own(phrase("Home", "首頁", "home"), "locale/zh_Hant.po").words("zh-Hant-HK")
    assert words.home == "首頁"


@pytest.mark.parametrize(
    ("text", "named_in_it"),
    [
        (phrase("Issue {number}", "Ausgabe {nummer}"), "issue_number has {nummer}"),
        (phrase("Issue {number}", "Ausgabe {0}"), "issue_number has {0}"),
        (phrase("Issue {number}", "Ausgabe {number.real}"), "issue_number has a brace"),
        (phrase("Issue {number}", "Ausgabe {"), "issue_number has a brace"),
        ('msgid "a\n', "de.po"),
        ("what is this", "de.po"),
    ],
)
def test_a_broken_catalogue_is_named(text: str, named_in_it: str) -> None:
    with pytest.raises(PublisherError) as caught:
        with_own(text).words("de")
    assert named_in_it in str(caught.value)
    assert "templates/locale/de.po" in str(caught.value)


def test_a_fuzzy_translation_is_none_yet() -> None:
    words = with_own("#, fuzzy\n" + phrase("Home", "Heim", "home")).words("de")
    assert words.home == "Home"


def test_a_number_chooses_its_form() -> None:
    english = 'msgctxt "found"\nmsgid "{number} result"\nmsgid_plural "{number} results"\n'
    head = 'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
    empty = 'msgstr[0] ""\nmsgstr[1] ""\n'
    arabic = SOURCES["locale/ar.po"].split("\n\n")[0] + "\n\n" + english
    for form, text in enumerate(("لا نتائج", "نتيجة", "نتيجتان", *["{number} نتائج"] * 3)):
        arabic += f'msgstr[{form}] "{text}"\n'
    own = Catalogues({"locale/messages.pot": head + english + empty, "locale/ar.po": arabic})
    assert own.words("en").counted("found", 1) == "1 result"
    assert own.words("en").counted("found", 1200, "1,200") == "1,200 results"
    assert own.words("ar").counted("found", 2) == "نتيجتان"
    assert own.words("ar").counted("found", 7) == "7 نتائج"
