"""The loops that people write: a ready message, sent by a library to one recipient after another.

`python -m tests.benchmarks.loops LIBRARY PORT MESSAGE COUNT CONNECTIONS RESULT`.
"""

import asyncio
import smtplib
import sys
import time
from pathlib import Path
from threading import Thread

SENDER = "daily@bench.example"


def send_by_smtplib(port: int, message: bytes, count: int, connections: int) -> None:
    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port) as relay:
            for number in range(count // connections):
                relay.sendmail(SENDER, f"reader{number}@reader.example", message)

    threads = [Thread(target=send) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def send_by_aiosmtplib(port: int, message: bytes, count: int, connections: int) -> None:
    import aiosmtplib

    async def send() -> None:
        relay = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
        async with relay:
            for number in range(count // connections):
                await relay.sendmail(SENDER, f"reader{number}@reader.example", message)

    async def send_all() -> None:
        await asyncio.gather(*(send() for _ in range(connections)))

    asyncio.run(send_all())


def make_message(folder: str, name: str) -> None:
    """Write a finished message of a mailing to standard output."""
    from publisher.mailing.settle import History
    from publisher.runtime.composer import Composer
    from publisher.runtime.start import load_keys
    from publisher.settings import load_settings
    from publisher.store.database import open_database
    from publisher.store.deliveries import Taken
    from publisher.store.mailings import find_mailing_by_slug

    path = Path(folder)
    settings = load_settings(path / "publisher.toml")
    database = open_database(settings.database.url, path, settings.publication.id)
    composer = Composer(database, settings, load_keys(database, settings), path)
    with database.read() as connection:
        mailing = find_mailing_by_slug(connection, database.publication, name)
    if mailing is None:
        raise SystemExit(f"{name} was not sent")
    taken = Taken(
        id=1,
        mailing=mailing.id,
        purpose="issue",
        email="reader1@d1.example",
        name="Reader 1",
        subscriber_ref="a" * 16,
        history=History(),
    )
    sys.stdout.buffer.write(composer.compose(taken).data)


def main() -> None:
    library, port, message, count, connections, result = sys.argv[1:]
    send = {"smtplib": send_by_smtplib, "aiosmtplib": send_by_aiosmtplib}[library]
    began = time.monotonic()
    send(int(port), Path(message).read_bytes(), int(count), int(connections))
    seconds = time.monotonic() - began
    rate = int(count) // int(connections) * int(connections) / seconds
    Path(result).write_text(f"{rate:.1f}")


if __name__ == "__main__":
    main()
