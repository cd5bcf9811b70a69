"""What a rule is."""

import msgspec

from publisher.model.problem import Level


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One named diagnostic. `message` and `fix` are format strings; `reference` is a URL or RFC."""

    name: str
    level: Level
    message: str
    fix: str
    reason: str
    reference: str = ""
