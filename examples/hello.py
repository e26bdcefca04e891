from zonda import ioloop, web


class MainHandler(web.RequestHandler):
    def get(self) -> None:
        self.write("Hello, world")


if __name__ == "__main__":
    web.Application([(r"/", MainHandler)]).listen(8888)
    ioloop.IOLoop.current().start()
