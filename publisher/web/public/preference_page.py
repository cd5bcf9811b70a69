"""The page of a reader's preferences, through `templates/pages/preferences.html`."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from markupsafe import Markup

from publisher.audience.preferences import PAUSES
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


class PreferencesView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. `done` are the words for what was just done, `slip` for what was not, by
    what was typed.

    `paused` says until when the issues are paused; `is_erasing` that the page asks once more.
    """

    standing: str
    name: str
    languages: tuple[Option, ...]
    pauses: tuple[Option, ...]
    is_subscribed: bool
    paused: str = ""
    done: str = ""
    slip: str = ""
    typed: str = ""
    is_erasing: bool = False


def show_preferences(
    opened: Opened, language: str, now: datetime
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
        view = _view(opened, context, words, language, now)
        return fill_in(context, page, view=view, style=style)

    return make


def _view(
    opened: Opened, context: PageContext, words: Words, language: str, now: datetime
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
        paused=paused if subscriber.status == "confirmed" else "",
        done=_say_done(opened, words, publication.title),
        slip=_say_slip(opened, words),
        typed=opened.slip or "",
        is_erasing=opened.done == "ask_erase",
    )


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


def _say_done(opened: Opened, words: Words, title: str) -> str:
    match opened.done:
        case "save":
            return words.preferences_saved
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
