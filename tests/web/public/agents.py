"""The User-Agents of real feed readers, aggregators, crawlers and browsers."""

# Each with the aggregator's name, its id for the feed, and the number that it reports.
AGGREGATORS = {
    "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 1234 subscribers; like FeedFetcher-Google)": (
        "Feedly",
        "",
        1234,
    ),
    "NewsBlur Feed Fetcher - 12 subscribers - https://www.newsblur.com/site/7654321/the-daily"
    " (Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/14.0.1 Safari/605.1.15)": ("NewsBlur", "7654321", 12),
    "NewsBlur Feed Fetcher - 1 subscriber - http://www.newsblur.com/site/1/x": (
        "NewsBlur",
        "1",
        1,
    ),
    "Inoreader/1.0 (+http://www.inoreader.com/feed-fetcher; 195 subscribers; )": (
        "Inoreader",
        "",
        195,
    ),
    "Mozilla/5.0 (compatible; inoreader.com; 7 subscribers)": ("Inoreader", "", 7),
    "Mozilla/5.0 (compatible; theoldreader.com; 3 subscribers; feed-id=0719795c4d27c784217b0bc0)": (
        "The Old Reader",
        "0719795c4d27c784217b0bc0",
        3,
    ),
    "Feedbin feed-id:1373711 - 142 subscribers": ("Feedbin", "1373711", 142),
    "Mozilla/5.0 (compatible; BazQux/2.4; +https://bazqux.com/fetcher; 6 subscribers)": (
        "BazQux",
        "",
        6,
    ),
    "Feed Wrangler/1.0 (9 subscribers; feed-id=4711; http://feedwrangler.net; Allow like Gecko)": (
        "Feed Wrangler",
        "4711",
        9,
    ),
    "Overcast/1.0 Podcast Sync (1,190 subscribers; feed-id=554901; +http://overcast.fm/)": (
        "Overcast",
        "554901",
        1190,
    ),
    "Bloglovin/1.0 (http://www.bloglovin.com; 25 subscribers)": ("Bloglovin", "", 25),
    "livedoor FeedFetcher/0.01 (http://reader.livedoor.com/; 4 subscribers)": (
        "livedoor Reader",
        "",
        4,
    ),
    "HanRSS/1.1 (http://www.hanrss.com; 2 subscribers)": ("HanRSS", "", 2),
    "Feedfetcher-Google; (+http://www.google.com/feedfetcher.html; 4 subscribers;"
    " feed-id=9048986372668769311)": ("Google", "9048986372668769311", 4),
    "SomeReader/2.1 (+https://some.example; 1,204 readers)": ("somereader", "", 1204),
}

DIRECT = (
    "Mozilla/5.0 (compatible; Miniflux/2.2.3; +https://miniflux.app)",
    "FreshRSS/1.28.0 (Linux; https://freshrss.org)",
    "Tiny Tiny RSS/25.07-dea3f2d (Unsupported) (https://tt-rss.org/)",
    "NetNewsWire (RSS Reader; https://netnewswire.com/)",
    "Reeder/5.3 CFNetwork/1494 Darwin/23.4.0",
    "newsboat/2.35.0 (Linux x86_64)",
    "Akregator/5.24.0 (23.08.0); syndication",
    "feedparser/6.0.11 +https://github.com/kurtmckee/feedparser/",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0",
    "FeedFetcher-Google; (+http://www.google.com/feedfetcher.html)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0",
    "Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)",
    "NextCloud-News/1.0",
    "curl/8.5.0",
    "",
)

CRAWLERS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2;"
    " +https://openai.com/gptbot)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)",
)
