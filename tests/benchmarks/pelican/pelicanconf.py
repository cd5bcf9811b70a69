"""The settings of Pelican for the same content: see tests/benchmarks/others.py."""

SITENAME = "The Bench Daily"
SITEURL = FEED_DOMAIN = "https://bench.example"
AUTHOR = "The Desk"
TIMEZONE = "Asia/Shanghai"
PATH = "content"
OUTPUT_PATH = "public"
THEME = "theme"
STATIC_PATHS: list[str] = []
DIRECT_TEMPLATES = ["index"]
ARTICLE_URL = "highlights/{slug}/"
ARTICLE_SAVE_AS = ARTICLE_URL + "index.html"
CATEGORY_URL = "issues/{slug}/"
CATEGORY_SAVE_AS = CATEGORY_URL + "index.html"
TAG_URL = "tags/{slug}/"
TAG_SAVE_AS = TAG_URL + "index.html"
YEAR_ARCHIVE_SAVE_AS = "archive/{date:%Y}/index.html"
AUTHOR_SAVE_AS = ""
PAGINATED_TEMPLATES = {"tag": 50}
FEED_ALL_ATOM = "feed.atom"
FEED_ALL_RSS = "feed.rss"
TAG_FEED_ATOM = "tags/{slug}/feed.atom"
TAG_FEED_RSS = "tags/{slug}/feed.rss"
CATEGORY_FEED_ATOM = AUTHOR_FEED_ATOM = AUTHOR_FEED_RSS = TRANSLATION_FEED_ATOM = None
# As many as our live feeds hold: 14 days of 5.
FEED_MAX_ITEMS = 70
RSS_FEED_SUMMARY_ONLY = False
