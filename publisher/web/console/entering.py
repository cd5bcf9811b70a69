"""Coming in: by a password or a link; tries are counted, and a browser is known again."""

import hashlib
import hmac
from collections.abc import Sequence

from litestar.datastructures import Cookie

from publisher.audience.address import AddressError, parse_address
from publisher.model.operators import Actor, Operator
from publisher.runtime.passwords import hash_password, is_outdated, is_password
from publisher.store import operators
from publisher.web.console.desk import Desk
from publisher.web.console.sessions import log_in
from publisher.web.console.shell import Answer, AnyRequest, client_of, redirect
from publisher.web.console.throttle import PER_ACCOUNT, PER_CLIENT, Limit

_KNOWN_SECONDS = 365 * 86_400


def enter(request: AnyRequest, desk: Desk, operator: int, key: str, onward: str) -> Answer:
    """Log somebody in, and let their browser be known for one in which they were."""
    log_in(request.session, operator)
    answer = redirect(onward)
    answer.set_cookie(known_cookie(desk, key))
    return answer


def known_cookie(desk: Desk, key: str) -> Cookie:
    """The cookie of a browser in which an operator was logged in."""
    return Cookie(
        key=f"{desk.cookie}-known",
        value=_sign_known(desk, key),
        max_age=_KNOWN_SECONDS,
        path="/",
        secure=desk.is_https,
        httponly=True,
        samesite="lax",
    )


def recognise(desk: Desk, key: str, password: str, client: str) -> Operator | None:
    """Who has an address and a password; that they come in is noted."""
    publication = desk.database.publication
    with desk.database.read() as connection:
        operator = operators.find_operator(connection, publication, key)
        id_ = operator.id if operator else 0
        hash = operators.find_password(connection, publication, id_)
    if not is_password(password, hash) or operator is None:
        return None
    renewed = hash_password(password) if is_outdated(hash) else ""
    with desk.database.write() as connection:
        if renewed:
            operators.renew_hash(connection, publication, operator.id, renewed)
        operators.note_login(connection, publication, operator.id, desk.clock())
        desk.note(connection, Actor(operator.email, client), "operator logged in")
    return operator


def note_locked(desk: Desk, key: str, client: str) -> None:
    """Note that somebody failed too often as an operator, once for all those tries."""
    publication = desk.database.publication
    with desk.database.read() as connection:
        operator = operators.find_operator(connection, publication, key)
    if operator is None:
        return
    with desk.database.write() as connection:
        actor = Actor(operator.email, client)
        desk.note(connection, actor, "operator locked", detail="too many wrong passwords")


def limits_of(request: AnyRequest, desks: Sequence[Desk], key: str) -> tuple[Limit, ...]:
    """What a try is counted by, at one publication or several.

    A browser in which the operator was logged in before is counted by itself, or anybody could lock
    them out by failing on purpose.
    """
    is_known = any(_is_known(request, desk, key) for desk in desks)
    account = f"{'known' if is_known else 'account'}:{key}"
    if is_known:
        return (Limit(_count_by(account), PER_ACCOUNT),)
    client = f"client:{client_of(request)}"
    return (Limit(_count_by(account), PER_ACCOUNT), Limit(_count_by(client), PER_CLIENT))


def _is_known(request: AnyRequest, desk: Desk, key: str) -> bool:
    known = request.cookies.get(f"{desk.cookie}-known", "")
    return hmac.compare_digest(known.encode(), _sign_known(desk, key).encode())


def _count_by(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def _sign_known(desk: Desk, key: str) -> str:
    about = f"known:{key}".encode("utf-8", "surrogatepass")
    return hmac.new(desk.secret, about, hashlib.sha256).hexdigest()


def key_of(email: str) -> str:
    """The one spelling of an address; of what is none, itself: nobody has it."""
    try:
        return parse_address(email).key
    except AddressError:
        return email
