"""What fetches a feed, by its User-Agent: an aggregator that reads for many, a crawler, a reader.

Nothing in it can be proven. That an aggregator is known says only that its name is one that people
use; docs/website.md says what may be believed.
"""

import re
from functools import lru_cache

import msgspec

# How each names itself somewhere in its User-Agent, in lower case. None of the numbers has a
# standard: each is written as the aggregator likes.
_KNOWN = {
    "feedly": "Feedly",
    "newsblur": "NewsBlur",
    "inoreader": "Inoreader",
    "theoldreader": "The Old Reader",
    "feedbin": "Feedbin",
    "bazqux": "BazQux",
    "feed wrangler": "Feed Wrangler",
    "overcast": "Overcast",
    "bloglovin": "Bloglovin",
    "netvibes": "Netvibes",
    "feedspot": "Feedspot",
    "g2reader": "G2Reader",
    "livedoor": "livedoor Reader",
    "hanrss": "HanRSS",
    "feedblitz": "FeedBlitz",
    "feedfetcher-google": "Google",
}
KNOWN_AGGREGATORS = frozenset(_KNOWN.values())
# More than any feed has with any of them.
MOST_SUBSCRIBERS = 10_000_000

_NUMBER = re.compile(
    r"(?<![\w.,-])([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,9}) (?:subscribers?|readers?)\b", re.IGNORECASE
)
_FEED_ID = re.compile(r"feed-?id[=:] ?([0-9a-z]{1,40})|/site/([0-9]{1,20})/", re.IGNORECASE)
# `Name/1.0`, or a host's name, or else the first word that is not a browser's.
_PRODUCT = re.compile(r"(?<![\w./-])([a-z][\w.-]{1,39})(?:/|;)", re.IGNORECASE)
_WORD = re.compile(r"[a-z][\w.-]{1,39}", re.IGNORECASE)
_BROWSERS = {"mozilla", "compatible", "applewebkit", "gecko", "chrome", "safari", "version", "http"}
# What copies the web for a search engine or a model, looks for links to sell, or draws a preview.
_CRAWLER = re.compile(
    r"googlebot|google-extended|googleother|bingbot|adidxbot|msnbot|slurp|baiduspider|yandex\w*bot"
    r"|duckduckbot|applebot|sogou|360spider|haosouspider|petalbot|seznambot|yeti/|naverbot|exabot"
    r"|ia_archiver|archive\.org_bot|ccbot|gptbot|oai-searchbot|chatgpt-user|claudebot|claude-web"
    r"|anthropic-ai|perplexitybot|bytespider|amazonbot|meta-externalagent|facebookexternalhit"
    r"|facebookbot|twitterbot|linkedinbot|diffbot|ahrefsbot|semrushbot|mj12bot|dotbot|rogerbot"
    r"|blexbot|dataforseobot|serpstatbot|barkrowler|coccocbot|mojeekbot|qwantbot|qwantify",
    re.IGNORECASE,
)

# A site's readers use some hundred programs, and each looks some dozen times a day.
_REMEMBERED = 2_000


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How many read a feed by an aggregator; `feed_id` is the aggregator's own, or empty."""

    aggregator: str
    feed_id: str
    subscribers: int

    @property
    def is_known(self) -> bool:
        return self.aggregator in KNOWN_AGGREGATORS


@lru_cache(_REMEMBERED)
def read_report(agent: str) -> Report | None:
    """What an aggregator reports; None where there is no number, or one that cannot be."""
    number = _NUMBER.search(agent)
    if number is None or (subscribers := int(number[1].replace(",", ""))) > MOST_SUBSCRIBERS:
        return None
    feed_id = _FEED_ID.search(agent)
    return Report(
        aggregator=_name(agent),
        feed_id=(feed_id[1] or feed_id[2]).lower() if feed_id else "",
        subscribers=subscribers,
    )


@lru_cache(_REMEMBERED)
def is_crawler(agent: str) -> bool:
    """Tell whether it says that it reads for nobody."""
    return bool(_CRAWLER.search(agent))


def _name(agent: str) -> str:
    """The known name that comes first, since some say whom they are like; or its own."""
    lower = agent.lower()
    places = {place: word for word in _KNOWN if (place := lower.find(word)) >= 0}
    if places:
        return _KNOWN[places[min(places)]]
    for pattern in (_PRODUCT, _WORD):
        for match in pattern.finditer(agent):
            name = match[match.lastindex or 0]
            if name.lower() not in _BROWSERS and name.isascii():
                return name.lower()
    return "unknown"
