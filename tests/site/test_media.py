"""Images and files: which are published, how large they are, and what becomes of changed ones."""

import random
import resource
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from PIL import Image

from publisher.site.media import measure
from publisher.site.withdraw import withdraw
from tests.site.reading import rules
from tests.site.world import SETTINGS, World

FORMATS = ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP"]


def picture(width: int, height: int, form: str = "PNG", **options: Any) -> bytes:
    noise = random.Random(width).randbytes(width * height * 3)
    stream = BytesIO()
    Image.frombytes("RGB", (width, height), noise).save(stream, form, **options)
    return stream.getvalue()


def use(world: World, path: str, name: str = "2026-01-05", more: str = "") -> None:
    world.issue(name, f'## A {{#a{name} image="{path}" alt="Lights"}}\n\nText.\n{more}')


def shown_sizes(world: World) -> list[tuple[str | None, str | None]]:
    page = html.fromstring(world.read("issues/2026-01-05/index.html"))
    return [(image.get("width"), image.get("height")) for image in page.iter("img")]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("size", [(60, 40), (700, 600)], ids=["small", "above 1 MB"])
def test_sizes_are_measured_in_every_format(world: World, form: str, size: tuple[int, int]) -> None:
    options: dict[str, dict[str, Any]] = {
        "WEBP": {"lossless": True},
        "JPEG": {"quality": 100},
        "AVIF": {"quality": 100},
    }
    path = f"media/a.{form.lower()}"
    world.write(path, picture(*size, form, **options.get(form, {})))
    assert measure(world.folder, path) == size


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_turned_photograph_is_measured_as_it_is_shown(
    world: World, form: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    world.write("media/a.jpg", picture(60, 40, form, exif=exif))
    expected = (40, 60) if orientation >= 5 else (60, 40)
    assert measure(world.folder, "media/a.jpg") == expected


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int, pixels: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    end = chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + end


def test_a_bomb_is_measured_and_never_decoded(world: World) -> None:
    """13,000 pixels square would be half a gigabyte."""
    row = bytes(13_000 * 3 + 1)
    world.write("media/a.png", png_header(13_000, 13_000, row * 200))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert measure(world.folder, "media/a.png") == (13_000, 13_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"",
            b"\0",
            b"no image",
            b"\x89PNG\r\n\x1a\n",
            b"GIF89a",
            b"RIFF\xff\xff\xff\xffWEBPVP8 ",
        ),
        *(picture(60, 40)[:20], picture(60, 40, "JPEG")[:30], picture(60, 40, "WEBP")[:25]),
        *(png_header(30_000, 30_000), png_header(0, 0), b"<svg/>", b"\xff\xd8\xff\xe1\xff\xff"),
    ],
)
def test_what_has_no_size_is_shown_without(world: World, data: bytes) -> None:
    world.write("media/a.png", data)
    use(world, "media/a.png")
    report = world.build()
    assert not report.is_refused
    assert "image-size-unknown" in rules(report)
    assert world.files()["media/a.png"] == data
    assert shown_sizes(world) == [(None, None)]


def test_a_truncated_image_has_the_size_of_its_header(world: World) -> None:
    world.write("media/a.png", picture(60, 40)[:200])
    assert measure(world.folder, "media/a.png") == (60, 40)


def test_only_what_a_published_issue_uses_is_published(world: World) -> None:
    for name in ("used", "linked", "draft", "future", "unused", "logo", "Größe é"):
        world.write(f"media/{name}.png", picture(60, 40))
    world.write("media/deep/er/b.pdf", b"%PDF")
    world.write("publisher.toml", SETTINGS.replace("[email]", 'logo = "media/logo.png"\n[email]'))
    links = (
        "[b](media/deep/er/b.pdf) ![g](media/Gr%C3%B6%C3%9Fe%20%C3%A9.png) ![g](media/linked.png)"
    )
    use(world, "media/used.png", more=links)
    world.issue("2026-01-06", "## D {#d}\n\n![x](media/draft.png)\n", status="draft")
    world.issue("2026-03-09", "## F {#f}\n\n![x](media/future.png)\n")
    world.build()
    published = {path for path in world.files() if path.startswith("media/")}
    assert published == {
        *(f"media/{name}.png" for name in ("used", "linked", "logo", "Größe é")),
        "media/deep/er/b.pdf",
    }
    world.replace("issues/2026-01-06.md", "status: draft", "status: ready")
    world.build()
    assert "media/draft.png" in world.files()


def test_an_image_with_an_address_of_the_site_is_a_file_of_ours(world: World) -> None:
    world.write("media/a.png", picture(60, 40))
    use(world, "https://daily.example/media/a.png?x=1#y")
    world.build()
    assert "media/a.png" in world.files()
    assert shown_sizes(world) == [("60", "40")]


def test_a_changed_image_is_measured_again_and_shown_so(world: World) -> None:
    world.write("media/a.png", picture(60, 40))
    use(world, "media/a.png")
    world.issue("2026-01-06")
    world.build()
    assert shown_sizes(world) == [("60", "40")]
    register, other = world.register(), world.files()["issues/2026-01-06/email.html"]
    world.write("media/a.png", picture(90, 30))
    report = world.build()
    assert shown_sizes(world) == [("90", "30")]
    assert 'width="90"' in world.read("feed.atom")
    assert world.files()["media/a.png"] == (world.folder / "media/a.png").read_bytes()
    # Its content is not what the editor wrote: no entry is updated.
    assert world.register() == register
    assert world.files()["issues/2026-01-06/email.html"] == other
    assert report.unchanged > 5


def test_a_removed_image_is_missed_and_comes_back(world: World, tmp_path: Path) -> None:
    image = world.write("media/a.png", picture(60, 40))
    use(world, "media/a.png")
    world.build()
    before = world.files()
    image.unlink()
    report = world.build()
    assert not report.is_refused
    [problem] = [p for p in report.problems if p.rule == "media-missing"]
    assert (problem.file, problem.line) == ("issues/2026-01-05.md", 7)
    assert "media/a.png" not in world.files()
    assert shown_sizes(world) == [(None, None)]
    world.write("media/a.png", picture(60, 40))
    world.build()
    assert world.files() == before


def test_an_image_that_nobody_uses_any_more_is_removed(world: World) -> None:
    world.write("media/a.png", picture(60, 40))
    use(world, "media/a.png")
    use(world, "media/a.png", "2026-01-06")
    world.build()
    for name in ("2026-01-05", "2026-01-06"):
        assert "media/a.png" in world.files()
        world.replace(f"issues/{name}.md", ' image="media/a.png"', "")
        world.build()
    assert "media/a.png" not in world.files()


@pytest.mark.parametrize("id_", ["b", "i2026-01-05"])
def test_an_image_of_what_was_withdrawn_is_removed(world: World, id_: str) -> None:
    world.write("media/a.png", picture(60, 40))
    body = '## A {#a}\n\nText.\n\n## B {#b image="media/a.png" alt="x"}\n\nText.\n'
    world.issue("2026-01-05", body)
    world.build()
    assert "media/a.png" in world.files()
    withdraw(world.folder, world.settings, id_, "", world.now)
    world.build()
    assert "media/a.png" not in world.files()


@pytest.mark.parametrize(
    "name", ["a.svg", "a.SVG", "a.html", "a.xhtml", "a.js", "a.xml", "a.svgz", "a.xht", "in/a.XSL"]
)
def test_what_could_carry_a_script_is_not_published(world: World, name: str) -> None:
    world.write(f"media/{name}", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    use(world, f"media/{name}", more=f"\n[x](media/{name})\n")
    report = world.build()
    assert not report.is_refused
    [problem] = [p for p in report.problems if p.rule == "media-unreadable"]
    assert problem.file == f"media/{name}"
    assert "media-missing" not in rules(report)
    assert not [path for path in world.files() if path.startswith("media/")]


def test_a_file_that_becomes_a_link_is_taken_away(world: World, tmp_path: Path) -> None:
    image = world.write("media/a.png", picture(60, 40))
    use(world, "media/a.png")
    world.build()
    outside = tmp_path / "outside.png"
    image.rename(outside)
    image.symlink_to(outside)
    report = world.build()
    [problem] = [p for p in report.problems if p.rule == "media-unreadable"]
    assert "link" in problem.message
    assert "media/a.png" not in world.files()


def test_written_sizes_go_before_measured_ones(world: World) -> None:
    world.write("media/a.png", picture(60, 40))
    world.issue("2026-01-05", '## A {#a image="media/a.png" alt="x" width="30"}\n\nText.\n')
    world.build()
    assert shown_sizes(world) == [("30", "20")]
