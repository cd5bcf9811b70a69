"""Images that somebody adds to media/: looked at, cleaned, named, and never over another file."""

import re
import unicodedata
from collections.abc import Iterator
from io import BytesIO
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import PIL.Image
import PIL.ImageSequence

from publisher.errors import PublisherError
from publisher.site.replace import write_new_file
from publisher.site.scan import MEDIA

# What mail programs show, by Pillow's names; an SVG may hold scripts, and mail shows none.
_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"}
MOST_BYTES = 10_000_000
# 8,000 by 6,000 is what large cameras make; decoded it takes 150 MB.
MOST_PIXELS = 50_000_000
# All frames of a moving image together.
_MOST_FRAMES = 300
_TOO_LARGE = (
    f"At most {MOST_PIXELS // 10**6} million pixels in all are taken, and the image has {{}}."
    " 1,600 pixels of width are plenty."
)
_LONGEST_NAME = 60
MOST_ALT = 500
# EXIF 2.32: of all that cameras write, which way is up, and what can be seen.
_ORIENTATION, _DESCRIPTION = 0x0112, 0x010E


class ImageError(PublisherError):
    """An image that is not taken; says why, and what to do."""


class Added(msgspec.Struct, frozen=True):
    """An image in media/, its size in pixels."""

    path: str
    width: int
    height: int


def add_image(folder: Path, name: str, data: bytes, alt: str) -> Added:
    """Put an image into media/ under a safe name of its own. Raises ImageError.

    It is decoded and encoded again, so that nothing travels with it: neither the place where it was
    taken nor anything behind its end. Its alt text does, in its own description.
    """
    cleaned, suffix, (width, height) = clean_image(data, alt)
    for path in _names(name, suffix):
        try:
            write_new_file(folder, path, cleaned)
        except FileExistsError:
            continue
        return Added(path, width, height)
    raise AssertionError("numbers end")


def clean_image(data: bytes, alt: str) -> tuple[bytes, str, tuple[int, int]]:
    """An image's pixels in its own format, with its alt text; its suffix and size."""
    if len(data) > MOST_BYTES:
        raise ImageError(
            f"The image has {len(data) / 1e6:.1f} MB, and at most {MOST_BYTES // 10**6} are taken:"
            " mail and phones want far smaller ones. Save it with fewer pixels."
        )
    if _is_svg(data):
        raise ImageError(
            "SVG is not taken: it may hold scripts, and mail programs do not show it."
            " Export it as PNG."
        )
    try:
        with PIL.Image.open(BytesIO(data), formats=tuple(_SUFFIXES)) as image:
            _require_small(image)
            image.load()
            return _encode(image, alt), _SUFFIXES[str(image.format)], _turned_size(image)
    except ImageError:
        raise
    except PIL.Image.DecompressionBombError:  # so large that it is not even opened
        raise ImageError(_TOO_LARGE.format("far more")) from None
    except Exception:  # Pillow raises whatever its decoders do
        raise ImageError(
            "This is no image that can be read. JPEG, PNG, WebP and GIF are taken; open it in an"
            " image program and save it as one of these."
        ) from None


def is_image(data: bytes) -> bool:
    """Tell whether bytes are an image that browsers and mail programs show, whole and small."""
    if len(data) > MOST_BYTES:
        return False
    try:
        with PIL.Image.open(BytesIO(data), formats=tuple(_SUFFIXES)) as image:
            _require_small(image)
            image.verify()
    except Exception:  # Pillow raises whatever its decoders do
        return False
    return True


def _require_small(image: PIL.Image.Image) -> None:
    frames = getattr(image, "n_frames", 1)
    if image.width * image.height * frames > MOST_PIXELS or frames > _MOST_FRAMES:
        what = f"{image.width} × {image.height} pixels"
        what += f" in {frames} frames" if frames > 1 else ""
        raise ImageError(_TOO_LARGE.format(what))


def _encode(image: PIL.Image.Image, alt: str) -> bytes:
    exif = PIL.Image.Exif()
    turned = image.getexif().get(_ORIENTATION, 1)
    if turned in range(2, 9):
        exif[_ORIENTATION] = turned
    exif[_DESCRIPTION] = alt.encode()
    options: dict[str, Any] = {"format": image.format}
    if profile := image.info.get("icc_profile"):
        options["icc_profile"] = profile
    if getattr(image, "n_frames", 1) > 1:
        options |= {"save_all": True, "duration": _durations(image)}
        options |= {"loop": image.info["loop"]} if "loop" in image.info else {}
    match image.format:
        case "JPEG":  # with its own tables, so that it loses nothing to speak of
            options |= {"quality": "keep", "exif": exif, "comment": b""}
        case "GIF":
            options |= {"comment": alt.encode()}
            image.info.pop("comment", None)
        case "PNG":
            options |= {"exif": exif, "optimize": True}
        case _:
            options |= {"exif": exif, "quality": 90, "xmp": b""}
    file = BytesIO()
    image.save(file, **options)
    return file.getvalue()


def _durations(image: PIL.Image.Image) -> list[int]:
    """How long each frame stands, in milliseconds; the first one is in front again."""
    frames = PIL.ImageSequence.Iterator(image)
    durations = [int(frame.info.get("duration", 0)) for frame in frames]
    image.seek(0)
    return durations


def _turned_size(image: PIL.Image.Image) -> tuple[int, int]:
    is_turned = image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    return (image.height, image.width) if is_turned else image.size


def read_alt(data: bytes) -> str:
    """The alt text that travels with an image; empty where there is none."""
    try:
        with PIL.Image.open(BytesIO(data), formats=tuple(_SUFFIXES)) as image:
            if image.format == "GIF":
                found = image.info.get("comment", b"")
            else:
                found = image.getexif().get(_DESCRIPTION, "")
    except Exception:
        return ""
    raw = found if isinstance(found, bytes) else str(found).encode("latin-1", "replace")
    return " ".join(raw.decode("utf-8", "replace").split())[:MOST_ALT]


def _is_svg(data: bytes) -> bool:
    return re.search(rb"<svg[\s>]", data[:4096], re.IGNORECASE) is not None


def _names(name: str, suffix: str) -> Iterator[str]:
    """Paths in media/ for a file that somebody calls so, the plainest first."""
    stem = PurePosixPath(name.replace("\\", "/")).stem
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_NAME].strip("-") or "image"
    yield f"{MEDIA}/{plain}{suffix}"
    for number in count(2):
        yield f"{MEDIA}/{plain}-{number}{suffix}"
