"""The pages that issues and drafts link to, wherever a link stands in their files."""

import html
import re
from pathlib import Path, PurePath

from publisher.intake.text import MAX_BYTES
from publisher.site.scan import read_file, scan_issues
from publisher.sources.addresses import absolute_url, page_key

_URL = re.compile(r"https?://[^\s<>\"'`|\\\x00-\x1f]+", re.IGNORECASE)
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def find_linked(folder: Path) -> dict[str, str]:
    """The NAMEs of issues by the keys of the pages that they link to, the newest NAME of several.

    Files are searched as they are, so that a draft with errors counts too.
    """
    linked: dict[str, str] = {}
    for file in sorted(scan_issues(folder), key=lambda each: each.path):
        if file.problem:
            continue
        try:
            text = read_file(folder, file.path, MAX_BYTES).decode("utf-8", "replace")
        except OSError:  # it is gone since it was listed, or `check` says what is wrong with it
            continue
        slug = PurePath(file.path).stem
        for written in set(_URL.findall(text)):
            url = absolute_url("", _without_end(html.unescape(written)))
            if url:
                linked[page_key(url)] = slug
    return linked


def _without_end(url: str) -> str:
    """A URL without the marks of the text around it: a bracket is one where none was opened."""
    while url:
        last = url[-1]
        is_around = last in _BRACKETS and url.count(last) > url.count(_BRACKETS[last])
        if last not in ".,;:!?*_~。，；：！？）】」" and not is_around:
            return url
        url = url[:-1]
    return url
