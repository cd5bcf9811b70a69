"""What an answer means for a delivery, and whom it concerns: the contract's promise 4, as code."""

import re
from functools import lru_cache

from publisher.model.delivery import Concern, Outcome, OutcomeKind, Reply, Stage
from publisher.smtp.replies import make_failure

# At these the relay has the recipient or the message before it; all else is about the relay.
_TRANSACTION = ("mail", "rcpt", "data", "body", "final_dot")

# RFC 5321's 421: the server closes the connection, whatever was asked.
_CLOSING = 421
# RFC 4954's temporary failure to log in, which relays also use to ask for patience.
_PATIENCE = 454
# Google's subject 7, detail 28: mail is unwanted at this rate.
_RATE_DETAIL = ".7.28"
# "Too many hops" is a loop, and no slower rate mends it.
_RATE_WORDS = re.compile(r"\brate\b|\bratelimit|throttl|too many(?! hops)", re.IGNORECASE)

# How the relays of this world name what they took, the most telling form first.
_RELAY_IDS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\bqueued (?:mail )?as <?([\w.@:-]+)",  # Postfix, and many that speak like it
        r"\bInternalId=([\w-]+)",  # Exchange
        r"\bqueued \(([\w.:-]+)\)",  # Haraka
        r"\bid[=:] ?<?([\w.@:-]+)",  # Exim
        r"\bqp ([0-9]+)",  # qmail
        r"^OK +[0-9]{9,11} +([\w.-]+) +- gsmtp",  # Gmail
        r"^([\w.-]+) Message accepted for delivery",  # sendmail, OpenSMTPD
        r"^OK:? +([\w./:-]*[0-9][\w./:-]*)\W*$",  # SES and others: nothing else behind it
    )
)


# A mailing hears the same reply again and again.
@lru_cache(maxsize=64)
def attribute(stage: Stage, reply: Reply) -> Outcome:
    """Say what a reply means that is not the one hoped for; at the final dot, any reply.

    Replies to commands that were sent along behind a refusal must not be asked about: they concern
    nobody.
    """
    kind, concern = _attribute(stage, reply)
    relay_id = find_relay_id(reply) if kind == "accepted" else ""
    return Outcome(kind=kind, stage=stage, reply=reply, concern=concern, relay_id=relay_id)


def attribute_failure(stage: Stage, words: str) -> Outcome:
    """Say what it means that no reply was read: a doubt at the final dot, else nothing sent."""
    return attribute(stage, make_failure(words))


def refuse(stage: Stage, concern: Concern, words: str) -> Outcome:
    """A permanent outcome that we know of before anything is sent."""
    return Outcome(kind="permanent", stage=stage, reply=make_failure(words), concern=concern)


def find_relay_id(reply: Reply) -> str:
    """The relay's own name for the message in the reply that accepts it, or nothing."""
    found = (pattern.search(reply.text) for pattern in _RELAY_IDS)
    return next((match[1].rstrip(".,:;") for match in found if match), "")


def _attribute(stage: Stage, reply: Reply) -> tuple[OutcomeKind, Concern]:
    group = reply.code // 100
    if stage == "final_dot" and group == 2:
        return "accepted", "recipient"
    if group not in (4, 5):
        # Nothing that could be read, or a reply that does not belong here.
        return ("unknown", "recipient") if stage == "final_dot" else ("transient", "relay")
    if reply.code == _CLOSING:
        return "transient", "relay"
    if stage == "auth":
        return _attribute_login(reply)
    if stage not in _TRANSACTION:
        return "transient", "relay"
    if concern := _rate_concern(stage, reply):
        return "transient", concern
    if stage == "mail":
        return ("transient", "relay") if group == 4 else ("permanent", "sender")
    return ("transient" if group == 4 else "permanent"), "recipient"


def _attribute_login(reply: Reply) -> tuple[OutcomeKind, Concern]:
    """A 5xx is about the login, also where it speaks of too many attempts: more would not help."""
    if reply.code >= 500:
        return "permanent", "login"
    return "transient", "relay_rate" if _speaks_of_rate(reply) else "relay"


def _rate_concern(stage: Stage, reply: Reply) -> Concern | None:
    """Who asks for less: at RCPT the recipient's domain is meant, else the relay itself."""
    if reply.enhanced.endswith(_RATE_DETAIL):
        return "domain_rate"
    if not _speaks_of_rate(reply):
        return None
    return "domain_rate" if stage == "rcpt" else "relay_rate"


def _speaks_of_rate(reply: Reply) -> bool:
    return reply.code == _PATIENCE or bool(_RATE_WORDS.search(reply.text))
