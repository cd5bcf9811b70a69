"""The page of API tokens: made, shown once, revoked; by owners alone."""

import re

import pytest

from publisher.model.access import SCOPES
from tests.web.api.site import Program
from tests.web.console.site import Console

FIELDS = {"name": "newsroom import", "scopes": "issues:read", "days": "90"}


def secret_of(text: str) -> str:
    (found,) = set(re.findall(r'<code class="secret">([\w-]+)</code>', text))
    return str(found)


def test_a_token_is_made_shown_once_used_and_revoked(console: Console) -> None:
    browser = console.enter("owner")
    answer = browser.post("/tokens", FIELDS)
    assert answer.status == 200
    program = Program(console, secret_of(answer.text))
    assert program.ask("GET", "/issues").status == 200
    assert program.ask("GET", "/mailings").status == 403
    page = browser.get("/tokens").text
    assert "newsroom import" in page
    assert program.secret not in page
    (number,) = re.findall(r"/tokens/(\d+)/revoke", page)
    assert browser.post(f"/tokens/{number}/revoke").status == 303
    assert program.ask("GET", "/issues").status == 401
    browser.get("/tokens")  # which says that it was done
    assert "newsroom import" not in browser.get("/tokens").text
    assert console.done()[:2] == [
        ("owner@daily.example", "token revoked", "newsroom import"),
        ("owner@daily.example", "token created", "newsroom import"),
    ]
    assert browser.post(f"/tokens/{number}/revoke").status == 404


@pytest.mark.parametrize(
    ("field", "value"), [("name", " "), ("scopes", "all"), ("days", "7"), ("name", "x" * 101)]
)
def test_what_is_wrong_is_said_beside_the_field(console: Console, field: str, value: str) -> None:
    answer = console.enter("owner").post("/tokens", FIELDS | {field: value})
    assert answer.status == 422
    assert 'role="alert"' in answer.text
    assert 'class="secret"' not in answer.text


def test_a_name_is_there_once(console: Console) -> None:
    browser = console.enter("owner")
    browser.post("/tokens", FIELDS)
    answer = browser.post("/tokens", FIELDS)
    assert answer.status == 422
    assert "There is a token of this name" in answer.text


def test_every_scope_can_be_chosen(console: Console) -> None:
    page = console.enter("owner").get("/tokens").text
    assert set(re.findall(r'name="scopes" value="([\w:]+)"', page)) == set(SCOPES)


def test_a_tokens_life_is_as_long_as_was_chosen(console: Console) -> None:
    browser = console.enter("owner")
    browser.post("/tokens", FIELDS | {"days": "0"})
    assert "for ever" in browser.get("/tokens").text
