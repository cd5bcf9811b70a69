"""Links that make an operator: used once, for a day, by one person."""

from datetime import timedelta
from typing import Any

import pytest

from tests.web.console.site import PASSWORD, Console
from tests.web.public.site import at_once

ANNA = "anna@daily.example"


def _fields(**more: str) -> dict[str, str]:
    return {"name": "Anna", "password": PASSWORD} | more


def test_who_was_invited_becomes_an_operator_and_is_inside(console: Console) -> None:
    console.add("owner@daily.example")
    link = console.invite(ANNA, "sender", "Anna B.")
    browser = console.browse()
    page = browser.get(link)
    assert ANNA in page.text
    assert 'value="Anna B."' in page.text
    assert browser.post(link, _fields(email="mallory@daily.example")).status == 303
    assert browser.is_inside
    assert "Sender" in browser.get("/account").text
    assert console.find("mallory@daily.example") == 0
    assert console.done()[0] == (ANNA, "invitation accepted", "")


def test_a_link_works_once(console: Console) -> None:
    link = console.invite(ANNA)
    assert console.browse().post(link, _fields()).status == 303
    other = console.browse()
    assert other.get(link).status == 404 or other.get(link).status == 303
    assert other.post(link, _fields(password="a thief's password")).status == 404
    assert console.browse().log_in(ANNA, PASSWORD).status == 303


def test_two_who_use_it_at_the_same_moment_are_one(console: Console) -> None:
    link = console.invite(ANNA)
    browsers = [console.browse() for _ in range(6)]
    tokens = [browser.token for browser in browsers]

    def use(n: int) -> Any:
        return browsers[n].post(link, _fields(password=f"password no. {n}", _csrf_token=tokens[n]))

    assert sorted(answer.status for answer in at_once(6, use)) == [303, *[404] * 5]


def test_a_link_ends_after_a_day_and_with_a_newer_one(console: Console) -> None:
    first = console.invite(ANNA)
    second = console.invite("Anna@Daily.example")
    browser = console.browse()
    assert browser.get(first).status == 404
    assert browser.get(second).status == 200
    console.clock.ahead = timedelta(hours=24, seconds=1)
    assert browser.get(second).status == 404
    assert browser.post(second, _fields()).status == 404
    assert console.find(ANNA) == 0


@pytest.mark.parametrize("token", ["x", "A" * 43, "%00", "%C3%A4", "%FF", "x" * 5_000, ".."])
def test_what_is_no_link_is_none(console: Console, token: str) -> None:
    # 303: `..` is no link's place at all, and there one is asked to log in.
    assert console.browse().get(f"/welcome/{token}").status in (303, 404)


def test_the_first_owner_names_their_address(console: Console) -> None:
    link = console.invite(role="owner")
    browser = console.browse()
    assert browser.post(link, _fields(email="no address")).status == 422
    assert browser.post(link, _fields(email=ANNA, password=ANNA)).status == 422
    assert browser.post(link, _fields(email=ANNA, password="T h e D a i l y")).status == 422
    assert browser.post(link, _fields(email=ANNA)).status == 303
    assert browser.get("/operators").status == 200


def test_a_first_owners_link_is_worth_nothing_once_there_is_an_operator(console: Console) -> None:
    link = console.invite(role="owner")
    console.add("owner@daily.example")
    browser = console.browse()
    assert browser.get(link).status == 404
    assert browser.post(link, _fields(email=ANNA)).status == 404
    assert console.find(ANNA) == 0


def test_a_link_to_a_new_password_ends_sessions(console: Console) -> None:
    console.add(ANNA, "owner")
    old = console.browse()
    old.log_in(ANNA)
    link = console.invite(ANNA, "owner")
    new = console.browse()
    assert new.post(link, _fields(password="a better password")).status == 303
    assert (new.is_inside, old.is_inside) == (True, False)
    assert console.done()[0] == (ANNA, "password set by a link", "")


def test_a_role_that_changed_meanwhile_stays(console: Console) -> None:
    """A link to a new password was made while somebody was still an owner."""
    console.add("owner@daily.example")
    console.add(ANNA, "owner")
    link = console.invite(ANNA, "owner")
    console.add(ANNA, "viewer")
    browser = console.browse()
    assert browser.post(link, _fields()).status == 303
    assert browser.get("/operators").status == 403
