"""A publication in which every word that somebody else can write is hostile, and all its pages.

The words come by the ways that they come in life: files, forms, the API, a relay's replies, hooks.
"""

import csv
import io
import json
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import cycle
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from lxml import html
from sqlalchemy import Connection, insert

from publisher.audience.address import AddressError, parse_address
from publisher.store import schema as s
from publisher.store.alerts import raise_alert
from publisher.store.mailings import change_mailing
from publisher.web.console.access import ACCESS
from tests.browser.test_payloads import write_issue
from tests.delivery.post import NAME, Post
from tests.smtp.scripted import Rule, say
from tests.web.api.site import enter
from tests.web.console.desks import upload
from tests.web.console.newsroom import SEND, Newsroom, run_newsroom
from tests.web.console.site import Browser
from tests.web.console.test_media import make
from tests.web.hooks.relays import sign
from tests.web.public.site import Answer

_SECRET = "what both sides of the hook know"
# Readers who are refused, put off, taken and bounced later, so many of each.
_OF_EACH = 4
# Fields in which people write; others are sent as they are.
_WRITTEN = ("text", "email", "date", "search", "password", "")
# What is asked for without being logged in: who is, is sent on.
_DOOR = ("/login", "/welcome/{token}")
# By the number of their parameters: `/readers/import` is not the reader `import`.
_ROUTES = sorted(ACCESS, key=lambda route: (route[1] == "/{path}", route[1].count("{")))


class Hostile(NamedTuple):
    """The publication, whose owner is logged in, and the words that are everywhere in it."""

    newsroom: Newsroom
    owner: Browser
    texts: Sequence[str]

    def walk(self, most: int) -> dict[str, Answer]:
        """All that links lead to, at most so many of each route, by path."""
        waiting, number = deque(self._begin()), Counter[tuple[str, bool]]()
        found: dict[str, Answer] = {}
        while waiting:
            path = waiting.popleft()
            route = route_of(path)
            if path in found or number[route, True] >= most:
                continue
            found[path] = answer = self.who(path).get(path)
            number[route, answer.status == 200] += 1
            if is_page(answer):
                waiting.extend(_links(path, answer))
        return found

    def who(self, path: str) -> Browser:
        """Whose browser a page is asked for with."""
        at_door = route_of(path) in _DOOR
        return self.newsroom.console.browse() if at_door else self.owner

    def fill(self, pages: Mapping[str, Answer]) -> dict[str, Answer]:
        """Fill each form of pages with a hostile word; gives what each was answered, by route."""
        words, answers = cycle(self.texts), dict[str, Answer]()
        for path, page in pages.items():
            for form in html.fromstring(page.text).forms if is_page(page) else ():
                action = urljoin(path, form.action or path)
                route = route_of(action, "POST")
                is_ours = ("POST", route) in ACCESS and route not in answers
                if is_ours and form.method == "POST" and _is_written(form):
                    answers[route] = self._send(self.who(path), action, form, next(words))
        return answers

    def _send(self, who: Browser, path: str, form: html.FormElement, word: str) -> Answer:
        fields = {name: value for name, value in form.form_values() if isinstance(value, str)}
        fields |= dict.fromkeys((each.name for each in _written(form)), word)
        fields["_csrf_token"] = who.token
        if form.get("enctype"):
            return upload(who, path, fields, (f"{_as_file(word)}.txt", word.encode()))
        return who.post(path, fields)

    def _begin(self) -> Iterator[str]:
        """Where to begin: what nothing leads to, and hostile words in addresses."""
        console = self.newsroom.console
        yield from ("/", "/login", "/healthz", "/metrics", "/plans/1/state", f"{SEND}?{NAME}")
        yield console.invite(_address(self.texts[0]), name=self.texts[0])
        yield f"/mailings/{self.newsroom.mailings()[0]}/progress"
        yield self._preview()
        yield f"/issues/{NAME}/delete"
        yield "/media/shown.jpg"
        for text in self.texts[:: max(1, len(self.texts) // 4)]:
            word = quote(text, safe="")
            yield from (f"/{word}", f"/login?next={word}", f"/issues?q={word}&before={word}")
            yield from (f"/readers?q={word}", f"/suppressions?q={word}", f"/audit?who={word}")
            yield f"/mailings/{self.newsroom.mailings()[0]}/deliveries?search={word}&after={word}"
            yield from (f"/media?added={word}&after={word}", f"/issues/{word}/edit?line={word}")

    def _preview(self) -> str:
        """The frame of a text that is being written."""
        text = self.newsroom.post.cli.read(f"issues/{NAME}.md") + "\n\n".join(self.texts)
        answer = self.owner.post(f"/issues/{NAME}/preview", {"text": text})
        frame: str = json.loads(answer.body)["frame"]
        return frame


@contextmanager
def run_hostile(post: Post, texts: Sequence[str]) -> Iterator[Hostile]:
    title, schedule = json.dumps(texts[0]), json.dumps(texts[1])
    post.configure(
        f'[[schedule]]\nname = {schedule}\ncron = "30 6 * * *"\n'
        f'[hooks]\ngeneric_secret = "{_SECRET}"\n[console]\nmetrics = "open"\n',
        connections=1,
    )
    settings = (post.folder / "publisher.toml").read_text()
    post.cli.write("publisher.toml", settings.replace('"The Test Daily"', title, 1))
    words = {"title": json.dumps(texts[2]), "summary": json.dumps(texts[3])}
    body = "".join(f"## {text} {{#h{n}}}\n\n{text}\n\n" for n, text in enumerate(texts[4:9]))
    post.cli.issue(NAME, body, **words)
    with run_newsroom(post) as newsroom:
        hostile = Hostile(newsroom, newsroom.console.enter("owner"), texts)
        _bring_readers(hostile)
        _send(hostile, post)
        _let_come_back(hostile)
        _name_people(hostile)
        _note(hostile)
        _write_files(hostile)
        yield hostile


def _bring_readers(hostile: Hostile) -> None:
    """By a file whose name, columns, names and lines that are not taken are hostile."""
    owner, texts = hostile.owner, hostile.texts
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(["email", "name", *texts[:20]])
    rows.writerows([f"r{n}@reader.example", text] for n, text in enumerate(texts))
    rows.writerows([_address(text), text] for text in texts)
    rows.writerows([text, "x"] for text in texts)
    for name in texts[:2]:
        upload(owner, "/readers/import", {}, (f"{_as_file(name)}.csv", file.getvalue().encode()))
        (token,) = re.findall(r"import/(\w+)/start", owner.get("/readers/import").text)
        assert owner.post(f"/readers/import/{token}/start", {"how": "vouch"}).status == 303
    upload(owner, "/readers/import", {}, ("x.csv", file.getvalue().encode()))


def _as_file(text: str) -> str:
    """A file's name as browsers send it (RFC 7578, section 4.2)."""
    return text.encode().decode("latin-1").replace('"', "%22")


def _address(text: str) -> str:
    """An address with a hostile word in it, where it can have one."""
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    try:
        return parse_address(f'"{escaped}"@reader.example').email
    except AddressError:
        return f"a{len(text)}@reader.example"


def _send(hostile: Hostile, post: Post) -> None:
    """To readers whose servers answer with hostile words."""
    said = cycle([text for text in hostile.texts if text.isascii() and text.isprintable()])
    for number in range(_OF_EACH):
        for step, (stage, code) in enumerate(
            (("rcpt", "550 5.1.1"), ("rcpt", "450 4.2.0"), ("final_dot", "250 Ok: queued as"))
        ):
            reader = f"r{number + step * _OF_EACH}@reader.example"
            answer = say(f"{code} {next(said)}"[:500])
            post.server.rules.append(Rule(stage, answer, recipient=reader))  # type: ignore[arg-type]
    newsroom = hostile.newsroom
    assert newsroom.press_send(hostile.owner).status == 303
    assert newsroom.tick(60) == ["started"]
    post.send()
    assert len(post.server.messages) > len(hostile.texts)


def _let_come_back(hostile: Hostile) -> None:
    """Bounces and complaints, by a hook whose relay quotes hostile words."""
    for number, text in enumerate(hostile.texts[-_OF_EACH:], 3 * _OF_EACH):
        said = {"type": "bounce", "recipient": f"r{number}@reader.example", "diagnostic": text}
        body = json.dumps(said | {"permanent": number % 2 == 0, "status": text[:20]}).encode()
        headers = {"Publisher-Signature": sign(body, _SECRET)}
        answer = hostile.newsroom.console.ask("POST", "/hooks/generic", body, headers)
        assert answer.text in ("bounce\n", "soft\n"), answer


def _name_people(hostile: Hostile) -> None:
    """Operators, invitations, tokens, and what a program with such a name does."""
    console, owner = hostile.newsroom.console, hostile.owner
    for number, text in enumerate(hostile.texts[:6]):
        fields = {"email": _address(text), "name": text, "role": "viewer"}
        assert owner.post("/operators", fields).status == 200
        console.add(f"o{number}@daily.example", "viewer", name=text)
        role = {"role": "editor"}
        assert owner.post(f"/operators/{number + 2}/role", role).status == 303
        token = {"name": f"{number} {text}"[:100], "scopes": "issues:read", "days": "0"}
        assert owner.post("/tokens", token).status == 200
        program = enter(console, name=text[:100])
        program.post("/subscribers", {"email": f"p{number}@x.example", "name": text}, status=201)
    assert owner.post("/account/name", {"name": hostile.texts[0]}).status == 303


def _note(hostile: Hostile) -> None:
    """What a schedule came to, what was told, and why a mailing is paused."""
    database, now = hostile.newsroom.console.database, hostile.newsroom.console.clock()
    first, second, *_ = hostile.texts
    fired = {"publication": database.publication, "schedule": second, "wall": "2026-03-01T06:30"}
    fired |= {"due_at": now, "status": "missed", "outcome": first, "slug": second, "ran_at": now}
    mailing = hostile.newsroom.post.rows("SELECT id FROM mailing")[0][0]
    with database.write() as connection:
        connection.execute(insert(s.occurrence), [fired])
        gone = {"publication": database.publication, "issue": first, "at": now}
        connection.execute(insert(s.superseded).values(gone))
        for kind in ("missed", "firing-failed", "webhook-given-up", first):
            raise_alert(connection, database.publication, kind, second, now)
        change_mailing(connection, database.publication, mailing, "paused", now, reason=first)
        _give_up(connection, database.publication, hostile.texts, now)
    hostile.newsroom.console.clock.ahead += timedelta(minutes=2)


def _give_up(connection: Connection, publication: int, texts: Sequence[str], now: datetime) -> None:
    """What another program answered to events that were given up."""
    own = {"publication": publication, "url": "https://x.example", "issues": "[]"}
    made = insert(s.webhook).values(**own, ledger=0, consent=0).returning(s.webhook.c.id)
    event = {"publication": publication, "webhook": connection.execute(made).scalar_one()}
    event |= {"status": "given_up", "at": now, "queued_at": now, "settled_at": now}
    rows = [
        event | {"ref": text, "kind": text, "fault": text, "data": json.dumps({"slug": text})}
        for text in texts[:20]
    ]
    connection.execute(insert(s.webhook_event), rows)


def _write_files(hostile: Hostile) -> None:
    """Issues, images and files of the folder with hostile contents and names."""
    folder, texts = hostile.newsroom.console.folder, hostile.texts
    (folder / "media").mkdir(exist_ok=True)
    for start in range(0, len(texts), 20):
        number = start // 20
        some = [*texts[start : start + 20], *texts][:20]
        issue = json.dumps(write_issue(number, some))
        (folder / "issues" / f"hostile-{number}.json").write_text(issue)
    (folder / "issues" / "hostile.md").write_text("\n\n".join(texts))
    for text in texts[:9]:
        name = re.sub(r"[/\x00]", "", text)[:60]
        (folder / "media" / f"{name}.png").write_bytes(make("PNG"))
        (folder / "media" / f"{name}.svg").write_text(text)
        (folder / "issues" / f"{name}.md").write_text(f"---\ntitle: {json.dumps(text)}\n---\n")
    upload(hostile.owner, "/media", {"alt": texts[0]}, ("shown.jpg", make("JPEG")))


def route_of(path: str, method: str = "GET") -> str:
    """The route that answers a path; itself where there is none."""
    path = urlsplit(path).path
    for known, route in _ROUTES:
        part = re.sub(r"\{(\w+)\}", lambda m: ".+" if m[1] == "path" else "[^/]+", route)
        if known == method and re.fullmatch(part, path):
            return route
    return path


def is_page(answer: Answer) -> bool:
    return answer.headers.get("content-type", "").startswith("text/html")


def _links(path: str, answer: Answer) -> Iterator[str]:
    """Where a page leads within the console, and what it shows."""
    for _, attribute, link, _ in html.fromstring(answer.text).iterlinks():
        if attribute in ("href", "src"):
            url = urljoin(path, link)
            if url.startswith("/") and not url.startswith(("//", "/api/")):
                yield url.partition("#")[0]


def _written(form: html.FormElement) -> list[html.HtmlElement]:
    """The fields of a form in which people write."""
    fields = form.xpath(".//input[@name] | .//textarea[@name]")
    return [
        each for each in fields if each.tag == "textarea" or each.get("type", "text") in _WRITTEN
    ]


def _is_written(form: html.FormElement) -> bool:
    return bool(_written(form)) or bool(form.get("enctype"))
