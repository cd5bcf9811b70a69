"""Templates as they are compiled, kept from one process to the next: half of what a check takes.

They are code, so they are kept where nobody else can write and no publication's folder can bring
them along: in the folder of this user alone that Jinja makes among the temporary files, and whose
owner and mode it looks at.
"""

from contextlib import suppress
from functools import cache

from jinja2.bccache import Bucket, BytecodeCache, FileSystemBytecodeCache

from publisher.site.job import sign_program


class _Compiled(FileSystemBytecodeCache):
    """What cannot be kept is compiled again."""

    def get_source_checksum(self, source: str) -> str:
        """What another program or library compiled of the same source is not this one's."""
        return super().get_source_checksum(f"{sign_program()}\n{source}")

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


@cache
def keep_compiled() -> BytecodeCache | None:
    """Open where they are kept; None where this user has no such place."""
    try:
        return _Compiled(pattern="publisher-%s.cache")
    except (OSError, RuntimeError):
        return None
