"""When schedules fire, in words."""

import pytest

from publisher.mailing.cron import parse_cron
from publisher.web.console.rhythm import say_rhythm


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("30 6 * * *", "every day at 06:30"),
        ("0 7 * * mon-fri", "Monday to Friday at 07:00"),
        ("0 7,18 * * sat,sun", "Saturday and Sunday at 07:00 and 18:00"),
        ("5 9 * * 0,1,3", "Monday, Wednesday and Sunday at 09:05"),
        ("0 6 * * 5", "Friday at 06:00"),
        # What takes more than a few words is shown as it is written.
        ("*/10 * * * *", ""),
        ("0 6 1 * *", ""),
        ("0 6 * 1-6 mon", ""),
        ("0 6 13 * fri", ""),
    ],
)
def test_a_rule_is_said_as_people_say_it(cron: str, said: str) -> None:
    assert say_rhythm(parse_cron(cron)) == said
