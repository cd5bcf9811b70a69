"""What surrounds every public page: its head, the site's addresses, the words of its language.

No page holds a script that runs or an inline style, so that `style-src 'self'` is enough for all of
them. The one script element is a block of data (`application/ld+json`), which browsers do not run
and the policy does not concern.
Names that a page gives to its own elements hold an underscore, which no highlight's id can; the
home page, where no highlight's id stands, names `archive`, `feeds`, `subscribe` and `leave`. What
was mailed links to `v-` and 12 hex digits, which would have to be the hash of the id that has them.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

import msgspec
from jinja2 import Environment
from markupsafe import Markup

from publisher.model.issue import Image
from publisher.model.language import direction
from publisher.model.publication import Publication
from publisher.render.excerpt import shorten
from publisher.render.structured_data import Node, Profile, data_block
from publisher.render.views import Setting, TagView, find_image, spoken_language
from publisher.render.words import Catalogues

# A field of the subscribe form that only a program fills in: people neither see nor reach it.
TRAP_FIELD = "website"
# What search engines and cards show of a description; the rest would be cut by them.
DESCRIPTION_LENGTH = 200

_FORMATS = (
    ("Atom", "atom", "application/atom+xml"),
    ("RSS", "rss", "application/rss+xml"),
    ("JSON", "json", "application/feed+json"),
)


class FeedLink(msgspec.Struct, frozen=True, kw_only=True):
    """One feed in one format: `label` says what it holds, `title` is for reader programs."""

    label: str
    format: str
    title: str
    url: str
    media_type: str


class PageContext(msgspec.Struct, frozen=True, kw_only=True):
    """What all pages share; `feeds` are the site's own (`site_feeds`), for autodiscovery.

    `card` is the picture that is shown beside a link to a page without one of its own.
    """

    setting: Setting
    templates: Environment
    stylesheet_url: str
    feeds: tuple[FeedLink, ...]
    card: Image | None = None
    profile: Profile = Profile()


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses that every page links to."""

    home: str
    archive: str
    tags: str
    search: str
    opensearch: str
    feeds: str
    subscribe: str
    leave: str
    form: str
    preferences: str
    opml: str
    stylesheet: str
    trap: str
    logo: Image | None
    profile: Profile


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a page's head says. `name` is its template, `kind` Open Graph's type.

    `title` stands alone on cards; `full_title` ends with the publication's. `published` and
    `updated` are RFC 3339, empty where a page is no single publication. `feeds` go before the
    site's own. `data` is schema.org's, ready to stand in the page.
    """

    name: str
    title: str
    full_title: str
    description: str
    url: str
    language: str
    direction: str
    kind: str = "website"
    published: str = ""
    updated: str = ""
    image: Image | None = None
    previous_url: str = ""
    next_url: str = ""
    feeds: tuple[FeedLink, ...] = ()
    is_indexed: bool = True
    data: Markup = Markup()


class _Spoken(Protocol):
    @property
    def language(self) -> str: ...


def site_feeds(setting: Setting) -> tuple[FeedLink, ...]:
    """The publication's six feeds: of highlights and of issues, in each format."""
    words = setting.words()
    return (
        *_feed_links(setting, "feed", words.of_highlights),
        *_feed_links(setting, "issues", words.of_issues),
    )


def tag_feeds(tag: TagView, setting: Setting) -> tuple[FeedLink, ...]:
    """The three feeds of a tag."""
    return tuple(_feed_links(setting, f"tags/{tag.slug}/feed", tag.label))


def _feed_links(setting: Setting, stem: str, label: str) -> list[FeedLink]:
    title = f"{setting.publication.title}: {label}"
    return [
        FeedLink(
            label=label,
            format=name,
            title=f"{title} ({name})",
            url=setting.urls.path(f"{stem}.{suffix}"),
            media_type=media_type,
        )
        for name, suffix, media_type in _FORMATS
    ]


def make_page(
    publication: Publication,
    *,
    title: str,
    description: str,
    nodes: tuple[Node, ...] = (),
    **fields: Any,
) -> Page:
    """Make a page's head; `nodes` are what it says to machines."""
    is_named = title.startswith(publication.title)
    return Page(
        title=title,
        full_title=title if is_named else f"{title} · {publication.title}",
        description=shorten(" ".join(description.split()), DESCRIPTION_LENGTH),
        direction=direction(fields["language"]),
        data=data_block(nodes) if nodes else Markup(),
        **fields,
    )


def fill_in(context: PageContext, page: Page, **variables: Any) -> bytes:
    template = context.templates.get_template(f"pages/{page.name}.html")
    return template.render(
        _vocabulary(context.setting.catalogues, page.language),
        publication=context.setting.publication,
        site=_site(context),
        page=page,
        feeds=page.feeds + context.feeds,
        **variables,
    ).encode()


def _site(context: PageContext) -> Site:
    setting = context.setting
    urls, home = setting.urls, setting.urls.home()
    logo = setting.publication.logo
    return Site(
        home=home,
        archive=urls.archive(),
        tags=urls.tags(),
        search=urls.search(),
        opensearch=urls.path("opensearch.xml"),
        feeds=urls.about_feeds(),
        subscribe=f"{home}#subscribe",
        leave=f"{home}#leave",
        form=f"{setting.web_url}/subscribe",
        preferences=f"{setting.web_url}/preferences",
        opml=urls.path("feeds.opml"),
        stylesheet=context.stylesheet_url,
        trap=TRAP_FIELD,
        logo=find_image(Image(logo), setting) if logo else None,
        profile=context.profile,
    )


@lru_cache(maxsize=64)
def _vocabulary(catalogues: Catalogues, document: str) -> Mapping[str, Any]:
    """What templates need to speak a document's language and to mark other ones.

    `lang_of(thing)` gives the attributes `lang` and `dir` where `thing.language` differs from
    the document's, or from that of the element around it when given; `hreflang_of` the same for
    a link to something in another language. `words.language` is the document's own tag where the
    interface has words of that language, so that `lang_of(words)` is silent there.
    """

    def lang_of(thing: _Spoken, around: str = document) -> Markup:
        return _mark(' lang="{0}" dir="{1}"', thing.language, around)

    def hreflang_of(thing: _Spoken, around: str = document) -> Markup:
        return _mark(' hreflang="{0}" lang="{0}" dir="{1}"', thing.language, around)

    words = catalogues.words(document)
    words = msgspec.structs.replace(words, language=spoken_language(words, document))
    return {"words": words, "lang_of": lang_of, "hreflang_of": hreflang_of}


def _mark(form: str, language: str, around: str) -> Markup:
    if language.lower() == around.lower():
        return Markup()
    return Markup(form).format(language, direction(language))  # noqa: S704
