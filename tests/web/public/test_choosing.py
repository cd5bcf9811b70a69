"""Preferences: what readers choose to get of what a publication offers."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import update

from publisher.intake.fields import make_tag
from publisher.model.choices import Choices
from publisher.store import schema as s
from tests.web.public.site import Answer, Site, run_site

ANNA = "anna@daily.example"
OFFER = {"tags": ["Economy", "电影", "<b>Ships</b> & more"]}
FILM = make_tag("电影").slug
SHIPS = make_tag("<b>Ships</b> & more").slug


@pytest.fixture
def offering(tmp_path: Path) -> Iterator[Site]:
    with run_site(tmp_path, choices=OFFER) as site:
        site.add(ANNA)
        yield site


def test_what_is_chosen_is_kept_said_and_shown(offering: Site) -> None:
    link = offering.preferences(ANNA)
    assert "&lt;b&gt;Ships&lt;/b&gt; &amp; more" in offering.get(link).text
    answer = _choose(offering, link, content="headlines", tags=[FILM, "economy"])
    assert answer.status == 200
    assert "It is saved, from the next issue on." in answer.text
    assert "Headlines only, with links" in answer.text
    found = offering.readers.get(ANNA).choices
    assert found == Choices(content="headlines", tags=tuple(sorted(("economy", FILM))))
    assert _checked(answer.text) == ["headlines", "economy", FILM]
    assert _checked(offering.get(link).text) == ["headlines", "economy", FILM]
    data = json.loads(offering.act(link, "export").body)["profile"]
    assert (data["content"], data["tags"]) == ("headlines", list(found.tags))
    assert data["frequency"] == "daily"


def test_no_topic_and_all_topics_are_everything(offering: Site) -> None:
    link = offering.preferences(ANNA)
    for tags in ([], ["economy", FILM, SHIPS]):
        _choose(offering, link, content="headlines", tags=["economy"])
        _choose(offering, link, content="full", tags=tags)
        assert offering.readers.get(ANNA).choices == Choices()


def test_what_is_not_offered_changes_nothing(offering: Site) -> None:
    link = offering.preferences(ANNA)
    before = offering.state()
    for fields in (
        {"content": "everything"},
        {"content": "full", "tags": ["economy", "sport"]},
        {"content": "full", "tags": ["economy economy"]},
        {"content": "full", "tags": ["Economy"]},
        {"content": "full", "frequency": "weekly"},
        {"content": "full", "frequency": "hourly"},
        {"content": "full", "tags": ["'; DROP TABLE subscriber; --"]},
        {"content": "full", "tags": ["economy"] * 200},
    ):
        assert _choose(offering, link, **fields).status == 400
        assert offering.state() == before


def test_what_is_not_offered_any_more_is_said(tmp_path: Path) -> None:
    with run_site(tmp_path, choices={"headlines": False, "tags": ["Economy"]}) as site:
        site.add(ANNA)
        with site.readers.database.write() as connection:
            gone = {"content": "headlines", "tags": f"economy {FILM}"}
            connection.execute(update(s.subscriber).values(**gone))
        page = site.get(site.preferences(ANNA)).text
        assert "is not offered any more" in page
        assert _checked(page) == ["economy"]
        assert 'name="content"' not in page


@pytest.mark.long
def test_where_nothing_is_offered_there_is_no_form(tmp_path: Path) -> None:
    with run_site(tmp_path, choices={"headlines": False}) as site:
        site.add(ANNA)
        assert 'value="choose"' not in site.get(site.preferences(ANNA)).text


def _choose(site: Site, link: str, **fields: object) -> Answer:
    body = urlencode({"act": "choose"} | fields, doseq=True).encode()
    return site.ask("POST", link, body)


def _checked(page: str) -> list[str]:
    """The values that are marked in a page."""
    return re.findall(r'value="([^"]*)" checked', page)
