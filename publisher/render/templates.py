"""Jinja2, sandboxed: a publication's own templates replace the packaged ones, file by file."""

from collections.abc import Mapping

from jinja2 import DictLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment


def make_templates(sources: Mapping[str, str]) -> ImmutableSandboxedEnvironment:
    """Compile templates from their sources, by path relative to `templates/`.

    Sources are handed in, so no template can name a file outside them. Everything printed is
    escaped, and a name that does not exist is an error rather than a silent gap.
    """
    return ImmutableSandboxedEnvironment(
        loader=DictLoader(sources),
        autoescape=lambda name: name is None or not name.endswith(".txt"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
