"""Records that a test expects.

In: a logger and a regular expression. Out: matching records do not reach the logger's handlers;
that none came is an ``AssertionError``.
"""

import logging
import re
from types import TracebackType
from typing import Self

from zonda.ioloop.log import access_log, app_log, gen_log


def find_logger(name: str) -> logging.Logger:
    """The logger of that name, the framework's own ones by the name they have at present.

    Example:
        >>> find_logger("app").name
        'app'
    """
    for logger in (access_log, app_log, gen_log):
        if logger.name == name:
            return logger
    return logging.getLogger(name)


class ExpectLog(logging.Filter):
    """Context manager that takes matching records out of the log, and misses them if none comes.

    Records logged on that very logger are looked at, not those of loggers below it.

    Args:
        logger: a logger or its name; ``""`` is the root logger.
        regex: matched at the beginning of the formatted message.
        required: False lets it be if nothing comes.
        level: only records of exactly this level count; the logger is opened for it meanwhile.
            By default any level that the logger lets through.

    Attributes:
        matched: number of records taken.
        logged_stack: whether any record came with a traceback.

    Raises:
        AssertionError: (at the end of the block) nothing matched.

    Example:
        >>> with ExpectLog("example", "cannot open", level=logging.WARNING) as log:
        ...     logging.getLogger("example").warning("cannot open %s", "file")
        >>> log.matched
        1
    """

    def __init__(
        self,
        logger: logging.Logger | str,
        regex: str,
        required: bool = True,
        level: int | None = None,
    ) -> None:
        super().__init__()
        self.logger = find_logger(logger) if isinstance(logger, str) else logger
        self.regex = re.compile(regex)
        self.required = required
        self.level = level
        self.matched = 0
        self.logged_stack = False
        self._level_before: int | None = None
        self._other_levels: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the record if it matches."""
        if record.exc_info:
            self.logged_stack = True
        if not self.regex.match(record.getMessage()):
            return True
        if self.level is not None and record.levelno != self.level:
            self._other_levels.append(record.levelname)
            return True
        self.matched += 1
        return False

    def __enter__(self) -> Self:
        if self.level is not None and not self.logger.isEnabledFor(self.level):
            self._level_before = self.logger.level
            self.logger.setLevel(self.level)
        self.logger.addFilter(self)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.logger.removeFilter(self)
        if self._level_before is not None:
            self.logger.setLevel(self._level_before)
            self._level_before = None
        if exc_type is None and self.required and not self.matched:
            name = self.logger.name
            message = f"nothing that matches {self.regex.pattern!r} was logged on {name!r}"
            if self._other_levels:
                message += f" at the level expected, but at {', '.join(self._other_levels)}"
            raise AssertionError(message)
