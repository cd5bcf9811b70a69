"""What is wrong with a publication's settings, as far as they can be judged by themselves."""

import re
from collections.abc import Collection, Iterator
from email.utils import parseaddr

from jinja2 import Environment, TemplateSyntaxError, meta

from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.preflight.images import Media
from publisher.render.urls import IMAGE_SCHEMES, Urls, media_path
from publisher.settings import FILE_NAME, Settings

# Mailbox providers whose DMARC policy is quarantine or reject.
_FREE_MAIL = frozenset(
    (
        *("aim.com", "aol.com", "gmail.com", "googlemail.com", "gmx.de", "gmx.net", "hotmail.com"),
        *("icloud.com", "live.com", "mac.com", "mail.ru", "me.com", "msn.com", "outlook.com"),
        *("proton.me", "protonmail.com", "qq.com", "rocketmail.com", "web.de", "yahoo.co.jp"),
        *("yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.ru", "ymail.com", "163.com"),
        *("126.com", "foxmail.com", "sina.com"),
    )
)
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
_SILENT = re.compile(r"(?:no|not|donot|do-not|dont)[-_.]?reply", re.IGNORECASE)
# RFC 2919, section 3: an optional phrase, then a dot-atom with at least one dot.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LIST_ID = re.compile(rf"{_ATOM}(?:\.{_ATOM})+")


def check_publication(
    settings: Settings, existing_media: Collection[str] | None = None
) -> list[Problem]:
    """Find what is wrong with the settings; `existing_media` as in check_issue, where known."""
    return [
        *_check_identity(settings, existing_media),
        *_check_sender(settings),
        *_check_relay(settings),
        *_check_dkim(settings),
        *_check_subject(settings),
        *_check_mail(settings),
    ]


def _report(name: str, **values: object) -> Problem:
    return problem(name, FILE_NAME, None, **values)


def _check_identity(
    settings: Settings, existing_media: Collection[str] | None
) -> Iterator[Problem]:
    table = settings.publication
    for key, url in (("publication.url", table.url), ("web.url", settings.web.url)):
        if url.lower().startswith("http:"):
            yield _report("publication-url-insecure", key=key, found=url)
    if not table.author.strip():
        yield _report("publication-author-missing")
    if not table.description.strip():
        yield _report("publication-description-missing")
    urls = Urls(table.url.rstrip("/"))
    if not table.logo or not urls.resolve(table.logo, IMAGE_SCHEMES):
        return
    path = media_path(table.logo, urls)
    if path and existing_media is not None:
        yield from Media(existing_media).check(path, FILE_NAME, None)
    elif not path and "//" not in table.logo:
        resolved = urls.resolve(table.logo)
        yield _report("image-outside-media", src=table.logo, resolved=resolved)


def _check_sender(settings: Settings) -> Iterator[Problem]:
    email = settings.email
    if not email.from_:
        yield _report("from-missing")
        return
    domain = _domain(email.from_)
    if domain in _FREE_MAIL:
        yield _report("from-free-mail", domain=domain)
    if not email.postal_address.strip():
        yield _report("postal-address-missing")
    answered = parseaddr(email.reply_to or email.from_)[1]
    if _SILENT.match(answered):
        yield _report("reply-address-silent", found=answered)


def _check_relay(settings: Settings) -> Iterator[Problem]:
    if not settings.email.from_:
        return  # nothing is mailed yet, and `from-missing` has said so
    if not any(relay.host for relay in settings.smtp):
        yield _report("relay-missing")
    for relay in settings.smtp:
        if relay.security == "none" and relay.host and relay.host not in _LOCAL_HOSTS:
            yield _report("relay-unencrypted", host=relay.host)


def _check_dkim(settings: Settings) -> Iterator[Problem]:
    dkim, sender = settings.dkim, _domain(settings.email.from_)
    if dkim is None:
        if sender:
            yield _report("dkim-missing")
        return
    for key in (dkim, *filter(None, [dkim.ed25519])):
        # The second key may leave out what the first has said.
        domain, selector = key.domain or dkim.domain, key.selector
        values = {"domain": domain, "selector": selector, "private_key": key.private_key}
        if missing := [name for name, value in values.items() if not value]:
            yield _report("dkim-incomplete", found=", ".join(missing))
        if domain and sender and not _is_aligned(domain.lower(), sender):
            yield _report("dkim-unaligned", domain=domain, sender=sender)


def _is_aligned(domain: str, sender: str) -> bool:
    """Tell whether two domains have the same owner, as far as their names tell (RFC 7489, 3.1.1).

    Where one is above the other: the list of public suffixes is not needed for that.
    """
    for above, below in ((domain, sender), (sender, domain)):
        if "." in above and f".{below}".endswith(f".{above}"):
            return True
    return False


def _domain(mailbox: str) -> str:
    return parseaddr(mailbox)[1].rpartition("@")[2].lower().rstrip(".")


def _check_subject(settings: Settings) -> Iterator[Problem]:
    yield from _check_line("email.subject", settings.email.subject, "issue", "issue.title")
    if subject := settings.choices.weekly_subject:
        yield from _check_line("choices.weekly_subject", subject, "week", "week.days")


def _check_line(key: str, subject: str, name: str, example: str) -> Iterator[Problem]:
    """Check the template of a subject, which has one value to work with."""
    about = {"key": key, "example": f'{key.rpartition(".")[2]} = "{{{{ {example} }}}}"'}
    try:
        names = meta.find_undeclared_variables(Environment(autoescape=True).parse(subject))
    except TemplateSyntaxError as error:
        yield _report("subject-template-broken", found=error.message, **about)
        return
    if unknown := sorted(names - {name}):
        found = f"{', '.join(unknown)} does not exist, only `{name}` does"
        yield _report("subject-template-broken", found=found, **about)
    elif not names:
        yield _report("subject-template-constant", found=subject, **about)


def _check_mail(settings: Settings) -> Iterator[Problem]:
    written = settings.email.link_params
    if why := _fault_of_params(written):
        yield _report("link-params-invalid", found=str(written), why=why)
    list_id = settings.email.list_id
    bare = list_id.rpartition("<")[2].rstrip(">").strip() if "<" in list_id else list_id.strip()
    if list_id and not _LIST_ID.fullmatch(bare):
        yield _report("list-id-invalid", found=list_id)


def _fault_of_params(written: str | dict[str, str]) -> str:
    if isinstance(written, dict):
        return "has a name that is empty" if not all(map(str.strip, written)) else ""
    if not written:
        return ""
    if written.startswith(("?", "&")):
        return "begins with a sign of its own, which is added anyway"
    if re.search(r"[\s#\"<>]", written):
        return "has characters that must be escaped"
    pieces = written.split("&")
    return "has a part that is not name=value" if not all(map(_is_pair, pieces)) else ""


def _is_pair(piece: str) -> bool:
    name, sign, _ = piece.partition("=")
    return bool(name and sign)
