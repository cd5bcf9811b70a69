"""What any other program says of messages, signed with a secret that both know."""

from datetime import datetime
from hashlib import sha256
from typing import Literal

import msgspec

from publisher.inbound.report import Names, Report
from publisher.inbound.verdict import judge, judge_vouched
from publisher.runtime.signing import is_signed
from publisher.web.hooks.refusal import HookError
from publisher.web.hooks.told import bounce, complaint, delivered, failure


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is posted. `message_id` is that of the message which came back, or the relay's name of
    it; `permanent` is the sender's own word for a failure, where the codes do not tell.
    """

    type: Literal["bounce", "complaint", "delivered"]
    recipient: str
    message_id: str = ""
    status: str = ""
    diagnostic: str = ""
    permanent: bool | None = None


def require_signature(header: str, body: bytes, secret: str, now: datetime) -> bytes:
    """The hash by which this very request is known again. Raises HookError where it is forged."""
    if not is_signed(secret, header, body, now):
        raise HookError(401, "it is not signed with hooks.generic_secret, or not within 5 minutes")
    return sha256(f"hook {header.replace(' ', '')}".encode()).digest()


def read_said(body: bytes) -> Report:
    """The report that was posted. Raises HookError."""
    try:
        said = msgspec.json.decode(body, type=Said)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise HookError(400, f"it cannot be understood: {error}", is_forged=False) from None
    names = Names(message_ids=f"<{said.message_id.strip('<> ')}>", relay_ids=(said.message_id,))
    if said.type == "complaint":
        return complaint(names, [said.recipient])
    if said.type == "delivered":
        return delivered(names)
    if said.permanent is None:
        verdict = judge("failed", said.status, said.diagnostic)
    else:
        verdict = judge_vouched(said.permanent, said.status, said.diagnostic)
    return bounce(names, [failure(said.recipient, verdict, said.status, said.diagnostic)])
