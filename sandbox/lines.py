"""The lines that callers hold open at a door, so that all of them can be cut when the sandbox stops.

A caller that keeps its line would otherwise go on talking to a world that has ended.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class OpenLines:
    def __init__(self) -> None:
        self._lines: set[socket.socket] = set()

    @contextmanager
    def keeping(self, line: socket.socket) -> Iterator[None]:
        self._lines.add(line)
        try:
            yield
        finally:
            self._lines.discard(line)

    def hang_up(self) -> None:
        for line in list(self._lines):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
