"""The three loggers of the framework, and a formatter that suits people and files.

In: ``logging`` records. Out: a line a record, with what else there is (further lines of the
message, a traceback) indented below it.
Nothing that was logged can start a line of its own, move the cursor or colour the terminal:
control characters of a message are written as escapes (``\\r``, ``\\x1b``).

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

from zonda.ioloop.optionparser import OptionParser
from zonda.ioloop.optionparser import options as shared_options

access_log = logging.getLogger("zonda.access")
app_log = logging.getLogger("zonda.application")
gen_log = logging.getLogger("zonda.general")

# C0, DEL, C1, line and paragraph separators, bidirectional overrides and isolates, and lone
# surrogates, which no output encoding can carry.
_UNPRINTABLE = "\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_unsafe_in_line = re.compile(f"[{_UNPRINTABLE}]")
_unsafe_in_text = re.compile(f"(?![\t\n])[{_UNPRINTABLE}]")


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
    ``dumb``, ``NO_COLOR`` unset); ``FORCE_COLOR`` shows them anywhere. Further lines of the
    message, and a traceback, follow indented by four spaces; other control characters are escaped.

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
        '[I 08:30 app:0] hello\\n    world'
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
        # Its further lines are indented: none of them can pass for a record of its own.
        record.message = _unsafe_in_text.sub(_escape, message).replace("\n", "\n    ")
        record.asctime = self.formatTime(record, self.datefmt)
        color = self._colors.get(record.levelno, "")
        record.__dict__.update(color=color, end_color="\x1b[0m" if color else "")
        line = self.formatMessage(record)
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        details = [text for text in (record.exc_text, record.stack_info) if text]
        if not details:
            return line
        below = _unsafe_in_text.sub(_escape, "\n".join(details).rstrip())
        return line + "\n    " + below.replace("\n", "\n    ")


def _file_handler(options: OptionParser) -> logging.Handler:
    mode = options.log_rotate_mode
    if mode == "size":
        return logging.handlers.RotatingFileHandler(
            filename=options.log_file_prefix,
            maxBytes=options.log_file_max_size,
            backupCount=options.log_file_num_backups,
            encoding="utf-8",
        )
    if mode == "time":
        return logging.handlers.TimedRotatingFileHandler(
            filename=options.log_file_prefix,
            when=options.log_rotate_when,
            interval=options.log_rotate_interval,
            backupCount=options.log_file_num_backups,
            encoding="utf-8",
        )
    raise ValueError(f"log_rotate_mode must be 'size' or 'time', not {mode!r}")


def enable_pretty_logging(
    options: OptionParser | None = None, logger: logging.Logger | None = None
) -> None:
    """Set up logging as the options of `define_logging_options` say.

    ``parse_command_line`` and ``parse_config_file`` call this.

    Args:
        options: the shared parser by default.
        logger: gets the level and the handlers; the root logger by default.

    Raises:
        ValueError: an unknown level or ``log_rotate_mode``.
        OSError: the log file cannot be opened.

    Example:
        >>> options = OptionParser()
        >>> define_logging_options(options)
        >>> options.logging = "warning"
        >>> logger = logging.getLogger("example")
        >>> enable_pretty_logging(options, logger)
        >>> logging.getLevelName(logger.level), logger.handlers
        ('WARNING', [<StreamHandler <stderr> (NOTSET)>])
    """
    if options is None:
        options = shared_options
    if options.logging is None or options.logging.lower() == "none":
        return
    level = logging.getLevelNamesMapping().get(options.logging.upper())
    if level is None:
        names = "debug, info, warning, error, critical or none"
        raise ValueError(f"logging must be {names}, not {options.logging!r}")
    if logger is None:
        logger = logging.getLogger()
    logger.setLevel(level)
    if options.log_file_prefix:
        handler = _file_handler(options)
        handler.setFormatter(LogFormatter(color=False))
        logger.addHandler(handler)
    if options.log_to_stderr or (options.log_to_stderr is None and not logger.handlers):
        stderr = logging.StreamHandler()
        stderr.setFormatter(LogFormatter())
        logger.addHandler(stderr)


def define_logging_options(options: OptionParser | None = None) -> None:
    """Define the options that `enable_pretty_logging` reads, and have it called after parsing.

    ========================  ============================================================
    ``logging``               debug, info, warning, error, critical, or none to leave
                              everything alone
    ``log_to_stderr``         default: only if nothing else is set up
    ``log_file_prefix``       path of the log file; processes must not share one
    ``log_rotate_mode``       ``size`` or ``time``
    ``log_file_max_size``     bytes after which a new file begins (mode size)
    ``log_rotate_when``       unit of the interval, as for `TimedRotatingFileHandler
                              <logging.handlers.TimedRotatingFileHandler>` (mode time)
    ``log_rotate_interval``   number of these units (mode time)
    ``log_file_num_backups``  old files to keep
    ========================  ============================================================

    Args:
        options: the parser; the shared one has them from the start.

    Example:
        >>> options = OptionParser()
        >>> define_logging_options(options)
        >>> options.parse_command_line(["app.py", "--logging=none"])
        []
    """
    if options is None:
        # Defined when this module was imported; a second definition is an error, as for any other.
        options = shared_options
    group = "logging"
    options.define(
        "logging",
        default="info",
        metavar="debug|info|warning|error|critical|none",
        help="lowest level to log; none leaves the logging configuration alone",
        group=group,
    )
    options.define(
        "log_to_stderr",
        type=bool,
        help="log to standard error, in colour if it can show it; the default is to do so if "
        "there is no --log-file-prefix and no other handler",
        group=group,
    )
    options.define(
        "log_file_prefix",
        type=str,
        metavar="PATH",
        help="log file; each process needs its own, so put the port or the task id into it",
        group=group,
    )
    options.define(
        "log_file_max_size",
        type=int,
        default=100 * 1000 * 1000,
        metavar="BYTES",
        help="size at which a new log file begins, in the mode size",
        group=group,
    )
    options.define(
        "log_file_num_backups",
        type=int,
        default=10,
        metavar="N",
        help="number of old log files to keep",
        group=group,
    )
    options.define(
        "log_rotate_when",
        type=str,
        default="midnight",
        help="unit of --log-rotate-interval: S, M, H, D, W0 to W6 (Monday to Sunday) or midnight",
        group=group,
    )
    options.define(
        "log_rotate_interval",
        type=int,
        default=1,
        metavar="N",
        help="units of time after which a new log file begins, in the mode time",
        group=group,
    )
    options.define(
        "log_rotate_mode",
        type=str,
        default="size",
        metavar="size|time",
        help="begin a new log file by size or by time",
        group=group,
    )
    options.add_parse_callback(lambda: enable_pretty_logging(options))


# They are there already when the module is reloaded.
if "logging" not in shared_options:
    define_logging_options(shared_options)
