"""The sandbox's short ways say what its long ways say."""

import pytest
from jinja2 import Environment
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from publisher.render.templates import make_templates

VALUES = {"name": "A & <b>", "safe": Markup("<i>x</i>"), "number": 7, "phrase": "{name}: {number}"}


def ours(source: str) -> str:
    return make_templates({"page.html": source}).get_template("page.html").render(VALUES)


def plainly(source: str) -> str:
    environment: Environment = ImmutableSandboxedEnvironment(autoescape=True)
    return environment.from_string(source).render(VALUES)


@pytest.mark.parametrize(
    "source",
    [
        "{{ phrase.format(name=name, number=number) }}",
        "{{ (phrase | e).format(name=name, number=safe) }}",
        "{{ (phrase | e).format(name=safe, number=none) }}",
        "{{ 'no field & none'.format(name=name) }}",
        "{{ '{{name}} {name}'.format(name=name) }}",
        "{{ '{0} {}'.format(name, number) if false else '{0}'.format(name) }}",
        "{{ '{number:03d} {name!r}'.format(number=number, name=name) }}",
        "{{ name }} {{ safe }} {{ number }} {{ name * 100 }}",
        "{% macro m(x) %}<p>{{ x }}</p>{% endmacro %}{{ m(name) }}{{ m(x=safe) ~ name }}",
        "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}{{ name }}{% endcall %}",
    ],
)
def test_it_is_printed_as_jinja_prints_it(source: str) -> None:
    assert ours(source) == plainly(source)


def test_a_phrase_reaches_no_attribute() -> None:
    with pytest.raises(SecurityError):
        ours("{{ '{name.__class__}'.format(name=name) }}")


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        ours("{{ phrase.format(name=name) }}")
