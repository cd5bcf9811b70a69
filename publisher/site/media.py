"""Images and files that issues use: which, how large, and whether they may be published."""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from publisher.model import content as c
from publisher.model.issue import Image, Issue
from publisher.render.urls import Urls, media_path
from publisher.site.index import Index
from publisher.site.scan import IMAGE_SUFFIXES, read_file


def used_media(issue: Issue, urls: Urls) -> set[str]:
    """The paths below the publication's folder that an issue's images and links mean."""
    written = [highlight.image.src for highlight in issue.highlights if highlight.image]
    written += [highlight.url for highlight in issue.highlights if highlight.url]
    for blocks in (issue.introduction, *(highlight.body for highlight in issue.highlights)):
        written += _references(blocks)
    return {path for src in written if (path := media_path(src, urls))}


def _references(node: object) -> Iterator[str]:
    if isinstance(node, tuple):
        for item in node:
            yield from _references(item)
    elif isinstance(node, c.Node):
        match node:
            case c.Link(href):
                yield href
            case c.Picture(src):
                yield src
        for name in node.__struct_fields__:
            yield from _references(getattr(node, name))


def measure(folder: Path, path: str) -> tuple[int, int]:
    """Measure an image in CSS pixels from its header; (0, 0) where it has no size we can read."""
    if not path.lower().endswith(IMAGE_SUFFIXES):
        return (0, 0)
    from io import BytesIO

    import PIL.Image

    try:
        data = read_file(folder, path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a "bomb" is only measured here, never decoded
            with PIL.Image.open(BytesIO(data)) as image:
                width, height = image.size
                # Asked for what its header does not hold, Pillow decodes the whole of a PNG.
                exif = image.getexif() if image.format != "PNG" or "exif" in image.info else {}
                is_turned = exif.get(0x0112, 1) in (5, 6, 7, 8)
                return (height, width) if is_turned else (width, height)
    except Exception:
        # Pillow raises whatever its decoders do; an image that it cannot read has no known size.
        return (0, 0)


class MeasuredMedia(Mapping[str, tuple[int, int]]):
    """The measured sizes as the index has them, looked up one by one."""

    def __init__(self, index: Index) -> None:
        self.index = index

    def __getitem__(self, path: str) -> tuple[int, int]:
        sql = "SELECT width, height FROM measured WHERE path = ? AND width > 0"
        rows = self.index.rows(sql, path)
        if not rows:
            raise KeyError(path)
        return (rows[0][0], rows[0][1])

    def __iter__(self) -> Iterator[str]:
        yield from (row[0] for row in self.index.rows("SELECT path FROM measured"))

    def __len__(self) -> int:
        return int(self.index.value("SELECT COUNT(*) FROM measured"))


class FreshMedia(MeasuredMedia):
    """The same, and what no issue used yet when the index was made: measured when it is asked for.

    `folder` is the publication's.
    """

    def __init__(self, index: Index, folder: Path) -> None:
        super().__init__(index)
        self.folder = folder

    def __getitem__(self, path: str) -> tuple[int, int]:
        try:
            return super().__getitem__(path)
        except KeyError:
            size = measure(self.folder, path)
            if not all(size):
                raise
            return size


def logo_path(logo: str, urls: Urls) -> str:
    """The path of the publication's logo below its folder, or empty."""
    return media_path(Image(logo).src, urls) if logo else ""
