"""Content codings (RFC 9110, section 8.4): which one is wanted, and bytes in it."""

import gzip
import re
from functools import lru_cache

import brotli

AS_IT_IS = "identity"
# Of a feed of 250 KB the best takes some 500 ms and gives 33 KB, the fast one 5 ms and 42 KB. Both
# give the same bytes whenever they are asked, so that a strong ETag may name them.
BEST = {"br": "br11", "gzip": "gzip9", AS_IT_IS: AS_IT_IS}
FAST = {"br": "br5", "gzip": "gzip6", AS_IT_IS: AS_IT_IS}
_QUALITIES = {"br11": 11, "br5": 5, "gzip9": 9, "gzip6": 6}
# What a file's ETags end with, of all its codings.
ENDINGS = ("", *(f"-{variant}" for variant in _QUALITIES))
# By preference: as little as possible is sent.
_CODINGS = ("br", "gzip", AS_IT_IS)
_ALIASES = {"x-gzip": "gzip"}  # RFC 9110, section 8.4.1.3
# What is smaller fits into a packet anyhow.
_LEAST = 256
# What is not named is welcome (section 12.5.3), after everything that is.
_UNNAMED = 0.0001

# RFC 9110, sections 5.6.2 and 12.4.2.
_CODING = r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)"
_WEIGHT = r"[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)"
_ITEM = re.compile(rf"[ \t]*{_CODING}(?:{_WEIGHT})?[ \t]*", re.IGNORECASE | re.ASCII)


def choose(accepted: str | None, size: int, *, is_text: bool) -> str:
    """The coding for a file by Accept-Encoding, None where not sent; empty where none will do.

    RFC 9110, section 12.5.3.
    """
    if accepted is None:
        return AS_IT_IS
    by_weight = _order(accepted)
    if not is_text or (size < _LEAST and AS_IT_IS in by_weight):
        return AS_IT_IS if AS_IT_IS in by_weight else ""
    return next(iter(by_weight), "")


@lru_cache(maxsize=512)
def _order(accepted: str) -> tuple[str, ...]:
    """Those codings that are accepted, the best liked first."""
    weights = _read(accepted)
    found = {coding: _weigh(weights, coding) for coding in _CODINGS}
    return tuple(sorted(filter(found.get, found), key=lambda coding: -found[coding]))


def _weigh(weights: dict[str, float], coding: str) -> float:
    if coding in weights:
        return weights[coding]
    if coding == AS_IT_IS:
        return _UNNAMED if weights.get("*", 1) else 0
    return weights.get("*", 0)


def _read(accepted: str) -> dict[str, float]:
    """Codings with their weights. What is malformed is passed over."""
    items = (_ITEM.fullmatch(item) for item in accepted.split(","))
    named = ((match[1].lower(), match[2] or "1") for match in items if match)
    return {_ALIASES.get(name, name): float(weight) for name, weight in named}


def end_tag(variant: str) -> str:
    """What the ETag of a file in a variant ends with."""
    return "" if variant == AS_IT_IS else f"-{variant}"


def encode(data: bytes, variant: str) -> bytes:
    quality = _QUALITIES[variant]
    if variant.startswith("br"):
        encoded: bytes = brotli.compress(data, mode=brotli.MODE_TEXT, quality=quality)
        return encoded
    return gzip.compress(data, quality, mtime=0)
