"""URLs: absolute and safe to follow, without tracking, and a key by which one page is known."""

import re
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

# What a URL may hold as it is (RFC 3986, section 2), and the percent sign.
_URL_SAFE = ":/?#@!$&'()*+,;=-._~%[]"
# Longer ones are no addresses that people pass on, and some mail programs cut them.
_MOST_CHARACTERS = 2_000

# Parameters that say how somebody came to a page, and nothing about which page it is.
_TRACKING = re.compile(
    r"""utm_\w* | at_(?:medium|campaign|link\w*|bbc\w*|format|ptr\w*|custom\w*) | mc_[ce]id
    | (?:fb|g|dcl|ms|tw|y|wbra|gbra)clid | _hs(?:enc|mi) | mkt_tok | oly_(?:anon|enc)_id | igshid
    | vero_(?:id|conv) | wt_?mc | cmpid | ns_(?:campaign|mchannel|source|linkname) | spm
    | (?:mtm|pk|piwik|matomo)_(?:campaign|kwd|keyword|source|medium|content) | ref_?src | s_cid""",
    re.VERBOSE | re.IGNORECASE,
)
_AMP_PARAMETERS = {("amp", "1"), ("amp", ""), ("amp", "true"), ("outputtype", "amp")}
_AMP_PATH = re.compile(r"(?:/amp|\.amp)(?=/?$|\.html?$)|^/amp(?=/.)", re.IGNORECASE)
_HOST_PREFIX = re.compile(r"^(?:www\d?|m|mobile|amp)\.(?=[^.]+\.)")
_AMP_CACHE = re.compile(r"/(?:c|v|amp)/(s/)?([^/?#]+\.[^/?#]+)(/.*)?")


def absolute_url(base: str, written: str) -> str:
    """An http(s) URL as it can be followed; empty where it is another, or has a name in it.

    A host is as DNS has it; what RFC 3986 does not allow is escaped.
    """
    if not (written := written.strip()):
        return ""
    try:
        parts = urlsplit(urljoin(base, written))
        host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname)
        if not is_right or parts.port == 0 or re.search(r'[\s@<>"\\^`{|}\x00-\x20\x7f]', host):
            return ""
    except (ValueError, UnicodeError):
        return ""
    rest = (quote(part, safe=_URL_SAFE) for part in (parts.path, parts.query, parts.fragment))
    path, query, fragment = rest
    url = urlunsplit((parts.scheme, host, path or "/", query, fragment))
    return url if len(url) <= _MOST_CHARACTERS else ""


def without_tracking(url: str) -> str:
    """A URL without the parameters that follow people about."""
    parts = urlsplit(url)
    kept = [each for each in parts.query.split("&") if not _is_tracking(each)]
    return urlunsplit(parts._replace(query="&".join(kept)))


def page_key(url: str) -> str:
    """What URLs of one page have in common: for comparing, never for following.

    The same for http and https, with `www.` and without, for a phone's and an AMP page, whatever
    the order of its parameters, and with a slash at its end or not.
    """
    parts = urlsplit(without_tracking(url))
    host, path = parts.netloc.lower().removesuffix(":80").removesuffix(":443"), parts.path
    is_cache = host.endswith(".cdn.ampproject.org") or (
        host in ("www.google.com", "google.com") and path.startswith("/amp/")
    )
    if is_cache and (inner := _AMP_CACHE.fullmatch(path)):
        host, path = inner[2].lower(), inner[3] or "/"
    query = sorted(each for each in parts.query.split("&") if each and not _is_amp(each))
    path = _AMP_PATH.sub("", unquote(path)).rstrip("/")
    # A page that scripts make of its fragment.
    fragment = f"#{parts.fragment}" if parts.fragment.startswith(("!", "/")) else ""
    return f"{_HOST_PREFIX.sub('', host)}{path}{'?' * bool(query)}{'&'.join(query)}{fragment}"


def _is_tracking(parameter: str) -> bool:
    return _TRACKING.fullmatch(parameter.partition("=")[0]) is not None


def _is_amp(parameter: str) -> bool:
    name, _, value = parameter.lower().partition("=")
    return (name, value) in _AMP_PARAMETERS
