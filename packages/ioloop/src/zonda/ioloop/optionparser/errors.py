"""What can be wrong with options.

::

    Error
     ├── DuplicateOption   defined a second time
     ├── UnknownOption     given, but never defined
     ├── MissingValue      --name without =value
     └── InvalidValue      (also a ValueError) a value of the wrong type, or that does not parse

The facts are attributes, ``str()`` is the sentence for the person at the command line.
"""

from collections.abc import Sequence


class Error(Exception):
    """Base of everything that definitions and values of options raise.

    Example:
        >>> from zonda.ioloop.optionparser import OptionParser
        >>> try:
        ...     OptionParser().parse_command_line(["app.py", "--prot=80"])
        ... except Error as error:
        ...     type(error).__name__
        'UnknownOption'
    """


class DuplicateOption(Error):
    """An option was defined twice.

    Attributes:
        name: the option.
        file_name: where it was defined first; empty for the parser's own.

    Example:
        >>> print(DuplicateOption("port", "app.py"))
        Option 'port' is already defined in app.py: give it another name
    """

    def __init__(self, name: str, file_name: str) -> None:
        super().__init__(name, file_name)
        self.name = name
        self.file_name = file_name

    def __str__(self) -> str:
        where = f"in {self.file_name}" if self.file_name else "by the parser itself"
        return f"Option {self.name!r} is already defined {where}: give it another name"


class UnknownOption(Error):
    """The command line has an option that nobody defined.

    Attributes:
        name: as it was written.
        similar: defined options with nearly that name, best first.

    Example:
        >>> print(UnknownOption("prot", ["port"]))
        Unrecognized command line option 'prot': did you mean --port?
    """

    def __init__(self, name: str, similar: Sequence[str] = ()) -> None:
        super().__init__(name, similar)
        self.name = name
        self.similar = tuple(similar)

    def __str__(self) -> str:
        if self.similar:
            hint = f"did you mean --{self.similar[0]}?"
        else:
            hint = "--help lists those there are"
        return f"Unrecognized command line option {self.name!r}: {hint}"


class MissingValue(Error):
    """An option that needs a value was given without one.

    Attributes:
        name: the option.

    Example:
        >>> print(MissingValue("port"))
        Option 'port' requires a value: write --port=VALUE
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"Option {self.name!r} requires a value: write --{self.name}=VALUE"


class InvalidValue(Error, ValueError):
    """A value does not fit its option.

    Attributes:
        name: the option.
        value: what was given.
        expected: what would have fitted, in words.
        path: the configuration file it stands in, or None.

    Example:
        >>> print(InvalidValue("port", "http", "a whole number"))
        Option 'port' must be a whole number, not 'http' (str)
    """

    def __init__(self, name: str, value: object, expected: str, path: str | None = None) -> None:
        super().__init__(name, value, expected, path)
        self.name = name
        self.value = value
        self.expected = expected
        self.path = path

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        given = f"{self.value!r} ({type(self.value).__name__})"
        return f"{where}Option {self.name!r} must be {self.expected}, not {given}"
