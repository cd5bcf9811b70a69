"""The publication's feeds -> OPML 2.0, so that a reader subscribes to them in one go."""

from collections.abc import Iterable

from markupsafe import escape


def render_opml(title: str, feeds: Iterable[tuple[str, str, str]]) -> bytes:
    """Render a subscription list in UTF-8; `feeds` are (title, URL of the feed, URL of its page).

    The type is `rss` for Atom too: OPML 2.0 calls every subscription so.
    """
    outlines = "".join(
        f'  <outline type="rss" text="{escape(name)}" title="{escape(name)}"'
        f' xmlUrl="{escape(xml_url)}" htmlUrl="{escape(html_url)}"/>\n'
        for name, xml_url, html_url in feeds
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n'
        f" <head>\n  <title>{escape(title)}</title>\n </head>\n"
        f" <body>\n{outlines} </body>\n</opml>\n"
    ).encode()
