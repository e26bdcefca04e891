"""A delegate that answers a request with a status and nothing else.

For where there is nobody to make a page: no rule of a bare router, no application behind a
container. What comes of the request's body is passed over.
"""

from http import HTTPStatus

from zonda.httputil import HTTPConnection, HTTPHeaders, HTTPMessageDelegate, ResponseStartLine


class EmptyAnswer(HTTPMessageDelegate):
    """Answers with a status and an empty body once the request is complete.

    Args:
        connection: Where to.
        status: The status.
    """

    def __init__(self, connection: HTTPConnection, status: HTTPStatus) -> None:
        self._connection = connection
        self._status = status

    def finish(self) -> None:
        """The request is complete."""
        status = self._status
        self._connection.write_headers(
            ResponseStartLine("HTTP/1.1", status.value, status.phrase),
            HTTPHeaders({"Content-Length": "0"}),
        )
        self._connection.finish()
