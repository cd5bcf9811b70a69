"""What feed readers do with a feed: each by the rules of its source, so far as that is public.

They are asked how a change looks to those who follow: a year of publishing in the tests, and a
move from another system in `publisher cutover`.
"""

from publisher.preflight.feed_readers.feedly import Feedly
from publisher.preflight.feed_readers.feedmail import FeedMail
from publisher.preflight.feed_readers.feedparser_based import LemonReader, Rss2Email
from publisher.preflight.feed_readers.freshrss import FreshRSS
from publisher.preflight.feed_readers.miniflux import Miniflux
from publisher.preflight.feed_readers.netnewswire import NetNewsWire
from publisher.preflight.feed_readers.newsboat import Newsboat
from publisher.preflight.feed_readers.reader import Reader
from publisher.preflight.feed_readers.thunderbird import Thunderbird

READERS: tuple[type[Reader], ...] = (
    *(Miniflux, FreshRSS, NetNewsWire, Feedly, Rss2Email),
    *(LemonReader, Newsboat, Thunderbird, FeedMail),
)
