"""Notices -> HTML, through the publication's templates; plainer where those are broken."""

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
from markupsafe import Markup

from publisher.errors import PublisherError
from publisher.model.language import direction
from publisher.render.frame import PageContext, fill_in, make_page, site_feeds
from publisher.render.templates import make_templates
from publisher.render.urls import Urls
from publisher.render.views import Setting
from publisher.render.words import Catalogues, Words
from publisher.settings import Settings
from publisher.site.scan import read_packaged_templates, read_templates
from publisher.web.public.notices import KINDS, Kind, Notice, make_notice

STYLESHEET = "pages/site.css"

_PLAIN = Markup(
    '<!doctype html>\n<html lang="{language}" dir="{direction}">\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta name="color-scheme" content="light dark">\n<meta name="robots" content="noindex">\n'
    "<title>{title}</title>\n<main>\n<h1>{title}</h1>\n{paragraphs}{form}{hint}</main>\n</html>\n"
)
_PARAGRAPH = Markup("<p>{}</p>\n")
_BUTTON = Markup('<form method="post"><p><button type="submit">{}</button></p></form>\n')

Tell = Callable[[str], None]


class Page(msgspec.Struct, frozen=True):
    """A page in HTML, and the `style-src` that allows its own style and no other."""

    html: bytes
    style_source: str


class _Look(msgspec.Struct, frozen=True):
    """The templates as they were when they were last looked at, and what was made of them."""

    sources: dict[str, str]
    catalogues: Catalogues
    context: PageContext | None
    style: str
    ready: dict[Notice, Page]


class Pages:
    """Renders notices. What is looked at is replaced as a whole, so any thread may ask."""

    def __init__(self, folder: Path, settings: Settings, tell: Tell) -> None:
        self._folder = folder
        self._settings = settings
        self._publication = settings.as_publication()
        self._tell = tell
        self._told = ""
        self._packaged = Catalogues(read_packaged_templates())
        self._look = _Look({}, self._packaged, None, "", {})
        self.refresh()

    def refresh(self) -> bool:
        """Look at the templates again; True where they are others than before."""
        try:
            sources = read_templates(self._folder)
        except (PublisherError, OSError) as error:
            self._complain(str(error))
            sources = {}
        if sources == self._look.sources and self._look.sources:
            return False
        # As an HTML parser gives it to the hash of a policy.
        style = sources.get(STYLESHEET, "").replace("\r\n", "\n").replace("\r", "\n")
        self._told = ""
        catalogues = self._read_catalogues(sources)
        look = _Look(sources, catalogues, self._make_context(sources), style, {})
        words = catalogues.words(self._publication.language)
        for kind in KINDS:  # what is wrong is said now, not when a reader comes
            notice = make_notice(kind, self._publication, words)
            look.ready[notice] = self._render(look, notice)
        self._look = look
        return True

    def render(
        self, kind: Kind, address: str = "", language: str = "", *, is_of_preferences: bool = False
    ) -> Page:
        """Give a page, whatever the templates are like; most are ready.

        `language` is one that a reader chose, if they did.
        """
        look = self._look
        language = self.speak(language)
        notice = make_notice(
            kind,
            self._publication,
            look.catalogues.words(language),
            address,
            language=language,
            is_of_preferences=is_of_preferences,
        )
        return look.ready.get(notice) or self._render(look, notice)

    def speak(self, language: str) -> str:
        """A language that a reader chose, or the publication's where there are no words in it."""
        return language if language in self.languages else self._publication.language

    @property
    def languages(self) -> list[str]:
        """The tags of the languages that there are words in."""
        return self._look.catalogues.languages

    def words(self, language: str) -> Words:
        """The words of a language that a reader chose, or of the publication's."""
        return self._look.catalogues.words(self.speak(language))

    def fill(self, make: Callable[[PageContext, Markup], bytes]) -> Page:
        """Make a page of what all pages share and the stylesheet. Raises PublisherError."""
        look = self._look
        try:
            if look.context is None:
                raise PublisherError("the templates cannot be read")
            html = make(look.context, Markup(look.style))  # noqa: S704 - the operator's own file
        except Exception as error:  # a template may also divide by nothing
            raise PublisherError(f"a page cannot be made: {type(error).__name__}") from error
        return Page(html, _allow(look.style))

    def _render(self, look: _Look, notice: Notice) -> Page:
        try:
            if look.context is None:
                raise PublisherError("the templates cannot be read")
            html = self._fill_in(look.context, notice, look.style)
        except Exception as error:  # a template may also divide by nothing
            self._complain(f"templates/pages/consent.html: {type(error).__name__}: {error}")
            return Page(self._render_plain(notice), "'none'")
        return Page(html, _allow(look.style))

    def _read_catalogues(self, sources: dict[str, str]) -> Catalogues:
        """The words of all languages; the packaged ones where the publication's own are broken."""
        if not sources:
            return self._packaged
        catalogues = Catalogues(sources)
        try:
            for language in (self._publication.language, *catalogues.languages):
                catalogues.words(language)
        except PublisherError as error:
            self._complain(str(error))
            return self._packaged
        return catalogues

    def _make_context(self, sources: dict[str, str]) -> PageContext | None:
        if not sources:
            return None
        setting = Setting(
            publication=self._publication,
            urls=Urls(self._publication.url),
            web_url=self._settings.web_url,
            catalogues=Catalogues(sources),
        )
        return PageContext(
            setting=setting,
            templates=make_templates(sources),
            stylesheet_url="",  # the style stands in the page
            feeds=site_feeds(setting),
        )

    def _fill_in(self, context: PageContext, notice: Notice, style: str) -> bytes:
        language = notice.language
        page = make_page(
            self._publication,
            name="consent",
            title=notice.title,
            description="",
            url="",
            language=language,
            is_indexed=False,
        )
        marked = Markup(style)  # noqa: S704 - the operator's own file
        return fill_in(context, page, notice=notice, style=marked)

    def _render_plain(self, notice: Notice) -> bytes:
        language = notice.language
        page = _PLAIN.format(
            language=language,
            direction=direction(language),
            title=notice.title,
            paragraphs=Markup().join(_PARAGRAPH.format(each) for each in notice.paragraphs),
            form=_BUTTON.format(notice.button) if notice.button else "",
            hint=_PARAGRAPH.format(notice.hint) if notice.hint else "",
        )
        return page.encode()

    def _complain(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._tell(f"the server's pages are plain: {text}")


def _allow(style: str) -> str:
    """The `style-src` of a page in which a stylesheet stands."""
    return f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"
