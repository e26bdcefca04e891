"""A dict whose keys are attributes too."""

from typing import Any


class ObjectDict(dict[str, Any]):
    """A dict that can also be read and written as attributes.

    Raises ``AttributeError`` for a missing one.

    Example:
        >>> settings = ObjectDict(port=8888)
        >>> settings.debug = True
        >>> settings.port, settings["debug"]
        (8888, True)
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value
