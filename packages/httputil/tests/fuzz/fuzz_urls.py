"""Fuzz URLs, authorities and what a request makes of its target.

Run: ``python3 dev fuzz urls [libFuzzer options]``.
"""

import sys
from urllib.parse import parse_qsl

import atheris

with atheris.instrument_imports():
    from zonda.httputil.errors import HTTPInputError
    from zonda.httputil.http1 import RemoteProtocolError
    from zonda.httputil.http1.target import check_host, target_authority
    from zonda.httputil.request import HTTPServerRequest
    from zonda.httputil.urls import parse_authority, split_host_and_port, url_concat


def attributes(text: str) -> None:
    """All that a request computes from its target and its fields."""
    try:
        request = HTTPServerRequest("GET", text, "HTTP/1.1", {"Host": "h"})
        request.full_url()
        assert "?" not in request.path
        assert request.uri.endswith(request.query)
        assert request.host_name == request.host_name.lower()
        request.arguments  # noqa: B018
    except HTTPInputError:
        pass


def one_input(data: bytes) -> None:
    """What atheris calls."""
    text = data.decode("latin-1")
    host, port = split_host_and_port(text)
    assert text == host if port is None else text.startswith(f"{host}:")
    try:
        host, port = parse_authority(text)
    except HTTPInputError:
        try:
            found = check_host(text)
        except RemoteProtocolError:
            pass
        else:  # white space around it belongs to the field
            assert found == text.strip(" \t") != text
    else:
        assert host.isascii()
        assert not set(host) & set(" \t\r\n/?#@\\,")
        assert port is None or 0 <= port < 65536
        assert check_host(text) == text
    for method in ("GET", "OPTIONS", "CONNECT"):
        try:
            authority = target_authority(method, text)
        except RemoteProtocolError:
            continue
        assert authority is None or parse_authority(authority)[0]
    attributes(text)

    text = data.decode(errors="replace")
    assert url_concat(url_concat(text, []), []) == url_concat(text, [])
    longer = url_concat(text, [("k", "v&="), (text, text)])
    query = longer.partition("#")[0].partition("?")[2]
    assert parse_qsl(query, keep_blank_values=True)[-2:] == [("k", "v&="), (text, text)]


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
