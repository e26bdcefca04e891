"""The exceptions of coroutines and callbacks.

    Exception
    ├── BadYieldError            a coroutine yielded something that nobody can wait for
    ├── KeyReuseError            legacy: a ``gen.Callback`` key was used twice
    ├── UnknownKeyError          legacy: ``gen.Wait`` names a key without a ``gen.Callback``
    ├── LeakedCallbackError      legacy: an engine finished with unused ``gen.Callback`` keys
    └── ReturnValueIgnoredError  legacy: an engine returned a value that nobody can receive

Time-outs are the built-in :class:`TimeoutError`, which is what asyncio raises too.
"""

__all__ = [
    "BadYieldError",
    "KeyReuseError",
    "LeakedCallbackError",
    "ReturnValueIgnoredError",
    "TimeoutError",
    "UnknownKeyError",
]

TimeoutError = TimeoutError


class BadYieldError(Exception):
    """A coroutine yielded (or a function returned) something that cannot be awaited."""


class KeyReuseError(Exception):
    """A legacy ``gen.Callback`` key was used again before its result was fetched."""


class UnknownKeyError(Exception):
    """A legacy ``gen.Wait`` asked for a key that no ``gen.Callback`` made."""


class LeakedCallbackError(Exception):
    """A legacy engine ended while ``gen.Callback`` keys were still waiting for their ``Wait``."""


class ReturnValueIgnoredError(Exception):
    """A legacy engine returned a value, which nobody can receive."""
