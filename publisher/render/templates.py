"""Jinja2, sandboxed: a publication's own templates replace the packaged ones, file by file."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment

# Templates' names in tracebacks and problems begin so.
TEMPLATE_PREFIX = "templates/"


class _Loader(BaseLoader):
    """Knows the sources that were handed in, each with a file name for what goes wrong in it."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        if template not in self.sources:
            raise TemplateNotFound(template)
        return self.sources[template], f"{TEMPLATE_PREFIX}{template}", lambda: True


class _Sandbox(ImmutableSandboxedEnvironment):
    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read a field of our own frozen values without the sandbox's search for dangers.

        They hold data only; names with an underscore go the long way and are refused there. This
        halves the time of a page.
        """
        if isinstance(obj, msgspec.Struct) and attribute[:1] != "_" and hasattr(obj, attribute):
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)


def make_templates(sources: Mapping[str, str]) -> ImmutableSandboxedEnvironment:
    """Compile templates from their sources, by path relative to `templates/`.

    Sources are handed in, so no template can name a file outside them. Everything printed is
    escaped, and a name that does not exist is an error rather than a silent gap.
    """
    return _make_templates(tuple(sorted(sources.items())))


# A preview builds again and again with the same templates; to compile them takes 100 ms.
@lru_cache(maxsize=2)
def _make_templates(sources: tuple[tuple[str, str], ...]) -> ImmutableSandboxedEnvironment:
    return _Sandbox(
        loader=_Loader(dict(sources)),
        autoescape=lambda name: name is None or not name.endswith(".txt"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
