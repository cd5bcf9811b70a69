"""The archive as tasks read it, with everything that renditions share."""

from collections.abc import Mapping
from hashlib import sha256

from publisher.render.frame import PageContext, site_feeds
from publisher.render.structured_data import Profile
from publisher.render.templates import make_templates
from publisher.render.views import Setting
from publisher.render.words import Catalogues
from publisher.site.archive import Archive
from publisher.site.compiled import keep_compiled
from publisher.site.index import Index
from publisher.site.issue_cards import SITE_CARD, card_image
from publisher.site.job import Job
from publisher.site.media import MeasuredMedia


def open_archive(
    job: Job, index: Index, sources: dict[str, str], media: Mapping[str, str]
) -> Archive:
    """Open the archive; `media` maps each file in media/ to what is wrong with it, or nothing."""
    settings = job.settings
    setting = Setting(
        publication=settings.as_publication(),
        urls=job.urls,
        web_url=settings.web_url,
        catalogues=Catalogues(sources),
        media=MeasuredMedia(index),
        link_params=settings.link_params,
        postal_address=settings.email.postal_address,
        subject=settings.email.subject,
    )
    style = sources["pages/site.css"].encode()
    # Its name changes with its content, so that browsers may keep it for good.
    name = f"site-{sha256(style).hexdigest()[:10]}.css"
    context = PageContext(
        setting=setting,
        templates=make_templates(sources, keep_compiled()),
        stylesheet_url=job.urls.path(f"assets/{name}"),
        feeds=site_feeds(setting),
        card=card_image(SITE_CARD, setting.publication.title, setting),
        profile=Profile(settings.site.profiles, settings.site.license),
    )
    font = settings.site.card_font
    return Archive(index, job.folder, context, settings.feeds, media, (name, style), font)
