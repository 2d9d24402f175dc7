"""The firm's reply mailbox over IMAP4rev1: one INBOX, small and correct.

Enough for a mail reader that logs in, asks what is new since the last number it saw, takes the letters, and marks
them.
"""

import socketserver
import threading
from contextlib import suppress
from typing import Any

from sandbox.lines import OpenLines
from sandbox.mail.imap_fetch import items_of, marks_as_seen, shown
from sandbox.mail.imap_search import found
from sandbox.mail.imap_words import BadCommand, Words, numbers_in, read_command, words_of
from sandbox.mail.post_office import Delivered, Mailbox
from sandbox.world import World

ABLE = "IMAP4rev1 UIDPLUS UNSELECT ID NAMESPACE LITERAL+ AUTH=PLAIN"
LETTER_FLAGS = "\\Answered \\Flagged \\Deleted \\Seen \\Draft"
KEPT_FLAGS = LETTER_FLAGS + " \\*"


class _Line(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: "ImapDoor"

    def handle(self) -> None:
        self.box: Mailbox = self.server.world.post.mailbox
        self.known = self.writable = False
        self.open: list[Delivered] | None = None
        with self.server.lines.keeping(self.connection), suppress(OSError):
            self._say(f"* OK [CAPABILITY {ABLE}] Sandbox mail is ready")
            while (command := read_command(self.rfile, lambda: self._say("+ go on"))) is not None:
                if command and not self._obey(command):
                    return

    def _obey(self, command: bytes) -> bool:
        """False when the caller has said goodbye."""
        tag, _, rest = command.partition(b" ")
        self.tag = tag.decode("latin-1")
        try:
            words = words_of(rest)
            if not words or not isinstance(words[0], str):
                raise BadCommand("A command is missing.")
            name, by_uid = words.pop(0).upper(), False
            if name == "UID" and words:
                name, by_uid = str(words.pop(0)).upper(), True
            if name == "LOGOUT":
                self._say("* BYE Until next time", f"{self.tag} OK Logged out")
                return False
            self._act(name, words, by_uid)
        except (BadCommand, ValueError, IndexError) as trouble:
            self._say(f"{self.tag} BAD {str(trouble) or 'The command is incomplete.'}")
        return True

    def _act(self, name: str, words: Words, by_uid: bool) -> None:
        match name:
            case "CAPABILITY":
                self._done(name, f"* CAPABILITY {ABLE}")
            case "NOOP" | "CHECK":
                self._done(name, *self._news())
            case "ID":
                self._done(name, '* ID ("name" "sandbox")')
            case "LOGIN":
                self._log_in(str(words[0]), str(words[1]))
            case "AUTHENTICATE":
                self._say(f"{self.tag} NO Use LOGIN")
            case _ if not self.known:
                self._say(f"{self.tag} NO Log in first")
            case "NAMESPACE":
                self._done(name, '* NAMESPACE (("" "/")) NIL NIL')
            case "LIST" | "LSUB":
                self._done(name, f'* {name} (\\HasNoChildren) "/" "INBOX"')
            case "STATUS":
                self._status(words)
            case "SELECT" | "EXAMINE":
                self._select(name, str(words[0]))
            case _ if self.open is None:
                self._say(f"{self.tag} {'NO Select a mailbox first' if name in _OPEN else 'BAD Not offered'}")
            case "CLOSE" | "UNSELECT":
                if name == "CLOSE" and self.writable:
                    self._expunge(quietly=True)
                self.open = None
                self._done(name)
            case "SEARCH":
                with self.server.world.lock:
                    hits = [str(letter.uid if by_uid else n) for n, letter in found(self.open, words)]
                self._done(name, " ".join(["* SEARCH", *hits]), *self._news())
            case "FETCH":
                self._fetch(words, by_uid)
            case "STORE":
                self._store(words, by_uid)
            case "EXPUNGE":
                self._expunge(quietly=False)
                self._done(name)
            case _:
                raise BadCommand(f"{name} is not offered.")

    def _log_in(self, user: str, password: str) -> None:
        if (user, password) != (self.box.user, self.box.password):
            self._say(f"{self.tag} NO [AUTHENTICATIONFAILED] The user or the password is wrong")
            return
        self.known = True
        self._say(f"{self.tag} OK [CAPABILITY {ABLE}] Logged in")

    def _status(self, words: Words) -> None:
        if not self._is_inbox(str(words[0])):
            return
        with self.server.world.lock:
            self.server.world.catch_up()
            letters = self.box.letters
            values = {
                "MESSAGES": len(letters),
                "RECENT": 0,
                "UNSEEN": sum("\\Seen" not in letter.flags for letter in letters),
                "UIDNEXT": self.box.next_uid,
                "UIDVALIDITY": self.box.validity,
            }
        asked = " ".join(f"{item.upper()} {values[item.upper()]}" for item in words[1] if item.upper() in values)
        self._done("STATUS", f'* STATUS "INBOX" ({asked})')

    def _select(self, name: str, mailbox: str) -> None:
        if not self._is_inbox(mailbox):
            self.open = None
            return
        with self.server.world.lock:
            self.server.world.catch_up()
            self.open = list(self.box.letters)
            first = next((n for n, letter in enumerate(self.open, 1) if "\\Seen" not in letter.flags), None)
        self.writable = name == "SELECT"
        self._say(
            f"* FLAGS ({LETTER_FLAGS})",
            f"* OK [PERMANENTFLAGS ({KEPT_FLAGS if self.writable else ''})] Flags that are kept",
            f"* {len(self.open)} EXISTS",
            "* 0 RECENT",
            *([f"* OK [UNSEEN {first}] First unread"] if first else []),
            f"* OK [UIDVALIDITY {self.box.validity}] Numbers are valid",
            f"* OK [UIDNEXT {self.box.next_uid}] Next number",
            f"{self.tag} OK [{'READ-WRITE' if self.writable else 'READ-ONLY'}] {name} completed",
        )

    def _fetch(self, words: Words, by_uid: bool) -> None:
        items = items_of(words[1])
        seen = self.writable and marks_as_seen(items)
        if by_uid and "UID" not in (item.upper() for item in items):
            items.insert(0, "UID")
        answer = []
        with self.server.world.lock:
            for n, letter in self._chosen(str(words[0]), by_uid):
                if seen:
                    letter.flags.add("\\Seen")
                answer.append(b"* %d FETCH (%s)\r\n" % (n, shown(letter, items)))
        self.connection.sendall(b"".join(answer))
        self._done("FETCH")

    def _store(self, words: Words, by_uid: bool) -> None:
        if not self.writable:
            self._say(f"{self.tag} NO The mailbox is open for reading only")
            return
        how, quietly = str(words[1]).upper().removesuffix(".SILENT"), str(words[1]).upper().endswith(".SILENT")
        given = words[2] if isinstance(words[2], list) else words[2:]
        flags = {_proper(str(flag)) for flag in given}
        answer = []
        with self.server.world.lock:
            for n, letter in self._chosen(str(words[0]), by_uid):
                match how:
                    case "+FLAGS":
                        letter.flags |= flags
                    case "-FLAGS":
                        letter.flags -= flags
                    case "FLAGS":
                        letter.flags = set(flags)
                    case _:
                        raise BadCommand(f"STORE {how} is not offered.")
                answer.append(f"* {n} FETCH ({shown(letter, ['UID', 'FLAGS'] if by_uid else ['FLAGS']).decode()})")
        self._done("STORE", *([] if quietly else answer))

    def _expunge(self, *, quietly: bool) -> None:
        if not self.writable or self.open is None:
            return
        with self.server.world.lock:
            gone = [n for n, letter in enumerate(self.open, 1) if "\\Deleted" in letter.flags]
            for n in reversed(gone):
                letter = self.open.pop(n - 1)
                with suppress(ValueError):
                    self.box.letters.remove(letter)
        if not quietly and gone:
            self._say(*(f"* {n} EXPUNGE" for n in reversed(gone)))

    def _news(self) -> list[str]:
        """Letters that came since the mailbox was opened are announced, never slipped in."""
        if self.open is None:
            return []
        with self.server.world.lock:
            self.server.world.catch_up()
            known = set(map(id, self.open))
            new = [letter for letter in self.box.letters if id(letter) not in known]
            self.open.extend(new)
            return [f"* {len(self.open)} EXISTS", "* 0 RECENT"] if new else []

    def _chosen(self, numbers: str, by_uid: bool) -> list[tuple[int, Delivered]]:
        letters = self.open or []
        highest = (letters[-1].uid if letters else 0) if by_uid else len(letters)
        ranges = numbers_in(numbers, highest)
        return [
            (n, letter)
            for n, letter in enumerate(letters, 1)
            if any(low <= (letter.uid if by_uid else n) <= high for low, high in ranges)
        ]

    def _is_inbox(self, name: str) -> bool:
        if name.upper() != "INBOX":
            self._say(f"{self.tag} NO [NONEXISTENT] There is no mailbox “{name}”; there is INBOX")
        return name.upper() == "INBOX"

    def _done(self, name: str, *before: str) -> None:
        self._say(*before, f"{self.tag} OK {name} completed")

    def _say(self, *lines: str) -> None:
        self.connection.sendall("".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape"))


_OPEN = ("CLOSE", "UNSELECT", "SEARCH", "FETCH", "STORE", "EXPUNGE")


def _proper(flag: str) -> str:
    return "\\" + flag[1:].capitalize() if flag.startswith("\\") else flag


class ImapDoor(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, world: World, host: str, port: int) -> None:
        super().__init__((host, port), _Line)
        self.world = world
        self.lines = OpenLines()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="sandbox imap", daemon=True)

    @property
    def port(self) -> int:
        return self.server_address[1]

    def open(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self.lines.hang_up()
        self._thread.join(2)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away in mid-sentence is no news here."""
