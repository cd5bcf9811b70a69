"""The page of a reader's preferences, through `templates/pages/preferences.html`."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from markupsafe import Markup

from publisher.audience.choosing import heed
from publisher.audience.preferences import PAUSES
from publisher.model.choices import Choices, Offer
from publisher.render.frame import PageContext, fill_in, make_page
from publisher.render.views import write_day
from publisher.render.words import Words
from publisher.web.public.names import choose_language
from publisher.web.public.notices import isolate
from publisher.web.public.preferring import Opened


class Option(msgspec.Struct, frozen=True):
    """One choice of a list: its value, its words, and their language where it is another one."""

    value: str
    label: str
    language: str = ""
    is_chosen: bool = False


class ChoicesView(msgspec.Struct, frozen=True, kw_only=True):
    """What is offered, with what is chosen of it; `lapsed` says that something is not any more."""

    contents: tuple[Option, ...]
    tags: tuple[Option, ...]
    frequencies: tuple[Option, ...]
    lapsed: str = ""


class PreferencesView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. `done` are the words for what was just done, `slip` for what was not, by
    what was typed.

    `paused` says until when the issues are paused; `is_erasing` that the page asks once more.
    `choices` is None where there is nothing to be chosen.
    """

    standing: str
    name: str
    languages: tuple[Option, ...]
    pauses: tuple[Option, ...]
    is_subscribed: bool
    choices: ChoicesView | None = None
    paused: str = ""
    done: str = ""
    slip: str = ""
    typed: str = ""
    is_erasing: bool = False


def show_preferences(
    opened: Opened, language: str, now: datetime, offer: Offer
) -> Callable[[PageContext, Markup], bytes]:
    """How the page is made in a language, from what all pages share and the stylesheet."""

    def make(context: PageContext, style: Markup) -> bytes:
        words = context.setting.words(language)
        is_erasing = opened.done == "ask_erase"
        page = make_page(
            context.setting.publication,
            name="preferences",
            title=words.ask_erase if is_erasing else words.preferences,
            description="",
            url="",
            language=language,
            is_indexed=False,
        )
        view = _view(opened, context, words, language, now, offer)
        return fill_in(context, page, view=view, style=style)

    return make


def _view(
    opened: Opened,
    context: PageContext,
    words: Words,
    language: str,
    now: datetime,
    offer: Offer,
) -> PreferencesView:
    subscriber, publication = opened.subscriber, context.setting.publication
    standing = {
        "confirmed": words.preferences_confirmed,
        "unconfirmed": words.preferences_unconfirmed,
        "unsubscribed": words.preferences_unsubscribed,
    }[subscriber.status]
    paused = ""
    if subscriber.paused_until and subscriber.is_paused(now):
        day = write_day(subscriber.paused_until.astimezone(context.setting.zone), language)
        paused = words.preferences_paused.format(day=day)
    return PreferencesView(
        standing=standing.format(title=publication.title, address=isolate(subscriber.email)),
        name=subscriber.name,
        languages=tuple(_languages(context, words, subscriber.language)),
        pauses=tuple(_pauses(words)),
        is_subscribed=subscriber.status == "confirmed",
        choices=view_choices(subscriber.choices, offer, words),
        paused=paused if subscriber.status == "confirmed" else "",
        done=_say_done(opened, words, publication.title, offer),
        slip=_say_slip(opened, words),
        typed=opened.slip or "",
        is_erasing=opened.done == "ask_erase",
    )


def view_choices(choices: Choices, offer: Offer, words: Words) -> ChoicesView | None:
    """What is offered and chosen; None where nothing is offered."""
    if offer == Offer(has_headlines=False):
        return None
    held = heed(choices, offer)
    contents = {"full": words.choose_full, "headlines": words.choose_headlines}
    frequencies = {"daily": words.choose_daily, "weekly": words.choose_weekly}
    return ChoicesView(
        contents=_options(contents, held.content) if offer.has_headlines else (),
        tags=tuple(
            Option(tag.slug, tag.label, is_chosen=tag.slug in held.tags) for tag in offer.tags
        ),
        frequencies=_options(frequencies, held.frequency) if offer.has_weekly else (),
        lapsed=words.choose_lapsed if held != choices else "",
    )


def _options(labels: dict[str, str], chosen: str) -> tuple[Option, ...]:
    return tuple(Option(value, label, is_chosen=value == chosen) for value, label in labels.items())


def _say_choices(view: ChoicesView, words: Words) -> str:
    """What was chosen of each part of the offer, in one line."""
    parts = []
    for label, options in (
        (words.choose_content, view.contents),
        (words.choose_tags, view.tags),
        (words.choose_frequency, view.frequencies),
    ):
        chosen = [isolate(option.label) for option in options if option.is_chosen]
        value = words.list_separator.join(chosen) or words.choose_all
        parts += [words.labelled.format(label=label, value=value)] if options else []
    return f"{words.choose_saved} {words.separator.join(parts)}"


def _languages(context: PageContext, words: Words, chosen: str) -> Sequence[Option]:
    catalogues, own = context.setting.catalogues, context.setting.publication.language
    name = catalogues.words(own).language_name
    first = Option("", words.preferences_language_own.format(language=name))
    others = [
        Option(tag, catalogues.words(tag).language_name, tag, tag == chosen)
        for tag in catalogues.languages
        if choose_language(tag, catalogues.languages, own)
    ]
    return [first, *others]


def _pauses(words: Words) -> Sequence[Option]:
    labels = (
        words.preferences_1_week,
        words.preferences_2_weeks,
        words.preferences_1_month,
        words.preferences_3_months,
    )
    return [Option(value, label) for value, label in zip(PAUSES, labels, strict=True)]


def _say_done(opened: Opened, words: Words, title: str, offer: Offer) -> str:
    match opened.done:
        case "save":
            return words.preferences_saved
        case "choose":
            view = view_choices(opened.subscriber.choices, offer, words)
            return _say_choices(view, words) if view else words.preferences_saved
        case "resume":
            return words.preferences_resumed
        case "address":
            return words.preferences_address_mailed
        case "unsubscribe":
            return words.ended_text.format(title=title)
        case _:  # a pause shows itself
            return ""


def _say_slip(opened: Opened, words: Words) -> str:
    if opened.slip is None:
        return ""
    return words.bad_address_text.format(address=isolate(opened.slip))
