"""Fuzz start lines: parts put together again are the line, and the connection agrees.

Run: ``python3 dev fuzz startline [libFuzzer options]``.
"""

import sys

import atheris

with atheris.instrument_imports():
    from zonda.httputil.errors import HTTPInputError
    from zonda.httputil.http1 import RemoteProtocolError, Request, ServerConnection
    from zonda.httputil.http1.target import target_authority
    from zonda.httputil.startline import parse_request_start_line, parse_response_start_line
    from zonda.httputil.urls import parse_authority


def one_input(data: bytes) -> None:
    """What atheris calls."""
    line = data.decode("latin-1")
    parts = None
    try:
        parts = parse_request_start_line(line)
        assert " ".join(parts) == line
    except HTTPInputError as error:
        status = error.status
        assert status in (400, 505)
    connection = ServerConnection()
    connection.receive_data(data + b"\r\nHost: h\r\n\r\n")
    try:
        event = connection.next_event()
    except RemoteProtocolError as error:
        status = error.status
        assert 400 <= status <= 505
    else:
        # An empty line in front is skipped, and further lines may be fields.
        if isinstance(event, Request) and "\n" not in line:
            assert parts is not None, line
            assert (event.method, event.target) == parts[:2], line
    if parts is not None:
        try:
            authority = target_authority(parts.method, parts.path)
        except RemoteProtocolError:
            pass
        else:
            assert authority is None or parse_authority(authority)[0]
    try:
        version, code, reason = parse_response_start_line(line)
    except HTTPInputError as error:
        status = error.status
        assert status in (400, 505)
    else:
        assert f"{version} {code} {reason}" == line


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
