"""Confirmations: who was only put on the list has to say yes, and is asked once."""

import pytest

from tests.delivery.post import Post

ADA = "ada@reader.example"


@pytest.fixture
def asked(post: Post) -> Post:
    added = post.cli("subscribers", "add", ADA, "--name", "Ada Byron", "--unconfirmed")
    assert added.status == 0, added
    return post


def test_one_is_sent_ahead_of_everything(asked: Post) -> None:
    asked.subscribe(["ben@leser.example"])
    assert asked.send().status == 0
    assert [each.recipients[0] for each in asked.server.messages] == [ADA, "ben@leser.example"]
    message, _ = asked.messages()
    assert message["Auto-Submitted"] == "auto-generated"
    assert "/confirm/" in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert message["List-Unsubscribe"] is None


def test_what_was_typed_as_a_name_is_not_in_it(asked: Post) -> None:
    """Or anybody could have anything sent to anybody, with our name under it."""
    assert asked.cli("run", "--once").status == 0
    (sent,) = asked.server.messages
    assert b"Byron" not in sent.data
    (message,) = asked.messages()
    assert message["To"] == ADA


def test_nobody_is_asked_twice_in_a_day(asked: Post) -> None:
    asked.cli("subscribers", "remove", ADA)
    again = asked.cli("subscribers", "add", "ADA@Reader.example", "--unconfirmed", "--again")
    assert again.status == 0
    asked.cli("run", "--once")
    assert len(asked.server.messages) <= 1


def test_those_of_a_file_are_asked_too(post: Post) -> None:
    post.cli.write("readers.csv", "email,name\nben@leser.example,Ben\ncleo@reader.example,Cleo\n")
    assert post.cli("subscribers", "import", "readers.csv", "--unconfirmed").status == 0
    assert post.cli("run", "--once").status == 0
    assert post.arrived() == {"ben@leser.example": 1, "cleo@reader.example": 1}
    assert post.send().status == 5
