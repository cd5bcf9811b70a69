"""What is wrong with a page of the site, as a publication's own templates may make it."""

from collections import Counter
from collections.abc import Iterator

from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.preflight.markup import Tag, read_tags
from publisher.preflight.outline import check_outline

# Scripts of these types are data, which the Content-Security-Policy lets be.
_DATA_TYPES = {"application/ld+json", "application/json"}


def check_page(html: bytes, path: str) -> list[Problem]:
    """Find what is wrong with a page in UTF-8; `path` is what a problem names as its file."""
    markup = html.decode("utf-8", "replace")
    tags = read_tags(markup)
    return [
        *check_outline("the page", markup, tags, path),
        *_check_policy(tags, path),
        *_check_anchors(tags, path),
    ]


def _check_policy(tags: list[Tag], path: str) -> Iterator[Problem]:
    """Find what the Content-Security-Policy of every page refuses."""
    scripts = [tag.attributes for tag in tags if tag.name == "script"]
    if any("src" not in script and script.get("type") not in _DATA_TYPES for script in scripts):
        yield problem("page-inline-script", path, None)
    handlers = {
        (tag.name, name) for tag in tags for name in tag.attributes if name.startswith("on")
    }
    for element, name in sorted(handlers):
        yield problem("page-event-attribute", path, None, element=element, found=name)
    styled = {f"style attributes on <{tag.name}>" for tag in tags if "style" in tag.attributes}
    if any(tag.name == "style" for tag in tags):
        styled.add("a <style> element")
    for found in sorted(styled):
        yield problem("page-inline-style", path, None, found=found)


def _check_anchors(tags: list[Tag], path: str) -> Iterator[Problem]:
    ids = Counter(tag.attributes["id"] for tag in tags if "id" in tag.attributes)
    for id_, count in ids.items():
        if count > 1:
            yield problem("page-id-repeated", path, None, found=id_)
    names = {tag.attributes["name"] for tag in tags if tag.name == "a" and "name" in tag.attributes}
    links = dict.fromkeys(tag.attributes.get("href", "").strip() for tag in tags if tag.name == "a")
    for href in links:
        # "#" and "#top" lead to the beginning of every page (HTML, 7.4.6.4).
        if href.startswith("#") and href not in ("#", "#top") and not {href[1:]} & {*ids, *names}:
            yield problem("page-anchor-missing", path, None, found=href)
