"""The one table of what may become of a delivery, and the document that shows it."""

import re
from pathlib import Path
from typing import get_args

from publisher.mailing.transitions import (
    DELIVERY_TRANSITIONS,
    MAILING_TRANSITIONS,
    draw_deliveries,
)
from publisher.model.delivery import DELIVERY_STATUSES, MailingStatus

DOCUMENT = Path(__file__).parents[2] / "docs" / "delivery.md"


def test_the_documents_diagram_is_made_from_the_table() -> None:
    diagrams = re.findall(r"^```mermaid\n(.*?)\n```$", DOCUMENT.read_text("utf-8"), re.M | re.S)
    assert diagrams == [draw_deliveries()]


def test_the_document_explains_every_status() -> None:
    table = DOCUMENT.read_text("utf-8").partition("| status | means |")[2].partition("\n\n")[0]
    shown = re.findall(r"^\| ([a-z ]+) \|", table, re.M)
    assert {word.replace(" ", "_") for word in shown} == set(DELIVERY_STATUSES)


def test_every_status_can_be_reached_and_only_the_end_is_final() -> None:
    events = DELIVERY_TRANSITIONS.values()
    assert {event.after for event in events} == set(DELIVERY_STATUSES)
    final = set(DELIVERY_STATUSES) - {before for event in events for before in event.before}
    assert final == {"sent", "suppressed", "cancelled"}


def test_every_status_of_a_mailing_can_be_reached_and_only_cancelled_is_final() -> None:
    statuses = set(get_args(MailingStatus))
    events = MAILING_TRANSITIONS.values()
    assert {event.after for event in events} == statuses
    assert statuses - {before for event in events for before in event.before} == {"cancelled"}
