"""What is wrong with an issue's links and with the addresses of its images."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import msgspec

from publisher.model import content as c
from publisher.model.issue import Issue
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.preflight.prose import OBJECT, read_parts, shorten, walk, words_of
from publisher.render.urls import IMAGE_SCHEMES, LINK_SCHEMES, media_path
from publisher.render.views import Setting

# RFC 3986, section 3.1; browsers skip white space inside (WHATWG URL, section 4.4).
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Any script may stand in a host (RFC 3987, section 2.2); of ASCII only letters, digits, - and _.
_LABEL = r"(?:[A-Za-z0-9_-]|[^\x00-\x7f]){1,63}"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_LIKE_HOST = re.compile(
    r"www\.[^\s/]+\.\S|[\w-]+\.(?:com|org|net|cn|info|io|eu|uk|de|fr|jp)(?:[/?#]|\Z)", re.IGNORECASE
)
_ADDRESS = re.compile(r"[^@\s/]+@[^@\s/]+")
_WRITTEN_URL = re.compile(r"(?:https?://|www\.)[^\s/?#]++\S*+", re.IGNORECASE)

# RFC 6761, RFC 6762 and RFC 8375: names that mean something on a machine or a network only.
_PRIVATE_SUFFIXES = (
    *(".localhost", ".local", ".internal", ".intranet", ".lan", ".corp", ".home.arpa", ".invalid"),
)

# RFC 1035, section 2.3.4.
_LONGEST_HOST = 253
# The contract's limit of an id: what is longer resembles none.
_LONGEST_ID = 64

_VAGUE = frozenset(
    (
        *("here", "click", "click here", "read more", "more", "more here", "learn more", "link"),
        *("this", "this link", "this page", "see here", "details", "continue", "tap here"),
        *("这里", "此处", "点击这里", "点击此处", "点此", "点我", "更多", "阅读更多", "查看更多"),
        *("了解更多", "查看详情", "详情", "链接", "阅读全文", "こちら", "詳しくはこちら"),
        *("هنا", "اضغط هنا", "انقر هنا", "المزيد", "اقرأ المزيد", "الرابط"),
        *("aquí", "haz clic aquí", "leer más", "ver más", "ici", "cliquez ici", "en savoir plus"),
        *("lire la suite", "hier", "hier klicken", "mehr", "mehr lesen", "weiterlesen"),
    )
)


class _Use(msgspec.Struct, frozen=True, kw_only=True):
    """One address where it is used. `words` is None where no words carry it."""

    what: str
    url: str
    line: int | None
    is_image: bool = False
    words: str | None = None


def check_links(issue: Issue, setting: Setting) -> list[Problem]:
    """Find what is wrong with the addresses in an issue and with the words of its links."""
    return [found for use in _uses(issue) for found in _Check(issue, setting, use).run()]


def _uses(issue: Issue) -> Iterator[_Use]:
    for part in read_parts(issue):
        highlight = part.highlight
        if highlight and highlight.url:
            yield _Use(what="the source", url=highlight.url, line=part.line)
        if highlight and highlight.image:
            src = highlight.image.src
            yield _Use(what="the image", url=src, line=part.line, is_image=True)
        for link in part.links:
            yield _Use(what="the link", url=link.href, line=link.line, words=_words(link))
        for picture in part.pictures:
            yield _Use(what="the image", url=picture.src, line=picture.line, is_image=True)


def _words(link: c.Link) -> str:
    """A link's words as they are shown: an image in it speaks with its alternative text."""
    words = words_of(link.children)
    if OBJECT not in words:
        return " ".join(words.split())
    shown = [
        node.text if isinstance(node, c.Text | c.Code) else node.alt
        for node in walk(link.children)
        if isinstance(node, c.Text | c.Code | c.Picture)
    ]
    return " ".join(" ".join(shown).split())


class _Check:
    """Looks at one address."""

    def __init__(self, issue: Issue, setting: Setting, use: _Use) -> None:
        self.issue = issue
        self.setting = setting
        self.use = use
        self.url = use.url.strip()
        scheme = _SCHEME.match("".join(self.url.split()))
        self.scheme = scheme[1].lower() if scheme else ""

    def report(self, name: str, **values: object) -> Problem:
        shown = {"what": self.use.what, "found": shorten(self.url, 100)} | values
        return problem(name, self.issue.path, self.use.line, **shown)

    def run(self) -> Iterator[Problem]:
        if self.use.words is not None:
            yield from self.check_words(self.use.words)
        yield from self.check_address()

    def check_address(self) -> Iterator[Problem]:
        if self.scheme in ("javascript", "file", "cid") or _DRIVE.match(self.url):
            names = {"javascript": "url-javascript", "cid": "url-cid"}
            yield self.report(names.get(self.scheme, "url-file"))
        elif why := self.find_fault():
            yield self.report("url-malformed", why=why)
        elif self.scheme not in (IMAGE_SCHEMES if self.use.is_image else LINK_SCHEMES) | {""}:
            yield self.report("url-scheme-refused", scheme=self.scheme)
        elif self.scheme != "mailto":
            yield from self.check_target()

    def find_fault(self) -> str:
        """Say what makes the address no URL at all, empty where it is one."""
        if not self.url:
            return "it is empty"
        if self.scheme == "mailto":
            address = unquote(self.url.split(":", 1)[1].split("?")[0])
            is_right = not address or all(_ADDRESS.fullmatch(a.strip()) for a in address.split(","))
            return "" if is_right else "it names no e-mail address"
        if self.scheme not in ("", "http", "https"):
            return ""
        if re.match(r"https?[;,]?//", self.url, re.IGNORECASE):
            return "the colon behind http is missing"
        if not self.scheme and not self.url.startswith("//"):
            return ""  # relative: the file in media/ that it names may well have spaces
        if match := re.search(r"[\s<>\"\\\x00-\x1f]", self.url):
            shown = "a space" if match[0].isspace() else f"the character {match[0]}"
            return f"it has {shown} in it"
        return _fault_of_host(self.url)

    def check_target(self) -> Iterator[Problem]:
        if self.url.startswith("#"):
            yield from self.check_anchor(self.url[1:])
            return
        if _ESCAPE.search(self.url):
            yield self.report("url-escape-invalid")
        parts = urlsplit(self.url)
        own = urlsplit(self.setting.urls.home())
        if not self.scheme:
            yield from self.check_relative()
        host = (parts.hostname or "").rstrip(".")
        if parts.username or parts.password:
            yield self.report("url-credentials", host=host)
        if host and host != own.hostname and _is_private(host):
            yield self.report("url-private", host=host)
        elif self.scheme == "http" and host != own.hostname:
            yield self.report("url-http")
        issue_url = self.setting.urls.issue(self.issue.slug)
        resolved = self.setting.urls.resolve(self.url)
        if resolved.startswith(f"{issue_url}#"):
            yield from self.check_anchor(resolved.removeprefix(f"{issue_url}#"))

    def check_relative(self) -> Iterator[Problem]:
        """Files in media/ are meant to be named so; anything else is probably a slip."""
        urls = self.setting.urls
        if self.use.is_image or media_path(self.url, urls):
            return  # see check_images
        resolved = urls.resolve(self.url)
        right = resolved
        if _ADDRESS.fullmatch(self.url):
            right = f"mailto:{self.url}"
        elif _LIKE_HOST.match(self.url):
            right = f"https://{self.url}"
        yield self.report("url-relative", resolved=resolved, right=right)

    def check_anchor(self, anchor: str) -> Iterator[Problem]:
        ids = [highlight.id for highlight in self.issue.highlights if highlight.id]
        if unquote(anchor) not in ids and len(ids) == len(self.issue.highlights):
            near = get_close_matches(anchor[:_LONGEST_ID], ids, 1)
            hint = f"; did you mean #{near[0]}?" if near else ""
            known = ", ".join(ids[:5]) or "none yet"
            yield self.report("anchor-missing", hint=hint, known=known)

    def check_words(self, words: str) -> Iterator[Problem]:
        if not words:
            yield self.report("link-empty")
        elif words.strip(" .…:!>»→").casefold() in _VAGUE:
            yield self.report("link-vague", found=words)
        elif (host := self.find_deception(words)) is not None:
            yield self.report("link-deceptive", found=shorten(words), host=host)

    def find_deception(self, words: str) -> str | None:
        """Give where a link leads whose words are another address, else None."""
        if _ADDRESS.fullmatch(words) and self.scheme == "mailto":
            target = unquote(self.url.split(":", 1)[1].split("?")[0])
            return None if target.casefold() == words.casefold() else target
        if not _WRITTEN_URL.fullmatch(words) or self.scheme not in ("http", "https"):
            return None
        shown = _host_of(words if "://" in words else f"https://{words}")
        target = _host_of(self.url)
        is_same = shown == target or shown.endswith(f".{target}") or target.endswith(f".{shown}")
        return None if is_same or not target else target


def _host_of(url: str) -> str:
    """A URL's host as DNS compares it, without `www.`; empty where it has none."""
    try:
        host = (urlsplit(url).hostname or "").removeprefix("www.").rstrip(".")
        return host.encode("idna").decode() if 0 < len(host) <= _LONGEST_HOST else ""
    except (ValueError, UnicodeError):
        return ""


def _fault_of_host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        return "its port is no number" if "ort" in str(error) else "its brackets do not match"
    if not host:
        return "it names no host"
    if port == 0:
        return "its port is 0"
    if ":" in host:
        return ""  # urlsplit has read an IPv6 address
    if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host):
        return f"{shorten(host, 80)!r} is no host"
    if host.rstrip(".").rsplit(".", 1)[-1].isdigit() and not _is_address(host):
        return f"{host!r} is no IP address"
    return ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_private(host: str) -> bool:
    if _is_address(host):
        return not ip_address(host).is_global
    return "." not in host or f".{host}".endswith(_PRIVATE_SUFFIXES)
