"""Jinja2, sandboxed: a publication's own templates replace the packaged ones, file by file."""

import re
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
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

# Templates' names in tracebacks and problems begin so.
TEMPLATE_PREFIX = "templates/"
# Where the functions come from that templates may call.
_OWN_MODULES = frozenset(
    f"publisher.render.{name}" for name in ("frame", "templates", "text", "wrap")
)
_KEPT_LENGTH = 200
# A field of a phrase that is filled in with a value as it is.
_FIELD = re.compile(r"\{([^\W\d]\w*)\}")


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
        elif attribute == "format" and type(obj) in (str, Markup) and (parts := _read_phrase(obj)):
            return _fill_in(type(obj), parts)
        return super().getattr(obj, attribute)

    def call(__self, __context: Context, __obj: Any, *args: Any, **named: Any) -> Any:  # noqa: N805
        """Call a template's macro or a function of ours directly; others as the sandbox allows."""
        if type(__obj) is Macro:  # it is told in this way whether to escape
            args = (__context.eval_ctx, *args)
        elif type(__obj) is not FunctionType or __obj.__module__ not in _OWN_MODULES:
            return super().call(__context, __obj, *args, **named)
        for name in ("_loop_vars", "_block_vars"):  # Jinja's own, which it takes off itself
            named.pop(name, None)
        return __obj(*args, **named)

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
            self.ready[name] = _quicken(super().get_template(name, parent))
        return self.ready[name]


def _quicken(template: Template) -> Template:
    """Let a template escape what it prints, and copy its globals, faster than Jinja does."""
    template.root_render_func.__globals__["escape"] = _print
    template.globals = dict(template.globals)
    return template


def _print(value: Any) -> str:
    """Escape what a template prints."""
    if type(value) is str and len(value) <= _KEPT_LENGTH:
        return _escape(value)
    return value if type(value) is Markup else escape(value)


# Most of what pages say is short and said again and again: words, addresses, names.
_escape = lru_cache(maxsize=4096)(escape)


@lru_cache(maxsize=1024)
def _read_phrase(form: str) -> tuple[str, ...]:
    """A phrase's text and its fields' names in turn; nothing where it has any other braces."""
    parts = _FIELD.split(str(form))
    return () if any("{" in text or "}" in text for text in parts[::2]) else tuple(parts)


def _fill_in(kind: type[str], parts: tuple[str, ...]) -> Callable[..., str]:
    """What `format` does with a phrase that has named fields alone, ten times faster."""

    def fill_in(**values: Any) -> str:
        write = escape if kind is Markup else str
        filled = [write(values[part]) if place % 2 else part for place, part in enumerate(parts)]
        return kind("".join(filled))

    return fill_in


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
