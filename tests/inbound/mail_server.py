"""An IMAP server on a real socket (RFC 3501): one user, one mailbox, and what a test breaks."""

import re
import socket
import ssl
import threading
from contextlib import suppress
from typing import IO, Any

import trustme

USER, PASSWORD = "bounces@daily.example", 'p"a\\ss'
_LITERAL = b"{%d}\r\n"


class MailServer:
    """Listens on loopback from `with` on. `messages` maps UIDs to texts, `seen` those that were.

    `says` replaces the answer to a command by bytes, after which the connection is closed.
    """

    def __init__(self, tls: ssl.SSLContext, *, is_implicit: bool = True) -> None:
        self.tls = tls
        self.is_implicit = is_implicit
        self.messages: dict[int, bytes] = {}
        self.seen: set[int] = set()
        self.says: dict[str, bytes] = {}
        self.passwords: list[tuple[bool, str]] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])

    def __enter__(self) -> "MailServer":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                raw, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        with suppress(OSError, ValueError):
            raw.settimeout(30)
            if self.is_implicit:
                raw = self.tls.wrap_socket(raw, server_side=True)
            raw.sendall(self.says.get("GREETING", b"* OK IMAP4rev1 ready\r\n"))
            while "GREETING" not in self.says and self._answer(raw, raw.makefile("rb")):
                if not isinstance(raw, ssl.SSLSocket) and self.is_starting:
                    raw = self.tls.wrap_socket(raw, server_side=True)
        with suppress(OSError):
            raw.close()

    def _answer(self, raw: socket.socket, lines: IO[bytes]) -> bool:
        self.is_starting = False
        line = lines.readline()
        if not line:
            return False
        tag, _, rest = line.decode().strip().partition(" ")
        command = rest.split(" ")[0].upper()
        command = " ".join(rest.split(" ")[:2]).upper() if command == "UID" else command
        if command in self.says:
            raw.sendall(self.says[command])
            return False
        handler = getattr(self, f"_do_{command.lower().replace(' ', '_')}", None)
        is_encrypted = isinstance(raw, ssl.SSLSocket)
        done = handler(rest, is_encrypted) if handler else "OK nothing to do"
        text, status = done if isinstance(done, tuple) else (b"", done)
        raw.sendall(text + f"{tag} {status}\r\n".encode())
        return command != "LOGOUT"

    def _do_capability(self, rest: str, is_encrypted: bool) -> Any:
        more = b"" if is_encrypted else b" STARTTLS LOGINDISABLED"
        return b"* CAPABILITY IMAP4rev1" + more + b"\r\n", "OK done"

    def _do_starttls(self, rest: str, is_encrypted: bool) -> str:
        self.is_starting = True
        return "OK begin"

    def _do_login(self, rest: str, is_encrypted: bool) -> str:
        quoted = re.search(r' "((?:[^"\\]|\\.)*)"$', rest)
        password = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else ""
        self.passwords.append((is_encrypted, password))
        is_known = USER in rest and password == PASSWORD
        return "OK welcome" if is_known else "NO [AUTHENTICATIONFAILED] no"

    def _do_select(self, rest: str, is_encrypted: bool) -> Any:
        if rest != 'SELECT "INBOX"':
            return "NO there is no such mailbox"
        return f"* {len(self.messages)} EXISTS\r\n".encode(), "OK [READ-WRITE] done"

    def _do_uid_search(self, rest: str, is_encrypted: bool) -> Any:
        found = " ".join(str(uid) for uid in self.messages if uid not in self.seen)
        return f"* SEARCH {found}".rstrip().encode() + b"\r\n", "OK done"

    def _do_uid_fetch(self, rest: str, is_encrypted: bool) -> Any:
        match = re.fullmatch(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", rest)
        if not match or int(match[1]) not in self.messages:
            return "OK nothing there"
        text = self.messages[int(match[1])][: int(match[2])]
        head = f"* 1 FETCH (UID {match[1]} BODY[]<0> ".encode() + _LITERAL % len(text)
        return head + text + b")\r\n", "OK done"

    def _do_uid_store(self, rest: str, is_encrypted: bool) -> Any:
        match = re.fullmatch(r"UID STORE (\d+) \+FLAGS \(\\Seen\)", rest)
        if not match:
            return "BAD no"
        self.seen.add(int(match[1]))
        return b"", "OK done"


def make_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context
