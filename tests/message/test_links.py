"""Tokens in links: only ours, only for their purpose, only in one spelling."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.message.links import Purpose, read_token, sign_token

KEYS = [b"k" * 32, b"l" * 32]
PURPOSES: tuple[Purpose, ...] = ("unsubscribe", "confirm", "preferences")
SUBJECTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@settings(deadline=None)
@given(SUBJECTS, st.sampled_from(PURPOSES), st.permutations([*KEYS, b"m" * 32]))
def test_what_was_signed_is_read(subject: str, purpose: Purpose, keys: list[bytes]) -> None:
    token = sign_token(purpose, subject, keys)
    assert read_token(token, purpose, KEYS) == (subject if keys[0] in KEYS else None)
    assert set(token) <= set(ALPHABET), "nothing in it needs an escape in a URL or a header"


@settings(deadline=None)
@given(SUBJECTS, st.permutations(PURPOSES))
def test_a_token_is_for_one_purpose(subject: str, purposes: list[Purpose]) -> None:
    token = sign_token(purposes[0], subject, KEYS)
    assert read_token(token, purposes[1], KEYS) is None


@settings(deadline=None)
@given(SUBJECTS)
def test_a_token_is_for_one_key(subject: str) -> None:
    token = sign_token("confirm", subject, KEYS)
    assert read_token(token, "confirm", KEYS[1:]) is None
    assert read_token(token, "confirm", []) is None


@settings(deadline=None)
@given(SUBJECTS, st.data())
def test_a_token_that_was_changed_is_never_ours(subject: str, data: st.DataObject) -> None:
    token = sign_token("unsubscribe", subject, KEYS)
    place = data.draw(st.integers(0, len(token)))
    change = data.draw(st.sampled_from(["replace", "insert", "remove", "swap"]))
    letter = data.draw(st.sampled_from([*ALPHABET, *"+/= \n%é\0", "\u0661"]))
    if change == "replace":
        changed = token[:place] + letter + token[place + 1 :]
    elif change == "insert":
        changed = token[:place] + letter + token[place:]
    elif change == "remove":
        changed = token[:place] + token[place + 1 :]
    else:
        changed = token[place:] + token[:place]
    assert changed == token or read_token(changed, "unsubscribe", KEYS) is None


@settings(deadline=None)
@given(SUBJECTS)
def test_no_bit_of_it_can_be_flipped(subject: str) -> None:
    token = sign_token("unsubscribe", subject, KEYS)
    raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for place in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[place // 8] ^= 1 << place % 8
        changed = urlsafe_b64encode(bytes(flipped)).rstrip(b"=").decode()
        assert read_token(changed, "unsubscribe", KEYS) is None


def _decode(spelling: str) -> bytes:
    try:
        return urlsafe_b64decode(f"{spelling}===")
    except ValueError:
        return b""


def test_other_spellings_of_the_same_bytes() -> None:
    """Of what differs only in bits that base64 does not use, in padding and in white space."""
    found = 0
    for subject in ("a", "ab", "abc"):
        token = sign_token("unsubscribe", subject, KEYS)
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        spellings = [token + "=", token + "==", token + "\n", " " + token, token + "?", token + "A"]
        spellings += [token[:-1] + letter for letter in ALPHABET if letter != token[-1]]
        spellings += [token.replace("-", "+").replace("_", "/")]
        for spelling in {*spellings} - {token}:
            found += _decode(spelling) == raw
            assert read_token(spelling, "unsubscribe", KEYS) is None
    assert found > 3, "there are other spellings, or nothing was tested"


@settings(deadline=None)
@given(st.one_of(st.text(max_size=60), st.text(ALPHABET, max_size=80)))
def test_any_text_is_answered(token: str) -> None:
    for purpose in PURPOSES:
        assert read_token(token, purpose, KEYS) is None


@pytest.mark.parametrize("token", ["", "A", "AQ", "AQE", "AQEAAAAAAAAAAAAAAAAAAAAA", "\ud800", "é"])
def test_what_is_too_short_or_no_ascii(token: str) -> None:
    assert read_token(token, "unsubscribe", KEYS) is None


def test_a_token_stays_the_same() -> None:
    """It never expires, so its form may not change either."""
    token = sign_token("unsubscribe", "s1", [b"k" * 32])
    assert token == "AV5zMRr-wEeSqoUTvLLKsrfj-ao"
    assert read_token(token, "unsubscribe", KEYS) == "s1"


def test_a_subject_that_is_no_utf_8_is_nobody() -> None:
    good = urlsafe_b64decode(sign_token("unsubscribe", "", KEYS) + "==")
    body = good[:2] + b"\xff"
    raw = body + hmac.digest(KEYS[0], body, "sha256")[:16]
    token = urlsafe_b64encode(raw).rstrip(b"=").decode()
    assert read_token(token, "unsubscribe", KEYS) is None


def test_a_key_that_is_put_before_the_others_signs_and_they_go_on_verifying() -> None:
    old = sign_token("unsubscribe", "s1", KEYS)
    rotated = [b"n" * 32, *KEYS]
    assert read_token(old, "unsubscribe", rotated) == "s1"
    new = sign_token("unsubscribe", "s1", rotated)
    assert new != old
    assert read_token(new, "unsubscribe", KEYS) is None
    assert read_token(old, "unsubscribe", rotated[:1]) is None


def test_keys_of_the_same_id_are_all_tried() -> None:
    """One byte tells some keys apart; of 257 keys, two have the same."""
    by_id: dict[int, bytes] = {}
    for number in range(257):
        key = number.to_bytes(32, "big")
        first = by_id.setdefault(sha256(key).digest()[0], key)
        if first != key:
            break
    token = sign_token("confirm", "s1", [key])
    assert read_token(token, "confirm", [first, key]) == "s1"
    assert read_token(token, "confirm", [first]) is None


def test_ten_thousand_mutated_tokens() -> None:
    chance = Random(3)
    tokens = [sign_token("unsubscribe", f"{chance.getrandbits(96):x}", KEYS) for _ in range(20)]
    for number in range(10_000):
        token = changed = tokens[number % len(tokens)]
        while changed == token:
            for _ in range(chance.choice((1, 1, 1, 2, 5))):
                changed = mutate(changed, chance)
        assert read_token(changed, "unsubscribe", KEYS) is None, (token, changed)
    assert all(read_token(token, "unsubscribe", KEYS) for token in tokens)


def mutate(token: str, chance: Random) -> str:
    """Change, insert, remove, move or repeat something, or swap its case."""
    place, end = sorted(chance.choices(range(len(token) + 1), k=2))
    letter = chance.choice(f"{ALPHABET}{ALPHABET}=+/ .%\n\0é")
    return chance.choice(
        (
            token[:place] + letter + token[place + 1 :],
            token[:place] + letter + token[place:],
            token[:place] + token[end:],
            token[place:] + token[:place],
            token[:end] + token[place:],
            token[:place] + token[place:end].swapcase() + token[end:],
        )
    )
