"""Errors of the HTTP/1.1 protocol.

::

    ProtocolError
    +-- RemoteProtocolError      the peer erred; ``status`` is what to answer with
    |   +-- IncompleteMessage    the peer's stream ended inside a message
    +-- LocalProtocolError       our side asked for something that HTTP does not allow

`RemoteProtocolError` is also an `HTTPInputError`, `LocalProtocolError` an `HTTPOutputError`.
"""

from zonda.httputil.errors import HTTPInputError, HTTPOutputError


class ProtocolError(Exception):
    """Base of the errors of `zonda.httputil.http1`."""


class RemoteProtocolError(ProtocolError, HTTPInputError):
    """The peer sent something that must not be processed.

    The connection can carry no further message of the peer: a server answers with `status`
    and closes, a client closes.

    Attributes:
        message: What is wrong, in one sentence without control characters.
        status: Status code of the answer (RFC 9110 §15.5, §15.6), 400 unless a better one exists.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message, status)
        self.message = message
        self.status = status

    def __str__(self) -> str:
        return self.message


class IncompleteMessage(RemoteProtocolError):
    """The peer's side of the connection ended in the middle of a message (RFC 9112 §8)."""


class LocalProtocolError(ProtocolError, HTTPOutputError):
    """The caller asked for a message, or an order of messages, that HTTP does not allow.

    Raised before any byte is returned; the state of the connection is unchanged.
    """
