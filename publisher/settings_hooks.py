"""Whether the settings of hooks, in and out, can be meant."""

import re
from collections.abc import Sequence
from typing import Any

from publisher.model.events import EVENT_KINDS
from publisher.settings_tables import Hooks, Webhook
from publisher.settings_values import is_http_url

# As many characters as nobody guesses.
LEAST_SECRET = 16
_TOPIC = re.compile(r"arn:aws(?:-cn|-us-gov)?:sns:[a-z]{2}(?:-[a-z]+)+-\d:\d{12}:[\w-]{1,256}")
_A_TOPIC = "the ARN of an SNS topic, such as arn:aws:sns:eu-west-1:123456789012:bounces"
_A_SECRET = f"a secret of {LEAST_SECRET} characters or more; `openssl rand -hex 32` makes one"
_AN_HTTPS_URL = "a URL that begins with https://; http:// goes with allow_private = true alone"

Wrong = tuple[str, Any, str]


def wrong_hooks(hooks: Hooks) -> list[Wrong]:
    """What cannot be meant of who is let in: (key, found, what would be right)."""
    arn, user, password = hooks.ses_topic_arn, hooks.postmark_user, hooks.postmark_password
    checks = (
        ("hooks.ses_topic_arn", arn, not arn or bool(_TOPIC.fullmatch(arn)), _A_TOPIC),
        (
            "hooks.postmark_user",
            user,
            ":" not in user and bool(user) == bool(password),
            "a name without a colon, with hooks.postmark_password beside it",
        ),
        ("hooks.postmark_password", password, _is_secret(password), _A_SECRET),
        ("hooks.generic_secret", hooks.generic_secret, _is_secret(hooks.generic_secret), _A_SECRET),
    )
    return [(key, found, right) for key, found, is_right, right in checks if not is_right]


def _is_secret(text: str) -> bool:
    return not text or len(text) >= LEAST_SECRET


def wrong_webhooks(webhooks: Sequence[Webhook]) -> list[Wrong]:
    """What cannot be meant of whom events are told."""
    urls = [webhook.url for webhook in webhooks]
    return [
        *(wrong for place, webhook in enumerate(webhooks) for wrong in _wrong(place, webhook)),
        *(
            ("webhook.url", url, "a URL of its own for each webhook")
            for url in dict.fromkeys(urls)
            if urls.count(url) > 1
        ),
    ]


def _wrong(place: int, webhook: Webhook) -> list[Wrong]:
    table = f"webhook[{place}]" if place else "webhook"
    kinds = f"one or more of {', '.join(EVENT_KINDS)}"
    is_url = is_http_url(webhook.url, is_base=False) and "@" not in webhook.url
    is_url = is_url and (webhook.allow_private or webhook.url.lower().startswith("https://"))
    unknown = [kind for kind in webhook.events if kind not in EVENT_KINDS]
    has_events = bool(webhook.events) and not unknown
    checks = (
        (f"{table}.url", webhook.url, is_url, _AN_HTTPS_URL),
        (f"{table}.secret", webhook.secret, len(webhook.secret) >= LEAST_SECRET, _A_SECRET),
        (f"{table}.events", unknown or list(webhook.events), has_events, kinds),
    )
    return [(key, found, right) for key, found, is_right, right in checks if not is_right]
