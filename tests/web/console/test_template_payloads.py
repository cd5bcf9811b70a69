"""No word of anybody's is a template: not in the console, nor in what is sent and published.

And of all those pages none goes without the headers that guard it, and nobody is in the log.
"""

import html
import json
from pathlib import Path

import jinja2
import pytest

from tests.browser.payloads import EVALUATED, TEMPLATES
from tests.delivery.conftest import clean_environment, cli, empty, post, server
from tests.delivery.post import Post
from tests.web.console.hostile import is_page, run_hostile
from tests.web.public.site import Answer

__all__ = ["clean_environment", "cli", "empty", "post", "server"]

# What an engine says that fails, or that gives away what it works with.
_GIVEN_AWAY = (
    *EVALUATED,
    *("<class '", "<function ", "<bound method", "<built-in", "object at 0x", "mappingproxy("),
    *("UndefinedError", "TemplateSyntaxError", "SecurityError", "uid=", "Publication("),
)
_TEXTS = {".html", ".atom", ".rss", ".json", ".txt", ".xml"}
# What answers are besides pages; nothing of it is run by a browser that is told not to guess.
_OTHERS = ("application/json", "image/", "text/css", "text/javascript", "text/csv", "text/plain")


def _require_plain(text: str, where: object) -> None:
    text = html.unescape(text)
    assert not [each for each in _GIVEN_AWAY if each in text], where


def _require_guarded(path: str, answer: Answer) -> None:
    headers = answer.headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy, path
    assert "frame-ancestors 'none'" in policy or "sandbox" in policy, path
    assert "script-src 'self'" in policy or "script-src" not in policy, path
    assert headers["x-content-type-options"] == "nosniff", path
    assert headers["referrer-policy"] in ("same-origin", "no-referrer"), path
    is_ours = path.startswith("/assets/")
    assert is_ours or headers["cache-control"] == "no-store", path
    assert is_page(answer) or headers["content-type"].startswith(_OTHERS), path


def _require_nothing_published(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.suffix in _TEXTS]
    assert {path.suffix for path in files} == _TEXTS
    for path in files:
        _require_plain(path.read_text(), path)
    (item, *_) = json.loads((folder / "issues.json").read_text())["items"]
    assert item["title"] == TEMPLATES[2]


def _require_nothing_sent(post: Post) -> None:
    messages = post.messages()
    assert messages[0]["Subject"].startswith(TEMPLATES[2])
    for message in messages[:: max(1, len(messages) // 20)]:
        _require_plain(f"{message['Subject']} {message['To']} {message['From']}", "headers")
        for part in message.walk():
            if not part.is_multipart():
                _require_plain(part.get_content(), part.get_content_type())


def test_none_of_fifty_is_evaluated(post: Post, capfd: pytest.CaptureFixture[str]) -> None:
    with run_hostile(post, TEMPLATES) as hostile:
        found = hostile.walk(2)
        found |= hostile.fill(found)
        for path, answer in found.items():
            assert answer.status < 500, path
            _require_guarded(path, answer)
            if is_page(answer):
                _require_plain(answer.text, path)
        shown = "".join(answer.text for answer in found.values() if is_page(answer))
        assert not [text for text in TEMPLATES if text not in html.unescape(shown)]
    _require_nothing_sent(post)
    _require_nothing_published(post.folder / "public")
    said = capfd.readouterr().err
    assert "hook generic: bounce" in said
    assert "@" not in said
    assert "defect" not in said


def test_the_templates_would_be_evaluated() -> None:
    """By an engine to which somebody gave them; else nothing was proved."""
    assert len(set(TEMPLATES)) == 50
    made = []
    for text in TEMPLATES:
        try:
            made.append(jinja2.Environment(autoescape=True).from_string(text).render())
        except (jinja2.TemplateError, TypeError):
            made.append("SecurityError")
    assert sum(any(each in html.unescape(text) for each in _GIVEN_AWAY) for text in made) > 25
