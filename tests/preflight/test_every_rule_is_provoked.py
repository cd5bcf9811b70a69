"""No rule without something that raises it, and without a near miss that must not."""

import pytest

from publisher.model.problem import Problem
from publisher.preflight.catalogue import GROUPS, RULES
from tests.preflight.provoke_issue import ISSUE_PROVOCATIONS
from tests.preflight.provoke_moving import MOVING_PROVOCATIONS
from tests.preflight.provoke_output import OUTPUT_PROVOCATIONS

PROVOCATIONS = {**ISSUE_PROVOCATIONS, **MOVING_PROVOCATIONS, **OUTPUT_PROVOCATIONS}

# Raised where the archive as a whole is known; tests/site provokes them.
RAISED_BY_SITE = frozenset(
    (
        *("file-unreadable", "slug-repeated", "id-repeated", "number-repeated"),
        *("date-out-of-order", "published-vanished", "withdrawn-used", "register-unreadable"),
        *("published-draft", "template-broken", "media-unreadable", "publication-id-changed"),
        *("card-font-unusable", "published-changed"),
    )
)
# Raised where others' files meet the folder; tests/cli (moving_in, cutover) provokes them.
RAISED_BY_IMPORT = frozenset(
    (
        *("import-unknown", "import-refused", "import-exists", "import-name-taken"),
        *("feed-unmatched", "feed-published"),
    )
)


def _rules(problems: list[Problem]) -> set[str]:
    return {problem.rule for problem in problems}


def test_every_rule_has_a_provocation() -> None:
    assert RULES.keys() - RAISED_BY_SITE - RAISED_BY_IMPORT == PROVOCATIONS.keys()


def test_no_two_rules_have_the_same_name() -> None:
    assert len(RULES) == sum(len(rules) for _, rules in GROUPS)


@pytest.mark.parametrize("name", PROVOCATIONS)
def test_rule_is_raised(name: str) -> None:
    problems = [p for p in PROVOCATIONS[name].wrong() if p.rule == name]
    assert problems
    for problem in problems:
        assert problem.level == RULES[name].level
        assert problem.file
        assert problem.message
        assert problem.fix


@pytest.mark.parametrize("name", [name for name, each in PROVOCATIONS.items() if each.right])
def test_near_miss_is_let_be(name: str) -> None:
    right = PROVOCATIONS[name].right
    assert right
    assert name not in _rules(right())


# What the contract's paragraph "Errors and warnings" names; all else must never stop a build.
_ERRORS = {
    *("file-not-text", "file-too-large", "file-unreadable", "slug-invalid", "slug-repeated"),
    *("front-matter-unreadable", "field-repeated", "field-unreadable"),
    *("date-missing", "date-unreadable", "id-missing", "id-invalid", "id-repeated"),
    *("url-malformed", "url-javascript"),
    *("message-too-large", "html-layout-critical", "css-layout-critical"),
    *("entry-id-repeated", "published-vanished", "published-draft"),
    *("register-unreadable", "template-broken"),
}


def test_only_what_the_contract_names_is_an_error() -> None:
    errors = {rule.name for rule in RULES.values() if rule.level == "error"}
    refused = ("digest-", "import-")  # by `import`
    assert {name for name in errors if not name.startswith(refused)} == _ERRORS
