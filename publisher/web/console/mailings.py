"""Mailings: which there are, how far each is, and what operators do with one as a whole."""

from collections.abc import Callable
from typing import Any, get_args
from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from sqlalchemy import Connection

from publisher.errors import PublisherError
from publisher.model.delivery import Counts, DeliveryStatus, Mailing, MailingStatus, Purpose
from publisher.runtime import steering
from publisher.runtime.mailings import read_past
from publisher.runtime.steering import Steered
from publisher.store.histories import is_stirred, list_deeds_of_mailing, measure_rate
from publisher.store.mailings import (
    count_deliveries,
    find_mailing_by_ref,
    list_mailing_page,
)
from publisher.web.console.desk import Desk
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Before,
    Form,
    actor_of,
    desk_of,
    flash,
    in_thread,
    redirect,
    render,
    text_of,
)

_PAGE = 50
_DEEDS = 100
# What the list shows, and what it calls that.
_KINDS: dict[str, Purpose] = {
    "issues": "issue",
    "weeks": "weekly",
    "corrections": "correction",
    "tests": "test",
}
_STATUSES: tuple[MailingStatus, ...] = get_args(MailingStatus)
# What each state of a delivery means to who reads of it for the first time.
MEANINGS: dict[DeliveryStatus, str] = {
    "sent": "the next server took it, which is no proof of arrival",
    "queued": "waits for its turn",
    "sending": "is being sent at this moment",
    "deferred": "put off by its server; tried again by itself",
    "failed": "refused for good; can be retried",
    "in_doubt": "may have been sent: the connection broke before the answer",
    "suppressed": "the reader left before their turn",
    "cancelled": "the mailing was cancelled first",
}


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a mailing is: `rate` in deliveries a second, `left` in seconds, None if unknown."""

    status: MailingStatus
    counts: Counts
    done: int
    total: int
    rate: float
    left: int | None
    said: str


def require_mailing(desk: Desk, connection: Connection, ref: str) -> Mailing:
    """A mailing by its ref; NotFoundException where there is none."""
    mailing = find_mailing_by_ref(connection, desk.database.publication, ref)
    if mailing is None:
        raise NotFoundException("There is no such mailing.")
    return mailing


@get("/mailings")
@in_thread
def show_mailings(
    request: AnyRequest,
    before: Before = 0,
    status: FromQuery[str] = "",
    kind: FromQuery[str] = "issues",
) -> Answer:
    desk = desk_of(request)
    status = status if status in _STATUSES else ""
    kind = kind if kind in _KINDS else "issues"
    with desk.database.read() as connection:
        found = list_mailing_page(
            connection,
            desk.database.publication,
            purpose=_KINDS[kind],
            status=status,
            before=before,
            limit=_PAGE + 1,
        )
        rows = [(each, count_deliveries(connection, each)) for each in found[:_PAGE]]
    chosen = {"kind": kind} | ({"status": status} if status else {})
    older = chosen | {"before": str(found[_PAGE - 1].id)} if len(found) > _PAGE else None
    return render(
        request,
        "mailings.html",
        rows=rows,
        statuses=_STATUSES,
        kinds=tuple(_KINDS),
        wanted=status,
        kind=kind,
        older=f"/mailings?{urlencode(older)}" if older else "",
        newest=f"/mailings?{urlencode(chosen)}" if before else "",
    )


@get("/mailings/{ref:str}")
@in_thread
def show_mailing(request: AnyRequest, ref: FromPath[str]) -> Answer:
    desk = desk_of(request)
    with desk.database.read() as connection:
        mailing = require_mailing(desk, connection, ref)
        progress = _measure(desk, connection, mailing)
        deeds = list_deeds_of_mailing(connection, mailing.id, _DEEDS)
    past = read_past(desk.database, mailing)
    return render(
        request,
        "mailing.html",
        mailing=mailing,
        progress=progress,
        deeds=deeds,
        meanings=MEANINGS,
        past=past,
    )


@get("/mailings/{ref:str}/progress")
@in_thread
def show_progress(request: AnyRequest, ref: FromPath[str]) -> Answer:
    """How far it is, for the script that shows it."""
    desk = desk_of(request)
    with desk.database.read() as connection:
        mailing = require_mailing(desk, connection, ref)
        progress = _measure(desk, connection, mailing)
    return Answer(msgspec.json.encode(progress), media_type="application/json")


def _measure(desk: Desk, connection: Connection, mailing: Mailing) -> Progress:
    counts = count_deliveries(connection, mailing)
    is_sending = mailing.status == "sending"
    rate = measure_rate(connection, mailing.id, desk.clock()) if is_sending else 0.0
    # What was put off for minutes or hours says nothing of how fast the rest goes.
    ahead = counts.queued + counts.sending
    left = round(ahead / rate) if rate and ahead else None
    is_fresh = is_sending and is_stirred(connection, mailing.id, desk.clock())
    return Progress(
        status=mailing.status,
        counts=counts,
        done=counts.total - counts.open,
        total=counts.total,
        rate=round(rate, 1),
        left=left,
        said=_say_progress(desk, mailing, counts, rate, left, is_fresh) if is_sending else "",
    )


def _say_progress(
    desk: Desk, mailing: Mailing, counts: Counts, rate: float, left: int | None, is_fresh: bool
) -> str:
    if (until := mailing.canary_until) is not None:
        return f"The first have it; the rest goes by itself at {until.astimezone(desk.zone):%H:%M}"
    if mailing.canary_last is not None and left is not None:
        return "The first readers get it; then the rest waits for what becomes of them"
    if left is not None:
        return f"{rate:,.0f} a second, about {_say_seconds(left)} left"
    if counts.queued + counts.sending and is_fresh:
        return "The next messages leave in a moment"
    if counts.queued + counts.sending:
        return "Nothing has moved for half a minute; publisher run, which sends, may have stopped"
    if counts.deferred == 1:
        return "1 was put off by its server, and is tried again by itself"
    return f"{counts.deferred:,} were put off by their servers, and are tried again by themselves"


def _say_seconds(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{rest} s"


Act = Callable[[Connection, int, Mailing], Steered]


def steer(request: AnyRequest, ref: str, action: str, act: Act, **more: Any) -> Steered | None:
    """Do one of the acts of `steering`, note it, and give what came of it.

    None where it could not be, which is said on the next page. `more` goes into the audit log.
    """
    desk = desk_of(request)
    try:
        with desk.database.write() as connection:
            mailing = require_mailing(desk, connection, ref)
            done = act(connection, desk.database.publication, mailing)
            if done.changed:
                desk.note(connection, actor_of(request), action, mailing.name, **more)
    except PublisherError as error:
        flash(request, f"Nothing was done: {error}.", "problem")
        return None
    return done


@post("/mailings/{ref:str}/pause")
@in_thread
def pause(request: AnyRequest, ref: FromPath[str]) -> Answer:
    by, now = f"by {actor_of(request).who}", desk_of(request).clock()
    done = steer(
        request,
        ref,
        "mailing paused",
        lambda connection, publication, mailing: steering.pause(
            connection, publication, mailing, now, by=by
        ),
    )
    if done:
        flash(request, "Paused: what was being sent at this moment still ends.")
    return redirect(f"/mailings/{ref}")


@post("/mailings/{ref:str}/resume")
@in_thread
def resume(request: AnyRequest, ref: FromPath[str]) -> Answer:
    now = desk_of(request).clock()
    done = steer(
        request,
        ref,
        "mailing resumed",
        lambda connection, publication, mailing: steering.resume(
            connection, publication, mailing, now
        ),
    )
    if done:
        flash(request, "It goes on.")
    return redirect(f"/mailings/{ref}")


@get("/mailings/{ref:str}/cancel")
@in_thread
def ask_to_cancel(request: AnyRequest, ref: FromPath[str]) -> Answer:
    desk = desk_of(request)
    with desk.database.read() as connection:
        mailing = require_mailing(desk, connection, ref)
        counts = count_deliveries(connection, mailing)
    if mailing.status not in ("sending", "paused"):
        flash(request, f"The mailing is {mailing.status}: there is nothing to cancel.", "problem")
        return redirect(f"/mailings/{ref}")
    return render(request, "cancel.html", mailing=mailing, counts=counts)


@post("/mailings/{ref:str}/cancel")
@in_thread
def cancel(request: AnyRequest, ref: FromPath[str]) -> Answer:
    by, now = f"by {actor_of(request).who}", desk_of(request).clock()
    done = steer(
        request,
        ref,
        "mailing cancelled",
        lambda connection, publication, mailing: steering.cancel(
            connection, publication, mailing, now, by=by
        ),
    )
    if done:
        flash(request, "Cancelled: nobody else gets it.")
    return redirect(f"/mailings/{ref}")


@post("/mailings/{ref:str}/retry")
@in_thread
def retry(request: AnyRequest, ref: FromPath[str]) -> Answer:
    now = desk_of(request).clock()
    done = steer(
        request,
        ref,
        "deliveries retried",
        lambda connection, publication, mailing: steering.retry(
            connection, publication, mailing, now
        ),
    )
    say_queued(request, done, "None of its deliveries is failed.")
    return redirect(f"/mailings/{ref}")


@post("/mailings/{ref:str}/resolve")
@in_thread
def resolve(request: AnyRequest, ref: FromPath[str], data: Form) -> Answer:
    if (answer := read_answer(text_of(data, "answer"))) is None:
        flash(request, "Say whether they are sent again or taken for sent.", "problem")
        return redirect(f"/mailings/{ref}")
    now = desk_of(request).clock()
    done = steer(
        request,
        ref,
        "doubts settled",
        lambda connection, publication, mailing: steering.resolve(
            connection, publication, mailing, now, answer
        ),
        detail=answer,
    )
    if done and done.changed and answer == "sent":
        flash(request, f"{done.changed:,} taken for sent.")
    else:
        say_queued(request, done, "None of its deliveries is in doubt.")
    return redirect(f"/mailings/{ref}")


def read_answer(text: str) -> steering.Answer | None:
    return next((each for each in get_args(steering.Answer) if each == text), None)


def say_queued(request: AnyRequest, done: Steered | None, nothing: str) -> None:
    """Say how many were queued again, and what they wait for."""
    if done is None:
        return
    if not done.changed:
        flash(request, nothing, "problem")
    elif done.mailing.status == "paused":
        flash(request, f"{done.changed:,} queued; they wait until the mailing goes on.")
    else:
        flash(request, f"{done.changed:,} queued; they are sent soon.")


handlers = [
    *(show_mailings, show_mailing, show_progress, pause, resume),
    *(ask_to_cancel, cancel, retry, resolve),
]
