"""What a page says to machines: schema.org's vocabulary as JSON-LD, in a block of data.

A block is a string that can stand in a page as it is: nothing in it ends the element around it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from markupsafe import Markup

from publisher.model.issue import Image, Person
from publisher.model.publication import Publication
from publisher.render.urls import Urls
from publisher.render.views import (
    CorrectionView,
    HighlightView,
    IssueLink,
    IssueView,
    Setting,
    find_image,
)

Node = dict[str, Any]

# Inside a script element only these could end it or begin another (HTML, 13.2.5.4), and the last
# two are line ends to some readers of JavaScript. In JSON they stand in strings alone.
_ESCAPED = {
    b"<": b"\\u003c",
    b">": b"\\u003e",
    b"&": b"\\u0026",
    "\u2028".encode(): b"\\u2028",
    "\u2029".encode(): b"\\u2029",
}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What machines are told of an issue or a highlight besides what its view shows.

    `image` stands for one that has none of its own.
    """

    published: datetime
    updated: datetime
    authors: tuple[Person, ...] = ()
    keywords: tuple[str, ...] = ()
    image: Image | None = None


class Profile(msgspec.Struct, frozen=True):
    """Where else a publication is: its profiles' URLs, and that of its licence or nothing."""

    urls: tuple[str, ...] = ()
    license: str = ""


def data_block(nodes: Iterable[Node]) -> Markup:
    """Put nodes into a document of JSON-LD 1.1 that is safe inside a script element."""
    data = msgspec.json.encode({"@context": "https://schema.org", "@graph": list(nodes)})
    for raw, escaped in _ESCAPED.items():
        data = data.replace(raw, escaped)
    return Markup(data.decode())  # noqa: S704 - escaped above


def describe_site(setting: Setting, profile: Profile) -> list[Node]:
    """Describe the home page: the site with its search, and the periodical."""
    publication, urls = setting.publication, setting.urls
    home = urls.home()
    about = _filled(
        name=publication.title,
        url=home,
        description=publication.description,
        inLanguage=publication.language,
        publisher=_publisher(setting, profile),
    )
    search: Node = {
        "@type": "SearchAction",
        "target": {
            "@type": "EntryPoint",
            "urlTemplate": f"{urls.search()}?q={{search_term_string}}",
        },
        "query-input": "required name=search_term_string",
    }
    return [
        {"@type": "WebSite", "@id": f"{home}#site", **about, "potentialAction": search},
        {
            "@type": "Periodical",
            "@id": _periodical_id(urls),
            **about,
            **_filled(sameAs=list(profile.urls), license=profile.license),
        },
    ]


def describe_issue(
    setting: Setting, profile: Profile, issue: IssueView, label: str, facts: Facts
) -> Node:
    """Describe an issue's page; `label` is its name wherever it stands alone."""
    return {
        "@type": "PublicationIssue",
        "@id": issue.url,
        **_filled(
            name=label,
            headline=label,
            issueNumber=None if issue.number is None else str(issue.number),
            description=issue.summary,
            correction=_corrections(issue.corrections),
            isPartOf=_periodical(setting),
            hasPart=[
                _filled(
                    {"@type": "NewsArticle", "@id": highlight.url},
                    headline=highlight.title,
                    url=highlight.url,
                    inLanguage=highlight.language,
                )
                for highlight in issue.highlights
            ],
        ),
        **_common(setting, profile, issue.url, issue.language, facts),
    }


def describe_highlight(
    setting: Setting, profile: Profile, highlight: HighlightView, issue: IssueLink, facts: Facts
) -> Node:
    """Describe a highlight's page as an article that stands in an issue."""
    in_issue = _filled(
        {"@type": "PublicationIssue", "@id": issue.url},
        name=issue.title,
        url=issue.url,
        issueNumber=None if issue.number is None else str(issue.number),
        isPartOf=_periodical(setting),
    )
    return {
        "@type": "NewsArticle",
        "@id": highlight.url,
        **_filled(
            headline=highlight.title,
            mainEntityOfPage=highlight.url,
            description=highlight.summary,
            correction=_corrections(highlight.corrections),
            isPartOf=in_issue,
            isBasedOn=_source(highlight),
        ),
        **_common(setting, profile, highlight.url, highlight.language, facts),
    }


def breadcrumbs(*steps: tuple[str, str]) -> Node:
    """The way from the home page to a page: (name, URL) of each."""
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": name, "item": url}
            for place, (name, url) in enumerate(steps, 1)
        ],
    }


def _common(setting: Setting, profile: Profile, url: str, language: str, facts: Facts) -> Node:
    """What articles and issues have in common, all that Google asks of an article among it."""
    authors = [_person(person, setting.publication) for person in facts.authors if person.name]
    return _filled(
        url=url,
        inLanguage=language,
        datePublished=facts.published.isoformat(),
        dateModified=max(facts.published, facts.updated).isoformat(),
        author=authors or [_publisher(setting, profile)],
        publisher=_publisher(setting, profile),
        image=_image(facts.image),
        keywords=list(facts.keywords),
        license=profile.license,
    )


def _person(person: Person, publication: Publication) -> Node:
    is_house = person.name == publication.title
    return {"@type": "Organization" if is_house else "Person", "name": person.name}


def _publisher(setting: Setting, profile: Profile) -> Node:
    publication, home = setting.publication, setting.urls.home()
    logo = find_image(Image(publication.logo), setting) if publication.logo else None
    return _filled(
        {"@type": "Organization", "@id": f"{home}#publisher"},
        name=publication.title,
        url=home,
        logo=_image(logo),
        sameAs=list(profile.urls),
    )


def _periodical_id(urls: Urls) -> str:
    return f"{urls.home()}#periodical"


def _periodical(setting: Setting) -> Node:
    return {
        "@type": "Periodical",
        "@id": _periodical_id(setting.urls),
        "name": setting.publication.title,
        "url": setting.urls.home(),
    }


def _source(highlight: HighlightView) -> Node | None:
    """What a highlight is about, elsewhere."""
    if not highlight.source_url.startswith("http"):
        return None
    source = {"@type": "Organization", "name": highlight.source} if highlight.source else None
    return _filled({"@type": "CreativeWork"}, url=highlight.source_url, publisher=source)


def _corrections(corrections: tuple[CorrectionView, ...]) -> list[Node]:
    return [
        {"@type": "CorrectionComment", "text": each.note, "datePublished": each.moment}
        for each in corrections
    ]


def _image(image: Image | None) -> Node | None:
    if image is None:
        return None
    return _filled(
        {"@type": "ImageObject"},
        url=image.src,
        width=image.width,
        height=image.height,
        caption=image.alt,
    )


def _filled(node: Node | None = None, **values: Any) -> Node:
    """A node without the properties that have no value."""
    return {**(node or {}), **{name: value for name, value in values.items() if value}}
