"""A document -> a feed, whichever of the formats it is in."""

from publisher.sources.addresses import absolute_url
from publisher.sources.json_feed import read_json_feed
from publisher.sources.markup import decode_document, parse_xml
from publisher.sources.model import Feed, UnreadableError
from publisher.sources.xml_feed import local_name, read_atom, read_rss


def read_feed(data: bytes, content_type: str = "", url: str = "") -> Feed:
    """Read RSS (also 0.9 and 1.0), Atom or a JSON Feed; relative links are resolved against `url`.

    Raises UnreadableError, which says what it is instead.
    """
    text = decode_document(data, content_type).lstrip("\ufeff \t\r\n")
    if not text:
        raise UnreadableError("it is empty")
    if text.startswith("{"):
        return read_json_feed(text, url)
    root = parse_xml(text, url)
    match local_name(root):
        case "rss" | "RDF":
            return read_rss(root)
        case "feed":
            return read_atom(root)
        case "opml":
            raise UnreadableError("it is a list of feeds (OPML), no feed")
        case "html" | "HTML" | "head" | "body":
            raise UnreadableError(f"it is a web page, no feed{_find_feed(text, url)}")
        case name:
            raise UnreadableError(f"it is no feed: it begins with <{name[:40]}>")


def _find_feed(text: str, url: str) -> str:
    """The feed that a page names, as a hint."""
    from lxml import html

    try:
        page = html.fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8"))
    except (ValueError, html.etree.ParserError, html.etree.XMLSyntaxError):
        return ""
    for link in page.iter("link"):
        is_feed = link.get("type", "").endswith(("rss+xml", "atom+xml", "feed+json"))
        if is_feed and (found := absolute_url(url, link.get("href", ""))):
            return f"; it says that its feed is {found}"
    return ""
