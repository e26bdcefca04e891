r"""The header of one part of a ``multipart/form-data`` body (RFC 7578 section 4.2).

In go its bytes, lines separated by CRLF, without the empty line; out comes a `PartHeader`. Raises
`HTTPInputError` for anything that is not a field line in UTF-8, control characters and folded lines
included, and for a part that does not say, once, which field of the form it is.
"""

import re
from typing import Final, NamedTuple

from zonda.httputil.errors import HTTPInputError
from zonda.httputil.headers import HTTPHeaders
from zonda.httputil.parameters import parse_parameters

__all__ = ["PartHeader", "parse_part_header"]

_FIELD_LINE: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_EXTENDED_FILENAME: Final = re.compile(r";\s*filename\*", re.IGNORECASE)


class PartHeader(NamedTuple):
    """What a part says about itself.

    Attributes:
        headers: All its fields.
        name: Name of the form field, not empty.
        filename: Name of the file; None for a field that is no file, "" for a file input that
            the user left empty.
        content_type: Value of Content-Type, None without.
    """

    headers: HTTPHeaders
    name: str
    filename: str | None
    content_type: str | None


def parse_part_header(block: bytes, max_lines: int) -> PartHeader:
    r"""Parse the header of a part.

    Args:
        block: Field lines separated by CRLF.
        max_lines: Most lines allowed.

    >>> parse_part_header(b'Content-Disposition: form-data; name="f"; filename="a.txt"', 10)[1:]
    ('f', 'a.txt', None)

    Raises:
        HTTPInputError: for anything else.
    """
    lines = block.split(b"\r\n", max_lines)
    if len(lines) > max_lines:
        raise HTTPInputError(f"more than {max_lines} header lines in a part")
    for line in lines:
        if not _FIELD_LINE.fullmatch(line):
            raise HTTPInputError(f"malformed header line in a part: {line[:80]!r}")
    try:
        headers = HTTPHeaders.from_block(block.decode())
    except UnicodeDecodeError as error:
        raise HTTPInputError("header of a part is not UTF-8") from error
    dispositions = headers.get_list("Content-Disposition")
    if len(dispositions) != 1:
        raise HTTPInputError(f"part with {len(dispositions)} Content-Disposition fields")
    kind, parameters = parse_parameters(dispositions[0])
    if kind.lower() != "form-data":
        raise HTTPInputError(f"part is not form-data but {kind[:80]!r}")
    name = parameters.get("name")
    if not name:
        raise HTTPInputError("part without a name")
    filename = parameters.get("filename")
    # An encoded name may hold what the check of the lines has not seen.
    if _CONTROL.search(name) or (filename and _CONTROL.search(filename)):
        raise HTTPInputError("control characters in the name of a form field or file")
    if filename is None and _EXTENDED_FILENAME.search(dispositions[0]):
        raise HTTPInputError("part with a filename that cannot be decoded")
    return PartHeader(headers, name, filename, headers.get("Content-Type"))
