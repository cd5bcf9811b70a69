"""What stands on the cards of issues and of the site, and which pages show them."""

from urllib.parse import urlsplit

from publisher.model.issue import Image, Issue
from publisher.model.language import direction
from publisher.render.views import Setting, find_image, language_of, write_day
from publisher.site.cards import HEIGHT, WIDTH, Card

# No issue can have this NAME.
SITE_CARD = "publication_card"


def card_image(slug: str, label: str, setting: Setting) -> Image:
    """A card as pages name it; `label` says what is written on it."""
    return Image(setting.urls.card(slug), label, WIDTH, HEIGHT)


def find_card(issue: Issue, setting: Setting) -> Image | None:
    """The card of an issue, which it has where any of its pages would be without an image."""
    if issue.highlights and all(find_image(h.image, setting) for h in issue.highlights):
        return None
    return card_image(issue.slug, issue.title or setting.publication.title, setting)


def issue_card(issue: Issue, setting: Setting) -> Card:
    publication, language = setting.publication, language_of(issue, setting.publication)
    assert issue.date is not None  # noqa: S101 - published issues have one
    date = issue.date.astimezone(setting.zone)
    day, digits = write_day(date, language), f"{date:%Y-%m-%d}"
    facts = [(day, digits)] if issue.title else []
    if issue.number is not None:
        number = setting.words(language).issue_number.format(number=issue.number)
        facts.append((number, str(issue.number)))
    return Card(
        heading=publication.title,
        title=issue.title or day,
        facts=tuple(facts),
        stand_in=digits,
        direction=direction(language),
    )


def site_card(setting: Setting) -> Card:
    """The card of every page that is no issue's."""
    publication = setting.publication
    host = urlsplit(publication.url).netloc
    return Card(
        heading="",
        title=publication.title,
        facts=((host, host),),
        stand_in=host,
        direction=direction(publication.language),
    )
