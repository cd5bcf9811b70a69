"""A mailing's deliveries: what may become of one, and what a mail server's answer means."""

from datetime import datetime
from typing import Literal, get_args

import msgspec

DeliveryStatus = Literal[
    "queued", "sending", "deferred", "sent", "failed", "in_doubt", "suppressed", "cancelled"
]
MailingStatus = Literal["sending", "paused", "cancelled", "finished"]
# An issue's mailing goes to all who are subscribed, but for those who chose one message a week, to
# whom a week's goes; a correction's to those who were sent what it corrects; the others to one
# address each, ahead of all these. What a welcome consists of is the same for many, and each who
# comes is added to its mailing.
Purpose = (
    Literal["issue", "correction", "confirmation", "preferences", "address", "welcome"]
    | Literal["notice", "alert", "test", "weekly"]
)
# Those that operators steer: paused where something is wrong, and resumed.
TO_MANY: tuple[Purpose, ...] = ("issue", "correction", "weekly")
# Those of them that bring issues to their readers first.
OF_ISSUES: tuple[Purpose, ...] = ("issue", "weekly")

DELIVERY_STATUSES: tuple[DeliveryStatus, ...] = get_args(DeliveryStatus)

# One SMTP transaction's steps; `data` is the command, `body` the writing of the text, `final_dot`
# the wait for what is said to it.
Stage = (
    Literal["connect", "greeting", "ehlo", "starttls", "auth"]
    | Literal["mail", "rcpt", "data", "body", "final_dot", "rset", "quit"]
)

# Accepted: the next server took it. Transient and permanent: it did not. Unknown: the final dot may
# have gone out, and no reply was read.
OutcomeKind = Literal["accepted", "transient", "permanent", "unknown"]

# Whom an answer concerns, and so what waits: this recipient alone; the relay (a connection that
# fails, 421, TLS, anything odd); the relay or the recipient's domain asking for less; the login;
# the sender, whom the relay takes nothing from.
Concern = Literal["recipient", "relay", "relay_rate", "domain_rate", "login", "sender"]


class Reply(msgspec.Struct, frozen=True):
    """What a server said (RFC 5321, section 4.2).

    `code` is 0 where nothing that can be read as a reply came, and `text` then says what happened.
    `enhanced` is RFC 3463's `4.7.28`, empty where there is none. `text` is one printable line of at
    most 500 characters, without the codes.
    """

    code: int
    enhanced: str = ""
    text: str = ""

    def __str__(self) -> str:
        parts = [str(self.code) if self.code else "", self.enhanced, self.text]
        return " ".join(filter(None, parts))


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one attempt: at which stage, what was said, and whom it concerns.

    `relay_id` is the relay's own name for an accepted message, where its reply gives one.
    """

    kind: OutcomeKind
    stage: Stage
    reply: Reply
    concern: Concern = "recipient"
    relay_id: str = ""


class Envelope(msgspec.Struct, frozen=True):
    """RFC 5321's sender and recipient, as they are written between `<` and `>`.

    `is_utf8` tells that an address or a header needs SMTPUTF8 (RFC 6531).
    """

    sender: str
    recipient: str
    is_utf8: bool = False


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many deliveries of a mailing are in each status."""

    queued: int = 0
    sending: int = 0
    deferred: int = 0
    sent: int = 0
    failed: int = 0
    in_doubt: int = 0
    suppressed: int = 0
    cancelled: int = 0

    @property
    def open(self) -> int:
        """Those that keep a mailing from being finished."""
        return self.queued + self.sending + self.deferred

    @property
    def total(self) -> int:
        return sum(msgspec.structs.astuple(self))


class Mailing(msgspec.Struct, frozen=True, kw_only=True):
    """The sending of one issue for one purpose, once.

    `issue` is the issue's id, and a correction's has the version behind it that it leads to; `slug`
    is the issue's NAME when it was sent; `reason` says why a mailing is paused. `digest` is the
    SHA-256 of the frozen content of `revision`, in hex, with which what is left is sent; `version`
    is that of the issue's text in it, empty where it is not known. Deliveries with ids above
    `canary_last` wait for what becomes of the others, and then for `canary_until`. Its
    deliveries are folded into totals, but for those in doubt, since `folded_at`.
    """

    id: int
    ref: str
    issue: str
    slug: str
    purpose: Purpose
    status: MailingStatus
    reason: str
    digest: str
    recipients: int
    created_at: datetime
    version: str = ""
    revision: int = 0
    finished_at: datetime | None = None
    canary_last: int | None = None
    canary_until: datetime | None = None
    folded_at: datetime | None = None

    @property
    def name(self) -> str:
        """How operators name it: an issue's by its NAME, a correction's as NAME@VERSION."""
        is_correction = self.purpose == "correction"
        return f"{self.slug}@{self.issue.rpartition('@')[2]}" if is_correction else self.slug
