"""Several addresses of one host: who connects first (RFC 8305, "Happy Eyeballs").

Attempts start one after the other, with the families taking turns: the next one when the last has
failed, or has not succeeded within the attempt delay. The first connection wins; the others, and
all of them when the caller is cancelled, are closed at once.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import Any

from zonda.iostream.resolvers import Addresses
from zonda.iostream.sockets import IOStream

ATTEMPT_DELAY = 0.25
"""Seconds between the start of two attempts (RFC 8305 section 8 recommends 250 ms)."""

Attempt = tuple[IOStream, "asyncio.Future[IOStream]"]


def interleave(addresses: Addresses) -> Addresses:
    """Let the families take turns, beginning with the first one's (RFC 8305 section 4).

    >>> interleave([(10, "a"), (10, "b"), (2, "x"), (2, "y"), (2, "z")])
    [(10, 'a'), (2, 'x'), (10, 'b'), (2, 'y'), (2, 'z')]
    """
    families: dict[int, Addresses] = {}
    for family, address in addresses:
        families.setdefault(family, []).append((family, address))
    turns = zip_longest(*families.values())
    return [pair for pair in chain.from_iterable(turns) if pair is not None]


async def race(
    addresses: Sequence[tuple[int, Any]],
    attempt: Callable[[int, Any], Attempt],
    delay: float = ATTEMPT_DELAY,
) -> IOStream:
    """Connect to whichever address answers first.

    Args:
        addresses: in the order to be tried.
        attempt: starts a connection, returns the stream and the future of its ``connect``;
            may raise OSError.
        delay: seconds before the next attempt starts beside the ones under way.

    Raises:
        OSError: none could be connected; the last one's error.
    """
    running: dict[asyncio.Future[IOStream], IOStream] = {}
    failure: OSError = OSError("no address to connect to")
    waiting = iter(addresses)
    more = True
    try:
        while True:
            for family, address in waiting:
                try:
                    stream, future = attempt(family, address)
                except OSError as error:
                    failure = error
                    continue
                running[future] = stream
                break
            else:
                more = False
            if not running:
                raise failure
            done, _ = await asyncio.wait(
                running, timeout=delay if more else None, return_when=asyncio.FIRST_COMPLETED
            )
            for future in list(running):
                if future not in done:
                    continue
                del running[future]
                try:
                    return future.result()
                except OSError as error:
                    failure = error
    finally:
        for future, stream in running.items():
            stream.close()
            if future.done() and not future.cancelled():
                future.exception()  # too late to matter: no log record
