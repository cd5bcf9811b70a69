"""The table of what mail clients lack, and the script that makes it."""

from typing import Any

from publisher.preflight import mail_support
from tests.generate.mail_support import CLIENTS, keys, lacking, write

ALL = {family: dict.fromkeys(platforms, "y") for family, (_, platforms) in CLIENTS.items()}


def _feature(slug: str, title: str, category: str = "css", **lack: list[str]) -> dict[str, Any]:
    stats = {
        family: {name: {"2019": "y", "16.80": "n" if name in lack.get(family, []) else "y"}}
        | ({other: {"2020": "y"} for other in platforms if other != name})
        for family, platforms in ALL.items()
        for name in [next(iter(lack.get(family, platforms)))]
    }
    for family, platforms in lack.items():
        stats[family] |= {platform: {"2019": "y", "16.80": "n #1"} for platform in platforms}
    return {"slug": slug, "title": title, "category": category, "keywords": None, "stats": stats}


def test_a_family_that_lacks_it_everywhere_is_named_alone() -> None:
    feature = _feature("css-x", "x", gmail=list(ALL["gmail"]), outlook=["windows", "ios"])
    assert lacking(feature) == "Gmail, Outlook (Windows, iOS)"


def test_the_newest_version_counts_by_its_place() -> None:
    """Outlook for Mac went from 2019 to 16.80; the numbers do not tell which is newer."""
    feature = _feature("css-x", "x")
    feature["stats"]["outlook"]["macos"] = {"2019": "y", "16.80": "n"}
    assert lacking(feature) == "Outlook (macOS)"


def test_partial_support_is_no_lack() -> None:
    feature = _feature("css-x", "x")
    feature["stats"]["yahoo"]["ios"] = {"2019": "n", "2024": "a #1"}
    assert lacking(feature) == ""


def test_features_become_keys() -> None:
    def tables(slug: str, title: str, category: str = "css") -> list[tuple[str, str]]:
        return list(keys(_feature(slug, title, category)))

    assert tables("css-float", "float") == [("PROPERTIES", "float")]
    assert tables("css-height", "height property") == [("PROPERTIES", "height")]
    assert tables("css-gap", "gap, column-gap, row-gap")[1] == ("PROPERTIES", "column-gap")
    assert tables("css-display-flex", "display:flex")[0] == ("VALUES", "display:flex")
    assert tables("css-function-max", "max()") == [("FUNCTIONS", "max")]
    assert tables("css-unit-rem", "rem unit") == [("UNITS", "rem")]
    assert tables("css-at-import", "@import") == [("AT_RULES", "@import")]
    assert tables("css-pseudo-class-lang", "lang()") == []
    assert tables("html-video", "<video> element", "html") == [("ELEMENTS", "video")]
    assert tables("image-tiff", "TIFF image format", "image")[0] == ("IMAGE_FORMATS", "tif")


def test_module_is_written_in_order() -> None:
    features = [
        _feature("css-b", "bee", outlook=["windows"]),
        _feature("css-a", "ant", gmail=["ios"], outlook=["windows"]),
        _feature("css-c", "cat"),
    ]
    written = write({"data": features, "last_update_date": "2025-09-09 18:08:06 +0000"}, "1.0.5")
    names: dict[str, Any] = {}
    exec(written, names)
    assert list(names["PROPERTIES"]) == ["ant", "bee"]
    assert names["PROPERTIES"]["ant"] == "Gmail (iOS), Outlook (Windows)"
    assert (names["VERSION"], names["DATE"]) == ("1.0.5", "2025-09-09")


def test_the_table_that_is_used() -> None:
    """Facts that everybody who makes mail knows."""
    assert "Outlook (Windows)" in mail_support.VALUES["display:flex"]
    assert "Gmail" in mail_support.VALUES["position:absolute"]
    assert "Gmail" in mail_support.FUNCTIONS["var"]
    assert "Gmail" in mail_support.ELEMENTS["svg"]
    assert "Outlook (Windows)" in mail_support.IMAGE_FORMATS["webp"]
    assert not mail_support.PROPERTIES.keys() & {"color", "padding", "font-size", "width"}
    assert not mail_support.ELEMENTS.keys() & {"table", "td", "a", "img", "p", "h1"}
