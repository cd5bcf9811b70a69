"""Coming in: by a password or a link; tries are counted, and a browser is known again."""

import hashlib
import hmac

from litestar.datastructures import Cookie

from publisher.audience.address import AddressError, parse_address
from publisher.web.console.desk import Desk
from publisher.web.console.sessions import log_in
from publisher.web.console.shell import Answer, AnyRequest, client_of, redirect
from publisher.web.console.throttle import PER_ACCOUNT, PER_CLIENT, Limit

_KNOWN_SECONDS = 365 * 86_400


def enter(request: AnyRequest, desk: Desk, operator: int, key: str, onward: str) -> Answer:
    """Log somebody in, and let their browser be known for one in which they were."""
    log_in(request.session, operator)
    answer = redirect(onward)
    answer.set_cookie(
        Cookie(
            key=f"{desk.cookie}-known",
            value=_sign_known(desk, key),
            max_age=_KNOWN_SECONDS,
            path="/",
            secure=desk.is_https,
            httponly=True,
            samesite="lax",
        )
    )
    return answer


def limits_of(request: AnyRequest, desk: Desk, key: str) -> tuple[Limit, ...]:
    """What a try is counted by.

    A browser in which the operator was logged in before is counted by itself, or anybody could lock
    them out by failing on purpose.
    """
    known = request.cookies.get(f"{desk.cookie}-known", "")
    is_known = hmac.compare_digest(known.encode(), _sign_known(desk, key).encode())
    account = f"{'known' if is_known else 'account'}:{key}"
    if is_known:
        return (Limit(_count_by(account), PER_ACCOUNT),)
    client = f"client:{client_of(request)}"
    return (Limit(_count_by(account), PER_ACCOUNT), Limit(_count_by(client), PER_CLIENT))


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
