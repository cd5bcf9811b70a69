"""What a file says of a person: what they become here, or why they do not come in."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from publisher.model.audience import SubscriptionStatus, SuppressionReason


class Standing(msgspec.Struct, frozen=True):
    """What a person becomes: a status, a suppression, or both.

    No status: they are not added, and `reason` says why.
    """

    status: SubscriptionStatus | None = "confirmed"
    suppression: SuppressionReason | None = None
    reason: str = ""

    @property
    def has_left(self) -> bool:
        return self.status == "unsubscribed" or self.suppression is not None


CONFIRMED = Standing()
UNCONFIRMED = Standing("unconfirmed")
UNSUBSCRIBED = Standing("unsubscribed")
BOUNCED = Standing(None, "bounce", "mail to this address bounced there; it is suppressed here too")
COMPLAINED = Standing(
    None, "complaint", "complained of spam there; the address is suppressed here too"
)
BLOCKLISTED = Standing(None, "operator", "blocklisted there; the address is suppressed here too")
_DISABLED = Standing(None, reason="disabled there, so that they were sent nothing")
NEVER_SUBSCRIBED = Standing(None, reason="they never subscribed there")

# The words of a column `status`, ours and others'.
WORDS: Mapping[str, Standing] = MappingProxyType(
    {
        **dict.fromkeys(("enabled", "active", "confirmed", "subscribed"), CONFIRMED),
        **dict.fromkeys(("unconfirmed", "pending"), UNCONFIRMED),
        **dict.fromkeys(("unsubscribed", "optedout"), UNSUBSCRIBED),
        **dict.fromkeys(("disabled", "inactive", "archived"), _DISABLED),
        **dict.fromkeys(("blocklisted", "blacklisted", "blocked"), BLOCKLISTED),
        **dict.fromkeys(("bounced", "cleaned"), BOUNCED),
        **dict.fromkeys(("complained", "complaint", "spam"), COMPLAINED),
        **dict.fromkeys(("nonsubscribed", "transactional"), NEVER_SUBSCRIBED),
    }
)

# What an operator may say of everybody in a file that does not say it itself.
EVERYBODY: Mapping[str, Standing] = {
    "unconfirmed": UNCONFIRMED,
    "unsubscribed": UNSUBSCRIBED,
    "bounced": BOUNCED,
    "complained": COMPLAINED,
    "blocklisted": BLOCKLISTED,
}
