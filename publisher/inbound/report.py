"""What a message that came back says, before anything of it is believed."""

from typing import Literal

import msgspec

from publisher.inbound.verdict import Verdict

# Delivered: a relay says that it passed the message on. Unclear: a mail server wrote it, and no
# standard tells what it means. None: it is no report.
ReportKind = Literal["bounce", "complaint", "delivered", "unsubscribe", "unclear", "none"]


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """By what a report may name a delivery of ours; all of it is a stranger's word.

    `addresses` are those that the report came to, and that what came back was from: a delivery's
    own (VERP) may be among them. `message_ids` and `links` are texts in which a Message-ID or an
    unsubscribe link of ours may stand. `relay_ids` may be the relay's own names for the message.
    """

    addresses: tuple[str, ...] = ()
    message_ids: str = ""
    links: str = ""
    relay_ids: tuple[str, ...] = ()


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What was reported of one recipient: under which addresses, what it means, what was said."""

    recipients: tuple[str, ...]
    verdict: Verdict
    said: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A message, read. `identity` is the same however often and by whichever way it comes.

    `failures` are a bounce's, `recipients` a complaint's readers, `tokens` an unsubscribe mail's.
    `why` says of what is no report what it is instead.
    """

    kind: ReportKind
    identity: bytes
    names: Names = Names()
    failures: tuple[Failure, ...] = ()
    recipients: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    why: str = ""
