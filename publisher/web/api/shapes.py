"""What requests and answers look like: the contract's shapes wherever it has one."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from publisher.model.audience import (
    ConsentAction,
    ConsentSource,
    SubscriptionStatus,
    SuppressionReason,
)
from publisher.model.choices import Content, Frequency
from publisher.model.delivery import Counts, DeliveryStatus, MailingStatus
from publisher.model.issue import Status
from publisher.model.problem import Problem

Name = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9][a-z0-9-]{0,63}$",
        description="An issue's NAME: its file's name without the suffix, such as 2025-12-15.",
    ),
]
Moment = Annotated[str, Meta(description="RFC 3339 with an offset.")]
Digest = Annotated[
    str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of the frozen content, in hex.")
]
Ref = Annotated[str, Meta(description="A name for good, of lower-case letters and digits.")]
# What can stand in a form of ours; `parse_address` says what is an address.
Email = Annotated[str, Meta(min_length=3, max_length=1_000, description="An address.")]
ShortText = Annotated[str, Meta(max_length=1_000)]
PersonName = Annotated[str, Meta(max_length=1_000, description="A name, for the greeting.")]
Next = Annotated[
    str | None, Meta(description="`after` of the next page; null where this is the last one.")
]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What programs send: an unknown field is refused."""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What they are given."""


# Issues


class HighlightAnswer(Given, frozen=True):
    """One item of an issue."""

    id: str
    title: str
    url: str
    source: str
    language: str
    tags: Sequence[str]


class IssueRow(Given, frozen=True):
    """An issue in a list."""

    issue: Name
    path: str
    id: str
    title: str
    date: Moment | None
    status: Status
    mail: Annotated[bool, Meta(description="False: never mailed.")]
    highlights: Annotated[int, Meta(description="How many.")]
    errors: Annotated[int, Meta(description="How many problems of level error its file has.")]
    mailing: Annotated[Ref | None, Meta(description="Its mailing, where it was sent.")]
    version: Annotated[str, Meta(description="What ETag and If-Match hold, without quotes.")]


class IssueAnswer(Given, frozen=True):
    """An issue, as it is written and as it is read."""

    issue: Name
    path: str
    id: str
    title: str
    number: int | None
    date: Moment | None
    status: Status
    summary: str
    language: str
    mail: bool
    tags: Sequence[str]
    highlights: Sequence[HighlightAnswer]
    problems: Annotated[
        Sequence[Problem], Meta(description="Those of its file; `check` finds all others too.")
    ]
    mailing: Ref | None
    version: str
    media_type: Annotated[str, Meta(description="The form of `source`, which PUT takes back.")]
    source: Annotated[str, Meta(description="The file's text.")]


class Issues(Given, frozen=True):
    """A page of issues."""

    issues: Sequence[IssueRow]
    next: Next


class Problems(Given, frozen=True):
    """What `publisher check` finds."""

    problems: Sequence[Problem]


# Mailings


class NewMailingBody(Strict, frozen=True):
    """Which issue is to be sent to all who are subscribed."""

    issue: Name
    digest: Annotated[
        Digest | None,
        Meta(
            description="The digest that was approved; where the issue has another one by now,"
            " nothing is sent. null: whatever it is now."
        ),
    ]


class ResolveBody(Strict, frozen=True):
    """What is to become of deliveries in doubt."""

    how: Annotated[
        Literal["resend", "mark-sent"],
        Meta(description="Send once more, so that some may get two; or take them for sent."),
    ]
    email: Annotated[Email | None, Meta(description="Only this reader's delivery.")] = None


class MailingAnswer(Given, frozen=True):
    """Where a mailing stands, as `publisher status NAME --json` says it, and since when."""

    issue: Name
    mailing: Ref | None
    status: MailingStatus | None
    digest: Digest | None
    counts: Counts
    reason: Annotated[str, Meta(description="Why it is paused.")]
    started: Moment | None
    finished: Moment | None
    folded: Annotated[
        Moment | None,
        Meta(description="Since when its deliveries are kept as `counts` only, but for doubts."),
    ]


class DryRun(Given, frozen=True):
    """What `publisher send NAME --dry-run --json` says."""

    issue: Name
    mailing: Ref | None
    status: MailingStatus | None
    digest: Digest
    counts: Counts
    recipients: Annotated[int, Meta(description="How many would be sent to now.")]


class Steered(Given, frozen=True):
    """A mailing, and how many of its deliveries were changed."""

    mailing: MailingAnswer
    changed: int


class Mailings(Given, frozen=True):
    """A page of mailings, the newest first."""

    mailings: Sequence[MailingAnswer]
    next: Next


class DeliveryAnswer(Given, frozen=True):
    """A delivery; the address is empty where the reader was erased."""

    email: str
    status: DeliveryStatus
    attempts: int
    message_id: str | None
    last_reply: str | None
    next_attempt_at: Moment | None
    relay: Annotated[
        str | None,
        Meta(description="The relay that it was taken for last, by its name, where that has one."),
    ]
    content: Annotated[Content, Meta(description="What of the issue: all of it, or headlines.")]
    highlights: Annotated[
        Sequence[str] | None,
        Meta(description="Those that were chosen of it, by their ids; null where all are in it."),
    ]


class Deliveries(Given, frozen=True):
    """A page of a mailing's deliveries."""

    deliveries: Sequence[DeliveryAnswer]
    next: Next


# Readers


class ConsentAnswer(Given, frozen=True):
    """A line of a subscription's record."""

    at: Moment
    action: ConsentAction
    source: ConsentSource
    origin: str


class SubscriberRow(Given, frozen=True):
    """A reader, as `publisher subscribers list --json` has them."""

    subscriber: Ref
    email: str
    name: str
    status: SubscriptionStatus
    suppressed: bool
    language: str | None
    paused_until: Moment | None
    content: Annotated[Content, Meta(description="Of an issue: all of it, or its headlines.")]
    tags: Annotated[
        Sequence[str],
        Meta(description="The slugs of the tags that they chose; none where they get everything."),
    ]
    frequency: Annotated[Frequency, Meta(description="Each issue, or one message a week.")]


class SubscriberAnswer(SubscriberRow, frozen=True):
    """A reader with the record of what they agreed to."""

    consents: Sequence[ConsentAnswer]


class Subscribers(Given, frozen=True):
    """A page of readers, in the order in which they came."""

    subscribers: Sequence[SubscriberRow]
    next: Next


class NewSubscriberBody(Strict, frozen=True):
    """A reader, for whom you vouch, or who is to confirm."""

    email: Email
    name: PersonName = ""
    unconfirmed: Annotated[
        bool, Meta(description="Send a confirmation, and nothing more until it comes.")
    ] = False
    again: Annotated[
        bool,
        Meta(description="Also where they unsubscribed, or nothing may be sent to them."),
    ] = False


class SubscriberBody(Strict, frozen=True):
    """What is to be another: the name, or what they get. What is left out stays as it is."""

    name: PersonName | None = None
    content: Content | None = None
    tags: Annotated[
        Sequence[ShortText] | None,
        Meta(description="Labels or slugs of tags that are offered; none of them is everything."),
    ] = None
    frequency: Frequency | None = None


class SuppressionAnswer(Given, frozen=True):
    """A standing instruction not to mail an address, of which a hash alone may be known."""

    suppression: int
    email: Annotated[str | None, Meta(description="Where a subscriber has it.")]
    reason: SuppressionReason
    at: Moment


class Suppressions(Given, frozen=True):
    """A page of suppressions, the newest first."""

    suppressions: Sequence[SuppressionAnswer]
    next: Next


class NewSuppressionBody(Strict, frozen=True):
    """An address that nothing is to be sent to any more."""

    email: Email


# Schedules


class LastFiring(Given, frozen=True):
    """When a schedule fired last, and what came of it."""

    due: Moment
    ran: Moment | None
    outcome: Literal["open", "fired", "missed", "superseded"]
    issue: str | None
    reason: str


class ScheduleAnswer(Given, frozen=True):
    """A schedule, as `publisher schedule --json` has it."""

    name: str
    cron: str
    next: Moment | None
    last: LastFiring | None


class Schedules(Given, frozen=True):
    """All schedules."""

    schedules: Sequence[ScheduleAnswer]
    off: Annotated[str | None, Meta(description="Why none of them fires, where that is so.")]


class Entry(Given, frozen=True):
    """Where to go from here."""

    version: Literal["v1"]
    openapi: str
    documentation: str
    links: dict[str, str]


class KindAnswer(Given, frozen=True):
    """A type of problem."""

    type: str
    status: int
    title: str
