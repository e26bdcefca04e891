"""Hears of changes from the operating system, by way of ``watchfiles`` where that is installed.

In: folders. Out: "something happened in there", at once; the caller looks what. Without
``watchfiles``: nothing, the caller looks every now and then.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

# How long a thread or a wait may go without a look at whether it is still wanted.
_MILLISECONDS = 1000


def _changes(folders: set[str]) -> Iterator[Any] | None:
    """Sets of changes, empty ones now and then; None without watchfiles."""
    try:
        from watchfiles import watch  # noqa: PLC0415 - optional
    except ImportError:
        return None
    # It has a line for each change; ours says which file it was.
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    return watch(
        *folders,
        watch_filter=None,
        debounce=50,
        step=20,
        rust_timeout=_MILLISECONDS,
        yield_on_timeout=True,
        recursive=False,
    )


def wait(folders: set[str]) -> bool:
    """Wait until something happens in ``folders`` or a second has passed.

    Returns:
        False, at once, if nothing can be heard.

    Example::

            while not wait({"/srv/app"}):
                time.sleep(1)  # nothing can be heard: look every now and then
    """
    changes = _changes(folders)
    if changes is None:
        return False
    next(changes, None)
    return True


def call_in_thread(
    folders: Callable[[], set[str]],
    is_over: Callable[[], bool],
    happened: Callable[[], object],
) -> None:
    """Call ``happened()`` in a thread of its own each time something happens.

    Args:
        folders: where to listen; asked again now and then.
        is_over: true when nobody is interested any more; the thread ends within a second.
        happened: called in the thread.

    Example::

            call_in_thread(files.folders, lambda: stopped, lambda: loop.add_callback(look))
    """
    current = folders()
    changes = _changes(current)
    if changes is None:
        return

    def listen() -> None:
        nonlocal current, changes
        while changes is not None:
            for change in changes:
                if is_over():
                    return
                if change:
                    happened()
                if not change and folders() != current:
                    break
            current = folders()
            changes = _changes(current)

    threading.Thread(target=listen, name="autoreload", daemon=True).start()
