"""Bounces and complaints by HTTP: what is true does what it does by mail, and nothing else does."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.inbound.returned import ADA, BEN, Returned
from tests.web.hooks.relays import (
    ARN,
    CERTIFICATE_URL,
    HOST,
    Authority,
    Relays,
    make_envelope,
    postmark_record,
    run_relays,
    ses_bounce,
    ses_complaint,
    sign,
    with_hooks,
)

SUBSCRIBE = f"{HOST}/?Action=ConfirmSubscription&TopicArn={ARN}&Token=2336412f37"
FINE = {ADA: ("confirmed", False), BEN: ("confirmed", False)}


def test_ses_reports_a_dead_mailbox_and_a_complaint_once_each(
    returned: Returned, relays: Relays
) -> None:
    """By the Message-ID among the original headers, and by SES's own id with the reader's name."""
    dead = ses_bounce("0100-unknown-to-us-0001", ADA)
    line = next(x for x in returned.header().split("\r\n") if x.startswith("Message-ID: "))
    dead["mail"]["headers"] = [{"name": "Message-ID", "value": line.partition(": ")[2]}]
    first = relays.sns(dead, SignatureVersion="2")
    assert (first.status, first.text) == (200, "bounce\n")
    again = relays.sns(dead)
    assert (again.status, again.text) == (200, "ignored: it was counted before\n")
    complaint = ses_complaint("0100-unknown-to-us-0002", BEN)
    assert relays.sns(complaint).text == "complaint\n"
    assert relays.sns(complaint).text == "ignored: it was counted before\n"
    assert returned.readers() == {ADA: ("confirmed", True), BEN: ("unsubscribed", True)}
    assert returned.reasons() == ["bounce", "complaint"]
    assert [event for event, _ in returned.events()] == ["bounced", "complained"]
    assert relays.fetched == [CERTIFICATE_URL]
    assert ADA not in "".join(relays.said)
    assert BEN not in "".join(relays.said)


def test_an_event_of_delivery_settles_a_doubt(returned: Returned, relays: Relays) -> None:
    line = next(x for x in returned.header().split("\r\n") if x.startswith("Message-ID: "))
    own = line.partition(": ")[2]
    said = {"type": "delivered", "recipient": ADA, "message_id": own}
    assert relays.generic(said).text == "ignored: it was known to be sent\n"
    returned.doubt(ADA, BEN)
    assert relays.generic(said | {"message_id": ""}, ago=1).text.startswith("rejected: ")
    assert relays.generic(said, ago=2).text == "proven\n"
    delivery = ses_complaint("0100-unknown-to-us-0003", BEN) | {"eventType": "Delivery"}
    other = next(x for x in returned.header(BEN).split("\r\n") if x.startswith("Message-ID: "))
    delivery["mail"]["headers"] = [{"name": "Message-ID", "value": other.partition(": ")[2]}]
    assert relays.sns(delivery).text == "proven\n"
    assert returned.post.counts() == {"sent": 2}
    assert returned.readers() == FINE


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("Transient", {}),
        ("Undetermined", {}),
        ("Permanent", {"status": "5.7.1", "diagnosticCode": "smtp; 550 5.7.1 spam"}),
    ],
)
def test_what_may_pass_is_counted_and_suppresses_nobody(
    returned: Returned, relays: Relays, kind: str, more: dict[str, str]
) -> None:
    assert relays.sns(ses_bounce("0100-unknown", ADA, kind, **more)).text == "soft\n"
    assert returned.readers() == FINE
    assert returned.soft() == 1


def test_nothing_forged_is_accepted(returned: Returned, relays: Relays) -> None:
    """Whatever is wrong with it, nothing is changed, and no other host is asked."""
    dead = ses_bounce("0100-unknown", ADA)
    mallory = Authority()
    now = datetime.now(UTC)

    def at(moment: datetime) -> str:
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    elsewhere = "https://evil.example/SimpleNotificationService-0123456789abcdef.pem"
    page = "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
    urls = [
        elsewhere,
        CERTIFICATE_URL.replace("https:", "http:"),
        CERTIFICATE_URL.replace(".com/", ".com.evil.example/"),
        CERTIFICATE_URL.replace("https://", "https://evil.example@"),
        CERTIFICATE_URL.replace("https://", "https://evil.example/https://"),
        CERTIFICATE_URL.replace(".com/", ".com:8443/"),
        CERTIFICATE_URL.replace("sns.", "snsx"),
        CERTIFICATE_URL.replace("eu-west-1", "us-east-1"),
        f"{CERTIFICATE_URL}?x=1",
        f"{CERTIFICATE_URL}\n",
        f"{HOST}/evil{page}",
        f"https://sns.eu-west-1.amazonaws.com\\@evil.example{page}",
        f"https://bucket.s3.amazonaws.com{page}",
        "file:///etc/passwd",
    ]
    forged = [
        relays.sns(dead, mallory),  # her key, our certificate
        *(relays.sns(dead, mallory, SigningCertURL=url) for url in urls),
        relays.sns(dead, TopicArn=f"{ARN}x"),
        relays.sns(dead, late_TopicArn=ARN, TopicArn=ARN.replace("bounces", "others")),
        relays.sns(dead, Timestamp=at(now - timedelta(hours=2))),
        relays.sns(dead, Timestamp=at(now + timedelta(hours=1))),
        relays.sns(dead, late_Timestamp=at(now - timedelta(minutes=1))),
        relays.sns(dead, Timestamp="yesterday"),
        relays.sns(dead, late_Message=json.dumps(ses_bounce("0100-unknown", BEN))),
        relays.sns(dead, late_SignatureVersion="2"),
        relays.sns(dead, SignatureVersion="3"),
        relays.sns(dead, late_Signature="AAAA"),
        relays.sns(dead, late_Signature="?"),
        relays.sns(dead, late_Signature=""),
        relays.sns(dead, late_Type="SubscriptionConfirmation", Type="Notification"),
        relays.post_as("ses", dead),  # raw, without SNS around it
        relays.post_as("ses", json.dumps(make_envelope(dead)).encode()[:-20]),
        relays.post_as("ses", b"\xff\xfe"),
        relays.post_as("ses", b"[" * 200_000),
        relays.post_as("ses", b'{"a":"' + b"x" * 1_100_000 + b'"}'),
    ]
    assert all(400 <= answer.status < 500 for answer in forged), [a.status for a in forged]
    assert set(relays.fetched) <= {CERTIFICATE_URL}
    assert returned.readers() == FINE
    assert returned.events() == []
    assert not [line for line in relays.said if "defect" in line]


def test_a_certificate_that_is_over_or_weak_or_none_proves_nothing(
    returned: Returned, relays: Relays
) -> None:
    dead = ses_bounce("0100-unknown", ADA)
    stale, weak = Authority(days=-1), Authority(bits=1_024)
    answers = []
    for number, (authority, pem) in enumerate(
        ((stale, stale.pem), (weak, weak.pem), (None, b"<html>not found</html>"))
    ):
        url = f"{HOST}/SimpleNotificationService-{number}.pem"
        relays.certificates[url] = pem
        answers.append(relays.sns(dead, authority, SigningCertURL=url).status)
    assert answers == [403, 403, 403]
    gone = f"{HOST}/SimpleNotificationService-gone.pem"
    assert relays.sns(dead, SigningCertURL=gone).status == 503  # so that SNS comes again
    many = [
        relays.sns(dead, SigningCertURL=f"{HOST}/SimpleNotificationService-x{n}.pem").status
        for n in range(12)
    ]
    assert many[-1] == 503
    assert len(relays.fetched) == 10
    assert returned.readers() == FINE


def test_a_subscription_is_confirmed_for_our_topic_alone(relays: Relays) -> None:
    kind = {"Type": "SubscriptionConfirmation", "Subject": "", "Token": "2336412f37"}
    said = "You have chosen to subscribe to the topic"
    for url in (
        SUBSCRIBE.replace(HOST, "https://evil.example"),
        SUBSCRIBE.replace("eu-west-1.amazonaws", "us-east-1.amazonaws", 1),
        SUBSCRIBE.replace("https://", "https://evil.example@"),
        SUBSCRIBE.replace(ARN, f"{ARN}x"),
        SUBSCRIBE.replace("ConfirmSubscription", "Unsubscribe"),
        SUBSCRIBE.replace("https:", "http:"),
    ):
        assert relays.sns(said, None, SubscribeURL=url, **kind).status == 403
    other = {"TopicArn": f"{ARN}x", "SubscribeURL": SUBSCRIBE}
    assert relays.sns(said, None, **kind | other).status == 403
    assert relays.sns(said, Authority(), SubscribeURL=SUBSCRIBE, **kind).status == 403
    assert [url for url in relays.fetched if "Action" in url] == []
    assert relays.sns(said, None, SubscribeURL=SUBSCRIBE, **kind).status == 200
    assert [url for url in relays.fetched if "Action" in url] == [SUBSCRIBE]
    assert relays.sns("Successfully validated SNS topic").text.startswith("ignored")


def test_postmark_is_let_in_by_its_password(returned: Returned, relays: Relays) -> None:
    dead = postmark_record("HardBounce", ADA, "smtp;550 5.1.1 The account does not exist")
    for login in ("postmark:wrong", "postmark:", ":", "other:a password of Postmark's", ""):
        assert relays.postmark(dead, login).status == 401
    for header in ({}, {"Authorization": "Basic !!!"}, {"Authorization": "Bearer x"}):
        assert relays.post_as("postmark", dead, header).status == 401
    assert returned.readers() == FINE
    assert relays.postmark(postmark_record("SoftBounce", ADA)).text == "soft\n"
    assert relays.postmark(postmark_record("AutoResponder", ADA)).text.startswith("ignored")
    assert relays.postmark(dead).text == "bounce\n"
    complaint = postmark_record("SpamComplaint", BEN, record="SpamComplaint")
    assert relays.postmark(complaint).text == "complaint\n"
    stranger = postmark_record("HardBounce", "eve@reader.example")
    assert relays.postmark(stranger).text == "rejected: it names no delivery of ours\n"
    assert relays.postmark({"RecordType": "Open"}).text.startswith("ignored")
    assert relays.postmark([1]).status == 400
    assert returned.readers() == {ADA: ("confirmed", True), BEN: ("unsubscribed", True)}


def test_any_program_is_let_in_by_its_signature_and_once(
    returned: Returned, relays: Relays
) -> None:
    dead = {"type": "bounce", "recipient": ADA, "permanent": True}
    body = json.dumps(dead).encode()
    refused = [
        relays.generic(dead, "another secret of a length"),
        relays.generic(dead, ago=301),
        relays.generic(dead, ago=-302),
        relays.post_as("generic", dead),
        relays.post_as("generic", body + b" ", {"Publisher-Signature": sign(body)}),
        relays.post_as("generic", body, {"Publisher-Signature": sign(body)[:-1]}),
    ]
    assert [answer.status for answer in refused] == [401] * 6
    assert returned.readers() == FINE
    header = {"Publisher-Signature": sign(body)}
    assert relays.post_as("generic", body, header).text == "bounce\n"
    assert relays.post_as("generic", body, header).status == 409
    assert relays.generic({"type": "complaint", "recipient": BEN}, ago=100).text == "complaint\n"
    assert relays.generic({"type": "praise", "recipient": BEN}).status == 400
    assert returned.readers() == {ADA: ("confirmed", True), BEN: ("unsubscribed", True)}


def test_a_hook_is_closed_without_its_secret_and_shut_to_who_keeps_trying(
    returned: Returned,
) -> None:
    post = returned.post
    database = post.open()
    settings = with_hooks(post.folder, generic_secret="another secret of both")
    with run_relays(post.folder, database, settings) as relays:
        assert relays.sns(ses_bounce("x", ADA)).status == 404
        assert relays.postmark(postmark_record("HardBounce", ADA)).status == 404
        assert relays.fetched == []
        said = [relays.generic({"type": "bounce"}).status for _ in range(61)]
        assert (said[0], said[-1]) == (401, 429)
    database.close()
