"""Coordination between coroutines on one loop: Condition, Event, Semaphore, BoundedSemaphore, Lock.

None of them is safe to share between threads. ``wait`` and ``acquire`` return futures; those that
cannot finish at once stand in line, first come first served. ``timeout`` is a deadline on the
loop's clock (``IOLoop.time()``, seconds since the epoch), or a ``timedelta`` from now; 0 means
not to wait. A waiter that is cancelled, at whatever moment, loses neither a permit nor a
notification for the others. Every operation costs O(1) amortised, ``notify_all`` and
``Event.set`` O(waiters).

Raises: ``TimeoutError`` from ``Event.wait`` and ``acquire``; ``Condition.wait`` returns False
instead.
"""

from zonda.ioloop.locks.condition import Condition
from zonda.ioloop.locks.event import Event
from zonda.ioloop.locks.lock import Lock
from zonda.ioloop.locks.semaphore import BoundedSemaphore, Semaphore

__all__ = ["BoundedSemaphore", "Condition", "Event", "Lock", "Semaphore"]
