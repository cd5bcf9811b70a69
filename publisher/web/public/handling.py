"""What handlers share: a request's visit and server, the form in its body, who may send one."""

import asyncio
from typing import cast

from litestar import HttpMethod, Request
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from publisher.web.public.answers import Answer
from publisher.web.public.form import Fields, FormError, parse_form
from publisher.web.public.server import PublicServer
from publisher.web.public.visit import Visit, limit_group

# A form's body is there at once, or never.
_BODY_SECONDS = 10.0
HEADS = [HttpMethod.GET, HttpMethod.HEAD]

AnyRequest = Request[None, None, State]


def visit_of(request: AnyRequest) -> Visit:
    return cast(Visit, request.scope["state"]["visit"])


def server_of(request: AnyRequest) -> PublicServer:
    return cast(PublicServer, request.app.state.server)


async def read_form(request: AnyRequest) -> Fields:
    """Read the body's fields. Raises FormError, or HTTPException where it is too long or slow."""
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = b"".join([chunk async for chunk in request.stream()])
    except TimeoutError:
        raise HTTPException(status_code=408, headers={"Connection": "close"}) from None
    return parse_form(request.headers.get("content-type", ""), body)


async def read_open_form(request: AnyRequest) -> Fields | Answer:
    """The fields of a form that anybody may send, but not too often; or what is said instead."""
    server, visit = server_of(request), visit_of(request)
    if not visit.is_own:
        return server.show("refused")
    try:
        fields = await read_form(request)
    except FormError:
        return server.show("refused", status=400)
    if not server.asking.is_ready:
        return server.show("unavailable")
    if not server.limits.admit(limit_group(visit.client)):
        return server.show("unavailable", status=429, headers={"Retry-After": "3600"})
    return fields
