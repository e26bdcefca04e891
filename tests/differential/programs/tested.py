"""The testing classes, run by unittest, with what goes right and what goes wrong."""

import asyncio
import contextlib
import io
import logging
import re
import sys
import unittest

from tornado import gen, httpclient, testing, web
from tornado.log import app_log, gen_log
from tornado.testing import (
    AsyncHTTPTestCase,
    AsyncTestCase,
    ExpectLog,
    bind_unused_port,
    gen_test,
    get_async_test_timeout,
)


class Hello(web.RequestHandler):
    def get(self):
        self.write("hello " + self.get_argument("name", "you"))

    def post(self):
        self.write(self.request.body)


class Fails(web.RequestHandler):
    def get(self):
        raise RuntimeError("in a handler")


class Application(AsyncHTTPTestCase):
    def get_app(self):
        return web.Application([("/", Hello), ("/fails", Fails)])

    def test_fetch(self):
        response = self.fetch("/?name=me")
        self.assertEqual((response.code, response.body), (200, b"hello me"))
        self.assertEqual(self.fetch("/none").code, 404)
        self.assertEqual(self.fetch("/", method="POST", body="b").body, b"b")

    def test_raises(self):
        with self.assertRaises(httpclient.HTTPClientError) as caught:
            self.fetch("/none", raise_error=True)
        self.assertEqual(caught.exception.code, 404)

    def test_logged(self):
        with ExpectLog(app_log, "Uncaught exception GET /fails", level=logging.ERROR):
            self.assertEqual(self.fetch("/fails").code, 500)

    @gen_test
    async def test_client(self):
        response = await self.http_client.fetch(self.get_url("/"))
        self.assertEqual(response.body, b"hello you")

    def test_names(self):
        self.assertTrue(self.get_url("/x").startswith("http://127.0.0.1:"))
        self.assertEqual(self.get_protocol(), "http")
        self.assertEqual(self.get_http_port(), int(self.get_url("").rsplit(":", 1)[1]))
        self.assertTrue(self.http_server and self.http_client and self._app)
        self.assertEqual(self.get_httpserver_options(), {})


class Secure(testing.AsyncHTTPSTestCase):
    def get_app(self):
        return web.Application([("/", Hello)])

    def test_fetch(self):
        self.assertEqual(self.fetch("/").body, b"hello you")
        self.assertEqual(self.get_protocol(), "https")


class Loop(AsyncTestCase):
    def test_stop_and_wait(self):
        self.io_loop.add_callback(self.stop, 5)
        self.assertEqual(self.wait(), 5)
        self.io_loop.call_later(0.01, self.stop, a=1)
        self.assertEqual(self.wait(timeout=1), {"a": 1})
        self.stop("before")
        self.assertEqual(self.wait(), "before")

    def test_wait_times_out(self):
        try:
            self.wait(timeout=0.01)
        except self.failureException as error:
            self.assertIn("0.01", str(error))
        else:
            self.fail("no time-out")

    def test_callback_fails(self):
        def fails():
            raise KeyError("callback")

        self.io_loop.add_callback(fails)
        with ExpectLog(app_log, "Exception in callback"):
            with contextlib.suppress(self.failureException):
                self.wait(timeout=0.02)

    @gen_test
    def test_generator(self):
        yield gen.sleep(0.001)
        value = yield asyncio.sleep(0, "v")
        self.assertEqual(value, "v")

    @gen_test(timeout=0.02)
    async def test_slow(self):
        await asyncio.sleep(1)

    @gen_test
    async def test_fails(self):
        await asyncio.sleep(0)
        raise ValueError("in a coroutine")

    @gen_test
    async def test_asserts(self):
        self.assertEqual(1, 2)

    def test_generator_without_gen_test(self):
        yield 5

    async def test_coroutine_without_gen_test(self):
        pass

    def test_returns(self):
        return 5

    @unittest.skip("reason")
    def test_skipped(self):
        pass

    @gen_test
    async def test_log(self):
        with ExpectLog(gen_log, ".*three", required=False):
            gen_log.warning("two or three")
        with ExpectLog("", "root"):
            logging.error("root record")
        with self.assertRaises(Exception) as caught:
            with ExpectLog(gen_log, "never"):
                pass
        self.assertEqual(str(caught.exception) != "", True)
        watch = ExpectLog(app_log, "first|second")
        with watch:
            app_log.warning("first")
            app_log.warning("second")
        self.assertTrue(watch.matched)
        self.assertTrue(watch.logged_stack is False)

    @gen_test
    async def test_ports(self):
        sock, port = bind_unused_port()
        self.assertEqual(sock.getsockname()[1], port)
        sock.close()
        self.assertEqual(get_async_test_timeout(), 5)


class Own(AsyncTestCase):
    def get_new_ioloop(self):
        loop = super().get_new_ioloop()
        print("new loop", type(loop).__mro__[-2].__name__)
        return loop

    def setUp(self):
        super().setUp()
        self.order = ["setUp"]

    def tearDown(self):
        super().tearDown()
        self.order.append("tearDown")
        print(self.order)

    def test_order(self):
        self.order.append("test")


logging.getLogger().addHandler(logging.NullHandler())
logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
output = io.StringIO()
suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
result = unittest.TextTestRunner(stream=output, verbosity=2).run(suite)
for line in output.getvalue().split("\n"):
    if re.match(r"test_|ERROR|FAIL|\w+(Error|Exception|Warning)\b", line):
        line = re.sub(r"^(\w+\.)+(?=\w+(Error|Exception))", "", line)
        line = re.sub(r"^((Type|Value)Error): .*(test_|Return|decorated).*", r"\1", line)
        print(re.sub(r"\(__main__\.[\w.]+\)|0x\w+|\d\.\d+s", "", line)[:100])
# Python 3.12.1 and later do not count the skipped ones among those that were run.
print(suite.countTestCases(), len(result.errors), len(result.failures), len(result.skipped))
