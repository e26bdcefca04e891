"""Command line and configuration file options, defined where they are used.

A module says ``define("mysql_host", default="127.0.0.1")`` and reads ``options.mysql_host``; the
program calls ``parse_command_line()``, ``parse_config_file(path)`` or both. The functions below
are those of the shared parser ``options``, which holds the logging options from the start and
sets up logging once parsing is finished.

Raises: `Error` and its kinds, see `zonda.ioloop.optionparser.errors`.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from zonda.ioloop.log import define_logging_options
from zonda.ioloop.optionparser import (
    DuplicateOption,
    Error,
    InvalidValue,
    MissingValue,
    OptionParser,
    UnknownOption,
    options,
)

__all__ = [
    "DuplicateOption",
    "Error",
    "InvalidValue",
    "MissingValue",
    "OptionParser",
    "UnknownOption",
    "add_parse_callback",
    "define",
    "define_logging_options",
    "options",
    "parse_command_line",
    "parse_config_file",
    "print_help",
]


def define(
    name: str,
    default: Any = None,
    type: Callable[[str], Any] | None = None,
    help: str | None = None,
    metavar: str | None = None,
    multiple: bool = False,
    group: str | None = None,
    callback: Callable[[Any], object] | None = None,
) -> None:
    """Define an option of the shared parser, see `OptionParser.define`.

    Example:
        >>> define("memcache_hosts", default=["127.0.0.1:11011"], multiple=True)
        >>> options.memcache_hosts
        ['127.0.0.1:11011']
    """
    options.define(name, default, type, help, metavar, multiple, group, callback)


def parse_command_line(args: Sequence[str] | None = None, final: bool = True) -> list[str]:
    """Fill the shared parser from a command line, see `OptionParser.parse_command_line`.

    Example:
        >>> parse_command_line(["app.py", "file"], final=False)
        ['file']
    """
    return options.parse_command_line(args, final)


def parse_config_file(path: str | os.PathLike[str], final: bool = True) -> None:
    """Fill the shared parser from a file, see `OptionParser.parse_config_file`.

    Example:
        >>> import tempfile
        >>> define("colour", default="red")
        >>> with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        ...     _ = file.write("colour = 'blue'")
        ...     file.flush()
        ...     parse_config_file(file.name, final=False)
        >>> options.colour
        'blue'
    """
    options.parse_config_file(path, final)


def print_help(file: TextIO | None = None) -> None:
    """Print the options of the shared parser, to standard error by default.

    Example:
        >>> import io
        >>> file = io.StringIO()
        >>> print_help(file)
        >>> file.getvalue().startswith("Usage: ")
        True
    """
    options.print_help(file)


def add_parse_callback(callback: Callable[[], object]) -> None:
    """Have ``callback`` called when the shared parser is finished.

    Example:
        >>> add_parse_callback(lambda: None)
    """
    options.add_parse_callback(callback)
