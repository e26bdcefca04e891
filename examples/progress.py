"""A file upload that shows how far it is, also to others who look.

Open http://localhost:8888/ in a browser and send a large file.
"""

import asyncio
import itertools

from zonda import web

PAGE = """<!DOCTYPE html>
<title>Upload</title>
<input type="file"> <progress max="1" value="0"></progress> <output></output>
<script>
const [input, bar, text] = ["input", "progress", "output"].map(n => document.querySelector(n));
input.onchange = async () => {
  const { id } = await (await fetch("/uploads", { method: "POST" })).json();
  new EventSource(`/uploads/${id}/progress`).onmessage = event => {
    const { received, size, done } = JSON.parse(event.data);
    bar.value = received / size;
    text.value = `${received} of ${size} bytes${done ? ", done" : ""}`;
  };
  await fetch(`/uploads/${id}`, { method: "PUT", body: input.files[0] });
};
</script>"""


class Upload:
    """How far one upload is. Whoever waits for `changed` is told."""

    def __init__(self) -> None:
        self.received = 0
        self.size = 0
        self.done = False
        self.changed = asyncio.Event()

    def tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


UPLOADS: dict[str, Upload] = {}
NUMBERS = itertools.count(1)


class PageHandler(web.RequestHandler):
    def get(self) -> None:
        self.write(PAGE)


class NewHandler(web.RequestHandler):
    def post(self) -> None:
        number = str(next(NUMBERS))
        UPLOADS[number] = Upload()
        self.write({"id": number})


@web.stream_request_body
class UploadHandler(web.RequestHandler):
    upload: Upload

    def prepare(self) -> None:
        number = self.path_args[0]
        if number not in UPLOADS:
            raise web.HTTPError(404)
        self.upload = UPLOADS[number]
        self.upload.size = int(self.request.headers.get("Content-Length", "0"))

    def data_received(self, chunk: bytes) -> None:
        self.upload.received += len(chunk)
        self.upload.tell()

    def put(self, number: str) -> None:
        self.upload.done = True
        self.upload.tell()
        self.write({"received": self.upload.received})

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self.upload.done = True  # as far as it will ever get
        self.upload.tell()


class ProgressHandler(web.RequestHandler):
    async def get(self, number: str) -> None:
        if number not in UPLOADS:
            raise web.HTTPError(404)
        upload = UPLOADS[number]
        async with self.sse() as events:
            while True:
                changed = upload.changed
                state = {"received": upload.received, "size": upload.size, "done": upload.done}
                await events.send(state)
                if upload.done:
                    break
                await changed.wait()
        UPLOADS.pop(number, None)


async def main() -> None:
    web.Application(
        [
            (r"/", PageHandler),
            (r"/uploads", NewHandler),
            (r"/uploads/(\d+)", UploadHandler),
            (r"/uploads/(\d+)/progress", ProgressHandler),
        ]
    ).listen(8888)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
