"""Jinja2, sandboxed: a publication's own templates replace the packaged ones, file by file."""

from collections.abc import Callable, Mapping, MutableMapping
from functools import lru_cache
from types import FunctionType
from typing import Any

import msgspec
from jinja2 import (
    BaseLoader,
    BytecodeCache,
    Environment,
    StrictUndefined,
    Template,
    TemplateNotFound,
)
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

# Templates' names in tracebacks and problems begin so.
TEMPLATE_PREFIX = "templates/"
# Where the functions come from that templates may call.
_OWN_MODULES = frozenset({"publisher.render.frame"})


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
    """The sandbox, with short ways for what we hand in ourselves: half the time of a page."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.ready: dict[str, Template] = {}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read a field of our own frozen values without a search for dangers: they hold data only.

        Names with an underscore go the long way, and are refused there.
        """
        if isinstance(obj, msgspec.Struct) and attribute[:1] != "_":
            try:
                return getattr(obj, attribute)
            except AttributeError:
                pass
        return super().getattr(obj, attribute)

    def call(__self, __context: Context, __obj: Any, *args: Any, **named: Any) -> Any:  # noqa: N805
        """Call a function of ours directly; all others as the sandbox allows."""
        if isinstance(__obj, FunctionType) and __obj.__module__ in _OWN_MODULES:
            for name in ("_loop_vars", "_block_vars"):  # Jinja's own, which it takes off itself
                named.pop(name, None)
            return __obj(*args, **named)
        return super().call(__context, __obj, *args, **named)

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,
    ) -> Template:
        """Give a template that is compiled already at once: sources never change."""
        if not isinstance(name, str) or globals is not None:
            return super().get_template(name, parent, globals)
        if name not in self.ready:
            self.ready[name] = super().get_template(name, parent)
        return self.ready[name]


def make_templates(
    sources: Mapping[str, str], compiled: BytecodeCache | None = None
) -> ImmutableSandboxedEnvironment:
    """Compile templates from their sources, by path relative to `templates/`.

    Sources are handed in, so no template can name a file outside them. Everything printed is
    escaped, and a name that does not exist is an error rather than a silent gap. What is `compiled`
    already is taken from there.
    """
    return _make_templates(tuple(sorted(sources.items())), compiled)


# A preview builds again and again with the same templates; to compile them takes 100 ms.
@lru_cache(maxsize=2)
def _make_templates(
    sources: tuple[tuple[str, str], ...], compiled: BytecodeCache | None
) -> ImmutableSandboxedEnvironment:
    return _Sandbox(
        loader=_Loader(dict(sources)),
        autoescape=lambda name: name is None or not name.endswith(".txt"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        bytecode_cache=compiled,
    )
