"""One option: its definition and its value.

In: text (``parse``) or a value (``set``). Out: ``value()``, the default until either was called.
Raises `InvalidValue`.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from zonda.ioloop.optionparser.errors import InvalidValue
from zonda.ioloop.optionparser.values import EXPECTED, PARSERS

_UNSET: Final = object()


class Option:
    """An option of an `OptionParser`; the parameters are those of ``define``.

    Values are ``Any``: an option has whatever type its definition says.

    Raises:
        InvalidValue: (from ``parse`` and ``set``) that is no value of the option's type.

    Example:
        >>> option = Option("port", type=int, default=80)
        >>> option.value(), option.parse("8888"), option.value()
        (80, 8888, 8888)
    """

    def __init__(
        self,
        name: str,
        default: Any = None,
        type: Callable[[str], Any] = str,
        help: str | None = None,
        metavar: str | None = None,
        multiple: bool = False,
        file_name: str = "",
        group_name: str = "",
        callback: Callable[[Any], object] | None = None,
    ) -> None:
        if default is None and multiple:
            default = []
        self.name = name
        self.type = type
        self.help = help
        self.metavar = metavar
        self.multiple = multiple
        self.file_name = file_name
        self.group_name = group_name
        self.callback = callback
        self.default = default
        self._value: Any = _UNSET

    def value(self) -> Any:
        """The value given last, else the default."""
        return self.default if self._value is _UNSET else self._value

    def parse(self, text: str) -> Any:
        """Take the value from text, as on the command line, and return it."""
        try:
            if self.multiple:
                value: Any = [item for part in text.split(",") for item in self._parse_part(part)]
            else:
                value = self._parse_one(text)
        except (ValueError, ArithmeticError, LookupError) as error:
            raise InvalidValue(self.name, text, self._expected(text=True)) from error
        self._assign(value)
        return value

    def set(self, value: Any) -> None:
        """Take the value as it is, after a check of its type; None means "no value"."""
        if self.multiple:
            if not isinstance(value, list):
                raise InvalidValue(self.name, value, self._expected())
            value = [self._checked(item) for item in value]
        else:
            value = self._checked(value)
        self._assign(value)

    def _assign(self, value: Any) -> None:
        self._value = value
        if self.callback is not None:
            self.callback(value)

    def _parse_one(self, text: str) -> Any:
        return PARSERS.get(self.type, self.type)(text)

    def _parse_part(self, part: str) -> Iterator[Any]:
        """The values one member of a comma list stands for: several if it is a range."""
        if isinstance(self.type, type) and issubclass(self.type, int) and self.type is not bool:
            first, colon, last = part.partition(":")
            if colon:
                # "5:" is the range from 5 to 5, and a range that runs backwards is empty.
                low = self.type(first)
                return iter(range(low, (self.type(last) if last else low) + 1))
        return iter((self._parse_one(part),))

    def _checked(self, value: Any) -> Any:
        # A callable that is not a class makes values of a type only it knows.
        if value is None or not isinstance(self.type, type) or isinstance(value, self.type):
            return value
        if self.type is float and isinstance(value, int):
            return float(value)
        raise InvalidValue(self.name, value, self._expected())

    def _expected(self, text: bool = False) -> str:
        name = getattr(self.type, "__name__", repr(self.type))
        if not self.multiple:
            return EXPECTED.get(self.type, f"a {name}")
        hint = " (comma-separated; first:last is a range)" if self.type is int else ""
        return f"a list of {name}{hint if text else ''}"
