"""A child process, read by the line, and gone for certain at the end of its `with` block."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path


class Child:
    """Runs a command in a session of its own, so that what it starts in turn is stopped with it."""

    def __init__(self, *command: str | Path, stderr: int | None = None) -> None:
        self.name = Path(command[0]).name
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            encoding="utf-8",
            errors="replace",
            # Block-buffered output of a child that has to be killed would be lost.
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        self.output: list[str] = []
        self._unread: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        for line in self.process.stdout:
            self.output.append(line.rstrip("\n"))
            self._unread.put(line.rstrip("\n"))
        self._unread.put(None)

    def line(self, seconds: float) -> str | None:
        """The next line of output; None at its end. Raises TimeoutError."""
        try:
            line = self._unread.get(timeout=max(seconds, 0))
        except queue.Empty:
            raise TimeoutError(f"{self.name} printed no line in time") from None
        if line is None:
            self._unread.put(None)  # the end stays the end
        return line

    def await_line(self, pattern: str, seconds: float) -> str:
        """The first match of the pattern in the lines to come."""
        deadline = time.monotonic() + seconds
        while (line := self.line(deadline - time.monotonic())) is not None:
            if match := re.search(pattern, line):
                return match.group()
        raise EOFError(f"{self.name} ended without a line like {pattern!r}")

    def say(self, line: str) -> None:
        # A child that has ended shows in what it fails to say.
        with suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def end_input(self) -> None:
        with suppress(BrokenPipeError):
            self.process.stdin.close()

    def wait(self, seconds: float) -> int | None:
        """The exit code, or None when it still runs after that time."""
        try:
            return self.process.wait(max(seconds, 0))
        except subprocess.TimeoutExpired:
            return None

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sign)
            except ProcessLookupError:
                break  # the whole session is gone
            self.wait(3)
        self.process.wait()


def exit_on_signals() -> None:
    """Turns the signals that end a process into an exception, so that `with` blocks run to their end."""
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, lambda number, _frame: sys.exit(128 + number))
