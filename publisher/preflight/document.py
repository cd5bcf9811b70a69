"""The catalogue as a page of the documentation: `python -m publisher.preflight.document`."""

import re
import sys

from publisher.preflight.catalogue import GROUPS, Rule
from publisher.preflight.mail_support import CLIENTS, DATE
from publisher.preflight.message import CRITICAL_ELEMENTS, GRACEFUL_ELEMENTS
from publisher.preflight.styles import CRITICAL, GRACEFUL

_OPENING = """\
# The rules of `publisher check`

<!-- Made from the catalogue by `make rules`; change publisher/preflight/rules/ instead. -->

Every diagnostic has a name, a level, a reason and a remedy. An *error* stops a build and a \
sending; a *warning* and an *info* never do. `publisher check` finds them all at once.
"""


def write_document() -> str:
    """Write docs/rules.md: a table of contents, then each rule in its group."""
    pieces = [_OPENING, *_contents()]
    for title, rules in GROUPS:
        pieces += [f"\n## {title}\n", *map(_section, rules)]
    return "\n".join((*pieces, *_mail_clients()))


def _contents() -> list[str]:
    lines = ["| rule | level | |", "|---|---|---|"]
    for title, rules in GROUPS:
        lines += [f"| [`{r.name}`](#{r.name}) | {r.level} | {title} |" for r in rules]
    return lines


def _section(rule: Rule) -> str:
    lines = [
        f"### {rule.name}",
        "",
        f"*{rule.level}*: {_quote(rule.message)}",
        "",
        f"{_escape(rule.reason)}",
        "",
        f"**What to do:** {_quote(rule.fix)}",
    ]
    if rule.reference:
        lines += ["", f"See <{rule.reference}>."]
    return "\n".join((*lines, ""))


def _quote(text: str) -> str:
    """Show a format string as its reader will see it: what is filled in stands in ‹›."""
    shown = re.sub(r"(?<!\{)\{(\w+)(?:![rsa])?\}(?!\})", r"‹\1›", text)
    return _escape(shown.replace("{{", "{").replace("}}", "}"))


def _escape(text: str) -> str:
    """Keep Markdown from taking `<` and `*` for its own, except in code, where it does not."""
    pieces = text.split("`")
    return "`".join(
        piece if index % 2 else piece.replace("<", "\\<").replace("*", "\\*")
        for index, piece in enumerate(pieces)
    )


def _mail_clients() -> list[str]:
    return [
        "\n## What mail clients support\n",
        f"From the data of <https://www.caniemail.com> as of {DATE}, for {', '.join(CLIENTS)}.\n",
        "Layout-critical elements, each an error:\n",
        *(f"- `<{name}>`: {why}" for name, why in CRITICAL_ELEMENTS.items()),
        '- `<link rel="stylesheet">`: most clients never fetch it',
        "\nLayout-critical styles, each an error:\n",
        *(f"- `{style}`: {why}" for style, why in CRITICAL.items()),
        "\nNot reported, since nothing is lost where they are missing: the elements "
        f"{_list(GRACEFUL_ELEMENTS)}, and the properties {_list(GRACEFUL)}.\n",
    ]


def _list(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


if __name__ == "__main__":
    sys.stdout.write(write_document())
