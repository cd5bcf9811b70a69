"""Tokens in links: only ours, only for their purpose, only in one spelling."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.message.links import Purpose, read_token, sign_token

KEYS = {1: b"k" * 32, 2: b"l" * 32}
PURPOSES: tuple[Purpose, ...] = ("unsubscribe", "confirm", "preferences")
SUBJECTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@settings(deadline=None)
@given(SUBJECTS, st.sampled_from(PURPOSES), st.sampled_from(sorted(KEYS)))
def test_what_was_signed_is_read(subject: str, purpose: Purpose, key_id: int) -> None:
    token = sign_token(purpose, subject, key_id, KEYS[key_id])
    assert read_token(token, purpose, KEYS) == subject
    assert set(token) <= set(ALPHABET), "nothing in it needs an escape in a URL or a header"


@settings(deadline=None)
@given(SUBJECTS, st.permutations(PURPOSES))
def test_a_token_is_for_one_purpose(subject: str, purposes: list[Purpose]) -> None:
    token = sign_token(purposes[0], subject, 1, KEYS[1])
    assert read_token(token, purposes[1], KEYS) is None


@settings(deadline=None)
@given(SUBJECTS)
def test_a_token_is_for_one_key(subject: str) -> None:
    token = sign_token("confirm", subject, 1, KEYS[1])
    assert read_token(token, "confirm", {1: KEYS[2]}) is None
    assert read_token(token, "confirm", {2: KEYS[1]}) is None
    assert read_token(token, "confirm", {}) is None


@settings(deadline=None)
@given(SUBJECTS, st.data())
def test_a_token_that_was_changed_is_never_ours(subject: str, data: st.DataObject) -> None:
    token = sign_token("unsubscribe", subject, 1, KEYS[1])
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
    token = sign_token("unsubscribe", subject, 1, KEYS[1])
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
        token = sign_token("unsubscribe", subject, 1, KEYS[1])
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
    token = sign_token("unsubscribe", "s1", 1, b"k" * 32)
    assert token == "AQFzMcqN4FV3ia1LEbG8qJyyz8A"
    assert read_token(token, "unsubscribe", KEYS) == "s1"


def test_a_subject_that_is_no_utf_8_is_nobody() -> None:
    import hmac

    body = bytes((1, 1)) + b"\xff"
    raw = body + hmac.digest(KEYS[1], body, "sha256")[:16]
    token = urlsafe_b64encode(raw).rstrip(b"=").decode()
    assert read_token(token, "unsubscribe", KEYS) is None
