"""What a User-Agent says of who fetches a feed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.web.public.agents import MOST_SUBSCRIBERS, is_crawler, read_report
from tests.web.public.agents import AGGREGATORS, CRAWLERS, DIRECT


@pytest.mark.parametrize("agent", AGGREGATORS)
def test_an_aggregator_is_read(agent: str) -> None:
    report = read_report(agent)
    assert report is not None
    assert (report.aggregator, report.feed_id, report.subscribers) == AGGREGATORS[agent]
    assert report.is_known == (report.aggregator != "somereader")
    assert not is_crawler(agent)


@pytest.mark.parametrize("agent", DIRECT)
def test_a_reader_of_one_reports_nothing(agent: str) -> None:
    assert read_report(agent) is None
    assert not is_crawler(agent)


@pytest.mark.parametrize("agent", CRAWLERS)
def test_a_crawler_is_known(agent: str) -> None:
    assert is_crawler(agent)


@pytest.mark.parametrize(
    "number",
    [str(MOST_SUBSCRIBERS + 1), "9" * 300, "-5", "1e9", "1,2", "٣", "1234567890", "1.5", "0x10"],
)
def test_a_number_that_cannot_be_is_none(number: str) -> None:
    assert read_report(f"Feedly/1.0 (+http://www.feedly.com; {number} subscribers)") is None


@given(st.text(max_size=200), st.integers(0, 10**9))
def test_whatever_it_is_called_is_kept_short_and_plain(text: str, number: int) -> None:
    report = read_report(f"{text} {number} subscribers")
    if report is not None:
        assert 0 < len(report.aggregator) <= 40
        assert report.aggregator.isascii()
        assert report.aggregator.isprintable()
        assert len(report.feed_id) <= 40
