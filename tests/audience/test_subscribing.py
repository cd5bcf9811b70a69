"""Subscribing, confirming, leaving, being erased: what each does, and what it leaves alone."""

import os
import random
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from publisher.audience.address import address_hash, limit_key, parse_address
from publisher.audience.subscribing import (
    Subscribed,
    confirm,
    erase,
    make_refs,
    subscribe,
    unsubscribe,
)
from publisher.model.audience import SuppressionReason
from publisher.store import schema as s
from publisher.store import suppressions
from publisher.store.erasing import scrub
from tests.audience.readers import NOON, Readers

ANNA = "anna@daily.example"


class _Chance:
    """Bytes that are never the same."""

    number = 0

    def __call__(self, size: int) -> bytes:
        self.number += 1
        return self.number.to_bytes(size, "big")


_chance = _Chance()


def _subscribe(readers: Readers, email: str = ANNA, name: str = "", **more: Any) -> Subscribed:
    form = {"source": "form", "origin": "192.0.2.1"} if more.get("action") == "asked" else {}
    options = {"source": "operator", "action": "vouched", **form, **more}
    with readers.database.write() as connection:
        return subscribe(
            connection,
            readers.database.publication,
            parse_address(email),
            name,
            secret=readers.secret,
            ref=make_refs(_chance, 1)[0],
            at=NOON,
            **options,
        )


def _leave(readers: Readers, email: str = ANNA) -> bool:
    with readers.database.write() as connection:
        return unsubscribe(
            connection,
            readers.database.publication,
            readers.get(email).id,
            at=NOON + timedelta(days=1),
            source="one-click",
            origin="192.0.2.9",
        )


def _confirm(readers: Readers, email: str = ANNA) -> bool:
    with readers.database.write() as connection:
        return confirm(
            connection,
            readers.database.publication,
            readers.get(email).id,
            at=NOON,
            source="link",
            origin="192.0.2.1",
        )


def _suppress(readers: Readers, reason: SuppressionReason) -> None:
    with readers.database.write() as connection:
        publication = readers.database.publication
        suppressions.suppress(connection, publication, readers.hash(ANNA), reason, NOON)


def _actions(readers: Readers) -> list[tuple[str, str, str]]:
    return [(line.action, line.source, line.origin) for line in readers.record(ANNA)]


def test_an_operator_vouches(readers: Readers) -> None:
    assert _subscribe(readers, name="Anna").outcome == "added"
    assert _subscribe(readers, "ANNA@Daily.example").outcome == "unchanged"
    assert _subscribe(readers, name="Anna B").outcome == "updated"
    assert readers.plain() == [(ANNA, "Anna B", "confirmed")]
    assert _actions(readers) == [("vouched", "operator", "")]


def test_the_form_asks_and_the_link_confirms(readers: Readers) -> None:
    asked = _subscribe(readers, action="asked")
    assert asked.subscriber
    assert asked.subscriber.status == "unconfirmed"
    assert _subscribe(readers, action="asked").outcome == "unchanged"
    assert _confirm(readers)
    assert not _confirm(readers)
    assert _actions(readers) == [("asked", "form", "192.0.2.1"), ("confirmed", "link", "192.0.2.1")]


def test_a_stranger_on_the_form_changes_nothing(readers: Readers) -> None:
    _subscribe(readers, name="Anna")
    assert _subscribe(readers, name="Rude", action="asked").outcome == "unchanged"
    assert readers.plain() == [(ANNA, "Anna", "confirmed")]
    assert len(_actions(readers)) == 1


def test_leaving_is_recorded_once(readers: Readers) -> None:
    _subscribe(readers)
    assert _leave(readers)
    assert not _leave(readers)
    assert readers.plain() == [(ANNA, "", "unsubscribed")]
    assert _actions(readers)[1:] == [("unsubscribed", "one-click", "192.0.2.9")]
    assert not _confirm(readers), "an old link brings nobody back"


def test_who_left_comes_back_by_their_own_wish_alone(readers: Readers) -> None:
    _subscribe(readers)
    _leave(readers)
    refused = _subscribe(readers)
    assert (refused.outcome, refused.since) == ("unsubscribed", NOON + timedelta(days=1))
    assert readers.get(ANNA).status == "unsubscribed"
    assert _subscribe(readers, action="asked", is_returning=True).outcome == "updated"
    assert readers.get(ANNA).status == "unconfirmed"
    refused = _subscribe(readers)  # anybody may have typed the address
    assert (refused.outcome, refused.since) == ("unsubscribed", NOON + timedelta(days=1))
    assert _confirm(readers)
    assert [line[0] for line in _actions(readers)] == [
        "vouched",
        "unsubscribed",
        "asked",
        "confirmed",
    ]


@pytest.mark.parametrize("reason", ["bounce", "complaint", "erased", "operator"])
@pytest.mark.parametrize("is_known", [True, False])
def test_the_suppressed_stay_so(
    readers: Readers, reason: SuppressionReason, is_known: bool
) -> None:
    if is_known:
        _subscribe(readers)
    _suppress(readers, reason)
    refused = _subscribe(readers, is_returning=True)
    assert refused.outcome == "suppressed"
    assert refused.suppression
    assert refused.suppression.reason == reason
    assert (refused.subscriber is not None) == is_known
    lifted = _subscribe(readers, is_lifting=True)
    assert lifted.outcome == ("updated" if is_known else "added")
    assert lifted.subscriber
    assert not lifted.subscriber.is_suppressed


def _mail(readers: Readers, subscriber: int | None, purpose: str, address: str | None) -> int:
    """A delivery of a mailing of its own, with a reply that quotes the address."""
    publication = readers.database.publication
    with readers.database.write() as connection:
        fixed = {"publication": publication, "status": "finished", "digest": "d", "content": b""}
        values = {"ref": f"m{_chance(4).hex()}", "issue": _chance(4).hex(), "slug": "s"}
        row = {"purpose": purpose, "domain": "d", "recipients": 1, "created_at": NOON}
        mailing = connection.execute(
            insert(s.mailing).values(**fixed, **values, **row).returning(s.mailing.c.id)
        ).scalar_one()
        reply = f"550 5.1.1 <{ANNA}> unknown"
        made = {"mailing": mailing, "subscriber": subscriber, "address": address}
        delivery = connection.execute(
            insert(s.delivery)
            .values(publication=publication, status="failed", last_reply=reply, **made)
            .returning(s.delivery.c.id)
        ).scalar_one()
        line = {"mailing": mailing, "delivery": delivery, "at": NOON, "event": "failed"}
        connection.execute(insert(s.ledger).values(publication=publication, reply=reply, **line))
    return int(delivery)


def _erase(readers: Readers, email: str = ANNA) -> bool:
    with readers.database.write() as connection:
        erased = erase(
            connection,
            readers.database.publication,
            parse_address(email),
            secret=readers.secret,
            at=NOON,
        )
    return erased is not None


def test_erasing_leaves_only_the_hash(readers: Readers) -> None:
    readers.bring("email,name\n" + "".join(f"r{n}@x.example,R\n" for n in range(500)))
    _subscribe(readers, name="Anna Unmistakable")
    _subscribe(readers, "other@daily.example")
    id_ = readers.get(ANNA).id
    mails = [_mail(readers, id_, "issue", None), _mail(readers, None, "confirmation", ANNA.upper())]
    other = _mail(readers, readers.get("other@daily.example").id, "issue", None)
    coarse = address_hash(limit_key(parse_address(ANNA)), readers.secret)
    publication = readers.database.publication
    with readers.database.write() as connection:
        asked = {"publication": publication, "kind": "subscribe", "hash": coarse, "at": NOON}
        connection.execute(insert(s.request).values(**asked))
    _leave(readers)

    assert _erase(readers, "ANNA@daily.example")
    assert not _erase(readers)
    with readers.database.read() as connection:
        d = s.delivery.c
        rows = connection.execute(
            select(d.subscriber, d.address, d.last_reply, d.status).where(d.id.in_(mails))
        ).all()
        assert [tuple(row) for row in rows] == [(None, None, None, "failed")] * 2
        kept = connection.execute(select(d.last_reply).where(d.id == other)).scalar()
        assert kept
        assert kept.startswith("550")
        ledger = select(s.ledger.c.reply).where(s.ledger.c.delivery.in_(mails))
        assert connection.execute(ledger).scalars().all() == [None, None]
        assert connection.execute(select(s.request)).all() == []
        consents = select(s.consent.c.id).where(s.consent.c.subscriber == id_)
        assert connection.execute(consents).all() == []
        found = suppressions.find(connection, publication, readers.hash(ANNA))
    assert found
    assert found.reason == "erased"


def test_the_bytes_are_in_no_file(readers: Readers) -> None:
    """Readers are renamed and moved first, as years of use do it, so that pages hold old copies."""
    chance = random.Random(1)
    rows = [f"r{n}{'x' * chance.randint(0, 40)}z@x{n % 7}.example" for n in range(1_500)]
    for _ in range(3):
        names = ["N" * chance.randint(0, 120) for _ in rows]
        lines = [f"{row},{name}\n" for row, name in zip(rows, names, strict=True)]
        readers.bring(f"email,name\n{''.join(lines)}")
    victims = chance.sample(readers.all(), 100)
    assert victims[0].email.encode() in readers.bytes_on_disk()
    for victim in victims:
        _erase(readers, victim.email)
    for victim in victims:
        assert scrub(readers.database, victim.email)
    data = readers.bytes_on_disk()
    assert [one.email for one in victims if one.email.encode() in data] == []
    assert len(readers.all()) == 1_400


def test_an_old_copy_in_a_page_is_found_and_goes(readers: Readers) -> None:
    """What secure_delete leaves behind, put there by hand: bytes that belong to no row."""
    _subscribe(readers, "other@daily.example")
    assert scrub(readers.database, ANNA)
    readers.database.close()
    page = 4_096
    data = bytearray((readers.folder / "publisher.db").read_bytes())
    free = data.index(bytes(500), 2 * page)
    data[free + 200 : free + 200 + len(ANNA)] = ANNA.encode()
    (readers.folder / "publisher.db").write_bytes(data)
    assert ANNA.encode() in readers.bytes_on_disk()
    assert scrub(readers.database, ANNA)
    assert ANNA.encode() not in readers.bytes_on_disk()
    assert readers.plain() == [("other@daily.example", "", "confirmed")]


def test_the_first_reason_stays_but_for_an_erasure(readers: Readers) -> None:
    publication, hash = readers.database.publication, readers.hash(ANNA)
    with readers.database.write() as connection:
        assert suppressions.suppress(connection, publication, hash, "bounce", NOON)
        assert not suppressions.suppress(connection, publication, hash, "complaint", NOON)
        assert suppressions.find(connection, publication, hash).reason == "bounce"  # type: ignore[union-attr]
        assert not suppressions.suppress(connection, publication, hash, "erased", NOON)
        (only,) = suppressions.list_page(connection, publication)
        assert (only.address_hash, only.reason) == (hash, "erased")
        assert suppressions.is_suppressed(connection, publication, hash)
        assert suppressions.lift(connection, publication, hash)
        assert not suppressions.lift(connection, publication, hash)


def test_refs() -> None:
    refs = make_refs(os.urandom, 50)
    assert len(set(refs)) == 50
    assert all(re.fullmatch(r"[a-z0-9]{16}", ref) for ref in refs)
    assert refs == sorted(refs)
    assert make_refs(os.urandom, 0) == []
