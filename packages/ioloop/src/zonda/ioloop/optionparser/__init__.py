"""The option parser and the one instance most programs share, ``options``.

This is the machinery; applications import it from `zonda.ioloop.options`. It is a package of its
own because `zonda.ioloop.log` defines its options with it, and is needed by that module in turn.
"""

from zonda.ioloop.optionparser.errors import (
    DuplicateOption,
    Error,
    InvalidValue,
    MissingValue,
    UnknownOption,
)
from zonda.ioloop.optionparser.option import Option
from zonda.ioloop.optionparser.parser import OptionParser

options = OptionParser()

__all__ = [
    "DuplicateOption",
    "Error",
    "InvalidValue",
    "MissingValue",
    "Option",
    "OptionParser",
    "UnknownOption",
    "options",
]
