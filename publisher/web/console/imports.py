"""Readers from a file and into one: a dry look, the import with its report, the export."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, BinaryIO, cast

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath
from litestar.response import Stream

from publisher.audience.exporting import export_subscribers, write_csv, write_rejected
from publisher.audience.standings import EVERYBODY
from publisher.errors import PublisherError
from publisher.runtime.confirming import make_asking
from publisher.store import imports
from publisher.web.console.desk import Desk
from publisher.web.console.readers import as_sentence
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Form,
    RowId,
    actor_of,
    desk_of,
    flash,
    in_thread,
    operator_of,
    redirect,
    render,
    text_of,
)

# A million readers with long names and consents have some 150 MB.
_MOST_BYTES = 300_000_000
_RUNS = 20
_SHOWN_REJECTED = 200
_CSV = "text/csv; charset=utf-8"
# As Python names them; what is neither UTF-8 nor UTF-16 cannot be told from its bytes.
_ENCODINGS = {
    "": "Unicode (UTF-8 or UTF-16)",
    "cp1252": "Western European (Windows-1252)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1256": "Arabic (Windows-1256)",
    "gb18030": "Chinese (GB 18030)",
    "big5": "Chinese (Big5)",
    "shift_jis": "Japanese (Shift JIS)",
    "euc_kr": "Korean (EUC-KR)",
}
_GONE = "That file is not here any more: choose it once more."

Upload = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]


@get("/readers/import")
@in_thread
def show_import(request: AnyRequest) -> Answer:
    """The form; or the file that is on its way, as it stands; and what came of earlier ones."""
    return _show(request, desk_of(request))


def _show(
    request: AnyRequest, desk: Desk, status: int = 200, problems: dict[str, str] | None = None
) -> Answer:
    upload = desk.uploads.find()
    with desk.database.read() as connection:
        runs = imports.list_runs(connection, desk.database.publication, _RUNS)
    return render(
        request,
        "import.html",
        status=status,
        problems=problems or {},
        upload=upload,
        runs=runs,
        encodings=_ENCODINGS,
        everybody=EVERYBODY,
        most=_MOST_BYTES // 1_000_000,
        shown=_SHOWN_REJECTED,
    )


@post("/readers/import", request_max_body_size=_MOST_BYTES)
@in_thread
def take_file(request: AnyRequest, data: Upload) -> Answer:
    desk = desk_of(request)
    files = _files_of(data)
    encoding, everybody = text_of(data, "encoding"), text_of(data, "everybody")
    if not files:
        return _show(request, desk, 422, {"file": "Choose a file first."})
    if encoding not in _ENCODINGS:
        return _show(request, desk, 422, {"encoding": "Choose one of the encodings."})
    if everybody and everybody not in EVERYBODY:
        return _show(request, desk, 422, {"everybody": "Choose one of these."})
    try:
        who = operator_of(request).email
        named = [(cast(BinaryIO, file.file), file.filename) for file in files]
        desk.uploads.take(named, encoding, who, everybody)
    except PublisherError as error:
        return _show(request, desk, 422, {"file": as_sentence(error)})
    finally:
        for file in files:
            file.file.close()
    return redirect("/readers/import")


def _files_of(data: dict[str, Any]) -> list[UploadFile]:
    """The files that were chosen: a form sends one by itself, and several as a list."""
    sent = data.get("file")
    each = sent if isinstance(sent, list) else [sent]
    return [file for file in each if isinstance(file, UploadFile) and file.filename]


@post("/readers/import/{token:str}/start")
@in_thread
def start_import(request: AnyRequest, token: FromPath[str], data: Form) -> Answer:
    desk = desk_of(request)
    how = text_of(data, "how")
    if how not in ("vouch", "ask"):
        return _show(request, desk, 422, {"how": "Choose one of the two."})
    try:
        is_asking = how == "ask"
        ask = make_asking(desk.folder, desk.settings, desk.database) if is_asking else None
        run = desk.uploads.start(token, actor_of(request), ask)
    except PublisherError as error:
        return _show(request, desk, 422, {"how": as_sentence(error)})
    if run is None:
        flash(request, _GONE, "problem")
        return redirect("/readers/import")
    is_over = desk.uploads.find() is None
    return redirect(f"/readers/imports/{run}" if is_over else "/readers/import")


@post("/readers/import/{token:str}/cancel")
@in_thread
def cancel_import(request: AnyRequest, token: FromPath[str]) -> Answer:
    """Give a file up; an import stops as soon as it may, and what it did until then stays."""
    upload = desk_of(request).uploads.find()
    if not desk_of(request).uploads.give_up(token):
        flash(request, _GONE, "problem")
    elif upload and upload.stage == "importing":
        flash(request, "The import stops; who was imported already stays.")
    else:
        flash(request, "The file was given up. Nothing was imported.")
    return redirect("/readers/import")


@get("/readers/imports/{run:int}")
@in_thread
def show_run(request: AnyRequest, run: RowId) -> Answer:
    """What came of an import."""
    desk = desk_of(request)
    with desk.database.read() as connection:
        found = imports.find_run(connection, desk.database.publication, run)
        if found is None:
            raise NotFoundException("There is no such import.")
        rejected = imports.read_rejected(connection, desk.database.publication, run)
    return render(
        request,
        "imported.html",
        run=found,
        rejected=rejected[:_SHOWN_REJECTED],
        kept=len(rejected),
        days=imports.REJECTED_KEPT.days,
    )


@get("/readers/imports/{run:int}/rejected")
@in_thread
def download_rejected(request: AnyRequest, run: RowId) -> Answer:
    """The lines that an import did not take, as CSV."""
    desk = desk_of(request)
    with desk.database.write() as connection:
        publication = desk.database.publication
        if imports.find_run(connection, publication, run) is None:
            raise NotFoundException("There is no such import.")
        rejected = imports.read_rejected(connection, publication, run)
        actor, about = actor_of(request), f"import {run}"
        desk.note(connection, actor, "rejected lines downloaded", about=about)
    body = write_rejected((each.line, each.value, each.reason, each.file) for each in rejected)
    headers = {"Content-Disposition": f'attachment; filename="rejected-{run}.csv"'}
    return Response(body, media_type=_CSV, headers=headers)


@post("/readers/export", sync_to_thread=True)
def export_readers(request: AnyRequest) -> Stream:
    """All readers as CSV, a page of them at a time. It is asked for with POST: it is noted."""
    desk = desk_of(request)
    with desk.database.write() as connection:
        desk.note(connection, actor_of(request), "readers exported")
    pieces: Iterator[bytes] | AsyncIterator[bytes] = write_csv(export_subscribers(desk.database))
    name = f"readers-{desk.clock().astimezone(desk.zone):%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Stream(pieces, status_code=200, media_type="text/csv", headers=headers)


handlers = [
    *(show_import, take_file, start_import, cancel_import),
    *(show_run, download_rejected, export_readers),
]
