"""Who a request is from, with a proxy in front and without."""

from typing import Any

import pytest

from zonda.httpserver.testing import RawClient, serve
from zonda.httputil import HTTPHeaders, HTTPServerRequest


def who(request: HTTPServerRequest) -> None:
    connection: Any = request.connection
    connection.respond(200, "OK", HTTPHeaders(), f"{request.remote_ip} {request.protocol}".encode())


TRUSTING: dict[str, Any] = {"xheaders": True}
DOWNSTREAM = {**TRUSTING, "trusted_downstream": ["10.0.0.1", "10.0.0.2"]}

ROWS = [
    ({}, [], "127.0.0.1 http"),
    ({}, ["X-Real-Ip: 4.4.4.4", "X-Scheme: https"], "127.0.0.1 http"),
    ({"protocol": "https"}, [], "127.0.0.1 https"),
    (TRUSTING, [], "127.0.0.1 http"),
    (TRUSTING, ["X-Real-Ip: 4.4.4.4"], "4.4.4.4 http"),
    (TRUSTING, ["X-Real-Ip: 2620:0:1cfe:face:b00c::3"], "2620:0:1cfe:face:b00c::3 http"),
    (TRUSTING, ["X-Real-Ip: 4.4.4.4<script>"], "127.0.0.1 http"),
    (TRUSTING, ["X-Forwarded-For: 127.0.0.9, 4.4.4.4"], "4.4.4.4 http"),
    (TRUSTING, ["X-Forwarded-For: evil, 10.0.0.1"], "10.0.0.1 http"),
    (TRUSTING, ["X-Forwarded-For: host"], "127.0.0.1 http"),
    (DOWNSTREAM, ["X-Forwarded-For: 4.4.4.4, 10.0.0.1, 10.0.0.2"], "4.4.4.4 http"),
    (DOWNSTREAM, ["X-Forwarded-For: 1.1.1.1, 4.4.4.4, 10.0.0.2"], "4.4.4.4 http"),
    (TRUSTING, ["X-Scheme: https"], "127.0.0.1 https"),
    (TRUSTING, ["X-Forwarded-Proto: https"], "127.0.0.1 https"),
    (TRUSTING, ["X-Forwarded-Proto: https, http"], "127.0.0.1 http"),
    (TRUSTING, ["X-Forwarded-Proto: unknown"], "127.0.0.1 http"),
]


@pytest.mark.parametrize(("settings", "fields", "answer"), ROWS)
async def test_who(settings: dict[str, Any], fields: list[str], answer: str) -> None:
    plain = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    head = "\r\n".join(["GET / HTTP/1.1", "Host: h", *fields, "", ""]).encode()
    async with serve(who, **settings) as port, RawClient(port) as client:
        assert (await client(head)).body.decode() == answer
        # The next request on the connection may be another client's: nothing is left over.
        expected = "127.0.0.1 " + settings.get("protocol", "http")
        assert (await client(plain)).body.decode() == expected
