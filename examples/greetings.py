"""Arguments: from the path, from the query, from a form.

curl 'http://localhost:8888/greet/Ada?times=2'
curl -d 'name=Ada' -d 'name=Grace' http://localhost:8888/greet
"""

from zonda import ioloop, web


class GreetHandler(web.RequestHandler):
    def get(self, name: str) -> None:
        times = self.get_query_argument("times", "1")
        if not times.isdecimal() or not 1 <= int(times) <= 10:
            raise web.HTTPError(400, reason="times must be 1 to 10")
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        for _ in range(int(times)):
            self.write(f"Hello, {name}\n")


class GreetAllHandler(web.RequestHandler):
    def post(self) -> None:
        names = self.get_body_arguments("name")
        if not names:
            raise web.MissingArgumentError("name")
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.write(f"Hello, {' and '.join(names)}\n")


def make_app() -> web.Application:
    return web.Application([(r"/greet/([^/]+)", GreetHandler), (r"/greet", GreetAllHandler)])


if __name__ == "__main__":
    make_app().listen(8888)
    ioloop.IOLoop.current().start()
