"""Readers from a file: a dry look, the import, its report; and into one."""

import csv
import io
import re
from datetime import timedelta

import pytest

from publisher.web.console import app
from tests.audience import exports
from tests.web.console.site import Browser, Console
from tests.web.public.site import Answer, wait_until

FORMULA = '=cmd|"/C calc"!A0'


@pytest.fixture
def sender(console: Console) -> Browser:
    return console.enter("sender")


# So many that an import of them takes seconds.
MANY = 150_000


def upload(browser: Browser, data: bytes, name: str = "readers.csv", encoding: str = "") -> Answer:
    """Choose a file in the form, and send it as browsers do."""
    return upload_all(browser, {name: data}, encoding)


def upload_all(
    browser: Browser, files: dict[str, bytes], encoding: str = "", everybody: str = ""
) -> Answer:
    edge = "----edge"
    parts = [("_csrf_token", browser.token), ("encoding", encoding), ("everybody", everybody)]
    body = b"".join(
        f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in parts
    )
    for name, data in files.items():
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"'
        body += f"--{edge}\r\n{head}\r\nContent-Type: text/csv\r\n\r\n".encode()
        body += data + b"\r\n"
    body += f"--{edge}--\r\n".encode()
    headers = {
        "Content-Type": f"multipart/form-data; boundary={edge}",
        "Origin": browser.client.url,
        "Sec-Fetch-Site": "same-origin",
    }
    return browser.ask("POST", "/readers/import", body, headers)


def token_in(page: str) -> str:
    match = re.search(r"/readers/import/(\w+)/cancel", page)
    assert match, page
    return match[1]


def look(browser: Browser) -> str:
    """The page once the file was looked at."""
    return str(wait_until(lambda: _look(browser)))


def _look(browser: Browser) -> str | None:
    page = browser.get("/readers/import").text
    return None if 'data-stage="looking"' in page else page


def test_a_file_is_looked_at_first_and_then_imported(console: Console, sender: Browser) -> None:
    console.readers.bring("email,name\nold@x.example,Old\nsame@x.example,Same\n")
    data = b"Name;E-Mail;Shoe size\nAnna;anna@x.example;38\nNew;old@x.example;\n"
    data += b"Same;same@x.example;\nBad;nonsense;\n"
    assert upload(sender, data).headers["location"] == "/readers/import"
    page = look(sender)
    assert len(console.readers.all()) == 2
    assert re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", page) == [
        ("Added", "1"),
        ("Changed", "1"),
        ("As they are", "1"),
        ("Not taken", "1"),
    ]
    assert re.findall(r'scope="row"><bdi>([^<]+)</bdi></th><td>(?:<span[^>]+>)?([\w ]+)', page) == [
        ("Name", "name"),
        ("E-Mail", "address"),
        ("Shoe size", "left alone"),
    ]
    assert "not taken: <bdi>it has no @</bdi>" in page
    answer = sender.post(f"/readers/import/{token_in(page)}/start", {"how": "vouch"})
    report = sender.get(answer.headers["location"]).text
    assert ("anna@x.example", "Anna", "confirmed") in console.readers.plain()
    assert console.readers.get("old@x.example").name == "New"
    assert [line.origin for line in console.readers.record("anna@x.example")] == ["readers.csv"]
    assert '<td class="number">5</td><td class="address"><bdi dir="ltr">nonsense</bdi>' in report
    done = [each for each in console.done() if each[1].startswith("import")]
    assert [each[1] for each in done] == ["import done", "import started"]
    assert 'enctype="multipart/form-data"' in sender.get("/readers/import").text


def test_a_report_is_downloaded_without_formulas(console: Console, sender: Browser) -> None:
    upload(sender, b"email\nanna@x.example\n" + FORMULA.replace('"', '""').join('""').encode())
    page = look(sender)
    answer = sender.post(f"/readers/import/{token_in(page)}/start", {"how": "vouch"})
    downloaded = sender.get(f"{answer.headers['location']}/rejected")
    assert downloaded.headers["content-disposition"].startswith("attachment")
    rows = list(csv.reader(io.StringIO(downloaded.text)))
    assert rows[0] == ["line", "value", "reason", "file"]
    assert (rows[1][0], rows[1][1][:2]) == ("3", "'=")
    assert console.done()[0][1] == "rejected lines downloaded"


def test_a_file_is_given_up_and_nothing_is_imported(console: Console, sender: Browser) -> None:
    upload(sender, b"email\nanna@x.example\n")
    token = token_in(look(sender))
    assert sender.post(f"/readers/import/{token}/cancel").status == 303
    sender.post(f"/readers/import/{token}/start", {"how": "vouch"})
    assert "not here any more" in sender.get("/readers/import").text
    assert console.readers.all() == []


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "empty.csv", "empty.csv is empty"),
        (b"PK\x03\x04\x00\x00", "sheet.xlsx", "is no text"),
        (b"a,b\n1,2\n", "x.csv", "no column is called `email`"),
        (b"email,name\na@x.example,M\xfcller\n", "x.csv", "no text in UTF-8"),
        (b'email\n"a@x.example\n', "x.csv", "a quotation mark begins a cell"),
    ],
)
def test_what_is_no_list_of_readers_is_refused(
    console: Console, sender: Browser, data: bytes, name: str, said: str
) -> None:
    page = upload(sender, data, name).text + look(sender)
    assert said in page
    assert "/start" not in page
    assert console.readers.all() == []


def test_letters_are_read_as_was_chosen(console: Console, sender: Browser) -> None:
    upload(sender, "email,name\na@x.example,Müller\n".encode("cp1252"), encoding="cp1252")
    assert "<bdi>Müller</bdi>" in look(sender)
    assert upload(sender, b"email\n", encoding="rot13").status == 422


def test_an_archive_and_another_file_at_once(console: Console, sender: Browser) -> None:
    packed = exports.pack({**exports.MAILCHIMP, "campaigns.csv": "Title\nOne\n"})
    upload_all(sender, {"audience.zip": packed, "members.csv": exports.GHOST.encode()})
    page = look(sender)
    assert page.count("an export of Mailchimp") == len(exports.MAILCHIMP)
    assert "an export of Ghost" in page
    assert "<bdi>campaigns.csv</bdi>: left alone" in page
    assert ("CONFIRM_IP", "from where they agreed") in re.findall(
        r'scope="row"><bdi>([^<]+)</bdi></th><td>([\w ]+)', page
    )
    answer = sender.post(f"/readers/import/{token_in(page)}/start", {"how": "vouch"})
    report = sender.get(answer.headers["location"]).text
    assert "audience.zip, members.csv" in report
    assert "<td><bdi>subscribed_email_audience_export_a1b2c3.csv</bdi></td>" in report
    assert {status for _, _, status in console.readers.plain()} == {"confirmed", "unsubscribed"}


def test_a_file_that_does_not_say_who_they_are(console: Console, sender: Browser) -> None:
    left = {"left.csv": b"email\nanna@x.example\n"}
    assert upload_all(sender, left, everybody="emperors").status == 422
    upload_all(sender, left, everybody="unsubscribed")
    sender.post(f"/readers/import/{token_in(look(sender))}/start", {"how": "vouch"})
    assert console.readers.plain() == [("anna@x.example", "", "unsubscribed")]


def test_no_file_is_no_import(console: Console, sender: Browser) -> None:
    answer = upload(sender, b"", name="")
    assert answer.status == 422
    assert "Choose a file first." in answer.text


def test_a_file_without_a_token_or_from_elsewhere_is_refused(console: Console) -> None:
    sender = console.enter("sender")
    head = b'Content-Disposition: form-data; name="file"; filename="a.csv"'
    body = b"--e\r\n" + head + b"\r\n\r\nemail\r\n--e--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=e"}
    assert sender.ask("POST", "/readers/import", body, kind).status == 403
    foreign = kind | {"Origin": "https://evil.example"}
    assert sender.ask("POST", "/readers/import", body, foreign).status == 403


def test_what_a_file_says_is_text(console: Console, sender: Browser) -> None:
    bad = "<script>hit(1)</script>"
    data = f"email,{bad}\n{bad},x\na@x.example,y\n".encode()
    upload(sender, data, name="<img src=x onerror=hit(2)>.csv")
    page = look(sender)
    assert bad not in page
    assert "<img" not in page
    answer = sender.post(f"/readers/import/{token_in(page)}/start", {"how": "vouch"})
    report = sender.get(answer.headers["location"]).text
    assert bad not in report
    assert "<img" not in report


def test_a_long_import_goes_on_alone_shows_how_far_and_can_be_stopped(
    console: Console, sender: Browser
) -> None:
    lines = "\n".join(f"reader{number}@x.example" for number in range(MANY))
    upload(sender, f"email\n{lines}\n".encode())
    page = str(wait_until(lambda: _look(sender)))
    assert "about; who stands in it twice" not in page  # so many are counted exactly
    token = token_in(page)
    sender.post(f"/readers/import/{token}/start", {"how": "vouch"})
    other = console.browse()
    assert other.log_in("sender@daily.example").status == 303
    running = other.get("/readers/import").text
    assert 'data-stage="importing"' in running
    assert "<progress" in running
    assert upload(other, b"email\nx@x.example\n").status == 422  # one at a time
    assert other.post(f"/readers/import/{token}/cancel").status == 303
    wait_until(lambda: True if console.done()[0][1] == "import stopped" else None)
    number = len(console.readers.all())
    assert 0 < number < MANY
    assert number % 20_000 == 0
    assert f"{number:,}" in other.get("/readers/import").text


def test_an_import_that_a_dead_console_left_is_over(console: Console) -> None:
    from publisher.model.operators import Actor
    from publisher.store import imports
    from publisher.web.console.uploads import Uploads

    with console.database.write() as connection:
        run = imports.begin(
            connection, console.database.publication, "x.csv", Actor("a"), console.clock()
        )
    Uploads(console.database, console.clock)
    with console.database.read() as connection:
        found = imports.find_run(connection, console.database.publication, run)
    assert found
    assert (found.status, found.fault) == ("stopped", "the console ended in the middle of it")


def test_a_file_that_nobody_decides_about_is_forgotten(console: Console, sender: Browser) -> None:
    upload(sender, b"email\nanna@x.example\n")
    assert "anna@x.example" in look(sender)
    console.clock.ahead = timedelta(minutes=61)
    assert "anna@x.example" not in sender.get("/readers/import").text


def test_export_is_all_readers_and_is_noted(console: Console, sender: Browser) -> None:
    console.readers.bring('email,name\nanna@x.example,"=1+1"\nbo@x.example,Bo\n')
    answer = sender.post("/readers/export")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.body == console.readers.export()
    assert b"'=1+1" in answer.body
    assert console.done()[0][:2] == ("sender@daily.example", "readers exported")
    assert sender.get("/readers/export").status == 405


def test_export_of_many_comes_in_pieces_and_to_its_end(
    console: Console, sender: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it takes longer than a client may be silent while it sends."""
    monkeypatch.setattr(app, "_PART_SECONDS", 0.3)
    lines = "\n".join(f"reader{number}@x.example" for number in range(20_000))
    console.readers.bring(f"email\n{lines}\n")
    answer = sender.post("/readers/export")
    assert "content-length" not in answer.headers
    assert answer.body.count(b"\r\n") == 20_001
