"""What every HTML document owes its readers, be it the message or a page."""

from collections.abc import Iterator
from itertools import pairwise

from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.preflight.markup import Tag, addresses, heading_levels, is_relative


def check_outline(document: str, markup: str, tags: list[Tag], path: str) -> Iterator[Problem]:
    """Look at a document's head, headings, images and addresses; `document` is its name."""
    yield from _check_head(document, markup, tags, path)
    levels = heading_levels(tags)
    if (count := levels.count(1)) != 1:
        yield problem("outline-h1", path, None, document=document, found=count)
    jumps = {(previous, level) for previous, level in pairwise(levels) if level > previous + 1}
    for previous, level in sorted(jumps):
        yield problem("outline-jump", path, None, document=document, previous=previous, level=level)
    yield from _check_images(document, tags, path)
    yield from _check_addresses(document, tags, path)


def _check_head(document: str, markup: str, tags: list[Tag], path: str) -> Iterator[Problem]:
    if not markup.lstrip()[:14].lower().startswith("<!doctype html"):
        yield problem("doctype-missing", path, None, document=document)
    names = {tag.name: tag for tag in reversed(tags)}
    if "html" not in names or not names["html"].attributes.get("lang", "").strip():
        yield problem("lang-missing", path, None, document=document)
    if "title" not in names or not names["title"].text.strip():
        yield problem("title-element-missing", path, None, document=document)
    if not any(tag.name == "meta" and _names_charset(tag) for tag in tags):
        yield problem("charset-missing", path, None, document=document)


def _names_charset(tag: Tag) -> bool:
    content = tag.attributes.get("content", "").lower()
    return tag.attributes.get("charset", "").lower() == "utf-8" or "charset=utf-8" in content


def _check_images(document: str, tags: list[Tag], path: str) -> Iterator[Problem]:
    images = [tag.attributes for tag in tags if tag.name == "img"]
    sources = dict.fromkeys(image.get("src", "") for image in images if "alt" not in image)
    for src in sources:
        yield problem("markup-alt-missing", path, None, document=document, src=src)


def _check_addresses(document: str, tags: list[Tag], path: str) -> Iterator[Problem]:
    found = {url: tag for tag, url in addresses(tags)}
    for url, tag in found.items():
        # Browsers skip these characters: java\nscript: is a script too (WHATWG URL, 4.4).
        bare = "".join(url.split()).lower()
        if bare.startswith("javascript:"):
            yield problem("url-javascript", path, None, what=f"{document}'s link", found=url)
        # The policy of pages allows scripts from where they are themselves, wherever that is.
        elif is_relative(url) and tag.name != "script":
            yield problem("markup-url-relative", path, None, document=document, found=url)
