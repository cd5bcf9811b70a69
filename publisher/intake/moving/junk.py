"""What HTML has in it that is no part of a post: widgets, pixels, footers, merge tags."""

import re
from typing import Any

import msgspec

# What a program writes for each reader, in the spelling of each system.
_MAILCHIMP = r"\*\|[^|\n]{1,200}\|\*"
_BRACES = r"\{\{[^{}\n]{1,300}\}\}|\{%[^%\n]{1,300}%\}"
_PERCENTS = r"%%[A-Za-z_]{1,60}%%"
# What only ever stands in a footer, or in the line that leads to the web page of a mail.
_MAILCHIMP_FOOTER = (
    r"\*\|(?:UNSUB|UPDATE_PROFILE|ARCHIVE|FORWARD|REWARDS|ABOUT_LIST|LIST:|HTML:LIST|HTML:REWARDS"
    r"|LIST_ADDRESS|CURRENT_YEAR|END:IF|IF:REWARDS|IFNOT:ARCHIVE_PAGE|ABUSE_EMAIL)[^|]*\|\*"
)
_BRACES_FOOTER = (
    r"\{\{\s*\.?(?:unsubscribe|manage_|subscribe_form|subscription|upgrade|email_url|view_in|rp_"
    r"|UnsubscribeURL|ManageURL|OptinURL|MessageURL|TrackView|OPEN_TRACKING)[^{}]*\}\}"
)
_NEVER = r"(?!)"


class Habits(msgspec.Struct, frozen=True):
    """A system's ways: its merge tags, those of footers, and whether a post is a whole mail."""

    tags: re.Pattern[str] = re.compile(_NEVER)
    footer: re.Pattern[str] = re.compile(_NEVER)
    is_mail: bool = False

    def drop_tags(self, text: str) -> tuple[str, list[str]]:
        """Text without merge tags and what set them off, and those that it had."""
        found = self.tags.findall(text)
        left = self.tags.sub("\0", text) if found else text
        return re.sub(r"^\s*\0\s*[,:]\s*|[ \t]*\0(?=\s*[,.!?;:])|\0", "", left), found


PLAIN = Habits()
SUBSTACK = Habits(re.compile(_PERCENTS), re.compile(_NEVER))
MAILCHIMP = Habits(
    re.compile(_MAILCHIMP), re.compile(_MAILCHIMP_FOOTER, re.IGNORECASE), is_mail=True
)
BRACES = Habits(re.compile(_BRACES), re.compile(_BRACES_FOOTER, re.IGNORECASE))
MAIL_WITH_BRACES = Habits(BRACES.tags, BRACES.footer, is_mail=True)
SHORTCODES = Habits(
    re.compile(r"\[/?(?:caption|gallery|embed|audio|video|playlist|contact-form|jetpack)[^\]]*\]")
)
# Hugo's shortcodes and Jekyll's tags; `{{ x }}` may be what a post is about, in code at least.
SITE_TAGS = Habits(re.compile(r"\{\{[<%][^{}]*[>%]\}\}|\{%-?[^%\n]*-?%\}|\{\{\s*site\.[^{}]*\}\}"))

_SUBSCRIBE = re.compile(
    r"subscri(?:be|ption)[-_]?(?:widget|form|embed|block)|kg-signup-card|jetpack[-_]subscri"
    r"|wp-block-jetpack-subscriptions|kg-email-cta|newsletter-signup|mc_embed_signup"
)
_SOCIAL = re.compile(
    r"(?:^| )(?:sharedaddy|share-buttons?|post-ufi|like-button|social-links|mcnFollow\w*"
    r"|mcnShare\w*|community-chat|poll-embed|paywall|paywall-jump|rec__content)(?= |$)"
)
_BUTTON = re.compile(
    r"(?:^| )(?:button-wrapper|captioned-button-wrap|kg-button-card|wp-block-buttons?|mcnButton\w*"
    r"|button|btn|cta-button)(?= |$)"
)
# A button that serves the old system, and leads to nothing that a reader would miss.
_SERVICE = re.compile(
    r"subscribe|checkout|signup|sign-up|#/portal|action=share|/share|/comments|leaderboard|/upgrade"
    r"|%%|\*\||\{\{|referr",
    re.IGNORECASE,
)
_PIXEL = re.compile(
    r"/track/open|open[-_]track|/open\.(?:gif|php|aspx)|eotrx\.|/o\.gif|/pixel|pixel\.(?:gif|png)"
    r"|spacer\.gif|/trk\?|/wf/open",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden")
_TINY = re.compile(r"(?:^|;)\s*(?:max-)?(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|$|!)")
_LEAVING = re.compile(
    r"unsubscribe|opt[ -]?out|(?:update|manage|change) (?:your )?(?:email )?(?:preferences|profile"
    r"|subscription)|(?:view|read|open)(?: this)?(?: e-?mail)?(?: online| in (?:your|a|the)? ?"
    r"(?:web )?browser| on the web)",
    re.IGNORECASE,
)
_LONGEST_LINK = 60
# A footer is a few lines; what is longer is the post itself, in a mail that has but one cell.
_LONGEST_FOOTER = 700
_FOOTER_TAGS = ("p", "li", "td", "div", "center", "footer", "table", "h6", "small")

_FORMS = ("form", "input", "select", "textarea", "button")
_ACTIVE = ("script", "object", "embed", "applet", "canvas", "svg", "math")


def name_junk(element: Any) -> str:
    """What an element is, where it is left out with all that is in it; else empty."""
    tag, classes = element.tag, element.get("class") or ""
    if tag in _FORMS:
        return "a form"
    if tag in _ACTIVE:
        return f"a <{tag}>"
    if _SUBSCRIBE.search(classes):
        return "a subscribe form"
    if _SOCIAL.search(classes):
        return "a widget of the old system"
    style = element.get("style") or ""
    if tag == "img":
        return "" if _is_seen(element, style) else "a tracking pixel"
    if _HIDDEN.search(style):
        return "hidden text"
    if _BUTTON.search(classes) and (link := find_link(element)) and _SERVICE.search(link):
        return "a button"
    return ""


def _is_seen(image: Any, style: str) -> bool:
    sizes = {(image.get(name) or "").strip().removesuffix("px") for name in ("width", "height")}
    source = image.get("src") or ""
    return not (
        sizes & {"0", "1"} or _TINY.search(style) or _PIXEL.search(source) or not source.strip()
    )


def find_link(element: Any) -> str:
    """The first address that an element leads to."""
    for each in element.iter("a"):
        if each.get("href"):
            return str(each.get("href"))
    return ""


def find_footers(root: Any, habits: Habits) -> list[Any]:
    """The blocks of a mail that say how it was sent, and how to leave the list."""
    found: list[Any] = []
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        if _speaks_of_leaving(element, habits) and (block := _block_of(element)) is not None:
            found.append(block)
    return found


def _speaks_of_leaving(element: Any, habits: Habits) -> bool:
    said = [element.text or "", element.get("href") or ""]
    said += [child.tail or "" for child in element]
    if any(habits.footer.search(each) for each in said):
        return True
    if not habits.is_mail or element.tag != "a":
        return False
    words = " ".join("".join(element.itertext()).split())
    return len(words) <= _LONGEST_LINK and bool(_LEAVING.search(words))


def _block_of(element: Any) -> Any:
    """The block around an element that is to go with it; itself where the block is the post."""
    block = element
    while block is not None and block.tag not in _FOOTER_TAGS:
        block = block.getparent()
    if block is None or block.getparent() is None:
        return element if element.tag == "a" else None
    is_short = sum(map(len, block.itertext())) <= _LONGEST_FOOTER
    if is_short:
        return block
    return element if element.tag in ("a", "p", "small") else None
