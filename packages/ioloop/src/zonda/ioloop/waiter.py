"""The futures that locks and queues hand out to those who have to wait.

A *waiter* stands in a line (`zonda.ioloop.waiters`). Whoever has something to give (an item, a
permit, a notification) takes the first of the line that still waits and *grants* it. Three things
can come between:

* The waiter is cancelled, or its time is up. It refuses the grant, and the next in line gets it.
* The task that awaits it is cancelled *after* the grant and before it runs. asyncio throws the
  result away with the task's step: the item or permit would be lost. So a `Waiter` lets the task
  wait for another, inner future in its place, sees what becomes of it, and *gives back* to the
  waiter's owner what does not arrive.
* The same, where it is no task that waits but a callback. Then the grant waits in the loop's queue,
  where the call would have waited, and there, in one step, either finishes the waiter and makes
  the call, or finds the waiter cancelled and goes back. It costs no additional turn of the loop.

Until the grant has arrived the waiter is not done, and can be cancelled.

Most waiters are awaited at the spot by one task that nobody else knows of, or never at all. So a
`Waiter` is no real future at first, see `zonda.ioloop.finished`: its ``__init__`` is called when
it is used as one. It costs a fifth of a real one.

In: grants and awaits. Out: the value; ``TimeoutError``, ``asyncio.CancelledError``.
"""

import asyncio
from collections.abc import Callable, Generator
from typing import Any, Final, Generic, Protocol, TypeVar

from zonda.ioloop.factory import own_asyncio_loop
from zonda.ioloop.finished import made_by_use

__all__ = ["IN_LINE", "MadeWaiter", "Owner", "TimedWaiter", "Waiter"]

Future = asyncio.Future

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

#: Marks, in ``_cancel_message``, where a future has room of its own that means nothing until it is
#: cancelled, a waiter that gets something: `with_timeout` cancels it when its time is up and nobody
#: else has it, lest that be lost with it.
IN_LINE: Final = "it was in line"

# States of a Waiter beside None (in line) and an inner future (and awaited).
_DONE: Final[Any] = "done"
_GONE: Final[Any] = "gone"


class Owner(Protocol[T_contra]):
    """What grants, and what a grant goes back to.

    Example:
        >>> from zonda.ioloop.queues import Queue
        >>> queue = Queue()
        >>> owner: Owner[str] = queue
        >>> owner._take_back("an item")
        >>> queue.get_nowait()
        'an item'
    """

    def _take_back(self, value: T_contra) -> None:
        """Pass on a grant that did not arrive."""


class MadeWaiter(Future[T], Generic[T]):
    """A `Waiter` that was used as a future, and has become a real one.

    Example:
        >>> from zonda.ioloop.queues import Queue
        >>> async def main():
        ...     waiter = Queue().get()
        ...     names = [type(waiter).__name__]
        ...     waiter.add_done_callback(print)
        ...     return [*names, type(waiter).__name__]
        >>> asyncio.run(main())
        ['Waiter', 'MadeWaiter']
    """

    __slots__ = ("_got", "_inner", "_owner", "_timer")

    # In slots and not in a dict, so that one waiter costs one object. What each is, see `Waiter`.
    _owner: Owner[T] | None
    _inner: Any
    _got: Any
    _timer: asyncio.TimerHandle | None

    def grant(self, value: T) -> bool:
        """Give it ``value``, which will arrive or go back to the owner; False: it is dead."""
        if self.done():
            return False
        if self._inner is not None:
            return self._grant_inner(value)
        # Not a documented attribute, but every Python from 3.5 to 3.14 has it: pairs of callback
        # and context, or None. The tests of lost items fail where it goes.
        callbacks = self._callbacks
        if self._owner is None or not callbacks or len(callbacks) > 1:
            # It cannot go back; or nobody waits who could be cancelled; or several do, and one is
            # enough.
            self.set_result(value)
            return True
        ((callback, context),) = callbacks
        try:
            self.get_loop().call_soon(lambda: self._deliver(value, callback), context=context)
        except RuntimeError:
            return False  # the loop was closed under it
        return True

    def _grant_inner(self, value: T) -> bool:
        if self._inner.done():
            return False
        try:
            self._inner.set_result(value)
        except RuntimeError:
            self._inner = None  # the loop was closed under the task: it will not see this
            return False
        return True

    def _deliver(self, value: T, callback: "Callable[[MadeWaiter[T]], object]") -> None:
        if self.done():
            self._give_back(value)
            return
        awaited = self.remove_done_callback(callback)
        self.set_result(value)
        if awaited:
            callback(self)

    def _give_back(self, value: T) -> None:
        if self._owner is not None:
            self._owner._take_back(value)

    # -- the verbs of a future, where there is a timer or an inner future

    def set_result(self, result: T, /) -> None:
        """Finish the wait."""
        super().set_result(result)
        self._end(lambda inner: inner.set_result(result))

    def set_exception(self, exception: type | BaseException, /) -> None:
        """Finish the wait with an exception."""
        super().set_exception(exception)
        self._end(lambda inner: inner.set_exception(exception))

    def cancel(self, msg: Any = None) -> bool:
        """Cancel the wait."""
        if not super().cancel(msg):
            return False
        self._end(lambda inner: inner.cancel(msg))
        return True

    def _end(self, end: Callable[[Future[T]], object]) -> None:
        self._stop_timer()
        if self._inner is not None and not self._inner.done():
            end(self._inner)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expired(self, expire: Callable[[Future[Any]], object]) -> None:
        """The time is up."""
        self._timer = None
        if not self.done():
            # That which is awaited, if it is not on its way already.
            target = self if self._inner is None else self._inner
            if not target.done():
                expire(target)

    # -- a task awaited it before it became real

    def _interrupted(self, inner: Future[T]) -> None:
        """The task that awaits it got an exception: one of its own, or the end of the wait."""
        if self._inner is not inner:
            return  # its loop was closed, and the grant went to another
        if not inner.done():
            inner.cancel()  # the coroutine is closed, or somebody throws into it
        if inner.cancelled():
            self._left()
            return
        error = inner.exception()
        if error is None:
            self._lost(inner.result())
            return
        self._inner = None
        if not self.done():
            self.set_exception(error)
            self.exception()  # that is, the task has seen it

    def _arrived(self, value: T) -> T:
        """What the inner future got is with the task now."""
        self._inner = None
        if not self.done():
            self.set_result(value)
        elif self.cancelled():
            # By somebody else, since the grant.
            self._give_back(value)
            raise asyncio.CancelledError
        return value

    def _lost(self, value: T) -> None:
        """What the inner future got did not reach the task."""
        self._inner = None
        if self.done():
            self._give_back(value)
        elif self._owner is None or self._callbacks:
            self.set_result(value)  # others want it, or it cannot go back
        else:
            super().cancel()
            self._give_back(value)

    def _left(self) -> None:
        """The task does not wait any more."""
        self._inner = None
        self.cancel()


@made_by_use
class Waiter(MadeWaiter[T]):
    """A waiter that need not be a future yet. Its maker sets ``_owner`` and ``_inner``.

    Attributes:
        _owner: what a grant goes back to that does not arrive; None: it must not go back.
        _inner: None; or the future that a task awaits in its place; or one of the states at the end
            of its life, `_DONE` and `_GONE`.
        _got: what it got, when it is done.

    Example:
        >>> async def main():
        ...     waiter = Waiter()
        ...     waiter._owner = waiter._inner = None
        ...     waiter.grant("an item")
        ...     return await waiter
        >>> asyncio.run(main())
        'an item'
    """

    __slots__ = ()

    def _make_real(self) -> None:
        inner = self._inner
        if type(self) is Waiter:
            self._timer = None
        self.__class__ = MadeWaiter  # type: ignore[assignment]
        inside = isinstance(inner, Future)
        Future.__init__(self, loop=inner.get_loop() if inside else own_asyncio_loop())
        self._cancel_message = IN_LINE
        if inside:
            if inner.cancelled():
                Future.cancel(self)
            return
        self._inner = None
        if inner is _DONE:
            Future.set_result(self, self._got)
        elif inner is _GONE:
            Future.cancel(self)

    def grant(self, value: T) -> bool:
        """Give it ``value``, which will arrive or go back to the owner; False: it is dead."""
        inner = self._inner
        if inner is None:
            self._inner = _DONE
            self._got = value
            return True
        if inner is _GONE or inner is _DONE or inner.done():
            return False
        try:
            inner.set_result(value)
        except RuntimeError:
            self._inner = _GONE  # the loop was closed under the task: it will not see this
            return False
        return True

    def done(self) -> bool:
        """Whether it has got something, or was cancelled."""
        inner = self._inner
        if inner is None:
            return False
        if inner is _DONE or inner is _GONE:
            return True
        return inner.done() if self._owner is None else inner.cancelled()  # type: ignore[no-any-return]

    def cancel(self, msg: Any = None) -> bool:
        """Cancel the wait."""
        inner = self._inner
        if inner is None and msg is None:
            self._inner = _GONE
            return True
        if inner is _DONE or inner is _GONE:
            return False
        self._make_real()
        return self.cancel(msg)

    def __await__(self) -> Generator[Any, None, T]:
        if self._inner is not None:
            # It is over; or another task awaits it, and this one has to look from outside.
            if self._inner is _DONE:
                return self._got  # type: ignore[no-any-return]
            self._make_real()
            return (yield from self)
        inner: Future[T] = Future()
        self._inner = inner
        try:
            value = yield from inner
        except BaseException:
            self._interrupted(inner)
            raise
        if type(self) is MadeWaiter:
            return self._arrived(value)
        self._inner = _DONE
        self._got = value
        return value

    __iter__ = __await__

    def _lost(self, value: T) -> None:
        if self._owner is None:
            self._inner = _DONE
            self._got = value
        else:
            self._inner = _GONE
            self._owner._take_back(value)

    def _left(self) -> None:
        self._inner = _GONE


class TimedWaiter(Waiter[T]):
    """A `Waiter` with a timer, which goes when the wait ends otherwise.

    Example:
        >>> import datetime
        >>> from zonda.ioloop.queues import Queue
        >>> async def main():
        ...     waiter = Queue().get(datetime.timedelta(hours=1))
        ...     return type(waiter).__name__, waiter.cancel()
        >>> asyncio.run(main())
        ('TimedWaiter', True)
    """

    __slots__ = ()

    def start(self, seconds: float, expire: Callable[[Future[Any]], object]) -> None:
        """Let ``expire`` finish it after ``seconds``."""
        self._timer = own_asyncio_loop().call_later(seconds, self._expired, expire)

    def grant(self, value: T) -> bool:
        """Give it ``value``; see `Waiter.grant`."""
        if not super().grant(value):
            return False
        self._stop_timer()
        return True

    def cancel(self, msg: Any = None) -> bool:
        """Cancel the wait."""
        self._stop_timer()
        return super().cancel(msg)

    def _left(self) -> None:
        self._stop_timer()
        super()._left()
