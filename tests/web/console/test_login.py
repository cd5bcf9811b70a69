"""Logging in and out: sessions that begin and end, tries that are counted, what is said to whom."""

from datetime import timedelta
from pathlib import Path

import pytest

from publisher.web.console.throttle import PER_ACCOUNT, PER_CLIENT, WINDOW_SECONDS, Limit, Throttle
from tests.web.console.site import PASSWORD, Browser, Console, run_console

ANNA = "anna@daily.example"


@pytest.fixture
def anna(console: Console) -> Browser:
    """The browser of somebody who has just logged in."""
    console.add(ANNA)
    browser = console.browse()
    assert browser.log_in(ANNA).status == 303
    return browser


def _session(browser: Browser) -> str:
    return next(name for name in browser.cookies if name.count("-") == 1)


def test_who_has_the_password_comes_in(console: Console, anna: Browser) -> None:
    assert anna.get("/").title == '<bdi lang="en">The Daily</bdi>'
    assert console.done() == [(ANNA, "operator logged in", "")]
    other = console.browse()
    assert other.log_in("Anna@DAILY.example").status == 303


def test_what_is_wrong_is_said_in_the_same_words(console: Console, anna: Browser) -> None:
    answers = [
        console.browse().log_in(email, password)
        for email, password in (
            (ANNA, "wrong"),
            (ANNA, ""),
            ("nobody@daily.example", PASSWORD),
            ("no address", "x"),
            ("", ""),
        )
    ]
    said = {answer.text.partition('role="alert"')[2].partition("</div>")[0] for answer in answers}
    assert len(said) == 1
    assert {answer.status for answer in answers} == {422}


def test_twenty_bad_logins_are_throttled(console: Console, anna: Browser) -> None:
    answers = [console.browse().log_in(ANNA, f"wrong {n}") for n in range(20)]
    assert [answer.status for answer in answers] == [422] * PER_ACCOUNT + [429] * (20 - PER_ACCOUNT)
    assert 0 < int(answers[-1].headers["retry-after"]) <= WINDOW_SECONDS
    # The right one is not told either, but for who was here before: nobody can lock them out.
    assert console.browse().log_in(ANNA).status == 429
    assert anna.post("/logout").status == 303
    assert anna.log_in(ANNA).status == 303
    assert "operator locked" in [action for _, action, _ in console.done()]


def test_a_client_that_tries_many_accounts_is_throttled(console: Console) -> None:
    answers = [console.browse().log_in(f"u{n}@daily.example", "wrong") for n in range(20)]
    assert [answer.status for answer in answers].count(422) == PER_CLIENT
    assert answers[-1].status == 429


def test_a_known_browser_is_counted_too(console: Console, anna: Browser) -> None:
    anna.post("/logout")
    answers = [anna.log_in(ANNA, f"wrong {n}") for n in range(PER_ACCOUNT + 1)]
    assert answers[-1].status == 429


def test_the_mark_of_a_known_browser_is_worth_nothing_for_others(
    console: Console, anna: Browser
) -> None:
    console.add("bert@daily.example")
    anna.post("/logout")
    for n in range(PER_ACCOUNT):
        assert console.browse().log_in("bert@daily.example", f"wrong {n}").status == 422
    assert anna.log_in("bert@daily.example").status == 429


def test_tries_are_forgotten_and_successes_are_none() -> None:
    now = [1000.0]
    throttle = Throttle(lambda: now[0])
    limits = (Limit(b"account", 2), Limit(b"client", 3))
    assert [throttle.admit(limits) for _ in range(3)] == [0, 0, int(WINDOW_SECONDS) + 1]
    now[0] += WINDOW_SECONDS
    assert throttle.admit(limits) == 0
    throttle.take_back(limits)
    assert [throttle.admit(limits) for _ in range(3)][:2] == [0, 0]


def test_a_cookie_is_nobody_elses_business(anna: Browser, tmp_path: Path) -> None:
    lines = anna.client.ask("GET", "/login").cookies
    assert all("HttpOnly" in line and "SameSite=lax" in line for line in lines)
    folder = tmp_path / "https"
    folder.mkdir()
    with run_console(folder, console={"url": "https://desk.daily.example"}) as console:
        console.add(ANNA)
        browser = console.browse()
        answer = browser.log_in(ANNA)
        assert answer.status == 303
        assert len(answer.cookies) == 2
        for line in answer.cookies:
            assert line.startswith("__Host-console-")
            for flag in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
                assert flag in line
            assert "Domain" not in line


def test_nobody_gets_a_session_without_logging_in(console: Console) -> None:
    browser = console.browse()
    for path in ("/login", "/", "/welcome/x"):
        browser.get(path)
    assert [name for name in browser.cookies if name.count("-") == 1] == []


def test_an_id_that_somebody_planted_is_not_taken(console: Console, anna: Browser) -> None:
    victim = console.browse()
    victim.cookies[_session(anna)] = "planted"
    assert victim.log_in(ANNA).status == 303
    assert victim.cookies[_session(anna)] != "planted"
    thief = console.browse()
    thief.cookies[_session(anna)] = "planted"
    assert not thief.is_inside


def test_logging_in_anew_ends_the_session_before(console: Console, anna: Browser) -> None:
    old = dict(anna.cookies)
    copy = console.browse()
    copy.cookies = dict(old)
    # As somebody who is logged in and logs in as another one, by a form from before.
    console.add("bert@daily.example")
    assert anna.log_in("bert@daily.example").status == 303
    assert anna.cookies[_session(anna)] != old[_session(anna)]
    assert not copy.is_inside


def test_logging_out_ends_the_session_for_good(console: Console, anna: Browser) -> None:
    thief = console.browse()
    thief.cookies = dict(anna.cookies)
    answer = anna.post("/logout")
    assert (answer.status, answer.headers["location"]) == (303, "/login?left=1")
    assert "You have logged out." in anna.get("/login?left=1").text
    assert not anna.is_inside
    assert not thief.is_inside


def test_another_password_ends_all_other_sessions(console: Console, anna: Browser) -> None:
    other = console.browse()
    other.log_in(ANNA)
    fields = {"current": PASSWORD, "password": "another good one"}
    assert anna.post("/account/password", fields).status == 303
    assert anna.is_inside
    assert not other.is_inside
    assert console.browse().log_in(ANNA, PASSWORD).status == 422
    assert console.browse().log_in(ANNA, "another good one").status == 303


@pytest.mark.parametrize(
    ("current", "password", "said"),
    [
        ("wrong", "another good one", "not your present password"),
        (PASSWORD, "short", "too short"),
        (PASSWORD, "            ", "anybody would try first"),
        (PASSWORD, "Anna@daily.example", "anybody would try first"),
        (PASSWORD, "x" * 501, "longer than 500"),
    ],
)
def test_a_password_that_cannot_be(
    console: Console, anna: Browser, current: str, password: str, said: str
) -> None:
    answer = anna.post("/account/password", {"current": current, "password": password})
    assert answer.status == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert console.browse().log_in(ANNA).status == 303


def test_the_present_password_cannot_be_guessed_at_leisure(console: Console, anna: Browser) -> None:
    fields = {"current": "wrong", "password": "another good one"}
    statuses = [anna.post("/account/password", fields).status for _ in range(PER_ACCOUNT + 1)]
    assert statuses[-1] == 429


def test_logging_out_elsewhere(console: Console, anna: Browser) -> None:
    other = console.browse()
    other.log_in(ANNA)
    assert anna.post("/account/sessions").status == 303
    assert (anna.is_inside, other.is_inside) == (True, False)


@pytest.mark.parametrize(("hours", "is_over"), [(11, False), (13, True)])
def test_a_session_that_is_not_used_ends(
    console: Console, anna: Browser, hours: int, is_over: bool
) -> None:
    console.clock.ahead = timedelta(hours=hours)
    assert anna.is_inside != is_over


def test_a_session_that_is_used_ends_after_thirty_days(console: Console, anna: Browser) -> None:
    for half_days in range(1, 66):
        console.clock.ahead = timedelta(hours=11 * half_days)
        assert anna.is_inside, half_days
    console.clock.ahead = timedelta(hours=11 * 66)
    assert not anna.is_inside


@pytest.mark.parametrize(
    ("onward", "where"),
    [
        ("/audit?who=x&before=3", "/audit?who=x&before=3"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/issues?q=中", "/issues?q=%E4%B8%AD"),
        ("", "/"),
    ],
)
def test_whoever_logs_in_stays_here(console: Console, onward: str, where: str) -> None:
    console.add(ANNA)
    fields = {"email": ANNA, "password": PASSWORD, "next": onward}
    answer = console.browse().post("/login", fields)
    assert (answer.status, answer.headers["location"]) == (303, where)


def test_where_one_wanted_to_go_is_kept(console: Console) -> None:
    console.add(ANNA)
    browser = console.browse()
    login = browser.get("/audit?who=a%26b").headers["location"]
    assert 'name="next" value="/audit?who=a%26b"' in browser.get(login).text


def test_a_name_is_changed_and_bad_ones_are_not(console: Console, anna: Browser) -> None:
    assert anna.post("/account/name", {"name": "<script>Anna"}).status == 303
    assert "&lt;script&gt;Anna" in anna.get("/").text
    assert anna.post("/account/name", {"name": "a\x00b"}).status == 422


def test_before_there_is_an_operator_it_is_said_how_to_become_one(console: Console) -> None:
    assert "There is no operator yet." in console.browse().get("/login").text
    console.add(ANNA)
    assert "There is no operator yet." not in console.browse().get("/login").text
