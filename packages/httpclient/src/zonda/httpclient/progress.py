"""How far a download is: a line on a terminal that is written again and again.

In: how many bytes have arrived. Out: text for the terminal, at most ten times a second. The clock
can be given.
"""

import time
from collections.abc import Callable
from typing import Final

_INTERVAL: Final = 0.1
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


def format_size(size: float) -> str:
    """A number of bytes for people.

    >>> format_size(999), format_size(123456), format_size(5 * 1024**3)
    ('999 B', '121 KiB', '5.0 GiB')
    """
    for unit in _UNITS:
        if size < 1024 or unit == _UNITS[-1]:
            break
        size /= 1024
    return f"{size:.0f} {unit}" if size >= 100 or unit == "B" else f"{size:.1f} {unit}"


def format_duration(seconds: float) -> str:
    """A time for people.

    >>> format_duration(5), format_duration(3725)
    ('0:05', '1:02:05')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class ProgressBar:
    """A bar with percentage, size, speed and the time that is left.

    Args:
        write: Takes the text.
        total: Bytes to come, None if nobody knows.
        width: Columns of the terminal.
        clock: Gives seconds.

    >>> seconds = iter([0.0, 2.0, 2.0])
    >>> bar = ProgressBar(lambda text: print(repr(text)), 4096, 60, lambda: next(seconds))
    >>> bar.add(1024)
    '\\r 25% [====            ]   1.0 KiB of 4.0 KiB  512 B/s  0:06'
    """

    def __init__(
        self,
        write: Callable[[str], object],
        total: int | None,
        width: int = 80,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._total = total
        self._width = width
        self._clock = clock
        self._start = clock()
        self._drawn = float("-inf")
        self._length = 0
        self._done = 0

    def add(self, size: int) -> None:
        """So many bytes more have arrived."""
        self._done += size
        now = self._clock()
        if now - self._drawn >= _INTERVAL:
            self._drawn = now
            self._draw(now)

    def finish(self) -> None:
        """No more will come."""
        self._draw(self._clock())
        self._write("\n")

    def _draw(self, now: float) -> None:
        line = self._line(max(now - self._start, 1e-6))
        # What the last line had more is wiped out.
        padding = " " * (self._length - len(line))
        self._length = len(line)
        self._write("\r" + line + padding)

    def _line(self, seconds: float) -> str:
        speed = self._done / seconds
        done = format_size(self._done)
        if not self._total:
            return f"{done}  {format_size(speed)}/s  {format_duration(seconds)}"
        share = min(self._done / self._total, 1.0)
        left = (self._total - self._done) / speed if speed and share < 1 else seconds
        text = (
            f"  {done:>8} of {format_size(self._total)}"
            f"  {format_size(speed)}/s  {format_duration(left)}"
        )
        room = self._width - len(text) - 8
        bar = ""
        if room > 4:
            bar = f"[{'=' * int(share * room):<{room}}]"
        return f"{share:4.0%} {bar}{text}"
