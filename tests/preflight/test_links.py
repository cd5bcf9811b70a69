"""Links: what is refused, what is only said, what is let be."""

import pytest

from publisher.model.problem import Problem
from tests.preflight.samples import PARAGRAPH, check_body, check_heading, check_text, markdown


def _link(url: str, words: str = "the long paper") -> list[Problem]:
    return check_body(f"{PARAGRAPH} Read [{words}](<{url}>) now.")


def _rules(problems: list[Problem]) -> set[str]:
    return {problem.rule for problem in problems}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "it is empty"),
        ("https://", "it names no host"),
        ("https:///path", "it names no host"),
        ("https:/a.example/x", "it names no host"),
        ("https:a.example", "it names no host"),
        ("http//a.example", "the colon behind http is missing"),
        ("https;//a.example", "the colon behind http is missing"),
        ("https://a.example:eighty/", "its port is no number"),
        ("https://a.example:99999/", "its port is no number"),
        ("https://a.example:0/", "its port is 0"),
        ("https://[2001:db8::1/x", "its brackets do not match"),
        ("https://a b.example/", "it has a space in it"),
        ("https://a.example/x y", "it has a space in it"),
        ("https://a.example/x\u3000y", "it has a space in it"),
        (r"https://a.example\x", "it has the character \\ in it"),
        ('https://a.example/"x"', 'it has the character " in it'),
        ("https://a..example/", "'a..example' is no host"),
        ("https://a,example/", "'a,example' is no host"),
        ("https://300.1.1.1/", "'300.1.1.1' is no IP address"),
        (f"https://{'a' * 64}.example/", f"'{'a' * 64}.example' is no host"),
        ("mailto:the desk", "it names no e-mail address"),
    ],
)
def test_malformed(url: str, why: str) -> None:
    (problem,) = [p for p in _link(url) if p.level == "error"]
    assert problem.rule == "url-malformed"
    assert problem.message.endswith(f"is no valid URL: {why}")


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example",
        "HTTPS://A.EXAMPLE:8443/x_(y);z=1,2?q=[a]&r={b}|c#d!e~f",
        "https://müller.example/straße",
        "https://例え.テスト/パス",
        "https://i❤.ws/",
        "https://xn--mller-kva.example./",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1::1]:443/",
        "https://under_score.example/@user/100%25",
        "mailto:desk@a.example,b@b.example?subject=A%20b",
        "mailto:?subject=x",
        "media/report.pdf",
        "/media/My%20Photo.png",
        "#ferry",
        "https://daily.example/issues/2025-12-15/#ferry",
        "https://daily.example/issues/2025-12-14/#elsewhere",
    ],
)
def test_good(url: str) -> None:
    assert _link(url) == []


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "JavaScript:x", " javascript:x", "java&#10;script:x"]
)
def test_javascript_is_an_error_however_it_is_written(url: str) -> None:
    (problem,) = [p for p in _link(url) if p.level == "error"]
    assert problem.rule == "url-javascript"


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("vbscript:x", "url-scheme-refused"),
        ("data:text/html,x", "url-scheme-refused"),
        ("ftp://a.example/x", "url-scheme-refused"),
        ("cid:image001.png@01", "url-cid"),
        ("file:///home/x/a.pdf", "url-file"),
        (r"C:\Users\x\a.pdf", "url-file"),
        (r"\\\\server\share\a.pdf", "url-file"),
        ("http://localhost:8000/x", "url-private"),
        ("https://10.0.0.7/", "url-private"),
        ("https://[::1]/", "url-private"),
        ("https://cms.internal/edit/7", "url-private"),
        ("https://intranet/news", "url-private"),
    ],
)
def test_only_said(url: str, rule: str) -> None:
    assert [(p.rule, p.level) for p in _link(url)] == [(rule, "warning")]


@pytest.mark.parametrize(
    ("url", "resolved", "right"),
    [
        ("paper.html", "https://daily.example/paper.html", "https://daily.example/paper.html"),
        ("../x", "https://daily.example/x", "https://daily.example/x"),
        ("//a.example/x", "https://a.example/x", "https://a.example/x"),
        ("www.a.example/x", "https://daily.example/www.a.example/x", "https://www.a.example/x"),
        ("a.com/x", "https://daily.example/a.com/x", "https://a.com/x"),
        ("desk@a.example", "https://daily.example/desk@a.example", "mailto:desk@a.example"),
    ],
)
def test_relative_says_where_it_leads_and_what_was_meant(
    url: str, resolved: str, right: str
) -> None:
    (problem,) = _link(url)
    assert (problem.rule, problem.level) == ("url-relative", "warning")
    assert problem.message.endswith(f"leads to {resolved}")
    assert problem.fix == f"write {right}"


def test_anchor_names_the_nearest() -> None:
    (problem,) = _link("#fery")
    assert problem.message.endswith("; did you mean #ferry?")
    assert problem.fix == "use the id of one: ferry"


def test_anchors_wait_for_the_ids() -> None:
    problems = check_heading("No id yet") + check_text(markdown("[it](#a)", "No id yet"))
    assert "anchor-missing" not in _rules(problems)


@pytest.mark.parametrize(
    ("words", "url", "host"),
    [
        ("https://bank.example/login", "https://evil.example/", "evil.example"),
        ("www.bank.example", "https://bank.example.evil.example/", "bank.example.evil.example"),
        ("ann@a.example", "mailto:bob@b.example", "bob@b.example"),
    ],
)
def test_deceptive(words: str, url: str, host: str) -> None:
    (problem,) = _link(url, words)
    assert problem.rule == "link-deceptive"
    assert problem.message.endswith(f"leads to {host}")


@pytest.mark.parametrize(
    ("words", "url"),
    [
        ("https://www.a.example", "https://a.example/?utm_source=x"),
        ("www.a.example/short…", "https://news.a.example/short/and/long"),
        ("Booking.com", "https://a.example/story"),
        ("Node.js 24", "https://a.example/story"),
        ("ANN@a.example", "mailto:ann@a.example?subject=x"),
        ("https://müller.example", "https://xn--mller-kva.example/"),
    ],
)
def test_not_deceptive(words: str, url: str) -> None:
    assert _link(url, words) == []


@pytest.mark.parametrize(
    "words", ["here", "Read more", "Click here!", "点击这里", "اقرأ المزيد", "Ici"]
)
def test_vague(words: str) -> None:
    assert _rules(_link("https://a.example/", words)) == {"link-vague"}


def test_source_and_image_are_looked_at() -> None:
    heading = '[One](javascript:x) {#a image="cid:x" alt="A"}'
    assert {(p.rule, p.line) for p in check_heading(heading)} == {
        ("url-javascript", 8),
        ("url-cid", 8),
    }


def test_links_inside_other_text_are_looked_at() -> None:
    body = (
        "- *[one](javascript:1)*\n\n> **[two](javascript:2)**\n\n| [three](javascript:3) |\n|---|\n"
    )
    problems = [p for p in check_body(body) if p.rule == "url-javascript"]
    assert [p.line for p in problems] == [10, 12, 14]
