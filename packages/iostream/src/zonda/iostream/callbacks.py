"""The callback arguments of Tornado 4, which took the place that ``max_bytes`` has now."""

from collections.abc import Callable


def sort_arguments(
    max_bytes: "int | Callable[[bytes], object] | None",
    callback: "int | Callable[[bytes], object] | None",
) -> "tuple[int | None, Callable[[bytes], object] | None]":
    """Tell the two apart, in whichever order they were given.

    >>> sort_arguments(10, print) == sort_arguments(print, 10) == (10, print)
    True
    """
    if callable(max_bytes) or isinstance(callback, int):
        max_bytes, callback = callback, max_bytes
    assert max_bytes is None or isinstance(max_bytes, int)
    assert callback is None or not isinstance(callback, int)
    return max_bytes, callback
