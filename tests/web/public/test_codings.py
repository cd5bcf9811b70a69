"""Which coding is chosen by Accept-Encoding (RFC 9110, section 12.5.3), and what comes of it."""

import gzip
import os

import brotli
import pytest

from publisher.web.public.codings import BEST, ENDINGS, FAST, choose, encode, end_tag


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, "identity"),
        ("", "identity"),
        ("br", "br"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZip", "gzip"),
        ("gzip, deflate, br", "br"),
        ("gzip,br", "br"),
        (" gzip ;q=1.0 ,\tbr; q=0.5", "gzip"),
        ("br;q=0.5, gzip;q=0.501", "gzip"),
        ("br;Q=0", "identity"),
        ("br;q=0.000, gzip", "gzip"),
        ("*", "br"),
        ("*;q=0.1", "br"),
        ("br;q=0, *", "gzip"),
        ("identity", "identity"),
        ("identity, br;q=0.5", "identity"),
        ("identity;q=0.5, br;q=0.5", "br"),
        ("identity;q=0.5, *;q=0.1", "identity"),
        ("identity;q=0.1, *", "br"),
        ("deflate, zstd", "identity"),
        ("gzip, identity;q=0", "gzip"),
        ("*;q=0", ""),
        ("identity;q=0", ""),
        ("deflate, identity;q=0", ""),
        ("deflate, *;q=0", ""),
        ("identity, *;q=0", "identity"),
        ("br;q=2", "identity"),
        ("br;q=-1", "identity"),
        ("br;q=abc, gzip", "gzip"),
        ("br;level=3", "identity"),
        (",,br,", "br"),
        (";q=1", "identity"),
        ("br" * 5_000, "identity"),
    ],
)
def test_the_best_liked_is_chosen(accepted: str | None, coding: str) -> None:
    assert choose(accepted, 10_000, is_text=True) == coding


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("br", "identity"), ("gzip, identity;q=0", ""), ("*;q=0", ""), (None, "identity")],
)
def test_what_is_no_text_is_sent_as_it_is_or_not_at_all(accepted: str | None, coding: str) -> None:
    assert choose(accepted, 10_000, is_text=False) == coding


def test_what_fits_into_a_packet_is_coded_only_where_it_must_be() -> None:
    assert choose("br", 100, is_text=True) == "identity"
    assert choose("br, identity;q=0", 100, is_text=True) == "br"


@pytest.mark.parametrize("variant", [BEST["br"], FAST["br"], BEST["gzip"], FAST["gzip"]])
def test_the_same_bytes_give_the_same_bytes(variant: str) -> None:
    for data in (b"", b"text " * 1_000, os.urandom(10_000)):
        made = encode(data, variant)
        assert made == encode(data, variant)
        decode = brotli.decompress if variant.startswith("br") else gzip.decompress
        assert decode(made) == data
    assert end_tag(variant) in ENDINGS
