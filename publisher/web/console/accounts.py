"""Accounts: logging in and out, and one's own name, password and sessions."""

import re
from typing import Annotated
from urllib.parse import quote

from litestar import get, post
from litestar.params import FromQuery, QueryParameter

from publisher.audience.address import AddressError, parse_name
from publisher.runtime.passwords import (
    PasswordError,
    hash_password,
    is_password,
    require_good,
)
from publisher.store import operators
from publisher.store.sessions import Session, end_sessions
from publisher.web.console.entering import enter, key_of, limits_of, note_locked, recognise
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Form,
    actor_of,
    client_of,
    desk_of,
    flash,
    in_thread,
    operator_of,
    redirect,
    render,
    sentence_of,
    text_of,
)

# A path of the console, which leads nowhere else in any browser.
_LOCAL = re.compile(r"/(?![/\\])[^\s\\\x00-\x1f\x7f]*")
WRONG = "The address or the password is wrong, or there were too many tries: then try again later."

# What is longer is not come back to.
_MOST_ONWARD = 2_000
Onward = Annotated[str, QueryParameter(name="next", max_length=_MOST_ONWARD)]


def login_path(request: AnyRequest) -> str:
    """Where to log in, and to come back to a page from."""
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    onward = f"{quote(path)}{'?' if query else ''}{query}"
    is_kept = onward != "/" and len(onward) <= _MOST_ONWARD
    return f"/login?next={quote(onward, safe='/')}" if is_kept else "/login"


@get("/login")
@in_thread
def show_login(request: AnyRequest, onward: Onward = "", left: FromQuery[str] = "") -> Answer:
    desk = desk_of(request)
    if request.scope.get("user"):
        return redirect(local_path(onward))
    with desk.database.read() as connection:
        is_new = not operators.list_operators(connection, desk.database.publication)
    said = "You have logged out." if left else ""
    return render(
        request, "login.html", onward=local_path(onward), email="", said=said, is_new=is_new
    )


@post("/login")
@in_thread
def take_login(request: AnyRequest, data: Form) -> Answer:
    desk = desk_of(request)
    email, password = text_of(data, "email"), text_of(data, "password")
    onward = local_path(text_of(data, "next"))
    key = key_of(email)
    limits = limits_of(request, [desk], key)
    if wait := desk.throttle.admit(limits):
        return _show_wrong(request, email, onward, wait)
    operator = recognise(desk, key, password, client_of(request))
    if operator is None:
        if desk.throttle.is_spent(limits[0]):
            note_locked(desk, key, client_of(request))
        return _show_wrong(request, email, onward)
    desk.throttle.take_back(limits)
    return enter(request, desk, operator.id, key, onward)


def _show_wrong(request: AnyRequest, email: str, onward: str, wait: int = 0) -> Answer:
    headers = {"Retry-After": str(wait)} if wait else {}
    return render(
        request,
        "login.html",
        status=429 if wait else 422,
        headers=headers,
        problems={"": WRONG},
        onward=onward,
        email=email,
        said="",
        is_new=False,
    )


@post("/logout")
@in_thread
def log_out(request: AnyRequest) -> Answer:
    desk = desk_of(request)
    with desk.database.write() as connection:
        desk.note(connection, actor_of(request), "operator logged out")
    request.clear_session()
    return redirect("/login?left=1")


@get("/account", sync_to_thread=False)
def show_account(request: AnyRequest) -> Answer:
    return _show_account(request)


def _show_account(
    request: AnyRequest, problems: dict[str, str] | None = None, status: int = 422
) -> Answer:
    operator = operator_of(request)
    return render(
        request,
        "account.html",
        status=status if problems else 200,
        problems=problems or {},
        name=operator.name,
    )


@post("/account/name")
@in_thread
def change_name(request: AnyRequest, data: Form) -> Answer:
    desk = desk_of(request)
    try:
        name = parse_name(text_of(data, "name"))
    except AddressError as error:
        return _show_account(request, {"name": sentence_of(error)})
    with desk.database.write() as connection:
        operator = operator_of(request).id
        operators.rename_operator(connection, desk.database.publication, operator, name)
        desk.note(connection, actor_of(request), "name changed")
    flash(request, "Your name is changed.")
    return redirect("/account")


@post("/account/password")
@in_thread
def change_password(request: AnyRequest, data: Form) -> Answer:
    """Give oneself another password; all other sessions end with that."""
    desk = desk_of(request)
    operator, publication = operator_of(request), desk.database.publication
    password, key = text_of(data, "password"), key_of(operator.email)
    limits = limits_of(request, [desk], key)
    if wait := desk.throttle.admit(limits):
        minutes = wait // 60 + 1
        problem = {"current": f"There were too many tries; try again in {minutes} minutes."}
        return _show_account(request, problem, 429)
    with desk.database.read() as connection:
        known = operators.find_password(connection, publication, operator.id)
    if not is_password(text_of(data, "current"), known):
        return _show_account(request, {"current": "This is not your present password."})
    desk.throttle.take_back(limits)
    try:
        require_good(password, operator.email, desk.publication.title)
    except PasswordError as error:
        return _show_account(request, {"password": str(error)})
    hash, now = hash_password(password), desk.clock()
    with desk.database.write() as connection:
        operators.change_password(connection, publication, operator.id, hash, now)
        end_sessions(connection, publication, operator.id, but=_session_of(request).id)
        desk.note(connection, actor_of(request), "password changed")
    flash(request, "Your password is changed, and everywhere else you are logged out.")
    return redirect("/account")


@post("/account/sessions")
@in_thread
def log_out_elsewhere(request: AnyRequest) -> Answer:
    desk = desk_of(request)
    operator, publication = operator_of(request), desk.database.publication
    with desk.database.write() as connection:
        end_sessions(connection, publication, operator.id, but=_session_of(request).id)
        desk.note(connection, actor_of(request), "logged out elsewhere")
    flash(request, "Everywhere but here you are logged out.")
    return redirect("/account")


def _session_of(request: AnyRequest) -> Session:
    session: Session = request.scope["auth"]
    return session


def local_path(path: str) -> str:
    return path if _LOCAL.fullmatch(path) else "/"


handlers = [
    *(show_login, take_login, log_out),
    *(show_account, change_name, change_password, log_out_elsewhere),
]
