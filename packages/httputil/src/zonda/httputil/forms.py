"""Form bodies into arguments and files.

In go a content type and a whole body, out come entries added to the caller's ``arguments``
(``dict[str, list[bytes]]``) and ``files`` (``dict[str, list[HTTPFile]]``), all of them or none.
Whatever a client can do wrong raises ``HTTPInputError``. To read a body as it arrives, see
``multipart.MultipartParser``.

Which content types are forms (the type is compared without regard to case, RFC 9110 section 8.3.1):

=========================================  =====================================================
``application/x-www-form-urlencoded``      parsed; parameters are ignored
``multipart/form-data; boundary=...``      parsed; without a usable boundary an error
anything else, or nothing                  left alone
=========================================  =====================================================

A form under a ``Content-Encoding`` is an error: the body is not what its content type says.
"""

import re

from zonda.httputil.codings import parse_content_encoding
from zonda.httputil.errors import HTTPInputError
from zonda.httputil.escape import parse_qs_bytes
from zonda.httputil.file import HTTPFile
from zonda.httputil.form_config import (
    ParseBodyConfig,
    ParseMultipartConfig,
    ParseUrlEncodedConfig,
    get_parse_body_config,
)
from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.multipart import NEED_DATA, End, MultipartParser, PartBegin, PartData
from zonda.httputil.parameters import parse_parameters

__all__ = ["parse_body_arguments", "parse_multipart_form_data", "parse_urlencoded"]

# The type must end where the name ends; what clients forget is the semicolon before parameters.
FORM_TYPE = re.compile(
    r"[ \t]*(?:(application/x-www-form-urlencoded)|multipart/form-data)(?=[ \t;,]|\Z)",
    re.IGNORECASE,
)


def parse_body_arguments(
    content_type: str,
    body: bytes,
    arguments: dict[str, list[bytes]],
    files: dict[str, list[HTTPFile]],
    headers: HTTPHeaders | None = None,
    *,
    config: ParseBodyConfig | None = None,
) -> None:
    """Parse a form body and add what it holds to ``arguments`` and ``files``.

    Args:
        content_type: Value of the Content-Type field.
        body: The whole body.
        arguments: Extended by the fields: text names, bytes values, blank ones included.
        files: Extended by the uploaded files.
        headers: The request's; a Content-Encoding among them makes a form an error.
        config: Limits; None for those of ``set_parse_body_config``.

    >>> arguments = {}
    >>> parse_body_arguments("application/x-www-form-urlencoded", b"a=1&b=&a=2", arguments, {})
    >>> arguments
    {'a': [b'1', b'2'], 'b': [b'']}

    Raises:
        HTTPInputError: for a body that is malformed or exceeds a limit.
    """
    form = FORM_TYPE.match(content_type)
    if form is None:
        return
    if headers is not None and parse_content_encoding(headers.get("Content-Encoding", "")):
        raise HTTPInputError(f"form body with Content-Encoding: {headers['Content-Encoding']!r}")
    if config is None:
        config = get_parse_body_config()
    if form[1]:
        _extend(arguments, parse_urlencoded(body, config.urlencoded))
        return
    boundary = parse_parameters(content_type)[1].get("boundary")
    if not boundary:
        raise HTTPInputError("multipart/form-data without a boundary")
    parse_multipart_form_data(boundary.encode(), body, arguments, files, config=config.multipart)


def parse_urlencoded(
    body: str | bytes, config: ParseUrlEncodedConfig | None = None
) -> dict[str, list[bytes]]:
    """Parse an urlencoded body or a query string within limits, blank values included.

    Names are text of one character per byte (latin-1), as in ``parse_qs_bytes``.

    >>> parse_urlencoded("q=zonda&page=")
    {'q': [b'zonda'], 'page': [b'']}

    Raises:
        HTTPInputError: for too many fields.
    """
    if config is None:
        config = get_parse_body_config().urlencoded
    try:
        return parse_qs_bytes(body, keep_blank_values=True, max_num_fields=config.max_arguments)
    except ValueError as error:
        raise HTTPInputError(f"invalid urlencoded form: {error}") from error


def parse_multipart_form_data(
    boundary: bytes,
    data: bytes,
    arguments: dict[str, list[bytes]],
    files: dict[str, list[HTTPFile]],
    *,
    config: ParseMultipartConfig | None = None,
) -> None:
    r"""Parse a ``multipart/form-data`` body and add what it holds to ``arguments`` and ``files``.

    A part with a file name becomes a file, any other a field. A file without a content type gets
    ``application/unknown``.

    Args:
        boundary: The boundary, with or without the quotes around it.
        data: The whole body.
        arguments: Extended by the fields.
        files: Extended by the files.
        config: Limits; None for those of ``set_parse_body_config``.

    >>> arguments = {}
    >>> body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
    >>> parse_multipart_form_data(b"x", body, arguments, {})
    >>> arguments
    {'a': [b'1']}

    Raises:
        HTTPInputError: for a body that is malformed or exceeds a limit.
    """
    if config is None:
        config = get_parse_body_config().multipart
    if len(boundary) > 1 and boundary[:1] == b'"' == boundary[-1:]:
        boundary = boundary[1:-1]
    parser = MultipartParser(boundary, config, in_memory=True)
    parser.receive_data(data)
    parser.receive_eof()
    new_arguments: dict[str, list[bytes]] = {}
    new_files: dict[str, list[HTTPFile]] = {}
    content = b""
    while (event := parser.next_event()) is not NEED_DATA:
        if isinstance(event, PartBegin):
            part = event
            content = b""
        elif isinstance(event, PartData):
            # Once a part, as all of the body is there.
            content = event.data
        elif isinstance(event, End):
            break
        elif part.filename:
            file = HTTPFile(
                filename=part.filename,
                body=content,
                content_type="application/unknown"
                if part.content_type is None
                else part.content_type,
            )
            new_files.setdefault(part.name, []).append(file)
        else:
            new_arguments.setdefault(part.name, []).append(content)
    _extend(arguments, new_arguments)
    for name, uploads in new_files.items():
        files.setdefault(name, []).extend(uploads)


def _extend(arguments: dict[str, list[bytes]], fields: dict[str, list[bytes]]) -> None:
    for name, values in fields.items():
        arguments.setdefault(name, []).extend(values)
