"""POST /subscribe: the same answer for everybody, and at most one confirmation a day for each."""

import statistics
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from sqlalchemy import select

from publisher.audience.address import parse_address
from publisher.audience.subscribing import erase
from publisher.store import schema as s
from publisher.store import suppressions
from publisher.web.public.form import MOST_BYTES
from publisher.web.public.limits import IN_ALL, PER_CLIENT, Limits
from tests.audience.readers import NOON, Readers
from tests.web.public.site import Answer, Site, at_once, run_site, wait_until

ANNA = "anna@daily.example"
PROXY = {"trusted_proxies": ["127.0.0.1"]}


def _from(number: int) -> dict[str, str | None]:
    """A client of its own, where the proxy on loopback is trusted."""
    return {"X-Forwarded-For": f"192.0.2.{number}"}


def _set_up(site: Site) -> dict[str, str]:
    """An address in each state that one can be in."""
    for email in ("known", "unsubscribed", "unconfirmed", "bounced", "complained", "erased"):
        site.add(f"{email}@daily.example", is_asked=email == "unconfirmed")
    site.leave("unsubscribed@daily.example")
    database, hash = site.readers.database, site.readers.hash
    with database.write() as connection:
        for email, reason in (("bounced", "bounce"), ("complained", "complaint")):
            suppressions.suppress(
                connection,
                database.publication,
                hash(f"{email}@daily.example"),
                reason,  # type: ignore[arg-type]
                NOON,
            )
        address = parse_address("erased@daily.example")
        erase(connection, database.publication, address, secret=site.readers.secret, at=NOON)
    assert site.subscribe("limited@daily.example").status == 200
    site.settle()
    return {
        name: f"{name}@daily.example"
        for name in (
            *("unknown", "known", "unsubscribed", "unconfirmed"),
            *("bounced", "complained", "erased", "limited"),
        )
    }


class TestAnswer:
    def test_it_is_the_same_for_every_address(self, tmp_path: Path) -> None:
        with run_site(tmp_path, web=PROXY) as site:
            addresses = _set_up(site)
            answers = {name: site.subscribe(email) for name, email in addresses.items()}
            answers["trapped"] = site.subscribe("other@daily.example", website="http://x.example")
            answers["named"] = site.subscribe("named@daily.example", name="Nina")
            first = answers["unknown"]
            assert (first.status, first.title) == (200, "Look into your mailbox")
            assert "daily.example" not in first.text.replace("https://daily.example", "")
            for answer in answers.values():
                assert answer.body == first.body
                assert _comparable(answer) == _comparable(first)
            site.settle()
            asked = {one.email: one.status for one in site.readers.all()}
        assert "other@daily.example" not in asked
        assert "erased@daily.example" not in asked
        assert asked["named@daily.example"] == "unconfirmed"
        assert asked["known@daily.example"] == "confirmed"
        assert asked["unsubscribed@daily.example"] == "unconfirmed"

    def test_it_waits_for_nothing(self, tmp_path: Path) -> None:
        """Or not for long, while somebody else writes: nothing is read for it."""
        with run_site(tmp_path) as site, site.readers.database.write():
            started = time.perf_counter()
            assert site.subscribe(ANNA).status == 200
            assert time.perf_counter() - started < 5

    @pytest.mark.long
    @pytest.mark.parametrize("form", ["subscribe", "ask_preferences"])
    def test_it_takes_the_same_time_for_every_address(self, form: str, tmp_path: Path) -> None:
        """The medians of interleaved requests; a commit to the disk takes longer than this."""
        with run_site(tmp_path, web=PROXY) as site:
            _set_up(site)
            for _ in range(2):
                site.ask_preferences("limited@daily.example")
            for number in range(200):
                site.add(f"known-{number}@daily.example")
            times: dict[str, list[float]] = {"known": [], "unknown": [], "limited": []}
            for number in range(200):
                for kind in times:
                    local = kind if kind == "limited" else f"{kind}-{number}"
                    started = time.perf_counter()
                    getattr(site, form)(f"{local}@daily.example", _from(number))
                    times[kind].append(time.perf_counter() - started)
        medians = {kind: statistics.median(each) for kind, each in times.items()}
        assert max(medians.values()) - min(medians.values()) < 0.002

    def test_a_slip_is_shown_with_the_form_below(self, site: Site) -> None:
        for wrong in ("", "anna", "anna@", "@daily.example", "a b@daily.example", "anna@daily"):
            answer = site.subscribe(wrong)
            assert (answer.status, answer.title) == (422, "This is no e-mail address")
            assert f"“\u2068{wrong}\u2069”" in answer.text
            assert 'action="https://daily.example/subscribe"' in answer.text
        assert site.state()[0] == []

    def test_what_was_typed_stays_text(self, site: Site) -> None:
        answer = site.subscribe('<script>alert(1)</script>"{{7*7}}\r\n\x00\u202e')
        assert answer.status == 422
        assert "<script" not in answer.text
        assert "{{7*7}}" in answer.text
        assert "\u202e" not in answer.text
        long = site.subscribe("a" * 5_000)
        assert "a" * 255 not in long.text


def _comparable(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "date"}


class TestConfirmation:
    def test_an_unknown_address_gets_one(self, site: Site) -> None:
        site.subscribe(" Anna@Daily.Example\n", name="  Anna  Årud ")
        wait_until(lambda: site.confirmations() or None)
        (anna,) = site.readers.all()
        assert (anna.email, anna.name, anna.status) == (
            "Anna@daily.example",
            "Anna Årud",
            "unconfirmed",
        )
        (line,) = site.readers.record(anna.email)
        assert (line.action, line.source, line.origin) == ("asked", "form", "127.0.0.1")

    def test_it_is_there_to_be_sent_within_seconds(self, site: Site) -> None:
        started = time.monotonic()
        site.subscribe(ANNA)
        wait_until(lambda: site.confirmations() or None)
        assert time.monotonic() - started < 3

    def test_there_is_one_in_a_day_for_all_spellings(self, tmp_path: Path) -> None:
        spellings = (
            "anna.berg@gmail.com",
            "AnnaBerg@gmail.com",
            "anna.berg+news@gmail.com",
            "a.n.n.a.b.e.r.g+1@googlemail.com",
            "ANNA.BERG@GMAIL.COM",
            '"anna.berg"@gmail.com',
            "anna.berg@gmail.com.",
        )
        with run_site(tmp_path) as site:
            assert {site.subscribe(spelling).status for spelling in spellings} == {200}
            site.settle()
            assert site.confirmations() == 1 + 1  # and the marker's
            assert len(site.readers.all()) == 2

    def test_there_is_another_one_the_next_day(self, site: Site) -> None:
        for expected in (1, 2):
            for _ in range(2):
                site.subscribe(ANNA)
            wait_until(lambda: site.confirmations() == expected or None)  # noqa: B023
            time.sleep(1)
            assert site.confirmations() == expected
            site.age(timedelta(hours=24))

    def test_fifty_at_once_make_one(self, tmp_path: Path) -> None:
        with run_site(tmp_path, web=PROXY) as site:
            answers = at_once(
                50, lambda n: site.subscribe(f"anna+{n}@daily.example", _from(n)).status
            )
            assert answers == [200] * 50
            site.settle()
            assert site.confirmations() == 1 + 1

    def test_two_servers_of_one_database_make_one(self, tmp_path: Path) -> None:
        readers = Readers(tmp_path)
        with (
            run_site(tmp_path, readers, web=PROXY) as one,
            run_site(tmp_path, readers, web=PROXY) as other,
        ):
            sites = (one, other)
            at_once(40, lambda n: sites[n % 2].subscribe(ANNA, _from(n)))
            for site in sites:
                site.settle()
            assert one.confirmations() == 1 + 2
        readers.database.close()

    def test_nobody_who_is_suppressed_or_confirmed_gets_one(self, tmp_path: Path) -> None:
        with run_site(tmp_path, web=PROXY) as site:
            addresses = _set_up(site)
            before = site.confirmations()
            for name in ("known", "bounced", "complained", "erased", "limited"):
                site.subscribe(addresses[name])
            site.settle()
            assert site.confirmations() == before + 1
            for name in ("unsubscribed", "unconfirmed"):
                site.subscribe(addresses[name])
            site.settle()
            assert site.confirmations() == before + 1 + 2 + 1

    def test_what_a_stranger_typed_is_not_in_it(self, site: Site) -> None:
        site.subscribe(ANNA, name="Buy at spam.example")
        wait_until(lambda: site.confirmations() or None)
        with site.readers.database.read() as connection:
            content = connection.execute(select(s.mailing.c.content)).scalar_one()
        assert b"spam.example" not in content

    def test_what_is_asked_for_at_the_end_is_done(self, tmp_path: Path) -> None:
        readers = Readers(tmp_path)
        with run_site(tmp_path, readers) as site:
            site.subscribe(ANNA)
        assert [one.email for one in readers.all()] == [ANNA]
        readers.database.close()

    def test_a_database_that_is_busy_is_waited_for(self, site: Site) -> None:
        with site.readers.database.write():
            site.subscribe(ANNA)
            time.sleep(1.5)
            assert site.confirmations() == 0
        wait_until(lambda: site.confirmations() or None)


class TestForm:
    def test_no_cookie_and_no_earlier_visit_is_needed(self, site: Site) -> None:
        answer = site.subscribe(ANNA)
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"

    def test_only_the_trap_is_to_be_left_empty(self, site: Site) -> None:
        for body in (
            b"email=anna%40daily.example",
            b"email=berta%40daily.example&name=Berta",
            b"email=carla%40daily.example&website=&name=&other=1&_charset_=utf-8",
        ):
            assert site.ask("POST", "/subscribe", body).status == 200
        for body in (
            b"email=x1%40daily.example&website=x",
            b"email=x2%40daily.example&website=%20",
            b"email=x3%40daily.example&website=&website=x",
        ):
            assert site.ask("POST", "/subscribe", body).status == 200
        site.settle()
        assert {one.email[0] for one in site.readers.all()} == {"a", "b", "c", "m"}

    def test_a_multipart_form_is_read_too(self, site: Site) -> None:
        parts = (
            ("email", "", ANNA),
            ("name", "", "Anna Ås"),
            ("website", "", ""),
            ("website", '; filename="a.txt"', "a file is no field"),
        )
        body = "".join(
            f'--B\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'
            for name, more, value in parts
        )
        headers: dict[str, str | None] = {"Content-Type": "multipart/form-data; boundary=B"}
        answer = site.ask("POST", "/subscribe", f"{body}--B--\r\n".encode(), headers)
        assert answer.title == "Look into your mailbox"
        site.settle()
        assert site.readers.get(ANNA).name == "Anna Ås"

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"email=a%40daily.example&email=b%40daily.example", None),
            (b"email=a%40daily.example&name=a&name=b", None),
            (b"email=%ff%40daily.example", None),
            (b"email=\xff@daily.example", None),
            (b"&".join(b"a=1" for _ in range(100)), None),
            (b'{"email": "a@daily.example"}', "application/json"),
            (b"email=a%40daily.example", "text/plain"),
            (b"email=a%40daily.example", ""),
            (b"--B\r\n\r\n", "multipart/form-data"),
            (b"nothing", "multipart/form-data; boundary=B"),
            (b"--B\r\n" * 50, "multipart/form-data; boundary=B"),
        ],
    )
    def test_what_is_no_form_of_ours_is_refused(
        self, body: bytes, content_type: str | None, shown: Site
    ) -> None:
        headers = {} if content_type is None else {"Content-Type": content_type or None}
        before = shown.requests()
        answer = shown.ask("POST", "/subscribe", body, headers)
        assert answer.status in (400, 422)
        assert shown.requests() == before

    def test_a_long_body_is_refused_before_it_is_read(self, shown: Site) -> None:
        for length in (MOST_BYTES + 1, 10 * MOST_BYTES):
            answer = shown.ask("POST", "/subscribe", b"a" * length)
            assert (answer.status, answer.title) == (413, "This could not be accepted")
        announced: dict[str, str | None] = {"Content-Length": "9" * 12}
        assert shown.ask("POST", "/subscribe", b"a", announced).status == 413
        assert shown.ask("POST", "/subscribe", b"a" * MOST_BYTES).status != 413

    def test_a_body_without_a_length_is_counted(self, shown: Site) -> None:
        chunk = b"1000\r\n" + b"a" * 0x1000 + b"\r\n"
        headers: dict[str, str | None] = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Transfer-Encoding": "chunked",
            "Content-Length": None,
        }
        assert shown.ask("POST", "/subscribe", chunk * 5 + b"0\r\n\r\n", headers).status == 413

    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ("Anna", "Anna"),
            ("  Anna \t B.\r\n", "Anna B."),
            ("An\x00na\x1b[31m", "An na [31m"),
            ("Bcc: x@y.example\r\nAnna", "Bcc: x@y.example Anna"),
            ("\u202eannA\u2069", "annA"),
            ("بشرى", "بشرى"),
            ("می\u200cخواهم", "می\u200cخواهم"),
            ("a" * 500, "a" * 200),
            ("安娜", "安娜"),
            ("\u2028", ""),
        ],
    )
    def test_a_name_is_cleaned_rather_than_refused(self, typed: str, kept: str, site: Site) -> None:
        assert site.subscribe(ANNA, name=typed).status == 200
        wait_until(lambda: site.readers.all() or None)
        assert site.readers.get(ANNA).name == kept

    def test_an_address_of_another_script_is_taken(self, site: Site) -> None:
        body = f"email={quote('用户@bücher.example')}".encode()
        assert site.ask("POST", "/subscribe", body).status == 200
        wait_until(lambda: site.confirmations() or None)
        assert site.readers.all()[0].email == "用户@bücher.example"

    @pytest.mark.parametrize("missing", ["from", "postal_address"])
    def test_nobody_can_subscribe_where_nothing_could_be_sent(
        self, missing: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with run_site(tmp_path, email={missing: ""}) as site:
            for email in (ANNA, "berta@daily.example"):
                answer = site.subscribe(email)
                assert (answer.status, answer.title) == (503, "This does not work just now")
            assert site.state()[0] == []
        assert f"email.{missing} is not set" in capfd.readouterr().err


class TestLimits:
    def test_a_client_has_so_many_and_others_theirs(self, tmp_path: Path) -> None:
        with run_site(tmp_path, web=PROXY) as site:
            for number in range(PER_CLIENT):
                assert site.subscribe(f"a{number}@daily.example", _from(1)).status == 200
            refused = site.subscribe("more@daily.example", _from(1))
            assert (refused.status, refused.headers["retry-after"]) == (429, "3600")
            again = site.subscribe("a1@daily.example", _from(1))
            trapped = site.subscribe("a1@daily.example", _from(1), website="x")
            slip = site.subscribe("nonsense", _from(1))
            assert again.body == refused.body == trapped.body == slip.body
            assert site.subscribe("other@daily.example", _from(2)).status == 200
            site.settle()
            assert "more@daily.example" not in {one.email for one in site.readers.all()}

    def test_forged_hops_give_no_new_client(self, tmp_path: Path) -> None:
        with run_site(tmp_path) as site:  # no proxy is trusted
            for number in range(PER_CLIENT):
                assert site.subscribe(f"a{number}@daily.example", _from(number)).status == 200
            assert site.subscribe("more@daily.example", _from(99)).status == 429

    def test_forged_hops_before_a_trusted_proxy_give_none_either(self, tmp_path: Path) -> None:
        with run_site(tmp_path, web=PROXY) as site:
            for number in range(PER_CLIENT):
                forged = {"X-Forwarded-For": f"203.0.113.{number}, 192.0.2.1"}
                assert site.subscribe(f"a{number}@daily.example", forged).status == 200
            forged = {"X-Forwarded-For": "203.0.113.99, 192.0.2.1"}
            assert site.subscribe("more@daily.example", forged).status == 429
            site.settle()
            origin = site.readers.record("a0@daily.example")[0].origin
            assert origin == "192.0.2.1"

    def test_a_customer_with_many_addresses_is_one_client(self, tmp_path: Path) -> None:
        with run_site(tmp_path, web=PROXY) as site:
            for number in range(PER_CLIENT):
                hop = {"X-Forwarded-For": f"2001:db8:1:2::{number:x}"}
                assert site.subscribe(f"a{number}@daily.example", hop).status == 200
            same = {"X-Forwarded-For": "2001:db8:1:2:ffff::1"}
            other = {"X-Forwarded-For": "2001:db8:1:3::1"}
            assert site.subscribe("more@daily.example", same).status == 429
            assert site.subscribe("more@daily.example", other).status == 200

    def test_all_together_have_so_many_and_an_hour_later_again(self) -> None:
        now = [0.0]
        limits = Limits(lambda: now[0])
        assert all(limits.admit(f"client-{number}") for number in range(IN_ALL))
        assert not limits.admit("another")
        now[0] = 3_599.0
        assert not limits.admit("another")
        now[0] = 3_600.0
        assert limits.admit("another")

    def test_an_hour_goes_along_with_the_clock(self) -> None:
        now = [0.0]
        limits = Limits(lambda: now[0])
        for minute in range(60):
            now[0] = 60.0 * minute
            assert limits.admit("client") == (minute < PER_CLIENT)
        for minute in range(PER_CLIENT):
            now[0] = 3_600.0 + 60.0 * minute
            assert limits.admit("client")
            assert not limits.admit("client")

    def test_clients_are_forgotten(self) -> None:
        now = [0.0]
        limits = Limits(lambda: now[0])
        for number in range(3 * IN_ALL):
            now[0] += 4.0
            limits.admit(f"client-{number}")
        assert len(limits._counts) == len(limits._uses) <= 900


def test_leaving_is_never_limited(tmp_path: Path) -> None:
    with run_site(tmp_path) as site:
        site.add(ANNA)
        for number in range(PER_CLIENT + 1):
            site.subscribe(f"a{number}@daily.example")
        link = site.link("unsubscribe", ANNA)
        answers = at_once(
            60, lambda _: site.ask("POST", link, b"List-Unsubscribe=One-Click").status
        )
        assert answers == [200] * 60
        assert len(site.readers.record(ANNA)) == 2


def test_the_form_of_the_static_page_is_what_is_understood(shown: Site) -> None:
    """The field names, as templates/pages/subscribe.html has them."""
    fields = {"email": "form@daily.example", "name": "", "website": ""}
    page = shown.subscribe("nonsense").text
    assert all(f'name="{name}"' in page for name in fields)
    assert shown.ask("POST", "/subscribe", urlencode(fields).encode()).status == 200
