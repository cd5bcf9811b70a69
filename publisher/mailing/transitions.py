"""All that may become of a delivery and of a mailing: the one table of it.

The diagram in docs/ and the tests are made from this, and the store writes no other change.
"""

from collections.abc import Iterator

import msgspec

from publisher.model.delivery import DeliveryStatus, MailingStatus


class Transition(msgspec.Struct, frozen=True):
    """An event of a delivery: the statuses it is possible in, the one it leads to, and when."""

    event: str
    before: tuple[DeliveryStatus, ...]
    after: DeliveryStatus
    when: str


class MailingTransition(msgspec.Struct, frozen=True):
    """An event of a mailing: the statuses it is possible in, the one it leads to, and when."""

    event: str
    before: tuple[MailingStatus, ...]
    after: MailingStatus
    when: str


_WAITING: tuple[DeliveryStatus, ...] = ("queued", "deferred")

DELIVERY_TRANSITIONS: dict[str, Transition] = {
    each.event: each
    for each in (
        Transition("taken", _WAITING, "sending", "the intent is on disk, before the body goes out"),
        Transition(
            "suppressed", _WAITING, "suppressed", "the reader left or paused before their turn"
        ),
        Transition(
            "emptied", _WAITING, "cancelled", "a correction left nothing of what its reader chose"
        ),
        Transition("accepted", ("sending",), "sent", "the relay took the message"),
        Transition("deferred", ("sending",), "deferred", "a 4xx, or a domain that asks for less"),
        Transition("failed", ("sending",), "failed", "a 5xx to this recipient"),
        Transition("expired", ("sending",), "failed", "deferred for longer than give_up_after"),
        Transition(
            "released", ("sending",), "queued", "the relay is concerned, or nothing of it was begun"
        ),
        Transition("resent", ("sending",), "queued", "a first doubt, where doubts are resent"),
        Transition("doubted", ("sending",), "in_doubt", "the final dot may have gone out unheard"),
        Transition("broken", ("sending",), "queued", "it broke the worker before the body"),
        Transition("parked", ("sending",), "failed", "it broke the worker for the third time"),
        Transition("cancelled", _WAITING, "cancelled", "its mailing was cancelled"),
        Transition("retried", ("failed",), "queued", "an operator's `retry`"),
        Transition("requeued", ("in_doubt",), "queued", "an operator's `resolve --resend`"),
        Transition("marked", ("in_doubt",), "sent", "an operator's `resolve --mark-sent`"),
        Transition(
            "disproven",
            ("in_doubt",),
            "queued",
            "who was thought dead comes back, and knows that it was not sent",
        ),
        Transition(
            "proven",
            ("in_doubt", *_WAITING),
            "sent",
            "after a doubt: something that only its message, having arrived, could cause",
        ),
    )
}

MAILING_TRANSITIONS: dict[str, MailingTransition] = {
    each.event: each
    for each in (
        MailingTransition("paused", ("sending",), "paused", "`pause`, a breaker, or a restore"),
        MailingTransition("resumed", ("paused",), "sending", "`resume`, or `arm` after a restore"),
        MailingTransition("stopped", ("sending", "paused"), "cancelled", "`cancel`, for good"),
        MailingTransition(
            "finished", ("sending", "paused"), "finished", "nothing is left to be tried"
        ),
        MailingTransition(
            "reopened",
            ("finished",),
            "sending",
            "`retry`, `resolve --resend`, or what is disproven",
        ),
    )
}


def draw_deliveries() -> str:
    """The states of a delivery as a Mermaid diagram."""
    return "\n".join(("stateDiagram-v2", "    [*] --> queued", *_arrows()))


def _arrows() -> Iterator[str]:
    for each in DELIVERY_TRANSITIONS.values():
        for before in each.before:
            yield f"    {before} --> {each.after}: {each.event}"
