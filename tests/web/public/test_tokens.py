"""Tokens of each purpose at each route: what is not exactly ours, and for that, does nothing."""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from publisher.message.links import Purpose, sign_token
from publisher.runtime.start import load_keys
from tests.web.public.site import Site, run_site

ANNA, NEW = "anna@daily.example", "anna@new.example"
CARLA = "carla@daily.example"
PURPOSES: tuple[Purpose, ...] = ("unsubscribe", "confirm", "preferences", "address")
BODIES = {"preferences": b"act=erase", "unsubscribe": b"List-Unsubscribe=One-Click"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("tokens")
    with run_site(folder) as site:
        site.add(ANNA)
        yield site


@pytest.fixture(scope="module")
def links(site: Site) -> dict[Purpose, str]:
    """A link of each purpose that works."""
    site.subscribe(CARLA)
    preferences = site.preferences(ANNA)
    site.act(preferences, "address", email=NEW)
    found: dict[Purpose, str] = {
        "unsubscribe": site.link("unsubscribe", ANNA),
        "confirm": site.confirmation(CARLA),
        "preferences": preferences,
        "address": site.mailed("address", ANNA),
    }
    assert {site.get(link).status for link in found.values()} == {200}
    return found


def _refused(site: Site, path: str) -> bool:
    """Whether neither looking nor pressing finds anything, and nothing changes."""
    before = site.state()
    purpose = path.split("/")[1]
    answers = [
        site.get(path),
        site.ask("HEAD", path),
        site.ask("POST", path, BODIES.get(purpose, b"")),
    ]
    return {answer.status for answer in answers} == {404} and site.state() == before


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("route", PURPOSES)
def test_each_is_for_one_thing(
    purpose: Purpose, route: Purpose, site: Site, links: dict[Purpose, str]
) -> None:
    token = links[purpose].rpartition("/")[2]
    assert (purpose == route) or _refused(site, f"/{route}/{token}")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_other_spellings_are_no_token(
    purpose: Purpose, site: Site, links: dict[Purpose, str]
) -> None:
    token = links[purpose].rpartition("/")[2]
    data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    spellings = [
        *(token[:-1], token[1:], token[:8], token + "A", token + "=", token + "%3D"),
        *(token.swapcase(), token + "/", token + "%20", f"%{ord(token[0]):02X}{token[1:]}"),
        *(token + "%00", token + "%C3%A9", f"{token}.{token}"),
        base64.urlsafe_b64encode(data + b"\0").rstrip(b"=").decode(),
        base64.b16encode(data).decode(),
    ]
    last = token[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spellings += [token[:-1] + other for other in alphabet[::5] if other != last]
    for spelling in set(spellings) - {token}:
        assert _refused(site, f"/{purpose}/{spelling}"), spelling


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_single_bit_counts(purpose: Purpose, site: Site, links: dict[Purpose, str]) -> None:
    token = links[purpose].rpartition("/")[2]
    data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << (place % 8)
        forged = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        answer = site.ask("POST", f"/{purpose}/{forged}", BODIES.get(purpose, b""))
        assert answer.status == 404


@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_others_sign_is_none_of_ours(
    purpose: Purpose, site: Site, links: dict[Purpose, str]
) -> None:
    subject = f"{site.readers.get(ANNA).ref}.2"
    ours = load_keys(site.readers.database, site.settings).messages
    for key in (secrets.token_bytes(32), b"", ours, hashlib.sha256(b"").digest()):
        assert _refused(site, f"/{purpose}/{sign_token(purpose, subject, [key])}")


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("subject", ["nobody.1", ".1", "nobody.999999"])
def test_who_is_not_there_has_nothing(purpose: Purpose, subject: str, site: Site) -> None:
    """Also where it was signed by us: a trial message, or a reader who was erased."""
    before = site.state()
    for method in ("GET", "POST"):
        body = BODIES.get(purpose, b"") if method == "POST" else None
        answer = site.ask(method, site.sign(purpose, subject), body)
        assert answer.status == (200 if purpose == "unsubscribe" else 404)
    assert site.state() == before
