"""Which IOLoop belongs to which asyncio loop.

In: asyncio loops and their IOLoops. Out: the one for the other, None where there is none yet. It is
kept as an attribute of the asyncio loop: looking it up is on hot paths, and both go together when
dropped. Loops that take no attributes are kept in a dict until they are closed. Raises
``RuntimeError`` for a second IOLoop of the same loop.
"""

import asyncio

__all__ = ["ATTRIBUTE", "Bound", "bind", "bound", "unbind", "unmarkable"]

#: The name of the attribute.
ATTRIBUTE = "_zonda_ioloop"

#: The loops that take no attributes.
unmarkable: dict[asyncio.AbstractEventLoop, object] = {}


def bound(loop: asyncio.AbstractEventLoop) -> object | None:
    """Return the IOLoop of an asyncio loop, or None.

    Example:
        >>> loop = asyncio.new_event_loop()
        >>> bound(loop) is None
        True
        >>> loop.close()
    """
    return getattr(loop, ATTRIBUTE, None) or unmarkable.get(loop)


def bind(loop: asyncio.AbstractEventLoop, ioloop: object) -> None:
    """Note the IOLoop of an asyncio loop.

    Raises:
        RuntimeError: it has another already.

    Example:
        >>> loop = asyncio.new_event_loop()
        >>> bound(loop) is None
        True
        >>> bind(loop, "its IOLoop")
        >>> bound(loop)
        'its IOLoop'
        >>> unbind(loop)
        >>> loop.close()
    """
    if bound(loop) not in (None, ioloop):
        raise RuntimeError(f"{loop!r} has an IOLoop already")
    try:
        setattr(loop, ATTRIBUTE, ioloop)
    except AttributeError:
        pass
    # A proxy may take the attribute and not give it back.
    if getattr(loop, ATTRIBUTE, None) is not ioloop:
        for stale in [known for known in unmarkable if known.is_closed()]:
            del unmarkable[stale]
        unmarkable[loop] = ioloop


def unbind(loop: asyncio.AbstractEventLoop) -> None:
    """Forget the IOLoop of an asyncio loop; no error if it has none.

    Example:
        >>> loop = asyncio.new_event_loop()
        >>> unbind(loop)
        >>> loop.close()
    """
    try:
        delattr(loop, ATTRIBUTE)
    except AttributeError:
        pass
    unmarkable.pop(loop, None)


class Bound:
    """The same to look into: what ``IOLoop._ioloop_for_asyncio`` is to old programs.

    Example:
        >>> loop = asyncio.new_event_loop()
        >>> loop in Bound(), Bound().get(loop)
        (False, None)
        >>> loop.close()
    """

    def __contains__(self, loop: asyncio.AbstractEventLoop) -> bool:
        return bound(loop) is not None

    def __getitem__(self, loop: asyncio.AbstractEventLoop) -> object:
        ioloop = bound(loop)
        if ioloop is None:
            raise KeyError(loop)
        return ioloop

    def get(self, loop: asyncio.AbstractEventLoop, default: object = None) -> object:
        """Return the IOLoop of an asyncio loop, ``default`` if it has none."""
        return bound(loop) or default
