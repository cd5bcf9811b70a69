"""The site's and the message's own bytes -> what a browser shows of them here. Pure functions."""

import re
from functools import lru_cache
from html import escape, unescape
from typing import Literal

Scheme = Literal["light", "dark"]

# Where a URL may stand in HTML and CSS; words that merely look like a URL stay as they are.
_PLACES = (
    r"""\s(?:action|data|href|poster|src|srcset)\s*=\s*["']?\s*|url\(\s*["']?\s*"""
    r"""|\scontent\s*=\s*["']\d+;\s*url=\s*"""  # where a moved page goes on to
)
_STYLE = re.compile(r"(<style\b[^>]*>)(.*?)(</style>)", re.DOTALL | re.IGNORECASE)
_FEATURE = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_SCHEMES = re.compile(r"(?<![\w-])color-scheme\s*:[^;}]*", re.IGNORECASE)
_META = re.compile(r"""(<meta\s+name=["']?color-scheme["']?\s+content=)["'][^"']*["']""")
_LEAVING_LINK = re.compile(r"""<a\s(?=[^>]*?\bhref=(?:["'](?!#)|[^"'#\s>]))""")
_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL | re.IGNORECASE)


@lru_cache(maxsize=8)
def _own_urls(base: str) -> re.Pattern[str]:
    end = r"""["'?#\s>)]"""
    # A path follows, and stays; or nothing does, and the home page is meant.
    return re.compile(
        rf"({_PLACES}){re.escape(escape(base))}(?:(?P<path>(?=/[^\"'?#\s>)]))|/?(?={end}))",
        re.IGNORECASE,
    )


def localise(html: str, base: str) -> str:
    """Point the publication's absolute URLs, which begin with `base`, to this server."""
    return _own_urls(base).sub(
        lambda match: match[1] + ("" if match["path"] is not None else "/index.html"), html
    )


def stay_on_page(html: str, path: str) -> str:
    """Make links to anchors of the page at `path` plain fragments, and open others elsewhere.

    For pages in a frame, which show one thing and lead nowhere else. The anchor of a version is on
    the issue's page alone.
    """
    html = re.sub(rf"""(\shref=["']?){re.escape(path)}(?=#)(?!#v-)""", r"\1", html)
    return _LEAVING_LINK.sub('<a target="_blank" ', html)


def force_scheme(html: str, scheme: Scheme) -> str:
    """Show a document in its light or its dark colours, whichever the system prefers."""

    def feature(match: re.Match[str]) -> str:
        # Queries that always and never match, which may stand within larger ones.
        return "(min-width: 0)" if match[1].lower() == scheme else "(max-width: 0)"

    def style(match: re.Match[str]) -> str:
        css = _SCHEMES.sub(f"color-scheme: {scheme}", _FEATURE.sub(feature, match[2]))
        return f"{match[1]}{css}{match[3]}"

    return _STYLE.sub(style, _META.sub(rf'\1"{scheme}"', html))


def add_script(html: str, src: str, version: str) -> str:
    """Add the script that reloads a page of the site when it was made anew."""
    element = f'<script src="{src}" data-version="{version}" defer></script>\n'
    match = _HEAD_END.search(html)
    place = match.start() if match else len(html)
    return html[:place] + element + html[place:]


def title_of(html: str) -> str:
    """A document's title: in the message, its subject."""
    match = _TITLE.search(html)
    return " ".join(unescape(match[1]).split()) if match else ""
