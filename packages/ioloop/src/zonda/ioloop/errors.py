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
    """A coroutine yielded (or a function returned) something that cannot be awaited.

    Example:
        >>> from zonda.ioloop import gen
        >>> @gen.coroutine
        ... def main():
        ...     yield 42
        >>> main().exception()
        BadYieldError('yielded unknown object 42')
    """


class KeyReuseError(Exception):
    """A legacy ``gen.Callback`` key was used again before its result was fetched.

    Example:
        >>> from zonda.ioloop import gen
        >>> @gen.engine
        ... def run():
        ...     first = yield gen.Callback("key")
        ...     try:
        ...         yield gen.Callback("key")
        ...     except KeyReuseError as error:
        ...         print(error)
        ...     first(None)
        ...     yield gen.Wait("key")
        >>> run()
        key 'key' is already pending
    """


class UnknownKeyError(Exception):
    """A legacy ``gen.Wait`` asked for a key that no ``gen.Callback`` made.

    Example:
        >>> from zonda.ioloop import gen
        >>> @gen.engine
        ... def run():
        ...     try:
        ...         yield gen.Wait("key")
        ...     except UnknownKeyError as error:
        ...         print(error)
        >>> run()
        key 'key' is not pending
    """


class LeakedCallbackError(Exception):
    """A legacy engine ended while ``gen.Callback`` keys were still waiting for their ``Wait``.

    It is logged: nobody can receive it.

    Example:
        >>> from zonda.ioloop import gen
        >>> from zonda.ioloop.testing import ExpectLog
        >>> @gen.engine
        ... def run():
        ...     yield gen.Callback("key")
        >>> with ExpectLog("zonda.application", ".*run") as expected:
        ...     run()
        >>> expected.logged_stack
        True
    """


class ReturnValueIgnoredError(Exception):
    """A legacy engine returned a value, which nobody can receive.

    It is logged: nobody can receive that either.

    Example:
        >>> from zonda.ioloop import gen
        >>> from zonda.ioloop.testing import ExpectLog
        >>> @gen.engine
        ... def run():
        ...     return 42
        >>> with ExpectLog("zonda.application", ".*run") as expected:
        ...     run()
        >>> expected.logged_stack
        True
    """
