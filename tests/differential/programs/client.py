"""AsyncHTTPClient and HTTPClient against a small server: responses, errors, callbacks, options."""

import asyncio
import io
import re
import threading

import wire

from tornado import httpclient, httputil, web
from tornado.httpclient import AsyncHTTPClient, HTTPClient, HTTPClientError, HTTPError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets


class Echo(web.RequestHandler):
    SUPPORTED_METHODS = (*web.RequestHandler.SUPPORTED_METHODS, "OTHER")

    def answer(self):
        fields = sorted(
            (name, value)
            for name, value in self.request.headers.get_all()
            if name not in ("Host", "Accept-Encoding", "User-Agent", "Connection")
        )
        self.write(
            {
                "method": self.request.method,
                "uri": self.request.uri,
                "fields": fields,
                "body": self.request.body.decode(),
            }
        )

    get = post = put = patch = delete = options = other = answer

    def head(self):
        self.set_header("X-Head", "1")


class Status(web.RequestHandler):
    def get(self, code):
        self.set_status(int(code), self.get_argument("reason", None))
        for name in self.get_arguments("field"):
            self.add_header(*name.split(":", 1))
        if int(code) not in (204, 304):
            self.write("body of " + code)


class Redirect(web.RequestHandler):
    def get(self, code, left):
        left = int(left)
        self.redirect(f"/redirect/{code}/{left - 1}" if left else "/echo?end=1", status=int(code))

    post = get


class Slow(web.RequestHandler):
    async def get(self):
        if self.get_argument("head", None):
            self.write("part")
            await self.flush()
        await asyncio.sleep(0.2)


class Stream(web.RequestHandler):
    async def get(self):
        for number in range(3):
            self.write(f"chunk {number};")
            await self.flush()
            await asyncio.sleep(0.005)


class Cut(web.RequestHandler):
    def get(self):
        self._auto_finish = False
        self.request.connection.detach().close()


class Protected(web.RequestHandler):
    def get(self):
        self.write(self.request.headers.get("Authorization", "nobody"))


def application():
    return web.Application(
        [
            (r"/echo", Echo),
            (r"/status/(\d+)", Status),
            (r"/redirect/(\d+)/(\d+)", Redirect),
            (r"/slow", Slow),
            (r"/stream", Stream),
            (r"/cut", Cut),
            (r"/protected", Protected),
        ],
        log_function=lambda handler: None,
    )


def hide(text):
    text = re.sub(r"127\.0\.0\.1:\d+", "HOST", str(text))
    return re.sub(r"after \d+ms|\d\.\d+ ?s(econds)?", "after T", text)


def show_response(response):
    print(
        response.code,
        response.reason,
        type(response.error).__name__,
        hide(response.error),
        hide(response.effective_url),
        response.request_time > 0,
    )
    fields = [
        (k, v)
        for k, v in response.headers.get_all()
        if k not in ("Date", "Server", "Etag", "Connection")
    ]
    print("  ", fields, response.body[:200], type(response.buffer).__name__)


async def show_failure(client, *args, **kwargs):
    try:
        response = await client.fetch(*args, **kwargs)
    except HTTPError as error:
        print("HTTPError", type(error).__name__, error.code, hide(error), "|", hide(error.message))
        print("  response", error.response and (error.response.code, error.response.body))
    except Exception as error:
        print([isinstance(error, kind) for kind in (ValueError, KeyError, OSError)])
    else:
        show_response(response)


async def asynchronous(base):
    client = AsyncHTTPClient()
    print(client is AsyncHTTPClient(), client is AsyncHTTPClient(force_instance=True))
    for url in ("/echo?x=1", "/status/201", "/status/204", "/redirect/302/2", "/stream"):
        print("#", url)
        show_response(await client.fetch(base + url))
    print("# methods")
    for method, body in (
        ("HEAD", None),
        ("POST", b"data"),
        ("PUT", "text"),
        ("DELETE", None),
        ("PATCH", b""),
        ("OPTIONS", None),
    ):
        show_response(await client.fetch(base + "/echo", method=method, body=body))
    request = HTTPRequest(
        base + "/echo", "OTHER", headers={"X-A": "1"}, allow_nonstandard_methods=True
    )
    show_response(await client.fetch(request))
    print(request.headers["X-A"], request.method, request.body)
    print("# wrong bodies")
    await show_failure(client, base + "/echo", method="POST")
    await show_failure(client, base + "/echo", method="GET", body=b"x")
    await show_failure(client, base + "/echo", method="OTHER")
    await show_failure(client, HTTPRequest(base + "/echo"), method="POST")
    show_response(
        await client.fetch(base + "/echo", method="GET", body=b"x", allow_nonstandard_methods=True)
    )
    print("# errors")
    for url in (
        "/status/404",
        "/status/500?reason=Own+Words",
        "/status/304",
        "/status/599",
        "/cut",
    ):
        await show_failure(client, base + url)
        await show_failure(client, base + url, raise_error=False)
    await show_failure(client, base + "/slow", request_timeout=0.05)
    await show_failure(client, base + "/slow?head=1", request_timeout=0.05)
    await show_failure(client, base + "/slow", request_timeout=0.05, raise_error=False)
    for url in ("ftp://a.example/", "nothing"):
        await show_failure(client, url)
    print("# redirects")
    for code in (301, 302, 303, 307, 308):
        await show_failure(client, base + f"/redirect/{code}/0", method="POST", body=b"b")
    await show_failure(client, base + "/redirect/302/9", max_redirects=3)
    await show_failure(client, base + "/redirect/302/0", follow_redirects=False)
    await show_failure(client, base + "/redirect/302/0", follow_redirects=False, raise_error=False)
    print("# callbacks")
    seen = []
    response = await client.fetch(
        base + "/stream",
        streaming_callback=lambda chunk: seen.append(("chunk", chunk)),
        header_callback=lambda line: seen.append(("head", line)),
    )
    print([item for item in seen if item[1][:6] not in ("Server", "Date: ", "Connec")])
    print(response.body, response.buffer and response.buffer.read())
    seen.clear()
    await show_failure(
        client,
        base + "/status/404?field=X-A:1&field=X-A:2",
        streaming_callback=seen.append,
        header_callback=seen.append,
    )
    print([item for item in seen if item[:6] not in ("Server", "Date: ", "Connec")])
    seen.clear()
    await show_failure(client, base + "/redirect/302/1", streaming_callback=seen.append)
    print(seen)
    print("# requests")
    show_response(await client.fetch(base + "/protected", auth_username="u", auth_password="p"))
    show_response(await client.fetch(base.replace("//", "//me:secret@") + "/protected"))

    def produce(write):
        write(b"first ")
        return write(b"second")

    async def produce_slowly(write):
        await write(b"one ")
        await asyncio.sleep(0)
        await write(b"two")

    for producer in (produce, produce_slowly):
        show_response(await client.fetch(base + "/echo", method="POST", body_producer=producer))
    show_response(
        await client.fetch(
            base + "/echo", method="POST", body_producer=produce, headers={"Content-Length": "12"}
        )
    )
    await show_failure(client, base + "/echo", method="POST", body=b"x", body_producer=produce)
    show_response(
        await client.fetch(base + "/echo", method="POST", body=b"later", expect_100_continue=True)
    )
    show_response(
        await client.fetch(
            base + "/echo",
            headers=httputil.HTTPHeaders({"A": "1"}),
            user_agent="me",
            if_modified_since=1359312200,
        )
    )
    show_response(await client.fetch(base + "/echo", decompress_response=False))
    await show_failure(client, base + "/echo", network_interface="127.0.0.1")
    await show_failure(client, base + "/echo", nonsense=1)
    print("# body and its limits")
    small = AsyncHTTPClient(
        force_instance=True,
        max_body_size=5,
        max_clients=1,
        defaults={"user_agent": "fixed", "headers": {"X-D": "1"}},
    )
    await show_failure(small, base + "/echo")
    small.close()
    try:
        small.fetch(base)
    except RuntimeError as error:
        print(error)
    queued = AsyncHTTPClient(force_instance=True, max_clients=1)
    first = queued.fetch(base + "/slow")
    await show_failure(queued, base + "/echo", connect_timeout=0.05, request_timeout=0.05)
    await first
    queued.close()


def objects():
    request = HTTPRequest("http://h.example/")
    names = (
        "method",
        "headers",
        "body",
        "connect_timeout",
        "request_timeout",
        "follow_redirects",
        "max_redirects",
        "decompress_response",
        "user_agent",
        "validate_cert",
        "allow_nonstandard_methods",
        "expect_100_continue",
        "auth_mode",
        "proxy_host",
        "use_gzip",
    )
    print([(name, getattr(request, name, "-")) for name in names if name != "headers"])
    request.headers = None
    request.body = "text"
    print(request.headers, request.body, request.start_time > 0)
    response = httpclient.HTTPResponse(
        request,
        404,
        httputil.HTTPHeaders({"A": "b"}),
        io.BytesIO(b"body"),
        "http://e.example/",
        request_time=0.5,
    )
    try:
        response.rethrow()
    except HTTPError as error:
        print(error, repr(error), error.args[:2], error.code, error.message)
    print(
        HTTPError is HTTPClientError, HTTPError(599), HTTPError(500, "words"), repr(HTTPError(404))
    )
    for code in (200, 299, 304, 400, 799):
        made = httpclient.HTTPResponse(request, code)
        print(code, made.reason, made.error, made.body, made.effective_url)
    print(httpclient.HTTPResponse(request, 200, reason="Mine").reason)
    try:
        httpclient.HTTPResponse(5, 200).body
    except Exception as error:
        print(type(error).__name__)
    AsyncHTTPClient.configure(None, defaults={"user_agent": "configured"}, max_clients=3)
    AsyncHTTPClient.configure("tornado.simple_httpclient.SimpleAsyncHTTPClient", max_clients=2)
    print(AsyncHTTPClient.configured_class().__name__)
    AsyncHTTPClient.configure(None)


def blocking(base):
    client = HTTPClient()
    response = client.fetch(base + "/echo", method="POST", body="x")
    print(response.code, response.body)
    for url in ("/status/404", "/cut"):
        try:
            client.fetch(base + url)
        except HTTPError as error:
            print(type(error).__name__, error.code, hide(error))
    print(client.fetch(base + "/status/404", raise_error=False).code)
    client.close()
    client.close()


def main():
    wire.show_records()
    ready, stop, where = threading.Event(), [], []

    def server():
        async def run():
            sockets = bind_sockets(0, "127.0.0.1")
            made = HTTPServer(application())
            made.add_sockets(sockets)
            where.append("http://127.0.0.1:%d" % sockets[0].getsockname()[1])
            stop.append((asyncio.get_running_loop(), asyncio.Event()))
            ready.set()
            await stop[0][1].wait()
            made.stop()

        asyncio.run(run())

    thread = threading.Thread(target=server)
    thread.start()
    ready.wait()
    objects()
    asyncio.run(asynchronous(where[0]))
    blocking(where[0])
    stop[0][0].call_soon_threadsafe(stop[0][1].set)
    thread.join()


main()
