"""The interface's own words, from catalogues in gettext's PO format (`templates/locale/`).

`messages.pot` names each phrase (`msgctxt`) and has it in English (`msgid`); `zh.po` has it in
Chinese. A publication's own catalogues replace the packaged ones and add languages, as templates
do. Phrases with `{braces}` are filled in with `str.format`. In a template, a phrase that takes
words with markup is made safe first: `(words.continue_reading | e).format(title=span)`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from gettext import c2py

import msgspec
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po

from publisher.errors import PublisherError

FOLDER = "locale"
_ENGLISH = f"{FOLDER}/messages.pot"
_FIELD = re.compile(r"\{(\w*)\}")

# What a phrase is in PO files: text, or its forms for different numbers.
_Written = str | Sequence[str] | None


class Words(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The phrases of one language, as attributes by their names; `language` is its BCP 47 tag.

    `language` differs from the document's where there are no words in the document's. A phrase
    has several forms where it depends on a number; `plural` tells which is that number's.
    """

    language: str
    phrases: Mapping[str, tuple[str, ...]]
    plural: Callable[[int], int]

    def __post_init__(self) -> None:
        # As attributes of its own they are found four times faster than by `__getattr__`, and
        # pages ask for some twenty each.
        known = {name: forms[0] for name, forms in self.phrases.items()}
        self.__dict__.update((name, known[name]) for name in known.keys() - set(dir(Words)))

    def __getattr__(self, name: str) -> str:
        if name not in self.phrases:
            raise AttributeError(f"there is no phrase {name}")
        return self.phrases[name][0]

    def get(self, name: str) -> str:
        """A phrase that some have and others have not; empty where there is none."""
        return self.phrases.get(name, ("",))[0]

    def counted(self, name: str, number: int, shown: str = "") -> str:
        """A phrase with a number filled in, or with how it is shown."""
        forms = self.phrases[name]
        form = forms[min(self.plural(number), len(forms) - 1)]
        return form.format(number=shown or number)


class Catalogues:
    """The words of all languages; each is read when it is first asked for."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """Take the templates' sources, by path relative to `templates/`."""
        self._sources = {
            _tag_of(path): (path, text)
            for path, text in sources.items()
            if path.startswith(f"{FOLDER}/") and path.endswith(".po")
        }
        self._english = sources[_ENGLISH]
        self._words: dict[str, Words] = {}

    def words(self, language: str) -> Words:
        """Give the words for a BCP 47 tag, of the closest language; English where there are none.

        Raises PublisherError where the catalogue cannot be read.
        """
        if language not in self._words:
            self._words[language] = self._find(language)
        return self._words[language]

    @property
    def languages(self) -> list[str]:
        """The tags of the languages that there are words of."""
        return sorted({"en", *self._sources})

    def _find(self, language: str) -> Words:
        subtags = language.lower().split("-")
        for length in range(len(subtags), 0, -1):
            tag = "-".join(subtags[:length])
            if tag in self._sources:
                return _read(tag, *self._sources[tag], self._english)
        return _read("en", _ENGLISH, self._english, self._english)


# The site, its forms and its messages each ask for the same words; to read them takes 10 ms.
@lru_cache(maxsize=32)
def _read(tag: str, path: str, text: str, english: str) -> Words:
    phrases = dict(_read_english(english))
    catalogue = _parse(path, text)
    for message in catalogue:
        if message.context in phrases and all(_forms(message.string)) and not message.fuzzy:
            _check_fields(path, message)
            phrases[message.context] = _forms(message.string)
    return Words(language=tag, phrases=phrases, plural=c2py(catalogue.plural_expr))


@lru_cache(maxsize=2)
def _read_english(text: str) -> Mapping[str, tuple[str, ...]]:
    return {m.context: _forms(m.id) for m in _parse(_ENGLISH, text) if m.context}


def _tag_of(path: str) -> str:
    """`locale/zh_Hant.po` -> `zh-hant`."""
    return path.removeprefix(f"{FOLDER}/").removesuffix(".po").replace("_", "-").lower()


def _parse(path: str, text: str) -> Catalog:
    try:
        return read_po(text.splitlines(), charset="utf-8", abort_invalid=True)
    except (PoFileError, ValueError, IndexError) as error:
        raise PublisherError(f"templates/{path} is no catalogue of gettext: {error}") from None


def _forms(written: _Written) -> tuple[str, ...]:
    return (written or "",) if isinstance(written, str | None) else tuple(written)


def _check_fields(path: str, message: Message) -> None:
    """Raise PublisherError where a translation has a field that nothing fills in."""
    known = set(_FIELD.findall(" ".join(_forms(message.id))))
    for form in _forms(message.string):
        rest = _FIELD.sub("", form)
        if unknown := sorted(set(_FIELD.findall(form)) - known):
            wrong = "{" + unknown[0] + "}"
        elif "{" in rest or "}" in rest:
            wrong = "a brace"
        else:
            continue
        right = ", ".join("{" + name + "}" for name in sorted(known)) or "no fields"
        raise PublisherError(
            f"templates/{path}: {message.context} has {wrong}, and the English has {right}"
        )
