"""Images: adding one with its alt text, all that there are, and where each is used."""

import re
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath, FromQuery

from publisher.site.check import checking_job
from publisher.site.images import MOST_ALT, MOST_BYTES, ImageError, add_image, read_alt
from publisher.site.index import Index
from publisher.site.job import index_path
from publisher.site.scan import File, list_media, read_file
from publisher.web.console.desk import Desk
from publisher.web.console.issues import has_read, note_change
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    desk_of,
    flash,
    in_thread,
    redirect,
    render,
    text_of,
)

Upload = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]

_PAGE = 40
_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".avif": "image/avif",
}
_FILE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"


class MediaRow(msgspec.Struct, frozen=True, kw_only=True):
    """A file in media/; `users` are the NAMEs of the issues that use it.

    `snippet` is what a highlight's heading takes for it, `inline` what a text does.
    """

    path: str
    url: str
    problem: str
    is_image: bool
    width: int
    height: int
    alt: str
    users: tuple[str, ...]
    snippet: str
    inline: str


@get("/media")
@in_thread
def show_media(
    request: AnyRequest, after: FromQuery[str] = "", added: FromQuery[str] = ""
) -> Answer:
    return _show(request, after=after, added=added)


def _show(
    request: AnyRequest,
    *,
    after: str = "",
    added: str = "",
    problems: dict[str, str] | None = None,
    alt: str = "",
) -> Answer:
    desk = desk_of(request)
    if not has_read(desk):
        return render(request, "looking.html", back="/media")
    files = sorted(list_media(desk.folder), key=lambda file: file.path)
    new = [file for file in files if file.path == added]
    page = [file for file in files if file.path > after][: _PAGE + 1]
    rows = _rows(desk, [*new, *page[:_PAGE]])
    return render(
        request,
        "media.html",
        status=422 if problems else 200,
        problems=problems or {},
        alt=alt,
        added=rows[0] if new else None,
        rows=rows[len(new) :],
        count=len(files),
        most=MOST_BYTES // 10**6,
        further=f"/media?after={quote(page[_PAGE - 1].path)}" if len(page) > _PAGE else "",
        first="/media" if after else "",
    )


def _rows(desk: Desk, files: list[File]) -> list[MediaRow]:
    job = checking_job(desk.folder, desk.settings, desk.clock())
    with closing(Index(index_path(job), is_readonly=True)) as index:
        return [_row(desk, index, file) for file in files]


def _row(desk: Desk, index: Index, file: File) -> MediaRow:
    sql = "SELECT user FROM media WHERE path = ? AND user != '' ORDER BY user DESC LIMIT 20"
    users = tuple(PurePosixPath(user).stem for (user,) in index.rows(sql, file.path))
    sizes = index.rows("SELECT width, height FROM measured WHERE path = ?", file.path)
    width, height = sizes[0] if sizes else (0, 0)
    is_image = not file.problem and PurePosixPath(file.path).suffix.lower() in _TYPES
    alt = read_alt(_read(desk, file.path)) if is_image else ""
    url = quote(file.path)
    quoted = alt.replace("\\", "\\\\").replace('"', '\\"')
    bracketed = re.sub(r"([\\\[\]])", r"\\\1", alt)
    return MediaRow(
        path=file.path,
        url=f"/{url}",
        problem=file.problem,
        is_image=is_image,
        width=width,
        height=height,
        alt=alt,
        users=users,
        snippet=f'image="{url}" alt="{quoted}"',
        inline=f"![{bracketed}]({url})",
    )


def _read(desk: Desk, path: str) -> bytes:
    try:
        return read_file(desk.folder, path)
    except OSError:  # gone since it was listed
        return b""


@post("/media", request_max_body_size=MOST_BYTES + 1_000_000)
async def take_image(request: AnyRequest, data: Upload) -> Answer:
    """Add an image that is sent in a form."""
    file = data.get("file")
    is_sent = isinstance(file, UploadFile) and bool(file.filename)
    sent = await file.read(MOST_BYTES + 1) if isinstance(file, UploadFile) and is_sent else b""
    name = file.filename if isinstance(file, UploadFile) else ""
    return await _take_image(request, name, sent, " ".join(text_of(data, "alt").split()))


@in_thread
def _take_image(request: AnyRequest, name: str, sent: bytes, alt: str) -> Answer:
    desk, problems = desk_of(request), dict[str, str]()
    if not alt:
        problems["alt"] = "Say in a sentence what can be seen: for those who do not see it."
    elif len(alt) > MOST_ALT:
        problems["alt"] = f"At most {MOST_ALT} characters: a sentence or two."
    if not sent:
        problems["file"] = "Choose an image."
    if problems:
        return _show(request, problems=problems, alt=alt)
    try:
        added = add_image(desk.folder, name, sent, alt)
    except ImageError as error:
        return _show(request, problems={"file": str(error)}, alt=alt)
    note_change(request, "image added", added.path, added.path)
    flash(request, f"The image is added as {added.path}.")
    return redirect(f"/media?added={quote(added.path)}")


@get("/media/{path:path}")
@in_thread
def show_file(request: AnyRequest, path: FromPath[Path]) -> Answer:
    desk = desk_of(request)
    wanted = f"media{path.as_posix()}"
    if all(file.path != wanted or file.problem for file in list_media(desk.folder)):
        raise NotFoundException("There is no such file.")
    return answer_file(wanted, read_file(desk.folder, wanted))


def answer_file(path: str, data: bytes) -> Answer:
    """A file of media/: an image as what it is, everything else to be kept rather than shown."""
    media_type = _TYPES.get(PurePosixPath(path).suffix.lower())
    headers = {"Content-Security-Policy": _FILE_POLICY}
    if media_type is None:
        headers["Content-Disposition"] = "attachment"
    return Response(data, media_type=media_type or "application/octet-stream", headers=headers)


handlers = [show_media, take_image, show_file]
