"""The interfaces: what must be provided says so, the rest does nothing."""

import pytest

from zonda.httputil.delegates import (
    HTTPConnection,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
)
from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.startline import RequestStartLine, ResponseStartLine


def test_a_message_delegate_may_leave_everything_out() -> None:
    class Nothing(HTTPMessageDelegate):
        pass

    delegate = Nothing()
    start_line = RequestStartLine("GET", "/", "HTTP/1.1")
    assert delegate.headers_received(start_line, HTTPHeaders()) is None
    assert delegate.data_received(b"x") is None
    delegate.finish()
    delegate.on_connection_close()


def test_a_server_delegate_must_start_requests() -> None:
    delegate = HTTPServerConnectionDelegate()
    with pytest.raises(NotImplementedError):
        delegate.start_request(object(), HTTPConnection())
    delegate.on_close(object())


def test_a_connection_must_write() -> None:
    connection = HTTPConnection()
    with pytest.raises(NotImplementedError):
        connection.write_headers(ResponseStartLine("HTTP/1.1", 200, "OK"), HTTPHeaders(), b"x")
    with pytest.raises(NotImplementedError):
        connection.write(b"x")
    with pytest.raises(NotImplementedError):
        connection.finish()
