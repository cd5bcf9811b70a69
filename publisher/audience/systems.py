"""The systems whose exports are recognised, by their published column names.

Column names are in lower case here, letters and digits only, as `columns` reads them.
"""

from collections.abc import Mapping

import msgspec

from publisher.audience.standings import (
    BLOCKLISTED,
    BOUNCED,
    COMPLAINED,
    CONFIRMED,
    UNCONFIRMED,
    UNSUBSCRIBED,
    WORDS,
    Standing,
)


class System(msgspec.Struct, frozen=True, kw_only=True):
    """How a system's export is told from others, and where in it what stands.

    It is one where all columns of any of `marks` are there. `status` is a column of `words`,
    `switch` one of true and false, of which `on` is what a reader has who gets mail. `asked` and
    `confirmed` are when they subscribed, `asked_from` and `confirmed_from` from which client,
    `ended` when they left, `failed` since when they cannot be reached; `why` may say that somebody
    who left complained. `note` is what its users have to know. Of each the first that is there
    counts.
    """

    name: str
    marks: tuple[frozenset[str], ...]
    status: tuple[str, ...] = ("status",)
    words: Mapping[str, Standing] = WORDS
    switch: str = ""
    on: bool = True
    asked: tuple[str, ...] = ()
    asked_from: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()
    confirmed_from: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    why: str = ""
    note: str = ""


_INVALID = Standing(None, reason="the address was found invalid there")
_PAUSED = Standing(None, reason="paused there, so that they were sent nothing")
_FILTERED = Standing(None, reason="a filter kept them out there; they never subscribed")

SYSTEMS = (
    System(
        name="Mailchimp",
        marks=(
            frozenset(("memberrating", "optintime")),
            frozenset(("optintime", "confirmtime")),
            frozenset(("leid", "euid")),
        ),
        asked=("optintime",),
        asked_from=("optinip",),
        confirmed=("confirmtime",),
        confirmed_from=("confirmip",),
        ended=("unsubtime",),
        failed=("cleantime",),
        why="unsubreason",
    ),
    System(
        name="Substack",
        marks=(
            frozenset(("email", "activesubscription", "emaildisabled")),
            frozenset(("email", "stripeplan", "startdate")),
        ),
        status=(),
        switch="emaildisabled",
        on=False,
        asked=("createdat", "startdate"),
    ),
    System(
        name="Ghost",
        marks=(frozenset(("email", "subscribedtoemails")),),
        status=(),
        switch="subscribedtoemails",
        asked=("createdat",),
        ended=("deletedat",),
    ),
    System(
        name="Buttondown",
        marks=(
            frozenset(("emailaddress", "type", "creationdate")),
            frozenset(("email", "subscribertype", "creationdate")),
        ),
        status=("type", "subscribertype"),
        words={
            **dict.fromkeys(("regular", "premium", "trialed", "gifted", "churning"), CONFIRMED),
            **dict.fromkeys(("churned", "pastdue", "paused", "unpaid", "upcoming"), CONFIRMED),
            "unactivated": UNCONFIRMED,
            "unsubscribed": UNSUBSCRIBED,
            "removed": BLOCKLISTED,
            "undeliverable": BOUNCED,
            "complained": COMPLAINED,
            **dict.fromkeys(("blocked", "spammy"), _FILTERED),
        },
        asked=("creationdate",),
        asked_from=("ipaddress",),
        ended=("unsubscriptiondate",),
        failed=("undeliverabilitydate",),
    ),
    System(
        name="beehiiv",
        marks=(
            frozenset(("email", "status", "tier", "createdat")),
            frozenset(("email", "status", "subscriptiontier", "createdat")),
        ),
        words={
            "active": CONFIRMED,
            # Whoever unsubscribed is inactive there.
            **dict.fromkeys(("inactive", "unsubscribed"), UNSUBSCRIBED),
            **dict.fromkeys(("pending", "validating"), UNCONFIRMED),
            **dict.fromkeys(("needsapproval", "needsattention"), UNCONFIRMED),
            "invalid": _INVALID,
            "paused": _PAUSED,
        },
        asked=("createdat",),
        ended=("unsubscribedat",),
    ),
    System(
        name="listmonk",
        marks=(frozenset(("uuid", "email", "attributes", "status")),),
        asked=("createdat",),
        note=(
            "listmonk's export does not say who unsubscribed from a list or never confirmed: export"
            " those from its page of lists, and import them before this file, with"
            " `--as unsubscribed` and `--as unconfirmed`"
        ),
    ),
)

# Any other file, our own export among them.
OTHER = System(
    name="",
    marks=(),
    asked=("subscribedat", "subscriptiondate", "optintime", "optindate", "datesubscribed"),
)


def recognise(keys: list[str]) -> System:
    """The system whose export has these columns; OTHER where it is none that is known."""
    there = frozenset(keys)
    found = (system for system in SYSTEMS if any(marks <= there for marks in system.marks))
    return next(found, OTHER)
