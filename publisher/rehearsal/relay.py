"""A simulated relay: what it says is scripted, and what it took it remembers.

Its answers are attributed as the courier does it.
"""

from collections import defaultdict, deque

import msgspec

from publisher.model.delivery import Outcome, Reply, Stage
from publisher.smtp.attribution import attribute, attribute_failure


class Said(msgspec.Struct, frozen=True):
    """What came of an attempt (None: it broke the worker), and whether the relay took it."""

    outcome: Outcome | None
    is_taken: bool = False


def _reply(stage: Stage, code: int, enhanced: str, text: str) -> Said:
    outcome = attribute(stage, Reply(code, enhanced, text))
    return Said(outcome, is_taken=outcome.kind == "accepted")


def _silence(stage: Stage, *, is_taken: bool = False) -> Said:
    return Said(attribute_failure(stage, "the connection was reset"), is_taken)


# All that a relay can say, by name.
SAYINGS: dict[str, Said] = {
    "ok": _reply("final_dot", 250, "2.0.0", "Ok: queued as 4fXkJ2"),
    "full mailbox": _reply("rcpt", 452, "4.2.2", "mailbox full"),
    "greylisted": _reply("rcpt", 450, "4.2.0", "greylisted, come back later"),
    "try the text later": _reply("final_dot", 451, "4.3.0", "content filter is away"),
    "no such user": _reply("rcpt", 550, "5.1.1", "no such user"),
    "bad text": _reply("final_dot", 554, "5.7.1", "message content rejected"),
    "denied": _reply("rcpt", 554, "5.7.1", "relay access denied"),
    "unreachable": _silence("connect"),
    "closing": _reply("mail", 421, "4.3.2", "shutting down"),
    "closing late": _reply("final_dot", 421, "4.3.2", "shutting down"),
    "reset in body": _silence("body"),
    "tls fails": _silence("starttls"),
    "slower": _reply("mail", 450, "4.7.0", "too many messages"),
    "slower domain": _reply("rcpt", 450, "4.7.28", "unusual rate of mail"),
    "slower domain late": _reply("final_dot", 450, "4.7.28", "unusual rate of mail"),
    "sender later": _reply("mail", 451, "4.3.0", "lookup failed"),
    "sender refused": _reply("mail", 550, "5.7.1", "sender refused"),
    "login later": _reply("auth", 454, "4.7.0", "temporary failure"),
    "login refused": _reply("auth", 535, "5.7.8", "bad credentials"),
    "taken unheard": _silence("final_dot", is_taken=True),
    "lost unheard": _silence("final_dot"),
    "breaks us": Said(None),
}
BEFORE_MAIL = ("connect", "greeting", "ehlo", "starttls", "auth")
# What happens only where a connection is opened.
AT_OPENING = frozenset(
    name for name, said in SAYINGS.items() if said.outcome and said.outcome.stage in BEFORE_MAIL
)


class Relay:
    """What it says to all (`mood`), to a domain, or, in their order, to one address."""

    def __init__(self) -> None:
        self.mood: str | None = None
        self.domain_moods: dict[str, str] = {}
        self.scripts: defaultdict[str, deque[str]] = defaultdict(deque)
        self.is_slow = False

    def answer(self, email: str, *, is_open: bool) -> Said:
        """Say something to a message for an address, on a connection that was open or not."""
        domain = email.rpartition("@")[2]
        if self.mood is not None and not (is_open and self.mood in AT_OPENING - {"unreachable"}):
            return SAYINGS[self.mood]
        if domain in self.domain_moods:
            return SAYINGS[self.domain_moods[domain]]
        if script := self.scripts[email]:
            name = script.popleft()
            return SAYINGS["ok" if is_open and name in AT_OPENING else name]
        return SAYINGS["ok"]

    def heal(self) -> None:
        self.mood = None
        self.domain_moods.clear()
        self.scripts.clear()
        self.is_slow = False
