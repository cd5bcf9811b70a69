"""What is wrong with an issue's images and with the files in media/ that it names."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cached_property
from urllib.parse import urlsplit

import msgspec

from publisher.model.issue import Image, Issue
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.preflight.mail_support import IMAGE_FORMATS
from publisher.preflight.prose import Part
from publisher.render.urls import IMAGE_SCHEMES, media_path
from publisher.render.views import Setting, find_image

_IMAGE_SUFFIX = re.compile(r"\.(?:png|jpe?g|gif|webp|svg|avif|heic|heif|tiff?|bmp)$", re.IGNORECASE)
# What cameras, telephones and screens call their pictures.
_CAMERA_NAME = re.compile(
    r"(?:IMG|DSC[NF]?|PXL|image|photo|picture|screenshot|untitled|微信图片|截图|图片)[ _-]*\d*",
    re.IGNORECASE,
)


class _Use(msgspec.Struct, frozen=True):
    """One image where it is used."""

    image: Image
    line: int | None
    example: str


class Media:
    """The files in media/ by their paths, which are also looked for as other systems name them."""

    def __init__(self, paths: Collection[str]) -> None:
        self.paths = paths

    @cached_property
    def folded(self) -> dict[str, str]:
        return {_fold(path): path for path in sorted(self.paths, reverse=True)}

    def check(self, path: str, file: str, line: int | None) -> Iterator[Problem]:
        """Say that a file is missing, and which one a Mac or Windows would take for it."""
        if path not in self.paths:
            near = self.folded.get(_fold(path))
            hint = f"; there is {near}" if near else ""
            yield problem("media-missing", file, line, path=path, hint=hint)


def _fold(path: str) -> str:
    """A path without case, its letters put together with their accents."""
    return unicodedata.normalize("NFC", path).casefold()


def check_images(
    issue: Issue, parts: tuple[Part, ...], setting: Setting, existing_media: Collection[str]
) -> Iterator[Problem]:
    """Look at every image, and at every file in media/ that a link leads to."""
    media = Media(existing_media)
    for use in _uses(parts):
        yield from _check_alt(issue, use)
        yield from _check_source(issue, use, setting, media)
    for href, line in _links(parts):
        if path := media_path(href, setting.urls):
            yield from media.check(path, issue.path, line)


def _uses(parts: tuple[Part, ...]) -> Iterator[_Use]:
    for part in parts:
        if part.highlight and part.highlight.image:
            example = 'alt="…", or alt="" where it only decorates'
            yield _Use(part.highlight.image, part.line, example)
        for picture in part.pictures:
            # Markdown has no way to say that an image only decorates.
            alt = picture.alt if picture.alt.strip() else None
            yield _Use(Image(picture.src, alt), picture.line, f"![…]({picture.src})")


def _links(parts: tuple[Part, ...]) -> Iterator[tuple[str, int | None]]:
    for part in parts:
        if part.highlight and part.highlight.url:
            yield part.highlight.url, part.line
        for link in part.links:
            yield link.href, link.line


def _check_alt(issue: Issue, use: _Use) -> Iterator[Problem]:
    alt = use.image.alt
    if alt is None:
        yield problem(
            "image-alt-missing", issue.path, use.line, src=use.image.src, example=use.example
        )
    elif _IMAGE_SUFFIX.search(alt.strip()) or _CAMERA_NAME.fullmatch(alt.strip()):
        yield problem("image-alt-filename", issue.path, use.line, found=alt)


def _check_source(issue: Issue, use: _Use, setting: Setting, media: Media) -> Iterator[Problem]:
    src, urls = use.image.src, setting.urls
    url = urls.resolve(src, IMAGE_SCHEMES)
    if not url:
        return  # see check_links: what is no address is reported there
    path = media_path(src, urls)
    if path and path not in media.paths:
        yield from media.check(path, issue.path, use.line)
        return
    if not path and not urlsplit(src.strip()).scheme and not src.strip().startswith("//"):
        yield problem("image-outside-media", issue.path, use.line, src=src, resolved=url)
        return
    image = find_image(use.image, setting)
    if image and not (image.width and image.height):
        yield problem("image-size-unknown", issue.path, use.line, src=src)
    suffix = urlsplit(url).path.rsplit(".", 1)[-1].lower()
    if issue.mail and (clients := IMAGE_FORMATS.get(suffix)):
        yield problem("image-format-unsupported", issue.path, use.line, src=src, clients=clients)
