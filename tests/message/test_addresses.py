"""Addresses: of any domain and any script, and nothing that could be two of them."""

from unicodedata import category

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from publisher.message.addresses import ascii_domain, smtp_address


def test_a_domain_of_any_script() -> None:
    assert smtp_address("ada@bücher.example") == "ada@xn--bcher-kva.example"
    assert ascii_domain("faß.example") == "xn--fa-hia.example", "as IDNA 2008 has it, not 2003"
    assert ascii_domain("BÜCHER.example") == "xn--bcher-kva.example"
    assert ascii_domain("日报。example") == ascii_domain("日报.example") == "xn--4ru45e.example"
    assert ascii_domain("daily.example.") == "daily.example"


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("用户@日报.example", "用户@日报.example"),
        ("用户@XN--4RU45E.example", "用户@日报.example"),
        ("ädä@daily.example", "ädä@daily.example"),
        ("सलमा@daily.example", "सलमा@daily.example"),
        ("ada@日报.example", "ada@xn--4ru45e.example"),
    ],
)
def test_a_local_part_of_any_script(address: str, written: str) -> None:
    assert smtp_address(address) == written
    assert smtp_address(written) == written


BAD = [
    *("", "ada", "ada@", "@x.example", "a b@x.example", "a@b@c.example", "ada@x..example"),
    *("ada@x.example>", "<ada@x.example", "ada@[x", "ada@x_y.example", "ada@-x.example"),
    *("ada@.example", "ada;eve@x.example", "ada,eve@x.example", "ada@x.example, eve@x.example"),
    *("ädä@x.example\r\nRCPT TO:<spy@x.example>", "ada@x.example\n", "ada\0@x.example"),
    *("用 户@x.example", "用\u3000户@x.example", "用,户@x.example", "用<户@x.example"),
    *("用\x85户@x.example", "用\u2028户@x.example", "用\ud800户@x.example", '"用 户@x.example'),
    *("ada@日报..example", "ada@日 报.example", "ada@\ud800.example", "ada@日报_.example"),
    *("a" * 65 + "@x.example", "用" * 22 + "@x.example", "ada@" + "x" * 64 + ".example"),
    *(
        "ada@" + "x." * 130 + "example",
        "(ada)ada@x.example",
        '"a\r\nb"@x.example',
        '"a"b"@x.example',
        '"a>"@x.example',
        "=?utf-8?q?eve=40x.example=2C?=@x.example",
        '"=?utf-8?q?eve?="@x.example',
    ),
]


@pytest.mark.parametrize("address", BAD)
def test_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        smtp_address(address)


@pytest.mark.parametrize(
    "address", ['"a b"@x.example', "a.b+c@x.example", "ada@[192.0.2.1]", "a@x", "'@x.example"]
)
def test_unusual_addresses(address: str) -> None:
    assert smtp_address(address) == address


@pytest.mark.parametrize("local", ["a..b", ".a", "a."])
def test_dots_where_none_may_be_are_put_in_quotes(local: str) -> None:
    assert smtp_address(f"{local}@x.example") == f'"{local}"@x.example'


@settings(deadline=None)
@given(
    st.one_of(st.text(max_size=40), st.text('ab.@"\\¡<>', max_size=70)),
    st.one_of(st.text(max_size=40), st.sampled_from(["x.example", "日报.example"])),
)
@example(".¡", "x.example")
@example("." * 63, "x.example")
@example("..", "x.example")
def test_what_is_taken_is_safe_between_angle_brackets(local: str, domain: str) -> None:
    try:
        spec = smtp_address(f"{local}@{domain}")
    except ValueError:
        return
    assert not any(category(character) == "Cc" for character in spec)
    assert smtp_address(spec) == spec
    if not local.startswith('"'):
        assert not set(spec) & set("<>,;: \t\r\n()[]\\"), spec
