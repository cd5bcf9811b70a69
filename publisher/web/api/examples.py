"""An example of every request and answer, as the OpenAPI document shows them. A test holds each of
them against its schema.
"""

from typing import Any

from publisher.model.delivery import Counts
from publisher.web.api.operation import Example

_DIGEST = "5f3a9c0e8d1b7a6245c3f0e9d8b7a6152433f0e1d2c3b4a5968778695a4b3c2d"
_REF = "k3v9x0q2m7t4b8zc"
_READER = "mfrggzdfmztwq2lk"
_SOURCE = """---
id: h7k2mxq9wd
title: Morning highlights
date: 2025-12-15T07:00:00+08:00
status: draft
---

## Parcels on rails {#b4t8ncv2kf}

Trams carry parcels at night, when their tracks are empty.
"""
_ROW: dict[str, Any] = {
    "issue": "2025-12-15",
    "path": "issues/2025-12-15.md",
    "id": "h7k2mxq9wd",
    "title": "Morning highlights",
    "date": "2025-12-15T07:00:00+08:00",
    "status": "draft",
    "mail": True,
    "mailing": None,
    "version": "0d4c1a7be2f35968a1b2c3d4e5f60718",
}
_PROBLEM = {
    "rule": "body-missing",
    "level": "warning",
    "file": "issues/2025-12-15.md",
    "line": 9,
    "message": "The highlight 'Parcels on rails' has no text.",
    "fix": "Write at least one paragraph below its heading.",
}
_MAILING: dict[str, Any] = {
    "issue": "2025-12-15",
    "mailing": _REF,
    "status": "sending",
    "digest": _DIGEST,
    "counts": Counts(queued=180, sending=4, sent=816),
    "reason": "",
    "started": "2025-12-15T07:00:02+00:00",
    "finished": None,
    "folded": None,
}
_PERSON: dict[str, Any] = {
    "subscriber": _READER,
    "email": "anna@daily.example",
    "name": "Anna Berg",
    "status": "confirmed",
    "suppressed": False,
    "language": None,
    "paused_until": None,
    "content": "full",
    "tags": [],
    "frequency": "daily",
}
_VOUCHED = {
    "at": "2025-12-01T09:30:00+00:00",
    "action": "vouched",
    "source": "operator",
    "origin": "",
}
_LEFT = _VOUCHED | {"at": "2025-12-20T18:00:00+00:00", "action": "unsubscribed"}
_SUPPRESSION = {
    "suppression": 12,
    "email": None,
    "reason": "operator",
    "at": "2025-12-16T08:00:00+00:00",
}

ISSUES = Example(
    response={
        "issues": [_ROW | {"highlights": 1, "errors": 0}],
        "next": "3q2-7wAaB0cYMjAyNS0xMi0xNQ==",
    }
)
ISSUE = Example(
    request=_SOURCE,
    response=_ROW
    | {
        "number": None,
        "summary": "",
        "language": "",
        "tags": [],
        "highlights": [
            {
                "id": "b4t8ncv2kf",
                "title": "Parcels on rails",
                "url": "",
                "source": "",
                "language": "",
                "tags": [],
            }
        ],
        "problems": [],
        "media_type": "text/markdown",
        "source": _SOURCE,
    },
)
FORMS: dict[str, Any] = {
    "text/markdown": _SOURCE,
    "application/yaml": "title: Morning highlights\ndate: 2025-12-15\nhighlights:\n"
    "  - title: Parcels on rails\n    body: Trams carry parcels at night.\n",
    "application/json": {
        "title": "Morning highlights",
        "date": "2025-12-15",
        "highlights": [
            {"title": "Parcels on rails", "body": "Trams carry parcels at night."},
        ],
    },
    "text/plain": "Morning highlights:\n\n1. Parcels on rails\n\nParcels on rails\n"
    "Trams carry parcels at night, when their tracks are empty.\n",
}
PROBLEMS = Example(response={"problems": [_PROBLEM]})
DRY_RUN = Example(
    response={
        "issue": "2025-12-15",
        "mailing": None,
        "status": None,
        "digest": _DIGEST,
        "counts": Counts(),
        "recipients": 1000,
    }
)
MAILING = Example(response=_MAILING)
NEW_MAILING = Example(request={"issue": "2025-12-15", "digest": _DIGEST}, response=_MAILING)
MAILINGS = Example(response={"mailings": [_MAILING], "next": None})
STEERED = Example(response={"mailing": _MAILING, "changed": 1})
RESOLVE = Example(
    request={"how": "resend", "email": "anna@daily.example"},
    response={"mailing": _MAILING, "changed": 1},
)
DELIVERIES = Example(
    response={
        "deliveries": [
            {
                "email": "anna@daily.example",
                "status": "deferred",
                "attempts": 1,
                "message_id": "<k3v9x0q2m7t4b8zc.17.x2p@daily.example>",
                "last_reply": "450 4.2.1 The mailbox is busy; try again later",
                "next_attempt_at": "2025-12-15T07:01:09+00:00",
                "relay": None,
                "content": "full",
                "highlights": None,
            }
        ],
        "next": None,
    }
)
SUBSCRIBERS = Example(response={"subscribers": [_PERSON], "next": None})
SUBSCRIBER = Example(response=_PERSON | {"consents": [_VOUCHED]})
NEW_SUBSCRIBER = Example(
    request={"email": "anna@daily.example", "name": "Anna Berg"}, response=SUBSCRIBER.response
)
CHANGED = Example(
    request={"name": "Anna Berg", "content": "headlines"},
    response=SUBSCRIBER.response | {"content": "headlines"},
)
UNSUBSCRIBED = Example(response=_PERSON | {"status": "unsubscribed", "consents": [_VOUCHED, _LEFT]})
SUPPRESSIONS = Example(response={"suppressions": [_SUPPRESSION], "next": None})
NEW_SUPPRESSION = Example(request={"email": "anna@daily.example"}, response=_SUPPRESSION)
SCHEDULES = Example(
    response={
        "schedules": [
            {
                "name": "morning",
                "cron": "0 7 * * 1-5",
                "next": "2025-12-16T07:00:00+08:00",
                "last": {
                    "due": "2025-12-15T07:00:00+08:00",
                    "ran": "2025-12-15T07:00:01+08:00",
                    "outcome": "fired",
                    "issue": "2025-12-15",
                    "reason": "sent",
                },
            }
        ],
        "off": None,
    }
)

# What each type of problem says in an example.
DETAILS: dict[str, str] = {
    "malformed": "In the address: Expected `int` <= 200 - at `limit`.",
    "unauthenticated": "There is no Authorization header; send `Authorization: Bearer TOKEN`.",
    "forbidden": "This takes the scope issues:write, and the token has issues:read.",
    "not-found": "There is no issue 2025-12-32.",
    "not-acceptable": "Answers are application/json; let Accept have that, or leave it out.",
    "conflict": "Its mailing was cancelled, which is final.",
    "exists": "Issues/2025-12-15.md exists already.",
    "digest-changed": "The issue's digest is another one by now; nothing was sent.",
    "in-progress": "A request with this Idempotency-Key is being answered; ask again.",
    "changed": "Issues/2025-12-15.md was changed by somebody else since it was read.",
    "too-large": "An issue has at most 2,000,000 bytes, anything else 100,000.",
    "unsupported-media-type": "Content-Type is text/html; send application/json, in UTF-8.",
    "invalid": "Object contains unknown field `mail`.",
    "content": "Nothing was written: the digest is incomplete.",
    "key-used": "This Idempotency-Key was used within 24 hours for another request.",
    "precondition-required": "Send If-Match with the ETag of the issue as it was looked at.",
    "throttled": "Too many requests had no good token; try again in 600 seconds.",
    "defect": "This is a defect of publisher; what was asked for may not have been done.",
    "unavailable": "The site is being built or checked for others; try again in some seconds.",
}
PROBLEM = _PROBLEM
