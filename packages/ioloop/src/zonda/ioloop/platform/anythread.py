"""Legacy: the asyncio policy that gives every thread a loop, not the main thread alone.

In: ``asyncio.set_event_loop_policy(AnyThreadEventLoopPolicy())``, once, early. Out: from then on
``asyncio.get_event_loop()`` makes a loop in whatever thread asks first. Whoever asks closes it.
Needs what asyncio calls policies: deprecated by Python 3.14, and gone from 3.16 on.
"""

import asyncio
import warnings

__all__ = ["AnyThreadEventLoopPolicy"]

with warnings.catch_warnings():
    # Python 3.14 warns whoever names a policy; who sets it is warned by asyncio itself.
    warnings.simplefilter("ignore", DeprecationWarning)
    _Policy = asyncio.DefaultEventLoopPolicy


class AnyThreadEventLoopPolicy(_Policy):
    """asyncio's own policy, but ``get_event_loop`` makes a loop in threads without one, too.

    Programs should prefer ``asyncio.run`` in each thread, which also closes the loop.

    Example:
        >>> import threading
        >>> policy = AnyThreadEventLoopPolicy()
        >>> def work():
        ...     loop = policy.get_event_loop()
        ...     print(loop is policy.get_event_loop())
        ...     loop.close()
        >>> thread = threading.Thread(target=work)
        >>> thread.start(); thread.join()
        True
    """

    def get_event_loop(self) -> asyncio.AbstractEventLoop:
        """The thread's loop; a new one, which becomes the thread's, when there is none.

        Unlike asyncio's own, this never raises ``RuntimeError`` for a thread without a loop.
        """
        try:
            return super().get_event_loop()
        except RuntimeError:
            loop = self.new_event_loop()
            self.set_event_loop(loop)
            return loop
