"""What a server knows of a connection that has switched from HTTP to another protocol.

`HTTP1Exchange.upgrade` gives such a connection the stream and puts it under the care of the server:
`HTTPServer.drain` and ``close_all_connections`` reach it until it says that it is over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zonda.iostream import IOStream


class Upgraded(Protocol):
    """A connection of another protocol."""

    def drain(self) -> None:
        """Say goodbye to the peer and end soon, as the protocol has it."""

    def abort(self) -> None:
        """End at once."""


class Adopter(Protocol):
    """A server that looks after such connections."""

    def adopt(self, connection: Upgraded) -> Forget:
        """Take care of ``connection``; to be told of its end by calling what is returned."""


Forget = Callable[[Upgraded], None]
"""Takes a connection that is over."""


def nobody(connection: Upgraded) -> None:
    """Be told of a connection's end, and do nothing: where no server adopts it."""


class Departed:
    """Stands for an exchange's connection when its stream has gone to another protocol.

    Most of these live long and there are many: the HTTP connection and all it holds is let go.

    Attributes:
        stream: The stream, which is somebody else's now.
    """

    __slots__ = ("stream",)

    is_open = False
    draining = False  # the other protocol is told in its own way, see `Upgraded`

    def __init__(self, stream: IOStream) -> None:
        self.stream = stream
