"""Bounces and complaints by HTTP, on the console's port: closed while there is no secret for them.

They know no session and no form, and guard themselves. What is reported goes the same way as what
comes back by mail. An answer says nothing of readers, and neither does the log.
"""

from collections.abc import Callable

import msgspec
from litestar import Response, post
from litestar.exceptions import HTTPException

from publisher.errors import PublisherError
from publisher.inbound.receive import Received, Secrets, receive_vouched
from publisher.inbound.report import Report
from publisher.runtime.log import Line, describe_defect
from publisher.runtime.returning import load_secrets
from publisher.runtime.signing import HEADER
from publisher.web.console.access import COOKIELESS
from publisher.web.console.desk import Desk
from publisher.web.console.shell import Answer, AnyRequest, client_of, desk_of
from publisher.web.console.throttle import Limit, Throttle
from publisher.web.hooks import generic, postmark, ses, sns
from publisher.web.hooks.refusal import HookError

# SNS takes 256 KB, and JSON in JSON grows by its escapes.
_MOST_BYTES = 1_000_000
# Refusals of one client in a quarter of an hour.
_MOST_REFUSED = 60

Take = Callable[["Hooks", AnyRequest, bytes], str]


class Hooks(msgspec.Struct, frozen=True, kw_only=True):
    """What the hooks need: `fetch` gets what is at a URL of AWS's."""

    desk: Desk
    secrets: Secrets
    fetch: sns.Fetch
    certificates: sns.Certificates
    throttle: Throttle


def open_hooks(desk: Desk, fetch: sns.Fetch = sns.fetch_aws) -> Hooks:
    return Hooks(
        desk=desk,
        secrets=load_secrets(desk.database, desk.settings),
        fetch=fetch,
        certificates=sns.Certificates(fetch),
        throttle=Throttle(),
    )


@post("/hooks/ses", opt=COOKIELESS, status_code=200, request_max_body_size=_MOST_BYTES)
async def hear_ses(request: AnyRequest) -> Answer:
    """Amazon SES, by a topic of SNS."""
    settings = desk_of(request).settings.hooks
    return await _hear(request, "ses", _take_ses if settings.ses_topic_arn else None)


@post("/hooks/postmark", opt=COOKIELESS, status_code=200, request_max_body_size=_MOST_BYTES)
async def hear_postmark(request: AnyRequest) -> Answer:
    """Postmark."""
    settings = desk_of(request).settings.hooks
    return await _hear(request, "postmark", _take_postmark if settings.postmark_password else None)


@post("/hooks/generic", opt=COOKIELESS, status_code=200, request_max_body_size=_MOST_BYTES)
async def hear_generic(request: AnyRequest) -> Answer:
    """Any program that has the secret."""
    settings = desk_of(request).settings.hooks
    return await _hear(request, "generic", _take_generic if settings.generic_secret else None)


handlers = [hear_ses, hear_postmark, hear_generic]


async def _hear(request: AnyRequest, name: str, take: Take | None) -> Answer:
    hooks: Hooks = request.app.state.hooks
    limit = Limit(client_of(request).encode(), _MOST_REFUSED)
    try:
        if take is None:
            raise HookError(404, "it is closed", is_forged=False)
        if hooks.throttle.is_spent(limit):
            return _answer(429, "too much was refused")
        body = await request.body()
        result = await hooks.desk.work(take, hooks, request, body)
        hooks.desk.tell(Line(f"hook {name}: {result}", "hook"))
        return _answer(200, result)
    except HookError as error:
        if error.is_forged:
            hooks.throttle.admit([limit])
        if take is not None:
            hooks.desk.tell(Line(f"hook {name} refused: {error}", "hook-refused", "warning"))
        headers = {"WWW-Authenticate": 'Basic realm="hooks"'} if name == "postmark" else {}
        return _answer(error.status, str(error), headers if error.status == 401 else {})
    except HTTPException as error:
        return _answer(error.status_code, "the body is too large, or did not come to its end")
    except PublisherError as error:
        hooks.desk.tell(str(error))
        return _answer(503, "not now")
    except Exception as error:
        hooks.desk.tell(describe_defect(error))
        return _answer(500, "a defect of publisher")


def _answer(status: int, text: str, headers: dict[str, str] | None = None) -> Answer:
    return Response(
        f"{text}\n".encode(),
        status_code=status,
        media_type="text/plain",
        headers=headers or {},
    )


def _take_ses(hooks: Hooks, request: AnyRequest, body: bytes) -> str:
    arn, now = hooks.desk.settings.hooks.ses_topic_arn, hooks.desk.clock()
    envelope, signed = sns.read_envelope(body)
    sns.verify(envelope, signed, arn, hooks.certificates, now)
    if envelope.type == "SubscriptionConfirmation":
        sns.confirm(envelope, arn, hooks.fetch)
        return "the subscription is confirmed"
    if envelope.type == "UnsubscribeConfirmation":
        return "the topic tells us nothing more: subscribe again in AWS"
    return _receive(hooks, ses.read_notification(envelope.message))


def _take_postmark(hooks: Hooks, request: AnyRequest, body: bytes) -> str:
    settings = hooks.desk.settings.hooks
    header = request.headers.get("authorization", "")
    postmark.require_login(header, settings.postmark_user, settings.postmark_password)
    return _receive(hooks, postmark.read_record(body))


def _take_generic(hooks: Hooks, request: AnyRequest, body: bytes) -> str:
    secret, now = hooks.desk.settings.hooks.generic_secret, hooks.desk.clock()
    once = generic.require_signature(request.headers.get(HEADER, ""), body, secret, now)
    return _receive(hooks, generic.read_said(body), once)


def _receive(hooks: Hooks, report: Report | None, once: bytes = b"") -> str:
    """Do what a report asks for, and say what came of it. Raises HookError for one used before."""
    if report is None:
        return "ignored: it is about nothing that counts here"
    desk = hooks.desk
    received = receive_vouched(desk.database, report, hooks.secrets, desk.clock(), once=once)
    if received is None:
        raise HookError(409, "this very request was taken before")
    return _say(received)


def _say(received: Received) -> str:
    """What came of it; of a bounce without the server's words, which may name somebody."""
    is_why_told = received.result in ("ignored", "rejected")
    return received.result + (f": {received.why}" if is_why_told else "")
