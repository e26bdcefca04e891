"""Uploads of any size: parts of a ``multipart/form-data`` body as they arrive.

    class Upload(UploadHandler):
        async def part_received(self, part):
            if part.filename is None:
                await self.keep(part)
            else:
                async for chunk in part:
                    ...

        def post(self):
            self.write(self.get_body_argument("comment"))

Without an override `UploadHandler` keeps every part: fields become arguments, and files become
``request.files``, whose contents are in memory up to a limit and on disk beyond it. Each part is
read before the next one; a client sends no faster than its parts are read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile
from typing import Any, ClassVar, Final

from zonda.httputil import HTTPHeaders, HTTPInputError
from zonda.httputil.file import HTTPFile
from zonda.httputil.multipart import (
    NEED_DATA,
    End,
    MultipartParser,
    PartBegin,
    PartData,
    PartEnd,
)
from zonda.httputil.parameters import parse_parameters
from zonda.iostream import StreamClosedError
from zonda.web.decorators import stream_request_body
from zonda.web.handler import RequestHandler

MEMORY_LIMIT: Final = 1024 * 1024
"""Bytes of a file beyond which it is on disk."""


class Part:
    """A part of a form, to be read once, in order: ``async for chunk in part``.

    What is not read is dropped.

    Attributes:
        name: Name of the form's field.
        filename: Name of the file as the client gave it, None for a plain field. Never a path to
            be used as it is.
        content_type: What the client says it is; None if it does not.
        headers: The part's header.
    """

    def __init__(self, begin: PartBegin) -> None:
        self.name: str = begin.name
        self.filename: str | None = begin.filename
        self.content_type: str | None = begin.content_type
        self.headers: HTTPHeaders = begin.headers
        self._chunk: bytes | None = None
        self._over = False
        self._error: BaseException | None = None
        # One waits at a time: the reader for a chunk, or the feeder for the reader.
        self._changed: asyncio.Future[None] | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            while self._chunk is None:
                if self._error is not None:
                    raise self._error
                if self._over:
                    return
                await self._wait()
            chunk, self._chunk = self._chunk, None
            yield chunk
            self._wake()

    async def read(self, limit: int = MEMORY_LIMIT) -> bytes:
        """Return all of it.

        Raises:
            HTTPInputError: It is larger than ``limit`` bytes (413).
        """
        chunks = []
        size = 0
        async for chunk in self:
            size += len(chunk)
            if size > limit:
                raise HTTPInputError(f"part {self.name!r} is over {limit} bytes", 413)
            chunks.append(chunk)
        return b"".join(chunks)

    # For `UploadHandler`.

    def put(self, chunk: bytes) -> None:
        """Offer a chunk to the reader, when `taken` has returned."""
        self._chunk = chunk
        self._wake()

    async def taken(self, reader: asyncio.Future[None]) -> None:
        """Wait until the reader wants more, or is through."""
        while not reader.done() and self._chunk is not None:
            await asyncio.wait([reader, self._future()], return_when=asyncio.FIRST_COMPLETED)
        self._chunk = None

    def end(self, error: BaseException | None = None) -> None:
        """Say that no more will come, because that was all or because of an error."""
        self._over = True
        self._error = error
        self._wake()

    def _future(self) -> asyncio.Future[None]:
        if self._changed is None or self._changed.done():
            self._changed = asyncio.get_running_loop().create_future()
        return self._changed

    async def _wait(self) -> None:
        await self._future()

    def _wake(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)


class UploadedFile(HTTPFile):
    """A file of ``request.files`` that may be on disk.

    Attributes:
        file: The content, a binary file; closed when the request is over.
        body: The same as bytes, all in memory.
        size: Its size in bytes.
    """

    file: SpooledTemporaryFile[bytes]
    size: int

    def __missing__(self, key: str) -> bytes:
        if key != "body":
            raise KeyError(key)
        self.file.seek(0)
        body = self.file.read()
        self.file.seek(0)
        return body


@stream_request_body
class UploadHandler(RequestHandler):
    """Handles forms while they arrive.

    The method runs when the body is complete. Bodies that are no ``multipart/form-data`` are
    collected as usual. With the setting ``xsrf_cookies`` the token has to be in the query or in a
    header field: it is checked before the body comes. For more than the server's usual
    ``max_body_size``, call ``request.connection.set_max_body_size`` in `prepare`.

    Attributes:
        MEMORY_LIMIT: Bytes of a file beyond which `keep` writes to disk.
    """

    MEMORY_LIMIT: ClassVar[int] = MEMORY_LIMIT

    _parser: MultipartParser | None = None
    _part: Part | None = None
    _reader: asyncio.Task[None] | None = None
    _whole_body: list[bytes] | None = None
    _kept: list[UploadedFile] | None = None

    async def part_received(self, part: Part) -> None:
        """Read a part: a hook. The next one comes when it returns.

        Args:
            part: The part.
        """
        await self.keep(part)

    async def keep(self, part: Part) -> None:
        """Make a part an argument or an entry of ``request.files``.

        Args:
            part: The part, of which nothing has been read.
        """
        request = self.request
        if not part.filename:
            value = await part.read()
            # Worked out from the other at the first access: so before that gets the value.
            for arguments in (request.arguments, request.body_arguments):
                arguments.setdefault(part.name, []).append(value)
            return
        file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(self.MEMORY_LIMIT)  # noqa: SIM115
        upload = UploadedFile(
            filename=part.filename,
            content_type=part.content_type or "application/unknown",
            file=file,
            size=0,
        )
        if self._kept is None:
            self._kept = []
        self._kept.append(upload)
        loop = asyncio.get_running_loop()
        async for chunk in part:
            upload.size += len(chunk)
            if upload.size > self.MEMORY_LIMIT:
                await loop.run_in_executor(None, file.write, chunk)  # disks may be slow
            else:
                file.write(chunk)
        file.seek(0)
        request.files.setdefault(part.name, []).append(upload)

    async def data_received(self, chunk: bytes) -> None:
        """Take a piece of the body."""
        try:
            if self._parser is None and self._whole_body is None:
                self._begin()
            if self._whole_body is not None:
                self._whole_body.append(chunk)
            elif not self.request._body_future.done():
                assert self._parser is not None
                self._parser.receive_data(chunk)
                await self._handle_events()
        except Exception as error:
            # To `zonda.web.course`, which waits for the body and answers as for any error.
            body = self.request._body_future
            if not body.done():
                body.set_exception(error)
                body.exception()

    def _begin(self) -> None:
        request = self.request
        media_type, parameters = parse_parameters(request.headers.get("Content-Type", ""))
        if media_type.lower() != "multipart/form-data":
            self._whole_body = []
            return
        if not parameters.get("boundary"):
            raise HTTPInputError("multipart/form-data without a boundary")
        config = request.parse_config.multipart if request.parse_config is not None else None
        self._parser = MultipartParser(parameters["boundary"], config)
        request._body_future.add_done_callback(self._body_over)

    async def _handle_events(self) -> None:
        parser = self._parser
        assert parser is not None
        while (event := parser.next_event()) is not NEED_DATA:
            if isinstance(event, PartBegin):
                self._part = Part(event)
                self._reader = asyncio.ensure_future(self.part_received(self._part))
            elif isinstance(event, PartData):
                await self._feed(event.data)
            elif isinstance(event, PartEnd):
                await self._end_part()
            elif isinstance(event, End):
                break

    async def _feed(self, data: bytes) -> None:
        part, reader = self._part, self._reader
        assert part is not None
        assert reader is not None
        if reader.done():
            reader.result()  # an error ends the request; otherwise the rest is dropped
            return
        part.put(data)
        await part.taken(reader)

    async def _end_part(self) -> None:
        part, reader = self._part, self._reader
        assert part is not None
        assert reader is not None
        part.end()
        await reader
        self._part = self._reader = None

    async def _body_complete(self) -> None:
        if self._whole_body is not None:
            self.request.body = b"".join(self._whole_body)
            self.request._parse_body()
        elif self._parser is not None:
            self._parser.receive_eof()
            await self._handle_events()

    def _body_over(self, body: asyncio.Future[None]) -> None:
        """Let whoever still reads a part know that it will never be complete."""
        if self._reader is not None and not self._reader.done():
            assert self._part is not None
            self._reader.add_done_callback(_retrieve)
            self._part.end(StreamClosedError())

    def _end(self) -> None:
        try:
            super()._end()
        finally:
            for upload in self._kept or ():
                upload.file.close()


def _retrieve(reader: asyncio.Future[Any]) -> None:
    if not reader.cancelled():
        reader.exception()
