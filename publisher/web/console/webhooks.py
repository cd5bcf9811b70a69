"""Webhooks: which programs are told what happens, what they were not, and trying that again."""

from typing import Any

import msgspec
from litestar import get, post
from litestar.exceptions import NotFoundException

from publisher.runtime.webhooks import name_webhook
from publisher.store import events
from publisher.web.console.desk import Desk
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Before,
    RowId,
    actor_of,
    desk_of,
    flash,
    in_thread,
    redirect,
    render,
)

_PAGE = 50


class Endpoint(msgspec.Struct, frozen=True):
    """A webhook by its host, since its URL may be all its secret; `counts` are by status."""

    host: str
    kinds: tuple[str, ...]
    counts: dict[str, int]


class Untold(msgspec.Struct, frozen=True):
    """An event that was given up, to whom it was to be told, and of which issue it is."""

    event: events.GivenUp
    host: str
    slug: str


@get("/webhooks")
@in_thread
def show_webhooks(request: AnyRequest, before: Before = 0) -> Answer:
    desk = desk_of(request)
    publication = desk.database.publication
    with desk.database.read() as connection:
        counts = events.count_events(connection, publication)
        page = events.list_given_up(connection, publication, before=before, limit=_PAGE + 1)
    return render(
        request,
        "webhooks.html",
        endpoints=_list_endpoints(desk, counts),
        untold=[_describe(each) for each in page[:_PAGE]],
        older=f"/webhooks?before={page[_PAGE - 1].id}" if len(page) > _PAGE else "",
        newest="/webhooks" if before else "",
    )


def _list_endpoints(desk: Desk, counts: dict[tuple[str, str], int]) -> list[Endpoint]:
    statuses = ("queued", "told", "given_up")
    return [
        Endpoint(
            name_webhook(each.url),
            each.events,
            {status: counts.get((each.url, status), 0) for status in statuses},
        )
        for each in desk.settings.webhook
    ]


def _describe(event: events.GivenUp) -> Untold:
    data: dict[str, Any] = msgspec.json.decode(event.data)
    return Untold(event, name_webhook(event.url), data.get("slug", ""))


@post("/webhooks/{event:int}/retry")
@in_thread
def retry_event(request: AnyRequest, event: RowId) -> Answer:
    """Let one event be told again."""
    desk = desk_of(request)
    with desk.database.write() as connection:
        found = events.find_given_up(connection, desk.database.publication, event)
        if found is None:
            raise NotFoundException("There is no such event, or it is tried again already.")
        events.queue_again(connection, desk.database.publication, desk.clock(), event)
        about = f"{found.kind} {found.ref}"
        actor, host = actor_of(request), name_webhook(found.url)
        desk.note(connection, actor, "event queued again", about=about, detail=host)
    flash(request, f"{host} is told of it again, for a day.")
    return redirect("/webhooks")


@post("/webhooks/retry")
@in_thread
def retry_events(request: AnyRequest) -> Answer:
    """Let all that was given up be told again."""
    desk = desk_of(request)
    with desk.database.write() as connection:
        number = events.queue_again(connection, desk.database.publication, desk.clock())
        if number:
            actor = actor_of(request)
            desk.note(connection, actor, "events queued again", detail=f"{number:,}")
    said = f"{number:,} {'is' if number == 1 else 'are'} told again, for a day."
    flash(request, said if number else "Nothing was given up any more.")
    return redirect("/webhooks")


handlers = [show_webhooks, retry_event, retry_events]
