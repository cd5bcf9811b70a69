"""What all tests share: golden files, templates, databases of both kinds, and one Chromium."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from jinja2 import Environment
from playwright.sync_api import Browser, sync_playwright

from publisher.render.templates import make_templates
from publisher.store import version
from tests import postgresql
from tests.browser.chromium import find_chromium, is_unwanted
from tests.new_databases import make_quickly

ROOT = Path(__file__).parent.parent
# Of the tests of delivery and of `run`, those that are run on both databases in `make test` too.
ON_BOTH = frozenset(
    (
        "test_everyone_who_is_subscribed_gets_the_issue_once",
        "test_the_ledger_has_one_line_for_each_outcome",
        "test_only_those_subscribed_when_it_starts_get_it",
        "test_a_4xx_defers_that_recipient_alone",
        "test_what_is_deferred_too_long_fails",
        "test_after_a_kill_nobody_is_left_with_the_wrong_text_alone",
        "test_a_5xx_to_mail_pauses_the_mailing",
        "test_a_lost_reply_to_the_final_dot_is_resent_once_with_the_same_id",
        "test_doubts_are_resolved_by_the_operator",
        "test_who_unsubscribes_before_their_turn_gets_nothing",
        "test_the_next_process_takes_over_at_once_and_follows_a_live_one",
        "test_pause_reaches_another_process_and_status_tells_the_truth",
        "test_exactly_those_are_told_who_were_sent_the_earlier_text",
        "test_what_is_due_is_built_published_and_mailed_once",
        "test_status_shows_who_delivers",
        "test_a_worker_waits_for_a_server_that_is_not_there_yet",
        "test_a_worker_does_not_wait_for_what_the_server_refuses",
        "test_a_confirmation_leaves_within_5_s_and_sigterm_ends_all",
    )
)
GOLDEN = Path(__file__).parent / "golden"

# How long a case takes says nothing on a machine that does other things too.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Two thousand tests want a database of their own.
version._migrate = make_quickly

Golden = Callable[[str, str | bytes], None]


def pytest_configure() -> None:
    """Let the processes that tests start hear Ctrl-C, also where these tests run unheard of it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    postgresql.announce()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgresql.end()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what has to do with a database on both kinds: what takes long, on the second one too,
    in `make prove` alone.
    """
    if "database_kind" not in metafunc.fixturenames:
        return
    kinds = ["sqlite", pytest.param("postgresql", marks=_marks_on_server(metafunc))]
    if metafunc.definition.get_closest_marker("sqlite"):
        kinds = kinds[:1]
    if metafunc.definition.get_closest_marker("postgresql"):
        kinds = kinds[1:]
    metafunc.parametrize("database_kind", kinds, indirect=True)


def _marks_on_server(metafunc: pytest.Metafunc) -> list[pytest.MarkDecorator]:
    path = Path(metafunc.definition.path).relative_to(ROOT).as_posix()
    is_quick = path.startswith("tests/store/") or metafunc.function.__name__ in ON_BOTH
    return [] if is_quick else [pytest.mark.long]


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """The kind of database that a test is run on."""
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str) -> Iterator[str]:
    """The URL of a database of the test's own."""
    if database_kind == "sqlite":
        yield "sqlite:///publisher.db"
    else:
        with postgresql.database_url() as url:
            yield url


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files anew; read `git diff tests/golden` before committing",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare with a file below tests/golden, byte for byte: `golden("email/english.html", html)`.

    `pytest --update-golden` writes the files anew.
    """
    is_update = bool(request.config.getoption("--update-golden"))

    def compare(path: str, actual: str | bytes) -> None:
        file = GOLDEN / path
        content = actual.encode() if isinstance(actual, str) else actual
        if is_update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        assert file.exists(), f"{file} is missing; make it with pytest --update-golden"
        # As text where it is text: pytest then shows the lines that differ.
        assert _readable(content) == _readable(file.read_bytes()), f"differs from {file}"

    return compare


def _readable(content: bytes) -> str | bytes:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


@pytest.fixture(scope="session")
def templates() -> Environment:
    """The packaged templates, as `build` loads them where a publication has none of its own."""
    folder = ROOT / "templates"
    return make_templates(
        {
            file.relative_to(folder).as_posix(): file.read_text("utf-8")
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium; the test fails where there is none, unless that was decided on."""
    if is_unwanted():
        pytest.skip("PUBLISHER_NO_BROWSER is set")
    try:
        path = find_chromium()
    except LookupError as error:
        pytest.fail(str(error))
    # Without a sandbox of its own, which neither root nor most containers may have.
    options = ["--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=options)
        yield chromium
        chromium.close()
