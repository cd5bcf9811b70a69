"""When a schedule fires, as people say it."""

from itertools import product

from publisher.mailing.cron import Cron

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_GROUPS = {
    (0, 1, 2, 3, 4, 5, 6): "every day",
    (1, 2, 3, 4, 5): "Monday to Friday",
    (0, 6): "Saturday and Sunday",
}
_MOST_TIMES = 3


def say_rhythm(cron: Cron) -> str:
    """A rule in words, such as `Monday to Friday at 06:30`; empty where it takes many of them."""
    is_weekly = len(cron.days) == 31 and len(cron.months) == 12
    times = [f"{hour:02}:{minute:02}" for hour, minute in product(cron.hours, cron.minutes)]
    if not is_weekly or len(times) > _MOST_TIMES:
        return ""
    return f"{_say_days(cron.weekdays)} at {_join(times)}"


def _say_days(weekdays: tuple[int, ...]) -> str:
    from_monday = sorted(weekdays, key=lambda day: (day - 1) % 7)
    return _GROUPS.get(weekdays) or _join([_DAYS[day] for day in from_monday])


def _join(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)
