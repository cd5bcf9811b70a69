"""What Amazon SES says of bounces, complaints and deliveries, inside a message of SNS.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html. SES gives a message an id of
its own, which was in its reply to us; our Message-ID is among the original headers where those are
switched on.
"""

import msgspec

from publisher.inbound.report import Names, Report
from publisher.inbound.verdict import judge_vouched
from publisher.web.hooks.told import bounce, complaint, delivered, failure

# Feedback types (RFC 5965, section 7.3) that mean something else; without one it is a complaint.
_NO_COMPLAINTS = ("not-spam", "auth-failure", "fraud", "virus", "other")
_MOST = 50


class _Header(msgspec.Struct, frozen=True):
    name: str
    value: str


class _Mail(msgspec.Struct, frozen=True, rename="camel"):
    message_id: str
    source: str = ""
    headers: list[_Header] = []


class _Recipient(msgspec.Struct, frozen=True, rename="camel"):
    email_address: str
    status: str = ""
    diagnostic_code: str = ""


class _Bounce(msgspec.Struct, frozen=True, rename="camel"):
    bounce_type: str
    bounced_recipients: list[_Recipient] = []


class _Complaint(msgspec.Struct, frozen=True, rename="camel"):
    complained_recipients: list[_Recipient] = []
    complaint_feedback_type: str | None = None


class _Notification(msgspec.Struct, frozen=True, rename="camel"):
    """Of an identity's feedback, or of a configuration set's events, which name their type so."""

    mail: _Mail
    notification_type: str = ""
    event_type: str = ""
    bounce: _Bounce | None = None
    complaint: _Complaint | None = None


def read_notification(message: str) -> Report | None:
    """The report in SNS's Message; None where it is of something else."""
    try:
        said = msgspec.json.decode(message, type=_Notification)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None
    kind = said.notification_type or said.event_type
    if kind == "Bounce" and said.bounce:
        is_permanent = said.bounce.bounce_type == "Permanent"
        failures = [
            failure(
                each.email_address,
                judge_vouched(is_permanent, each.status, each.diagnostic_code),
                *(each.status, each.diagnostic_code),
            )
            for each in said.bounce.bounced_recipients[:_MOST]
        ]
        return bounce(_names(said.mail), failures) if failures else None
    if kind == "Complaint" and said.complaint:
        if (said.complaint.complaint_feedback_type or "").lower() in _NO_COMPLAINTS:
            return None
        whom = [each.email_address for each in said.complaint.complained_recipients[:_MOST]]
        return complaint(_names(said.mail), whom) if whom else None
    return delivered(_names(said.mail)) if kind == "Delivery" else None


def _names(mail: _Mail) -> Names:
    values: dict[str, str] = {}
    for header in mail.headers:
        values.setdefault(header.name.lower(), header.value)
    return Names(
        addresses=tuple(filter(None, (mail.source, values.get("return-path", "")))),
        message_ids=values.get("message-id", ""),
        links=values.get("list-unsubscribe", ""),
        relay_ids=(mail.message_id,),
    )
