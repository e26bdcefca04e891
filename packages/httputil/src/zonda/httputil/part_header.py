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

_FIELD_LINE: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[^\x00-\x08\x0a-\x1f\x7f]*+")
_FIELD_LINES: Final = re.compile(rb"%b(?:\r\n%b)*+" % (_FIELD_LINE.pattern, _FIELD_LINE.pattern))
_DISPOSITION: Final = re.compile(r"(?aim)^Content-Disposition:[ \t]*([^\r\n]*)")
_CONTENT_TYPE: Final = re.compile(r"(?aim)^Content-Type:[ \t]*([^\r\n]*)")
# What browsers and libraries send nearly always.
_USUAL: Final = re.compile(r'form-data; name="([^"\\\t]+)"(?:; filename="([^"\\\t]*)")?')
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
    if block.count(b"\r\n") >= max_lines:
        raise HTTPInputError(f"more than {max_lines} header lines in a part")
    if not _FIELD_LINES.fullmatch(block):
        bad = next(line for line in block.split(b"\r\n") if not _FIELD_LINE.fullmatch(line))
        raise HTTPInputError(f"malformed header line in a part: {bad[:80]!r}")
    try:
        text = block.decode()
    except UnicodeDecodeError as error:
        raise HTTPInputError("header of a part is not UTF-8") from error
    dispositions = _DISPOSITION.findall(text)
    if len(dispositions) != 1:
        raise HTTPInputError(f"part with {len(dispositions)} Content-Disposition fields")
    usual = _USUAL.fullmatch(dispositions[0])
    name, filename = usual.groups() if usual else _field_and_file(dispositions[0])
    content_types = _CONTENT_TYPE.findall(text)
    content_type = ",".join(each.rstrip(" \t") for each in content_types) if content_types else None
    # The mapping is built only if somebody looks into it.
    return PartHeader(HTTPHeaders.from_block(text), name, filename, content_type)


def _field_and_file(disposition: str) -> tuple[str, str | None]:
    kind, parameters = parse_parameters(disposition)
    if kind.lower() != "form-data":
        raise HTTPInputError(f"part is not form-data but {kind[:80]!r}")
    name = parameters.get("name")
    if not name:
        raise HTTPInputError("part without a name")
    filename = parameters.get("filename")
    # An encoded name may hold what the check of the lines has not seen.
    if _CONTROL.search(name) or (filename and _CONTROL.search(filename)):
        raise HTTPInputError("control characters in the name of a form field or file")
    if filename is None and _EXTENDED_FILENAME.search(disposition):
        raise HTTPInputError("part with a filename that cannot be decoded")
    return name, filename
