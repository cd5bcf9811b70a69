"""Amazon SNS: is it AWS that speaks, of our topic, and now?

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html: a message is signed
with the key of a certificate that it names by a URL. Which host that may be on is taken from the
topic of the settings, and from nothing that a message says.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from publisher.runtime.outward import ask
from publisher.web.hooks.refusal import HookError

# Gives the content at a URL; raises OSError where there is none.
Fetch = Callable[[str], bytes]

# SNS tries for an hour at most, and signs once.
OLDEST = timedelta(hours=1, minutes=15)
# How much our clock may be late.
_AHEAD = timedelta(minutes=15)
_MOST_BYTES = 65_536
_LEAST_BITS = 2_048
# Certificates that are kept, and how often new ones are fetched at most.
_MOST_KEPT = 8
_MOST_FETCHES = 10
_WINDOW = timedelta(minutes=1)
# Version 1 is what topics begin with, and SHA-1 what AWS signs it with: nothing is known by which
# somebody else's message could be made to have a given signature.
_HASHES: dict[str, type[HashAlgorithm]] = {"1": SHA1, "2": SHA256}
_SIGNED: dict[str, tuple[str, ...]] = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]


class Envelope(msgspec.Struct, frozen=True, rename="pascal"):
    """What SNS posts; nothing of it is believed before `verify`."""

    type: Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]
    message_id: str
    topic_arn: str
    message: str
    timestamp: datetime
    signature_version: Literal["1", "2"]
    signature: str
    signing_cert_url: str = msgspec.field(name="SigningCertURL")
    subject: str | None = None
    token: str | None = None
    subscribe_url: str | None = msgspec.field(name="SubscribeURL", default=None)


def read_envelope(body: bytes) -> tuple[Envelope, bytes]:
    """Read a message of SNS's, and what of it is signed. Raises HookError."""
    try:
        envelope = msgspec.json.decode(body, type=Envelope)
        fields = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise HookError(400, "it is no message of Amazon SNS") from None
    if envelope.timestamp.tzinfo is None:
        raise HookError(400, "its timestamp has no zone")
    # As they stand there: the timestamp's own spelling is signed.
    signed = "".join(
        f"{name}\n{value}\n"
        for name in _SIGNED[envelope.type]
        if isinstance(value := fields.get(name), str)
    )
    return envelope, signed.encode("utf-8", "surrogatepass")


def host_of(arn: str) -> str:
    """The host of SNS in the region of a topic."""
    _, partition, _, region, *_ = arn.split(":")
    return f"sns.{region}.amazonaws.com{'.cn' * (partition == 'aws-cn')}"


def verify(
    envelope: Envelope, signed: bytes, arn: str, certificates: "Certificates", now: datetime
) -> None:
    """Raise HookError unless AWS has signed this, for this topic, lately."""
    if envelope.topic_arn != arn:
        raise HookError(403, "it is of another topic than hooks.ses_topic_arn")
    if not now - OLDEST <= envelope.timestamp <= now + _AHEAD:
        raise HookError(403, "its timestamp is too old, or ahead of this machine's clock")
    url = envelope.signing_cert_url
    pattern = (
        rf"https://{re.escape(host_of(arn))}/SimpleNotificationService-[0-9A-Za-z]{{1,64}}\.pem"
    )
    if not re.fullmatch(pattern, url, re.ASCII):
        raise HookError(403, "its certificate is not at SNS's own address")
    key = certificates.find_key(url, now)
    try:
        signature = b64decode(envelope.signature, validate=True)
        key.verify(signature, signed, PKCS1v15(), _HASHES[envelope.signature_version]())
    except (InvalidSignature, Base64Error, ValueError):
        raise HookError(403, "its signature is not that of AWS") from None


def confirm(envelope: Envelope, arn: str, fetch: Fetch) -> None:
    """Answer a verified SubscriptionConfirmation, by the GET that it asks for. Raises HookError."""
    url = envelope.subscribe_url or ""
    parts = urlsplit(url)
    said = parse_qs(parts.query)
    is_it = parts.scheme == "https" and parts.netloc == host_of(arn) and parts.path in ("", "/")
    asked = {"Action": ["ConfirmSubscription"], "TopicArn": [arn], "Token": [envelope.token or ""]}
    if not is_it or any(said.get(name) != value for name, value in asked.items()):
        raise HookError(403, "its SubscribeURL is not SNS's own, or of another topic")
    try:
        fetch(url)
    except OSError as error:
        why = f"the subscription could not be confirmed: {error}"
        raise HookError(503, why, is_forged=False) from None


def fetch_aws(url: str) -> bytes:
    """Fetch what is at a URL of AWS's. Raises OSError where it cannot be had."""
    answer = ask("GET", url, most=_MOST_BYTES)
    if answer.status != 200:
        raise OSError(answer.fault or f"it answered {answer.status}")
    return answer.body


class Certificates:
    """SNS's certificates, fetched when they are named first; for any thread."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._kept: dict[str, x509.Certificate] = {}
        self._fetched: deque[datetime] = deque()
        self._lock = Lock()

    def find_key(self, url: str, now: datetime) -> RSAPublicKey:
        """The key of the certificate at a URL of SNS's. Raises HookError."""
        with self._lock:  # what many name at once is fetched once
            certificate = self._kept.get(url) or self._load(url, now)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise HookError(403, "its certificate is not valid now")
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_BITS:
            raise HookError(403, "its certificate has no key that is good enough")
        return key

    def _load(self, url: str, now: datetime) -> x509.Certificate:
        while self._fetched and self._fetched[0] <= now - _WINDOW:
            self._fetched.popleft()
        if len(self._fetched) >= _MOST_FETCHES:
            raise HookError(503, "too many certificates were named within a minute")
        self._fetched.append(now)
        try:
            data = self._fetch(url)
            certificate = x509.load_pem_x509_certificate(data)
        except OSError as error:
            why = f"SNS's certificate could not be fetched: {error}"
            raise HookError(503, why, is_forged=False) from None
        except ValueError:
            raise HookError(403, "there is no certificate where it says") from None
        while len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[url] = certificate
        return certificate
