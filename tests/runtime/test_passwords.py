"""Passwords: what may be one, and that what was kept is recognised and nothing else."""

import pytest
from argon2 import PasswordHasher

from publisher.runtime.passwords import (
    PasswordError,
    hash_password,
    is_outdated,
    is_password,
    require_good,
)

GOOD = "correct horse battery"


def test_it_is_kept_as_argon2id_with_a_salt_of_its_own() -> None:
    first, second = hash_password(GOOD), hash_password(GOOD)
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert first != second
    assert is_password(GOOD, first)
    assert not is_password(GOOD + " ", first)


@pytest.mark.parametrize("hash", ["", "x", "$argon2id$v=19$m=65536,t=3,p=4$broken"])
def test_nobodys_is_nobodys(hash: str) -> None:
    assert not is_password(GOOD, hash)
    assert not is_password("nobody has this password", hash)


def test_a_keyboard_may_compose_letters_otherwise() -> None:
    hash = hash_password("Bergstr\u00f6m went home")
    assert is_password("Bergstro\u0308m went home", hash)
    assert is_password("half a pair \ud800", hash_password("half a pair \ud800"))


def test_one_of_less_effort_is_outdated() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    assert is_password(GOOD, weak)
    assert is_outdated(weak)
    assert not is_outdated(hash_password(GOOD))


@pytest.mark.parametrize(
    "password",
    ["", "x" * 11, "x" * 12, "x" * 501, "Anna@Daily.example", "the  daily news", "THE DAILYNEWS"],
)
def test_what_cannot_be_one(password: str) -> None:
    with pytest.raises(PasswordError):
        require_good(password, "anna@daily.example", "The Daily News")


@pytest.mark.parametrize("password", [GOOD, "电影电影电影电影电影电影", "a" * 11 + "b"])
def test_what_can_be_one(password: str) -> None:
    require_good(password, "anna@daily.example", "The Daily News")
