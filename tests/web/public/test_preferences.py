"""Preferences: a link mailed on request, what each form does, and how long the link lives."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import current_thread

import pytest
from sqlalchemy import event, select, update

from publisher.audience.preferences import PAUSES
from publisher.store import schema as s
from publisher.store import suppressions
from publisher.web.public.limits import PER_CLIENT
from tests.audience.readers import NOON
from tests.web.public.site import ONE_CLICK, Site, at_once, run_site, wait_until

ANNA, BERTA, NEW = "anna@daily.example", "berta@daily.example", "anna@new.example"
PROXY = {"trusted_proxies": ["127.0.0.1"]}
ENDED = (404, "This link does not work any more")


@pytest.fixture
def anna(site: Site) -> Site:
    """A site that Anna and Berta are subscribed to."""
    for email in (ANNA, BERTA):
        site.add(email)
    return site


def _settle(site: Site) -> None:
    """Wait until no wish is left."""

    def look() -> bool | None:
        with site.readers.database.read() as connection:
            return connection.execute(select(s.wish.c.id)).first() is None or None

    wait_until(look)


def _suppress(site: Site, email: str) -> None:
    database, hash = site.readers.database, site.readers.hash(email)
    with database.write() as connection:
        suppressions.suppress(connection, database.publication, hash, "bounce", NOON)


class TestAsking:
    def test_the_answer_is_the_same_for_everybody(self, tmp_path: Path) -> None:
        with run_site(tmp_path, web=PROXY) as site:
            for email in (ANNA, BERTA, "left@daily.example"):
                site.add(email)
            site.leave("left@daily.example")
            site.add("asked@daily.example", is_asked=True)
            _suppress(site, BERTA)
            known = (ANNA, BERTA, "left@daily.example", "asked@daily.example")
            answers = [site.ask_preferences(each) for each in (*known, "unknown@daily.example")]
            answers += [site.ask_preferences(ANNA) for _ in range(3)]
            answers.append(site.ask_preferences(ANNA, website="x"))
            assert {(a.status, a.body) for a in answers} == {(200, answers[0].body)}
            assert {tuple(set(a.headers) - {"date"}) and len(a.headers) for a in answers} == {
                len(answers[0].headers)
            }
            assert answers[0].title == "Look into your mailbox"
            _settle(site)
            assert len(site.deliveries("preferences", ANNA)) == 2
            assert len(site.deliveries("preferences", "left@daily.example")) == 1
            assert len(site.deliveries("preferences", "asked@daily.example")) == 1
            assert site.deliveries("preferences", BERTA) == {}
            assert len(site.readers.all()) == 4

    def test_two_a_day_for_all_spellings_and_the_next_day_again(self, site: Site) -> None:
        site.add("anna.berg@gmail.com")
        spellings = ("anna.berg@gmail.com", "Anna.Berg@GMAIL.com", '"anna.berg"@gmail.com')
        for expected in (2, 4):
            for spelling in spellings:
                site.ask_preferences(spelling)
            _settle(site)
            assert len(site.deliveries("preferences", "anna.berg@gmail.com")) == expected
            site.age(timedelta(hours=24))

    def test_asking_does_not_keep_anybody_from_subscribing(self, site: Site) -> None:
        site.ask_preferences(ANNA)
        _settle(site)
        site.subscribe(ANNA)
        assert site.confirmation(ANNA)

    def test_a_slip_is_shown_with_the_same_form(self, site: Site) -> None:
        answer = site.ask_preferences("anna@")
        assert (answer.status, answer.title) == (422, "This is no e-mail address")
        assert 'action="https://daily.example/preferences"' in answer.text
        assert '/subscribe"' not in answer.text

    def test_it_counts_as_a_use_of_the_form(self, tmp_path: Path) -> None:
        with run_site(tmp_path) as site:
            for number in range(PER_CLIENT):
                forged: dict[str, str | None] = {"X-Forwarded-For": f"192.0.2.{number}"}
                ask = site.ask_preferences if number % 2 else site.subscribe
                assert ask(f"a{number}@daily.example", forged).status == 200
            assert site.ask_preferences(ANNA).status == 429
            assert site.subscribe(ANNA).status == 429

    def test_a_foreign_page_cannot_ask(self, site: Site) -> None:
        before = site.state()
        for origin in ("https://evil.example", "null"):
            assert site.ask_preferences(ANNA, {"Origin": origin}).status == 403
        assert site.state() == before

    def test_nothing_that_was_typed_is_in_the_message(self, anna: Site) -> None:
        anna.act(anna.preferences(ANNA), "save", name="Buy at spam.example")
        anna.preferences(ANNA)
        with anna.readers.database.read() as connection:
            for content in connection.execute(select(s.mailing.c.content)).scalars():
                assert b"spam.example" not in content


class TestLink:
    def test_it_opens_the_page_for_a_day(self, anna: Site) -> None:
        link = anna.preferences(ANNA)
        answer = anna.get(link)
        assert (answer.status, answer.title) == (200, "Your preferences")
        assert ANNA in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers
        anna.age(timedelta(hours=23, minutes=59))
        assert anna.get(link).status == 200
        anna.age(timedelta(minutes=2))
        assert (anna.get(link).status, anna.get(link).title) == ENDED
        assert anna.act(link, "close").status == 404

    def test_a_delivery_of_anything_else_opens_nothing(self, anna: Site) -> None:
        """A token that we signed, for a delivery that was none of its own."""
        anna.subscribe("carla@daily.example")
        confirmation = int(max(anna.deliveries("confirmation", "carla@daily.example") or {0: ""}))
        anna.mailed("confirm", "carla@daily.example")
        anna.preferences(BERTA)
        bertas = max(anna.deliveries("preferences", BERTA))
        for email, delivery in ((ANNA, bertas), (ANNA, confirmation), (ANNA, 999), (ANNA, 0)):
            assert anna.get(anna.link("preferences", email, delivery)).status == 404

    def test_it_can_be_ended(self, anna: Site) -> None:
        first, second = anna.preferences(ANNA), anna.preferences(ANNA)
        assert anna.act(second, "close").title == "This link has ended"
        assert {anna.get(each).status for each in (first, second)} == {404}
        anna.age(timedelta(hours=24))
        assert anna.get(anna.preferences(ANNA)).status == 200

    def test_no_get_or_head_changes_anything(self, anna: Site) -> None:
        link = anna.preferences(ANNA)
        anna.act(link, "address", email=NEW)
        address = anna.mailed("address", ANNA)
        unsubscribe = anna.link("unsubscribe", ANNA)
        before = anna.state()
        for path in (link, address, unsubscribe, "/preferences"):
            for query in ("", "?act=erase", "?act=unsubscribe"):
                for method in ("GET", "HEAD"):
                    body = b"act=erase" if method == "GET" else None
                    assert anna.ask(method, path + query, body).status == 200
            assert anna.ask("PUT", path).status == anna.ask("DELETE", path).status == 405
        assert anna.state() == before

    def test_a_foreign_page_cannot_act(self, anna: Site) -> None:
        link = anna.preferences(ANNA)
        before = anna.state()
        for act in ("save", "erase", "unsubscribe", "pause", "close"):
            body = f"act={act}&pause=1_week".encode()
            answer = anna.ask("POST", link, body, {"Origin": "https://evil.example"})
            assert answer.status == 403
        assert anna.state() == before

    @pytest.mark.parametrize(
        "body",
        [
            *(b"", b"act=", b"act=destroy", b"act=pause", b"act=pause&pause=100_years"),
            *(ONE_CLICK, b"act=erase&act=save", b"act=%ff", b"name=Eve"),
        ],
    )
    def test_what_is_none_of_its_forms_does_nothing(self, body: bytes, anna: Site) -> None:
        link = anna.preferences(ANNA)
        before = anna.state()
        assert anna.ask("POST", link, body).status == 400
        assert anna.state() == before


class TestForms:
    def test_name_and_language(self, anna: Site) -> None:
        link = anna.preferences(ANNA)
        answer = anna.act(link, "save", name=" Anna\u202e \n<b>Å</b> ", language="ar")
        assert answer.status == 200
        assert 'role="status"' in answer.text
        assert '<html lang="ar" dir="rtl">' in answer.text
        assert "&lt;b&gt;Å&lt;/b&gt;" in answer.text
        assert anna.readers.get(ANNA).name == "Anna <b>Å</b>"
        assert '<html lang="ar" dir="rtl">' in anna.get(anna.link("unsubscribe", ANNA)).text
        for language, kept in (("xx", ""), ("zh", "zh"), ("en", ""), ("../../etc", "")):
            anna.act(link, "save", name="", language=language)
            found = anna.readers.get(ANNA)
            assert (found.name, found.language) == ("", kept)

    @pytest.mark.parametrize("how_long", PAUSES)
    def test_pausing_and_going_on(self, how_long: str, anna: Site) -> None:
        link = anna.preferences(ANNA)
        answer = anna.act(link, "pause", pause=how_long)
        assert "Paused until" in answer.text
        until = anna.readers.get(ANNA).paused_until
        assert until is not None
        expected = datetime.now(UTC) + PAUSES[how_long]
        assert abs((until - expected).total_seconds()) < 60
        assert "Paused until" in anna.get(link).text
        assert "The next issue comes again." in anna.act(link, "resume").text
        assert anna.readers.get(ANNA).paused_until is None

    def test_who_left_and_comes_back_has_not_paused(self, anna: Site) -> None:
        link = anna.preferences(ANNA)
        anna.act(link, "pause", pause="3_months")
        anna.act(link, "unsubscribe")
        anna.subscribe(ANNA)
        anna.ask("POST", anna.confirmation(ANNA), b"")
        found = anna.readers.get(ANNA)
        assert (found.status, found.paused_until) == ("confirmed", None)

    def test_a_pause_that_is_over_is_none(self, anna: Site) -> None:
        link = anna.preferences(ANNA)
        with anna.readers.database.write() as connection:
            connection.execute(update(s.subscriber).values(paused_until=NOON))
        assert "Paused until" not in anna.get(link).text

    def test_unsubscribing_here_too(self, anna: Site) -> None:
        link = anna.preferences(ANNA)
        answer = anna.act(link, "unsubscribe")
        assert "sends you no further issue" in answer.text
        assert "https://daily.example/#subscribe" in answer.text
        line = anna.readers.record(ANNA)[-1]
        assert (line.action, line.source) == ("unsubscribed", "preferences")
        before = anna.state()
        for act in ("pause", "resume", "address"):
            assert anna.act(link, act, pause="1_week", email=NEW).status == 200
        assert anna.state() == before

    def test_the_export_is_whole_and_theirs_alone(self, anna: Site) -> None:
        link = anna.preferences(ANNA)
        anna.act(link, "save", name="Anna", language="zh")
        anna.act(link, "pause", pause="1_week")
        answer = anna.act(link, "export")
        assert answer.headers["content-type"].startswith("application/json")
        assert "attachment" in answer.headers["content-disposition"]
        assert answer.headers["cache-control"] == "no-store"
        data = json.loads(answer.body)
        assert data["profile"]["email"] == ANNA
        assert data["profile"]["language"] == "zh"
        assert data["profile"]["paused_until"]
        assert [line["action"] for line in data["consent"]] == ["vouched"]
        assert [each["purpose"] for each in data["deliveries"]] == ["preferences"]
        assert [each["kind"] for each in data["requests"]] == ["preferences"]
        assert BERTA not in answer.text
        assert set(data["profile"]) | {"id", "publication", "ref", "address_hash"} | {
            "links_ended_at"
        } == set(s.subscriber.c.keys())

    def test_erasing_asks_once_more_and_leaves_only_the_hash(self, anna: Site) -> None:
        anna.act(anna.preferences(ANNA), "save", name="Annabella Bergström")
        link, old = anna.preferences(ANNA), anna.link("unsubscribe", ANNA)
        address = anna.link("address", ANNA)
        before = anna.state()
        asked = anna.act(link, "ask_erase")
        assert asked.title == "Erase everything about you?"
        assert anna.state() == before
        assert anna.act(link, "erase").title == "Everything is erased"
        assert [one.email for one in anna.readers.all()] == [BERTA]
        for path in (link, old, address):
            for method in ("GET", "POST"):
                answer = anna.ask(method, path, b"act=erase" if method == "POST" else None)
                assert answer.status in (200, 404)
                assert answer.title in (ENDED[1], "You are not subscribed")
        wait_until(lambda: ANNA.encode() not in anna.readers.bytes_on_disk() or None)
        assert b"Annabella" not in anna.readers.bytes_on_disk()
        anna.age(timedelta(hours=24))
        anna.subscribe(ANNA)
        anna.ask_preferences(ANNA)
        _settle(anna)
        assert [one.email for one in anna.readers.all()] == [BERTA]

    def test_twice_at_the_same_moment_is_once(self, anna: Site) -> None:
        link = anna.preferences(ANNA)
        statuses = at_once(8, lambda _: anna.act(link, "erase").status)
        assert sorted(statuses) == [200, *[404] * 7]
        bertas = anna.preferences(BERTA)
        acts = ("save", "pause", "resume", "save", "pause", "unsubscribe")
        statuses = at_once(6, lambda n: anna.act(bertas, acts[n], pause="1_week").status)
        assert statuses == [200] * 6
        assert anna.readers.get(BERTA).status == "unsubscribed"


def test_links_are_in_the_readers_language(site: Site) -> None:
    site.subscribe(ANNA, language="zh-Hans")
    confirmation = site.confirmation(ANNA)
    assert site.readers.get(ANNA).language == "zh"
    assert site.get(confirmation).title == "确认订阅"
    assert site.ask("POST", confirmation, b"").title == "订阅成功"
    assert site.get(site.preferences(ANNA)).title == "您的订阅设置"
    assert site.subscribe("b@daily.example", language="zh").title == "请查看您的邮箱"
    assert site.subscribe("nonsense", language="ar").title == "هذا ليس عنوان بريد إلكتروني"
    with site.readers.database.read() as connection:
        contents = connection.execute(select(s.mailing.c.content)).scalars().all()
    assert all(
        "《The Daily》".encode() in content or b"=E3=80=8A" in content for content in contents
    )


@pytest.mark.parametrize("form", ["subscribe", "ask_preferences"])
def test_the_same_work_is_done_before_each_answer(form: str, anna: Site) -> None:
    """What a stranger could measure: the statements of all threads but the one that decides."""
    left = "left@daily.example"
    anna.add(left)
    anna.leave(left)
    _suppress(anna, BERTA)
    done: list[tuple[str, str]] = []

    def note(*arguments: object) -> None:
        done.append((current_thread().name.partition("_")[0], str(arguments[2])))

    engine = anna.readers.database.engine
    event.listen(engine, "before_cursor_execute", note)
    work = []
    for email in (ANNA, BERTA, left, "unknown@daily.example", ANNA, ANNA):
        done.clear()
        assert getattr(anna, form)(email).status == 200
        work.append([sql for thread, sql in done if thread != "work"])
    event.remove(engine, "before_cursor_execute", note)
    assert len(work[0]) == 1
    assert all(each == work[0] for each in work)
