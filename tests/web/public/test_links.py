"""The links in mail: what each shows, what its button does, and that nothing else does anything."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from publisher.audience.address import parse_address
from publisher.audience.subscribing import erase
from publisher.message.links import read_token
from publisher.runtime.single import CONFIRM_WITHIN
from publisher.runtime.start import load_keys
from publisher.store import suppressions
from tests.audience.readers import NOON, Readers
from tests.web.public.site import ONE_CLICK, Answer, Site, at_once, run_site, wait_until

ANNA, BERTA = "anna@daily.example", "berta@daily.example"
CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _ask_and_get_link(site: Site, email: str = ANNA) -> str:
    before = site.confirmations()
    assert site.subscribe(email).status == 200
    wait_until(lambda: site.confirmations() > before or None)
    return site.confirmation(email)


def _erase(site: Site, email: str) -> None:
    database, secret = site.readers.database, site.readers.secret
    with database.write() as connection:
        address = parse_address(email)
        erase(connection, database.publication, address, secret=secret, at=NOON)


def _is_private(answer: Answer) -> bool:
    """Tell whether an answer is kept nowhere, told to nobody, and no cookie or redirect."""
    headers = answer.headers
    return (
        headers["cache-control"] == "no-store"
        and headers["referrer-policy"] == "same-origin"
        and "location" not in headers
        and "set-cookie" not in headers
        and 'content="noindex"' in answer.text
    )


class TestConfirm:
    def test_the_button_confirms_once_and_stays_friendly(self, site: Site) -> None:
        link = _ask_and_get_link(site)
        page = site.get(link)
        assert (page.status, page.title) == (200, "Confirm your subscription")
        assert '<form method="post">' in page.text
        assert _is_private(page)
        assert site.readers.get(ANNA).status == "unconfirmed"
        for _ in range(2):
            answer = site.ask("POST", link)
            assert (answer.status, answer.title) == (200, "You are subscribed")
            assert _is_private(answer)
        assert site.readers.get(ANNA).status == "confirmed"
        asked, confirmed = site.readers.record(ANNA)
        assert (asked.action, asked.source) == ("asked", "form")
        assert (confirmed.action, confirmed.source, confirmed.origin) == (
            "confirmed",
            "link",
            "127.0.0.1",
        )
        assert site.get(link).title == "You are subscribed"

    def test_it_is_good_for_some_days(self, site: Site) -> None:
        link = _ask_and_get_link(site)
        site.age(CONFIRM_WITHIN - timedelta(minutes=1))
        assert site.get(link).status == 200
        site.age(timedelta(minutes=2))
        for method in ("GET", "POST"):
            answer = site.ask(method, link)
            assert answer.status == 404
            assert answer.title == "This link does not work any more"
        assert site.readers.get(ANNA).status == "unconfirmed"

    def test_it_is_of_a_confirmation_that_was_made_for_this_subscriber(self, site: Site) -> None:
        link = _ask_and_get_link(site, BERTA)
        site.add(ANNA, is_asked=True)
        berta = site.readers.get(BERTA)
        delivery = 1
        assert link == site.link("confirm", BERTA, delivery)
        for email, number in ((ANNA, delivery), (BERTA, 999), (ANNA, 999)):
            other = site.link("confirm", email, number)
            assert site.ask("POST", other).status == 404
        assert site.readers.get(ANNA).status == "unconfirmed"
        assert site.readers.get(BERTA) == berta

    def test_who_left_since_is_not_brought_back_by_it(self, site: Site) -> None:
        link = _ask_and_get_link(site)
        site.ask("POST", link)
        site.ask("POST", site.link("unsubscribe", ANNA))
        assert site.ask("POST", link).status == 404
        assert site.readers.get(ANNA).status == "unsubscribed"

    def test_who_is_suppressed_or_erased_since_is_not_either(self, site: Site) -> None:
        links = [_ask_and_get_link(site, email) for email in (ANNA, BERTA)]
        database = site.readers.database
        with database.write() as connection:
            suppressions.suppress(
                connection, database.publication, site.readers.hash(ANNA), "complaint", NOON
            )
        _erase(site, BERTA)
        for link in links:
            assert site.ask("POST", link).status == 404
        assert site.readers.get(ANNA).status == "unconfirmed"


class TestUnsubscribe:
    def test_the_button_ends_it_as_often_as_it_is_pressed(self, site: Site) -> None:
        site.add(ANNA)
        link = site.link("unsubscribe", ANNA)
        page = site.get(link)
        assert (page.status, page.title) == (200, "End your subscription?")
        assert "daily.example/" in page.text
        assert ANNA not in page.text
        assert _is_private(page)
        for _ in range(3):
            answer = site.ask("POST", link, b"")
            assert (answer.status, answer.title) == (200, "You are unsubscribed")
            assert _is_private(answer)
        assert site.readers.get(ANNA).status == "unsubscribed"
        _, ended = site.readers.record(ANNA)
        assert (ended.action, ended.source, ended.origin) == ("unsubscribed", "link", "127.0.0.1")
        assert site.get(link).title == "You are not subscribed"

    @pytest.mark.parametrize(
        ("body", "headers", "source"),
        [
            (ONE_CLICK, {}, "one-click"),
            (
                b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
                b"One-Click\r\n--b--\r\n",
                {"Content-Type": "multipart/form-data; boundary=b"},
                "one-click",
            ),
            (
                ONE_CLICK,
                {"Content-Type": "application/x-www-form-urlencoded; charset=x"},
                "one-click",
            ),
            (b"", {}, "link"),
            (None, {}, "link"),
            (b"List-Unsubscribe=Two-Clicks", {}, "link"),
            (b"\xff\xfe%ff", {}, "link"),
            (b"{}", {"Content-Type": "application/json"}, "link"),
            (b"a" * 200_000, {}, "link"),
            (ONE_CLICK, {"Origin": "https://daily.example"}, "one-click"),
            (ONE_CLICK, {"Host": "anything.example"}, "one-click"),
            (ONE_CLICK, {"User-Agent": None, "Accept": None, "Cookie": "a=b"}, "one-click"),
        ],
    )
    def test_whatever_the_body_is_it_is_done(
        self, body: bytes | None, headers: dict[str, str | None], source: str, site: Site
    ) -> None:
        site.add(ANNA)
        answer = site.ask("POST", site.link("unsubscribe", ANNA), body, headers)
        assert (answer.status, answer.title) == (200, "You are unsubscribed")
        assert _is_private(answer)
        assert site.readers.record(ANNA)[-1].source == source

    def test_it_works_for_any_message_and_never_expires(self, site: Site) -> None:
        site.add(ANNA)
        link = site.link("unsubscribe", ANNA, 123_456)
        site.age(timedelta(days=4_000))
        assert site.ask("POST", link).title == "You are unsubscribed"

    def test_who_has_not_confirmed_may_leave_too(self, site: Site) -> None:
        site.add(ANNA, is_asked=True)
        assert site.ask("POST", site.link("unsubscribe", ANNA)).status == 200
        assert site.readers.get(ANNA).status == "unsubscribed"

    def test_who_was_erased_is_told_so_kindly(self, site: Site) -> None:
        site.add(ANNA)
        link = site.link("unsubscribe", ANNA)
        _erase(site, ANNA)
        for method in ("GET", "POST"):
            answer = site.ask(method, link, ONE_CLICK if method == "POST" else None)
            assert (answer.status, answer.title) == (200, "You are not subscribed")

    def test_a_trial_message_changes_nothing(self, site: Site) -> None:
        site.add(ANNA)
        before = site.state()
        link = site.sign("unsubscribe", ".12")
        for method in ("GET", "POST"):
            answer = site.ask(method, link, ONE_CLICK if method == "POST" else None)
            assert (answer.status, answer.title) == (200, "This was a trial message")
        assert site.state() == before

    def test_many_at_once_leave_one_line(self, site: Site) -> None:
        site.add(ANNA)
        link = site.link("unsubscribe", ANNA)
        assert at_once(30, lambda _: site.ask("POST", link, ONE_CLICK).status) == [200] * 30
        assert len(site.readers.record(ANNA)) == 2

    def test_a_database_that_is_busy_lets_others_look(self, site: Site) -> None:
        site.add(ANNA)
        site.write("index.html")
        link = site.link("unsubscribe", ANNA)
        with site.readers.database.write():
            assert site.get(link).status == 200
            assert site.get("/healthz").status == 200
            assert site.get("/").status == 200


class TestLookingChangesNothing:
    def test_get_and_head(self, site: Site) -> None:
        confirm = _ask_and_get_link(site, BERTA)
        site.add(ANNA)
        unsubscribe = site.link("unsubscribe", ANNA)
        before = site.state()
        for path in (confirm, unsubscribe, "/subscribe", "/", "/healthz"):
            for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "FOO"):
                for body in (None, ONE_CLICK, b"email=x%40daily.example"):
                    site.ask(method, f"{path}?email=x%40daily.example", body)
                    site.ask(method, path, body, {"X-HTTP-Method-Override": "POST"})
        assert site.state() == before


class TestTokens:
    def test_each_is_for_one_thing(self, site: Site) -> None:
        confirm = _ask_and_get_link(site).rpartition("/")[2]
        unsubscribe = site.link("unsubscribe", ANNA).rpartition("/")[2]
        preferences = site.link("preferences", ANNA)
        before = site.state()
        for path in (
            f"/unsubscribe/{confirm}",
            f"/confirm/{unsubscribe}",
            f"/confirm/{preferences.rpartition('/')[2]}",
            f"/unsubscribe/{preferences.rpartition('/')[2]}",
        ):
            for method in ("GET", "POST"):
                answer = site.ask(method, path)
                assert answer.status == 404
                assert answer.title == "This link does not work any more"
        assert site.get(preferences).status == 404
        assert site.ask("POST", preferences, b"act=close").status == 404
        assert site.state() == before

    def test_only_the_canonical_spelling_of_the_path_is_taken(self, site: Site) -> None:
        site.add(ANNA)
        link = site.link("unsubscribe", ANNA)
        token = link.rpartition("/")[2]
        encoded = f"%{ord(token[0]):02X}{token[1:]}"
        before = site.state()
        for path in (
            f"/unsubscribe/{encoded}",
            f"/%75nsubscribe/{token}",
            f"/unsubscribe//{token}",
            f"//unsubscribe/{token}",
            f"/unsubscribe/{token}/",
            f"/unsubscribe/{token}//",
            f"/unsubscribe/./{token}",
            f"/unsubscribe/x/../{token}",
            f"/unsubscribe%2F{token}",
            f"/unsubscribe/{token}%20",
            f"/unsubscribe/{token}%00",
            f"/unsubscribe/{token}%0A",
            f"/unsubscribe/{token};a=b",
            f"/unsubscribe/{token}=",
            f"/unsubscribe/{token}==",
            f"/unsubscribe/={token}",
            f"/unsubscribe/{token}.",
            f"/unsubscribe/{token}/{token}",
            f"/UNSUBSCRIBE/{token}",
            "/unsubscribe/",
            "/unsubscribe",
        ):
            for method in ("GET", "POST"):
                assert site.ask(method, path, ONE_CLICK).status in (404, 405)
        assert site.state() == before
        assert site.ask("POST", f"{link}?utm_source=mail", ONE_CLICK).status == 200

    def test_mutated_ones_are_refused_over_http(self, site: Site) -> None:
        site.add(ANNA)
        token = site.link("unsubscribe", ANNA).rpartition("/")[2]
        before = site.state()
        for mutated in _mutate(token, 60, random.Random(3)):
            for method in ("GET", "POST"):
                assert site.ask(method, f"/unsubscribe/{mutated}").status in (404, 405)
        assert site.state() == before

    @pytest.mark.parametrize(
        "number", [500, pytest.param(10_000, marks=pytest.mark.long)], ids=["some", "all"]
    )
    def test_none_that_was_mutated_is_accepted(self, number: int, site: Site) -> None:
        site.add(ANNA)
        keys = load_keys(site.readers.database, site.settings).links
        count = 0
        for purpose in ("unsubscribe", "confirm"):
            token = site.link(purpose, ANNA).rpartition("/")[2]
            assert read_token(token, purpose, keys)
            for mutated in _mutate(token, number // 2, random.Random(7)):
                assert read_token(mutated, purpose, keys) is None
                count += 1
        assert count == number

    def test_old_keys_go_on_until_they_are_taken_away(self, tmp_path: Path) -> None:
        readers = Readers(tmp_path)
        links: list[str] = []
        rotations = [(), ("first",), ("second", "first"), ("third", "second", "first")]
        for keys in rotations:
            with run_site(tmp_path, readers, web={"secret_keys": list(keys)}) as site:
                email = f"reader-{len(links)}@daily.example"
                site.add(email)
                links.append(site.link("unsubscribe", email))
                assert [site.get(link).status for link in links] == [200] * len(links)
        assert len({link.rpartition("/")[2][1:4] for link in links}) > 1
        with run_site(tmp_path, readers, web={"secret_keys": ["third"]}) as site:
            assert [site.get(link).status for link in links] == [200, 404, 404, 200]
        readers.database.close()

    def test_another_publications_are_not_ours(self, tmp_path: Path) -> None:
        """Another database has other keys."""
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        with run_site(tmp_path / "a") as one, run_site(tmp_path / "b") as other:
            one.add(ANNA)
            other.add(ANNA)
            assert one.get(other.link("unsubscribe", ANNA)).status == 404


def _mutate(token: str, number: int, chance: random.Random) -> Iterator[str]:
    """Tokens that differ from one: characters changed, left out, put in, swapped, cut, joined."""
    seen = {token}
    while len(seen) <= number:
        place = chance.randrange(len(token))
        other = chance.choice(CHARACTERS)
        mutated = chance.choice(
            (
                token[:place] + other + token[place + 1 :],
                token[:place] + token[place + 1 :],
                token[:place] + other + token[place:],
                token[:place],
                token[place:] + token[:place],
                token[:place] + token[place:].swapcase(),
                token[:place] + token[place : place + 2][::-1] + token[place + 2 :],
                token + other,
                "".join(chance.choices(CHARACTERS, k=len(token))),
            )
        )
        if mutated and mutated not in seen:
            seen.add(mutated)
            yield mutated


@pytest.mark.parametrize(
    ("language", "direction", "title", "button"),
    [
        ("zh-Hans", "ltr", "要退订吗？", "退订"),
        ("ar", "rtl", "أتريد إنهاء اشتراكك؟", "إلغاء الاشتراك"),
        ("de", "ltr", "End your subscription?", "Unsubscribe"),
    ],
)
def test_pages_are_in_the_publications_language(
    language: str, direction: str, title: str, button: str, tmp_path: Path
) -> None:
    with run_site(tmp_path, publication={"language": language}) as site:
        site.add(ANNA)
        page = site.get(site.link("unsubscribe", ANNA))
        assert f'<html lang="{language}" dir="{direction}">' in page.text
        assert page.title == title
        assert f'<button type="submit">{button}</button>' in page.text
        # A language whose words we do not have is marked where English stands.
        assert ('<article class="sheet consent" lang="en"' in page.text) == (language == "de")
