"""Readers who choose, and issues with tags, as tests make them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import Message

from publisher.audience import preferences
from publisher.model.choices import Choices
from publisher.store.subscribers import list_page
from tests.delivery.post import NAME, Post

# Of the issue's highlights: the words that tell them apart, and their tags.
HIGHLIGHTS = {
    "h1": ("Ferries", "ships"),
    "h2": ("Films", "电影, Ships"),
    "h3": ("Markets", "economy"),
}
OFFER = '[choices]\ntags = ["Ships", "电影", "Economy", "اقتصاد"]\n'


def body(highlights: Iterable[str] = HIGHLIGHTS, more: str = "") -> str:
    """The Markdown of an issue with some of the highlights."""
    parts = []
    for id_ in highlights:
        title, tags = HIGHLIGHTS[id_]
        parts.append(
            f'## [{title}](https://source.example/{id_}) {{#{id_} tags="{tags}" source="S"}}\n\n'
            f"All about {title.lower()}.{more}\n"
        )
    return "\n".join(parts)


def write(post: Post, highlights: Iterable[str] = HIGHLIGHTS, more: str = "") -> None:
    post.cli.issue(NAME, body=body(highlights, more))


def choose(post: Post, chosen: dict[str, Choices]) -> None:
    """Let subscribed readers choose, by their addresses."""
    database = post.open()
    with database.write() as connection:
        for each in list_page(connection, database.publication):
            if each.email in chosen:
                preferences.choose(
                    connection, database.publication, each, chosen[each.email], datetime.now(UTC)
                )
    database.close()


def subscribe(post: Post, chosen: dict[str, Choices]) -> None:
    """Subscribe readers, each with what they choose."""
    post.subscribe(chosen)
    choose(post, {email: each for email, each in chosen.items() if each != Choices()})


def read_text(message: Message) -> str:
    """The words of a message's plain text."""
    plain = next(part for part in message.walk() if part.get_content_type() == "text/plain")
    data = plain.get_payload(decode=True)
    assert isinstance(data, bytes)
    return " ".join(data.decode().split())
