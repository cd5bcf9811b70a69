"""Mailings: started, looked at, paused, resumed, cancelled, settled; and their deliveries."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from publisher.errors import PublisherError
from publisher.model.delivery import OF_ISSUES, DeliveryStatus, Mailing
from publisher.runtime import steering
from publisher.runtime.issue_mailing import make_ahead
from publisher.runtime.mailings import describe_delivery, document, find_reader, read_naming
from publisher.runtime.newsroom import Folder, RefusedError
from publisher.runtime.start import require_ready
from publisher.store.arming import require_armed
from publisher.store.errors import StoreError
from publisher.store.histories import Sought
from publisher.store.histories import list_deliveries as find_deliveries
from publisher.store.mailings import (
    count_deliveries,
    find_mailing_by_ref,
    find_mailing_by_slug,
    list_mailings_of_issues,
)
from publisher.store.starting import NewMailing, find_lack_of, start_issue_mailing
from publisher.store.variants import count_audience
from publisher.web.api import examples
from publisher.web.api.cursors import Pages
from publisher.web.api.issue_answers import find_mailing_of
from publisher.web.api.issues import require_due_issue
from publisher.web.api.operation import Call, Operation, Reply, missing
from publisher.web.api.problems import ApiError, sentence
from publisher.web.api.shapes import (
    Deliveries,
    MailingAnswer,
    Mailings,
    NewMailingBody,
    ResolveBody,
    Steered,
)


class MailingPages(Pages, frozen=True):
    """Which mailings."""

    issue: Annotated[str, Meta(description="Only those of the issue that had this NAME.")] = ""


class DeliveryPages(Pages, frozen=True):
    """Which deliveries."""

    status: Annotated[DeliveryStatus | None, Meta(description="Only those of this status.")] = None
    search: Annotated[
        str, Meta(max_length=254, description="Only those whose address has this in it.")
    ] = ""


def list_mailings(call: Call) -> Reply:
    """List the mailings of issues and of weeks, the newest first."""
    before = call.after_id()
    with call.desk.database.read() as connection:
        if call.query.issue:
            found = find_mailing_by_slug(connection, call.publication, call.query.issue)
            mailings = [found] if found and (not before or found.id < before) else []
        else:
            mailings = list_mailings_of_issues(
                connection, call.publication, before=before, limit=call.query.limit + 1
            )
        reply = call.page("mailings", mailings, lambda mailing: str(mailing.id))
        rows = [_describe(connection, mailing) for mailing in reply.body["mailings"]]
    return msgspec.structs.replace(reply, body=reply.body | {"mailings": rows})


def start_mailing(call: Call) -> Reply:
    """Send an issue to all who are subscribed, at once.

    It builds and publishes first. What is sent is frozen by that: who gets it, and its bytes. The
    `digest` that was approved (of the dry run) holds it to what was looked at. Where the issue has
    a mailing already, that is answered with 200: nobody gets an issue twice. Delivery is done by
    `publisher run`.
    """
    desk, wanted = call.desk, call.body
    _require_able(call)
    if meant := find_mailing_of(call, wanted.issue):
        return _join(call, meant)
    require_due_issue(call, wanted.issue)
    new = _freeze(call)
    require_due_issue(call, wanted.issue)  # building takes its time, and editors do not wait
    if wanted.digest not in (None, new.digest):
        raise _changed(new.digest)
    with desk.database.read() as connection:
        audience = count_audience(connection, call.publication, new.variants, call.now)
        if not audience.total:
            raise ApiError("conflict", f"There is nobody to send to: {audience.why_nobody}.")
        if lack := find_lack_of(connection, call.publication, new):
            raise ApiError("conflict", f"Nothing was sent: {lack}.")
    make_ahead(desk.database, new.variants, call.now)

    def change(connection: Connection) -> Reply:
        mailing = start_issue_mailing(connection, call.publication, new, call.now)
        if mailing.ref != new.ref:
            raise ApiError("conflict", "Somebody else was first; ask again for its mailing.")
        call.note(connection, "mailing started", wanted.issue, f"to {mailing.recipients:,}")
        headers = {"Location": call.at(f"/mailings/{mailing.ref}")}
        return Reply(body=_describe(connection, mailing), status=201, headers=headers)

    return call.commit(change)


def get_mailing(call: Call) -> Reply:
    """Get where a mailing stands."""
    with call.desk.database.read() as connection:
        return Reply(body=_describe(connection, _find(call, connection)))


def pause(call: Call) -> Reply:
    """Let a mailing wait; what is being sent at this moment ends."""
    act = partial(steering.pause, by=f"by {call.actor.who}")
    return _steer(call, "mailing paused", act)


def resume(call: Call) -> Reply:
    """Let a paused mailing go on."""
    return _steer(call, "mailing resumed", steering.resume)


def cancel(call: Call) -> Reply:
    """End a mailing before all were sent to. There is no way back."""
    act = partial(steering.cancel, by=f"by {call.actor.who}")
    return _steer(call, "mailing cancelled", act)


def retry(call: Call) -> Reply:
    """Queue the failed deliveries of a mailing again."""
    return _steer(call, "deliveries retried", steering.retry)


def resolve(call: Call) -> Reply:
    """Settle the deliveries in doubt: the relay may have taken them, and nobody heard."""
    body: Any = call.body
    answer: steering.Answer = "sent" if body.how == "mark-sent" else "resend"

    def act(
        connection: Connection, publication: int, mailing: Mailing, now: datetime
    ) -> steering.Steered:
        subscriber = find_reader(connection, publication, body.email) if body.email else None
        return steering.resolve(
            connection, publication, mailing, now, answer, subscriber=subscriber
        )

    return _steer(call, "doubts settled", act, detail=body.how)


def list_deliveries(call: Call) -> Reply:
    """List to whom a mailing went, and what came of it."""
    query, after = call.query, call.place.read()
    sought = Sought(status=query.status, part=query.search)
    with call.desk.database.read() as connection:
        mailing = _find(call, connection)
        naming = read_naming(connection, mailing)
        rows, _ = find_deliveries(
            connection, mailing.id, sought, after=after, limit=query.limit + 1
        )
    reply = call.page("deliveries", rows, lambda row: row.place)
    shown = [describe_delivery(row, naming) for row in reply.body["deliveries"]]
    return msgspec.structs.replace(reply, body=reply.body | {"deliveries": shown})


def _require_able(call: Call) -> None:
    """Raise ApiError where settings or the database keep this publication from sending."""
    desk = call.desk
    try:
        require_ready(desk.settings, desk.folder)
        with desk.database.read() as connection:
            require_armed(connection, desk.database.place)
    except PublisherError as error:
        raise ApiError("conflict", sentence(error)) from None


def _join(call: Call, mailing: Mailing) -> Reply:
    """Answer with the mailing that there is, if it is going on or over."""
    if call.body.digest not in (None, mailing.digest):
        raise _changed(mailing.digest)
    if mailing.status == "paused":
        why = f" ({mailing.reason})" if mailing.reason else ""
        path = call.at(f"/mailings/{mailing.ref}/resume")
        raise ApiError("conflict", f"Its mailing is paused{why}; POST {path} lets it go on.")
    if mailing.status == "cancelled":
        raise ApiError("conflict", "Its mailing was cancelled, which is final.")

    def change(connection: Connection) -> Reply:
        headers = {"Location": call.at(f"/mailings/{mailing.ref}")}
        return Reply(body=_describe(connection, mailing), headers=headers)

    return call.commit(change)


def _freeze(call: Call) -> NewMailing:
    """Publish the issue, and freeze its mailing."""
    newsroom = Folder(call.desk.folder, call.desk.settings)
    try:
        newsroom.publish(call.now)
        new = newsroom.freeze(call.now, call.body.issue)
        # Whose token it is, is who sends it.
        return msgspec.structs.replace(new, by=call.bearer.token.made_by if call.bearer else "")
    except RefusedError as error:
        detail = f"Nothing was sent: {error}."
        raise ApiError("content", detail, problems=error.problems) from None
    except StoreError:
        raise
    except PublisherError as error:
        raise ApiError("conflict", f"Nothing was sent: {error}.") from None


def _changed(digest: str) -> ApiError:
    return ApiError(
        "digest-changed",
        f"The issue's digest is {digest} by now, which is not the one that was approved; nothing"
        " was sent. Look at it again, and send that digest.",
    )


def _find(call: Call, connection: Connection) -> Mailing:
    ref = call.path["mailing"]
    mailing = find_mailing_by_ref(connection, call.publication, ref)
    if mailing is None or mailing.purpose not in OF_ISSUES:
        raise missing(f"There is no mailing {ref[:64]}; GET {call.at('/mailings')} lists them.")
    return mailing


def _steer(call: Call, action: str, act: Any, *, detail: str = "") -> Reply:
    """Do one of the acts of `steering`; nothing is noted where it changed nothing."""

    def change(connection: Connection) -> Reply:
        mailing = _find(call, connection)
        try:
            done = act(connection, call.publication, mailing, call.now)
        except StoreError:
            raise
        except PublisherError as error:
            raise ApiError("conflict", sentence(error)) from None
        if done.changed:
            call.note(connection, action, mailing.slug, detail)
        shown = _describe(connection, done.mailing)
        return Reply(body={"mailing": shown, "changed": done.changed})

    return call.commit(change)


def _describe(connection: Connection, mailing: Mailing) -> dict[str, Any]:
    finished, folded = mailing.finished_at, mailing.folded_at
    return document(mailing.slug, mailing, count_deliveries(connection, mailing)) | {
        "reason": mailing.reason,
        "started": mailing.created_at.isoformat(timespec="seconds"),
        "finished": finished.isoformat(timespec="seconds") if finished else None,
        "folded": folded.isoformat(timespec="seconds") if folded else None,
    }


_PATH = "/mailings/{mailing}"


def _steering(name: str, handle: Any, body: Any = None, example: Any = None) -> Operation:
    return Operation(
        method="POST",
        path=f"{_PATH}/{name}",
        handle=handle,
        body=body,
        returns=Steered,
        problems=("not-found", "conflict"),
        example=example or examples.STEERED,
    )


operations = [
    Operation(
        method="GET",
        path="/mailings",
        handle=list_mailings,
        query=MailingPages,
        returns=Mailings,
        example=examples.MAILINGS,
    ),
    Operation(
        method="POST",
        path="/mailings",
        handle=start_mailing,
        body=NewMailingBody,
        returns=MailingAnswer,
        status=201,
        others={200: "The issue has a mailing already, which goes on or is over."},
        problems=("not-found", "conflict", "digest-changed", "content"),
        example=examples.NEW_MAILING,
        is_slow=True,
    ),
    Operation(
        method="GET",
        path=_PATH,
        handle=get_mailing,
        returns=MailingAnswer,
        problems=("not-found",),
        example=examples.MAILING,
    ),
    _steering("pause", pause),
    _steering("resume", resume),
    _steering("cancel", cancel),
    _steering("retry", retry),
    _steering("resolve", resolve, ResolveBody, examples.RESOLVE),
    Operation(
        method="GET",
        path=f"{_PATH}/deliveries",
        handle=list_deliveries,
        query=DeliveryPages,
        returns=Deliveries,
        problems=("not-found",),
        example=examples.DELIVERIES,
    ),
]
