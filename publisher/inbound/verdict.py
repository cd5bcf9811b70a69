"""What a failure report's codes mean for an address: is the mailbox dead, or only not now?

The codes are those of RFC 3463 and of IANA's registry of enhanced status codes (RFC 5248). A
suppression does not mend itself, so that only what says that there is no such mailbox, or that it
was switched off, is one; whatever else went wrong is counted:

- 5.1.2, 5.4.x: a domain without a server has often only a mistake in its DNS, and it concerns all
  of its readers at once;
- 5.2.2, 5.2.3, 5.3.x, 5.6.x: a full mailbox, this message's size, a system, this content;
- 5.7.x: the sender or the message is refused, whatever the words beside it;
- 4.x.x: given up after a time, for a reason that may pass.
"""

import re
from typing import Literal

# Dead: nothing will ever arrive there. Soft: this did not. None: nothing failed.
Verdict = Literal["dead", "soft", "none"]

_DEAD = {
    "5.1.1",  # there is no such mailbox
    "5.1.3",  # nor can there be one, by its syntax
    "5.1.6",  # it has moved, and left no address
    "5.1.10",  # its domain takes no mail at all (RFC 7505); Exchange: no such recipient
    "5.2.1",  # it is disabled
}
# Other or undefined: here the words count.
_VAGUE = {"5.0.0", "5.1.0", "5.2.0", "5.3.0", "5.5.0"}
_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])", re.ASCII)
_BASIC = re.compile(r"(?<![\w.-])([245])[0-5]\d(?![\w.])", re.ASCII)
_NO_MAILBOX = re.compile(
    r"\b(?:user|recipient|mailbox|account|address|addressee)"
    r" (?:is |was |name |that you tried to reach )?"
    r"(?:unknown|not found|invalid|disabled|does(?: not|n'?t) exist)"
    r"|\b(?:unknown|no such|invalid|non-?existent)"
    r" (?:local )?(?:user|recipient|mailbox|account|address)\b"
    r"|\bno mailbox (?:here )?by that name\b|\bdoes ?n[o']t have an? .{0,40}account\b",
    re.IGNORECASE,
)
# Hotmail's and Outlook's words for it, which without their code are anybody's for anything.
_UNAVAILABLE = re.compile(r"\brequested action not taken: mailbox unavailable", re.IGNORECASE)
# With these words beside it a code means something else: Gmail says 5.2.1 also of a reader who
# gets too much at once, and filters say 5.1.1 of senders whom they don't like.
_NOT_DEAD = re.compile(
    r"\b(?:rate|too (?:many|much|quickly)|quota|full|spam|blocked|black ?list|block ?list"
    r"|denied|polic(?:y|ies)|reputation|grey ?list(?:ed|ing)?|temporar(?:y|ily)|try again)\b",
    re.IGNORECASE,
)
# Whose words are the reader's own or a page's, not the server's.
_QUOTED = re.compile(r"<[^<>]{0,320}>|https?:\S{0,500}|[^\s@]{1,64}@\S{1,255}", re.IGNORECASE)


def find_code(text: str) -> str:
    """The first enhanced status code in a text, such as `5.1.1`; empty where there is none."""
    found = _CODE.search(text)
    return ".".join(str(int(digits)) for digits in found.groups()) if found else ""


def judge(action: str, status: str, diagnostic: str) -> Verdict:
    """Judge one recipient's report (RFC 3464, section 2.3): its Action, Status, Diagnostic-Code.

    A server's own words go before the code that its reporter made of them: where either says that
    it is anything else, the mailbox is not dead.
    """
    own = find_code(status)
    said = _QUOTED.sub(" ", diagnostic[:2_000])
    if action not in ("failed", "") or (not action and own[:1] not in ("4", "5")):
        return "none"
    codes = {code for code in (own, find_code(said)) if code}
    basic = _BASIC.search(said)
    if any(code[0] != "5" for code in codes) or (basic and basic[1] != "5"):
        return "soft"
    if _NOT_DEAD.search(said):
        return "soft"
    if exact := codes - _VAGUE:
        return "dead" if exact <= _DEAD else "soft"
    if _NO_MAILBOX.search(said) or ("5.5.0" in codes and _UNAVAILABLE.search(said)):
        return "dead"
    return "soft"


def judge_vouched(is_permanent: bool, status: str, diagnostic: str) -> Verdict:
    """Judge what a relay reports that has its own word for whether a failure is for good.

    It is never believed to be worse than the server's own codes and words say.
    """
    if not is_permanent:
        return "soft"
    has_code = bool(find_code(status) or find_code(diagnostic) or _BASIC.search(diagnostic))
    return judge("failed", status if has_code else "5.1.1", diagnostic)
