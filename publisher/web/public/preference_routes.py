"""The page of a reader's preferences over HTTP: GET shows it, each POST of its forms acts."""

from datetime import UTC, datetime

from litestar import Response, post, route
from msgspec import json

from publisher.web.public.answers import Answer
from publisher.web.public.form import FormError
from publisher.web.public.handling import HEADS, AnyRequest, read_form, server_of, visit_of
from publisher.web.public.preference_page import show_preferences
from publisher.web.public.preferring import (
    Handed,
    Left,
    Opened,
    Opening,
    choose,
    open_preferences,
    read_chosen,
)
from publisher.web.public.server import PublicServer


@route("/preferences/{token:str}", http_method=HEADS)
async def show(request: AnyRequest) -> Answer:
    server = server_of(request)
    if (link := server.find_link(visit_of(request), "preferences")) is None:
        return server.show("link_unusable", is_of_preferences=True)
    found = await server.read(lambda c: open_preferences(_opening(server, c, ""), link))
    if found is None:
        return server.show("link_unusable", is_of_preferences=True)
    return _show(server, Opened(subscriber=found))


@post("/preferences/{token:str}", status_code=200)
async def act(request: AnyRequest) -> Answer:
    """Do what one of the page's forms says, and show the page again with what was done."""
    server, visit = server_of(request), visit_of(request)
    if not visit.is_own:
        return server.show("refused")
    if (link := server.find_link(visit, "preferences")) is None:
        return server.show("link_unusable", is_of_preferences=True)
    try:
        fields = await read_form(request)
    except FormError:
        return server.show("refused", status=400)
    chosen = read_chosen(fields, server.pages.languages, server.publication.language, server.offer)
    if chosen is None:
        return server.show("refused", status=400)
    outcome = await server.write(lambda c: choose(_opening(server, c, visit.client), link, chosen))
    return _answer(server, outcome)


def _opening(server: PublicServer, connection: object, client: str) -> Opening:
    return Opening(
        connection=connection,  # type: ignore[arg-type]
        publication=server.database.publication,
        about=server.publication,
        secret=server.asking.secret,
        client=client,
        now=datetime.now(UTC),
    )


def _answer(server: PublicServer, outcome: Opened | Left | Handed) -> Answer:
    if isinstance(outcome, Opened):
        return _show(server, outcome)
    if isinstance(outcome, Handed):
        return _hand_over(outcome)
    if outcome.erased:
        server.scrub(outcome.erased)
    return server.show(outcome.kind, language=outcome.language, is_of_preferences=True)


def _show(server: PublicServer, opened: Opened) -> Answer:
    language = server.pages.speak(opened.subscriber.language)
    page = server.pages.fill(show_preferences(opened, language, datetime.now(UTC), server.offer))
    return server.answers.show_page(page, 200 if opened.slip is None else 422)


def _hand_over(handed: Handed) -> Response[bytes]:
    """The file that a browser keeps."""
    headers = {
        "Content-Disposition": 'attachment; filename="my-data.json"',
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
    }
    body = json.format(json.encode(handed.document), indent=2) + b"\n"
    return Response(body, media_type="application/json", headers=headers)


PREFERENCE_ROUTES = [show, act]
