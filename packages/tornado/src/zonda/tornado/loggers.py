"""Zonda's three loggers under the names that Tornado's users configure.

`rename` turns the logger object ``zonda.access`` into ``tornado.access`` (and so on), so that
records carry that name, pass the handlers and filters of that name, and propagate to
``tornado``. What was configured under either name before is kept; where both have a level, the
one set under Tornado's name wins. `restore` undoes it.

The renamed objects are registered under the new names only: had they stayed under the old ones
as well, ``logging.config.dictConfig`` would disable them as "existing loggers that the
configuration does not mention". ``getLogger("zonda.access")`` is redirected instead.
"""

import logging
from typing import NamedTuple

_manager = logging.Logger.manager


class _Renamed(NamedTuple):
    logger: logging.Logger
    old: str
    new: str
    replaced: logging.Logger | None  # what was registered under the new name before
    state: dict[str, object]  # of the replaced one


_renamed: list[_Renamed] = []
_redirects: dict[str, str] = {}


def rename(names: dict[str, str]) -> None:
    """Let the logger of each key carry the name that is its value."""
    for old, new in names.items():
        logger = logging.getLogger(old)
        replaced = _manager.loggerDict.get(new)
        if not isinstance(replaced, logging.Logger):
            replaced = None
        state = dict(vars(replaced)) if replaced else {}
        if replaced:
            _merge(logger, replaced)
        _unregister(old)
        _register(logger, new)
        if replaced:
            # Somebody may hold it, and configure it later: two objects, one state.
            replaced.__dict__ = logger.__dict__
        _renamed.append(_Renamed(logger, old, new, replaced, state))
    _redirects.update(names)
    if "getLogger" not in vars(_manager):
        original = _manager.getLogger
        _manager.getLogger = lambda name: original(  # type: ignore[method-assign]
            _redirects.get(name, name)
        )


def restore() -> None:
    """Undo `rename`; what was configured meanwhile stays with Zonda's loggers."""
    _redirects.clear()
    vars(_manager).pop("getLogger", None)
    while _renamed:
        entry = _renamed.pop()
        _unregister(entry.new)
        _register(entry.logger, entry.old)
        if entry.replaced:
            entry.replaced.__dict__ = entry.state
            _register(entry.replaced, entry.new)


def _merge(into: logging.Logger, other: logging.Logger) -> None:
    into.setLevel(other.level or into.level)
    for handler in other.handlers:
        into.addHandler(handler)
    for each in other.filters:
        into.addFilter(each)
    into.propagate = into.propagate and other.propagate
    into.disabled = into.disabled or other.disabled


def _unregister(name: str) -> None:
    """Forget the logger of this name; loggers below it hang on the one above until `_register`."""
    logger = _manager.loggerDict.pop(name, None)
    if not isinstance(logger, logging.Logger):
        return
    for node in _manager.loggerDict.values():
        if isinstance(node, logging.PlaceHolder):
            node.loggerMap.pop(logger, None)
        elif node.parent is logger:
            node.parent = logger.parent


def _register(logger: logging.Logger, name: str) -> None:
    """Enter an existing logger object under a name, with the parent and children it has there."""
    _unregister(name)
    logger.name = name
    factory = _manager.loggerClass
    # getLogger itself links parents and children; only what it makes is replaced.
    _manager.loggerClass = lambda _name: logger  # type: ignore[assignment]
    try:
        _manager.getLogger(name)
    finally:
        _manager.loggerClass = factory
    for node in _manager.loggerDict.values():
        if (
            isinstance(node, logging.Logger)
            and node.name.startswith(f"{name}.")
            and len(node.parent.name if node.parent else "") < len(name)
        ):
            node.parent = logger
    logger.setLevel(logger.level)  # drops the manager's cached "is enabled" answers
