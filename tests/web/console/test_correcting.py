"""Correcting in the console: what was changed, the note, and mail to who has the earlier text."""

import re
from collections.abc import Iterator

import pytest

from tests.delivery.conftest import clean_environment, cli, empty, post, server
from tests.delivery.correcting import NOTE, RIGHT, WRONG, write
from tests.delivery.post import NAME, Post
from tests.smtp.scripted import Rule, say
from tests.web.console.newsroom import Newsroom, run_newsroom
from tests.web.console.site import Browser
from tests.web.public.site import Answer

__all__ = ["clean_environment", "cli", "empty", "post", "server"]

ADA, BEN = "ada@reader.example", "ben@reader.example"
CORRECT = f"/issues/{NAME}/correct"
_VERSION = re.compile(r'name="version" value="([0-9a-f]{64})"')


@pytest.fixture
def newsroom(post: Post) -> Iterator[Newsroom]:
    """Ada was sent the wrong text, and Ben waits for his."""
    write(post, WRONG)
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("rcpt", say("450 later"), recipient=BEN, times=1))
    assert post.send().status == 3
    with run_newsroom(post) as newsroom:
        yield newsroom


def _correct(browser: Browser, **fields: str) -> Answer:
    found = _VERSION.search(browser.get(CORRECT).text)
    assert found
    return browser.post(CORRECT, {"version": found[1], "note": NOTE} | fields)


def test_an_editor_sees_no_way_to_correct_what_was_mailed(newsroom: Newsroom) -> None:
    editor = newsroom.console.enter("editor")
    assert editor.get(CORRECT).status == 403
    assert editor.post(CORRECT, {"note": NOTE}).status == 403
    assert f'href="{CORRECT}"' not in editor.get(f"/issues/{NAME}").text


def test_where_nothing_was_changed_there_is_nothing_to_correct(newsroom: Newsroom) -> None:
    sender = newsroom.console.enter("sender")
    assert "There is nothing to correct" in sender.get(CORRECT).text
    assert sender.post(CORRECT, {"note": NOTE, "version": "0" * 64}).status == 422
    assert sender.get("/issues/2001-01-01/correct").status == 404


def test_it_is_noted_and_mailed_to_who_has_the_earlier_text(newsroom: Newsroom) -> None:
    post, sender = newsroom.post, newsroom.console.enter("sender")
    assert f'href="{CORRECT}"' in sender.get(f"/issues/{NAME}").text
    write(post, RIGHT)
    page = sender.get(CORRECT).text
    assert "<del>" in page
    assert "<ins>" in page
    assert "Also mail it to 1 reader<" in page
    answer = _correct(sender, mail="yes")
    assert answer.status == 303
    mailing = sender.get(answer.headers["location"]).text
    assert "Correction of" in mailing
    assert "on its way to 1 reader." in mailing
    assert NAME in sender.get("/mailings?kind=corrections").text
    assert [deed[1:] for deed in newsroom.console.done()[:2]] == [
        ("correction mailed", NAME),
        ("issue corrected", NAME),
    ]
    assert NOTE in post.cli.read(f"public/issues/{NAME}/index.html")
    issue = sender.get(f"/mailings/{newsroom.mailings()[0]}").text
    assert "First sent with" in issue
    assert answer.headers["location"] in issue
    assert "There is nothing to correct" in sender.get(CORRECT).text


def test_it_can_be_noted_without_any_mail(newsroom: Newsroom) -> None:
    sender = newsroom.console.enter("sender")
    write(newsroom.post, RIGHT)
    answer = _correct(sender)
    assert (answer.status, answer.headers["location"]) == (303, f"/issues/{NAME}")
    assert len(newsroom.mailings()) == 1
    assert len(newsroom.post.status()["revisions"]) == 2


def test_what_is_wrong_stands_beside_it_and_nothing_is_noted(newsroom: Newsroom) -> None:
    post, sender = newsroom.post, newsroom.console.enter("sender")
    write(post, RIGHT)
    answer = _correct(sender, note=" ")
    assert answer.status == 422
    assert "Say what was wrong and what is right" in answer.text
    answer = _correct(sender, version="0" * 64, mail="yes")
    assert answer.status == 409
    assert "changed while you were looking" in answer.text
    assert NOTE in answer.text
    post.cli.issue("2025-12-16", id=f"i{NAME}")
    answer = _correct(sender, mail="yes")
    assert answer.status in (409, 422)
    assert len(newsroom.mailings()) == 1
    assert len(post.status()["revisions"]) == 1


def test_what_was_noted_can_be_mailed_afterwards(newsroom: Newsroom) -> None:
    post, sender = newsroom.post, newsroom.console.enter("sender")
    write(post, RIGHT)
    assert _correct(sender).status == 303
    page = sender.get(CORRECT).text
    assert "Mail it to 1 reader<" in page
    assert NOTE in page
    assert _correct(sender, mail="yes").status == 303
    assert [deed[1] for deed in newsroom.console.done()[:2]] == [
        "correction mailed",
        "issue corrected",
    ]
    assert "There is nothing to correct" in sender.get(CORRECT).text
    assert post.cli("run", "--once").status in (0, 3)
    assert sum(NOTE.encode() in each.data for each in post.server.messages) >= 1
