"""A site's files, and a report that is made in memory but served like one: ranges, tags, HEAD.

    curl http://localhost:8888/
    curl -H "Range: bytes=0-4" http://localhost:8888/static/site.css
    curl --compressed -v http://localhost:8888/reports/primes.txt

The files are made here at the start; a real program has a folder of them. What lies compressed
beside a file (``site.css.br``) is sent to browsers that take it, and everything else that shrinks
is compressed on its way.
"""

import datetime
import tempfile
from pathlib import Path

from zonda import ioloop, web

STARTED = datetime.datetime.now(datetime.UTC)


class MainHandler(web.RequestHandler):
    def get(self) -> None:
        # The URL has the file's version: browsers may keep it for ever.
        self.write(f'<link rel="stylesheet" href="{self.static_url("site.css")}"><p>Hello')


def primes(limit: int) -> bytes:
    found = [n for n in range(2, limit) if all(n % p for p in range(2, int(n**0.5) + 1))]
    return "".join(f"{n}\n" for n in found).encode()


REPORTS = {"primes.txt": primes(2000)}


class ReportHandler(web.StaticFileHandler):
    """Content from elsewhere than files: these hooks are all it needs."""

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        return path

    def validate_absolute_path(self, root: str, absolute_path: str) -> str:
        if absolute_path not in REPORTS:
            raise web.HTTPError(404)
        return absolute_path

    @classmethod
    def get_content(cls, abspath: str, start: int | None = None, end: int | None = None) -> bytes:
        return REPORTS[abspath][start:end]

    def get_content_size(self) -> int:
        return len(REPORTS[self.path])

    def get_modified_time(self) -> datetime.datetime:
        return STARTED


def make_app(folder: str) -> web.Application:
    Path(folder, "site.css").write_text("body { font: 1.2em serif }\n" * 50)
    return web.Application(
        [(r"/", MainHandler), (r"/reports/(.*)", ReportHandler, {"path": ""})],
        static_path=folder,
        compress_response=True,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as site:
        make_app(site).listen(8888)
        ioloop.IOLoop.current().start()
