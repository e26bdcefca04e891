"""A proxy: what is asked of it, it asks of another server, and passes the answer on as it comes.

.venv/bin/python examples/proxy.py http://localhost:9000
"""

import sys

from zonda import ioloop, web
from zonda.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

# Fields that are about one connection, not about the message (RFC 9110 §7.6.1).
HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length", "host",
}  # fmt: skip


class ProxyHandler(web.RequestHandler):
    def initialize(self, origin: str) -> None:
        self.origin = origin

    async def proxy(self) -> None:
        request = self.request
        headers = {
            name: value
            for name, value in request.headers.get_all()
            if name.lower() not in HOP_BY_HOP
        }
        headers["X-Forwarded-For"] = request.remote_ip or ""
        outgoing = HTTPRequest(
            self.origin + request.uri,
            method=request.method,
            headers=headers,
            body=request.body or None,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            decompress_response=False,
        )
        try:
            async with AsyncHTTPClient().stream(outgoing) as response:
                self.set_status(response.code, response.reason)
                self.clear_header("Content-Type")
                for name, value in response.headers.get_all():
                    if name.lower() not in HOP_BY_HOP:
                        self.add_header(name, value)
                async for chunk in response:
                    self.write(chunk)
                    await self.flush()
        except HTTPClientError as error:
            raise web.HTTPError(502, "%s", error) from error

    get = head = post = put = delete = patch = options = proxy


if __name__ == "__main__":
    web.Application([(r"/.*", ProxyHandler, {"origin": sys.argv[1]})]).listen(8888)
    ioloop.IOLoop.current().start()
