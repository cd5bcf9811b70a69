"""What is kept of a name and a language that somebody chose on a form."""

import pytest

from publisher.web.public.names import choose_language

LANGUAGES = ["ar", "en", "zh", "zh-hant"]


@pytest.mark.parametrize(
    ("text", "own", "kept"),
    [
        ("zh", "en", "zh"),
        ("zh-Hans-CN", "en", "zh"),
        ("ZH-Hant-HK", "en", "zh-hant"),
        ("zh-Hant", "zh-Hans", "zh-hant"),
        ("zh-Hans", "zh", ""),
        ("en", "en-GB", ""),
        ("en", "fr", ""),
        ("fr", "en", ""),
        ("ar", "fr", "ar"),
        ("", "en", ""),
        ("zhx", "en", ""),
        ("../../locale/ar", "en", ""),
    ],
)
def test_a_language_is_one_that_there_are_words_in(text: str, own: str, kept: str) -> None:
    assert choose_language(text, LANGUAGES, own) == kept
