"""An OPML list -> the sources in it, in its order, each once."""

from publisher.sources.addresses import absolute_url, page_key
from publisher.sources.markup import decode_document, parse_xml
from publisher.sources.model import Source, UnreadableError
from publisher.sources.words import clean

# Nobody prunes the draft of more.
MOST_SOURCES = 500
_MOST_NAME = 80


def is_opml(data: bytes) -> bool:
    """Tell a list from a feed by how it begins."""
    return b"<opml" in data[:2_000].lower()


def read_opml(data: bytes) -> tuple[list[Source], list[str]]:
    """The feeds that a list names, and those of its lines that name none that can be read.

    Raises UnreadableError where it is no list.
    """
    root = parse_xml(decode_document(data))
    if not isinstance(root.tag, str) or root.tag.lower() != "opml":
        raise UnreadableError("it is no OPML")
    sources: dict[str, Source] = {}
    wrong = []
    for outline in root.iter("outline"):
        said = {name.lower(): value for name, value in outline.attrib.items()}
        if "xmlurl" not in said:
            continue  # a heading
        url = absolute_url("", said["xmlurl"])
        if not url:
            written = said["xmlurl"] or "an empty one"
            wrong.append(f"line {outline.sourceline}: {clean(written)[:100]} is no http(s) URL")
            continue
        name = clean(said.get("text") or said.get("title") or "")[:_MOST_NAME]
        sources.setdefault(page_key(url), Source(url, name))
    if len(sources) > MOST_SOURCES:
        raise UnreadableError(f"it names {len(sources):,} feeds; {MOST_SOURCES} are the most")
    return list(sources.values()), wrong
