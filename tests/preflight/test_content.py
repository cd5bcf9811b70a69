"""An issue's words: where problems are found, and what they say."""

import pytest

from publisher.model.problem import Problem
from publisher.preflight.placeholders import find_placeholder
from publisher.preflight.prose import width
from publisher.preflight.scripts import find_mismatch
from tests.preflight.samples import PARAGRAPH, check_body, check_front, check_text, markdown


def _only(rule: str, problems: list[Problem]) -> Problem:
    (found,) = [problem for problem in problems if problem.rule == rule]
    return found


BODY = """\
First paragraph.

### A heading

Second, with [a paper](https://a.example/) and TK.

##### Deep

![](media/harbour.jpg)
"""


def test_problems_name_file_and_line() -> None:
    text = markdown(BODY)
    lines = text.split("\n")
    problems = check_text(text)
    assert {(p.rule, p.file, lines[(p.line or 0) - 1]) for p in problems} == {
        ("placeholder-left", "issues/2025-12-15.md", lines[13]),
        ("heading-jump", "issues/2025-12-15.md", "##### Deep"),
        ("image-alt-missing", "issues/2025-12-15.md", "![](media/harbour.jpg)"),
    }
    assert "TK" in lines[13]


def test_a_problem_of_words_has_the_line_of_their_paragraph() -> None:
    problem = _only("quote-unclosed", check_body('One.\n\nShe said "two.'))
    assert problem.line == 12
    assert 'said "two.' in problem.message


def test_introduction_has_a_line_and_a_name() -> None:
    text = markdown().replace("\n\n##", "\n\nWelcome, TK!\n\n##", 1)
    problem = _only("placeholder-left", check_text(text))
    assert (problem.line, problem.message) == (
        8,
        "the introduction still has the placeholder 'TK'",
    )


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"title": "The mayor, TK"}, "the issue's title"),
        ({"summary": "The mayor, TK"}, "the summary"),
        ({"heading": "The mayor, TK {#a}"}, "the title 'The mayor, TK'"),
        ({"heading": 'One {#a source="TK"}'}, "the source of the highlight 'One'"),
        ({"heading": 'One {#a image="media/harbour.jpg" alt="TK"}'}, "the image of"),
        ({"body": "![TK](media/harbour.jpg)"}, "an image in the highlight"),
        ({"body": "- one\n- TK"}, "the highlight 'The night ferry'"),
        ({"body": "| a |\n|---|\n| TK |"}, "the highlight 'The night ferry'"),
        ({"body": "> TK"}, "the highlight 'The night ferry'"),
    ],
)
def test_placeholders_are_found_everywhere(fields: dict[str, str], what: str) -> None:
    body = fields.pop("body", PARAGRAPH)
    heading = fields.pop("heading", "The night ferry {#ferry}")
    problem = _only("placeholder-left", check_text(markdown(body, heading, **fields)))
    assert problem.message.startswith(what)


@pytest.mark.parametrize(
    "text",
    [
        "The mayor, TK, said",
        "TKTK people came",
        "TODO: ask the mayor",
        "FIXME",
        "Lorem ipsum dolor sit amet",
        "Lorem ipsum.",
        "Dear {{ subscriber.name }}",
        "{% if x %}",
        "Dear *|FNAME|*",
        "[insert quote]",
        "[Your name] here",
        "PLACEHOLDER",
        "XXX million came",
        "2025年XXX月",
        "（待补充）",
    ],
)
def test_placeholders(text: str) -> None:
    assert find_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        "Flight TK 1951 from Istanbul",
        "TK Maxx and TK Elevator opened",
        "TK教主发言",
        "Super Bowl XXX, the games of the XXX Olympiad",
        "size XXXL",
        "a TODO list, a todo, to do",
        "what [his] “lorem ipsum” meant",
        "he [sic] said [the inserted] words (insert)",
        "set {1, 2} and {a}",
        "（在此期间）",
    ],
)
def test_no_placeholders(text: str) -> None:
    assert find_placeholder(text) is None


def test_todo_is_a_word_in_spanish() -> None:
    assert find_placeholder("TODO SOBRE EL MAR", ["es-MX"]) is None
    assert find_placeholder("TODO: revisar", ["es-MX"]) == "TODO"


def test_an_issue_in_another_script_is_said_once() -> None:
    text = markdown("港口的夜班渡轮从星期一开始每天早上七点出发。", "夜班渡轮 {#a}")
    text += "\n## 第二条 {#b}\n\n岛上的居民说，这是三十年来的第一次。\n"
    problem = _only("language-mismatch", check_text(text))
    assert problem.message == "the issue is marked as 'en', but written in Han letters"
    assert problem.fix == "give its language: language: zh"


def test_a_highlight_in_another_script_is_named() -> None:
    text = markdown() + "\n## مكتبة للأصوات {#b}\n\nافتتحت في الدوحة مكتبة لا كتب فيها.\n"
    problem = _only("language-mismatch", check_text(text))
    assert problem.message.startswith("the highlight 'مكتبة للأصوات' is marked as 'en'")
    assert problem.fix == 'give its language: {language="ar"} behind its title'


@pytest.mark.parametrize(
    ("text", "language", "script"),
    [
        ("Десять кораблей вышли в море", "en", "Cyrillic"),
        ("Ten ships went out to sea on Monday, and all of them came back by noon.", "zh", "Latin"),
        ("夜の船は月曜日に出航しますので、どうぞお楽しみに。", "zh", "Kana"),
        ("הספינות יצאו לים ביום שני בבוקר", "ar", "Hebrew"),
        ("Ten ships went out to sea on Monday, and all of them came back by noon.", "en", None),
        ("The film 夜航 opens on Monday in Haikou", "en", None),
        ("微短剧 Night Boats Season 2 on Radio Harbour 上线", "zh", None),
        ("夜の船は月曜日に出航します。", "ja", None),
        ("Десет бродова је испловило", "sr", None),
        ("Deset brodova je isplovilo u more u ponedeljak ujutro, svi su se vratili", "sr", None),
        ("Wǒ men zuò chuán qù hǎi kǒu kàn yè háng yǐng xiàng zhǎn de kāi mù shì", "zh-Latn", None),
        ("2.155.000 — 100 %", "ar", None),
    ],
)
def test_script_of_a_language(text: str, language: str, script: str | None) -> None:
    assert find_mismatch(text, language) == script


def test_width_counts_columns() -> None:
    assert width("Ferry") == 5
    assert width("今日要闻：") == 10
    assert width("مكتبة") == 5


def test_title_of_what_is_mailed_is_measured_as_its_subject() -> None:
    long = "A very long title " * 10
    assert "title-too-long" not in {p.rule for p in check_front(title=long)}
    assert "title-too-long" in {p.rule for p in check_front(title=long, mail="false")}


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        ("### One\n\n### Two\n\n#### Three\n\n### Four\n\nText.", set()),
        ("#### One\n\nText.", {"heading-jump"}),
        ("# One\n\n### Two\n\nText.", {"heading-too-high"}),
        ("> #### Quoted\n\nText.", set()),
    ],
)
def test_headings_of_markdown(body: str, rules: set[str]) -> None:
    assert {problem.rule for problem in check_body(body)} == rules


def test_headings_of_yaml_may_begin_anywhere() -> None:
    text = (
        "id: a1\ntitle: T\ndate: 2025-12-15\nhighlights:\n- id: b1\n  title: H\n"
        "  body: |\n    # One\n\n    ## Two\n\n    #### Four\n\n    Text.\n"
    )
    problem = _only("heading-jump", check_text(text, name="2025-12-15.yaml"))
    assert problem.line == 12
    assert "level 4" in problem.message


def test_file_with_another_case_is_named() -> None:
    problem = _only("media-missing", check_body("![Me](<media/my photo.PNG>)"))
    assert problem.message == "there is no file media/my photo.PNG; there is media/My Photo.png"


def test_image_that_is_not_mailed_may_be_of_any_format() -> None:
    heading = 'One {#a image="https://a.example/a.svg" alt="A" width="9" height="9"}'
    rules = {p.rule for p in check_text(markdown(PARAGRAPH, heading))}
    assert rules == {"image-format-unsupported"}
    assert check_text(markdown(PARAGRAPH, heading, mail="false")) == []


def test_repeated_paragraph_is_found_across_highlights() -> None:
    text = markdown(f"{PARAGRAPH} {PARAGRAPH}") + f"\n## B {{#b}}\n\n{PARAGRAPH} {PARAGRAPH}\n"
    assert _only("paragraph-repeated", check_text(text)).line == 14
