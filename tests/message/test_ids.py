"""A delivery's name in what comes back: ours, in any case of letters, and nobody else's."""

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.message.ids import message_id, read_message_id, read_verp, verp

KEY = b"k" * 32
REF = "0a9z8k7c"
NUMBERS = st.integers(1, 2**63 - 1)


@settings(deadline=None)
@given(NUMBERS)
def test_what_was_made_is_read(number: int) -> None:
    made = message_id(REF, number, KEY, "daily.example")
    assert re.fullmatch(r"<[a-z0-9.]+@daily\.example>", made)
    assert len(made) <= 78
    assert read_message_id(made, KEY) == number
    assert read_message_id(made.upper(), KEY) == number
    assert read_message_id(made, b"l" * 32) is None
    path = verp("bounces@daily.example", number, KEY)
    assert re.fullmatch(r"bounces\+[a-z0-9-]+@daily\.example", path)
    assert read_verp(path, KEY) == read_verp(f"<{path.upper()}>", KEY) == number
    assert read_verp(path, b"l" * 32) is None


def test_they_stay_the_same() -> None:
    """Bounces come after an upgrade, too."""
    assert message_id(REF, 7, KEY, "日报.example") == (
        "<0a9z8k7c.7.to62zqo5oalxijgh@xn--4ru45e.example>"
    )
    assert verp("b+x@daily.example", 7, KEY) == "b+x+7-6hjtqtywplguw6au@daily.example"


@pytest.mark.parametrize(
    "text",
    [
        "In-Reply-To: {}",
        "References: <x.1.aaaaaaaaaaaaaaaa@y.example>\r\n\t{}\r\n <z@z.example>",
        "> Message-ID: {}\n> Subject: hello",
        "Message-Id:{}",
        "&lt;{}&gt;",
        "the mail ({}) was refused",
    ],
)
def test_one_in_a_text(text: str) -> None:
    made = message_id(REF, 42, KEY, "daily.example")
    assert read_message_id(text.format(made), KEY) == 42


def test_the_first_of_two() -> None:
    both = [message_id(REF, number, KEY, "daily.example") for number in (3, 4)]
    assert read_message_id(" ".join(both), KEY) == 3


@pytest.mark.parametrize(
    "text",
    ["", "@", "<a.1.b@c>", "x" * 100_000, "a." * 50_000, "1." * 50_000 + "@", "a" * 50 + ".1."],
)
def test_no_message_id_of_ours(text: str) -> None:
    assert read_message_id(text, KEY) is None
    assert read_verp(text, KEY) is None


def test_one_is_not_the_other() -> None:
    """What was seen as a Message-ID does not make an envelope sender."""
    mac = message_id(REF, 7, KEY, "d.example").split(".")[2].partition("@")[0]
    assert read_verp(f"bounces+7-{mac}@d.example", KEY) is None
    token = verp("b@d.example", 7, KEY).partition("-")[2].partition("@")[0]
    assert read_message_id(f"<{REF}.7.{token}@d.example>", KEY) is None


def test_another_number_or_mailing_is_not_ours() -> None:
    made = message_id(REF, 7, KEY, "d.example")
    path = verp("b@d.example", 7, KEY)
    assert read_message_id(made.replace(".7.", ".8."), KEY) is None
    assert read_message_id(made.replace(".7.", ".07."), KEY) is None
    assert read_message_id(made.replace(".7.", ".٧."), KEY) is None
    assert read_message_id(made.replace(REF, "other"), KEY) is None
    assert read_verp(path.replace("+7-", "+8-"), KEY) is None
    assert read_verp(path.replace("+7-", "+07-"), KEY) is None


def test_ten_thousand_mutated_names() -> None:
    chance = Random(5)
    path = verp("bounces@daily.example", 1234567, KEY)
    token = path[len("bounces+") : path.index("@")]
    for _ in range(10_000):
        changed = list(token)
        for _ in range(chance.choice((1, 1, 2, 4))):
            changed[chance.randrange(len(changed))] = chance.choice("abcdefghij234567890-.KſK")
        mutated = "".join(changed)
        if mutated.lower() != token:
            assert read_verp(f"bounces+{mutated}@daily.example", KEY) is None
            name = mutated.replace("-", ".", 1)
            assert read_message_id(f"<{REF}.{name}@daily.example>", KEY) is None


@pytest.mark.parametrize("number", [0, -1, 10**19])
def test_no_delivery_has_such_a_number(number: int) -> None:
    with pytest.raises(ValueError, match="no delivery"):
        message_id(REF, number, KEY, "d.example")
    with pytest.raises(ValueError, match="no delivery"):
        verp("b@d.example", number, KEY)


@pytest.mark.parametrize("ref", ["", "A", "a.b", "a-b", "ä", "a\n", "a" * 41])
def test_no_mailing_has_such_a_ref(ref: str) -> None:
    with pytest.raises(ValueError, match="ref"):
        message_id(ref, 7, KEY, "d.example")


@pytest.mark.parametrize("path", ["", "x", '"a b"@d.example', "a" * 64 + "@d.example", "a@b c"])
def test_no_return_path_to_add_to(path: str) -> None:
    with pytest.raises(ValueError, match=r"no address|no return path"):
        verp(path, 7, KEY)
