"""The form as a weapon: thousands of wishes, from one client and from many, for a few victims.

The caps count by the hour and by the day, so to ask faster than in ten minutes changes nothing.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from publisher.store import schema as s
from publisher.web.public.limits import IN_ALL, PER_CLIENT
from tests.audience.readers import Readers
from tests.web.public.site import Site, run_site, wait_until

WISHES = 5_000
# Spellings of one mailbox, as those who fill it would vary them.
SPELLINGS = ("v.ic.tim{}@gmail.com", "victim{}+{}@gmail.com", "VICTIM{}@Googlemail.com")
VICTIMS = 40
BEHIND_A_PROXY = {"trusted_proxies": ["127.0.0.1"]}


def _ask(site: Site, number: int, client: str) -> int:
    victim = number % VICTIMS
    spelling = SPELLINGS[number // VICTIMS % len(SPELLINGS)]
    headers = {"X-Forwarded-For": client}
    return site.subscribe(spelling.format(victim, number), headers).status


def _ask_all(site: Site, clients: int, wishes: int) -> Counter[int]:
    def ask(number: int) -> int:
        client = number % clients
        return _ask(site, number, f"198.51.{client // 250}.{client % 250 + 1}")

    with ThreadPoolExecutor(8) as pool:
        return Counter(pool.map(ask, range(wishes)))


def _mailed(readers: Readers) -> Counter[str]:
    """How many messages were made for each victim, whatever the spelling."""
    d, m = s.delivery.c, s.mailing.c
    chosen = (
        select(s.subscriber.c.email, func.count())
        .join(s.delivery, d.subscriber == s.subscriber.c.id)
        .join(s.mailing, m.id == d.mailing)
        .group_by(s.subscriber.c.email)
    )
    mailed: Counter[str] = Counter()
    with readers.database.read() as connection:
        for email, count in connection.execute(chosen):
            name = email.partition("@")[0].partition("+")[0].replace(".", "").lower()
            mailed[name] += count
    return mailed


@pytest.mark.parametrize(
    ("clients", "wishes", "accepted"),
    [
        pytest.param(1, 400, PER_CLIENT, id="one client"),
        pytest.param(10, 400, 10 * PER_CLIENT, id="ten clients"),
        pytest.param(50, 1_200, 50 * PER_CLIENT, id="fifty clients", marks=pytest.mark.long),
        pytest.param(1, WISHES, PER_CLIENT, id="one client, long", marks=pytest.mark.long),
        pytest.param(2_500, WISHES, IN_ALL, id="each from elsewhere", marks=pytest.mark.long),
    ],
)
def test_victims_get_one_message_each(
    clients: int, wishes: int, accepted: int, tmp_path: Path
) -> None:
    readers = Readers(tmp_path)
    with run_site(tmp_path, readers, web=BEHIND_A_PROXY) as site:
        statuses = _ask_all(site, clients, wishes)
    # The server has left: whatever was accepted is decided.
    assert statuses == {200: accepted, 429: wishes - accepted}
    victims = min(VICTIMS, accepted)
    mailed = _mailed(readers)
    assert len(mailed) == victims
    assert set(mailed.values()) == {1}
    readers.database.close()


def test_who_never_confirmed_is_not_mailed_by_the_other_form_either(tmp_path: Path) -> None:
    with run_site(tmp_path, web=BEHIND_A_PROXY) as site:
        assert site.subscribe("victim@daily.example").status == 200
        site.confirmation("victim@daily.example")
        for _ in range(3):
            assert site.ask_preferences("victim@daily.example").status == 200
        site.settle()
        assert _mailed(site.readers)["victim"] == 1
        site.age(timedelta(hours=24))
        for _ in range(3):
            assert site.ask_preferences("victim@daily.example").status == 200
        site.settle()
        assert _mailed(site.readers)["victim"] == 2


def test_an_honest_reader_elsewhere_gets_in_meanwhile(tmp_path: Path) -> None:
    with run_site(tmp_path, web=BEHIND_A_PROXY) as site:
        assert set(_ask_all(site, 1, 200)) == {200, 429}
        honest = site.subscribe("berta@daily.example", {"X-Forwarded-For": "203.0.113.7"})
        assert honest.status == 200
        wait_until(lambda: "berta" in _mailed(site.readers) or None)
