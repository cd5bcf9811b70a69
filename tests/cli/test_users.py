"""users, tokens: who is let into the console and the API, from the command line."""

import re
from contextlib import AbstractContextManager

import pytest

from publisher.audience.address import parse_address
from publisher.cli.store import open_store
from publisher.model.operators import Operator
from publisher.runtime.inviting import hash_secret
from publisher.runtime.passwords import is_password
from publisher.settings import load_settings
from publisher.store.audit import list_deeds
from publisher.store.database import Database
from publisher.store.operators import find_operator, find_password
from publisher.store.tokens import find_token
from publisher.web.console.desk import now_utc
from tests.cli.command_line import CommandLine

ANNA, BERT = "anna@daily.example", "bert@daily.example"
PASSWORD = "correct horse battery"


def _open(cli: CommandLine) -> AbstractContextManager[Database]:
    return open_store(cli.folder, load_settings(cli.folder / "publisher.toml"))


def _done(cli: CommandLine) -> list[tuple[str, str, str, str]]:
    with _open(cli) as database, database.read() as connection:
        deeds = list_deeds(connection, database.publication, limit=100)
    return [(deed.who, deed.action, deed.about, deed.detail) for deed in deeds]


def _find(cli: CommandLine, email: str) -> tuple[Operator | None, str]:
    with _open(cli) as database, database.read() as connection:
        found = find_operator(connection, database.publication, parse_address(email).key)
        hash = find_password(connection, database.publication, found.id if found else 0)
    return found, hash


class TestUsers:
    def test_a_link_is_printed_alone(self, cli: CommandLine) -> None:
        done = cli("users", "add", ANNA, "--role", "owner", "--name", "Anna")
        assert done.status == 0
        assert re.fullmatch(r"http://127\.0\.0\.1:8001/welcome/[\w-]{43}\n", done.out)
        assert "once and within 24 hours" in done.err
        assert cli("users", "list", "--json").json == {"users": []}
        assert _done(cli) == [("command line", "operator invited", ANNA, "owner")]

    def test_the_link_is_where_the_console_is(self, cli: CommandLine) -> None:
        text = cli.read("publisher.toml")
        cli.write("publisher.toml", f'{text}\n[console]\nurl = "https://desk.daily.example/"\n')
        link = cli("users", "add", ANNA, "--json").json["link"]
        assert link.startswith("https://desk.daily.example/welcome/")

    def test_a_password_makes_an_operator_at_once(self, cli: CommandLine) -> None:
        words = ("users", "add", ANNA, "--password-stdin", "--json")
        done = cli(*words, stdin=f"{PASSWORD}\n".encode())
        assert done.json == {"email": ANNA, "name": "", "role": "editor", "link": None}
        assert is_password(PASSWORD, _find(cli, ANNA)[1])
        (user,) = cli("users", "list", "--json").json["users"]
        assert (user["email"], user["role"], user["last_login"]) == (ANNA, "editor", None)
        assert f"{ANNA}: editor\n" in cli("users", "list").out
        assert PASSWORD not in done.both

    @pytest.mark.parametrize("password", [b"", b"short\n", b"anna@daily.example\n", b"x" * 600])
    def test_a_bad_password_makes_none(self, cli: CommandLine, password: bytes) -> None:
        done = cli("users", "add", ANNA, "--password-stdin", stdin=password)
        assert done.status == 2
        assert "password" in done.err or "anybody would try" in done.err
        assert _find(cli, ANNA)[0] is None

    def test_who_is_known_keeps_what_is_not_named(self, cli: CommandLine) -> None:
        line = PASSWORD.encode()
        cli(
            "users",
            "add",
            ANNA,
            "--role",
            "owner",
            "--name",
            "Anna",
            "--password-stdin",
            stdin=line,
        )
        done = cli("users", "add", ANNA, "--json")
        assert (done.json["name"], done.json["role"]) == ("Anna", "owner")
        assert is_password(PASSWORD, _find(cli, ANNA)[1])
        assert _done(cli)[0][1] == "password link made"

    def test_the_last_owner_stays(self, cli: CommandLine) -> None:
        cli("users", "add", ANNA, "--role", "owner", "--password-stdin", stdin=PASSWORD.encode())
        for words in (("remove", ANNA), ("add", ANNA, "--role", "viewer")):
            done = cli("users", *words)
            assert done.status == 2
            assert "is the last owner" in done.err
        cli("users", "add", BERT, "--role", "owner", "--password-stdin", stdin=PASSWORD.encode())
        assert cli("users", "remove", ANNA).status == 0
        assert _find(cli, ANNA)[0] is None
        assert _done(cli)[0] == ("command line", "operator removed", ANNA, "")

    def test_who_was_invited_is_not_any_more(self, cli: CommandLine) -> None:
        cli("users", "add", ANNA)
        assert cli("users", "remove", ANNA, "--json").json == {"email": ANNA, "removed": True}
        done = cli("users", "remove", ANNA)
        assert (done.status, "is no operator" in done.err) == (2, True)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("add", "nobody"), "'nobody' is no address"),
            (("add", ANNA, "--role", "king"), "viewer, editor, sender, owner"),
            (("add", ANNA, "--name", "a\nb"), "--name"),
            (("remove", "x@y"), "is no address"),
        ],
    )
    def test_what_is_wrong_is_said(
        self, cli: CommandLine, words: tuple[str, ...], said: str
    ) -> None:
        done = cli("users", *words)
        assert done.status == 2
        assert said in done.err


class TestTokens:
    def test_a_secret_is_shown_once_and_kept_as_a_hash(self, cli: CommandLine) -> None:
        done = cli("tokens", "create", "newsroom", "--scope", "issues:write", "--expires", "90d")
        secret = done.out.strip()
        assert re.fullmatch(r"publisher_[\w-]{43}", secret)
        listed = cli("tokens", "list")
        assert secret not in listed.both
        assert f"newsroom ({secret[:16]}…): issues:write; unused, expires" in listed.out
        assert secret.encode() not in (cli.folder / "publisher.db").read_bytes()
        with _open(cli) as database, database.read() as connection:
            bearer = find_token(connection, database.publication, hash_secret(secret), now_utc())
        assert bearer is not None
        assert bearer.token.scopes == ("issues:write",)
        assert bearer.role is None
        assert _done(cli) == [("command line", "token created", "newsroom", "issues:write")]

    def test_without_scopes_it_reads(self, cli: CommandLine) -> None:
        made = cli("tokens", "create", "dashboard", "--json").json
        assert all(scope.endswith(":read") for scope in made["scopes"])
        assert len(made["scopes"]) == 5
        assert made["expires"] is None

    def test_a_name_is_had_once_until_it_is_revoked(self, cli: CommandLine) -> None:
        cli("tokens", "create", "dashboard")
        again = cli("tokens", "create", "dashboard")
        assert (again.status, "there is a token dashboard already" in again.err) == (2, True)
        assert cli("tokens", "revoke", "dashboard").status == 0
        assert cli("tokens", "create", "dashboard").status == 0
        assert len(cli("tokens", "list", "--json").json["tokens"]) == 1

    def test_who_is_revoked_or_expired_is_nobody(self, cli: CommandLine) -> None:
        first = cli("tokens", "create", "one", "--json").json["secret"]
        second = cli("tokens", "create", "two", "--expires", "1s", "--json").json
        cli("tokens", "revoke", "one")
        with _open(cli) as database, database.read() as connection:
            for secret in (first, second["secret"]):
                later = now_utc().replace(year=now_utc().year + 1)
                hash = hash_secret(secret)
                assert find_token(connection, database.publication, hash, later) is None

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("create", "x", "--scope", "all"), "issues:read, issues:write"),
            (("create", "x", "--expires", "soon"), "90s, 10m, 6h or 2d"),
            (("create", "x", "--expires", "0s"), "worth nothing"),
            (("create", " "), "is no name for a token"),
            (("create", "a\x1b[1m"), "is no name for a token"),
            (("revoke", "x"), "there is no token 'x'"),
        ],
    )
    def test_what_is_wrong_is_said(
        self, cli: CommandLine, words: tuple[str, ...], said: str
    ) -> None:
        done = cli("tokens", *words)
        assert done.status == 2
        assert said in done.err
