r"""The streaming parser for ``multipart/form-data`` (RFC 7578, RFC 2046 section 5.1).

Bytes go in with ``receive_data``, events come out of ``next_event``: for each part a `PartBegin`,
any number of `PartData` and a `PartEnd`, then `End` after the last. `NEED_DATA` means "not yet",
however the bytes are split. Whatever is wrong with the body raises `HTTPInputError`, the same one
from then on.

====================  ==================================================================
state                 what the buffer starts with
====================  ==================================================================
START                 the body: a delimiter without the line end before it, or a preamble
PREAMBLE              bytes to drop, up to a delimiter
HEADER                the line end of a delimiter, then a part's header and an empty line
BODY                  a part's data, up to a delimiter
PART_END              the delimiter behind a part
END                   the epilogue, dropped
====================  ==================================================================

A delimiter is a line that holds ``--boundary`` and nothing but spaces and tabs behind it, or starts
with ``--boundary--``. Lines end in CRLF; a bare CR or LF ends none, and is refused in a header.
"""

import enum
import re
from dataclasses import dataclass
from typing import Final

from zonda.httputil.errors import HTTPInputError
from zonda.httputil.form_config import ParseMultipartConfig, get_parse_body_config
from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.part_header import parse_part_header

__all__ = [
    "NEED_DATA",
    "End",
    "Event",
    "MultipartParser",
    "NeedData",
    "PartBegin",
    "PartData",
    "PartEnd",
]


class NeedData(enum.Enum):
    """The type of `NEED_DATA`."""

    NEED_DATA = "need data"


NEED_DATA: Final = NeedData.NEED_DATA
"""Feed more, then ask again."""


@dataclass(slots=True)
class PartBegin:
    """A part begins.

    Attributes:
        headers: The part's header fields, decoded as UTF-8.
        name: Name of the form field.
        filename: Name of the uploaded file as the client gave it (a path may be part of it); None
            for a plain field, "" for a file input that the user left empty.
        content_type: Value of the part's Content-Type, None if it has none.
    """

    headers: HTTPHeaders
    name: str
    filename: str | None
    content_type: str | None


@dataclass(slots=True)
class PartData:
    """More of the part's content, never empty."""

    data: bytes


@dataclass(slots=True)
class PartEnd:
    """The part is complete."""


@dataclass(slots=True)
class End:
    """The form is complete; what follows is dropped."""


Event = PartBegin | PartData | PartEnd | End
"""What the input consists of: the beginning, data and end of each part, then the end."""

_PART_ENDS: Final = PartEnd()
_FORM_ENDS: Final = End()

# RFC 2046: one to seventy of these, the last one not a space.
_BOUNDARY: Final = re.compile(rb"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_MAX_PADDING: Final = 256
_PADDING: Final = re.compile(rb"[ \t]{0,257}")
_DEFAULT_FIELDS_SIZE: Final = 1024 * 1024


class _State(enum.Enum):
    START = enum.auto()
    PREAMBLE = enum.auto()
    HEADER = enum.auto()
    BODY = enum.auto()
    PART_END = enum.auto()
    END = enum.auto()


class _Tail(enum.Enum):
    """What follows ``--boundary`` at the start of a line."""

    NEXT_PART = enum.auto()
    CLOSE = enum.auto()
    INCOMPLETE = enum.auto()
    ORDINARY = enum.auto()  # so the line is no delimiter but content


# An attribute of an enumeration costs as much as a call: these are asked for all the time.
_START, _PREAMBLE, _HEADER, _BODY, _PART_END, _END = _State
_NEXT_PART, _CLOSE, _INCOMPLETE, _ORDINARY = _Tail


class MultipartParser:
    r"""Parse one ``multipart/form-data`` body as it arrives.

    Args:
        boundary: The ``boundary`` parameter of the Content-Type.
        config: Limits; None for those of ``set_parse_body_config``.
        in_memory: Whether all of the body is in memory anyway, so that fields need no limit of
            their own unless ``config`` has one.

    >>> parser = MultipartParser("XX")
    >>> parser.receive_data(b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n')
    >>> parser.next_event().name
    'a'
    >>> parser.next_event()
    <NeedData.NEED_DATA: 'need data'>
    >>> parser.receive_data(b"hello\r\n--XX--\r\n")
    >>> [parser.next_event() for _ in range(3)]
    [PartData(data=b'hello'), PartEnd(), End()]

    Raises:
        HTTPInputError: for a boundary that RFC 2046 does not allow, and when multipart is disabled.
    """

    def __init__(
        self,
        boundary: str | bytes,
        config: ParseMultipartConfig | None = None,
        *,
        in_memory: bool = False,
    ) -> None:
        if config is None:
            config = get_parse_body_config().multipart
        if not config.enabled:
            raise HTTPInputError("multipart/form-data is disabled")
        if isinstance(boundary, str):
            boundary = boundary.encode()
        if not _BOUNDARY.fullmatch(boundary):
            raise HTTPInputError(f"illegal multipart boundary {boundary[:80]!r}")
        self._config = config
        self._fields_left = config.max_fields_size
        if self._fields_left is None and not in_memory:
            self._fields_left = _DEFAULT_FIELDS_SIZE
        self._parts_left = config.max_parts
        self._delimiter = b"\r\n--" + boundary
        self._buffer = b""
        # All before _position has been handed out or dropped, all before _searched has been
        # searched in vain; so each byte is looked at a bounded number of times.
        self._position = 0
        self._searched = 0
        self._state = _START
        self._found: tuple[_Tail, int] | None = None  # a delimiter and where it ends
        self._is_field = False
        self._at_eof = False
        self._error: HTTPInputError | None = None

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the body. Take the events out before the next call."""
        if self._state is _END or self._error is not None or not data:
            return
        # At most a delimiter or a part's header is left over.
        keep = min(self._position, self._searched)
        rest = self._buffer[keep:]
        self._buffer = rest + data if rest else bytes(data)
        self._position -= keep
        self._searched -= keep

    def receive_eof(self) -> None:
        """Say that the body is over: from now on an error stands in the place of `NEED_DATA`."""
        self._at_eof = True

    def next_event(self) -> Event | NeedData:
        """Return what comes next: an event, or `NEED_DATA`.

        Raises:
            HTTPInputError: for a body that is malformed, truncated or exceeds a limit.
        """
        if self._error is not None:
            raise self._error
        try:
            event = self._next_event()
            if event is NEED_DATA and self._at_eof:
                raise HTTPInputError("multipart/form-data ends without its final boundary")
        except HTTPInputError as error:
            self._error = error
            self._buffer = b""
            raise
        return event

    def _next_event(self) -> Event | NeedData:
        if self._state is _START:
            self._start()
        if self._state is _PREAMBLE:
            self._drop_preamble()
        if self._state is _HEADER:
            return self._begin_part()
        if self._state is _BODY:
            data = self._next_data()
            if data is not None:
                return data
        if self._state is _PART_END:
            self._pass_delimiter()
            return _PART_ENDS
        return _FORM_ENDS if self._state is _END else NEED_DATA

    def _start(self) -> None:
        first_line = self._delimiter[2:]
        if self._buffer.startswith(first_line):
            tail, end = self._tail(len(first_line))
            if tail is _INCOMPLETE:
                return
            if tail is not _ORDINARY:
                self._found = tail, end
                self._pass_delimiter()
                return
        elif first_line.startswith(self._buffer):
            return
        self._state = _PREAMBLE

    def _drop_preamble(self) -> None:
        self._position = self._search()
        if self._found is not None:
            if self._found[0] is _CLOSE:
                # An empty form begins with its end; this is one whose parts were not recognised.
                raise HTTPInputError("multipart/form-data without a part")
            self._pass_delimiter()

    def _begin_part(self) -> PartBegin | NeedData:
        # The delimiter's line end is still there, so an empty header looks like any other.
        start = self._position + 2
        end = self._buffer.find(b"\r\n\r\n", self._searched)
        size = (len(self._buffer) if end < 0 else end + 4) - start
        if size > self._config.max_part_header_size:
            raise HTTPInputError(f"part header over {self._config.max_part_header_size} bytes")
        if end < 0:
            self._searched = max(self._position, len(self._buffer) - 3)
            return NEED_DATA
        header = parse_part_header(self._buffer[start:end], self._config.max_part_headers)
        self._state = _BODY
        self._is_field = not header.filename
        self._position = end + 4
        # A part may end right behind its header; the empty line is the delimiter's line end then.
        self._searched = end + 2
        return PartBegin(header.headers, header.name, header.filename, header.content_type)

    def _next_data(self) -> PartData | None:
        start = self._position
        end = self._search()
        if self._found is not None:
            self._state = _PART_END
        if end <= start:
            return None
        self._position = end
        if self._is_field and self._fields_left is not None:
            self._fields_left -= end - start
            if self._fields_left < 0:
                raise HTTPInputError("form fields are too large", 413)
        return PartData(self._buffer[start:end])

    # Delimiters

    def _search(self) -> int:
        """Return where the next delimiter starts, or from where on one might; fill `_found`."""
        buffer, delimiter = self._buffer, self._delimiter
        searched = self._searched
        while (start := buffer.find(delimiter, searched)) >= 0:
            tail, end = self._tail(start + len(delimiter))
            if tail is not _ORDINARY:
                self._searched = start
                if tail is not _INCOMPLETE:
                    self._found = tail, end
                return start
            searched = start + 2
        # The only CR of a delimiter is its first byte: so the last one here is the one to ask.
        start = buffer.rfind(b"\r", max(searched, len(buffer) - len(delimiter) + 1))
        if start < 0 or not delimiter.startswith(buffer[start:]):
            start = len(buffer)
        self._searched = start
        return start

    def _tail(self, position: int) -> tuple[_Tail, int]:
        """Tell what follows ``--boundary`` at ``position``, and where it ends."""
        buffer = self._buffer
        if buffer.startswith(b"--", position):
            return _CLOSE, position + 2
        padding = _PADDING.match(buffer, position)
        end = padding.end() if padding else position
        if end - position > _MAX_PADDING:
            return _ORDINARY, end
        rest = buffer[end : end + 2]
        if rest == b"\r\n":
            return _NEXT_PART, end
        if rest in (b"", b"\r") or (rest == b"-" and end == position):
            return _INCOMPLETE, end
        return _ORDINARY, end

    def _pass_delimiter(self) -> None:
        if self._found is None:
            return
        tail, end = self._found
        self._found = None
        self._position = self._searched = end
        if tail is _CLOSE:
            self._state = _END
            self._buffer = b""
            self._position = self._searched = 0
            return
        self._parts_left -= 1
        if self._parts_left < 0:
            raise HTTPInputError(f"more than {self._config.max_parts} parts")
        self._state = _HEADER
