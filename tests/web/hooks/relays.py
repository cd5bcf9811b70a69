"""Amazon SNS, Postmark and any other program, as they report to the console; with real keys."""

import base64
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Event, Thread
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from uvicorn._types import ASGIApplication

from publisher.settings import Hooks, Settings, load_settings
from publisher.store.database import Database
from publisher.web.console.app import make_app
from publisher.web.console.desk import open_desk
from publisher.web.serving import open_port, serve_app
from tests.web.public.site import PATIENCE, Answer, Client

ARN = "arn:aws:sns:eu-west-1:123456789012:bounces"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE_URL = f"{HOST}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
USER, PASSWORD, SECRET = "postmark", "a password of Postmark's", "a secret that both of us know"
HOOKS = {
    "ses_topic_arn": ARN,
    "postmark_user": USER,
    "postmark_password": PASSWORD,
    "generic_secret": SECRET,
}


class Authority:
    """A key, and the certificate of it that is at SNS's address."""

    def __init__(self, *, bits: int = 2_048, days: int = 30) -> None:
        self.key = rsa.generate_private_key(65_537, bits)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = datetime.now(UTC)
        self.pem = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=40))
            .not_valid_after(now + timedelta(days=days))
            .sign(self.key, SHA256())
            .public_bytes(Encoding.PEM)
        )

    def sign(self, envelope: Mapping[str, str]) -> str:
        names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token"]
        signed = "".join(
            f"{name}\n{envelope[name]}\n"
            for name in (*names, "TopicArn", "Type")
            if name in envelope
        )
        hash = SHA1() if envelope["SignatureVersion"] == "1" else SHA256()
        data = self.key.sign(signed.encode(), padding.PKCS1v15(), hash)
        return base64.b64encode(data).decode()


@cache
def aws() -> Authority:
    return Authority()


class Relays(Client):
    """A console on a port, and all that reports to it. `fetched` is what it fetched of AWS."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.fetched: list[str] = []
        self.certificates = {CERTIFICATE_URL: aws().pem}
        self.said: list[str] = []

    def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if "Action=" in url:
            return b"<ConfirmSubscriptionResponse/>"
        if url not in self.certificates:
            raise OSError("it answered 404")
        return self.certificates[url]

    def post_as(
        self, name: str, document: Any, headers: Mapping[str, str | None] | None = None
    ) -> Answer:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        kind = {"Content-Type": "text/plain; charset=UTF-8"}
        return self.ask("POST", f"/hooks/{name}", body, kind | dict(headers or {}))

    def sns(self, message: Any, authority: Authority | None = None, **changes: str) -> Answer:
        return self.post_as("ses", make_envelope(message, authority, **changes))

    def postmark(self, document: Any, login: str = f"{USER}:{PASSWORD}") -> Answer:
        token = base64.b64encode(login.encode()).decode()
        return self.post_as("postmark", document, {"Authorization": f"Basic {token}"})

    def generic(self, document: Any, secret: str = SECRET, **header: float) -> Answer:
        body = json.dumps(document).encode()
        return self.post_as("generic", body, {"Publisher-Signature": sign(body, secret, **header)})


def sign(body: bytes, secret: str = SECRET, ago: float = 0) -> str:
    """What docs/operations.md tells others to do, written anew."""
    seconds = int(datetime.now(UTC).timestamp() - ago)
    mac = hmac.new(secret.encode(), f"{seconds}.".encode() + body, "sha256").hexdigest()
    return f"t={seconds},v1={mac}"


def make_envelope(
    message: Any, authority: Authority | None = None, **changes: str
) -> dict[str, str]:
    """What SNS posts; `changes` are made before it is signed, those that begin with `late_` after.

    A value that is empty takes the key away.
    """
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    envelope = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": ARN,
        "Subject": "Amazon SES Email Event Notification",
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": stamp,
        "SignatureVersion": "1",
        "SigningCertURL": CERTIFICATE_URL,
    }
    late = {key.removeprefix("late_"): v for key, v in changes.items() if key.startswith("late_")}
    early = {key: value for key, value in changes.items() if not key.startswith("late_")}
    envelope = {key: value for key, value in (envelope | early).items() if value}
    envelope["Signature"] = (authority or aws()).sign(envelope)
    return {key: value for key, value in (envelope | late).items() if value}


def ses_bounce(relay_id: str, reader: str, kind: str = "Permanent", **more: Any) -> dict[str, Any]:
    recipient = {
        "emailAddress": reader,
        "action": "failed",
        "status": "5.1.1",
        "diagnosticCode": "smtp; 550 5.1.1 user unknown",
    }
    return {
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": kind,
            "bounceSubType": "General",
            "bouncedRecipients": [recipient | more],
            "timestamp": "2026-01-27T14:59:38.237Z",
            "feedbackId": "00000138111222aa-33322211",
        },
        "mail": {"messageId": relay_id, "source": "daily@daily.example", "destination": [reader]},
    }


def ses_complaint(relay_id: str, reader: str, kind: str | None = "abuse") -> dict[str, Any]:
    return {
        "eventType": "Complaint",
        "complaint": {
            "complainedRecipients": [{"emailAddress": reader}],
            "complaintFeedbackType": kind,
            "feedbackId": "0000013786031775-fea503bc",
        },
        "mail": {"messageId": relay_id, "source": "daily@daily.example"},
    }


def postmark_record(kind: str, reader: str, details: str = "", record: str = "Bounce") -> Any:
    return {
        "RecordType": record,
        "ID": 4323372036854775807,
        "Type": kind,
        "TypeCode": 1,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Details": details,
        "Email": reader,
        "From": "daily@daily.example",
        "BouncedAt": "2026-11-05T16:33:54.9070259Z",
    }


def with_hooks(folder: Path, **hooks: str) -> Settings:
    """A publication's settings with these hooks, and a free port."""
    import msgspec

    settings = load_settings(folder / "publisher.toml", {})
    return msgspec.structs.replace(settings, hooks=Hooks(**hooks))


@contextmanager
def run_relays(folder: Path, database: Database, settings: Settings) -> Iterator[Relays]:
    """Serve the console until the end; it asks no AWS, but what tests have put there."""
    stop = Event()
    with open_port("127.0.0.1", 0, "console.port") as port:
        relays = Relays(port.getsockname()[1])
        desk = open_desk(folder, settings, database, relays.said.append, lambda: datetime.now(UTC))
        app = cast(ASGIApplication, make_app(desk, relays.fetch))
        thread = Thread(target=serve_app, args=(app, port, stop))
        thread.start()
        try:
            yield relays
        finally:
            stop.set()
            thread.join(PATIENCE)
            desk.uploads.close()
