"""About the feeds: what a feed is, and every way to follow this publication by one."""

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from publisher.render.frame import FeedLink, PageContext, fill_in, make_page, tag_feeds
from publisher.render.overview import group_tags
from publisher.render.structured_data import breadcrumbs
from publisher.render.views import TagView

# Where services take a feed's address, percent-encoded, and ask to subscribe to it.
_SERVICES = (
    ("Feedly", "https://feedly.com/i/subscription/feed%2F{}"),
    ("Inoreader", "https://www.inoreader.com/?add_feed={}"),
    ("NewsBlur", "https://www.newsblur.com/?url={}"),
    ("The Old Reader", "https://theoldreader.com/feeds/subscribe?url={}"),
    ("Feedbin", "https://feedbin.com/?subscribe={}"),
)


class ReaderLink(msgspec.Struct, frozen=True):
    """A service that reads feeds, and the address there that subscribes to one."""

    name: str
    url: str


class FollowedFeed(msgspec.Struct, frozen=True):
    """One feed with all that a reader needs to follow it.

    `id` names its field on the page. `app_url` opens it in whatever reader is on the device: the
    scheme `feed:` is nobody's standard, and NetNewsWire, Reeder and others answer to it.
    """

    id: str
    label: str
    pitch: str
    address: str
    app_url: str
    services: tuple[ReaderLink, ...]
    formats: tuple[FeedLink, ...]


def render_feeds_page(context: PageContext, tags: Sequence[TagView]) -> bytes:
    """Render `feeds/index.html`; `tags` are those that have feeds of their own: all of them."""
    setting, publication = context.setting, context.setting.publication
    words = setting.words()
    url = setting.urls.about_feeds()
    page = make_page(
        publication,
        name="about-feeds",
        title=words.about_feeds,
        description=words.what_a_feed_is,
        url=url,
        language=publication.language,
        image=context.card,
        nodes=(breadcrumbs((publication.title, setting.urls.home()), (words.about_feeds, url)),),
    )
    half = len(context.feeds) // 2
    followed = (
        _follow("highlights", words.follow_highlights, context.feeds[:half]),
        _follow("issues", words.follow_issues, context.feeds[half:]),
    )
    groups = [
        (letter, [(tag, tag_feeds(tag, setting)) for tag in group])
        for letter, group in group_tags(tags)
    ]
    return fill_in(context, page, followed=followed, tag_groups=groups)


def _follow(id_: str, pitch: str, formats: tuple[FeedLink, ...]) -> FollowedFeed:
    first = formats[0]
    return FollowedFeed(
        id=f"address_{id_}",
        label=first.label,
        pitch=pitch,
        address=first.url,
        app_url=f"feed:{first.url}",
        services=tuple(
            ReaderLink(name, form.format(quote(first.url, safe=""))) for name, form in _SERVICES
        ),
        formats=formats,
    )
