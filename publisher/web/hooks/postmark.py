"""What Postmark says of bounces and complaints, let in by a name and a password (RFC 7617).

https://postmarkapp.com/developer/webhooks/bounce-webhook. Its other webhooks say nothing to us.
"""

import hmac
from base64 import b64decode
from binascii import Error as Base64Error

import msgspec

from publisher.inbound.report import Names, Report
from publisher.inbound.verdict import judge_vouched
from publisher.web.hooks.refusal import HookError
from publisher.web.hooks.told import bounce, complaint, failure

# Its types of what is for good, and of what did not arrive; others, such as an automatic answer,
# say nothing of a mailbox.
_PERMANENT = ("HardBounce", "BadEmailAddress")
_SOFT = ("Transient", "SoftBounce", "DnsError", "Blocked", "SpamNotification", "Undeliverable")


class _Record(msgspec.Struct, frozen=True, rename="pascal"):
    record_type: str
    type: str = ""
    email: str = ""
    details: str | None = None
    description: str | None = None
    message_id: str = msgspec.field(name="MessageID", default="")


def require_login(header: str, user: str, password: str) -> None:
    """Raise HookError unless a header of Authorization has this name and password."""
    scheme, _, encoded = header.partition(" ")
    try:
        found = b64decode(encoded.strip().encode("ascii"), validate=True)
    except (Base64Error, ValueError):
        found = b""
    is_it = hmac.compare_digest(found, f"{user}:{password}".encode())
    if scheme.lower() != "basic" or not is_it:
        raise HookError(401, "its name and password are not those of the settings")


def read_record(body: bytes) -> Report | None:
    """The report in a record; None where it is of something else. Raises HookError."""
    try:
        said = msgspec.json.decode(body, type=_Record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise HookError(400, "it is no record of Postmark's") from None
    names = Names(relay_ids=(said.message_id,))
    if said.record_type == "SpamComplaint" and said.email:
        return complaint(names, [said.email])
    if said.record_type != "Bounce" or said.type not in (*_PERMANENT, *_SOFT) or not said.email:
        return None
    words = said.details or ""
    verdict = judge_vouched(said.type in _PERMANENT, "", words)
    return bounce(names, [failure(said.email, verdict, said.type, words)])
