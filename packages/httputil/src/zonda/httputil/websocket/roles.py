"""The two ends of a WebSocket connection: what a server does, and what a client does.

Input, output and errors are those of `connection`; the roles differ in who masks (RFC 6455 §5.1),
and in that a server can send frames it has made for many.
"""

from zonda.httputil.websocket.connection import Connection
from zonda.httputil.websocket.errors import LocalError
from zonda.httputil.websocket.frames import MASKED
from zonda.httputil.websocket.masking import new_mask
from zonda.httputil.websocket.prepared import PreparedMessage


class ServerConnection(Connection):
    """The server's side: the peer masks its frames, we do not.

    >>> server = ServerConnection()
    >>> client = ClientConnection()
    >>> for buffer in client.send_message("hello") + client.send_close(1000):
    ...     server.receive_data(buffer)
    >>> list(server.events())
    [<Message 'hello'>, <Close 1000 ''>]
    """

    __slots__ = ()
    _is_server = True
    _peer_masked = MASKED

    def send_prepared(self, message: PreparedMessage) -> bytes:
        """Say a message that many connections are told, with the frame they share.

        It is compressed where that was agreed on, without reference to earlier messages.

        Raises:
            LocalError: It may not be said now: either side has closed, or a message of fragments
                has not ended yet.
        """
        if self._we_closed or self._peer_closed or self._failure is not None:
            raise LocalError("the WebSocket is closed")
        if self._fragmenting:
            raise LocalError("a message of fragments has to end first")
        compressor = self._compressor
        if compressor is None:
            return message.frame
        compressor.restart()
        return message.compressed(compressor)

    def _mask(self) -> None:
        return None


class ClientConnection(Connection):
    """The client's side: we mask our frames, the peer does not.

    >>> client = ClientConnection()
    >>> client.receive_data(b"".join(ServerConnection().send_message("hello")))
    >>> client.next_event().data, client.next_event()
    ('hello', <Signal.NEED_DATA: 'need data'>)
    """

    __slots__ = ()
    _is_server = False
    _peer_masked = 0

    def _mask(self) -> bytes:
        return new_mask()
