"""What stands in frames: documents that belong to nobody, run nothing, and lead nowhere.

A frame is sandboxed, so that it has an origin of its own and no cookies go along with what it asks
for. Its images come from below a path with a key, which works for a while.
"""

import hashlib
import hmac
import re
from html import escape
from secrets import token_urlsafe
from threading import Lock

import msgspec
from litestar import Response

from publisher.site.looking import Look
from publisher.web.console.desk import Desk
from publisher.web.console.shell import Answer
from publisher.web.preview.rewrite import force_scheme, stay_on_page

# As long as a page is looked at; loading it again makes another key.
_KEY_SECONDS = 3600
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src {images}; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_MEDIA = r"""(\s(?:src|srcset|background)\s*=\s*["']?|url\(\s*["']?){}(?=/media/)"""
_STYLESHEET = re.compile(r"<link\b[^>]*\bstylesheet\b[^>]*>", re.IGNORECASE)
_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)
# Programs that darken every message turn its light round, and leave photographs as they are.
_FORCED = (
    "<style>html{background:#fff;filter:invert(1) hue-rotate(180deg)}"
    "img{filter:invert(1) hue-rotate(180deg)}</style>"
)


class View(msgspec.Struct, frozen=True):
    """A way to look at an issue; `task` makes what it shows, in a frame as wide as `size`."""

    name: str
    label: str
    title: str
    task: str
    size: str = "screen"


VIEWS = (
    View("wide", "Message", "The message in a wide window", "issue"),
    View("phone", "Phone", "The message on a phone, 390 pixels wide", "issue", "phone"),
    View("dark", "Dark", "The message in dark mode, in its own colours", "issue"),
    View("forced", "Dark, forced", "The message as programs darken it by themselves", "issue"),
    View("images-off", "Images off", "The message without its images", "issue"),
    View("headlines", "Headlines", "The message of who chose the headlines only", "headlines"),
    View("text", "Text", "The plain-text part of the message", "issue"),
    View("page", "Page", "The issue's page on the site", "page"),
    View("feeds", "Feeds", "The issue's entries in the feeds", "feeds"),
)
BY_NAME = {view.name: view for view in VIEWS}


def file_of(view: View, slug: str) -> str:
    """The file of the site that a view shows."""
    names = {"text": "email.txt", "page": "index.html", "headlines": "headlines.html"}
    return f"issues/{slug}/{names.get(view.name, 'email.html')}"


def frame_document(desk: Desk, look: Look, view: View, slug: str) -> str | None:
    """A page or a message as its frame shows it; None where it was not made."""
    html = look.text(file_of(view, slug))
    if html is None:
        return None
    base = desk.publication.url
    html = point_media(stay_on_page(html, f"{base}/issues/{slug}/"), desk)
    if view.name == "page":
        style = b"".join(data for path, data in look.files.items() if path.startswith("assets/"))
        css = style.decode("utf-8", "replace").replace("</", "<\\/")
        return _STYLESHEET.sub(lambda _: f"<style>{css}</style>", html, count=1)
    html = force_scheme(html, "dark" if view.name == "dark" else "light")
    if view.name == "forced":
        html = _HEAD_END.sub(lambda match: f"{_FORCED}{match[0]}", html, count=1)
    return html


def point_media(html: str, desk: Desk) -> str:
    """Let images of the publication come from here, which may not be published yet."""
    own = re.compile(_MEDIA.format(re.escape(escape(desk.publication.url))), re.IGNORECASE)
    return own.sub(lambda match: f"{match[1]}{desk.root}/frames/{make_key(desk)}", html)


def frame_answer(document: str, *, has_images: bool = True) -> Answer:
    """A frame's document with a policy of its own: images and styles, and nothing else."""
    images = "http: https: data:" if has_images else "'none'"
    headers = {
        "Content-Security-Policy": _POLICY.format(images=images),
        "Referrer-Policy": "no-referrer",
    }
    return Response(
        document.encode("utf-8", "replace"),
        media_type="text/html; charset=utf-8",
        headers=headers,
    )


def make_key(desk: Desk) -> str:
    """A key with which frames get images, for a while."""
    # Rounded, so that a page that is loaded again finds its images in the browser.
    ends = (int(desk.clock().timestamp()) // _KEY_SECONDS + 2) * _KEY_SECONDS
    return f"{ends:x}-{_sign(desk, ends)}"


def is_key(desk: Desk, text: str) -> bool:
    """Tell whether a key is ours and still works."""
    digits, _, signature = text.partition("-")
    if not re.fullmatch(r"[0-9a-f]{1,12}", digits) or not signature.isascii():
        return False
    ends = int(digits, 16)
    is_ours = hmac.compare_digest(signature, _sign(desk, ends))
    return is_ours and desk.clock().timestamp() < ends


def _sign(desk: Desk, ends: int) -> str:
    return hmac.new(desk.secret, b"frames:%x" % ends, hashlib.sha256).hexdigest()[:32]


class Shelf:
    """Documents of what is being written, each for the operator who writes it, the last few."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = Lock()
        self._kept: dict[str, tuple[int, str]] = {}

    def put(self, operator: int, document: str) -> str:
        name = token_urlsafe(16)
        with self._lock:
            self._kept[name] = (operator, document)
            while len(self._kept) > self.most:
                self._kept.pop(next(iter(self._kept)))
        return name

    def take(self, operator: int, name: str) -> str | None:
        with self._lock:
            whose, document = self._kept.get(name, (0, ""))
        return document if whose == operator else None
