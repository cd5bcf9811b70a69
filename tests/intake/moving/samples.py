"""Exports as the systems give them, in words of our own, with the damage that real ones have."""

import csv
import json
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO
from typing import Any

Files = Mapping[str, str | bytes]

SECTIONS = (
    "<p>What the harbour did this week.</p>"
    '<h2>The ferry has <a href="https://news.example/ferry">a new engine</a></h2>'
    "<p>It runs on <strong>batteries</strong>, and is <em>quiet</em>.</p>"
    "<h2>Rain on Tuesday</h2><ul><li>In the morning</li><li>And at night</li></ul>"
)
PLAIN = (
    "<p>A letter without any sections, and a <a href='https://a.example/?x=1&amp;y=2'>link</a>.</p>"
)


def zipped(files: Files) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def table(columns: Sequence[str], *rows: Sequence[str], end: str = "\r\n") -> str:
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, lineterminator=end)
    writer.writerows([columns, *rows])
    return buffer.getvalue()


# Substack

SUBSTACK_COLUMNS = (
    *("post_id", "post_date", "is_published", "email_sent_at", "inbox_sent_at", "type"),
    *("audience", "title", "subtitle", "podcast_url"),
)


def substack_row(post_id: str, date: str, title: str, **values: str) -> tuple[str, ...]:
    row = {
        "post_id": post_id,
        "post_date": date,
        "is_published": "true",
        "type": "newsletter",
        "audience": "everyone",
        "title": title,
    } | values
    return tuple(row.get(column, "") for column in SUBSTACK_COLUMNS)


SUBSTACK_BUTTON = (
    '<p class="button-wrapper"><a class="button primary" href="https://pier.substack.com/subscribe?">'
    "<span>Subscribe now</span></a></p>"
)


def substack() -> bytes:
    """Nine rows: five posts, a draft, one for payers, a page, a thread; and a file more."""
    rows = (
        substack_row(
            "101.the-ferry", "2024-05-01T08:00:00.000Z", "The ferry", subtitle="Of &amp; on"
        ),
        substack_row("102.a-letter", "2024-05-08T08:00:00.000Z", 'A "letter",\nin two lines'),
        substack_row("103.a-letter", "2024-05-15T08:00:00.000Z", "A letter again"),
        substack_row("104.no-file", "2024-05-22T08:00:00.000Z", "The newest has no file"),
        substack_row("105.odd-date", "sometime in June", "When was it?"),
        substack_row("106.a-draft", "2024-06-01T08:00:00.000Z", "Not yet", is_published="false"),
        substack_row("107.for-few", "2024-06-02T08:00:00.000Z", "Paid", audience="only_paid"),
        substack_row("108.about", "2024-01-01T08:00:00.000Z", "About", type="page"),
        substack_row("109.talk", "2024-06-03T08:00:00.000Z", "Talk", type="thread"),
    )
    text = "\ufeff" + table(SUBSTACK_COLUMNS, *rows)
    files: dict[str, str | bytes] = {
        "posts.csv": text,
        "posts/101.the-ferry.html": SECTIONS + SUBSTACK_BUTTON,
        "posts/102.a-letter.html": PLAIN
        + '<p><img src="https://eotrx.substackcdn.com/open?t=1"></p>',
        "posts/103.a-letter.html": "<p>Caf\xe9 au lait.</p>".encode("latin-1"),
        "posts/105.odd-date.html": PLAIN,
        "posts/106.a-draft.html": PLAIN,
        "posts/107.for-few.html": PLAIN,
        "posts/108.about.html": PLAIN,
        "posts/999.orphan.html": PLAIN,
        "posts/101.delivers.csv": "email\nx@example.org\n",
        "__MACOSX/posts/._101.html": b"\0\0",
    }
    return zipped(files)


# beehiiv

BEEHIIV_COLUMNS = (
    *("id", "web_title", "status", "audience", "content_tags", "url", "web_subtitle"),
    *("email_subject_line", "email_preview_text", "content_html", "thumbnail_url", "created_at"),
)


def beehiiv_mail(body: str) -> str:
    """A whole mail around the post, as its column has it."""
    return (
        "<html><body><div style='display:none'>Preview words</div><table><tr><td>"
        "<a href='{{unsubscribe_url}}'>Read online</a></td></tr></table>"
        f"<table><tr id='content-blocks'><td>{body}</td></tr></table>"
        "<table><tr><td class='b'><p>1 Pier Road. <a href='{{unsubscribe_url}}'>Unsubscribe</a></p>"
        "</td></tr></table><img src='https://x.example/o' width='1' height='1'></body></html>"
    )


def beehiiv() -> bytes:
    rows = (
        *(
            (
                "a1",
                "Harbour news",
                "confirmed",
                "free",
                "Sea; Ferries",
                "https://h.beehiiv.com/p/harbour",
            ),
            ("a2", "For payers", "confirmed", "premium", "", "https://h.beehiiv.com/p/payers"),
            ("a3", "A draft", "draft", "free", "", ""),
        ),
    )
    bodies = (SECTIONS, PLAIN, "<p>Hello {{first_name}}, soon.</p>")
    whole = [
        (
            *row,
            "A subtitle",
            row[1],
            "",
            beehiiv_mail(body),
            "uploads/asset/1/cover.png",
            "2024-02-03 10:15:00",
        )
        for row, body in zip(rows, bodies, strict=True)
    ]
    # The last line breaks off, as downloads do.
    return (table(BEEHIIV_COLUMNS, *whole, end="\n") + "a4,Broken off,confirmed").encode()


# Ghost


def ghost(posts: Sequence[dict[str, Any]] | None = None) -> dict[str, Any]:
    meta = {"exported_on": 1_700_000_000_000, "version": "5.70.0"}
    first = {
        "id": "64f000000000000000000001",
        "title": "The lamp",
        "slug": "the-lamp",
        "html": f'{SECTIONS}<img src="__GHOST_URL__/content/images/2024/01/lamp.png" alt="A lamp">',
        "status": "published",
        "type": "post",
        "visibility": "public",
        "custom_excerpt": "A lamp was lit",
        "published_at": "2024-01-05T09:30:00.000Z",
    }
    draft = {
        "id": "64f000000000000000000002",
        "title": "A draft",
        "slug": "a-draft",
        "html": None,
        "lexical": json.dumps(
            {
                "root": {
                    "type": "root",
                    "children": [
                        {
                            "type": "paragraph",
                            "children": [
                                {"type": "extended-text", "text": "Only ", "format": 0},
                                {"type": "extended-text", "text": "begun", "format": 1},
                            ],
                        }
                    ],
                }
            }
        ),
        "status": "draft",
        "type": "post",
        "visibility": "public",
        "created_at": "2024-01-06 09:30:00",
    }
    others = (
        {**first, "id": "64f3", "slug": "for-members", "visibility": "members"},
        {**first, "id": "64f4", "slug": "about", "type": "page"},
    )
    data = {
        "posts": [first, draft, *others] if posts is None else list(posts),
        "tags": [{"id": "t1", "name": "Light"}, {"id": "t2", "name": "#internal"}],
        "posts_tags": [
            {"post_id": first["id"], "tag_id": "t1", "sort_order": 0},
            {"post_id": first["id"], "tag_id": "t2", "sort_order": 1},
        ],
        "users": [{"id": "u1", "name": "The Desk", "email": "desk@example.org"}],
        "posts_authors": [{"post_id": first["id"], "author_id": "u1", "sort_order": 0}],
        "posts_meta": [],
    }
    return {"db": [{"meta": meta, "data": data}]}


# Buttondown


def buttondown() -> bytes:
    listed = [
        {
            "id": "b-1",
            "secondary_id": "1",
            "subject": "Plain words",
            "publish_date": "2023-01-02 16:55:00+00:00",
            "source": "app",
            "slug": "plain-words",
        },
        {
            "id": "b-2",
            "secondary_id": "2",
            "subject": "Fancy words",
            "publish_date": "2023-01-05 13:00:00+00:00",
            "source": "app",
            "slug": "fancy-words",
        },
    ]
    plain = (
        "<!-- buttondown-editor-mode: plaintext -->Hi {{ subscriber.metadata.name }}!\n\n"
        "## One *thing*\n\nIts text[^1].\n\n## Another\n\n```css\np { color: red }\n```\n\n"
        "{{ subscribe_form }}\n"
    )
    fancy = "<!-- buttondown-editor-mode: fancy --><p>Of <b>two</b> kinds.</p>"
    return zipped(
        {
            "emails.json": json.dumps(listed),
            "emails/plain-words.md": plain,
            "emails/fancy-words.md": fancy,
        }
    )


# listmonk


def listmonk() -> dict[str, Any]:
    def campaign(number: int, **values: Any) -> dict[str, Any]:
        return {
            "id": number,
            "uuid": f"57702beb-6fae-4355-a324-c2fd5b59a5{number:02}",
            "type": "regular",
            "name": f"Campaign {number}",
            "subject": f"Subject {number}",
            "body": f"<h3>Hi {{{{ .Subscriber.FirstName }}}}!</h3>{PLAIN}"
            '<p><a href="{{ UnsubscribeURL }}">Unsubscribe</a></p>{{ TrackView }}',
            "content_type": "richtext",
            "send_at": None,
            "started_at": "2024-03-14T17:36:41.29451+01:00",
            "created_at": "2024-03-01T17:36:41.29451+01:00",
            "status": "finished",
            "tags": ["harbour"],
            "archive": True,
            "archive_slug": f"subject-{number}",
        } | values

    results = [
        campaign(1),
        campaign(2, content_type="markdown", body="# Two\n\nSome *words*.", archive=False),
        campaign(3, status="draft", started_at=None),
        campaign(4, type="optin"),
    ]
    return {"data": {"results": results, "query": "", "total": 4, "per_page": 4, "page": 1}}


# Mailchimp


def mailchimp_mail(body: str, title: str) -> str:
    return (
        f"<!doctype html><html><head><title>{title}</title><style>p{{}}</style></head><body>"
        '<span class="mcnPreviewText" style="display:none">A first look</span>'
        '<table id="templatePreheader"><tr><td class="mcnTextContent">'
        '<a href="*|ARCHIVE|*">View this email in your browser</a></td></tr></table>'
        f'<table class="mcnTextBlock"><tr><td class="mcnTextContent"><h1>{title}</h1>'
        f"<p>Dear *|FNAME|*, good morning.</p>{body}</td></tr></table>"
        '<table class="mcnButtonBlock"><tr><td class="mcnButtonContent">'
        '<a href="https://shop.example/lamp">Buy the lamp</a></td></tr></table>'
        '<table id="templateFooter"><tr><td><em>Copyright © *|CURRENT_YEAR|* *|LIST:COMPANY|*</em>'
        '<br><a href="*|UPDATE_PROFILE|*">update your preferences</a> or '
        '<a href="*|UNSUB|*">unsubscribe</a></td></tr></table>'
        '<img src="https://pier.us1.list-manage.com/track/open.php?u=1&id=2" width="1" height="1">'
        "</body></html>"
    )


def mailchimp() -> bytes:
    columns = ("Title", "Subject", "Send Date", "Total Recipients", "Unique Id")
    rows = (
        ("Spring letter", "Spring is here", "Mar 20, 2024 09:00 am", "1200", "0aa11bb22c"),
        ("Old letter", "An old one", "when we were young", "12", "0ff99ee88d"),
    )
    return zipped(
        {
            "export/campaigns.csv": table(columns, *rows),
            "export/campaigns_content/0aa11bb22c_spring-letter.html": mailchimp_mail(
                SECTIONS, "Spring is here"
            ),
            "export/campaigns_content/0aa11bb22c_spring-letter.txt": "Spring is here",
            "export/campaigns_content/old_letter.html": mailchimp_mail(PLAIN, "*|MC:SUBJECT|*"),
            "export/templates/plain.html": mailchimp_mail(PLAIN, "A template"),
            "export/lists/members.csv": "Email Address\nx@example.org\n",
        }
    )


# WordPress

WORDPRESS_HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<!-- generator="WordPress/6.4" created="2024-04-01 10:00" -->
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>The Pier</title><link>https://pier.example</link>
<wp:wxr_version>1.2</wp:wxr_version><wp:author><wp:author_id>1</wp:author_id>
<wp:author_login><![CDATA[desk]]></wp:author_login><wp:author_email>d@example.org</wp:author_email>
<wp:author_display_name><![CDATA[The Desk]]></wp:author_display_name></wp:author>
"""
WORDPRESS_TAIL = "</channel></rss>\n"


def wordpress_item(number: int, title: str, content: str, **values: str) -> str:
    parts = {
        "link": f"https://pier.example/2024/04/post-{number}/",
        "status": "publish",
        "type": "post",
        "name": f"post-{number}",
        "local": f"2024-04-{number:02} 12:00:00",
        "gmt": f"2024-04-{number:02} 10:00:00",
        "more": "",
    } | values
    return f"""<item><title>{title}</title><link>{parts["link"]}</link>
<pubDate>Mon, {number:02} Apr 2024 10:00:00 +0000</pubDate><dc:creator><![CDATA[desk]]></dc:creator>
<guid isPermaLink="false">https://pier.example/?p={number}</guid><description></description>
<content:encoded><![CDATA[{content}]]></content:encoded>
<excerpt:encoded><![CDATA[]]></excerpt:encoded><wp:post_id>{number}</wp:post_id>
<wp:post_date>{parts["local"]}</wp:post_date><wp:post_date_gmt>{parts["gmt"]}</wp:post_date_gmt>
<wp:post_name>{parts["name"]}</wp:post_name><wp:status>{parts["status"]}</wp:status>
<wp:post_type>{parts["type"]}</wp:post_type><wp:post_password></wp:post_password>{parts["more"]}
</item>
"""


def wordpress() -> str:
    classic = (
        'First paragraph,\nwith a line below.\n\n[caption id="x"]<img src="https://pier.example/a.jpg"'
        ' alt="A pier" /> The pier[/caption]\n\nSecond [gallery ids="1,2"] paragraph.'
    )
    blocks = f"<!-- wp:paragraph -->\n{SECTIONS}\n<!-- /wp:paragraph -->"
    tags = (
        '<category domain="category" nicename="sea"><![CDATA[The sea]]></category>'
        '<category domain="post_tag" nicename="wind"><![CDATA[Wind]]></category>'
    )
    return (
        WORDPRESS_HEAD
        + wordpress_item(1, "Classic &amp; old", classic, more=tags)
        + wordpress_item(2, "With blocks", blocks)
        + wordpress_item(3, "A draft", PLAIN, status="draft", gmt="0000-00-00 00:00:00", name="")
        + wordpress_item(4, "Private", PLAIN, status="private")
        + wordpress_item(5, "About", PLAIN, type="page")
        + wordpress_item(6, "a.jpg", "", type="attachment", status="inherit")
        + wordpress_item(7, "Bad \x08 character", "<p>Text\x0b here.</p>")
        + WORDPRESS_TAIL
    )


# Markdown

HUGO: dict[str, str] = {
    "content/posts/first.md": (
        "+++\ntitle = \"First\"\ndate = 2024-01-02T03:04:05+02:00\ntags = ['one', 'two, three']\n"
        "draft = false\naliases = ['/old/first/']\n+++\n\nIntro.\n\n## One\n\nText.\n\n## Two\n\n"
        "{{< youtube abc >}}\n\n{{< highlight go >}}\nx := 1\n{{< /highlight >}}\n"
    ),
    "content/posts/second/index.md": (
        '---\ntitle: "Second"\ndate: 2024-01-03\ndraft: true\n---\n\n![A boat](boat.png)\n'
    ),
    "content/posts/third.md": (
        '{\n"title": "Third",\n"date": "2024-01-04T00:00:00Z"\n}\n\nThird text.\n'
    ),
    "content/posts/broken.md": "---\ntitle: [unclosed\n---\n\nText of it.\n",
    "content/posts/_index.md": "---\ntitle: Posts\n---\n",
    "README.md": "# A site\n",
}
JEKYLL: dict[str, str] = {
    "_posts/2020-10-27-my-post.md": (
        "---\nlayout: post\ntitle: My post\ncategories: news sea\ntags: [a, b]\nauthor: The Desk\n"
        "---\n{% include top.html %}\n\nSome text with <b>raw</b> HTML.\n"
    ),
    "_drafts/an-idea.md": "---\ntitle: An idea\n---\nNot yet.\n",
}
