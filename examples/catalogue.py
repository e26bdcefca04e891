"""Pages of Jinja2 that clients keep until they change; the same program under any ASGI server.

.venv/bin/python examples/catalogue.py
.venv/bin/uvicorn --app-dir examples --port 8888 catalogue:app
curl -i http://localhost:8888/things/teapot
curl -i -H 'If-None-Match: "3"' http://localhost:8888/things/teapot
"""

import asyncio
from dataclasses import dataclass

import jinja2

from zonda import web
from zonda.web.jinja import JinjaLoader

TEMPLATES = {
    "base.html": "<!doctype html><title>{% block title %}Things{% endblock %}</title>"
    "{% block body %}{% endblock %}",
    "thing.html": '{% extends "base.html" %}{% block title %}{{ thing.name }}{% endblock %}'
    "{% block body %}<h1>{{ thing.name }}</h1><p>{{ thing.text }}</p>"
    '<a href="{{ reverse_url("things") }}">all</a>{% endblock %}',
    "things.html": '{% extends "base.html" %}{% block body %}<ul>{% for name in names %}'
    '<li><a href="{{ reverse_url("thing", name) }}">{{ name }}</a></li>{% endfor %}</ul>'
    "{% endblock %}",
}


@dataclass
class Thing:
    """A thing of the catalogue, and how often it has been changed."""

    name: str
    text: str
    version: int


THINGS = {thing.name: thing for thing in [Thing("teapot", "Short & stout", 3)]}


class ThingsHandler(web.RequestHandler):
    def get(self) -> None:
        self.render("things.html", names=sorted(THINGS))


class ThingHandler(web.RequestHandler):
    thing: Thing

    def prepare(self) -> None:
        thing = THINGS.get(self.path_args[0])
        if thing is None:
            raise web.HTTPError(404)
        self.thing = thing

    def compute_etag(self) -> str:
        return f'"{self.thing.version}"'

    def get(self, name: str) -> None:
        self.set_etag_header()
        if self.check_etag_header():  # nothing has to be rendered
            self.set_status(304)
            return
        self.set_header("Cache-Control", "no-cache")
        self.render("thing.html", thing=self.thing)


app = web.Application(
    [
        web.url(r"/", ThingsHandler, name="things"),
        web.url(r"/things/([a-z]+)", ThingHandler, name="thing"),
    ],
    template_loader=JinjaLoader(jinja2.DictLoader(TEMPLATES)),
)


async def main() -> None:
    app.listen(8888)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
