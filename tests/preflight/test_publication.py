"""The settings: what bulk senders need, and what is let be."""

import pytest

from publisher.model.problem import Problem
from tests.preflight.samples import settings_with


def _rules(problems: list[Problem]) -> list[str]:
    return [problem.rule for problem in problems]


def test_problems_name_the_settings_file() -> None:
    (problem,) = settings_with(email={"postal_address": " "})
    assert (problem.file, problem.line) == ("publisher.toml", None)


def test_a_publication_that_mails_nothing_is_told_once() -> None:
    silent = {"from": "", "postal_address": ""}
    assert _rules(settings_with(email=silent, smtp=None, dkim=None)) == ["from-missing"]


@pytest.mark.parametrize(
    ("domain", "sender", "is_aligned"),
    [
        ("daily.example", "daily@daily.example", True),
        ("daily.example", "daily@MAIL.Daily.example", True),
        ("mail.daily.example", "daily@daily.example", True),
        ("other.example", "daily@daily.example", False),
        ("example", "daily@daily.example", False),
        ("aily.example", "daily@daily.example", False),
    ],
)
def test_alignment(domain: str, sender: str, is_aligned: bool) -> None:
    problems = settings_with(dkim={"domain": domain}, email={"from": f"The Daily <{sender}>"})
    assert _rules(problems) == ([] if is_aligned else ["dkim-unaligned"])


def test_a_second_key_of_another_domain_is_named() -> None:
    second = {"domain": "relay.example", "selector": "e1"}
    problems = settings_with(dkim={"ed25519": second})
    assert _rules(problems) == ["dkim-incomplete", "dkim-unaligned"]
    assert problems[0].message == "[dkim] lacks private_key"


@pytest.mark.parametrize(
    ("subject", "rules"),
    [
        ("{{ issue.title }}", []),
        ("[{{ issue.number }}] {{ issue.title | upper }}", []),
        ("{% set t = issue.title %}{{ t }}", []),
        ("Daily", ["subject-template-constant"]),
        ("{{ 'Daily' }}", ["subject-template-constant"]),
        ("{{ issue.title", ["subject-template-broken"]),
        ("{{ subscriber.name }}", ["subject-template-broken"]),
        ("{% include 'x' %}{{ issue.title }}", []),
    ],
)
def test_subject(subject: str, rules: list[str]) -> None:
    assert _rules(settings_with(email={"subject": subject})) == rules


@pytest.mark.parametrize(
    ("subject", "rules"),
    [
        ("{{ week.days }}", []),
        ("The week", ["subject-template-constant"]),
        ("{{ issue.title }}", ["subject-template-broken"]),
    ],
)
def test_subject_of_the_week(subject: str, rules: list[str]) -> None:
    problems = settings_with(choices={"weekly_subject": subject})
    assert _rules(problems) == rules
    assert all(problem.message.startswith("choices.weekly_subject ") for problem in problems)


@pytest.mark.parametrize(
    ("params", "is_right"),
    [
        ("", True),
        ("utm_source=mail", True),
        ("utm_source=mail&utm_campaign=%E6%97%A5", True),
        ({"utm_source": "a b"}, True),
        ("utm source=mail", False),
        ("utm_source", False),
        ("utm_source=mail&&x=1", False),
        ("&utm_source=mail", False),
        ("utm_source=mail#top", False),
        ({"": "x"}, False),
    ],
)
def test_link_params(params: str | dict[str, str], is_right: bool) -> None:
    problems = settings_with(email={"link_params": params})
    assert _rules(problems) == ([] if is_right else ["link-params-invalid"])


@pytest.mark.parametrize(
    ("list_id", "is_right"),
    [
        ("daily.news.example", True),
        ("The Daily <daily.news.example>", True),
        ("<daily.news.example>", True),
        ("daily", False),
        ("daily@news.example", False),
        ("daily..example", False),
    ],
)
def test_list_id(list_id: str, is_right: bool) -> None:
    problems = settings_with(email={"list_id": list_id})
    assert _rules(problems) == ([] if is_right else ["list-id-invalid"])


def test_logo_is_looked_for() -> None:
    (problem,) = settings_with(publication={"logo": "media/Harbour.jpg"})
    assert problem.message == "there is no file media/Harbour.jpg; there is media/harbour.jpg"
    assert settings_with(publication={"logo": "https://cdn.example/logo.png"}) == []
    assert _rules(settings_with(publication={"logo": "logo.png"})) == ["image-outside-media"]
