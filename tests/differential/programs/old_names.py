"""Names and arguments of Tornado 3 and 4 that are gone today."""

import datetime

from tornado import concurrent, escape, gen, httputil, ioloop, web
from tornado.concurrent import Future


class Handler(web.RequestHandler):
    def get(self):
        self.set_secure_cookie("name", "value")
        self.get_secure_cookie("name", None, 31)
        self.clear_all_cookies("/", None)


@gen.coroutine
def main():
    value = yield gen.maybe_future(3)
    print(value)
    value = yield gen.Task(lambda callback: callback("from a task"))
    print(value)
    arguments = yield gen.Task(lambda callback: callback(1, 2, key=3))
    print(arguments.args, arguments.kwargs)
    try:
        yield gen.with_timeout(datetime.timedelta(milliseconds=1), Future())
    except gen.TimeoutError:
        print("timed out")
    raise gen.Return("returned")


@gen.engine
def engine(callback):
    key = object()
    ioloop.IOLoop.current().add_callback((yield gen.Callback(key)), "waited for")
    result = yield gen.Wait(key)
    callback(result)


loop = ioloop.IOLoop()
loop.make_current()
print(loop.run_sync(main))


def stop(result):
    print(result)
    loop.stop()


loop.add_callback(lambda: engine(callback=stop))
loop.start()
print(httputil.url_concat("/a", {"b": 1}), httputil.format_timestamp(1359312200))
print(escape.to_basestring("x"), concurrent.Future is Future)
