"""Why a report is not let in."""


class HookError(Exception):
    """Ends a request with a status and a reason, which is logged and answered.

    `is_forged` tells that it may be somebody's who tries; it is counted against the client.
    """

    def __init__(self, status: int, reason: str, *, is_forged: bool = True) -> None:
        super().__init__(reason)
        self.status = status
        self.is_forged = is_forged
