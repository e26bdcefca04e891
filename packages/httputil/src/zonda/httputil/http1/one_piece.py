"""A request with content that was received in one piece, head and all.

In: everything that was received. Out: the request, if it is just that and says nothing unusual
about the connection. None stands for whatever else it is, errors included: those who read it piece
by piece find them again. Nothing is raised.
"""

from typing import Final

from zonda.httputil.http1.errors import RemoteProtocolError
from zonda.httputil.http1.events import Request
from zonda.httputil.http1.head import REQUEST_HEAD
from zonda.httputil.http1.limits import Limits
from zonda.httputil.http1.request import make_request

_HEAD_END: Final = b"\r\n\r\n"


def request_with_content(
    data: bytes, limits: Limits, longest: int
) -> tuple[Request, str, int, int] | None:
    r"""The request, its field block, and where in `data` the fields begin and the content does.

    Args:
        data: What was received.
        limits: The connection's.
        longest: Octets of the longest head that is worth it; within the limits for a head.

    >>> data = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
    >>> request_with_content(data, Limits(), 8192)
    (<Request POST '/' HTTP/1.1 host='a'>, 'Host: a\r\nContent-Length: 2\r\n', 17, 47)
    >>> request_with_content(data[:-1], Limits(), 8192)
    """
    end = data.find(_HEAD_END, 0, longest) + len(_HEAD_END)
    match = REQUEST_HEAD.fullmatch(data[:end].decode("latin-1"))
    if match is None or match[4].count("\n") > limits.field_count:
        return None
    try:
        request = make_request(match)
    except RemoteProtocolError:
        return None
    length = request.content_length
    if (
        not length
        or end + length != len(data)
        or (limits.body is not None and length > limits.body)
        or request.target[0] != "/"
        or request.version != "HTTP/1.1"
        or request.method == "CONNECT"
        or not request.keep_alive
        or request.expect_continue
        or request.upgrade is not None
    ):
        return None
    return request, match[4], match.start(4), end
