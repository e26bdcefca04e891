"""A JSON API: notes kept in memory, errors as JSON.

curl -d '{"text": "buy milk"}' http://localhost:8888/notes
curl http://localhost:8888/notes
curl -X DELETE http://localhost:8888/notes/1
"""

import json
from typing import Any

from zonda import ioloop, web


class ApiHandler(web.RequestHandler):
    """What all handlers of the API share."""

    def initialize(self, notes: dict[int, str]) -> None:
        self.notes = notes

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish({"error": self._reason})

    def note(self, number: str) -> dict[str, object]:
        if int(number) not in self.notes:
            raise web.HTTPError(404, reason="No such note")
        return {"id": int(number), "text": self.notes[int(number)]}


class NotesHandler(ApiHandler):
    def get(self) -> None:
        self.write({"notes": [self.note(str(number)) for number in self.notes]})

    def post(self) -> None:
        try:
            text = json.loads(self.request.body)["text"]
        except (ValueError, KeyError, TypeError):
            raise web.HTTPError(400, reason="Expected a JSON object with a text") from None
        number = max(self.notes, default=0) + 1
        self.notes[number] = str(text)
        self.set_status(201)
        self.set_header("Location", f"/notes/{number}")
        self.write(self.note(str(number)))


class NoteHandler(ApiHandler):
    def get(self, number: str) -> None:
        self.write(self.note(number))

    def delete(self, number: str) -> None:
        self.note(number)
        del self.notes[int(number)]
        self.set_status(204)


def make_app() -> web.Application:
    arguments: dict[str, object] = {"notes": {}}
    return web.Application(
        [(r"/notes", NotesHandler, arguments), (r"/notes/([0-9]+)", NoteHandler, arguments)]
    )


if __name__ == "__main__":
    make_app().listen(8888)
    ioloop.IOLoop.current().start()
