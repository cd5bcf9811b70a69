"""The people who read: a subscriber, what they agreed to, and whom nothing is sent."""

from datetime import datetime
from typing import Literal

import msgspec

from publisher.model.choices import Choices

SubscriptionStatus = Literal["unconfirmed", "confirmed", "unsubscribed"]

# What happened to a subscription, as its consent record says.
ConsentAction = Literal["asked", "confirmed", "vouched", "unsubscribed"]

# How it came about: the form on the site, an operator's command, a file, a link in mail, the link
# mailed to another address that they chose, their preferences, the mail program's own button
# (RFC 8058), a mail to the unsubscribe address, or what a relay reported.
ConsentSource = (
    Literal["form", "operator", "import", "link", "address", "preferences"]
    | Literal["one-click", "mail", "report"]
)

SuppressionReason = Literal["bounce", "complaint", "erased", "operator"]


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """A person with an address. `ref` names them in links: random, and never used again.

    `language` is empty where it is the publication's; until `paused_until` they get no issue.
    """

    id: int
    ref: str
    email: str
    name: str
    status: SubscriptionStatus
    is_suppressed: bool
    language: str = ""
    paused_until: datetime | None = None
    choices: Choices = Choices()

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and self.paused_until > now


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a subscription's record: when, how and from where it was changed.

    `origin` is the client's address for what came over HTTP, a file's name for an import, else
    empty.
    """

    at: datetime
    action: ConsentAction
    source: ConsentSource
    origin: str
