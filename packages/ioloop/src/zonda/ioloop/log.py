"""The three loggers of the framework, and a formatter that suits people and files.

In: ``logging`` records. Out: one line a record, with a traceback (if any) indented below it.
Nothing that was logged can start a line of its own, move the cursor or colour the terminal:
control characters of a message are written as escapes (``\\n``, ``\\x1b``).

======================  ==========================================================
``access_log``          one line for each request a server answered
``app_log``             errors that come out of the application's own code
``gen_log``             everything the framework itself has to say
======================  ==========================================================

The objects are the interface, their names are not: the Tornado drop-in renames them.

Raises: ``ValueError`` for an unknown level or way to rotate.
"""

import logging
import logging.handlers
import os
import re
import sys
from collections.abc import Mapping
from typing import IO, ClassVar, Literal

access_log = logging.getLogger("zonda.access")
app_log = logging.getLogger("zonda.application")
gen_log = logging.getLogger("zonda.general")

# C0, DEL, C1, line and paragraph separators, bidirectional overrides and isolates, and lone
# surrogates, which no output encoding can carry.
_UNPRINTABLE = "\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_unsafe_in_line = re.compile(f"[{_UNPRINTABLE}]")
_unsafe_in_traceback = re.compile(f"(?![\t\n])[{_UNPRINTABLE}]")


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")


def printable(text: str) -> str:
    r"""``text`` on one line, its control characters written as Python escapes.

    Args:
        text: anything, a peer's bytes decoded as latin-1 for instance.

    Returns:
        The same text if nothing had to be escaped.

    Example:
        >>> print(printable("GET /\x1b[31m\r\n200 OK"))
        GET /\x1b[31m\r\n200 OK
    """
    return _unsafe_in_line.sub(_escape, text)


def _supports_color(stream: IO[str] | None) -> bool:
    """Whether ``stream`` is a terminal that understands ANSI colours and may show them."""
    environ = os.environ
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    if stream is None or not hasattr(stream, "isatty") or not stream.isatty():
        return False
    if sys.platform == "win32":
        return any(name in environ for name in ("WT_SESSION", "ANSICON", "ConEmuANSI", "TERM"))
    return environ.get("TERM", "dumb") != "dumb"


def _ansi(color: int) -> str:
    return f"\x1b[3{color}m" if 0 <= color < 8 else f"\x1b[38;5;{color}m"


class LogFormatter(logging.Formatter):
    """Formats a record as ``[I 261123 08:30:00 module:12] message``, the bracket in colour.

    Colours appear when standard error is a terminal that can show them (``TERM`` other than
    ``dumb``, ``NO_COLOR`` unset); ``FORCE_COLOR`` shows them anywhere. A traceback follows its
    line, indented by four spaces.

    Args:
        fmt: as for `logging.Formatter`; ``color`` and ``end_color`` are additional fields.
        datefmt: as for `time.strftime`.
        style: ``%``, ``{`` or ``$``, the style of ``fmt``.
        color: False never colours.
        colors: level number to colour, 0 to 7 for the ANSI colours, up to 255 for the
            palette of 256.

    Example:
        >>> formatter = LogFormatter(datefmt="%H:%M", color=False)
        >>> record = logging.makeLogRecord(
        ...     {"msg": "hello\\n%s", "args": ("world",), "levelname": "INFO", "module": "app"})
        >>> import re; re.sub(r"\\d\\d:\\d\\d", "08:30", formatter.format(record))
        '[I 08:30 app:0] hello\\\\nworld'
    """

    DEFAULT_FORMAT: ClassVar[str] = (
        "%(color)s[%(levelname)1.1s %(asctime)s %(module)s:%(lineno)d]%(end_color)s %(message)s"
    )
    DEFAULT_DATE_FORMAT: ClassVar[str] = "%y%m%d %H:%M:%S"
    DEFAULT_COLORS: ClassVar[Mapping[int, int]] = {
        logging.DEBUG: 4,
        logging.INFO: 2,
        logging.WARNING: 3,
        logging.ERROR: 1,
        logging.CRITICAL: 5,
    }

    def __init__(
        self,
        fmt: str = DEFAULT_FORMAT,
        datefmt: str = DEFAULT_DATE_FORMAT,
        style: Literal["%", "{", "$"] = "%",
        color: bool = True,
        colors: Mapping[int, int] = DEFAULT_COLORS,
    ) -> None:
        # No validation: it would reject formats whose only fields are ours.
        super().__init__(fmt, datefmt, style, validate=False)
        colored = color and _supports_color(sys.stderr)
        self._colors = {level: _ansi(code) for level, code in colors.items()} if colored else {}

    def format(self, record: logging.LogRecord) -> str:
        """The record as text, without a newline at the end."""
        try:
            message = record.getMessage()
        except Exception as error:
            # A broken call to a logger must not hide what it wanted to say.
            message = f"Bad message ({error!r}): {record.__dict__!r}"
        record.message = printable(message)
        record.asctime = self.formatTime(record, self.datefmt)
        color = self._colors.get(record.levelno, "")
        record.__dict__.update(color=color, end_color="\x1b[0m" if color else "")
        line = self.formatMessage(record)
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        details = [text for text in (record.exc_text, record.stack_info) if text]
        if not details:
            return line
        below = _unsafe_in_traceback.sub(_escape, "\n".join(details).rstrip())
        return line + "\n    " + below.replace("\n", "\n    ")
