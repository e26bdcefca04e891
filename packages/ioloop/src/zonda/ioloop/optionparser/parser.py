"""Options by name: defined by the modules that use them, filled from argv and files.

In: ``define``, then a list of arguments or the path of a configuration file. Out: values as
attributes or items. Names are the same with ``-`` and with ``_``. Raises `Error` for anything the
person who wrote the arguments or the file can mend, ``AttributeError`` for a name in the program
that was never defined.
"""

import difflib
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TextIO

from zonda.ioloop.optionparser.errors import (
    DuplicateOption,
    InvalidValue,
    MissingValue,
    UnknownOption,
)
from zonda.ioloop.optionparser.option import Option

_HELP_COLUMN = 35
_WIDTH = 79


def _normalize(name: str) -> str:
    return name.replace("_", "-")


class OptionParser:
    """A set of options. ``zonda.ioloop.options.options`` is the one that programs share.

    Attributes and items are the options' values: ``options.port``, ``options["port"]``,
    ``"port" in options``, ``for name in options``. An undefined one raises ``AttributeError``;
    assigning a value of the wrong type raises `InvalidValue`.

    Example:
        >>> options = OptionParser()
        >>> options.define("port", default=8888, help="port to listen on")
        >>> options.define("nodes", type=int, multiple=True)
        >>> options.parse_command_line(["app.py", "--port=80", "--nodes=1:3,9", "rest"])
        ['rest']
        >>> options.port, options.nodes
        (80, [1, 2, 3, 9])
    """

    _options: dict[str, Option]
    _parse_callbacks: list[Callable[[], object]]

    def __init__(self) -> None:
        # Past __setattr__, which knows options only.
        self.__dict__["_options"] = {}
        self.__dict__["_parse_callbacks"] = []
        self.define(
            "help",
            type=bool,
            help="show this help information",
            callback=self._help_callback,
            group="",
        )
        self._options["help"].file_name = ""

    def __getattr__(self, name: str) -> Any:
        # Copying and pickling ask for special names before __init__ has run.
        option = self.__dict__.get("_options", {}).get(_normalize(name))
        if option is None:
            raise AttributeError(f"there is no option {name!r}: define it before use")
        return option.value()

    def __setattr__(self, name: str, value: Any) -> None:
        option = self._options.get(_normalize(name))
        if option is None:
            raise AttributeError(f"there is no option {name!r}: define it before use")
        option.set(value)

    def __iter__(self) -> Iterator[str]:
        return (option.name for option in self._options.values())

    def __contains__(self, name: str) -> bool:
        return _normalize(name) in self._options

    def __getitem__(self, name: str) -> Any:
        return self.__getattr__(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.__setattr__(name, value)

    def items(self) -> list[tuple[str, Any]]:
        """Names and values, in the order of their definition."""
        return [(option.name, option.value()) for option in self._options.values()]

    def groups(self) -> set[str]:
        """The names of all groups; the parser's own options are in the group ``""``."""
        return {option.group_name for option in self._options.values()}

    def group_dict(self, group: str) -> dict[str, Any]:
        """Names and values of the options in ``group``; of all of them if it is empty.

        Example:
            >>> options = OptionParser()
            >>> options.define("template_path", default="templates", group="application")
            >>> options.group_dict("application")
            {'template_path': 'templates'}
        """
        return {
            option.name: option.value()
            for option in self._options.values()
            if not group or group == option.group_name
        }

    def as_dict(self) -> dict[str, Any]:
        """Names and values of all options."""
        return dict(self.items())

    def define(
        self,
        name: str,
        default: Any = None,
        type: Callable[[str], Any] | None = None,
        help: str | None = None,
        metavar: str | None = None,
        multiple: bool = False,
        group: str | None = None,
        callback: Callable[[Any], object] | None = None,
    ) -> None:
        """Define an option.

        Args:
            name: ``my-option`` and ``my_option`` are the same.
            default: value until another one is given; not checked. An option with
                ``multiple`` defaults to an empty list.
            type: ``str``, ``int``, ``float``, ``bool``, ``datetime.datetime``,
                ``datetime.timedelta``, or anything that makes a value of a text and raises
                ``ValueError`` where it cannot. Default: the type of ``default``, else ``str``.
                bool: on the command line the name alone means true. datetime: ISO 8601, ctime,
                or a time of day. timedelta: numbers with units, added up (``1h 30m``); seconds
                without one.
            help: one sentence for ``--help``.
            metavar: stands for the value in ``--help``.
            multiple: the option is a list: values separated by commas, for ``int`` also
                inclusive ranges ``first:last``.
            group: heading in ``--help`` and key of `group_dict`; the file that calls
                ``define`` by default.
            callback: called with each new value.

        Raises:
            DuplicateOption: the name is taken.
        """
        key = _normalize(name)
        if key in self._options:
            raise DuplicateOption(name, self._options[key].file_name)
        file_name = _calling_file()
        if type is None:
            type = default.__class__ if default is not None and not multiple else str
        self._options[key] = Option(
            name,
            default=default,
            type=type,
            help=help,
            metavar=metavar,
            multiple=multiple,
            file_name=file_name,
            group_name=file_name if group is None else group,
            callback=callback,
        )

    def parse_command_line(
        self, args: Sequence[str] | None = None, final: bool = True
    ) -> list[str]:
        """Take values from a command line; one or two leading dashes mean the same.

        Parsing ends at the first argument without a dash or after ``--``.

        Args:
            args: begins with the program's name, like ``sys.argv``, which is the default.
            final: False leaves out the parse callbacks, for a program that reads a
                configuration file afterwards.

        Returns:
            The arguments that are not options.

        Raises:
            UnknownOption: nobody defined it.
            MissingValue: ``--name`` for an option that is not a bool.
            InvalidValue: the text is not a value of the option's type.
            SystemExit: after printing the help that ``--help`` asks for.
        """
        if args is None:
            args = sys.argv
        remaining: list[str] = []
        for position, argument in enumerate(args):
            if position == 0:
                continue
            if not argument.startswith("-"):
                remaining = list(args[position:])
                break
            if argument == "--":
                remaining = list(args[position + 1 :])
                break
            name, equals, text = argument.lstrip("-").partition("=")
            option = self._options.get(_normalize(name))
            if option is None:
                self.print_help()
                raise UnknownOption(
                    name, difflib.get_close_matches(_normalize(name), self._options)
                )
            if not equals:
                if option.type is not bool:
                    raise MissingValue(option.name)
                text = "true"
            option.parse(text)
        if final:
            self.run_parse_callbacks()
        return remaining

    def parse_config_file(self, path: str | os.PathLike[str], final: bool = True) -> None:
        """Take values from a configuration file, which is Python source.

        Each global name that is an option gives its value; other names are left alone.
        ``__file__`` is the absolute path. A str is parsed as on the command line unless the
        option's type is ``str``; an option with ``multiple`` takes a list or such a str.

        The file is executed: it must be as trustworthy as the program.

        Args:
            path: in UTF-8, or as its coding line says.
            final: as for `parse_command_line`.

        Raises:
            InvalidValue: with the file in its ``path``.
            OSError: the file cannot be read.
            SyntaxError: it is not Python.
        """
        with open(path, "rb") as file:
            source = file.read()
        namespace: dict[str, Any] = {"__file__": os.path.abspath(path)}
        exec(compile(source, os.fspath(path), "exec", dont_inherit=True), namespace)
        for name, value in namespace.items():
            option = self._options.get(_normalize(name))
            if option is None:
                continue
            try:
                if isinstance(value, str) and (option.multiple or option.type is not str):
                    option.parse(value)
                else:
                    option.set(value)
            except InvalidValue as error:
                if error.path is None:
                    error.path = os.fspath(path)
                raise
        if final:
            self.run_parse_callbacks()

    def print_help(self, file: TextIO | None = None) -> None:
        """Print all options by group, to standard error unless ``file`` is given."""
        if file is None:
            file = sys.stderr
        lines = [f"Usage: {sys.argv[0]} [OPTIONS]", "", "Options:", ""]
        by_group: dict[str, list[Option]] = {}
        for option in self._options.values():
            by_group.setdefault(option.group_name, []).append(option)
        for group, members in sorted(by_group.items()):
            if group:
                lines += ["", f"{os.path.normpath(group)} options:", ""]
            for option in sorted(members, key=lambda member: member.name):
                lines += _help_lines(option)
        lines.append("")
        file.write("\n".join(lines) + "\n")

    def add_parse_callback(self, callback: Callable[[], object]) -> None:
        """Have ``callback`` called when parsing is finished."""
        self._parse_callbacks.append(callback)

    def run_parse_callbacks(self) -> None:
        """Call what was given to `add_parse_callback`, in that order."""
        for callback in self._parse_callbacks:
            callback()

    def mockable(self) -> "Mockable":
        """A view of the options that `unittest.mock.patch.object` can patch.

        The parser itself cannot be patched, for its attributes cannot be deleted. Make a new
        view for each patch.

        Example:
            >>> from unittest import mock
            >>> options = OptionParser()
            >>> options.define("port", default=8888)
            >>> with mock.patch.object(options.mockable(), "port", 80):
            ...     options.port
            80
            >>> options.port
            8888
        """
        return Mockable(self)

    def _help_callback(self, value: bool) -> None:
        if value:
            self.print_help()
            sys.exit(0)


class Mockable:
    """What `OptionParser.mockable` returns; deleting an attribute brings its old value back.

    Example:
        >>> options = OptionParser()
        >>> options.define("port", default=80)
        >>> mockable = options.mockable()
        >>> mockable.port = 8888
        >>> options.port
        8888
        >>> del mockable.port
        >>> options.port
        80
    """

    _options: OptionParser
    _originals: dict[str, Any]

    def __init__(self, options: OptionParser) -> None:
        self.__dict__["_options"] = options
        self.__dict__["_originals"] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._options, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._originals:
            raise AssertionError(f"{name!r} is patched already: take a new mockable() for it")
        self._originals[name] = getattr(self._options, name)
        setattr(self._options, name, value)

    def __delattr__(self, name: str) -> None:
        setattr(self._options, name, self._originals.pop(name))


def _help_lines(option: Option) -> list[str]:
    left = "  --" + option.name.replace("_", "-")
    if option.metavar:
        left += "=" + option.metavar
    description = option.help or ""
    if option.default not in (None, "", []):
        description = f"{description} (default {option.default})".lstrip()
    wrapped = textwrap.wrap(description, _WIDTH - _HELP_COLUMN) or [""]
    lines = []
    if len(left) >= _HELP_COLUMN - 1:
        lines.append(left)
        left = ""
    lines.append(f"{left:<{_HELP_COLUMN}}{wrapped[0]}".rstrip())
    lines += [" " * _HELP_COLUMN + line for line in wrapped[1:]]
    return lines


# The module-level define() of zonda.ioloop.options calls the method and is not a user of options.
_own_modules = frozenset((__name__, "zonda.ioloop.options"))


def _calling_file() -> str:
    """The file of the nearest caller that is not part of the option machinery."""
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__") in _own_modules and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code.co_filename
