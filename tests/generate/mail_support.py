"""Make publisher/preflight/mail_support.py from the data of npm's `caniemail`.

    npm pack caniemail
    python tests/generate/mail_support.py caniemail-1.0.5.tgz > publisher/preflight/mail_support.py

(`make mail-support` does both.) The table says, for each CSS property, value, function and unit,
HTML element and image format, which of the clients below do not support it in their newest
version. What they support in part is left out: the notes say in words what is missing, which no
program can judge.
"""

import json
import re
import sys
import tarfile
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

# The clients that most mail is read with, by family and platform as the data has them.
CLIENTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "gmail": ("Gmail", {"desktop-webmail": "web", "ios": "iOS", "android": "Android"}),
    "outlook": (
        "Outlook",
        {
            "windows": "Windows",
            "macos": "macOS",
            "outlook-com": "web",
            "ios": "iOS",
            "android": "Android",
        },
    ),
    "apple-mail": ("Apple Mail", {"macos": "macOS", "ios": "iOS"}),
    "yahoo": ("Yahoo Mail", {"desktop-webmail": "web", "ios": "iOS", "android": "Android"}),
    "samsung-email": ("Samsung Email", {"android": "Android"}),
}

# Features of the data that stand for several properties of CSS.
GROUPS = {
    "css-block-inline-size": "block-size inline-size",
    "css-border-inline-block": "border-inline border-block",
    "css-border-radius-logical": (
        "border-start-start-radius border-start-end-radius border-end-start-radius "
        "border-end-end-radius"
    ),
    "css-column-layout-properties": (
        "columns column-count column-fill column-rule column-span column-width"
    ),
    "css-gap": "gap column-gap row-gap",
    "css-grid-template": (
        "grid-template grid-template-areas grid-template-columns grid-template-rows"
    ),
    "css-inset": "inset inset-block inset-inline inset-inline-start inset-inline-end",
    "css-left-right-top-bottom": "left right top bottom",
    "css-margin-block-start-end": "margin-block-start margin-block-end",
    "css-margin-inline-block": "margin-inline margin-block",
    "css-margin-inline-start-end": "margin-inline-start margin-inline-end",
    "css-padding-block-start-end": "padding-block-start padding-block-end",
    "css-padding-inline-block": "padding-inline padding-block",
    "css-padding-inline-start-end": "padding-inline-start padding-inline-end",
}
VALUES = {
    "css-display-flex": ("display:flex", "display:inline-flex"),
    "css-display-grid": ("display:grid", "display:inline-grid"),
    "css-display-none": ("display:none",),
    "css-flex-direction": ("flex-direction:column",),
    "css-flex-wrap": ("flex-wrap:wrap",),
    "css-position": ("position:absolute", "position:fixed", "position:relative", "position:sticky"),
}
FUNCTIONS = {
    "css-modern-color": ("lch", "oklch", "lab", "oklab"),
    "css-unit-calc": ("calc",),
    "css-variables": ("var",),
}
ELEMENTS = {
    "html-address": ("address",),
    "html-image-maps": ("map",),
    "html-lists": ("ul", "ol", "dl"),
    "html-svg": ("svg",),
    "html-semantics": (
        *("article", "aside", "details", "figcaption", "figure", "footer", "header", "main"),
        *("mark", "nav", "section", "summary", "time"),
    ),
    "html-button-submit": ("button",),
    "html-input-text": ("input",),
}
IMAGES = {
    "image-heif": ("heic", "heif"),
    "image-jpg": ("jpg", "jpeg"),
    "image-tiff": ("tif", "tiff"),
}
# Not a thing that a file's name tells.
NO_FORMAT = {"apng", "base64", "hdr", "mp4"}


def lacking(feature: Mapping[str, Any]) -> str:
    """Say which clients lack a feature: a family, with its platforms where some have it."""
    families = []
    for family, (name, platforms) in CLIENTS.items():
        tested = feature["stats"].get(family, {})
        lack = [shown for key, shown in platforms.items() if _newest(tested.get(key)) == "n"]
        if len(lack) == len(platforms):
            families.append(name)
        elif lack:
            families.append(f"{name} ({', '.join(lack)})")
    return ", ".join(families)


def _newest(versions: Mapping[str, str] | None) -> str:
    """The first letter of the newest version's result; the data has the oldest version first."""
    return [*versions.values()][-1][0] if versions else "u"


def keys(feature: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The tables and keys that a feature of the data stands for here."""
    slug, title = feature["slug"], feature["title"]
    name = slug.partition("-")[2]
    for table, known in (("VALUES", VALUES), ("FUNCTIONS", FUNCTIONS)):
        yield from ((table, key) for key in known.get(slug, ()))
    if slug in GROUPS:
        yield from (("PROPERTIES", key) for key in GROUPS[slug].split())
    elif "individual" in title or "longhand" in title:
        yield from (("PROPERTIES", key) for key in feature["keywords"].split(", "))
    elif feature["category"] == "css":
        yield from _css_keys(slug, name, title)
    elif feature["category"] == "html":
        found = re.fullmatch(r"<(\w+)>(?: element)?", title)
        elements = ELEMENTS.get(slug, (found[1],) if found else ())
        yield from (("ELEMENTS", key) for key in elements)
    elif feature["category"] == "image" and name not in NO_FORMAT:
        yield from (("IMAGE_FORMATS", key) for key in IMAGES.get(slug, (name,)))


def _css_keys(slug: str, name: str, title: str) -> Iterator[tuple[str, str]]:
    if slug.startswith(("css-pseudo-", "css-selector-")):
        return  # selectors stand in style blocks alone, where clients take what they know
    if slug.startswith("css-unit-"):
        if title.endswith(" unit") and name not in ("unit-percent", "unit-initial"):
            yield "UNITS", title.removesuffix(" unit")
    elif slug.startswith("css-at-") and not title.startswith("@media"):
        yield "AT_RULES", title
    elif found := re.fullmatch(r"([a-z-]+)\(\)", title):
        yield "FUNCTIONS", found[1]
    elif slug not in VALUES and slug not in FUNCTIONS:
        plain = re.sub(r" (?:property|shorthand|CSS property)$", "", title).strip()
        if re.fullmatch(r"[a-z]+(?:-[a-z]+)*", plain):
            yield "PROPERTIES", plain


HEADER = '''\
"""Which mail clients lack which HTML, CSS and image formats.

Made by tests/generate/mail_support.py; change that, not this. From the data of caniemail.com
as of {date} (npm package caniemail {version}), under the MIT licence: copyright (c) 2019
HTeuMeuLeu, (c) Avi Goldman, (c) Andrew Powell.

Each table gives, for what some of the clients in CLIENTS lack in their newest version, who they
are: a family, with its platforms where the others have it. What a client supports in part does
not count as lacking.
"""

from collections.abc import Mapping

VERSION = "{version}"
DATE = "{date}"
'''


def write(data: Mapping[str, Any], version: str) -> str:
    """Write the module."""
    names = ("PROPERTIES", "VALUES", "FUNCTIONS", "UNITS", "AT_RULES", "ELEMENTS", "IMAGE_FORMATS")
    tables: dict[str, dict[str, str]] = {name: {} for name in names}
    for feature in data["data"]:
        if clients := lacking(feature):
            for name, key in keys(feature):
                tables[name].setdefault(key, clients)
    lines = [HEADER.format(date=data["last_update_date"][:10], version=version)]
    shown = [f"{name} ({', '.join(platforms.values())})" for name, platforms in CLIENTS.values()]
    lines += ["CLIENTS = (", *(f'    "{client}",' for client in shown), ")"]
    for name, table in tables.items():
        lines += ["", f"{name}: Mapping[str, str] = {{"]
        lines += [_entry(key, table[key]) for key in sorted(table)]
        lines += ["}"]
    return "\n".join(lines) + "\n"


def _entry(key: str, clients: str) -> str:
    if len(line := f'    "{key}": "{clients}",') <= 100:
        return line
    # The spaces between the pieces belong to the text.
    pieces = textwrap.wrap(clients, 85, drop_whitespace=False)
    return "\n".join((f'    "{key}": (', *(f'        "{piece}"' for piece in pieces), "    ),"))


def main() -> None:
    with tarfile.open(sys.argv[1]) as archive:
        read = {
            name: json.load(archive.extractfile(f"package/{name}"))  # type: ignore[arg-type]
            for name in ("package.json", "data/caniemail.json")
        }
    sys.stdout.write(write(read["data/caniemail.json"], read["package.json"]["version"]))


if __name__ == "__main__":
    main()
