"""Every public URL of a publication, in one place; see the contract's table of paths."""

import re
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

import msgspec

# What may stand in an href; anything else is shown as text. RFC 3986, section 3.1.
LINK_SCHEMES = frozenset({"http", "https", "mailto"})
IMAGE_SCHEMES = frozenset({"http", "https"})
# Characters that a URL may hold as they are (RFC 3986, section 2), and the percent sign.
_URL_SAFE = ":/?#@!$&'()*+,;=-._~%"
# A URL that is what it must be already, as most are.
_PLAIN = re.compile(r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[A-Za-z0-9/._~-]*)?")


class Urls(msgspec.Struct, frozen=True):
    """`base` is the publication's URL without a trailing slash."""

    base: str

    def home(self) -> str:
        return f"{self.base}/"

    def issue(self, slug: str) -> str:
        return f"{self.base}/issues/{slug}/"

    def message(self, slug: str) -> str:
        return f"{self.base}/issues/{slug}/email.html"

    def version(self, slug: str, version: str) -> str:
        """An issue's page for those who were sent a version of it."""
        return f"{self.issue(slug)}#{version_anchor(version)}"

    def changes(self, slug: str) -> str:
        return f"{self.base}/issues/{slug}/changes/"

    def highlight(self, id_: str) -> str:
        return f"{self.base}/highlights/{id_}/"

    def tag(self, slug: str) -> str:
        return f"{self.base}/tags/{slug}/"

    def year(self, year: int) -> str:
        return f"{self.base}/archive/{year:04d}/"

    def archive(self) -> str:
        return f"{self.base}/archive/"

    def tags(self) -> str:
        return f"{self.base}/tags/"

    def about_feeds(self) -> str:
        return f"{self.base}/feeds/"

    def search(self) -> str:
        return f"{self.base}/search/"

    def card(self, slug: str) -> str:
        return f"{self.base}/cards/{slug}.png"

    def path(self, path: str) -> str:
        """The URL of a file in public/, given relative to it."""
        return f"{self.base}/{quote(path, safe='/')}"

    def resolve(self, written: str, schemes: frozenset[str] = LINK_SCHEMES) -> str:
        """Make what an editor wrote absolute, or empty where it must not be followed.

        Relative references are resolved against the publication's URL (RFC 3986, section 5).
        """
        if _PLAIN.fullmatch(written):
            return written
        return _resolve(self.home(), written.strip(), schemes)


def version_anchor(version: str) -> str:
    """The name of a version's place on a page: 48 bits of its hash tell an issue's apart."""
    return f"v-{version[:12]}"


# Each link is resolved again for every page, message and feed that it stands in.
@lru_cache(maxsize=4096)
def _resolve(base: str, written: str, schemes: frozenset[str]) -> str:
    try:
        url = urljoin(base, written)
        parts = urlsplit(url)
        if parts.scheme not in schemes or (parts.scheme != "mailto" and not parts.hostname):
            return ""
        _ = parts.port
    except ValueError:
        return ""
    # Square brackets may stand in a host only (section 3.2.2): https://[2001:db8::1]/
    host_end = len(parts.scheme) + len("://") + len(parts.netloc) if parts.netloc else 0
    return quote(url[:host_end], safe=_URL_SAFE + "[]") + quote(url[host_end:], safe=_URL_SAFE)


def media_path(src: str, urls: Urls) -> str:
    """The path below the publication's folder that an image's `src` means, or empty."""
    if "media/" not in src and src.isprintable():  # nearly always; a URL may be broken by line ends
        return ""
    url = urls.resolve(src, IMAGE_SCHEMES)
    if not url.startswith(f"{urls.base}/media/"):
        return ""
    path = unquote(urlsplit(url.removeprefix(f"{urls.base}/")).path)
    return path if ".." not in path.split("/") and "\0" not in path else ""


def with_params(url: str, params: tuple[tuple[str, str], ...]) -> str:
    """Add query parameters to an http(s) URL, after its own and before its fragment."""
    if not params:
        return url
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return url
    present = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    added = urlencode([(name, value) for name, value in params if name not in present])
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, added)))))
