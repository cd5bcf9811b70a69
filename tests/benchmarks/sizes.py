"""How much is measured: options of `python -m tests.benchmarks`."""

from argparse import ArgumentParser, Namespace

import msgspec


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """What the figures in docs/performance.md are of, unless they say another size."""

    issues: int = 1_000
    archives: tuple[int, ...] = (100, 1_000, 10_000)
    messages: int = 50_000
    readers: int = 1_000_000
    batched: int = 20_000
    rounds: int = 3


# All parts in a few minutes, to see that they work and what they are like.
SHORT = Sizes(
    issues=200, archives=(50, 200), messages=5_000, readers=20_000, batched=3_000, rounds=1
)

_MEANT = {
    "issues": "of the archive in `full` and `stages`",
    "archives": "of how many issues, in `growth`, with commas between",
    "messages": "of each mailing in `delivery`",
    "readers": "in `million` and `many`, and a tenth of those in `most`",
    "batched": "of each mailing in `workers`",
    "rounds": "in which contenders take turns, in `full`, `delivery` and `workers`",
}


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--short", action="store_true", help="little of everything")
    for name, meant in _MEANT.items():
        usual = written(name, getattr(Sizes(), name))
        parser.add_argument(f"--{name}", metavar="N", help=f"{meant} ({usual})")


def read_options(options: Namespace) -> Sizes:
    """The sizes that options ask for. Raises ValueError where one is no number."""
    sizes = SHORT if options.short else Sizes()
    chosen = {name: getattr(options, name) for name in _MEANT if getattr(options, name)}
    numbers = {name: tuple(map(int, text.split(","))) for name, text in chosen.items()}
    return msgspec.structs.replace(
        sizes, **{name: _one(name, value) for name, value in numbers.items()}
    )


def _one(name: str, numbers: tuple[int, ...]) -> int | tuple[int, ...]:
    if name == "archives":
        return numbers
    (number,) = numbers
    return number


def written(name: str, value: int | tuple[int, ...]) -> str:
    """A size as its option is written."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
