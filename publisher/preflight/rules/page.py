"""Rules about the pages that a publication's own templates make."""

from publisher.preflight.rules.rule import Rule

PAGE = (
    Rule(
        name="page-inline-script",
        level="warning",
        message="the page has a script in it, which browsers will not run",
        fix="put it into a file in media/, or leave it out: pages work without scripts",
        reason="Every page is served with a policy that refuses scripts inside pages.",
        reference="https://www.w3.org/TR/CSP3/#directive-script-src",
    ),
    Rule(
        name="page-event-attribute",
        level="warning",
        message="<{element}> has the attribute {found}, which browsers will not run",
        fix="take it out of the template",
        reason="Every page is served with a policy that refuses scripts in attributes.",
        reference="https://www.w3.org/TR/CSP3/#directive-script-src",
    ),
    Rule(
        name="page-inline-style",
        level="warning",
        message="the page has {found}, which browsers will not apply",
        fix="put the rules into the template pages/site.css and use a class",
        reason="Every page is served with a policy that takes styles from files alone.",
        reference="https://www.w3.org/TR/CSP3/#directive-style-src",
    ),
    Rule(
        name="page-id-repeated",
        level="warning",
        message="the page has the id {found!r} more than once",
        fix="use another id in the template; a highlight's id belongs to its heading alone",
        reason="A link to it leads to the first one only, and labels name the wrong field.",
        reference="https://html.spec.whatwg.org/multipage/dom.html#the-id-attribute",
    ),
    Rule(
        name="page-anchor-missing",
        level="warning",
        message="the link {found!r} leads to nothing on this page",
        fix="give its target this id in the template",
        reason="The link does nothing.",
        reference="https://html.spec.whatwg.org/multipage/browsing-the-web.html#scroll-to-fragid",
    ),
)
