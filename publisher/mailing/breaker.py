"""When a mailing pauses by itself: it is the sender or the relay that is at fault, not a reader.

A fold over the outcomes of one mailing in one process, in the order in which they were recorded. A
new process begins with a new breaker: a doubt that a crash left is none of these.
"""

import re

import msgspec

from publisher.model.delivery import Outcome, Reply

# Both from the contract, "What delivery promises", 2 and 4.
DOUBTS = 5
REFUSALS = 20
# A relay that refuses the sender in several wordings is still seen; what was said longest ago goes.
_MOST_KINDS = 8

# What differs between replies of one meaning: what is quoted or in brackets, and words with a
# digit, an @, a dot within (hosts), a capital within (queue ids) or two colons (IPv6).
_QUOTED = re.compile(r"<[^>]*>|\[[^\]]*\]|\([^)]*\)|\"[^\"]*\"|(?<!\w)'[^']*'")
_VARIABLE = re.compile(r"[\d@#]|\w\.\w|[a-z][A-Z]|:\w*:")
_VARIABLES = re.compile(r"#(?:\W*#)*")


class Refusal(msgspec.Struct, frozen=True):
    """The deliveries that were refused with like 5xx replies; `kind` is what the replies share."""

    kind: tuple[int, str, str]
    deliveries: tuple[int, ...]


class Breaker(msgspec.Struct, frozen=True):
    """What has gone wrong since the relay last took a message; refusals with the newest last."""

    doubts: int = 0
    refusals: tuple[Refusal, ...] = ()


def note(breaker: Breaker, outcome: Outcome, delivery: int) -> tuple[Breaker, str | None]:
    """Count an outcome; with it, for people, why the mailing is to pause, or None.

    What pauses begins to count anew, for the operator resumes.
    """
    if outcome.kind == "accepted":
        return Breaker(), None
    if outcome.kind == "unknown":
        return _note_doubt(breaker, outcome.reply)
    if outcome.kind == "permanent" and outcome.concern == "login":
        return Breaker(), f"The relay refused the login: {_quote(outcome.reply)}"
    if outcome.kind == "permanent" and outcome.concern == "sender":
        return Breaker(), f"The relay takes nothing from this sender: {_quote(outcome.reply)}"
    if outcome.stage == "final_dot":
        # The dot was answered, so this is no doubt, and the next would be the first in a row.
        breaker = Breaker(0, breaker.refusals)
    is_refusal = outcome.kind == "permanent" and outcome.concern == "recipient"
    if is_refusal and 500 <= outcome.reply.code <= 599:
        return _note_refusal(breaker, outcome.reply, delivery)
    return breaker, None


def note_parked(breaker: Breaker, fault: str, delivery: int) -> tuple[Breaker, str | None]:
    """Count a delivery that was parked, since no message could be made of it, as `note` does."""
    what = "deliveries in a row broke the program before anything was sent"
    why = "so it is probably not for their sake; last"
    return _note_alike(breaker, Reply(0, "", fault), delivery, what, why)


def _note_doubt(breaker: Breaker, reply: Reply) -> tuple[Breaker, str | None]:
    doubts = breaker.doubts + 1
    if doubts < DOUBTS:
        return Breaker(doubts, breaker.refusals), None
    return Breaker(), (
        f"{doubts} messages in a row were written to the end and not answered, so that nobody "
        f"knows whether the relay took them; last: {_quote(reply)}"
    )


def _note_refusal(breaker: Breaker, reply: Reply, delivery: int) -> tuple[Breaker, str | None]:
    what = "recipients in a row were refused in the same words"
    return _note_alike(
        breaker, reply, delivery, what, "so it is probably the sender that is refused"
    )


def _note_alike(
    breaker: Breaker, reply: Reply, delivery: int, what: str, why: str
) -> tuple[Breaker, str | None]:
    kind = (reply.code, reply.enhanced, normalise(reply.text))
    known = next((r.deliveries for r in breaker.refusals if r.kind == kind), ())
    deliveries = known if delivery in known else (*known, delivery)
    if len(deliveries) >= REFUSALS:
        return Breaker(), (f"{len(deliveries)} {what}, {why}: {_quote(reply)}")
    others = tuple(refusal for refusal in breaker.refusals if refusal.kind != kind)
    refusals = (*others, Refusal(kind, deliveries))[-_MOST_KINDS:]
    return Breaker(breaker.doubts, refusals), None


def normalise(text: str) -> str:
    """A reply's words without what belongs to one message: addresses, hosts, numbers and ids."""
    words = _QUOTED.sub(" # ", text).split()
    common = " ".join("#" if _VARIABLE.search(word) else word.lower() for word in words)
    return _VARIABLES.sub("#", common)


def _quote(reply: Reply) -> str:
    return f'"{reply}"' if str(reply) else "(the connection ended without a reply)"
