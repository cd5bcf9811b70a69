"""A publication's own templates: in a sandbox, named when they break, and never from outside."""

import os
from pathlib import Path

import pytest
from jinja2 import TemplateError, TemplateNotFound

from publisher.errors import PublisherError, SettingsError
from publisher.model.language import direction
from publisher.render.templates import make_templates
from tests.catalogues import CATALOGUES
from tests.site.world import SETTINGS, World

FOOTER = "templates/pages/footer.html"

ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ ''|attr('__class__') }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ lang_of.__globals__ }}",
    "{{ lang_of.__code__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ publication.__struct_config__ }}",
    "{{ publication.__class__ }}",
    "{{ words.__init__ }}",
    "{{ '{0.__class__.__init__.__globals__}'.format(publication) }}",
    "{{ '{a.__class__}'.format_map({'a': publication}) }}",
    "{{ [].append(1) }}",
    "{{ {}.update({}) }}",
    "{{ (publication.title.__add__)('x') }}",
    "{% set x = publication.__reduce__() %}",
    "{{ config }}",
    "{{ request }}",
    "{{ open('/etc/passwd').read() }}",
    "{{ __import__('os') }}",
    "{{ range(10**9)|list }}",
]
READINGS = [
    "{% include '../publisher.toml' %}",
    "{% include '../../publisher.toml' %}",
    "{% include '/etc/passwd' %}",
    "{% include 'pages/../../publisher.toml' %}",
    "{% include ['/etc/passwd', '../publisher.toml'] %}",
    "{% import '../publisher.toml' as x %}",
    "{% from '/etc/passwd' import root %}",
    "{% extends '../publisher.toml' %}",
    "{% include 'publisher.toml' %}",
    "{% include 'file:///etc/passwd' %}",
]
DEFECTS = [
    ("{% if %}", "Expected an expression"),
    ("{{ missing }}", "'missing' is undefined"),
    ("{{ 1 / 0 }}", "ZeroDivisionError"),
    ("{{ 'x'.encode('utf-9') }}", "LookupError"),
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "RecursionError"),
    ("{{ 'x'|nosuchfilter }}", "nosuchfilter"),
]


@pytest.fixture
def built(world: World) -> World:
    world.issue("2026-01-05")
    world.build()
    return world


def refused(world: World, text: str) -> list[tuple[str | None, int | None, str]]:
    """Build with a footer of this text below a first line; nothing may change."""
    before = world.files()
    world.write(FOOTER, f"<footer>\n{text}</footer>\n")
    report = world.build()
    assert report.is_refused
    assert {problem.rule for problem in report.problems} == {"template-broken"}
    assert world.files() == before
    return [(p.file, p.line, p.message) for p in report.problems]


@pytest.mark.parametrize("text", ESCAPES)
def test_no_way_leads_out_of_the_sandbox(world: World, text: str) -> None:
    """With what templates are really given: frozen values, and functions of ours."""
    given = {
        "publication": world.settings.as_publication(),
        "words": CATALOGUES.words("en"),
        "lang_of": direction,
    }
    template = make_templates({"pages/footer.html": text}).get_template("pages/footer.html")
    with pytest.raises((TemplateError, OverflowError)) as caught:
        template.render(given)
    assert "uid=" not in str(caught.value)
    assert "root:" not in str(caught.value)


@pytest.mark.parametrize("text", READINGS)
def test_no_file_but_a_template_can_be_named(text: str) -> None:
    template = make_templates({"pages/footer.html": text}).get_template("pages/footer.html")
    with pytest.raises(TemplateNotFound):
        template.render()


@pytest.mark.parametrize("text", [ESCAPES[0], ESCAPES[2], READINGS[0], READINGS[1]])
def test_who_tries_is_named(built: World, text: str) -> None:
    [(file, line, message)] = refused(built, text)
    assert (file, line) == (FOOTER, 2)
    assert "unsafe" in message or "there is no template" in message


@pytest.mark.parametrize("text", [*READINGS[:2], "{{ [1]|map(attribute='__class__')|list }}"])
def test_what_a_template_may_miss_shows_nothing(built: World, text: str) -> None:
    built.write(FOOTER, text.replace("' %}", "' ignore missing %}"))
    assert not built.build().is_refused
    assert "tag:daily.example" not in built.read("index.html")
    assert "class" not in built.read("index.html").rpartition("</main>")[2]


@pytest.mark.parametrize(("text", "message"), DEFECTS)
def test_a_broken_template_is_named_with_its_line(built: World, text: str, message: str) -> None:
    [(file, line, said)] = refused(built, text)
    assert (file, line) == (FOOTER, 2)
    assert message in said
    assert "\n" not in said
    built.write(FOOTER, "<footer>Well</footer>")
    assert not built.build().is_refused
    assert "Well" in built.read("index.html")


def test_a_broken_message_template_is_named_too(built: World) -> None:
    built.write("templates/email/message.txt", "{{ issue.title }}\n{{ issue.nothing }}\n")
    report = built.build()
    [problem] = report.problems
    assert (problem.rule, problem.file, problem.line) == (
        "template-broken",
        "templates/email/message.txt",
        2,
    )


def test_an_empty_template_is_a_template(built: World) -> None:
    built.write(FOOTER, "")
    assert not built.build().is_refused


def test_only_the_file_that_is_replaced_is_replaced(built: World) -> None:
    built.write(FOOTER, "<footer>Only this</footer>")
    built.write("templates/pages/.footer.html.swp", b"\xff")
    built.write("templates/pages/footer.html~", "{% broken")
    built.write("templates/readme.pdf", b"\xff")
    built.build()
    page = built.read("index.html")
    assert "Only this" in page
    assert "<main" in page


def test_text_of_an_issue_is_no_template_of_theirs(built: World) -> None:
    built.write(FOOTER, "{{ publication.description }}|{{ publication.title|safe }}")
    text = SETTINGS.replace("The Test Daily", "{{ 7*7 }}<b>", 1)
    built.write("publisher.toml", text.replace("[email]", 'description = "{{ 7*7 }}<i>"\n[email]'))
    built.build()
    assert "{{ 7*7 }}&lt;i&gt;|{{ 7*7 }}<b>" in built.read("index.html")


@pytest.mark.parametrize(
    "subject", ["{{ ''.__class__ }}", "{% include '/etc/passwd' %}", "{{ x", "{{ x }}", "{{ 1/0 }}"]
)
def test_the_subject_is_in_the_sandbox_too(built: World, subject: str) -> None:
    before = built.files()
    built.write("publisher.toml", f'{SETTINGS}subject = "{subject}"\n')
    with pytest.raises(SettingsError, match=r"^publisher\.toml: email\.subject") as caught:
        built.build()
    assert "root:" not in str(caught.value)
    assert built.files() == before


@pytest.mark.parametrize("link", ["templates", "templates/pages", FOOTER])
def test_a_link_among_templates_is_refused(built: World, tmp_path: Path, link: str) -> None:
    (tmp_path / "outside/pages").mkdir(parents=True)
    (tmp_path / "outside/pages/footer.html").write_text("STOLEN")
    (built.folder / link).parent.mkdir(parents=True, exist_ok=True)
    target = tmp_path / "outside" / link.removeprefix("templates").strip("/")
    (built.folder / link).symlink_to(target)
    before = built.files()
    with pytest.raises(PublisherError, match=f"^{link} cannot be used as a template: it is a link"):
        built.build()
    assert built.files() == before


def test_a_template_that_is_no_text_is_refused(built: World) -> None:
    built.write(FOOTER, b"<footer>\xe9</footer>")
    with pytest.raises(PublisherError, match=r"pages/footer\.html is no UTF-8 text"):
        built.build()


def test_a_pipe_among_templates_is_refused_without_waiting(built: World) -> None:
    (built.folder / FOOTER).parent.mkdir(parents=True)
    os.mkfifo(built.folder / FOOTER)
    with pytest.raises(PublisherError, match="no regular file"):
        built.build()


def test_a_byte_order_mark_is_no_part_of_a_template(built: World) -> None:
    built.write(FOOTER, b"\xef\xbb\xbf<footer>Marked</footer>")
    built.build()
    assert "\ufeff" not in built.read("index.html")
