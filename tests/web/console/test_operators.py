"""The page of operators: owners invite, change roles, remove; one owner always stays."""

import re

import pytest

from publisher.runtime.inviting import hash_secret
from publisher.store import schema as s
from tests.web.console.site import Browser, Console

OWNER, BERT = "owner@daily.example", "bert@daily.example"
_LINK = re.compile(r'<code class="secret">([^<]+)</code>')


@pytest.fixture
def owner(console: Console) -> Browser:
    return console.enter("owner")


def _said(browser: Browser) -> str:
    return browser.get("/operators").text.partition('class="note')[2].partition("</div>")[0]


def test_somebody_is_invited_by_a_link_that_is_shown_once(console: Console, owner: Browser) -> None:
    fields = {"email": "Bert <bert@daily.example>", "name": "", "role": "sender"}
    assert owner.post("/operators", fields).status == 422
    answer = owner.post("/operators", fields | {"email": BERT})
    (link,) = _LINK.findall(answer.text)
    assert link.startswith(f"{console.url}/welcome/")
    assert BERT in owner.get("/operators").text
    assert link not in owner.get("/operators").text
    secret = link.rpartition("/")[2]
    with console.database.read() as connection:
        kept = connection.execute(s.invitation.select()).one()
    assert kept.hash == hash_secret(secret)
    assert secret not in str(kept)
    path = link.removeprefix(console.url)
    assert console.browse().post(path, {"password": "correct horse"}).status == 303
    assert (OWNER, "operator invited", BERT) in console.done()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("email", "nobody", "address"),
        ("email", OWNER, "is an operator already"),
        ("name", "x" * 201, "longer than 200"),
        ("role", "emperor", "Choose one of the roles"),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed(
    owner: Browser, field: str, value: str, said: str
) -> None:
    fields = {"email": BERT, "name": "Bert & Co", "role": "viewer"} | {field: value}
    answer = owner.post("/operators", fields)
    assert answer.status == 422
    assert said in answer.text
    assert 'role="alert"' in answer.text
    if field != "name":
        assert 'value="Bert &amp; Co"' in answer.text


def test_an_invitation_is_withdrawn(console: Console, owner: Browser) -> None:
    link = console.invite(BERT)
    (id_,) = re.findall(r'action="/invitations/(\d+)/withdraw"', owner.get("/operators").text)
    assert owner.post(f"/invitations/{id_}/withdraw").status == 303
    assert console.browse().get(link).status == 404
    assert console.done()[0] == (OWNER, "invitation withdrawn", BERT)


def test_a_role_is_changed(console: Console, owner: Browser) -> None:
    bert = console.add(BERT, "viewer", "Bert")
    assert owner.post(f"/operators/{bert}/role", {"role": "editor"}).status == 303
    assert "Bert: editor from now on." in _said(owner)
    deed = console.deeds()[0]
    assert (deed.action, deed.about, deed.detail) == ("role changed", BERT, "viewer to editor")
    assert owner.post(f"/operators/{bert}/role", {"role": "emperor"}).status == 303
    assert "There is no such role." in _said(owner)


def test_who_is_removed_is_out_at_once_with_their_links(console: Console, owner: Browser) -> None:
    bert = console.add(BERT, "editor")
    browser = console.browse()
    browser.log_in(BERT)
    link = console.invite(BERT)
    assert owner.post(f"/operators/{bert}/remove").status == 303
    assert not browser.is_inside
    assert console.browse().log_in(BERT).status == 422
    assert console.browse().get(link).status == 404
    assert owner.post(f"/operators/{bert}/remove").status == 404
    assert owner.post(f"/operators/{bert}/role", {"role": "owner"}).status == 404
    assert console.done()[0] == (OWNER, "operator removed", BERT)


def test_who_was_removed_can_come_back(console: Console, owner: Browser) -> None:
    bert = console.add(BERT, "owner")
    owner.post(f"/operators/{bert}/remove")
    link = console.invite(BERT, "viewer")
    browser = console.browse()
    assert browser.post(link, {"password": "correct horse"}).status == 303
    assert console.find(BERT) == bert
    assert browser.get("/operators").status == 403


def test_the_last_owner_stays(console: Console, owner: Browser) -> None:
    me = console.find(OWNER)
    console.add(BERT, "sender")
    for path, fields in (("remove", {}), ("role", {"role": "editor"})):
        assert owner.post(f"/operators/{me}/{path}", fields).status == 303
        assert "This is the last owner" in _said(owner)
        assert owner.get("/operators").status == 200
    console.add(BERT, "owner")
    assert owner.post(f"/operators/{me}/remove").status == 303
    assert not owner.is_inside


def test_a_link_to_a_new_password(console: Console, owner: Browser) -> None:
    bert = console.add(BERT, "editor", "Bert")
    (link,) = _LINK.findall(owner.post(f"/operators/{bert}/link").text)
    browser = console.browse()
    path = link.removeprefix(console.url)
    assert browser.post(path, {"name": "Bert", "password": "another horse"}).status == 303
    assert console.browse().log_in(BERT, "another horse").status == 303


@pytest.mark.parametrize("row", ["0", "-1", "x", "9" * 30, "1e3", "%00"])
def test_rows_that_no_database_has(owner: Browser, row: str) -> None:
    assert owner.post(f"/operators/{row}/remove").status in (400, 403, 404, 405)
