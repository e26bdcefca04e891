"""A program of Tornado 2 and 3: callbacks for fetches, streams and engines."""

import socket

from tornado import gen, httpclient, httpserver, ioloop, iostream, netutil, web

loop = ioloop.IOLoop.instance()


class Main(web.RequestHandler):
    @web.asynchronous
    def get(self):
        client = httpclient.AsyncHTTPClient()
        url = "http://127.0.0.1:%d/inner?name=%s" % (port, self.get_argument("name", "x"))
        client.fetch(url, callback=self.on_response)

    def on_response(self, response):
        if response.error:
            raise web.HTTPError(500)
        self.write("got " + response.body.decode())
        self.flush(callback=lambda *ignored: self.finish())


class Inner(web.RequestHandler):
    def get(self):
        self.write(self.get_argument("name"))
        self.finish()


class Engine(web.RequestHandler):
    @web.asynchronous
    @gen.engine
    def get(self):
        client = httpclient.AsyncHTTPClient()
        base = "http://127.0.0.1:%d/inner?name=" % port
        first = yield gen.Task(client.fetch, base + "one")
        client.fetch(base + "two", callback=(yield gen.Callback("two")))
        client.fetch(base + "three", callback=(yield gen.Callback("three")))
        second, third = yield gen.WaitAll(["two", "three"])
        many = yield [gen.Task(client.fetch, base + str(n)) for n in range(3)]
        yield gen.Task(loop.add_timeout, loop.time() + 0.001)
        self.write(b",".join([first.body, second.body, third.body] + [r.body for r in many]))
        self.finish()


class Coroutine(web.RequestHandler):
    @gen.coroutine
    def get(self):
        client = httpclient.AsyncHTTPClient()
        try:
            yield client.fetch("http://127.0.0.1:%d/none" % port)
        except httpclient.HTTPError as error:
            self.write("%d" % error.code)


def lines():
    """Two streams that talk in callbacks."""
    left, right = socket.socketpair()
    a, b = iostream.IOStream(left), iostream.IOStream(right)

    def on_header(data):
        print("header", data)
        b.read_bytes(5, on_body)

    def on_body(data):
        print("body", data)
        b.write(b"reply\n", callback=lambda: print("written"))

    def on_reply(data):
        print("reply", data)
        a.close()

    def on_close():
        print("closed")
        fetch()

    b.set_close_callback(on_close)
    b.read_until(b"\r\n\r\n", on_header)
    a.read_until(b"\n", on_reply)
    a.write(b"one\r\ntwo\r\n\r\n12345")


def fetch():
    paths = ["/?name=me", "/engine", "/coroutine", "/none"]
    client = httpclient.AsyncHTTPClient()

    def handle(response):
        print(response.code, response.body[:30], response.error)
        if paths:
            client.fetch("http://127.0.0.1:%d%s" % (port, paths.pop(0)), handle)
        else:
            ticks = []
            periodic = ioloop.PeriodicCallback(lambda: tick(periodic, ticks), 1)
            periodic.start()

    client.fetch("http://127.0.0.1:%d%s" % (port, paths.pop(0)), handle)


def tick(periodic, ticks):
    ticks.append(1)
    if len(ticks) == 2:
        periodic.stop()
        print("ticked")
        loop.stop()


sockets = netutil.bind_sockets(0, "127.0.0.1")
port = sockets[0].getsockname()[1]
application = web.Application(
    [(r"/", Main), (r"/inner", Inner), (r"/engine", Engine), (r"/coroutine", Coroutine)],
    log_function=lambda handler: None,
)
server = httpserver.HTTPServer(application)
server.add_sockets(sockets)
loop.add_callback(lines)
loop.start()
server.stop()
print("stopped")
