"""What the person at the terminal sees: numbered steps, elapsed time, one live line while something runs."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_CHANGED_SECONDS = 1.0
_SAME_SECONDS = 10.0


class Console:
    """Progress on a stream. On a terminal the live line overwrites itself, elsewhere a changed one is printed anew.

    :param stream: where to write; verbs whose output is data write progress to ``sys.stderr``.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stdout
        self._terminal = self._stream.isatty()
        self._began = time.monotonic()
        self._step = 0
        self._live_open = False
        self._last_live = ""
        self._last_live_at = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since this console was made."""
        return time.monotonic() - self._began

    def step(self, title: str) -> None:
        """Open the next numbered step."""
        self._step += 1
        self.say(f"\n[{self._step}] {title}  ({self.elapsed:.0f} s)")

    def note(self, text: str) -> None:
        """One indented line of a step, with the time."""
        self.say(f"    {self.elapsed:6.1f} s  {text}")

    def say(self, text: str = "") -> None:
        """A line as it is."""
        if self._live_open:
            self._stream.write("\n")
            self._live_open = False
        self._stream.write(text + "\n")
        self._stream.flush()

    def live(self, text: str) -> None:
        """The state of something that is going on; call it as often as you like."""
        line = f"    {self.elapsed:6.1f} s  {text}"
        if self._terminal:
            self._stream.write("\r\033[K" + line)
            self._live_open = True
            self._stream.flush()
            return
        now = time.monotonic()
        if now - self._last_live_at >= (_SAME_SECONDS if text == self._last_live else _CHANGED_SECONDS):
            self.say(line)
            self._last_live, self._last_live_at = text, now
